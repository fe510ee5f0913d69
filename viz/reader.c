// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

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

/* Of a trace that is still being written, the end is where the next line will be. */
static int next_char(struct reader *reader)
{
	int c;

	while ((c = getc_unlocked(reader->stream)) == EOF && reader->more &&
	       !ferror(reader->stream) && reader->more(reader->more_data))
		clearerr(reader->stream);
	return c;
}

/* 1: a line ended by a newline; 0: bytes up to the end of the file, maybe none; -errno. */
static int read_line(struct reader *reader)
{
	int c, err = 0;

	reader->len = 0;
	reader->number++;
	while (!err && (c = next_char(reader)) != EOF && c != '\n') {
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
		if (!reader_value(field_info(field)->kind, item, value))
			return reader_fail_kind(reader, field);
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
					   reader_article(record_name(line->record)),
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
