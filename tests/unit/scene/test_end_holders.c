// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Who had an end of a channel: the same as a walk through all that ever had it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "viz/scene/end_holders.h"

enum { MOST = 40, TIMES = 60 };

static uint32_t drawn = 1;

static uint32_t draw(uint32_t below)
{
	drawn = drawn * 1103515245 + 12345;
	return (drawn >> 8) % below;
}

/* Holders of random times; some never end. */
static size_t fill(struct viz_holding *holdings, struct viz_holding **list)
{
	size_t count = draw(MOST);
	uint64_t since_ns = 0;

	for (size_t i = 0; i < count; i++) {
		since_ns += draw(3);
		holdings[i] = (struct viz_holding){.access = 1 + draw(3),
						   .since_ns = since_ns,
						   .until_ns = since_ns + draw(20)};
		if (!draw(6))
			holdings[i].until_ns = VIZ_NEVER;
		list[i] = &holdings[i];
	}
	return count;
}

static void check(const struct end_holders *holders, const struct viz_channel *channel,
		  enum access access, uint64_t at_ns)
{
	size_t next = 0;

	for (size_t i = 0; i < channel->holding_count; i++) {
		const struct viz_holding *h = channel->holdings[i];

		if ((h->access & access) && h->since_ns <= at_ns && h->until_ns > at_ns)
			assert_ptr_equal(end_holders_at(holders, at_ns, &next), h);
	}
	assert_null(end_holders_at(holders, at_ns, &next));
}

static void as_a_walk_finds(void **state)
{
	struct viz_holding holdings[MOST], *list[MOST];

	(void)state;
	for (int round = 0; round < 200; round++) {
		struct arena *arena = arena_new();
		struct viz_channel channel = {.holdings = list};

		channel.holding_count = fill(holdings, list);
		for (enum access access = ACCESS_READ; access <= ACCESS_WRITE; access++) {
			const struct end_holders *holders = end_holders_new(arena, &channel,
									    access);

			for (uint64_t at_ns = 0; at_ns < TIMES; at_ns++)
				check(holders, &channel, access, at_ns);
		}
		arena_free(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(as_a_walk_finds)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
