// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Words for pictures: hostile bytes become harmless ones, quantities readable ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "viz/base/safe_text.h"

static void check_harmless(const char *bytes, size_t len, const char *expected)
{
	char *once = scene_harmless(bytes, len);
	char *twice = scene_harmless(once, strlen(once));

	assert_string_equal(once, expected);
	assert_string_equal(twice, expected);
	free(once);
	free(twice);
}

#define HARMLESS(bytes, expected) check_harmless(bytes, sizeof(bytes) - 1, expected)

static void names_are_made_harmless(void **state)
{
	(void)state;
	HARMLESS("ls", "ls");
	HARMLESS("", "");
	HARMLESS("r\xc3\xa9sum\xc3\xa9 \xf0\x9f\x98\x80", "r\xc3\xa9sum\xc3\xa9 \xf0\x9f\x98\x80");
	HARMLESS("a\\b\"c", "a\\b\"c");
	HARMLESS("\x1b[31m", "\\x1b[31m");
	HARMLESS("a\nb\tc\rd\a", "a\\nb\\tc\\rd\\a");
	HARMLESS("a\0b", "a\\x00b");
	HARMLESS("\x7f", "\\x7f");
	HARMLESS("\xc2\x9b", "\\u009b");
	HARMLESS("\xe2\x80\xae", "\\u202e");
	HARMLESS("\xe2\x80\x8b\xef\xbb\xbf", "\\u200b\\ufeff");
	HARMLESS("\xf3\xa0\x80\x81", "\\U000e0001");
	HARMLESS("\xff\xc0\xaf\xed\xa0\x80", "\\xff\\xc0\\xaf\\xed\\xa0\\x80");
	HARMLESS("\xe2\x80", "\\xe2\\x80");
}

static void check_quote(const char *bytes, size_t len, uint64_t total, const char *expected)
{
	char *quoted = scene_quote(bytes, len, total);

	assert_string_equal(quoted, expected);
	free(quoted);
}

static void payloads_are_quoted(void **state)
{
	(void)state;
	check_quote("a.c\nb.c\n", 8, 8, "\"a.c\\nb.c\\n\"");
	check_quote("", 0, 0, "\"\"");
	check_quote("say \"hi\" \\", 10, 10, "\"say \\\"hi\\\" \\\\\"");
	check_quote("abc", 3, 300, "\"abc\"…");
}

/* A prefix that ends within a character is not damaged text. */
static void a_cut_character_is_left_out(void **state)
{
	(void)state;
	check_quote("ab\xc3", 3, 9, "\"ab\"…");
	check_quote("ab\xf0\x9f\x98", 5, 9, "\"ab\"…");
	check_quote("ab\xc3", 3, 3, "\"ab\\xc3\"");
	check_quote("ab\xc3\xa9", 4, 9, "\"ab\xc3\xa9\"…");
	check_quote("ab\x80\x80", 4, 9, "\"ab\\x80\\x80\"…");
}

static void quantities_are_readable(void **state)
{
	char buf[SCENE_QUANTITY];

	(void)state;
	assert_string_equal(scene_bytes(0, buf), "0 B");
	assert_string_equal(scene_bytes(9999, buf), "9999 B");
	assert_string_equal(scene_bytes(65536, buf), "64 KiB");
	assert_string_equal(scene_bytes(60000, buf), "58.6 KiB");
	assert_string_equal(scene_bytes(1048576, buf), "1 MiB");
	assert_string_equal(scene_bytes(UINT64_MAX, buf), "16 EiB");
	assert_string_equal(scene_duration(0, buf), "0 ns");
	assert_string_equal(scene_duration(340, buf), "340 ns");
	assert_string_equal(scene_duration(48900, buf), "48.9 µs");
	assert_string_equal(scene_duration(999700, buf), "1 ms");
	assert_string_equal(scene_duration(1240000, buf), "1.24 ms");
	assert_string_equal(scene_duration(12300000000, buf), "12.3 s");
	assert_string_equal(scene_count(999, buf), "999");
	assert_string_equal(scene_count(1000, buf), "1,000");
	assert_string_equal(scene_count(UINT64_MAX, buf), "18,446,744,073,709,551,615");
}

static void check_word(const char *word, const char *expected)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	scene_put_word(out, word, strlen(word), true);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static void commands_read_as_they_were_typed(void **state)
{
	(void)state;
	check_word("/bin/ls", "/bin/ls");
	check_word("", "''");
	check_word("ls | wc", "'ls | wc'");
	check_word("it's", "'it'\\''s'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_made_harmless),
		cmocka_unit_test(payloads_are_quoted),
		cmocka_unit_test(a_cut_character_is_left_out),
		cmocka_unit_test(quantities_are_readable),
		cmocka_unit_test(commands_read_as_they_were_typed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
