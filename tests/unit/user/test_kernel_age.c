// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which releases of Linux are too old for the tracer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "user/tracer/kernel_age.c" /* user/ is no library */

static void releases(void **state)
{
	static const struct {
		const char *release;
		bool old;
	} cases[] = {
		{"4.18.0-553.el8_10.x86_64", true},
		{"5.4.0-216-generic", true},
		{"5.10.0-30-amd64", true},
		{"5.16.20", true},
		{"5.17.0", false},
		{"6.1.0-56-cloud-amd64", false},
		{"10.0.1", false},
		{"4", false},
		{"", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(kernel_is_too_old(cases[i].release), cases[i].old);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(releases)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
