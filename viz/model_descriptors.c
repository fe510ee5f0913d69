// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who held which end when. Each process has a table of descriptors (several processes one, where
 * they share it); everything that changes a table is gone through in order of time, and leaves
 * holdings behind. What a `descriptors` line says is the truth: it corrects what was derived.
 */
#include <errno.h>
#include <stdlib.h>

#include "model_build.h"
#include "model_fd_table.h"

#define DUPFD 0		   /* F_DUPFD */
#define DUPFD_CLOEXEC 1030 /* F_DUPFD_CLOEXEC */
#define RANGE_UNSHARE 2	   /* CLOSE_RANGE_UNSHARE */
#define RANGE_CLOEXEC 4	   /* CLOSE_RANGE_CLOEXEC */
#define CLONE_TABLE 0x400  /* CLONE_FILES */

struct fd_event *build_fd_event(struct model_builder *b, enum fd_event_kind kind, uint64_t at_ns,
				struct viz_process *process)
{
	struct fd_events *events = &b->fd_events;
	struct fd_event event = {.at_ns = at_ns, .kind = kind, .process = process};

	event.sequence = events->sequence++;
	LIST_PUSH(events, event);
	return &events->items[events->count - 1];
}

/* Lines that are continued become one. */
void build_descriptors_line(struct model_builder *b)
{
	uint64_t at_ns = build_time(b, FIELD_descriptors_at_ns);
	struct viz_process *process = build_process(b, build_u32(b, FIELD_descriptors_pid), at_ns);
	struct fd_line *line = b->fd_line;
	struct viz_fd *fds;
	size_t count;

	if (!line || line->process != process || line->at_ns != at_ns) {
		line = memory_new(sizeof(*line));
		line->process = process;
		line->thread = build_known_thread(b, process,
						  VALUE(descriptors, tid)->present
							  ? build_u32(b, FIELD_descriptors_tid)
							  : process->pid);
		line->at_ns = at_ns;
		line->event = build_string(b, FIELD_descriptors_event);
		line->table = build_u32(b, FIELD_descriptors_table);
		line->first = (!process->listed || VALUE(descriptors, tid)->present) &&
			      process->before_trace &&
			      viz_bytes_equal(line->event, viz_bytes_of("snapshot"));
		process->listed = true;
		build_fd_event(b, FD_LINE, at_ns, process)->line = line;
	}
	fds = build_fds(b, FIELD_descriptors_fds, &count);
	for (size_t i = 0; i < count; i++)
		LIST_PUSH(line, fds[i]);
	for (size_t i = 0; i < count && line->first; i++)
		fds[i].channel->found = true;
	line->cut |= VALUE(descriptors, cut)->flag;
	b->fd_line = VALUE(descriptors, more)->flag ? line : NULL;
}

static void fork_table(const struct fd_change *change, const struct fd_event *event)
{
	struct viz_process *child = event->process;
	struct fd_table *table;

	if (!child->parent)
		return;
	table = fd_table_used(change->b, child->parent, event->maker);
	if (event->shares_fds)
		fd_table_join(change, table, child);
	else
		fd_table_copy(change, table, fd_table_of(change->b, child));
}

/* A call on a descriptor that we did not know: it was held since it was last possible not to. */
static void learn_fd(const struct fd_change *change, struct fd_table *table, struct viz_fd fd)
{
	const struct fd_slot *slot = fd_table_find(table, fd.fd);
	const struct viz_operation *op = change->op;
	struct fd_change seen = {change->b, op->process->start_ns, HOLDING_UNKNOWN, NULL};

	if (fd.fd < 0 || !fd.channel || (slot && slot->channel == fd.channel))
		return;
	if (slot) /* it must have changed in between, unseen */
		seen.at_ns = op->enter_ns;
	if (mechanism_info(fd.channel->mechanism)->direction != DIRECTION_ONE_WAY)
		fd.access = ACCESS_BOTH;
	fd_table_remove(&seen, table, fd.fd);
	fd_table_insert(&seen, table, &fd);
}

static void learn_fds(const struct fd_change *change, struct fd_table *table)
{
	const struct viz_operation *op = change->op;
	enum access access = op->role == ROLE_SEND		? ACCESS_WRITE
			     : viz_operation_source(op) != NULL ? ACCESS_READ
								: ACCESS_NONE;

	learn_fd(change, table, (struct viz_fd){op->fd, op->channel, access});
	learn_fd(change, table, (struct viz_fd){op->fd_out, op->channel_out, ACCESS_WRITE});
}

static bool is_call(const struct viz_operation *op, const char *name)
{
	return viz_bytes_equal(op->syscall, viz_bytes_of(name));
}

static void close_range_fds(const struct fd_change *change, struct fd_table *table)
{
	const struct viz_operation *op = change->op;
	int64_t first, last;

	if (op->returned < 0 || (op->flags & RANGE_CLOEXEC) ||
	    !viz_operation_argument(op, "first", &first) ||
	    !viz_operation_argument(op, "last", &last))
		return;
	if (last < first) /* ~0U, where a writer prints it as -1 */
		last = INT32_MAX;
	for (size_t i = table->count; i > 0; i--) {
		int32_t fd = table->slots[i - 1].fd;

		if (fd >= first && fd <= last)
			fd_table_remove(change, table, fd);
	}
}

/* Even a close that fails has closed, but for EBADF. */
static void close_fds(const struct fd_change *change, struct fd_table *table)
{
	const struct viz_operation *op = change->op;
	struct fd_change end = *change;

	if (is_call(op, "close_range"))
		close_range_fds(change, table);
	else if (is_call(op, "close") && op->returned != -EBADF)
		fd_table_remove(change, table, op->fd);
	else if (is_call(op, "exit")) {
		end.cause = HOLDING_EXIT;
		end.op = NULL;
		fd_table_remove(&end, table, op->fd);
	}
}

static bool makes_own_table(const struct viz_operation *op)
{
	return op->returned >= 0 && ((is_call(op, "unshare") && op->flags & CLONE_TABLE) ||
				     (is_call(op, "close_range") && op->flags & RANGE_UNSHARE));
}

/* unshare(2), close_range(2): from now on its table is its own. */
static void unshare_fds(const struct fd_change *change)
{
	const struct viz_operation *op = change->op;

	if (!makes_own_table(op))
		return;
	if (op->thread && fd_thread_is_one_of_several(op))
		fd_thread_unshare(change, op->thread);
	else if (fd_table_of(change->b, op->process)->member_count > 1)
		fd_table_leave(change->b, op->process, true);
}

/* The descriptor that dup, dup2, dup3 or fcntl made, where `new_fds` does not tell. */
static void duplicate_fd(const struct fd_change *change, struct fd_table *table)
{
	const struct viz_operation *op = change->op;
	bool fcntl = is_call(op, "fcntl");
	bool onto = is_call(op, "dup2") || is_call(op, "dup3");
	const struct fd_slot *slot;
	struct viz_fd fd;
	int64_t command;

	if (!viz_has(op, returned) || op->returned < 0 || op->returned > INT32_MAX)
		return;
	if (fcntl && (!viz_operation_argument(op, "cmd", &command) ||
		      (command != DUPFD && command != DUPFD_CLOEXEC)))
		return;
	if ((!fcntl && !onto && !is_call(op, "dup")) || op->fd == op->returned)
		return;
	slot = fd_table_find(table, op->fd);
	if (slot) {
		fd = (struct viz_fd){(int32_t)op->returned, slot->channel, slot->access};
		fd_table_remove(change, table, fd.fd);
		fd_table_insert(change, table, &fd);
	} else {
		fd_table_remove(change, table, (int32_t)op->returned);
	}
}

static void apply_operation(struct model_builder *b, const struct viz_operation *op)
{
	struct fd_change change = {b, op->exit_ns, HOLDING_CALL, op};
	struct fd_table *table;

	unshare_fds(&change);
	table = fd_table_used(b, op->process, op->thread);
	if (!is_call(op, "exit"))
		learn_fds(&change, table);
	if (op->role == ROLE_CLOSE)
		close_fds(&change, table);
	else if (op->role == ROLE_CONTROL && op->new_fds_count == 0)
		duplicate_fd(&change, table);
	for (size_t i = 0; i < op->new_fds_count; i++) {
		fd_table_remove(&change, table, op->new_fds[i].fd);
		fd_table_insert(&change, table, &op->new_fds[i]);
	}
}

static int compare_fds(const void *a, const void *b)
{
	const struct viz_fd *x = a, *y = b;

	return (x->fd > y->fd) - (x->fd < y->fd);
}

/* What the line does not name was closed on exec. */
static void drop_unnamed(const struct fd_change *change, struct fd_table *table,
			 const struct fd_line *line)
{
	for (size_t i = table->count; i > 0; i--) {
		struct viz_fd key = {.fd = table->slots[i - 1].fd};

		if (line->count == 0 ||
		    !bsearch(&key, line->items, line->count, sizeof(key), compare_fds))
			fd_table_remove(change, table, key.fd);
	}
}

static void apply_line(struct model_builder *b, struct fd_line *line)
{
	bool at_exit = viz_bytes_equal(line->event, viz_bytes_of("exit"));
	struct fd_change change = {b, line->at_ns, HOLDING_EXEC, NULL};
	struct fd_table *table;

	if (!at_exit)
		fd_table_listed(&change, line);
	table = fd_table_used(b, line->process, line->thread);
	if (line->count)
		qsort(line->items, line->count, sizeof(*line->items), compare_fds);
	if (line->cut)
		b->model->descriptors_cut = true;
	else if (!at_exit)
		drop_unnamed(&change, table, line);
	if (at_exit)
		change = (struct fd_change){b, line->process->start_ns, HOLDING_UNKNOWN, NULL};
	for (size_t i = 0; i < line->count; i++)
		fd_table_set(&change, table, &line->items[i]);
}

static void apply_event(struct model_builder *b, const struct fd_event *event)
{
	struct fd_change change = {b, event->at_ns, HOLDING_FORK, NULL};

	switch (event->kind) {
	case FD_OPERATION:
		apply_operation(b, event->operation);
		break;
	case FD_FORK:
		fork_table(&change, event);
		break;
	case FD_THREAD:
		fd_thread_begin(&change, event->thread, event->maker, event->shares_fds);
		break;
	case FD_THREAD_EXIT:
		change.cause = HOLDING_EXIT;
		fd_thread_end(&change, event->thread);
		break;
	case FD_EXEC: /* one thread is left, and its table is the process's: a line tells which */
		change.cause = HOLDING_EXEC;
		fd_threads_end(&change, event->process);
		if (fd_table_of(b, event->process)->member_count > 1)
			fd_table_leave(b, event->process, true);
		break;
	case FD_EXIT:
		change.cause = HOLDING_EXIT;
		fd_threads_end(&change, event->process);
		fd_table_exit(&change, event->process);
		break;
	case FD_LINE:
		if (event->line) /* as it is by its kind */
			apply_line(b, event->line);
		break;
	}
}

static bool is_end(const struct fd_event *event)
{
	return event->kind == FD_EXIT || event->kind == FD_THREAD_EXIT;
}

static int compare_events(const void *a, const void *b)
{
	const struct fd_event *x = a, *y = b;

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	if (is_end(x) != is_end(y))
		return is_end(x) ? 1 : -1;
	return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

static int compare_holdings(const void *a, const void *b)
{
	const struct viz_holding *x = *(struct viz_holding *const *)a;
	const struct viz_holding *y = *(struct viz_holding *const *)b;

	if (x->since_ns != y->since_ns)
		return x->since_ns < y->since_ns ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

static void sort_holdings(struct model_builder *b)
{
	struct viz_model *model = b->model;

	for (size_t i = 0; i < model->holding_count; i++)
		model->holdings[i]->index = i;
	if (model->holding_count)
		qsort(model->holdings, model->holding_count, sizeof(*model->holdings),
		      compare_holdings);
	for (size_t i = 0; i < model->holding_count; i++) {
		struct viz_holding *holding = model->holdings[i];
		struct viz_channel *channel = holding->channel;

		holding->index = i;
		ARENA_PUSH(b->arena, channel->holdings, channel->holding_count, holding);
	}
}

static void free_event(struct fd_event *event)
{
	if (event->operation)
		viz_operation_drop(event->operation);
	if (event->line)
		free(event->line->items);
	free(event->line);
}

/* The last look at a process tells of the time before its end. */
static void order_events(struct fd_events *events)
{
	for (size_t i = 0; i < events->count; i++) {
		struct fd_event *event = &events->items[i];

		if (event->kind == FD_LINE && event->at_ns > event->process->end_ns)
			event->at_ns = event->process->end_ns;
	}
	if (events->count)
		qsort(events->items, events->count, sizeof(*events->items), compare_events);
}

void build_apply_descriptors(struct model_builder *b, uint64_t until_ns)
{
	struct fd_events *events = &b->fd_events;
	size_t applied = 0;

	order_events(events);
	for (; applied < events->count; applied++) {
		struct fd_event *event = &events->items[applied];

		if (event->at_ns >= until_ns || (event->line && event->line == b->fd_line))
			break;
		apply_event(b, event);
		free_event(event);
	}
	events->count -= applied;
	if (events->count)
		memmove(events->items, events->items + applied,
			events->count * sizeof(*events->items));
}

void build_free_descriptors(struct model_builder *b)
{
	for (size_t i = 0; i < b->fd_events.count; i++)
		free_event(&b->fd_events.items[i]);
	free(b->fd_events.items);
	b->fd_events = (struct fd_events){0};
}

void build_finish_descriptors(struct model_builder *b)
{
	b->fd_line = NULL;
	build_apply_descriptors(b, VIZ_NEVER);
	if (!b->live)
		sort_holdings(b);
}
