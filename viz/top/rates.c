// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/top/output.h"

double top_per_second(uint64_t count, const struct top_interval *interval)
{
	uint64_t ns = interval->to_ns - interval->from_ns;

	return ns ? (double)count * 1e9 / (double)ns : 0;
}

double top_asleep_share(const struct top_counts *sum, const struct top_side *side,
			const struct top_interval *interval)
{
	double share = top_per_second(sum->asleep_ns, interval) / 1e9;

	if (!side->count)
		return -1;
	share /= (double)side->count;
	return share > 1 ? 1 : share;
}

struct top_left_out top_left_out(const struct top_pairs *pairs, const struct top_interval *interval)
{
	struct top_left_out left = {.shown = pairs->count};

	if (interval->pairs_most && left.shown > interval->pairs_most)
		left.shown = interval->pairs_most;
	left.pairs = pairs->count - left.shown;
	for (size_t i = left.shown; i < pairs->count; i++) {
		left.messages += top_moved(&pairs->items[i])->messages;
		left.bytes += top_moved(&pairs->items[i])->bytes;
	}
	return left;
}
