// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What messages between two machines tell of their clocks, and how sure that is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/between.h"
#include "viz/merge/clock_bounds.h"

#define SECOND UINT64_C(1000000000)
#define TALKS 200
#define LEAST_NS 20000 /* what a message takes at least */

/* The time of the other clock: it began 3 s earlier and gains `ppm` millionths. */
static uint64_t other(uint64_t base_ns, int64_t ppm)
{
	int64_t since = (int64_t)(base_ns - 10 * SECOND);

	return base_ns + 3 * SECOND + (uint64_t)(since * ppm / 1000000);
}

/* So long a message is on its way: now and then not much more than it must be. */
static uint64_t delay(unsigned i)
{
	return LEAST_NS + i * 7919 % 31 * 9000;
}

static struct clock_bounds talk(uint64_t run_ns, int64_t ppm)
{
	struct clock_bounds bounds = {.from_ns = other(10 * SECOND, ppm),
				      .to_ns = other(10 * SECOND + run_ns, ppm)};

	for (unsigned i = 0; i < TALKS; i++) {
		uint64_t at = 10 * SECOND + run_ns / TALKS * i;

		clock_bounds_least(&bounds, at, other(at + delay(i), ppm));
		clock_bounds_most(&bounds, other(at, ppm), at + delay(i + 5));
	}
	return bounds;
}

static void check(uint64_t run_ns, int64_t ppm, uint64_t most_ns)
{
	struct clock_bounds bounds = talk(run_ns, ppm);
	uint64_t uncertainty;
	struct clock_line line = clock_bounds_fit(&bounds, &uncertainty);

	for (unsigned i = 0; i <= 10; i++) {
		uint64_t at = 10 * SECOND + run_ns / 10 * i;
		int64_t wrong = clock_line_shift(&line, (int64_t)other(at, ppm)) - (int64_t)at;

		assert_between(wrong < 0 ? -wrong : wrong, 0, uncertainty);
	}
	assert_between(uncertainty, 1, most_ns);
}

static void is_found_within_what_is_told(void **state)
{
	(void)state;
	check(SECOND, 0, 400000);
	check(SECOND, 100, 400000);
	check(1000 * SECOND, 0, 200000);
	check(1000 * SECOND, 100, 200000);
	check(1000 * SECOND, -300, 200000);
}

static void is_never_before_it_was_sent(void **state)
{
	struct clock_bounds bounds = talk(1000 * SECOND, 50);
	uint64_t uncertainty;
	struct clock_line line = clock_bounds_fit(&bounds, &uncertainty);

	(void)state;
	for (unsigned i = 0; i < TALKS; i++) {
		uint64_t at = 10 * SECOND + 5 * SECOND * i;
		int64_t received = (int64_t)other(at + delay(i), 50);
		int64_t sent = (int64_t)other(at, 50);

		assert_true(clock_line_shift(&line, received) >= (int64_t)at);
		assert_true(clock_line_shift(&line, sent) <= (int64_t)(at + delay(i + 5)));
	}
}

/* One way, a message moves the guess only as far as it must. */
static void one_way_moves_a_guess(void **state)
{
	struct clock_bounds bounds = {.from_ns = 0, .to_ns = SECOND};

	(void)state;
	assert_int_equal(clock_bounds_clamp(&bounds, 77), 77);
	clock_bounds_least(&bounds, 500, 400);
	assert_true(clock_bounds_any_least(&bounds));
	assert_false(clock_bounds_any_most(&bounds));
	assert_int_equal(clock_bounds_clamp(&bounds, 77), 100);
	assert_int_equal(clock_bounds_clamp(&bounds, 177), 177);
}

/* A clock that was set meanwhile: the line lies between, and says how wrong it is. */
static void contradiction_is_uncertain(void **state)
{
	struct clock_bounds bounds = {.from_ns = 0, .to_ns = SECOND};
	uint64_t uncertainty;

	(void)state;
	clock_bounds_least(&bounds, SECOND, 1000);
	clock_bounds_most(&bounds, 2000, 2000 + SECOND / 2);
	clock_bounds_fit(&bounds, &uncertainty);
	assert_between(uncertainty, SECOND / 4 - 10000, SECOND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_found_within_what_is_told),
		cmocka_unit_test(is_never_before_it_was_sent),
		cmocka_unit_test(one_way_moves_a_guess),
		cmocka_unit_test(contradiction_is_uncertain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
