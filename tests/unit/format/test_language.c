// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The table of German texts, and numbers as each language writes them. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "viz/format/language.h"

/* A text with two rows, or out of order, has another row found, or none. */
static void each_is_found(void **state)
{
	const char *english, *german;
	size_t count = 0;

	(void)state;
	for (; language_row(count, &english, &german); count++) {
		assert_ptr_equal(language_say(LANGUAGE_DE, english), german);
		assert_ptr_equal(language_say(LANGUAGE_EN, english), english);
	}
	assert_true(count > 300);
	assert_string_equal(language_say(LANGUAGE_DE, "not in the table"), "not in the table");
}

/* Returns the conversion at or behind `text`, with its length; NULL if there is none. */
static const char *conversion(const char *text, size_t *len)
{
	for (text = strchr(text, '%'); text && text[1] == '%';)
		text = strchr(text + 2, '%');
	if (text)
		*len = strcspn(text + 1, "csduxgf") + 2;
	return text;
}

static void formats_take_the_same(void **state)
{
	const char *english, *german;

	(void)state;
	for (size_t i = 0; language_row(i, &english, &german); i++) {
		size_t a_len = 0, b_len = 0;
		const char *a = conversion(english, &a_len);
		const char *b = conversion(german, &b_len);

		for (; a && b;
		     a = conversion(a + a_len, &a_len), b = conversion(b + b_len, &b_len)) {
			assert_int_equal(a_len, b_len);
			assert_memory_equal(a, b, a_len);
		}
		assert_true(!a && !b);
	}
}

static void numbers(void **state)
{
	char text[] = "1,234.5 KiB", same[] = "1,234.5 KiB";

	(void)state;
	assert_string_equal(language_number(LANGUAGE_DE, text), "1.234,5 KiB");
	assert_string_equal(language_number(LANGUAGE_EN, same), "1,234.5 KiB");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_found),
		cmocka_unit_test(formats_take_the_same),
		cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
