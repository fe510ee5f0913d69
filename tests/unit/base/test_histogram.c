// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/between.h"
#include "viz/base/histogram.h"

static void empty(void **state)
{
	const struct histogram h = {0};

	(void)state;
	assert_int_equal(histogram_quantile(&h, 50), 0);
	assert_int_equal(histogram_in_power(&h, 3), 0);
}

static void small_values_are_exact(void **state)
{
	struct arena *arena = arena_new();
	struct histogram h = {0};

	(void)state;
	for (uint64_t value = 0; value < 32; value++)
		histogram_add(arena, &h, value);
	assert_int_equal(h.min, 0);
	assert_int_equal(h.max, 31);
	assert_int_equal(histogram_quantile(&h, 50), 15);
	assert_int_equal(histogram_quantile(&h, 100), 31);
	assert_int_equal(histogram_in_power(&h, 0), 2); /* 0 and 1 */
	assert_int_equal(histogram_in_power(&h, 4), 16);
	arena_free(arena);
}

static void assert_near(uint64_t found, uint64_t wanted)
{
	uint64_t most = wanted / 50 + 1;

	assert_between(found, wanted - (wanted < most ? wanted : most), wanted + most);
}

static void quantiles_are_near(void **state)
{
	struct arena *arena = arena_new();
	struct histogram h = {0};

	(void)state;
	for (uint64_t i = 1; i <= 100000; i++)
		histogram_add(arena, &h, i * 37);
	assert_near(histogram_quantile(&h, 1), 37 * 1000);
	assert_near(histogram_quantile(&h, 50), 37 * 50000);
	assert_near(histogram_quantile(&h, 95), 37 * 95000);
	assert_int_equal(histogram_quantile(&h, 100), 37 * 100000);
	arena_free(arena);
}

static void largest_value(void **state)
{
	struct arena *arena = arena_new();
	struct histogram h = {0};

	(void)state;
	histogram_add(arena, &h, UINT64_MAX);
	assert_true(histogram_quantile(&h, 50) == UINT64_MAX);
	assert_int_equal(histogram_in_power(&h, 63), 1);
	arena_free(arena);
}

static void merged(void **state)
{
	struct arena *arena = arena_new();
	struct histogram one = {0}, other = {0}, none = {0};

	(void)state;
	histogram_add(arena, &one, 10);
	histogram_add(arena, &other, 5);
	histogram_add(arena, &other, 20);
	histogram_merge(arena, &one, &other);
	histogram_merge(arena, &one, &none);
	assert_int_equal(one.count, 3);
	assert_int_equal(one.min, 5);
	assert_int_equal(one.max, 20);
	assert_int_equal(histogram_quantile(&one, 50), 10);
	arena_free(arena);
}

/* A histogram takes memory with its third value, and tells the same as before. */
static void few_values(void **state)
{
	struct arena *arena = arena_new();
	struct histogram h = {0};

	(void)state;
	histogram_add(arena, &h, 1000);
	histogram_add(arena, &h, 1000);
	assert_null(h.powers);
	assert_int_equal(histogram_in_power(&h, 9), 2);
	assert_int_equal(histogram_quantile(&h, 1), 1000);
	histogram_add(arena, &h, 5000);
	assert_non_null(h.powers);
	assert_int_equal(histogram_in_power(&h, 9), 2);
	assert_int_equal(histogram_in_power(&h, 12), 1);
	h = (struct histogram){0};
	histogram_add(arena, &h, 5000);
	histogram_add(arena, &h, 1000);
	assert_null(h.powers);
	assert_near(histogram_quantile(&h, 50), 1000);
	assert_int_equal(histogram_quantile(&h, 51), 5000);
	assert_int_equal(histogram_in_power(&h, 9), 1);
	assert_int_equal(histogram_in_power(&h, 12), 1);
	arena_free(arena);
}

static void assert_same(const struct histogram *one, const struct histogram *other)
{
	assert_int_equal(one->count, other->count);
	assert_int_equal(one->min, other->min);
	assert_int_equal(one->max, other->max);
	for (unsigned power = 0; power < HISTOGRAM_POWERS; power++)
		assert_int_equal(histogram_in_power(one, power), histogram_in_power(other, power));
	for (unsigned percent = 0; percent <= 100; percent++)
		assert_int_equal(histogram_quantile(one, percent),
				 histogram_quantile(other, percent));
}

/* However values are divided into histograms that are merged, the sum is that of all of them. */
static void merged_by_parts(void **state)
{
	enum { MOST = 40 };
	struct arena *arena = arena_new();
	uint64_t random = 1;

	(void)state;
	for (unsigned count = 1; count <= MOST; count++) {
		struct histogram all = {0}, sum = {0}, part = {0};

		for (unsigned i = 0; i < count; i++) {
			const uint64_t value = (random = random * 6364136223846793005U + 1) >> 58;

			histogram_add(arena, &all, value);
			histogram_add(arena, &part, value);
			if (random >> 32 & 1)
				continue;
			histogram_merge(arena, &sum, &part);
			part = (struct histogram){0};
		}
		histogram_merge(arena, &sum, &part);
		assert_same(&all, &sum);
	}
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty),
		cmocka_unit_test(small_values_are_exact),
		cmocka_unit_test(quantiles_are_near),
		cmocka_unit_test(largest_value),
		cmocka_unit_test(merged),
		cmocka_unit_test(few_values),
		cmocka_unit_test(merged_by_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
