// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Open descriptors by number, added and removed in any order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "viz/model/fd_slots.h"

#define COUNT 2000

/* What must be open, and what is. */
struct table {
	struct arena *arena;
	struct fd_slots slots;
	bool open[COUNT];
};

static int set_up(void **state)
{
	struct table *t = memory_new(sizeof(*t));

	t->arena = arena_new();
	*state = t;
	return 0;
}

static int tear_down(void **state)
{
	struct table *t = *state;

	arena_free(t->arena);
	free(t);
	return 0;
}

static void check(const struct table *t)
{
	const struct fd_slot *slot = fd_slots_from(&t->slots, 0);

	for (int32_t fd = 0; fd < COUNT; fd++) {
		if (!t->open[fd]) {
			assert_null(fd_slots_find(&t->slots, fd));
			continue;
		}
		assert_non_null(slot);
		assert_int_equal(slot->fd, fd);
		assert_ptr_equal(fd_slots_find(&t->slots, fd), slot);
		assert_ptr_equal(fd_slots_from(&t->slots, fd), slot);
		slot = fd_slots_from(&t->slots, (int64_t)fd + 1);
	}
	assert_null(slot);
}

static void change(struct table *t, int32_t fd)
{
	if (t->open[fd])
		fd_slots_remove(&t->slots, fd);
	else
		assert_int_equal(fd_slots_add(t->arena, &t->slots, fd)->fd, fd);
	t->open[fd] = !t->open[fd];
}

static void test_ascending(void **state)
{
	struct table *t = *state;

	check(t);
	for (int32_t fd = 0; fd < COUNT; fd++)
		change(t, fd);
	check(t);
	for (int32_t fd = 0; fd < COUNT; fd++)
		change(t, fd);
	check(t);
}

static void test_descending(void **state)
{
	struct table *t = *state;

	for (int32_t fd = COUNT; fd-- > 0;)
		change(t, fd);
	check(t);
	for (int32_t fd = COUNT; fd-- > 0;)
		change(t, fd);
	check(t);
}

static void test_by_chance(void **state)
{
	struct table *t = *state;
	uint32_t random = 1;

	for (unsigned i = 0; i < 20 * COUNT; i++) {
		random = random * 1664525 + 1013904223;
		change(t, (int32_t)(random >> 8) % COUNT);
		if (i % (COUNT / 4) == 0)
			check(t);
	}
	check(t);
}

/* One that is opened and closed again and again takes no more memory each time. */
static void test_one_again(void **state)
{
	struct table *t = *state;
	const struct fd_slot *slot = fd_slots_add(t->arena, &t->slots, 3);

	for (unsigned i = 0; i < COUNT; i++) {
		fd_slots_remove(&t->slots, 3);
		assert_ptr_equal(fd_slots_add(t->arena, &t->slots, 3), slot);
	}
}

static void test_cleared(void **state)
{
	struct table *t = *state;

	for (unsigned round = 0; round < 3; round++) {
		for (int32_t fd = 0; fd < COUNT; fd += 3)
			change(t, fd);
		check(t);
		fd_slots_clear(&t->slots);
		memset(t->open, 0, sizeof(t->open));
		check(t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ascending, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_descending, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_by_chance, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_one_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cleared, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
