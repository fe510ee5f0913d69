// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Large writes that slept while their pipe was full: others wrote between their turns. What lay
 * between the ends of its turns is the write's own where it has just as many buffers as the write
 * filled, so each turn is a send with a place of its own (fs/pipe.c, pipe_write).
 */
#include "pair_turns.h"

static uint32_t turn_from(const struct viz_operation *op, size_t turn)
{
	return (uint32_t)op->turns[2 * turn];
}

static uint32_t turn_slots(const struct viz_operation *op, size_t turn)
{
	return (uint32_t)op->turns[2 * turn + 1] - turn_from(op, turn);
}

static uint64_t all_slots(const struct viz_operation *op)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < op->turns_count / 2; i++)
		sum += turn_slots(op, i);
	return sum;
}

/* Where the last buffer ended that it found at its first turn; 0: others may have added to it. */
static uint64_t first_end(const struct viz_operation *op)
{
	if (op->at_lock.known && op->at_lock.head == turn_from(op, 0))
		return op->at_lock.end;
	return op->at_entry.head == turn_from(op, 0) ? op->at_entry.end : 0;
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
static bool find_layout(const struct flow_item *item, struct layout *layout)
{
	const struct viz_operation *op = item->op;
	uint64_t asked = op->requested > item->amount ? op->requested : item->amount;
	uint64_t part = asked % PAGE_LEN, slots = all_slots(op);

	*layout = (struct layout){.slots = slots};
	if (part && part <= item->amount && (item->amount - part) % PAGE_LEN == 0 &&
	    slots == (item->amount - part) / PAGE_LEN) {
		layout->part = part;
		layout->sure = true;
		return first_end(op) != 0;
	}
	layout->sure = !part || first_end(op) + part > PAGE_LEN;
	return slots == (item->amount + PAGE_LEN - 1) / PAGE_LEN;
}

/* The turn's share of what is left to lay; 0: it wrote nothing. */
static uint64_t turn_bytes(const struct viz_operation *op, const struct layout *layout, size_t turn,
			   uint64_t left)
{
	uint64_t bytes = turn_slots(op, turn) * (uint64_t)PAGE_LEN + (turn ? 0 : layout->part);

	return at_most(bytes, left);
}

/* Only at its first turn does a write fill up a buffer that it found. */
static void set_window(struct flow_item *piece, const struct layout *layout, size_t turn)
{
	const struct viz_operation *op = piece->op;
	uint64_t from = turn_from(op, turn), slots = turn_slots(op, turn);
	uint64_t own = piece->amount - (turn ? 0 : layout->part);

	piece->lo = from * SLOT_LEN + (turn ? PAGE_LEN : first_end(op));
	piece->hi = own ? (from + slots) * SLOT_LEN + (own - 1) % PAGE_LEN + 1
			: piece->lo + piece->amount;
}

static void split(struct flow_side *sends, size_t index, const struct layout *layout)
{
	struct flow_item whole = sends->items[index], piece = whole;
	bool first = true;

	for (size_t turn = 0; turn < whole.op->turns_count / 2; turn++) {
		uint64_t left = whole.amount - (piece.local - whole.local);

		piece.amount = piece.bytes = turn_bytes(whole.op, layout, turn, left);
		piece.turn = turn + 1;
		piece.held = layout->sure;
		if (!piece.amount)
			continue;
		set_window(&piece, layout, turn);
		if (first)
			sends->items[index] = piece;
		else
			pair_side_add(sends, &piece);
		first = false;
		piece.local += piece.amount;
	}
}

static bool is_whole(const struct flow_item *item)
{
	return !item->placed && !item->turn && !item->used && !item->local &&
	       item->op->turns_count >= 2 && item->op->at_entry.known;
}

void turns_split(struct placing *p)
{
	struct flow_side *sends = &p->flow->sends;
	size_t count = p->scale == &place_pipe ? sends->count : 0;

	for (size_t i = 0; i < count; i++) {
		struct layout layout;

		if (is_whole(&sends->items[i]) && ruler_is_settled(p->flow, &sends->items[i]) &&
		    find_layout(&sends->items[i], &layout))
			split(sends, i, &layout);
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
