// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Cells: each 8 bytes of a message say who sent it (16 bits), which of the sender's messages it is
 * (24) and which 8 bytes of it these are (24). A message's last cell may be cut.
 */
#include <string.h>

#include "tests/truthgen/gen.h"

void cells_fill(void *buf, size_t len, uint32_t actor, uint32_t message)
{
	uint8_t *p = buf;

	for (size_t at = 0; at < len; at += CELL_LEN) {
		uint64_t cell = (uint64_t)actor << 48 | (uint64_t)(message & 0xffffff) << 24 |
				at / CELL_LEN;

		memcpy(p + at, &cell, len - at < CELL_LEN ? len - at : CELL_LEN);
	}
}

bool cell_read(const void *buf, size_t len, struct record *part)
{
	uint64_t cell;

	if (len < CELL_LEN)
		return false;
	memcpy(&cell, buf, CELL_LEN);
	part->a = cell >> 48;
	part->b = cell >> 24 & 0xffffff;
	part->c = (cell & 0xffffff) * CELL_LEN;
	return true;
}

/* True where `next` goes on, in the same call, where `last` ends. */
static bool continues(const struct record *last, const struct record *next)
{
	return last->kind == RECORD_PART && last->flow == next->flow && last->a == next->a &&
	       last->b == next->b && last->c + last->e == next->c && last->d + last->e == next->d;
}

static void piece_record(struct actor *actor, struct cells *cells, const struct record *piece,
			 size_t call)
{
	struct record *last = &actor->records[actor->count - 1];

	if (cells->last_call == call && continues(last, piece))
		last->e += piece->e;
	else
		record_part(actor, piece);
	cells->last_call = call;
}

static void cell_end(struct actor *actor, struct cells *cells)
{
	struct record part = {0};
	size_t at = 0;

	cell_read(cells->data, CELL_LEN, &part);
	for (size_t i = 0; i < cells->piece_count; i++) {
		struct record piece = cells->pieces[i];
		size_t call = piece.a;

		piece.a = part.a;
		piece.b = part.b;
		piece.c = part.c + at;
		piece.flow = (uint32_t)(actor->calls - call);
		at += piece.e;
		piece_record(actor, cells, &piece, call);
	}
	cells->len = cells->piece_count = 0;
}

void cells_take(struct actor *actor, struct cells *cells, const void *buf, size_t len)
{
	const uint8_t *p = buf;

	for (size_t at = 0; at < len;) {
		size_t part_len = CELL_LEN - cells->len;

		if (part_len > len - at)
			part_len = len - at;
		memcpy(cells->data + cells->len, p + at, part_len);
		cells->pieces[cells->piece_count++] =
			(struct record){.a = actor->calls, .d = at, .e = part_len};
		cells->len += part_len;
		at += part_len;
		if (cells->len == CELL_LEN)
			cell_end(actor, cells);
	}
}
