/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Characters that a reader cannot see, or that change how others look. */
#ifndef VIZ_BASE_INVISIBLE_H
#define VIZ_BASE_INVISIBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The character of a well-formed UTF-8 sequence of n bytes (utf8_sequence_len()). */
uint32_t utf8_decode(const unsigned char *p, size_t n);

/* C1 controls, zero width, bidi marks and the like; not the controls of ASCII. */
bool character_is_invisible(uint32_t c);

#endif
