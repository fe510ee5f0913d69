// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a line discipline makes of bytes, for settings as termios(3) names them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>

#include <cmocka.h>

#include "viz/pair/policy/line_discipline.h"

static const struct viz_line raw = {.known = true};
static const struct viz_line cooked = {.known = true,
				       .input = ICRNL | IXON,
				       .output = OPOST | ONLCR,
				       .local = ICANON | ISIG | ECHO | ECHOCTL};

struct row {
	enum line_way way;
	const struct viz_line *line;
	const char *in;
	const char *out; /* NULL: not known */
};

static void check(const struct row *row)
{
	struct arena *arena = arena_new();
	size_t len = strlen(row->in);
	struct viz_operation op = {
		.role = ROLE_SEND, .payload = {row->in, len}, .extra = &viz_no_extra};
	struct line_text text = line_pass(arena, row->way, row->line, &op, len);

	assert_int_equal(text.known, row->out != NULL);
	if (row->out) {
		assert_int_equal(text.len, strlen(row->out));
		assert_int_equal(text.changed, strcmp(row->in, row->out) != 0);
	}
	if (text.changed && text.len)
		assert_memory_equal(text.bytes.data, row->out, text.len);
	arena_free(arena);
}

static void test_rows(void **state)
{
	static const struct row rows[] = {
		{LINE_INPUT, &raw, "a\r\n\003", "a\r\n\003"},
		{LINE_OUTPUT, &raw, "a\r\n", "a\r\n"},
		{LINE_ECHO, &raw, "a", ""},
		{LINE_INPUT, &cooked, "ls\r", "ls\n"},
		{LINE_INPUT, &cooked, "ls\n", "ls\n"},
		{LINE_INPUT, &cooked, "ls\177", NULL},
		{LINE_INPUT, &cooked, "\003", NULL},
		{LINE_OUTPUT, &cooked, "a\nb\n", "a\r\nb\r\n"},
		{LINE_OUTPUT, &cooked, "a\tb", "a\tb"},
		{LINE_ECHO, &cooked, "ls\r", "ls\r\n"},
		{LINE_ECHO, &cooked, "\033", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		check(&rows[i]);
}

/* Of what was cut off, nobody can say what became of it, unless nothing is changed at all. */
static void test_cut(void **state)
{
	struct arena *arena = arena_new();
	struct viz_operation op = {.role = ROLE_SEND, .payload = {"ab", 2}, .extra = &viz_no_extra};

	(void)state;
	assert_false(line_pass(arena, LINE_OUTPUT, &cooked, &op, 3).known);
	assert_int_equal(line_pass(arena, LINE_OUTPUT, &raw, &op, 3).len, 3);
	assert_false(line_pass(arena, LINE_OUTPUT, &(struct viz_line){0}, &op, 2).known);
	arena_free(arena);
}

/* Unless the trace tells where lines end in it: these alone become something else. */
static void test_line_feeds(void **state)
{
	struct arena *arena = arena_new();
	uint64_t feeds[] = {1, 5, 99};
	struct viz_operation_extra extra = {
		.line_feeds = feeds, .line_feeds_count = 3, .line_feeds_known = true};
	struct viz_operation op = {.role = ROLE_SEND, .payload = {"ab\n", 3}, .extra = &extra};
	struct viz_line returns = cooked;
	struct line_text text = line_pass(arena, LINE_OUTPUT, &cooked, &op, 7);

	(void)state;
	assert_true(text.known && text.changed);
	assert_int_equal(text.len, 9);
	assert_int_equal(text.bytes.len, 4);
	assert_memory_equal(text.bytes.data, "ab\r\n", 4);
	assert_int_equal(text.origin[6], 5);
	assert_int_equal(text.origin[7], 5);
	assert_int_equal(text.origin[8], 6);
	extra.line_feeds_count = 0;
	assert_int_equal(line_pass(arena, LINE_OUTPUT, &cooked, &op, 7).len, 8);
	assert_false(line_pass(arena, LINE_OUTPUT, &cooked, &op, 1 << 20).known);
	returns.output |= OCRNL;
	assert_false(line_pass(arena, LINE_OUTPUT, &returns, &op, 7).known);
	arena_free(arena);
}

static void test_origin(void **state)
{
	struct arena *arena = arena_new();
	struct viz_operation op = {
		.role = ROLE_SEND, .payload = {"\nb", 2}, .extra = &viz_no_extra};
	struct line_text text = line_pass(arena, LINE_OUTPUT, &cooked, &op, 2);

	(void)state;
	assert_int_equal(text.len, 3);
	assert_int_equal(text.origin[1], 0);
	assert_int_equal(text.origin[2], 1);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_line_feeds),
		cmocka_unit_test(test_origin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
