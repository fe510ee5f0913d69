// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Checks that the value of a key is of the kind that fields.def says, and converts it. */
#include <math.h>
#include <stdlib.h>

#include "viz/reader/reader.h"

#define INTEGER_END 0x1p63

static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* The digits without the '=' that fill up the last four. */
static size_t digits_of_base64(const char *text, size_t len)
{
	if (len % 4)
		return 0;
	while (len && text[len - 1] == '=' && len % 4 != 2)
		len--;
	return len;
}

static bool is_base64(struct viz_bytes text)
{
	size_t len = digits_of_base64(text.data, text.len);

	for (size_t i = 0; i < len; i++)
		if (base64_digit(text.data[i]) < 0)
			return false;
	return text.len % 4 == 0;
}

/* Decodes in place, as the result is shorter. False if the text is not base64. */
static bool decode_base64(char *text, size_t *text_len)
{
	size_t len = digits_of_base64(text, *text_len), out = 0;
	unsigned bits = 0, collected = 0;

	if (!is_base64((struct viz_bytes){text, *text_len}))
		return false;
	for (size_t i = 0; i < len; i++) {
		bits = bits << 6 | (unsigned)base64_digit(text[i]);
		collected += 6;
		if (collected >= 8) {
			collected -= 8;
			text[out++] = (char)(bits >> collected & 0xff);
		}
	}
	text[out] = '\0';
	*text_len = out;
	return true;
}

bool reader_bytes(const struct json_node *json, struct viz_bytes *bytes)
{
	const struct json_node *encoded = json;

	if (json_is(json, JSON_STRING)) {
		*bytes = json->text;
		return true;
	}
	if (!json_is(json, JSON_OBJECT))
		return false;
	encoded = json_member(json, "base64");
	if (!json_is(encoded, JSON_STRING))
		return false;
	*bytes = encoded->text;
	return decode_base64((char *)bytes->data, &bytes->len);
}

/*
 * A magnitude of 64 bits with its sign; beyond the limits it becomes the nearest of them, and the
 * result is false.
 */
static bool signed_of(const struct json_node *json, int64_t *value)
{
	const uint64_t most = (uint64_t)INT64_MAX + json->negative;

	if (json->magnitude > most)
		*value = json->negative ? INT64_MIN : INT64_MAX;
	else
		*value = (int64_t)(json->negative ? -json->magnitude : json->magnitude);
	return json->magnitude <= most;
}

bool reader_nearest(const struct json_node *json, int64_t *value)
{
	if (json_is(json, JSON_INTEGER)) {
		signed_of(json, value);
		return true;
	}
	if (!json_is(json, JSON_REAL))
		return false;
	if (json->real >= INTEGER_END)
		*value = INT64_MAX;
	else
		*value = json->real <= -INTEGER_END ? INT64_MIN : (int64_t)json->real;
	return true;
}

/* A double of 2^53 or more has no room for a fraction. */
static bool is_whole(double real)
{
	return isfinite(real) &&
	       (fabs(real) >= (double)(UINT64_C(1) << 53) || (double)(int64_t)real == real);
}

/* A whole number; beyond 64 bits it becomes the nearest limit. */
static bool take_integer(const struct json_node *json, int64_t *value)
{
	if (!reader_nearest(json, value))
		return false;
	return json->type == JSON_INTEGER || is_whole(json->real);
}

bool reader_int(const struct json_node *json, int64_t *value)
{
	return json_is(json, JSON_INTEGER) && signed_of(json, value);
}

bool reader_uint(const struct json_node *json, uint64_t *value)
{
	if (!json_is(json, JSON_INTEGER) || (json->negative && json->magnitude))
		return false;
	*value = json->magnitude;
	return true;
}

/* Checks without decoding, which happens once, when the element is taken. */
static bool is_bytes(const struct json_node *json)
{
	const struct json_node *encoded;

	if (!json_is(json, JSON_OBJECT))
		return json_is(json, JSON_STRING);
	encoded = json_member(json, "base64");
	return json_is(encoded, JSON_STRING) && is_base64(encoded->text);
}

static bool is_uint(const struct json_node *json)
{
	uint64_t value;

	return reader_uint(json, &value);
}

static bool is_u32(const struct json_node *json)
{
	uint64_t value;

	return reader_uint(json, &value) && value <= UINT32_MAX;
}

static bool is_thread(const struct json_node *json)
{
	return json_is(json, JSON_OBJECT) && is_u32(json_member(json, "pid")) &&
	       is_u32(json_member(json, "tid"));
}

/* -1 is the number of an object that has no descriptor. */
static bool is_fd_number(const struct json_node *json)
{
	int64_t fd;

	return reader_int(json, &fd) && fd >= INT32_MIN && fd <= INT32_MAX;
}

static bool is_fd(const struct json_node *json)
{
	return json_is(json, JSON_OBJECT) && is_fd_number(json_member(json, "fd")) &&
	       is_bytes(json_member(json, "channel")) &&
	       json_is(json_member(json, "access"), JSON_STRING);
}

static bool is_sem(const struct json_node *json)
{
	return is_uint(json_member(json, "number"));
}

static bool is_list_of(const struct json_node *json, bool (*is_element)(const struct json_node *))
{
	const struct json_node *element;

	if (!json_is(json, JSON_ARRAY))
		return false;
	json_for_each(element, json)
	{
		if (!is_element(element))
			return false;
	}
	return true;
}

static bool is_string(const struct json_node *json)
{
	return json_is(json, JSON_STRING);
}

static bool is_wait(const struct json_node *json)
{
	const struct json_node *channel = json_member(json, "channel");

	return json_is(json, JSON_OBJECT) && is_fd_number(json_member(json, "fd")) &&
	       (!channel || is_bytes(channel)) &&
	       is_list_of(json_member(json, "events"), is_string);
}

static bool is_named_send(const struct json_node *json)
{
	return json_is(json, JSON_OBJECT) && is_uint(json_member(json, "operation"));
}

static bool is_chunk(const struct json_node *json)
{
	const struct json_node *others = json_member(json, "or");

	return is_named_send(json) && (!others || is_list_of(others, is_named_send));
}

static bool take_flag(const struct json_node *json, struct trace_value *value)
{
	value->flag = json_is(json, JSON_TRUE);
	return value->flag || json_is(json, JSON_FALSE);
}

static bool take_word(enum field_kind kind, const struct json_node *json, struct trace_value *value)
{
	if (json_is(json, JSON_STRING))
		value->number = (uint64_t)word_by_name(kind, json->text.data);
	return json_is(json, JSON_STRING);
}

/* False if the value is not of that kind. */
bool reader_value(enum field_kind kind, const struct json_node *json, struct trace_value *value)
{
	switch (kind) {
	case KIND_UINT:
		return reader_uint(json, &value->number);
	case KIND_U32:
		return reader_uint(json, &value->number) && value->number <= UINT32_MAX;
	case KIND_TIME:
		return reader_uint(json, &value->number) && value->number <= INT64_MAX;
	case KIND_INT:
		return take_integer(json, &value->integer);
	case KIND_BOOL:
		return take_flag(json, value);
	case KIND_TEXT:
		return json_is(json, JSON_STRING) && reader_bytes(json, &value->bytes);
	case KIND_BYTES:
		return reader_bytes(json, &value->bytes);
	default:
		break;
	}
	if (word_list(kind)->count)
		return take_word(kind, json, value);
	value->json = json;
	switch (kind) {
	case KIND_LIST:
		return is_list_of(json, is_bytes);
	case KIND_UINTS:
		return is_list_of(json, is_uint);
	case KIND_THREAD:
		return is_thread(json);
	case KIND_WAITS:
		return is_list_of(json, is_wait);
	case KIND_FDS:
		return is_list_of(json, is_fd);
	case KIND_SEMS:
		return is_list_of(json, is_sem);
	case KIND_CHUNKS:
		return is_list_of(json, is_chunk);
	default:
		return json_is(json, JSON_OBJECT);
	}
}
