// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "viz/account/rows.h"

/* So many sleeps that the first ones are forgotten. */
static void many_sleeps(void **state)
{
	struct arena *arena = arena_new();
	struct wakes wakes = {0};

	(void)state;
	assert_false(account_wakes_within(&wakes, 0, UINT64_MAX));
	for (uint64_t i = 1; i <= 3000; i++)
		account_wakes_add(arena, &wakes, i * 10);
	assert_false(account_wakes_within(&wakes, 0, 19760));
	assert_true(account_wakes_within(&wakes, 0, 19770));
	assert_true(account_wakes_within(&wakes, 29995, 30000));
	assert_false(account_wakes_within(&wakes, 29991, 29999));
	assert_false(account_wakes_within(&wakes, 30001, UINT64_MAX));
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(many_sleeps)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
