// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Large writes that slept while their pipe was full: others wrote between their turns. What lay
 * between the ends of its turns is the write's own where it has just as many buffers as the write
 * filled, so each turn is a send with a place of its own (fs/pipe.c, pipe_write).
 */
#include "pair_turns.h"

static uint32_t buffers_of(const struct turn *turn)
{
	return turn->to - turn->from;
}

uint64_t turns_buffers(const struct turns *turns)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < turns->count; i++)
		sum += buffers_of(&turns->list[i]);
	return sum;
}

/*
 * How many buffers there were to fill until it got the lock, and how many the pipe has. If they may
 * have filled it, the write may have, and waited for nothing but the lock after that: its bytes are
 * before what it found there, and that turn is told by nobody.
 */
static uint32_t room_taken(const struct viz_operation *op)
{
	return op->at_lock.head - op->at_entry.tail;
}

static uint64_t room(const struct placing *p)
{
	return p->route->channel->capacity / PAGE_LEN;
}

/*
 * Where the last buffer ended that it found at its first turn; 0: others may have added to it, or
 * have written it behind the odd bytes, which alone filled the pipe.
 */
static uint64_t first_end(const struct placing *p, const struct viz_operation *op)
{
	uint32_t from = (uint32_t)op->turns[0];

	if (op->at_entry.head == from && (!op->at_lock.known || room_taken(op) >= room(p)))
		return op->at_entry.end;
	if (op->at_lock.known && op->at_lock.head == from && room_taken(op) <= room(p))
		return op->at_lock.end;
	return op->at_entry.head == from ? op->at_entry.end : 0;
}

/* How its bytes lie: `part` of them where there was room left, the rest in `slots` of their own. */
struct layout {
	uint64_t part, slots;
	bool sure; /* nobody else's buffer can be among them */
};

/*
 * The bytes beyond whole pages may have gone into the last buffer that was there. If not, they fill
 * one buffer more, which could be somebody else's instead, had they found room.
 */
static bool find_layout(const struct flow_item *item, const struct turns *turns,
			struct layout *layout)
{
	uint64_t asked = at_least(item->op->requested, item->amount);
	uint64_t part = asked % PAGE_LEN, slots = turns_buffers(turns);
	bool full = turns->end + part > PAGE_LEN;

	*layout = (struct layout){.slots = slots};
	if (part && !full && part <= item->amount && (item->amount - part) % PAGE_LEN == 0 &&
	    slots == (item->amount - part) / PAGE_LEN) {
		layout->part = part;
		layout->sure = true;
		return turns->end != 0;
	}
	layout->sure = !part || full;
	return slots == (item->amount + PAGE_LEN - 1) / PAGE_LEN;
}

/* The turn's share of what is left to lay; 0: it wrote nothing. */
static uint64_t turn_bytes(const struct turns *turns, const struct layout *layout, size_t turn,
			   uint64_t left)
{
	uint64_t bytes = buffers_of(&turns->list[turn]) * (uint64_t)PAGE_LEN;

	return at_most(bytes + (turn ? 0 : layout->part), left);
}

/* Only at its first turn does a write fill up a buffer that it found. */
static void set_window(struct flow_item *piece, const struct turns *turns,
		       const struct layout *layout, size_t turn)
{
	uint64_t from = turns->list[turn].from, slots = buffers_of(&turns->list[turn]);
	uint64_t own = piece->amount - (turn ? 0 : layout->part);

	piece->lo = from * SLOT_LEN + (turn ? PAGE_LEN : turns->end);
	piece->hi = own ? (from + slots) * SLOT_LEN + (own - 1) % PAGE_LEN + 1
			: piece->lo + piece->amount;
}

static void split(struct flow_side *sends, const struct turns *turns, const struct layout *layout)
{
	struct flow_item whole = sends->items[turns->index], piece = whole;
	bool first = true;

	piece.doubt |= turns->guess;

	for (size_t turn = 0; turn < turns->count; turn++) {
		uint64_t left = whole.amount - (piece.local - whole.local);

		piece.amount = piece.bytes = turn_bytes(turns, layout, turn, left);
		piece.turn = turn + 1;
		piece.held = layout->sure && !turns->guess;
		if (!piece.amount)
			continue;
		set_window(&piece, turns, layout, turn);
		if (first)
			sends->items[turns->index] = piece;
		else
			pair_side_add(sends, &piece);
		first = false;
		piece.local += piece.amount;
	}
}

static bool is_whole(const struct flow_item *item)
{
	return !item->placed && !item->turn && !item->used && !item->local &&
	       item->op->at_entry.known && item->op->at_exit.known;
}

static void add_turns(struct placing *p, struct turns *turns, const struct flow_item *item)
{
	const struct viz_operation *op = item->op;

	turns->told = op->turns_count >= 2;
	turns->end = turns->told ? first_end(p, op) : item->lo % SLOT_LEN;
	for (size_t i = 0; turns->told && i < op->turns_count / 2; i++) {
		struct turn turn = {(uint32_t)op->turns[2 * i], (uint32_t)op->turns[2 * i + 1]};

		if (i && (int32_t)(turn.from - turns->list[i - 1].to) < 0)
			turn.from = turns->list[i - 1].to; /* it ran on, and was asleep for us */
		ARENA_PUSH(p->context->round, turns->list, turns->count, turn);
	}
	if (!turns->told) {
		struct turn all = {(uint32_t)(item->lo / SLOT_LEN),
				   (uint32_t)(item->hi / SLOT_LEN)};

		ARENA_PUSH(p->context->round, turns->list, turns->count, all);
	}
}

/* Smaller ones stay together. */
static bool has_large(const struct flow_side *sends)
{
	for (size_t i = 0; i < sends->count; i++)
		if (sends->items[i].amount > PAGE_LEN && is_whole(&sends->items[i]))
			return true;
	return false;
}

static struct turns *list_turns(struct placing *p, size_t *count)
{
	struct flow_side *sends = &p->flow->sends;
	struct turns *list = NULL;

	*count = 0;
	for (size_t i = 0; i < sends->count; i++) {
		struct flow_item *item = &sends->items[i];
		struct turns turns = {.index = i};

		if (!is_whole(item) || !ruler_is_settled(p->flow, item))
			continue;
		ruler_window(p, item, true);
		add_turns(p, &turns, item);
		ARENA_PUSH(p->context->round, list, *count, turns);
	}
	return list;
}

void turns_split(struct placing *p)
{
	struct flow_side *sends = &p->flow->sends;
	struct turns *list;
	size_t count;

	if (p->scale != &place_pipe || !has_large(sends))
		return;
	list = list_turns(p, &count);
	turns_claim(p, list, count);
	for (size_t i = 0; i < count; i++) {
		struct layout layout;

		if ((list[i].told || list[i].count > 1) &&
		    find_layout(&sends->items[list[i].index], &list[i], &layout))
			split(sends, &list[i], &layout);
	}
}

/* Nobody came between these turns of one write. */
static bool goes_on(const struct flow_item *item, const struct flow_item *next)
{
	return item->op == next->op && next->turn > 1 && item->placed && next->placed &&
	       !item->used && !next->used && next->local == item->local + item->amount &&
	       next->from == (item->to / SLOT_LEN + 1) * SLOT_LEN;
}

static void join(struct flow_item *item, const struct flow_item *next)
{
	if (!item->split && item->from % SLOT_LEN)
		item->split = item->amount;
	item->amount += next->amount;
	item->bytes += next->bytes;
	item->to = next->to;
	item->hi = next->hi;
	item->doubt |= next->doubt;
}

void turns_join(struct placing *p)
{
	struct flow_side *sends = &p->flow->sends;
	size_t kept = 0, placed = p->sends;

	for (size_t i = 0; i < sends->count; i++) {
		if (i && i < placed && goes_on(&sends->items[kept - 1], &sends->items[i])) {
			join(&sends->items[kept - 1], &sends->items[i]);
			pair_let_go(p->context, sends->items[i].op);
			p->sends--;
		} else {
			sends->items[kept++] = sends->items[i];
		}
	}
	sends->count = kept;
}
