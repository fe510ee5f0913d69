// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which object a path is of, from when it is bound until it is removed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "user/encode/bound_paths.c" /* user/ is no library */

#define NAME "/tmp/s", 6

static void count_node(const void *node, VISIT visit, void *closure)
{
	(void)node;
	*(unsigned *)closure += visit == postorder || visit == leaf;
}

static unsigned count(const struct paths *paths)
{
	unsigned nodes = 0;

	twalk_r(paths->by_path, count_node, &nodes);
	return nodes;
}

static void the_last_object_has_the_path(void **state)
{
	struct paths paths = {0};

	(void)state;
	paths_note(&paths, 0, NAME, "fifo:[1]");
	paths_note(&paths, 7, NAME, "fifo:[2]");
	paths_note(&paths, 0, NAME, "fifo:[3]");
	assert_string_equal(paths_find(&paths, 0, NAME), "fifo:[3]");
	assert_string_equal(paths_find(&paths, 7, NAME), "fifo:[2]");
	assert_null(paths_find(&paths, 0, "/tmp", 4));
	paths_free(&paths);
}

static void what_is_removed_is_forgotten(void **state)
{
	struct paths paths = {0};

	(void)state;
	for (unsigned round = 0; round < 1000; round++) {
		paths_note(&paths, 0, NAME, "unix-stream:[1]");
		assert_string_equal(paths_take(&paths, 0, NAME), "unix-stream:[1]");
		assert_null(paths_find(&paths, 0, NAME));
		assert_null(paths_take(&paths, 0, NAME));
	}
	paths_note(&paths, 3, NAME, "fifo:[4]");
	paths_note(&paths, 5, NAME, "fifo:[5]");
	assert_null(paths_take(&paths, 0, NAME));
	assert_string_equal(paths_take(&paths, 3, NAME), "fifo:[4]");
	assert_int_equal(count(&paths), 1);
	assert_true(paths_alike(&paths, "s", 1));
	paths_free(&paths);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_last_object_has_the_path),
					   cmocka_unit_test(what_is_removed_is_forgotten)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
