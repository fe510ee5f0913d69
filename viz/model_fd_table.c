// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "model_fd_table.h"

#define HOLDINGS_MAX 4000000 /* a hostile trace forks huge tables; nobody else comes near */

struct fd_table *fd_table_new(struct model_builder *b, struct viz_process *member)
{
	struct fd_table *table = arena_alloc(b->arena, sizeof(*table));

	ARENA_PUSH(b->arena, table->members, table->member_count, member);
	return table;
}

struct fd_table *fd_table_of(struct model_builder *b, struct viz_process *process)
{
	if (!process->fds)
		process->fds = fd_table_new(b, process);
	return process->fds;
}

/* Where fd is, or would be. */
static size_t slot_place(const struct fd_table *table, int32_t fd)
{
	size_t low = 0, high = table->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (table->slots[middle].fd < fd)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct fd_slot *fd_table_find(const struct fd_table *table, int32_t fd)
{
	size_t place = slot_place(table, fd);

	return place < table->count && table->slots[place].fd == fd ? &table->slots[place] : NULL;
}

static struct viz_holding *begin_holding(const struct fd_change *change, const struct fd_slot *slot,
					 struct viz_process *process)
{
	struct viz_model *model = change->b->model;
	struct viz_holding *holding;

	if (model->holding_count >= HOLDINGS_MAX) {
		model->descriptors_cut = true;
		return NULL;
	}
	holding = arena_alloc(change->b->arena, sizeof(*holding));
	holding->process = process;
	holding->channel = slot->channel;
	holding->fd = slot->fd;
	holding->access = slot->access;
	holding->start = change->cause;
	holding->start_op = viz_operation_use(change->op);
	holding->since_ns = change->at_ns;
	holding->until_ns = VIZ_NEVER;
	if (change->b->live) {
		model->holding_count++;
		slot->channel->holding_changes++;
		ARENA_PUSH(change->b->arena, slot->channel->holdings, slot->channel->holding_count,
			   holding);
	} else {
		ARENA_PUSH(change->b->arena, model->holdings, model->holding_count, holding);
	}
	return holding;
}

static void fd_holding_end(const struct fd_change *change, struct viz_holding *holding)
{
	if (!holding || holding->until_ns != VIZ_NEVER)
		return;
	holding->channel->holding_changes++;
	holding->end = change->cause;
	holding->end_op = viz_operation_use(change->op);
	if (holding->start_op && holding->start_op->memory) {
		viz_operation_drop(holding->start_op);
		holding->start_op = NULL; /* whoever wanted it has seen it */
	}
	holding->until_ns = change->at_ns;
	if (change->op && change->op->enter_ns >= holding->since_ns)
		holding->until_ns = change->op->enter_ns;
}

static void end_slot(const struct fd_change *change, const struct fd_table *table,
		     const struct fd_slot *slot)
{
	for (size_t i = 0; i < table->member_count; i++)
		fd_holding_end(change, slot->holdings[i]);
}

static void begin_slot(const struct fd_change *change, const struct fd_table *table,
		       struct fd_slot *slot)
{
	slot->holdings = arena_array(change->b->arena, table->member_count,
				     sizeof(*slot->holdings));
	for (size_t i = 0; i < table->member_count; i++)
		slot->holdings[i] = begin_holding(change, slot, table->members[i]);
}

void fd_table_remove(const struct fd_change *change, struct fd_table *table, int32_t fd)
{
	struct fd_slot *slot = fd_table_find(table, fd);
	size_t behind;

	if (!slot)
		return;
	end_slot(change, table, slot);
	behind = table->count - (size_t)(slot - table->slots) - 1;
	memmove(slot, slot + 1, behind * sizeof(*slot));
	table->count--;
}

void fd_table_insert(const struct fd_change *change, struct fd_table *table,
		     const struct viz_fd *fd)
{
	size_t place = slot_place(table, fd->fd);
	struct fd_slot *slots;

	if (fd->fd < 0) /* System V objects have none */
		return;
	if (table->count == table->capacity) {
		table->capacity = table->capacity ? table->capacity * 2 : 8;
		slots = arena_array(change->b->arena, table->capacity, sizeof(*slots));
		if (table->count)
			memcpy(slots, table->slots, table->count * sizeof(*slots));
		table->slots = slots;
	}
	memmove(table->slots + place + 1, table->slots + place,
		(table->count - place) * sizeof(*table->slots));
	table->slots[place] =
		(struct fd_slot){.fd = fd->fd, .channel = fd->channel, .access = fd->access};
	table->count++;
	begin_slot(change, table, &table->slots[place]);
}

void fd_table_set(const struct fd_change *change, struct fd_table *table, const struct viz_fd *fd)
{
	const struct fd_slot *slot = fd_table_find(table, fd->fd);

	if (slot && slot->channel == fd->channel && slot->access == fd->access)
		return;
	fd_table_remove(change, table, fd->fd);
	fd_table_insert(change, table, fd);
}

void fd_table_copy(const struct fd_change *change, const struct fd_table *from, struct fd_table *to)
{
	for (size_t i = 0; i < from->count; i++) {
		const struct fd_slot *slot = &from->slots[i];
		struct viz_fd fd = {slot->fd, slot->channel, slot->access};

		if (change->b->model->descriptors_cut)
			return;
		fd_table_insert(change, to, &fd);
	}
}

/* A new member holds at once what the others hold. */
void fd_table_join(const struct fd_change *change, struct fd_table *table,
		   struct viz_process *process)
{
	ARENA_PUSH(change->b->arena, table->members, table->member_count, process);
	process->fds = table;
	for (size_t i = 0; i < table->count; i++) {
		struct fd_slot *slot = &table->slots[i];
		struct viz_holding **holdings = slot->holdings;

		slot->holdings = arena_array(change->b->arena, table->member_count,
					     sizeof(*slot->holdings));
		memcpy(slot->holdings, holdings, (table->member_count - 1) * sizeof(*holdings));
		slot->holdings[table->member_count - 1] = begin_holding(change, slot, process);
	}
}

static size_t fd_table_member(const struct fd_table *table, const struct viz_process *process)
{
	size_t i = 0;

	while (i + 1 < table->member_count && table->members[i] != process)
		i++;
	return i;
}

static bool is_member(const struct fd_table *table, const struct viz_process *process)
{
	return table->member_count > 0 &&
	       table->members[fd_table_member(table, process)] == process;
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
	if (numbered)
		map_put_uint(b->arena, &b->fd_tables, line->table,
			     fd_table_used(b, process, line->thread));
}

/* The last member takes its place. */
static void remove_member(struct fd_table *table, size_t place)
{
	size_t last = --table->member_count;

	table->members[place] = table->members[last];
	for (size_t i = 0; i < table->count; i++)
		table->slots[i].holdings[place] = table->slots[i].holdings[last];
}

void fd_table_leave(struct model_builder *b, struct viz_process *process, bool keep)
{
	struct fd_table *old = process->fds;
	size_t place = fd_table_member(old, process);
	struct fd_table *table;

	process->fds = NULL;
	table = fd_table_of(b, process);
	table->slots = arena_array(b->arena, old->count ? old->count : 1, sizeof(*table->slots));
	table->capacity = old->count;
	for (size_t i = 0; i < old->count; i++) {
		table->slots[i] = old->slots[i];
		table->slots[i].holdings = arena_alloc(b->arena, sizeof(*old->slots[i].holdings));
		table->slots[i].holdings[0] = old->slots[i].holdings[place];
	}
	table->count = keep ? old->count : 0;
	remove_member(old, place);
}

void fd_table_lose(const struct fd_change *change, struct fd_table *table,
		   const struct viz_process *process)
{
	size_t place = fd_table_member(table, process);

	for (size_t i = 0; i < table->count; i++)
		fd_holding_end(change, table->slots[i].holdings[place]);
	remove_member(table, place);
}

void fd_table_exit(const struct fd_change *change, struct viz_process *process)
{
	fd_table_lose(change, fd_table_of(change->b, process), process);
	process->fds = NULL;
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
