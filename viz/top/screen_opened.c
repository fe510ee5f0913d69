// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The pair that was opened: it is found again in each interval, and its counts are summed. */
#include <string.h>

#include "viz/top/screen_state.h"

static void trace_add(struct top_trace *trace, const struct top_side *side)
{
	for (size_t i = 0; i < side->count && trace->count < TOP_TRACED_MOST; i++) {
		bool known = false;

		for (size_t k = 0; k < trace->count; k++)
			known |= trace->pids[k] == side->members[i].pid;
		if (!known)
			trace->pids[trace->count++] = side->members[i].pid;
	}
}

static void sums_add(struct top_screen *screen, const struct screen_row *row)
{
	struct screen_opened *opened = &screen->opened;

	opened->row = row;
	opened->counted_ns += screen->interval.to_ns - screen->interval.from_ns;
	if (!row)
		return;
	top_counts_add(&opened->sent, &row->pair->sent);
	top_counts_add(&opened->received, &row->pair->received);
}

void screen_opened_set(struct top_screen *screen, const struct screen_row *row)
{
	struct screen_opened *opened = &screen->opened;

	memset(opened, 0, sizeof(*opened));
	opened->key = row->key;
	opened->mechanism = row->pair->mechanism;
	memcpy(opened->from, row->from, sizeof(opened->from));
	memcpy(opened->to, row->to, sizeof(opened->to));
	snprintf(opened->channel, sizeof(opened->channel), "%s", row->pair->channel);
	trace_add(&opened->trace, &row->pair->from);
	trace_add(&opened->trace, &row->pair->to);
	sums_add(screen, row);
}

static bool has_channel(const struct screen_row *row, const struct screen_opened *opened)
{
	const struct top_channel *channel = row->pair->first;

	if (row->pair->mechanism != opened->mechanism)
		return false;
	while (channel && strcmp(channel->name, opened->channel) != 0)
		channel = channel->next;
	return channel;
}

/* By its parties; where others of a group were active this time, by its channel. */
static const struct screen_row *opened_find(const struct top_screen *screen)
{
	for (size_t i = 0; i < screen->made_count; i++)
		if (screen->all[i].key == screen->opened.key)
			return &screen->all[i];
	for (size_t i = 0; i < screen->made_count; i++)
		if (has_channel(&screen->all[i], &screen->opened))
			return &screen->all[i];
	return NULL;
}

void screen_opened_add(struct top_screen *screen)
{
	sums_add(screen, opened_find(screen));
}
