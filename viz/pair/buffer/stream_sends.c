// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The sends of a stream whose receives name them. The kernel cuts what is sent into buffers, whose
 * length depends on the socket (net/unix/af_unix.c, unix_stream_sendmsg). A chunk tells which
 * buffer of which message it is of, and the buffer's length, so the offset of a buffer is the sum
 * of the lengths of the buffers before it.
 */
#include "viz/pair/buffer/stream_sends.h"

#include <stdlib.h>

#include "viz/model/builder.h"

static struct viz_bytes id_key(const uint64_t *id)
{
	return (struct viz_bytes){(const char *)id, sizeof(*id)};
}

struct source *sources_find(const struct sources *sources, const struct viz_chunk *chunk)
{
	return map_get(&sources->by_id, id_key(&chunk->operation));
}

static struct range range_of(const struct flow_item *item)
{
	uint64_t end = item->local + item->amount;

	return (struct range){item->local, item->open ? operation_most_bytes(item->op) : end};
}

static int compare_ranges(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return (x->from > y->from) - (x->from < y->from);
}

/* Makes one source for each operation, of however many items it has in the flow. */
static void list_sends(struct sources *sources, const struct flow_side *sends)
{
	struct arena *arena = sources->context->round;

	sources->items = arena_array(arena, sends->count, sizeof(*sources->items));
	for (size_t i = 0; i < sends->count; i++) {
		const struct flow_item *item = &sends->items[i];
		struct source *source = map_get(&sources->by_id, id_key(&item->op->id));

		if (!source) {
			source = &sources->items[sources->count++];
			source->item = *item;
			map_put(arena, &sources->by_id, id_key(&item->op->id), source);
		}
		source->ambiguous |= item->ambiguous;
		source->item.urgent |= item->urgent;
		ARENA_PUSH(arena, source->left, source->left_count, range_of(item));
		if (item->hint.buffer.known)
			ARENA_PUSH(arena, source->hints, source->hint_count, item->hint.buffer);
	}
	for (size_t i = 0; i < sources->count; i++)
		qsort(sources->items[i].left, sources->items[i].left_count, sizeof(struct range),
		      compare_ranges);
}

static void note_buffer(const struct sources *sources, const struct viz_chunk *chunk)
{
	struct source *source = sources_find(sources, chunk);
	struct source_buffer buffer = {
		.message_at = chunk->from, .index = chunk->buffer, .bytes = chunk->buffer_bytes};
	const struct source_buffer *last;

	if (!source || !chunk->buffer_bytes)
		return;
	last = source->buffer_count ? &source->buffers[source->buffer_count - 1] : NULL;
	if (!last || last->message_at != buffer.message_at || last->index != buffer.index)
		ARENA_PUSH(sources->context->round, source->buffers, source->buffer_count, buffer);
}

static int compare_buffers(const void *a, const void *b)
{
	const struct source_buffer *x = a, *y = b;

	if (x->message_at != y->message_at)
		return x->message_at < y->message_at ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

static void sort_buffers(struct source *source)
{
	size_t kept = 0;

	if (source->buffer_count)
		qsort(source->buffers, source->buffer_count, sizeof(*source->buffers),
		      compare_buffers);
	for (size_t i = 0; i < source->buffer_count; i++)
		if (!kept || compare_buffers(&source->buffers[kept - 1], &source->buffers[i]) != 0)
			source->buffers[kept++] = source->buffers[i];
	source->buffer_count = kept;
}

/* Sets buffer->at if `known` is the same buffer or the one before it. False if it is neither. */
static bool place_by(const struct source_buffer *known, struct source_buffer *buffer)
{
	bool next = known->index + 1 == buffer->index;

	if (!known->known || known->message_at != buffer->message_at ||
	    (known->index != buffer->index && !next))
		return false;
	buffer->at = known->at + (next ? known->bytes : 0);
	return true;
}

/*
 * Sets buffer->at if the buffer is the first of its message, or follows one whose offset is known
 * from this round or an earlier one. False if not.
 */
static bool place_next(const struct source *source, const struct source_buffer *before,
		       struct source_buffer *buffer)
{
	if (buffer->index == 0) {
		buffer->at = buffer->message_at;
		return true;
	}
	if (before && place_by(before, buffer))
		return true;
	for (size_t i = 0; i < source->hint_count; i++)
		if (place_by(&source->hints[i], buffer))
			return true;
	return false;
}

/* True for a call of several sends: sendmmsg(2); sendfile(2) of more than a pipe has room for. */
static bool sends_several(const struct viz_operation *op)
{
	return op->role == ROLE_TRANSFER || operation_is_multiple(op);
}

/* The end of the message as an offset in the call's own bytes; 0 if it is not known. */
static uint64_t message_end(const struct source *source, size_t first, size_t next)
{
	const struct viz_operation *op = source->item.op;

	if (next < source->buffer_count)
		return source->buffers[next].message_at;
	if (source->item.open || operation_is_multiple(op) || source->buffers[first].message_at)
		return 0;
	return operation_stream_bytes(op);
}

/*
 * Finds the offsets of buffers [first, next) of one message if numbers are missing between them.
 * The tracer may have given a missing number to a buffer that was allocated for something else, as
 * in an interrupt. This is so if the named buffers add up to the whole message.
 */
static void place_all(struct source *source, size_t first, size_t next)
{
	uint64_t at = source->buffers[first].message_at, end = message_end(source, first, next);
	uint64_t sum = 0;

	for (size_t i = first; i < next; i++)
		sum += source->buffers[i].bytes;
	if (!end || at + sum != end)
		return;
	for (size_t i = first; i < next; at += source->buffers[i++].bytes) {
		source->buffers[i].at = at;
		source->buffers[i].known = true;
	}
}

/*
 * Finds the offsets of all buffers of a send. The buffers of a call that was found under way are
 * numbered from then on, so their offsets are known only if they add up to the whole message.
 */
static void place_buffers(struct source *source)
{
	bool found = viz_has(source->item.op, entered_before);

	sort_buffers(source);
	if (found && sends_several(source->item.op))
		return;
	for (size_t i = 0; i < source->buffer_count && !found; i++)
		source->buffers[i].known = place_next(source, i ? &source->buffers[i - 1] : NULL,
						      &source->buffers[i]);
	for (size_t i = 0, next; i < source->buffer_count; i = next) {
		bool known = source->buffers[i].known;

		for (next = i + 1;
		     next < source->buffer_count &&
		     source->buffers[next].message_at == source->buffers[i].message_at;
		     next++)
			known &= source->buffers[next].known;
		if (!known)
			place_all(source, i, next);
	}
}

void sources_list(struct pair_context *context, const struct flow *flow, struct sources *sources)
{
	const struct flow_side *receives = &flow->receives;

	sources->context = context;
	list_sends(sources, &flow->sends);
	for (size_t i = 0; i < receives->count; i++)
		for (size_t k = 0; k < receives->items[i].op->extra->chunk_count; k++)
			note_buffer(sources, &receives->items[i].op->extra->chunks[k]);
	for (size_t i = 0; i < sources->count; i++)
		place_buffers(&sources->items[i]);
}

/* --- traces whose chunks do not name the buffer --- */

/* A longer send may have been cut into several buffers: net/unix/af_unix.c. */
#define ONE_BUFFER_LEN 32768
#define BUFFER_LEN (ONE_BUFFER_LEN + 3776) /* with pages of 4 KiB: SKB_MAX_HEAD(0) is added */

/*
 * True if the send lies in one buffer, so that chunk->offset is the offset in the send. An urgent
 * byte has a buffer of its own, which may be the chunk's.
 */
static bool is_one_buffer(const struct flow_item *send, const struct viz_chunk *chunk)
{
	return send->op->returned <= ONE_BUFFER_LEN &&
	       (!send->urgent || chunk->offset || chunk->bytes > 1);
}

/* True if the chunk must be of the first buffer, because the send ends too early for another. */
static bool is_in_first(const struct flow_item *send, const struct viz_chunk *chunk)
{
	return !send->urgent && send->hint.inferred_at == 0 &&
	       ONE_BUFFER_LEN + chunk->offset + chunk->bytes > (uint64_t)send->op->returned;
}

/*
 * Infers the chunk's offset in the send, if the first unread byte is at offset `at`.
 * hint.inferred_at is the offset of the chunk's buffer in the send. hint.inferred_skips is set once
 * bytes between were taken by a receive that is not in the trace, or not yet.
 */
static uint64_t tentative_begin(struct flow_item *send, const struct viz_chunk *chunk, uint64_t at)
{
	if (chunk->offset == 0 && !send->hint.inferred_skips)
		send->hint.inferred_at = at; /* the next buffer */
	send->hint.inferred_skips |= chunk->offset != at - send->hint.inferred_at;
	if (is_one_buffer(send, chunk) && send->hint.inferred_skips)
		return chunk->offset;
	if (chunk->offset < at - send->hint.inferred_at)
		send->hint.inferred_at += at > send->hint.inferred_at + BUFFER_LEN
						  ? at - send->hint.inferred_at
						  : BUFFER_LEN;
	return send->hint.inferred_at + chunk->offset;
}

static bool tentative_offset(const struct sources *sources, struct source *source,
			     const struct viz_chunk *chunk, uint64_t *at)
{
	struct flow_item *send = &source->item;
	bool one = !send->open && !chunk->message && !operation_is_multiple(send->op);

	*at = tentative_begin(send, chunk,
			      source->left_count ? source->left[0].from : source->taken_to);
	return (one && (is_one_buffer(send, chunk) || is_in_first(send, chunk))) ||
	       (!sources->context->lost && !send->hint.inferred_skips);
}

/* --- offsets --- */

static const struct source_buffer *find_buffer(const struct source *source,
					       const struct viz_chunk *chunk)
{
	struct source_buffer key = {.message_at = chunk->from, .index = chunk->buffer};

	if (!source->buffer_count)
		return NULL;
	return bsearch(&key, source->buffers, source->buffer_count, sizeof(key), compare_buffers);
}

bool source_waits(const struct source *source, const struct viz_chunk *chunk)
{
	const struct source_buffer *buffer = find_buffer(source, chunk);

	return buffer && !buffer->known;
}

bool source_offset(const struct sources *sources, struct source *source,
		   const struct viz_chunk *chunk, uint64_t *at)
{
	const struct source_buffer *buffer = find_buffer(source, chunk);

	if (!buffer)
		return tentative_offset(sources, source, chunk, at);
	if (buffer->known) {
		*at = buffer->at + chunk->offset;
		return true;
	}
	*at = source->left_count ? source->left[0].from : source->taken_to;
	return false;
}

/* Cuts `range` out of `left`: sets the part before it and the part behind it; each may be empty. */
static void cut(struct range left, struct range range, struct range parts[2])
{
	parts[0] = (struct range){left.from, range.from < left.to ? range.from : left.to};
	parts[1] = (struct range){range.to > left.from ? range.to : left.from, left.to};
}

static uint64_t length(struct range range)
{
	return range.to > range.from ? range.to - range.from : 0;
}

static uint64_t total(const struct source *source)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < source->left_count; i++)
		sum += length(source->left[i]);
	return sum;
}

/*
 * If records are missing, lost receives may have read all that is before the range, so that only
 * bytes behind it stay unread.
 */
bool source_take(const struct sources *sources, struct source *source, struct range range)
{
	struct range *left = NULL, all = range;
	uint64_t before = total(source);
	size_t count = 0;

	if (sources->context->lost)
		all.from = 0;
	for (size_t i = 0; i < source->left_count; i++) {
		struct range parts[2];

		cut(source->left[i], all, parts);
		for (size_t k = 0; k < 2; k++)
			if (length(parts[k]))
				ARENA_PUSH(sources->context->round, left, count, parts[k]);
	}
	source->left = left;
	source->left_count = count;
	source->taken += length(range);
	source->taken_to = range.to;
	return before - total(source) >= length(range);
}

static void keep_later(struct source_buffer *kept, const struct source_buffer *buffer, uint64_t at)
{
	if (buffer->known && buffer->at <= at && (!kept->known || buffer->at >= kept->at))
		*kept = *buffer;
}

/*
 * The last known buffer that begins at or before `at`, an unread byte: the next round finds the
 * offsets of later buffers from it.
 */
static struct source_buffer buffer_before(const struct source *source, uint64_t at)
{
	struct source_buffer kept = {0};

	for (size_t i = 0; i < source->hint_count; i++)
		keep_later(&kept, &source->hints[i], at);
	for (size_t i = 0; i < source->buffer_count; i++)
		keep_later(&kept, &source->buffers[i], at);
	return kept;
}

/* The item of one unread range. Only the send's last byte can be urgent, so only the last range. */
static struct flow_item piece_of(const struct source *source, size_t index)
{
	struct flow_item item = source->item;

	item.local = source->taken_to;
	if (index < source->left_count) {
		item.local = source->left[index].from;
		item.bytes = item.amount = length(source->left[index]);
	}
	item.hint.buffer = buffer_before(source, item.local);
	item.ambiguous = source->ambiguous;
	item.urgent &= index + 1 == source->left_count;
	if (item.open)
		item.bytes = item.amount = 0;
	return item;
}

/* Adds the unread ranges of a send to the flow. An unfinished send stays, as one item. */
static void leave(const struct source *source, struct flow_side *sends)
{
	for (size_t i = 0; i < source->left_count || (source->item.open && i == 0); i++) {
		struct flow_item item = piece_of(source, i);

		pair_side_add(sends, &item);
		if (item.open)
			return;
	}
}

void sources_leave(const struct sources *sources, struct flow *flow)
{
	struct flow_side old = flow->sends;

	flow->sends = (struct flow_side){0};
	for (size_t i = 0; i < sources->count; i++)
		leave(&sources->items[i], &flow->sends);
	for (size_t i = 0; i < old.count; i++)
		if (old.items[i].open)
			viz_operation_drop(old.items[i].op);
		else
			pair_let_go(sources->context, old.items[i].op);
	flow_free(&old);
}
