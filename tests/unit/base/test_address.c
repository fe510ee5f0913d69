// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Addresses of IPv4 that are mapped into IPv6. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "viz/base/address.h"

static void is_plain(const char *address, const char *wanted)
{
	char text[64];
	size_t len = address_plain(viz_bytes_of(address), text);

	assert_int_equal(len, strlen(wanted));
	assert_memory_equal(text, wanted, len);
}

static void plain(void **state)
{
	(void)state;
	is_plain("[::ffff:127.0.0.1]:80", "127.0.0.1:80");
	is_plain("127.0.0.1:80", "127.0.0.1:80");
	is_plain("[::1]:80", "[::1]:80");
	is_plain("[::ffff:0.0.0.0]:0", "0.0.0.0:0");
	is_plain("", "");
	is_plain("[::ffff:1]:80", "[::ffff:1]:80");
	is_plain("[::ffff:", "[::ffff:");
	is_plain(":80", "");
}

static void families(void **state)
{
	(void)state;
	assert_true(address_same_family(viz_bytes_of("0.0.0.0:80"), viz_bytes_of("127.0.0.1:80")));
	assert_true(address_same_family(viz_bytes_of("[::]:80"), viz_bytes_of("[::1]:80")));
	assert_false(address_same_family(viz_bytes_of("[::]:80"), viz_bytes_of("127.0.0.1:80")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain),
		cmocka_unit_test(families),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
