// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Places of bytes that were spliced into a pipe. A transfer adds all of them at once, under the
 * pipe's lock, in buffers of their own behind those already there. The number of buffers, and where
 * each begins and ends in its page, depends on the source; it is inferred from where other calls
 * saw the pipe stand.
 */
#include "viz/pair/position/spliced.h"

#include <stdlib.h>

#include "viz/pair/position/placing.h"

bool spliced_is(const struct flow_item *item)
{
	const struct viz_operation *op = item->op;

	return op->role == ROLE_TRANSFER ||
	       (op->role == ROLE_SEND && viz_bytes_equal(op->syscall, viz_bytes_of("vmsplice")));
}

/*
 * True if a file is the source: its bytes lie in buffers as they do in the file, page after page.
 */
static bool is_of_file(const struct viz_operation *op)
{
	return op->role == ROLE_TRANSFER &&
	       (!op->channel || op->channel->mechanism == MECH_SHARED_MMAP);
}

bool spliced_at_once(const struct flow_item *item)
{
	return spliced_is(item) && !is_of_file(item->op);
}

/*
 * The maximum length of one buffer. A buffer from a socket is as long as it was there
 * (net/core/skbuff.c, __skb_splice_bits), and keeps its length when it is moved to another pipe.
 */
static uint64_t buffer_most(const struct viz_operation *op)
{
	return op->role == ROLE_TRANSFER && op->channel &&
			       (channel_is_socket(op->channel) || op->channel->large_buffers)
		       ? SLOT_LEN - 1
		       : PAGE_LEN;
}

static uint64_t slots_least(const struct flow_item *item)
{
	uint64_t most = buffer_most(item->op);

	return (item->amount + most - 1) / most;
}

bool spliced_is_large(const struct flow_item *item)
{
	return item->op->role == ROLE_TRANSFER && item->op->channel &&
	       item->op->channel->large_buffers;
}

uint64_t spliced_least(uint64_t at, const struct flow_item *item)
{
	return (at / SLOT_LEN + slots_least(item)) * SLOT_LEN + 1;
}

/*
 * True if its buffers were moved whole from another pipe: writes to this pipe may be merged into
 * the last one.
 */
static bool may_be_merged(const struct viz_operation *op)
{
	return op->role == ROLE_TRANSFER && op->channel &&
	       (op->channel->mechanism == MECH_PIPE || op->channel->mechanism == MECH_FIFO);
}

/*
 * Derives where the first buffer begins in its page from where the last one ends; false if it
 * cannot be derived.
 */
static bool find_offset(const struct flow_item *item, uint64_t slots, uint64_t end,
			uint64_t *offset)
{
	uint64_t last = (slots - 1) * PAGE_LEN + end;

	if (end > buffer_most(item->op) || last < item->amount ||
	    (slots > 1 && !is_of_file(item->op)))
		return false;
	*offset = last - item->amount;
	return *offset < buffer_most(item->op);
}

struct place_option spliced_between(uint64_t at, uint64_t to, const struct flow_item *item)
{
	uint64_t slots = to / SLOT_LEN - at / SLOT_LEN, offset;
	struct place_option option = {.from = (at / SLOT_LEN + 1) * SLOT_LEN, .after = to};

	option.ragged = !find_offset(item, slots, to % SLOT_LEN, &offset);
	if (option.ragged)
		return option;
	option.from += offset;
	if (slots > 1 && offset)
		option.split = PAGE_LEN - offset;
	return option;
}

static int compare_places(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static uint64_t part_of(const struct flow_item *item)
{
	return spliced_is(item) ? 0 : at_least(item->op->requested, item->amount) % PAGE_LEN;
}

/*
 * Adds a place that a call saw. The begin of a window is not added: it may have been narrowed to a
 * place that no call saw.
 */
static void add_seen(const struct placing *p, struct spliced_marks *marks,
		     const struct viz_position *position)
{
	if (position->known)
		ARENA_PUSH(p->context->round, marks->places, marks->count,
			   place_written_to(p, position));
}

struct spliced_marks spliced_marks_of(const struct placing *p, struct flow_item **items,
				      size_t count)
{
	struct arena *arena = p->context->round;
	struct spliced_marks marks = {0};
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		add_seen(p, &marks, operation_pipe_entry(items[i]->op, true));
		add_seen(p, &marks, operation_pipe_lock(items[i]->op, true));
		ARENA_PUSH(arena, marks.places, marks.count, items[i]->place.window.hi);
		if (part_of(items[i]))
			ARENA_PUSH(arena, marks.parts, marks.part_count, part_of(items[i]));
	}
	if (marks.count)
		qsort(marks.places, marks.count, sizeof(*marks.places), compare_places);
	for (size_t i = 0; i < marks.count; i++)
		if (!kept || marks.places[i] != marks.places[kept - 1])
			marks.places[kept++] = marks.places[i];
	marks.count = kept;
	return marks;
}

struct options {
	const struct flow_item *item;
	uint64_t at;
	struct place_option *list;
	size_t count;
};

static void add_option(struct options *options, uint64_t to)
{
	for (size_t i = 0; i < options->count && i < SPLICED_OPTIONS; i++)
		if (options->list[i].after == to)
			return;
	if (options->count < SPLICED_OPTIONS)
		options->list[options->count] = spliced_between(options->at, to, options->item);
	options->count += options->count <= SPLICED_OPTIONS;
}

/*
 * Adds the ends that the item may have had before writes were merged into its last buffer, where no
 * call looked in between.
 */
static void add_merged(struct options *options, const struct spliced_marks *marks, uint64_t mark)
{
	uint64_t slot = mark / SLOT_LEN * SLOT_LEN, end = mark % SLOT_LEN;

	if (options->item->amount < end)
		add_option(options, slot + options->item->amount);
	for (size_t i = 0; i < marks->part_count; i++)
		if (marks->parts[i] < end)
			add_option(options, mark - marks->parts[i]);
}

/*
 * Adds the options for which `slot` is the last buffer. A call that saw the pipe end in this slot
 * saw the item's end, unless a write had been merged into the buffer.
 */
static void add_slot(struct options *options, const struct spliced_marks *marks, uint64_t slot)
{
	size_t seen = 0, first = 0;

	for (size_t i = 0; i < marks->count; i++) {
		if (marks->places[i] / SLOT_LEN != slot)
			continue;
		first = seen++ ? first : i;
	}
	if (!seen) {
		add_option(options, slot * SLOT_LEN + SPLICED_UNKNOWN);
		return;
	}
	if (!may_be_merged(options->item->op)) {
		if (seen == 1)
			add_option(options, marks->places[first]);
		return;
	}
	for (size_t i = 0; i < seen; i++)
		add_option(options, marks->places[first + i]);
	add_merged(options, marks, marks->places[first]);
}

size_t spliced_options(const struct spliced_marks *marks, uint64_t at, const struct flow_item *item,
		       struct place_option list[SPLICED_OPTIONS])
{
	struct options options = {.item = item, .at = at, .list = list};
	uint64_t first = at / SLOT_LEN + slots_least(item), last = item->place.window.hi / SLOT_LEN;

	last = at_most(last, at / SLOT_LEN + item->amount);
	if (is_of_file(item->op))
		last = at_most(last, first + 1);
	for (uint64_t slot = first; slot <= last && options.count <= SPLICED_OPTIONS; slot++)
		add_slot(&options, marks, slot);
	return options.count;
}

uint64_t spliced_before(const struct flow_item *item, uint64_t place, bool most)
{
	if (place >= item->place.to)
		return item->amount;
	return place > item->place.from && most ? item->amount : 0;
}
