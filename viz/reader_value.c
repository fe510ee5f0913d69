// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The value of one key: whether it is of the kind that fields.def says, and what it holds. */
#include <math.h>
#include <stdlib.h>

#include "reader.h"

/* Doubles, in which cJSON keeps numbers, hold every integer below this one exactly. */
#define EXACT_END 0x1p53
#define INTEGER_END 0x1p63

static int base64_digit(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* In place: what comes out is shorter. false where it is not base64. */
static bool decode_base64(char *text, size_t *decoded_len)
{
	size_t len = strlen(text), out = 0;
	unsigned bits = 0, collected = 0;

	if (len % 4)
		return false;
	while (len && text[len - 1] == '=' && len % 4 != 2)
		len--;
	for (size_t i = 0; i < len; i++) {
		int digit = base64_digit(text[i]);

		if (digit < 0)
			return false;
		bits = bits << 6 | (unsigned)digit;
		collected += 6;
		if (collected >= 8) {
			collected -= 8;
			text[out++] = (char)(bits >> collected & 0xff);
		}
	}
	text[out] = '\0';
	*decoded_len = out;
	return true;
}

bool reader_bytes(const cJSON *json, struct viz_bytes *bytes)
{
	const cJSON *encoded = json;

	if (cJSON_IsString(json)) {
		*bytes = viz_bytes_of(json->valuestring);
		return true;
	}
	if (!cJSON_IsObject(json))
		return false;
	encoded = cJSON_GetObjectItemCaseSensitive(json, "base64");
	if (!cJSON_IsString(encoded) || !decode_base64(encoded->valuestring, &bytes->len))
		return false;
	bytes->data = encoded->valuestring;
	return true;
}

/*
 * A whole number; what is beyond 64 bits becomes the largest of them. What is beyond 2^53 was
 * rounded (the wall clock in nanoseconds, odd message types): whoever compares must mind that.
 */
static bool take_integer(const cJSON *json, int64_t *value)
{
	if (!cJSON_IsNumber(json) || !isfinite(json->valuedouble))
		return false;
	if (json->valuedouble >= INTEGER_END)
		*value = INT64_MAX;
	else if (json->valuedouble <= -INTEGER_END)
		*value = INT64_MIN;
	else
		*value = (int64_t)json->valuedouble;
	return *value == INT64_MAX || (double)*value == json->valuedouble ||
	       json->valuedouble < -INTEGER_END;
}

bool reader_int(const cJSON *json, int64_t *value)
{
	return take_integer(json, value) && json->valuedouble > -EXACT_END &&
	       json->valuedouble < EXACT_END;
}

bool reader_uint(const cJSON *json, uint64_t *value)
{
	int64_t integer;

	if (!reader_int(json, &integer) || integer < 0)
		return false;
	*value = (uint64_t)integer;
	return true;
}

/* Looks without decoding: that happens once, when the element is taken. */
static bool is_bytes(const cJSON *json)
{
	return cJSON_IsString(json) ||
	       (cJSON_IsObject(json) &&
		cJSON_IsString(cJSON_GetObjectItemCaseSensitive(json, "base64")));
}

static bool is_uint(const cJSON *json)
{
	uint64_t value;

	return reader_uint(json, &value);
}

static bool is_thread(const cJSON *json)
{
	return cJSON_IsObject(json) && is_uint(cJSON_GetObjectItemCaseSensitive(json, "pid")) &&
	       is_uint(cJSON_GetObjectItemCaseSensitive(json, "tid"));
}

static bool is_fd(const cJSON *json)
{
	int64_t fd;

	return cJSON_IsObject(json) &&
	       reader_int(cJSON_GetObjectItemCaseSensitive(json, "fd"), &fd) &&
	       is_bytes(cJSON_GetObjectItemCaseSensitive(json, "channel")) &&
	       cJSON_IsString(cJSON_GetObjectItemCaseSensitive(json, "access"));
}

static bool is_sem(const cJSON *json)
{
	return is_uint(cJSON_GetObjectItemCaseSensitive(json, "number"));
}

static bool is_list_of(const cJSON *json, bool (*is_element)(const cJSON *))
{
	const cJSON *element;

	if (!cJSON_IsArray(json))
		return false;
	cJSON_ArrayForEach(element, json)
	{
		if (!is_element(element))
			return false;
	}
	return true;
}

static bool is_string(const cJSON *json)
{
	return cJSON_IsString(json);
}

static bool is_wait(const cJSON *json)
{
	const cJSON *channel = cJSON_GetObjectItemCaseSensitive(json, "channel");
	int64_t fd;

	return cJSON_IsObject(json) &&
	       reader_int(cJSON_GetObjectItemCaseSensitive(json, "fd"), &fd) &&
	       (!channel || is_bytes(channel)) &&
	       is_list_of(cJSON_GetObjectItemCaseSensitive(json, "events"), is_string);
}

static bool is_named_send(const cJSON *json)
{
	return cJSON_IsObject(json) && is_uint(cJSON_GetObjectItemCaseSensitive(json, "operation"));
}

static bool is_chunk(const cJSON *json)
{
	const cJSON *others = cJSON_GetObjectItemCaseSensitive(json, "or");

	return is_named_send(json) && (!others || is_list_of(others, is_named_send));
}

static bool take_flag(const cJSON *json, struct trace_value *value)
{
	value->flag = cJSON_IsTrue(json);
	return cJSON_IsBool(json);
}

static bool take_word(enum field_kind kind, const cJSON *json, struct trace_value *value)
{
	if (cJSON_IsString(json))
		value->number = (uint64_t)word_by_name(kind, json->valuestring);
	return cJSON_IsString(json);
}

/* false where the value is not of that kind. */
bool reader_value(enum field_kind kind, const cJSON *json, struct trace_value *value)
{
	switch (kind) {
	case KIND_UINT:
		return reader_uint(json, &value->number);
	case KIND_INT:
		return take_integer(json, &value->integer);
	case KIND_BOOL:
		return take_flag(json, value);
	case KIND_TEXT:
		return cJSON_IsString(json) && reader_bytes(json, &value->bytes);
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
		return cJSON_IsObject(json);
	}
}
