// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "reader.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>

/* Doubles, in which cJSON keeps numbers, hold every integer below this one exactly. */
#define EXACT_END 0x1p53
#define INTEGER_END 0x1p63

void reader_init(struct reader *reader, FILE *stream, const char *name, struct viz_error *error)
{
	*reader = (struct reader){.stream = stream, .name = name, .error = error};
}

void reader_free(struct reader *reader)
{
	cJSON_Delete(reader->json);
	free(reader->buffer);
	reader->json = NULL;
	reader->buffer = NULL;
}

int reader_fail(struct reader *reader, const char *format, ...)
{
	char sentence[256];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	snprintf(reader->error->text, sizeof(reader->error->text), "%s:%" PRIu64 ": %s",
		 reader->name, reader->number, sentence);
	return -EBADMSG;
}

static int store_char(struct reader *reader, char c)
{
	if (reader->len + 1 >= reader->capacity) {
		size_t capacity = reader->capacity ? reader->capacity * 2 : 4096;
		char *buffer = realloc(reader->buffer, capacity);

		if (!buffer)
			return -ENOMEM;
		reader->buffer = buffer;
		reader->capacity = capacity;
	}
	reader->buffer[reader->len++] = c;
	reader->buffer[reader->len] = '\0';
	return 0;
}

/* 1: a line ended by a newline; 0: bytes up to the end of the file, maybe none; -errno. */
static int read_line(struct reader *reader)
{
	int c, err = 0;

	reader->len = 0;
	reader->number++;
	while (!err && (c = getc_unlocked(reader->stream)) != EOF && c != '\n') {
		if (reader->len == READER_LINE_MAX)
			return reader_fail(reader, "a line of more than %zu bytes",
					   READER_LINE_MAX);
		err = store_char(reader, (char)c);
	}
	if (!err && ferror(reader->stream))
		err = errno ? -errno : -EIO;
	if (err) {
		reader_fail(reader, "cannot be read: %s", strerror(-err));
		return err;
	}
	return c == '\n';
}

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

static bool is_chunk(const cJSON *json)
{
	uint64_t operation;

	return cJSON_IsObject(json) &&
	       reader_uint(cJSON_GetObjectItemCaseSensitive(json, "operation"), &operation);
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
static bool take_value(enum field_kind kind, const cJSON *json, struct trace_value *value)
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

/* The writer keeps the table's order, so the field after the last one is tried first. */
static enum field find_field(enum record record, const char *key, enum field hint)
{
	enum field first = record_first_field(record), end = record_end_field(record);

	if (hint < end && !strcmp(field_info(hint)->key, key))
		return hint;
	for (enum field field = first; field < end; field++)
		if (!strcmp(field_info(field)->key, key))
			return field;
	return FIELD_COUNT;
}

static const char *kind_words(enum field_kind kind)
{
	static const char *const words[KIND_COUNT] = {
		[KIND_UINT] = "a whole number from 0 to 2^53 - 1",
		[KIND_INT] = "a whole number",
		[KIND_BOOL] = "true or false",
		[KIND_TEXT] = "a string",
		[KIND_BYTES] = "a string or {\"base64\"}",
		[KIND_LIST] = "a list of strings",
		[KIND_UINTS] = "a list of whole numbers",
		[KIND_WAITS] = "a list of objects with fd and events",
		[KIND_THREAD] = "an object with pid and tid",
		[KIND_FDS] = "a list of objects with fd, channel and access",
		[KIND_SEMS] = "a list of objects with number, change and flags",
		[KIND_CHUNKS] = "a list of objects with the number of an operation",
		[KIND_OBJECT] = "an object",
	};

	return words[kind] ? words[kind] : "a string";
}

static const char *article(const char *noun)
{
	return strchr("aeiou", *noun) ? "an" : "a";
}

static int fail_kind(struct reader *reader, enum field field)
{
	const struct field_info *info = field_info(field);
	const char *record = record_name(info->record);

	return reader_fail(reader, "\"%s\" of %s %s line is not %s", info->key, article(record),
			   record, kind_words(info->kind));
}

static int take_fields(struct reader *reader, struct trace_line *line)
{
	enum field hint = record_first_field(line->record);
	const cJSON *item;

	cJSON_ArrayForEach(item, reader->json)
	{
		enum field field = find_field(line->record, item->string, hint);
		struct trace_value *value;

		if (field == FIELD_COUNT)
			continue;
		value = &line->values[field];
		if (value->present)
			return reader_fail(reader, "\"%s\" occurs twice", field_info(field)->key);
		if (!take_value(field_info(field)->kind, item, value))
			return fail_kind(reader, field);
		value->present = true;
		hint = field + 1;
	}
	return 0;
}

static int require_fields(struct reader *reader, const struct trace_line *line)
{
	enum field end = record_end_field(line->record);

	for (enum field field = record_first_field(line->record); field < end; field++)
		if (field_info(field)->presence == PRESENCE_ALWAYS && !line->values[field].present)
			return reader_fail(reader, "%s %s line without \"%s\"",
					   article(record_name(line->record)),
					   record_name(line->record), field_info(field)->key);
	return 0;
}

/* The buffer's NUL goes to cJSON too: older versions read one byte beyond the length. */
static bool parse_line(struct reader *reader)
{
	const char *end = NULL;

	cJSON_Delete(reader->json);
	reader->json = cJSON_ParseWithLengthOpts(reader->buffer, reader->len + 1, &end, false);
	if (!reader->json || !cJSON_IsObject(reader->json))
		return false;
	while (end < reader->buffer + reader->len && strchr(" \t\r", *end) && *end)
		end++;
	return end == reader->buffer + reader->len;
}

static int check_line(struct reader *reader, struct trace_line *line)
{
	const cJSON *type = cJSON_GetObjectItemCaseSensitive(reader->json, KEY_TYPE);
	int err;

	if (!cJSON_IsString(type))
		return reader_fail(reader, "a line without \"%s\"", KEY_TYPE);
	memset(line, 0, sizeof(*line));
	line->number = reader->number;
	line->record = record_by_name(type->valuestring);
	if (line->record == RECORD_NONE)
		return 0;
	err = take_fields(reader, line);
	if (!err)
		err = require_fields(reader, line);
	return err ? err : 1;
}

int reader_next(struct reader *reader, struct trace_line *line)
{
	int ended, result;

	do {
		ended = read_line(reader);
		if (ended < 0)
			return ended;
		if (!ended && reader->len == 0) {
			reader->number--;
			return 0;
		}
		if (!parse_line(reader)) {
			if (ended)
				return reader_fail(reader, "is not a JSON object");
			reader->number--;
			reader->cut = true;
			return 0;
		}
		result = check_line(reader, line);
		reader->skipped += result == 0;
	} while (result == 0);
	return result;
}
