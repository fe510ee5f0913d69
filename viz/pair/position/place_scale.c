// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The ways in which the next bytes can follow: in a stream of plain offsets, and in a pipe's slots.
 */
#include "viz/pair/position/placing.h"

static size_t linear_options(uint64_t at, const struct flow_item *item,
			     struct place_option options[PLACE_OPTIONS])
{
	options[0] = (struct place_option){.from = at, .after = at + item->amount};
	return 1;
}

/*
 * All bytes go into new slots, or those beyond whole pages into the last slot if they fit there:
 * pipe_write().
 */
static size_t pipe_options(uint64_t at, const struct flow_item *item,
			   struct place_option options[PLACE_OPTIONS])
{
	uint64_t len = item->amount, slot = at / SLOT_LEN, end = at % SLOT_LEN;
	uint64_t asked = item->op->requested > len ? item->op->requested : len;
	uint64_t part = asked % PAGE_LEN, pages = pipe_buffers_for(len);
	size_t count = 0;

	options[count++] = (struct place_option){.from = (slot + 1) * SLOT_LEN,
						 .after = (slot + pages) * SLOT_LEN + len -
							  (pages - 1) * PAGE_LEN};
	if (placing_begins_buffer(item) || !slot || !part || part > len || end + part > PAGE_LEN)
		return count;
	pages = pipe_buffers_for(len - part);
	options[count] = (struct place_option){
		.from = at, .after = at + part, .split = len > part ? part : 0};
	if (pages)
		options[count].after = (slot + pages) * SLOT_LEN + len - part -
				       (pages - 1) * PAGE_LEN;
	return count + 1;
}

const struct place_scale place_linear = {linear_options}, place_pipe = {pipe_options};
