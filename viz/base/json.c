// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/base/json.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "viz/base/invisible.h"

bool json_grow(struct json *j, size_t more)
{
	size_t capacity = j->capacity ? j->capacity : 512;
	char *data;

	while (capacity - j->len < more)
		capacity *= 2;
	data = realloc(j->data, capacity);
	if (!data) {
		j->failed = true;
		return false;
	}
	j->data = data;
	j->capacity = capacity;
	return true;
}

static inline void put(struct json *j, const char *s, size_t len)
{
	if (!json_reserve(j, len))
		return;
	memcpy(j->data + j->len, s, len);
	j->len += len;
}

static inline void put_char(struct json *j, char c)
{
	if (json_reserve(j, 1))
		j->data[j->len++] = c;
}

/* Puts the comma that a value needs before it, and notes that the next one needs one. */
static inline void begin_value(struct json *j)
{
	if (j->comma)
		put_char(j, ',');
	j->comma = true;
}

void json_free(struct json *j)
{
	free(j->data);
	*j = (struct json){0};
}

void json_reset(struct json *j)
{
	j->len = 0;
	j->comma = false;
	j->failed = false;
}

static void open_bracket(struct json *j, char c)
{
	begin_value(j);
	put_char(j, c);
	j->comma = false;
}

static void close_bracket(struct json *j, char c)
{
	put_char(j, c);
	j->comma = true;
}

void json_object(struct json *j)
{
	open_bracket(j, '{');
}

void json_end_object(struct json *j)
{
	close_bracket(j, '}');
}

void json_array(struct json *j)
{
	open_bracket(j, '[');
}

void json_end_array(struct json *j)
{
	close_bracket(j, ']');
}

void json_newline(struct json *j)
{
	put_char(j, '\n');
	j->lines++;
	j->comma = false;
}

void json_null(struct json *j)
{
	begin_value(j);
	put(j, "null", 4);
}

void json_bool(struct json *j, bool value)
{
	begin_value(j);
	put(j, value ? "true" : "false", value ? 4 : 5);
}

#define DIGITS_MAX 20 /* of 2^64 - 1 */
#define EIGHT_DIGITS ((uint64_t)100000000)

/*
 * Gives the eight decimal digits of a number below 10^8, a byte each, the first one lowest: the
 * number is halved into groups of four, two and one digits, all groups of a step at once.
 */
static inline uint64_t eight_digits(uint64_t value)
{
	uint64_t four = value / 10000 | value % 10000 << 32;
	uint64_t hundreds = (four * 10486 >> 20) & 0x0000007f0000007f;
	uint64_t two = hundreds | (four - 100 * hundreds) << 16;
	uint64_t tens = (two * 103 >> 10) & 0x000f000f000f000f;

	return tens | (two - 10 * tens) << 8;
}

static inline char *store_digits(char *at, uint64_t digits)
{
	uint64_t text = htole64(digits | 0x3030303030303030);

	memcpy(at, &text, sizeof(text));
	return at + sizeof(text);
}

/* Writes a number below 10^8 without leading zeros; all of eight bytes are overwritten. */
static inline char *put_first_digits(char *at, uint64_t value)
{
	uint64_t digits = eight_digits(value);
	unsigned zeros = (unsigned)__builtin_ctzll(digits | (uint64_t)1 << 56) / 8;

	return store_digits(at, digits >> zeros * 8) - zeros;
}

static char *put_digits(char *at, uint64_t value)
{
	if (value < EIGHT_DIGITS)
		return put_first_digits(at, value);
	at = put_digits(at, value / EIGHT_DIGITS);
	return store_digits(at, eight_digits(value % EIGHT_DIGITS));
}

static void put_uint(struct json *j, uint64_t value)
{
	if (json_reserve(j, DIGITS_MAX + sizeof(value)))
		j->len = (size_t)(put_digits(j->data + j->len, value) - j->data);
}

void json_uint(struct json *j, uint64_t value)
{
	begin_value(j);
	put_uint(j, value);
}

void json_int(struct json *j, int64_t value)
{
	begin_value(j);
	if (value < 0)
		put_char(j, '-');
	put_uint(j, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

static bool is_continuation(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

size_t utf8_sequence_len(const unsigned char *p, size_t len)
{
	/* Limits of the second byte: they exclude overlong forms, surrogates and above U+10FFFF. */
	unsigned char low = 0x80, high = 0xbf;
	size_t need;

	if (len == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		need = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		need = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		need = 4;
	else
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (len < need || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < need; i++)
		if (!is_continuation(p[i]))
			return 0;
	return need;
}

static bool is_text(const unsigned char *p, size_t len)
{
	while (len) {
		size_t n = utf8_sequence_len(p, len);
		if (n == 0 || *p == 0)
			return false;
		p += n;
		len -= n;
	}
	return true;
}

static void put_escape(struct json *j, unsigned code)
{
	static const char hex[] = "0123456789abcdef";
	char s[6] = {'\\',
		     'u',
		     hex[code >> 12 & 0xf],
		     hex[code >> 8 & 0xf],
		     hex[code >> 4 & 0xf],
		     hex[code & 0xf]};

	put(j, s, sizeof(s));
}

/* Above U+FFFF JSON has a pair of surrogates (RFC 8259, 7). */
static void put_escaped_character(struct json *j, uint32_t c)
{
	if (c > 0xffff) {
		put_escape(j, 0xd800 + ((c - 0x10000) >> 10));
		c = 0xdc00 + ((c - 0x10000) & 0x3ff);
	}
	put_escape(j, c);
}

static void put_short_escape(struct json *j, char c)
{
	char s[2] = {'\\', c};

	put(j, s, sizeof(s));
}

/*
 * Writes one character of n bytes. What a terminal would obey or not show is escaped, so that JSON
 * on a screen is what it seems to be.
 */
static void put_character(struct json *j, const unsigned char *p, size_t n)
{
	if (n > 1 && character_is_invisible(utf8_decode(p, n)))
		put_escaped_character(j, utf8_decode(p, n));
	else if (n > 1)
		put(j, (const char *)p, n);
	else if (*p == '"' || *p == '\\')
		put_short_escape(j, (char)*p);
	else if (*p == '\n')
		put_short_escape(j, 'n');
	else if (*p == '\t')
		put_short_escape(j, 't');
	else if (*p < 0x20 || *p == 0x7f)
		put_escape(j, *p);
	else
		put_char(j, (char)*p);
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void put_text(struct json *j, const unsigned char *p, size_t len)
{
	put_char(j, '"');
	while (len) {
		size_t n = 0;
		while (n < len && is_plain(p[n]))
			n++;
		if (n) {
			put(j, (const char *)p, n);
		} else {
			n = utf8_sequence_len(p, len);
			put_character(j, p, n);
		}
		p += n;
		len -= n;
	}
	put_char(j, '"');
}

static void put_base64(struct json *j, const unsigned char *p, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (; len; p += 3, len -= len < 3 ? len : 3) {
		uint32_t v = (uint32_t)p[0] << 16;
		if (len > 1)
			v |= (uint32_t)p[1] << 8;
		if (len > 2)
			v |= p[2];
		char s[4] = {digits[v >> 18], digits[v >> 12 & 63],
			     len > 1 ? digits[v >> 6 & 63] : '=', len > 2 ? digits[v & 63] : '='};
		put(j, s, sizeof(s));
	}
}

/* Text that is written as it is, as names are: most of what a line has. */
static bool put_plain(struct json *j, const char *text, size_t len)
{
	char *at;
	size_t n = 0;

	while (n < len && is_plain((unsigned char)text[n]))
		n++;
	if (n < len || !json_reserve(j, len + 2))
		return false;
	at = j->data + j->len;
	*at = '"';
	if (len)
		memcpy(at + 1, text, len);
	at[len + 1] = '"';
	j->len += len + 2;
	return true;
}

void json_bytes(struct json *j, const void *bytes, size_t len)
{
	begin_value(j);
	if (put_plain(j, bytes, len))
		return;
	if (is_text(bytes, len)) {
		put_text(j, bytes, len);
		return;
	}
	put(j, "{\"base64\":\"", 11);
	put_base64(j, bytes, len);
	put(j, "\"}", 2);
}

void json_text(struct json *j, const char *text)
{
	json_bytes(j, text, strlen(text));
}
