// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The JSON writer, with the reader as the judge where it is not compared letter by letter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/base/json.h"
#include "viz/reader/reader.h"

#define assert_json(j, expected)                                                                   \
	do {                                                                                       \
		assert_int_equal((j)->len, strlen(expected));                                      \
		assert_memory_equal((j)->data, expected, strlen(expected));                        \
	} while (0)

static void nesting(void **state)
{
	struct json j = {0};

	(void)state;
	json_object(&j);
	json_field_text(&j, "a", "x");
	json_key(&j, "b");
	json_array(&j);
	json_uint(&j, 1);
	json_object(&j);
	json_end_object(&j);
	json_null(&j);
	json_end_array(&j);
	json_field_bool(&j, "c", true);
	json_end_object(&j);
	json_newline(&j);
	json_array(&j);
	json_end_array(&j);
	assert_json(&j, "{\"a\":\"x\",\"b\":[1,{},null],\"c\":true}\n[]");
	json_free(&j);
}

static void numbers(void **state)
{
	struct json j = {0};

	(void)state;
	json_array(&j);
	json_uint(&j, 0);
	json_uint(&j, UINT64_MAX);
	json_int(&j, -7);
	json_int(&j, INT64_MIN);
	json_int(&j, INT64_MAX);
	json_end_array(&j);
	assert_json(&j, "[0,18446744073709551615,-7,-9223372036854775808,9223372036854775807]");
	json_free(&j);
}

static void assert_uint(struct json *j, uint64_t value)
{
	char expected[24];

	snprintf(expected, sizeof(expected), "%" PRIu64, value);
	json_reset(j);
	json_uint(j, value);
	assert_json(j, expected);
}

/* Every number of up to five digits, those around each power of ten, and all bit lengths. */
static void digits(void **state)
{
	struct json j = {0};

	(void)state;
	for (uint64_t value = 0; value < 100000; value++)
		assert_uint(&j, value);
	for (uint64_t power = 10; power < UINT64_MAX / 10; power *= 10) {
		assert_uint(&j, power - 1);
		assert_uint(&j, power);
		assert_uint(&j, power + power / 10 * 9);
	}
	for (int bits = 0; bits < 64; bits++)
		assert_uint(&j, UINT64_C(0x9e3779b97f4a7c15) >> bits);
	json_free(&j);
}

static void escapes(void **state)
{
	struct json j = {0};

	(void)state;
	json_bytes(&j, "\"\\\n\t\r\x01\x7f/", 8);
	assert_json(&j, "\"\\\"\\\\\\n\\t\\u000d\\u0001\\u007f/\"");
	json_reset(&j);
	json_bytes(&j, "\xc2\x9b\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 11); /* CSI é € smile */
	assert_json(&j, "\"\\u009b\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
	json_free(&j);
}

/* Not UTF-8, or with NUL: base64. */
static void base64(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *json;
	} cases[] = {
		{"\xff", 1, "{\"base64\":\"/w==\"}"},
		{"\0a", 2, "{\"base64\":\"AGE=\"}"},
		{"\xed\xa0\x80", 3, "{\"base64\":\"7aCA\"}"}, /* a surrogate */
		{"\xc0\xaf", 2, "{\"base64\":\"wK8=\"}"},     /* overlong */
		{"\xe2\x82", 2, "{\"base64\":\"4oI=\"}"},     /* cut short */
		{"", 0, "\"\""},
	};
	struct json j = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		json_reset(&j);
		json_bytes(&j, cases[i].bytes, cases[i].len);
		assert_json(&j, cases[i].json);
	}
	json_free(&j);
}

/* Every pair of bytes comes back from the reader as it went. */
static void round_trip(void **state)
{
	struct json_line line = {0};
	struct json j = {0};

	(void)state;
	for (unsigned i = 0; i < 0x10000; i++) {
		unsigned char bytes[2] = {(unsigned char)(i >> 8), (unsigned char)i};
		const struct json_node *parsed;
		struct viz_bytes back;

		json_reset(&j);
		json_object(&j);
		json_field_bytes(&j, "bytes", bytes, 2);
		json_end_object(&j);
		json_newline(&j);
		parsed = json_line_read(&line, j.data, j.len - 1);
		assert_non_null(parsed);
		assert_true(reader_bytes(json_member(parsed, "bytes"), &back));
		assert_int_equal(back.len, 2);
		assert_memory_equal(back.data, bytes, 2);
	}
	json_line_free(&line);
	json_free(&j);
}

static void invisible_characters_are_escaped(void **state)
{
	struct json j = {0};

	(void)state;
	json_text(&j, "a\u202eb\u200b\ufeff\U000e0001\xc2\x9b"
		      "\x7f"
		      "ü€\U0001f600");
	assert_json(&j, "\"a\\u202eb\\u200b\\ufeff\\udb40\\udc01\\u009b\\u007fü€\U0001f600\"");
	json_free(&j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		cmocka_unit_test(nesting),
		cmocka_unit_test(numbers),
		cmocka_unit_test(digits),
		cmocka_unit_test(escapes),
		cmocka_unit_test(base64),
		cmocka_unit_test(invisible_characters_are_escaped),
		cmocka_unit_test(round_trip),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
