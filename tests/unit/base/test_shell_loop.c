// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Loops of shells that go on until a command succeeds, and loops that do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "viz/base/shell_loop.h"

static bool loops(const char *text, const char *command)
{
	return shell_loops_until(viz_bytes_of(text), viz_bytes_of(command));
}

static void until(void **state)
{
	(void)state;
	assert_true(loops("until mkdir lock; do sleep 1; done", "mkdir"));
	assert_true(loops("x=1; until /bin/mkdir \"$x\" 2>/dev/null\ndo :; done", "mkdir"));
	assert_true(loops("while ! nc -z host 80 >/dev/null 2>&1; do sleep 1; done", "nc"));
	assert_true(loops("bash\n-c\nuntil ps aux | grep -q x; do :; done", "grep"));
	assert_true(loops("until test -e a && mkdir b; do :; done", "mkdir"));
	assert_true(loops("until a || b ; do :; done", "b"));
	assert_true(loops("until true; do :; done; (until curl -s u\n do :; done)", "curl"));
}

static void broken_out_of(void **state)
{
	(void)state;
	assert_true(loops("while :; do if mkdir lock 2>/dev/null; then break; fi; sleep 1; done",
			  "mkdir"));
	assert_true(
		loops("for i in 1 2 3\ndo\n\tif nc -z h 1\n\tthen\n\t\texit 0\n\tfi\ndone", "nc"));
	assert_true(loops("while true; do nc -z h 80 && break; sleep 1; done", "nc"));
	assert_true(loops("for i in 1 2; do curl -s u >/dev/null && return; done", "curl"));
	assert_false(loops("while :; do if mkdir lock; then echo x; fi; done", "mkdir"));
	assert_false(loops("while :; do if ! grep -q x f; then break; fi; done", "grep"));
	assert_false(loops("while :; do grep -q x f || break; done", "grep"));
	assert_false(loops("while :; do grep -q x f && echo y; done", "grep"));
	assert_false(loops("while :; do grep x f; true && break; done", "grep"));
	assert_false(loops("if mkdir lock; then exit 0; fi", "mkdir"));
	assert_false(loops("mkdir lock && exit; while :; do sleep 1; done", "mkdir"));
	assert_false(loops("while :; do if", "mkdir"));
	assert_false(loops("while :; do mkdir &&", "mkdir"));
	assert_false(loops("while :; do if mkdir x; then", "mkdir"));
}

static void other_loops(void **state)
{
	(void)state;
	assert_false(loops("until mkdir lock; do sleep 1; done", "sleep"));
	assert_false(loops("until ps aux | grep -q x; do :; done", "ps"));
	assert_false(loops("while nc -z host 80; do sleep 1; done", "nc"));
	assert_false(loops("until ! nc -z host 80; do sleep 1; done", "nc"));
	assert_false(loops("while sleep 1; do grep x y; done", "grep"));
	assert_false(loops("echo waits until mkdir succeeds", "mkdir"));
	assert_false(loops("auntil mkdir x; do :; done", "mkdir"));
	assert_false(loops("until mkdirs x; do :; done", "mkdir"));
	assert_false(loops("until mkdir x; doit", "mkdir"));
	assert_false(loops("until", "mkdir"));
	assert_false(loops("while !", "mkdir"));
	assert_false(loops("until ;do", "mkdir"));
	assert_false(loops("until a | ;do", "mkdir"));
	assert_false(loops("", "mkdir"));
	assert_false(loops("until  ; do :; done", ""));
}

/* What the loop tests for; NULL: it does otherwise. "-": it goes on as long as that is there. */
static const char *tested(const char *text, const char *pause)
{
	static char file[64];
	bool comes;
	const struct viz_bytes found = shell_loops_tested(viz_bytes_of(text), viz_bytes_of(pause),
							  &comes);

	snprintf(file, sizeof(file), "%s%.*s", comes ? "" : "-", (int)found.len, found.data);
	return found.len ? file : NULL;
}

static void tests_for_file(void **state)
{
	(void)state;
	assert_string_equal(tested("until [ -e f ]; do sleep 0.2; done", "0.2"), "f");
	assert_string_equal(tested("x; until test -s a/b\ndo\n\tsleep 1\ndone", "1"), "a/b");
	assert_string_equal(tested("while [ ! -f f ]; do sleep 1; done", "1"), "f");
	assert_string_equal(tested("while ! [[ -S f ]]; do sleep 1 ; done", "1"), "f");
	assert_string_equal(tested("while [ -e f ]; do sleep 1; done", "1"), "-f");
	assert_string_equal(tested("until [ -e \"a b\" ]; do sleep 1; done", "1"), "a b");
	assert_null(tested("until [ -e \"a ]; do sleep 1; done", "1"));
	assert_string_equal(tested("until [ ! -e f ]; do sleep 1; done", "1"), "-f");
	assert_string_equal(
		tested("until [ -e a ]; do sleep 1; done; until [ -e b ]; do sleep 2; done", "2"),
		"b");
}

static void tests_for_no_file(void **state)
{
	(void)state;
	assert_null(tested("until [ -e f ]; do sleep 0.2; done", "0.3"));
	assert_null(tested("until [ -e f ]; do sleep 0.2; date; done", "0.2"));
	assert_null(tested("until [ -e f ]; do date; sleep 1; done", "1"));
	assert_null(tested("until [ $x = y ]; do sleep 1; done", "1"));
	assert_null(tested("until mkdir f; do sleep 1; done", "1"));
	assert_null(tested("until [ -e", "1"));
	assert_null(tested("until [ -e f ]; do sleep 1", "1"));
	assert_null(tested("while", "1"));
	assert_null(tested("", ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(until),
		cmocka_unit_test(broken_out_of),
		cmocka_unit_test(other_loops),
		cmocka_unit_test(tests_for_file),
		cmocka_unit_test(tests_for_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
