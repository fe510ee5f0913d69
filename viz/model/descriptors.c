// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which process held which end when. Each process has a table of descriptors, or shares one. All
 * events that change a table are applied in order of time, and leave holdings in the model. A
 * `descriptors` line is authoritative: it corrects what was derived from calls.
 */
#include <errno.h>
#include <stdlib.h>

#include "viz/base/compare.h"
#include "viz/base/sort.h"
#include "viz/model/fd_table.h"
#include "viz/model/operation_facts.h"

#define DUPFD 0		   /* F_DUPFD */
#define DUPFD_CLOEXEC 1030 /* F_DUPFD_CLOEXEC */
#define RANGE_UNSHARE 2	   /* CLOSE_RANGE_UNSHARE */
#define RANGE_CLOEXEC 4	   /* CLOSE_RANGE_CLOEXEC */
#define CLONE_TABLE 0x400  /* CLONE_FILES */

static void add_descriptors(struct model_builder *b, struct fd_line *line)
{
	struct arena *before = b->into;
	struct viz_fd *fds;
	size_t count;

	b->into = arena_new_small(); /* the model needs no list but that of the line */
	fds = build_fds(b, FIELD_descriptors_fds, &count);
	for (size_t i = 0; i < count; i++)
		LIST_PUSH(line, fds[i]);
	for (size_t i = 0; i < count && line->first; i++)
		fds[i].channel->found = true;
	arena_free(b->into);
	b->into = before;
}

/* Merges a line with those that continue it. */
void build_descriptors_line(struct model_builder *b)
{
	uint64_t at_ns = build_time(b, FIELD_descriptors_at_ns);
	struct viz_process *process = build_process(b, build_u32(b, FIELD_descriptors_pid), at_ns);
	struct fd_line *line = b->fd_line;

	if (!line || line->process != process || line->at_ns != at_ns) {
		line = memory_new(sizeof(*line));
		line->process = process;
		line->thread = build_known_thread(b, process,
						  VALUE(descriptors, tid)->present
							  ? build_u32(b, FIELD_descriptors_tid)
							  : process->pid);
		line->at_ns = at_ns;
		line->event = build_string(b, FIELD_descriptors_event);
		line->began_ns = build_time(b, FIELD_descriptors_began_ns);
		line->table = build_u32(b, FIELD_descriptors_table);
		line->first = (!process->listed || VALUE(descriptors, tid)->present) &&
			      process->before_trace &&
			      viz_bytes_equal(line->event, viz_bytes_of("snapshot"));
		process->listed = true;
		build_fd_event(b, FD_LINE, at_ns, process)->line = line;
	}
	add_descriptors(b, line);
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

/*
 * A call used a descriptor that the table does not have. Its holding begins as early as possible:
 * at the birth of the process, or if the number meant another channel before, when this call began.
 * Who asks for a lock on a file need not hold it: only a `descriptors` line tells that.
 */
static void learn_fd(const struct fd_change *change, struct fd_table *table, struct viz_fd fd)
{
	const struct fd_slot *slot = fd_slots_find(&table->slots, fd.fd);
	const struct viz_operation *op = change->op;
	struct fd_change seen = {change->b, op->process->start_ns, HOLDING_UNKNOWN, NULL, 0};

	if (fd.fd < 0 || !fd.channel || (slot && slot->channel == fd.channel))
		return;
	if (slot) /* it was replaced in between by a call that the trace lacks */
		seen.at_ns = op->enter_ns;
	if (mechanism_info(fd.channel->mechanism)->direction != DIRECTION_ONE_WAY)
		fd.access = ACCESS_BOTH;
	fd_table_remove(&seen, table, fd.fd);
	if (fd.channel->mechanism != MECH_FILE_LOCK)
		fd_table_insert(&seen, table, &fd);
}

static void learn_fds(const struct fd_change *change, struct fd_table *table)
{
	const struct viz_operation *op = change->op;
	enum access access = op->role == ROLE_SEND		? ACCESS_WRITE
			     : viz_operation_source(op) != NULL ? ACCESS_READ
								: ACCESS_NONE;

	learn_fd(change, table, (struct viz_fd){op->fd, op->channel, access, false});
	learn_fd(change, table,
		 (struct viz_fd){op->fd_out, op->extra->channel_out, ACCESS_WRITE, false});
	for (size_t i = 0; i < op->extra->replaced_count; i++)
		learn_fd(change, table, op->extra->replaced[i]);
}

static void close_range_fds(const struct fd_change *change, struct fd_table *table)
{
	const struct viz_operation *op = change->op;
	const struct fd_slot *slot;
	int64_t first, last;

	if (op->returned < 0 || (op->flags & RANGE_CLOEXEC) ||
	    !viz_operation_argument(op, "first", &first) ||
	    !viz_operation_argument(op, "last", &last))
		return;
	if (last < first) /* ~0U, if the trace's writer printed it as -1 */
		last = INT32_MAX;
	for (slot = fd_slots_from(&table->slots, first); slot && slot->fd <= last;
	     slot = fd_slots_from(&table->slots, first)) {
		first = (int64_t)slot->fd + 1;
		fd_table_remove(change, table, slot->fd);
	}
}

/* A close() that fails has closed the descriptor, except with EBADF. */
static void close_fds(const struct fd_change *change, struct fd_table *table)
{
	const struct viz_operation *op = change->op;
	struct fd_change end = *change;

	if (operation_is(op, "close_range"))
		close_range_fds(change, table);
	else if (operation_is(op, "close") && op->returned != -EBADF)
		fd_table_remove(change, table, op->fd);
	else if (operation_is(op, "exit")) {
		end.cause = HOLDING_EXIT;
		end.op = NULL;
		fd_table_remove(&end, table, op->fd);
	}
}

static bool makes_own_table(const struct viz_operation *op)
{
	return op->returned >= 0 &&
	       ((operation_is(op, "unshare") && op->flags & CLONE_TABLE) ||
		(operation_is(op, "close_range") && op->flags & RANGE_UNSHARE));
}

/* unshare(2), close_range(2): from now on the caller has a table of its own. */
static void unshare_fds(const struct fd_change *change)
{
	const struct viz_operation *op = change->op;

	if (!makes_own_table(op))
		return;
	if (op->thread && fd_thread_is_one_of_several(op))
		fd_thread_unshare(change, op->thread);
	else if (fd_table_of(change->b, op->process)->member_count > 1)
		fd_table_leave(change->b, op->process);
}

/* The descriptor that dup, dup2, dup3 or fcntl made, if the trace has no `new_fds`. */
static void duplicate_fd(const struct fd_change *change, struct fd_table *table)
{
	const struct viz_operation *op = change->op;
	bool fcntl = operation_is(op, "fcntl");
	bool onto = operation_is(op, "dup2") || operation_is(op, "dup3");
	const struct fd_slot *slot;
	struct viz_fd fd;
	int64_t command;

	if (!viz_has(op, returned) || op->returned < 0 || op->returned > INT32_MAX)
		return;
	if (fcntl && (!viz_operation_argument(op, "cmd", &command) ||
		      (command != DUPFD && command != DUPFD_CLOEXEC)))
		return;
	if ((!fcntl && !onto && !operation_is(op, "dup")) || op->fd == op->returned)
		return;
	slot = fd_slots_find(&table->slots, op->fd);
	if (slot) {
		fd = (struct viz_fd){(int32_t)op->returned, slot->channel, slot->access, false};
		fd_table_remove(change, table, fd.fd);
		fd_table_insert(change, table, &fd);
	} else {
		fd_table_remove(change, table, (int32_t)op->returned);
	}
}

static void apply_operation(struct model_builder *b, const struct viz_operation *op)
{
	struct fd_change change = {b, op->exit_ns, HOLDING_CALL, op, 0};
	struct fd_table *table;

	unshare_fds(&change);
	table = fd_table_used(b, op->process, op->thread);
	if (!operation_is(op, "exit"))
		learn_fds(&change, table);
	if (op->role == ROLE_CLOSE)
		close_fds(&change, table);
	else if (op->role == ROLE_CONTROL && op->extra->new_fds_count == 0)
		duplicate_fd(&change, table);
	for (size_t i = 0; i < op->extra->new_fds_count; i++) {
		fd_table_remove(&change, table, op->extra->new_fds[i].fd);
		fd_table_insert(&change, table, &op->extra->new_fds[i]);
	}
}

static int compare_fds(const void *a, const void *b)
{
	const struct viz_fd *x = a, *y = b;

	return COMPARE(x->fd, y->fd);
}

/* The descriptors that the line does not name were closed on exec. */
static void drop_unnamed(const struct fd_change *change, struct fd_table *table,
			 const struct fd_line *line)
{
	int64_t next;
	const struct fd_slot *slot = fd_slots_from(&table->slots, 0);

	for (; slot; slot = fd_slots_from(&table->slots, next)) {
		struct viz_fd key = {.fd = slot->fd};

		next = (int64_t)slot->fd + 1;
		if (line->count == 0 ||
		    !bsearch(&key, line->items, line->count, sizeof(key), compare_fds))
			fd_table_remove(change, table, key.fd);
	}
}

static void apply_line(struct model_builder *b, struct fd_line *line)
{
	bool at_exit = viz_bytes_equal(line->event, viz_bytes_of("exit"));
	struct fd_change change = {b, line->at_ns, HOLDING_EXEC, NULL, line->began_ns};
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
		change = (struct fd_change){b, line->process->start_ns, HOLDING_UNKNOWN, NULL, 0};
	for (size_t i = 0; i < line->count; i++) {
		fd_table_set(&change, table, &line->items[i]);
		if (at_exit && line->items[i].last)
			fd_table_last(table, line->items[i].fd);
	}
}

static void apply_event(struct model_builder *b, const struct fd_event *event)
{
	struct fd_change change = {b, event->at_ns, HOLDING_FORK, NULL, 0};

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
	case FD_EXEC: /* only one thread is left; the FD_LINE after it tells what its table has */
		change.cause = HOLDING_EXEC;
		fd_threads_end(&change, event->process);
		if (fd_table_of(b, event->process)->member_count > 1)
			fd_table_leave(b, event->process);
		break;
	case FD_EXIT:
		change.cause = HOLDING_EXIT;
		fd_threads_end(&change, event->process);
		fd_table_exit(&change, event->process);
		break;
	case FD_LINE:
		if (event->line) /* always true; for static analysis */
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

	return COMPARE(x->at_ns, y->at_ns)
		       ?: COMPARE(is_end(x), is_end(y))
		       ?: COMPARE(x->sequence, y->sequence);
}

static int compare_holdings(const void *a, const void *b)
{
	const struct viz_holding *x = *(struct viz_holding *const *)a;
	const struct viz_holding *y = *(struct viz_holding *const *)b;

	return COMPARE(x->since_ns, y->since_ns) ?: COMPARE(x->index, y->index);
}

/* Streaming has filled the lists of the channels before. */
static void sort_holdings(struct model_builder *b)
{
	struct viz_model *model = b->model;

	for (size_t i = 0; i < model->channel_count; i++)
		model->channels[i]->holding_count = 0;
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
	if (event->kind == FD_OPERATION)
		viz_operation_drop(event->operation);
	if (event->kind != FD_LINE)
		return;
	free(event->line->items);
	free(event->line);
}

/* The last line about a process may be timed after its exit, but describes its table before it. */
static void order_events(struct fd_events *events)
{
	for (size_t i = 0; i < events->count; i++) {
		struct fd_event *event = &events->items[i];

		if (event->kind == FD_LINE && event->at_ns > event->process->end_ns)
			event->at_ns = event->process->end_ns;
	}
	sort_nearly(events->items, events->count, sizeof(*events->items), compare_events);
}

void build_apply_descriptors(struct model_builder *b, uint64_t until_ns)
{
	struct fd_events *events = &b->fd_events;
	size_t applied = 0;

	order_events(events);
	for (; applied < events->count; applied++) {
		struct fd_event *event = &events->items[applied];

		if (event->at_ns >= until_ns ||
		    (event->kind == FD_LINE && event->line == b->fd_line))
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
	if (build_collects(b))
		sort_holdings(b);
}
