/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * assert_between(VALUE, LEAST, MOST) of whole numbers that are not negative: what cmocka calls
 * assert_in_range(), and from version 2 on assert_uint_in_range().
 */
#ifndef TESTS_BETWEEN_H
#define TESTS_BETWEEN_H

/* cmocka.h wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#ifdef assert_uint_in_range
#define assert_between assert_uint_in_range
#else
#define assert_between assert_in_range
#endif

#endif
