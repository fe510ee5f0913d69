/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Strings and whole numbers of a line, eight bytes at a time. What they read beyond the end of the
 * text is its padding (scan.h). Private to the scanner and to line_scan.c.
 */
#ifndef VIZ_READER_SCAN_TEXT_H
#define VIZ_READER_SCAN_TEXT_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#include "viz/reader/scan.h"

#define SCAN_DIGITS_MAX 19 /* so many fit into 64 bits, whatever they are */

#define EACH_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Eight bytes as a number whose lowest byte is the first. */
static inline uint64_t scan_word(const char *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return le64toh(word);
}

/* The highest bit of the first byte that is 0 is set, and none below it. */
static inline uint64_t scan_zero_bytes(uint64_t word)
{
	return (word - EACH_BYTE(1)) & ~word & EACH_BYTE(0x80);
}

/* The first byte from here on that ends a string or needs a closer look. */
static inline char *scan_string_special(char *at)
{
	for (;; at += sizeof(uint64_t)) {
		uint64_t word = scan_word(at);
		uint64_t special = scan_zero_bytes(word ^ EACH_BYTE('"')) |
				   scan_zero_bytes(word ^ EACH_BYTE('\\')) |
				   ((word - EACH_BYTE(0x20)) & ~word & EACH_BYTE(0x80));

		if (special)
			return at + __builtin_ctzll(special) / 8;
	}
}

/* scan_string() of a string that has a backslash, from the first one on. */
bool scan_unescape(struct scan *s, struct viz_bytes *text);

/* From behind the opening quote. A string with a raw control character is left to cJSON. */
static inline bool scan_string(struct scan *s, struct viz_bytes *text)
{
	char *end = scan_string_special(s->at);

	text->data = s->at;
	text->len = (size_t)(end - s->at);
	s->at = end;
	if (*end != '"')
		return scan_unescape(s, text);
	*end = '\0';
	s->at = end + 1;
	return true;
}

static inline bool scan_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * How many digits stand here, of at most eight, and the number that they make. Neighbours are
 * joined three times: to pairs, to fours, to eight.
 */
static inline unsigned scan_digits(const char *at, uint64_t *number)
{
	uint64_t word = scan_word(at) ^ EACH_BYTE('0');
	uint64_t others = ((word + EACH_BYTE(0x80 - 10)) | word) & EACH_BYTE(0x80);
	unsigned count = others ? (unsigned)__builtin_ctzll(others) / 8 : 8;

	if (!count)
		return 0;
	word <<= 8 * (8 - count);
	word = (word * 10 + (word >> 8)) & UINT64_C(0x00ff00ff00ff00ff);
	word = (word * 100 + (word >> 16)) & UINT64_C(0x0000ffff0000ffff);
	*number = (word * 10000 + (word >> 32)) & UINT64_C(0xffffffff);
	return count;
}

/* The digits of a number behind its first 16, of which the twentieth may be too much. */
bool scan_long_number(const char **at, uint64_t *number);

/*
 * Passes the digits of a number that has no needless zeros and fits into 64 bits. False also where
 * a fraction or an exponent follows, which is left to cJSON.
 */
static inline bool scan_magnitude(struct scan *s, uint64_t *number)
{
	static const uint32_t powers[] = {1,	  10,	   100,	     1000,     10000,
					  100000, 1000000, 10000000, 100000000};
	const char *at = s->at;
	unsigned count = scan_digits(at, number);
	uint64_t rest;

	if (!count || (*at == '0' && count > 1))
		return false;
	at += count;
	if (count == 8 && (count = scan_digits(at, &rest)) > 0) {
		*number = *number * powers[count] + rest;
		at += count;
		if (count == 8 && !scan_long_number(&at, number))
			return false;
	}
	s->at += at - s->at;
	return *at != '.' && (*at | 0x20) != 'e' && *at != '+' && *at != '-';
}

#endif
