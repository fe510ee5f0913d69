// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/scene/end_holders.h"

/*
 * The holders in order of since_ns are the leaves of a binary tree; each node has the latest
 * until_ns below it, so that those which have ended are passed over together.
 */
struct end_holders {
	const struct viz_holding **items;
	size_t count;
	uint64_t *latest; /* of node 1 to 2 * leaves - 1; the leaves are the last ones */
	size_t leaves;	  /* a power of two */
};

struct end_holders *end_holders_new(struct arena *arena, const struct viz_channel *channel,
				    enum access access)
{
	struct end_holders *holders = arena_array(arena, 1, sizeof(*holders));

	holders->items = arena_array(arena, channel->holding_count + 1, sizeof(*holders->items));
	for (size_t i = 0; i < channel->holding_count; i++)
		if (channel->holdings[i]->access & access)
			holders->items[holders->count++] = channel->holdings[i];
	for (holders->leaves = 1; holders->leaves < holders->count;)
		holders->leaves *= 2;
	holders->latest = arena_array(arena, 2 * holders->leaves, sizeof(*holders->latest));
	for (size_t i = 0; i < holders->count; i++)
		holders->latest[holders->leaves + i] = holders->items[i]->until_ns;
	for (size_t i = holders->leaves; --i > 0;) {
		uint64_t left = holders->latest[2 * i], right = holders->latest[2 * i + 1];

		holders->latest[i] = left > right ? left : right;
	}
	return holders;
}

/* The first leaf from `leaf` on that ends after at_ns; count: there is none. */
static size_t first_open(const struct end_holders *holders, uint64_t at_ns, size_t leaf)
{
	size_t node = holders->leaves + leaf;

	if (leaf >= holders->count)
		return holders->count;
	while (holders->latest[node] <= at_ns) {
		while (node &
		       1) /* it is a right child, or the root: all below its parent is done */
			node /= 2;
		if (!node)
			return holders->count;
		node++;
	}
	while (node < holders->leaves)
		node = 2 * node + (holders->latest[2 * node] <= at_ns);
	return node - holders->leaves;
}

const struct viz_holding *end_holders_at(const struct end_holders *holders, uint64_t at_ns,
					 size_t *next)
{
	size_t leaf = first_open(holders, at_ns, *next);

	*next = leaf + 1;
	if (leaf >= holders->count || holders->items[leaf]->since_ns > at_ns)
		return NULL;
	return holders->items[leaf];
}
