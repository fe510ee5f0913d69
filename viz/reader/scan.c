// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/reader/scan.h"

#include <stdint.h>
#include <string.h>

#include "viz/reader/scan_text.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Puts the character of \uXXXX in UTF-8; NULL for NUL and surrogates, which we never write. */
static char *put_unicode(const char *hex, char *out)
{
	unsigned code = 0;

	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(hex[i]);

		if (digit < 0)
			return NULL;
		code = code << 4 | (unsigned)digit;
	}
	if (code == 0 || (code >= 0xd800 && code < 0xe000))
		return NULL;
	if (code < 0x80) {
		*out++ = (char)code;
	} else if (code < 0x800) {
		*out++ = (char)(0xc0 | code >> 6);
		*out++ = (char)(0x80 | (code & 0x3f));
	} else {
		*out++ = (char)(0xe0 | code >> 12);
		*out++ = (char)(0x80 | (code >> 6 & 0x3f));
		*out++ = (char)(0x80 | (code & 0x3f));
	}
	return out;
}

static char plain_escape(char c)
{
	switch (c) {
	case '"':
	case '\\':
	case '/':
		return c;
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		return '\0';
	}
}

/* Puts what the escape behind the backslash stands for, and passes it; NULL: it is none. */
static char *put_escape(struct scan *s, char *out)
{
	char c = *++s->at;

	if (c == 'u') {
		out = put_unicode(s->at + 1, out);
		s->at += 5;
		return out;
	}
	*out = plain_escape(c);
	s->at++;
	return *out ? out + 1 : NULL;
}

/* An escape is never shorter than what it means. */
bool scan_unescape(struct scan *s, struct viz_bytes *text)
{
	char *out = s->at;

	while (*s->at == '\\') {
		char *end;

		out = put_escape(s, out);
		if (!out)
			return false;
		end = scan_string_special(s->at);
		memmove(out, s->at, (size_t)(end - s->at));
		out += end - s->at;
		s->at = end;
	}
	if (*s->at++ != '"')
		return false;
	*out = '\0';
	text->len = (size_t)(out - text->data);
	return true;
}

bool scan_long_number(const char **at, uint64_t *number)
{
	const char *last = *at + SCAN_DIGITS_MAX - 16;

	for (; *at < last && scan_is_digit(**at); ++*at)
		*number = *number * 10 + (uint64_t)(**at - '0');
	if (!scan_is_digit(**at))
		return true;
	if (__builtin_mul_overflow(*number, 10, number) ||
	    __builtin_add_overflow(*number, (uint64_t)(**at - '0'), number))
		return false;
	++*at;
	return !scan_is_digit(**at);
}

static inline bool scan_number(struct scan *s, struct json_node *node)
{
	node->type = JSON_INTEGER;
	node->negative = *s->at == '-';
	s->at += node->negative;
	return scan_magnitude(s, &node->magnitude);
}

static inline void skip_blanks(struct scan *s)
{
	if (*s->at > ' ') /* nearly always */
		return;
	while (*s->at == ' ' || *s->at == '\t' || *s->at == '\r')
		s->at++;
}

static bool scan_key(struct scan *s, struct json_node *node)
{
	if (*s->at++ != '"' || !scan_string(s, &node->key))
		return false;
	skip_blanks(s);
	if (*s->at++ != ':')
		return false;
	skip_blanks(s);
	return true;
}

/* From behind the opening bracket. */
static bool scan_list(struct scan *s, struct json_node *list, bool object)
{
	const char close = object ? '}' : ']';
	struct json_node **end = &list->child;
	bool more = true;

	list->type = object ? JSON_OBJECT : JSON_ARRAY;
	list->child = NULL;
	if (s->depth == SCAN_DEPTH_MAX)
		return false;
	skip_blanks(s);
	if (*s->at == close) {
		s->at++;
		return true;
	}
	for (s->depth++; more;) {
		struct json_node *node = s->free++;

		node->key = (struct viz_bytes){NULL, 0};
		skip_blanks(s);
		if ((object && !scan_key(s, node)) || !scan_value(s, node))
			return false;
		*end = node;
		end = &node->next;
		skip_blanks(s);
		more = *s->at++ == ',';
	}
	*end = NULL;
	s->depth--;
	return s->at[-1] == close;
}

static bool scan_literal(struct scan *s, struct json_node *node, const char *word,
			 enum json_type type)
{
	size_t len = strlen(word);

	node->type = type;
	if (strncmp(s->at, word, len) != 0)
		return false;
	s->at += len;
	return true;
}

bool scan_value(struct scan *s, struct json_node *node)
{
	switch (*s->at) {
	case '"':
		s->at++;
		node->type = JSON_STRING;
		return scan_string(s, &node->text);
	case '{':
	case '[':
		return scan_list(s, node, *s->at++ == '{');
	case 't':
		return scan_literal(s, node, "true", JSON_TRUE);
	case 'f':
		return scan_literal(s, node, "false", JSON_FALSE);
	case 'n':
		return scan_literal(s, node, "null", JSON_NULL);
	default:
		return scan_number(s, node);
	}
}

bool scan_object(char *text, size_t len, struct json_node *nodes)
{
	struct scan s = {.at = text, .free = nodes + 1};

	nodes->key = (struct viz_bytes){NULL, 0};
	nodes->next = NULL;
	skip_blanks(&s);
	if (*s.at != '{' || !scan_value(&s, nodes))
		return false;
	skip_blanks(&s);
	return s.at == text + len;
}
