// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A map that grows has all that was put into it, though it gives its outgrown tables back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "viz/base/arena.h"

enum { COUNT = 300000, BESIDE = 1000 };

static void *value_of(unsigned i)
{
	return (void *)(uintptr_t)(i + 1);
}

static void what_was_put_is_found(void **state)
{
	struct arena *arena = arena_new();
	struct map one = {0}, other = {0};

	(void)state;
	for (unsigned i = 0; i < COUNT; i++) {
		map_put_uint(arena, &one, (uint64_t)i << 20, value_of(i));
		if (i % 3 == 0)
			map_put_uint(arena, &other, i, value_of(i));
		if (i % BESIDE == 0)
			memset(arena_alloc(arena, BESIDE), 1, BESIDE);
	}
	assert_int_equal(one.count, COUNT);
	for (unsigned i = 0; i < COUNT; i++) {
		assert_ptr_equal(map_get_uint(&one, (uint64_t)i << 20), value_of(i));
		assert_ptr_equal(map_get_uint(&other, i), i % 3 == 0 ? value_of(i) : NULL);
	}
	assert_null(map_get_uint(&one, 1));
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(what_was_put_is_found)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
