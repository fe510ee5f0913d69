// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What is sent: units of 8 bytes, each of which says which one it is: actor (22 bits), whether it
 * is of a sender's last message (1), message (12), place (16, in units) and a check of these (13).
 * So a receiver knows where units begin, whatever was cut.
 */
#include <string.h>

#include "tests/truthmatrix/matrix.h"

struct unit {
	uint32_t actor, message;
	size_t place; /* in bytes */
	bool last;
};

static uint64_t check_of(uint64_t value)
{
	value ^= value >> 31;
	value *= 0x9e3779b97f4a7c15;
	return value >> 51;
}

static uint64_t encode(const struct unit *unit)
{
	uint64_t value = (uint64_t)unit->actor << 29 | (uint64_t)unit->last << 28 |
			 (uint64_t)(unit->message & 0xfff) << 16 |
			 (unit->place / CELL_LEN & 0xffff);

	return value << 13 | check_of(value);
}

static bool decode(const uint8_t *p, struct unit *unit)
{
	uint64_t value, check;

	memcpy(&value, p, CELL_LEN);
	check = value & 0x1fff;
	value >>= 13;
	if (check != check_of(value) || value == 0)
		return false;
	*unit = (struct unit){.actor = (uint32_t)(value >> 29),
			      .last = value >> 28 & 1,
			      .message = value >> 16 & 0xfff,
			      .place = (value & 0xffff) * CELL_LEN};
	return true;
}

void content_fill(void *buf, size_t len, uint32_t actor, uint32_t message, size_t place, bool last)
{
	struct unit unit = {.actor = actor, .message = message, .place = place, .last = last};
	uint8_t *p = buf;

	for (size_t at = 0; at < len; at += CELL_LEN, unit.place += CELL_LEN) {
		uint64_t value = encode(&unit);

		memcpy(p + at, &value, len - at < CELL_LEN ? len - at : CELL_LEN);
	}
}

/* Joins it to the piece before where it goes on there. */
static void note(struct end *end, size_t call, const struct unit *unit, size_t skip, size_t at,
		 size_t len)
{
	struct actor *actor = &end->actor;
	struct record *last = &actor->records[actor->count - 1];
	struct record piece = {.flow = (uint32_t)call,
			       .a = unit->actor,
			       .b = unit->message,
			       .c = unit->place + skip,
			       .d = at,
			       .e = len};

	end->seen_actor = unit->actor;
	end->seen_message = unit->message;
	end->seen_place = unit->place;
	if (last->kind == RECORD_PART && last->flow == piece.flow && last->a == piece.a &&
	    last->b == piece.b && last->c + last->e == piece.c && last->d + last->e == piece.d)
		last->e += len;
	else
		record_part(actor, &piece);
}

/* Chance makes a unit of one in 8192 wrong places, but hardly two. */
static bool begins_here(const uint8_t *p, size_t len)
{
	struct unit unit;

	return len >= CELL_LEN && decode(p, &unit) &&
	       (len < 2 * CELL_LEN || decode(p + CELL_LEN, &unit));
}

/* The end of the unit that this actor's call before took the beginning of. */
static size_t join_tail(struct end *end, size_t call, size_t at, const uint8_t *p, size_t len,
			uint64_t base)
{
	size_t skip = end->tail_len, n = CELL_LEN - skip;
	uint8_t whole[CELL_LEN];
	struct unit unit;

	if (!skip || len < n)
		return 0;
	memcpy(whole, end->tail, skip);
	memcpy(whole + skip, p, n);
	if (!decode(whole, &unit))
		return 0;
	note(end, end->tail_call, &unit, 0, end->tail_place, skip);
	note(end, call, &unit, skip, base | at, n);
	end->ends += unit.last && unit.place == 0;
	return n;
}

/* The same where another actor took the beginning: the next unit tells. */
static size_t note_head(struct end *end, size_t call, size_t at, const uint8_t *p, size_t len,
			uint64_t base)
{
	struct unit unit;

	for (size_t n = 1; n < CELL_LEN && n < len; n++) {
		if (!begins_here(p + n, len - n) || !decode(p + n, &unit) || !unit.place)
			continue;
		unit.place -= CELL_LEN;
		note(end, call, &unit, CELL_LEN - n, base | at, n);
		return n;
	}
	return 0;
}

static void keep_tail(struct end *end, size_t call, uint64_t at, const uint8_t *p, size_t len)
{
	memcpy(end->tail, p, len);
	end->tail_len = len;
	end->tail_call = (uint32_t)call;
	end->tail_place = (uint32_t)at;
}

void content_note(struct end *end, size_t call, uint32_t index, size_t from, const void *buf,
		  size_t len)
{
	uint64_t base = (uint64_t)index << 32;
	const uint8_t *p = buf;
	struct unit unit;
	size_t at = 0;

	if (!len)
		return;
	at = join_tail(end, call, from, p, len, base);
	if (!at && !begins_here(p, len))
		at = note_head(end, call, from, p, len, base);
	end->tail_len = 0;
	while (len - at >= CELL_LEN) {
		if (!decode(p + at, &unit))
			gen_die("bytes that nobody sent");
		note(end, call, &unit, 0, base | (from + at), CELL_LEN);
		end->ends += unit.last && unit.place == 0;
		at += CELL_LEN;
	}
	if (len > at)
		keep_tail(end, call, from + at, p + at, len - at);
}

/* The beginning of a unit that nobody took the end of: the next one of the same message, if any. */
void content_end(struct end *end)
{
	struct unit next = {end->seen_actor, end->seen_message, end->seen_place + CELL_LEN, false};
	uint64_t value = encode(&next);

	if (end->tail_len && memcmp(&value, end->tail, end->tail_len) == 0)
		note(end, end->tail_call, &next, 0, end->tail_place, end->tail_len);
	end->tail_len = 0;
}
