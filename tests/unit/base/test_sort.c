// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Lists that are nearly in order, and those that are not: sorted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "viz/base/sort.h"

#define COUNT 1000

struct item {
	unsigned key;
	unsigned number; /* its place at first */
};

static int compare(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

static void check(unsigned (*key_of)(unsigned number))
{
	struct item items[COUNT];
	unsigned long sum = 0;

	for (unsigned i = 0; i < COUNT; i++)
		items[i] = (struct item){key_of(i), i};
	sort_nearly(items, COUNT, sizeof(*items), compare);
	for (unsigned i = 0; i < COUNT; i++) {
		assert_int_equal(items[i].key, key_of(items[i].number));
		sum += items[i].number;
		assert_true(i == 0 || items[i - 1].key <= items[i].key);
	}
	assert_int_equal(sum, COUNT * (COUNT - 1) / 2);
}

static unsigned in_order(unsigned number)
{
	return number;
}

static unsigned in_pairs(unsigned number)
{
	return number ^ 1;
}

static unsigned backwards(unsigned number)
{
	return COUNT - number;
}

static unsigned all_equal(unsigned number)
{
	return number * 0;
}

static unsigned scattered(unsigned number)
{
	return number * 7919 % 101;
}

static void sorts(void **state)
{
	(void)state;
	check(in_order);
	check(in_pairs);
	check(backwards);
	check(all_equal);
	check(scattered);
	sort_nearly(NULL, 0, sizeof(struct item), compare);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(sorts)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
