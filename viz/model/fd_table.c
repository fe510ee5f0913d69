// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/model/fd_table.h"

/*
 * What is inherited, or held by sharing a table, is as many holdings as processes times
 * descriptors. So many are told of, and one more for each INHERITED_BYTES of the trace.
 */
#define INHERITED_MOST 400000
#define INHERITED_BYTES 8

struct fd_table *fd_table_new(struct model_builder *b, struct viz_process *member)
{
	struct fd_table *table = b->spare_fd_tables;
	struct fd_member first = {.process = member};

	if (table)
		b->spare_fd_tables = table->next_spare;
	else
		table = arena_alloc(b->arena, sizeof(*table));
	ARENA_PUSH(b->arena, table->members, table->member_count, first);
	return table;
}

struct fd_table *fd_table_of(struct model_builder *b, struct viz_process *process)
{
	if (!process->fds) {
		process->fds = fd_table_new(b, process);
		process->fd_member = 0;
	}
	return process->fds;
}

/* The process's index among the members, or member_count. */
static size_t member_index(const struct fd_table *table, const struct viz_process *process)
{
	size_t i = process->fd_member;

	if (i < table->member_count && table->members[i].process == process)
		return i;
	for (i = 0; i < table->member_count && table->members[i].process != process;)
		i++;
	return i;
}

static bool may_inherit(const struct model_builder *b)
{
	return b->inherited < INHERITED_MOST + b->reader->source.read / INHERITED_BYTES;
}

static void link_to_slot(struct fd_slot *slot, struct viz_holding *holding)
{
	holding->before_of_slot = NULL;
	holding->of_slot = slot->held;
	if (slot->held)
		slot->held->before_of_slot = holding;
	slot->held = holding;
}

static void unlink_from_slot(struct fd_slot *slot, struct viz_holding *holding)
{
	if (holding->of_slot)
		holding->of_slot->before_of_slot = holding->before_of_slot;
	if (holding->before_of_slot)
		holding->before_of_slot->of_slot = holding->of_slot;
	else
		slot->held = holding->of_slot;
	if (slot->marked == holding)
		slot->marked = holding->of_slot;
}

static void begin_holding(const struct fd_change *change, struct fd_slot *slot,
			  struct fd_member *member)
{
	struct viz_model *model = change->b->model;
	struct viz_holding *holding = arena_alloc(change->b->arena, sizeof(*holding));

	holding->process = member->process;
	holding->channel = slot->channel;
	holding->fd = slot->fd;
	holding->access = slot->access;
	holding->start = change->cause;
	holding->start_op = viz_operation_use(change->op);
	holding->since_ns = change->at_ns;
	holding->until_ns = VIZ_NEVER;
	link_to_slot(slot, holding);
	holding->of_member = member->held;
	member->held = holding;
	if (change->b->live) {
		slot->channel->holding_changes++;
		ARENA_PUSH(change->b->arena, slot->channel->holdings, slot->channel->holding_count,
			   holding);
	}
	if (build_collects(change->b))
		ARENA_PUSH(change->b->arena, model->holdings, model->holding_count, holding);
	else
		model->holding_count++;
}

/* As begin_holding(), if that many may be told of. */
static bool inherit_holding(const struct fd_change *change, struct fd_slot *slot,
			    struct fd_member *member)
{
	if (!may_inherit(change->b)) {
		change->b->model->descriptors_cut = true;
		return false;
	}
	change->b->inherited++;
	begin_holding(change, slot, member);
	return true;
}

static void fd_holding_end(const struct fd_change *change, struct viz_holding *holding)
{
	if (holding->until_ns != VIZ_NEVER)
		return;
	holding->channel->holding_changes++;
	holding->end = change->cause;
	holding->end_op = change->b->forgets_closes ? NULL : viz_operation_use(change->op);
	holding->began_ns = change->began_ns;
	if (change->op && viz_has(change->op, last))
		holding->parting = change->op->last ? PARTING_LAST : PARTING_OTHERS;
	if (!build_collects(change->b) && holding->start_op) {
		viz_operation_drop(holding->start_op);
		holding->start_op = NULL; /* its users have seen it */
	}
	holding->until_ns = change->at_ns;
	if (change->op && change->op->enter_ns >= holding->since_ns)
		holding->until_ns = change->op->enter_ns;
}

/* The member whose call it was holds it in any case: these are no more than the calls. */
static void begin_slot(const struct fd_change *change, struct fd_table *table, struct fd_slot *slot)
{
	size_t own = table->member_count, i = 0;

	if (change->cause != HOLDING_FORK)
		own = change->op ? member_index(table, change->op->process) : 0;
	for (; i < table->member_count; i++)
		if (i == own)
			begin_holding(change, slot, &table->members[i]);
		else if (!inherit_holding(change, slot, &table->members[i]))
			break;
	if (i < own && own < table->member_count)
		begin_holding(change, slot, &table->members[own]);
}

void fd_table_remove(const struct fd_change *change, struct fd_table *table, int32_t fd)
{
	const struct fd_slot *slot = fd_slots_find(&table->slots, fd);

	if (!slot)
		return;
	for (struct viz_holding *h = slot->held; h; h = h->of_slot)
		fd_holding_end(change, h);
	fd_slots_remove(&table->slots, fd);
}

void fd_table_insert(const struct fd_change *change, struct fd_table *table,
		     const struct viz_fd *fd)
{
	struct fd_slot *slot;

	if (fd->fd < 0) /* System V objects have no descriptor */
		return;
	slot = fd_slots_add(change->b->arena, &table->slots, fd->fd);
	slot->channel = fd->channel;
	slot->access = fd->access;
	begin_slot(change, table, slot);
}

void fd_table_set(const struct fd_change *change, struct fd_table *table, const struct viz_fd *fd)
{
	const struct fd_slot *slot = fd_slots_find(&table->slots, fd->fd);

	if (slot && slot->channel == fd->channel && slot->access == fd->access)
		return;
	fd_table_remove(change, table, fd->fd);
	fd_table_insert(change, table, fd);
}

void fd_table_last(const struct fd_table *table, int32_t fd)
{
	struct fd_slot *slot = fd_slots_find(&table->slots, fd);

	if (!slot)
		return;
	for (struct viz_holding *h = slot->held; h && h != slot->marked; h = h->of_slot)
		if (h->until_ns == VIZ_NEVER)
			h->parting = PARTING_LAST;
	slot->marked = slot->held;
}

void fd_table_copy(const struct fd_change *change, const struct fd_table *from, struct fd_table *to)
{
	const struct fd_slot *slot = fd_slots_from(&from->slots, 0);

	for (; slot; slot = fd_slots_from(&from->slots, (int64_t)slot->fd + 1)) {
		struct viz_fd fd = {slot->fd, slot->channel, slot->access, false};

		if (change->b->model->descriptors_cut)
			return;
		fd_table_insert(change, to, &fd);
	}
}

/* The new member holds from now on all that the others hold. */
void fd_table_join(const struct fd_change *change, struct fd_table *table,
		   struct viz_process *process)
{
	struct fd_member member = {.process = process};
	struct fd_slot *slot = fd_slots_from(&table->slots, 0);

	process->fds = table;
	process->fd_member = table->member_count;
	ARENA_PUSH(change->b->arena, table->members, table->member_count, member);
	for (; slot; slot = fd_slots_from(&table->slots, (int64_t)slot->fd + 1))
		if (!inherit_holding(change, slot, &table->members[process->fd_member]))
			return;
}

static bool is_member(const struct fd_table *table, const struct viz_process *process)
{
	return member_index(table, process) < table->member_count;
}

void fd_table_listed(const struct fd_change *change, const struct fd_line *line)
{
	struct model_builder *b = change->b;
	struct viz_process *process = line->process;
	bool numbered = line->first && line->table;
	struct fd_table *table = numbered ? map_get_uint(&b->fd_tables, line->table) : NULL;

	if (line->thread && line->thread->tid != process->pid)
		fd_thread_listed(b, line->thread,
				 table && is_member(table, process) ? table : NULL);
	else if (table && !process->fds)
		fd_table_join(change, table, process);
	if (!numbered)
		return;
	table = fd_table_used(b, process, line->thread);
	table->numbered = true;
	map_put_uint(b->arena, &b->fd_tables, line->table, table);
}

/* The last member moves to the removed one's index. */
static void remove_member(struct fd_table *table, size_t index)
{
	struct fd_member last = table->members[--table->member_count];

	table->members[index] = last;
	if (last.process->fds == table)
		last.process->fd_member = index;
}

/* Moves a holding to the table that its process has for itself. */
static void move_holding(struct model_builder *b, struct fd_table *from, struct fd_table *to,
			 struct viz_holding *holding)
{
	struct fd_slot *slot = fd_slots_find(&from->slots, holding->fd);

	if (slot) /* always true; for static analysis */
		unlink_from_slot(slot, holding);
	slot = fd_slots_add(b->arena, &to->slots, holding->fd);
	slot->channel = holding->channel;
	slot->access = holding->access;
	link_to_slot(slot, holding);
	holding->of_member = to->members->held;
	to->members->held = holding;
}

void fd_table_leave(struct model_builder *b, struct viz_process *process)
{
	struct fd_table *old = process->fds, *table;
	size_t index = member_index(old, process);
	struct viz_holding *holding = old->members[index].held, *next;

	process->fds = NULL;
	table = fd_table_of(b, process);
	for (; holding; holding = next) {
		next = holding->of_member;
		if (holding->until_ns == VIZ_NEVER)
			move_holding(b, old, table, holding);
	}
	remove_member(old, index);
}

void fd_table_lose(const struct fd_change *change, struct fd_table *table,
		   const struct viz_process *process)
{
	size_t index = member_index(table, process);

	if (index == table->member_count)
		return;
	for (struct viz_holding *h = table->members[index].held; h; h = h->of_member)
		fd_holding_end(change, h);
	remove_member(table, index);
}

/* Keeps a table that nobody uses any more for another process. */
static void put_aside(struct model_builder *b, struct fd_table *table)
{
	if (table->member_count || table->threads || table->numbered)
		return;
	fd_slots_clear(&table->slots);
	table->next_spare = b->spare_fd_tables;
	b->spare_fd_tables = table;
}

void fd_table_exit(const struct fd_change *change, struct viz_process *process)
{
	struct fd_table *table = fd_table_of(change->b, process);

	fd_table_lose(change, table, process);
	process->fds = NULL;
	put_aside(change->b, table);
}

bool viz_channel_held(const struct viz_channel *channel, const struct viz_process *process,
		      enum access access, uint64_t at_ns)
{
	for (size_t i = 0; i < channel->holding_count; i++) {
		const struct viz_holding *holding = channel->holdings[i];

		if (holding->since_ns > at_ns)
			return false;
		if (holding->process == process && (holding->access & access) &&
		    holding->until_ns > at_ns)
			return true;
	}
	return false;
}

struct fd_table *fd_table_used(struct model_builder *b, struct viz_process *process,
			       const struct viz_thread *thread)
{
	return thread && thread->fds ? thread->fds : fd_table_of(b, process);
}

void fd_thread_listed(struct model_builder *b, struct viz_thread *thread, struct fd_table *table)
{
	if (!thread->fds)
		fd_table_use(thread, table ? table : fd_table_new(b, thread->process));
}

void fd_table_use(struct viz_thread *thread, struct fd_table *table)
{
	thread->fds = table;
	table->threads++;
	thread->process->threads_apart++;
}

/* --- events that change tables; descriptors.c applies them --- */

struct fd_event *build_fd_event(struct model_builder *b, enum fd_event_kind kind, uint64_t at_ns,
				struct viz_process *process)
{
	struct fd_events *events = &b->fd_events;
	struct fd_event event = {.at_ns = at_ns, .kind = kind, .process = process};

	event.sequence = events->sequence++;
	LIST_PUSH(events, event);
	return &events->items[events->count - 1];
}
