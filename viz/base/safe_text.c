// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/base/safe_text.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "viz/base/invisible.h"
#include "viz/base/json.h"
#include "viz/base/memory.h"

static size_t put_ascii(char *out, unsigned char c, bool quote)
{
	static const char letters[] = "abtnvfr"; /* for 7 to 13 */

	if (c >= 7 && c <= 13)
		return (size_t)sprintf(out, "\\%c", letters[c - 7]);
	if (c < 0x20 || c == 0x7f)
		return (size_t)sprintf(out, "\\x%02x", c);
	if (quote && (c == '"' || c == '\\'))
		return (size_t)sprintf(out, "\\%c", c);
	*out = (char)c;
	return 1;
}

/*
 * Writes one character of the input to out (at most 10 bytes) and gives the bytes written; *used is
 * how many bytes of the input it took.
 */
static size_t put_next(char *out, const unsigned char *p, size_t len, bool quote, size_t *used)
{
	size_t n = utf8_sequence_len(p, len);
	uint32_t c;

	*used = n ? n : 1;
	if (n == 0)
		return (size_t)sprintf(out, "\\x%02x", *p);
	if (n == 1)
		return put_ascii(out, *p, quote);
	c = utf8_decode(p, n);
	if (character_is_invisible(c))
		return (size_t)sprintf(out, c > 0xffff ? "\\U%08" PRIx32 : "\\u%04" PRIx32, c);
	memcpy(out, p, n);
	return n;
}

enum { GROWTH = 10 }; /* the most bytes that one becomes; quotes and … are fewer */

static size_t put_all(char *out, const void *bytes, size_t len, bool quote)
{
	const unsigned char *p = bytes;
	char *start = out;
	size_t used;

	for (size_t i = 0; i < len; i += used)
		out += put_next(out, p + i, len - i, quote, &used);
	*out = '\0';
	return (size_t)(out - start);
}

char *scene_harmless(const void *bytes, size_t len)
{
	char *out = memory_resize(NULL, len + 1, GROWTH);

	put_all(out, bytes, len, false);
	return out;
}

/* The length without an incomplete character at the end, which a cut payload may have. */
static size_t whole_characters(const unsigned char *p, size_t len)
{
	for (size_t back = 1; back <= 3 && back <= len; back++) {
		unsigned char c = p[len - back];

		if (c >= 0xc2 && c <= 0xf4)
			return utf8_sequence_len(p + len - back, back) ? len : len - back;
		if (c < 0x80)
			break;
	}
	return len;
}

char *scene_quote(const void *bytes, size_t len, uint64_t total)
{
	char *out = memory_resize(NULL, len + 1, GROWTH);
	size_t n = 0;

	if (len < total)
		len = whole_characters(bytes, len);
	out[n++] = '"';
	n += put_all(out + n, bytes, len, true);
	out[n++] = '"';
	memcpy(out + n, "…", len < total ? sizeof("…") : 0);
	if (len >= total)
		out[n] = '\0';
	return out;
}

char *scene_unquoted(const void *bytes, size_t len, uint64_t total)
{
	char *out = memory_resize(NULL, len + 1, GROWTH);
	size_t n;

	n = put_all(out, bytes, len < total ? whole_characters(bytes, len) : len, false);
	if (len < total)
		memcpy(out + n, "…", sizeof("…"));
	return out;
}

void scene_put_word(FILE *out, const char *word, size_t len, bool first)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-./:=+,@%^";
	bool quote = !len || strspn(word, plain) < len;

	if (!first)
		putc(' ', out);
	if (quote)
		putc('\'', out);
	for (size_t i = 0; i < len; i++) {
		if (word[i] == '\'')
			fputs("'\\''", out);
		else if (word[i])
			putc(word[i], out);
	}
	if (quote)
		putc('\'', out);
}

const char *scene_bytes(uint64_t bytes, char buf[SCENE_QUANTITY])
{
	static const char units[] = "KMGTPE";
	double value = (double)bytes / 1024;
	int unit = 0;

	if (bytes < 10000) {
		snprintf(buf, SCENE_QUANTITY, "%" PRIu64 " B", bytes);
		return buf;
	}
	for (; unit < 5 && value >= 1024; unit++)
		value /= 1024;
	snprintf(buf, SCENE_QUANTITY, value == (double)(uint64_t)value ? "%.0f %ciB" : "%.1f %ciB",
		 value, units[unit]);
	return buf;
}

const char *scene_duration(uint64_t ns, char buf[SCENE_QUANTITY])
{
	static const char *const units[] = {"ns", "µs", "ms", "s"};
	double value = (double)ns;
	int unit = 0;

	for (; unit < 3 && value >= 999.5; unit++)
		value /= 1000;
	snprintf(buf, SCENE_QUANTITY, unit == 0 || value >= 100 ? "%.0f %s" : "%.3g %s", value,
		 units[unit]);
	return buf;
}

const char *scene_count(uint64_t n, char buf[SCENE_QUANTITY])
{
	char digits[SCENE_QUANTITY];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, n);
	char *out = buf;

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			*out++ = ',';
		*out++ = digits[i];
	}
	*out = '\0';
	return buf;
}
