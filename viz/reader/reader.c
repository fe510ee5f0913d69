// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/reader/reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>

#include "viz/reader/line_scan.h"

/* The longest record decides; operations.c asserts the same of its own bits. */
_Static_assert(FIELD_signal_event - FIELD_operation_id <= 64 * LINE_GIVEN_WORDS, "a bit each");

static void list_required(struct reader *reader)
{
	for (enum field field = 0; field < FIELD_COUNT; field++) {
		enum record record = field_info(field)->record;
		unsigned bit = (unsigned)(field - record_first_field(record));

		if (field_info(field)->presence == PRESENCE_ALWAYS)
			reader->required[record][bit / 64] |= (uint64_t)1 << bit % 64;
	}
}

void reader_init(struct reader *reader, FILE *stream, const char *name, struct viz_error *error)
{
	*reader = (struct reader){.name = name, .error = error};
	line_source_init(&reader->source, stream);
	field_index_init(&reader->fields);
	list_required(reader);
	error->line = 0;
}

void reader_free(struct reader *reader)
{
	json_line_free(&reader->json);
	line_source_free(&reader->source);
}

int reader_fail(struct reader *reader, const char *format, ...)
{
	char sentence[256];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	reader->error->line = reader->number;
	snprintf(reader->error->text, sizeof(reader->error->text), "%s:%" PRIu64 ": %s",
		 reader->name, reader->number, sentence);
	return -EBADMSG;
}

void reader_leave_out(struct reader *reader)
{
	if (!reader->wrong++)
		reader->first_wrong = *reader->error;
	reader->error->text[0] = '\0';
	reader->error->line = 0;
}

/* -EBADMSG, also where the line has no end. */
static int pass_long_line(struct reader *reader)
{
	int result = line_source_pass(&reader->source);

	if (result >= 0)
		return reader_fail(reader, "a line of more than %zu bytes", READER_LINE_MAX);
	reader_fail(reader, "cannot be read: %s", strerror(-result));
	return result;
}

/*
 * 1: a line that ends in a newline; 0: the bytes up to the end of the file, if any; -EBADMSG: the
 * line was too long and is passed; any other -errno: it cannot be read.
 */
static int read_line(struct reader *reader, char **text, size_t *len)
{
	int result;

	reader->number++;
	result = line_source_next(&reader->source, text, len);
	if (result == -EMSGSIZE)
		return pass_long_line(reader);
	if (result < 0)
		reader_fail(reader, "cannot be read: %s", strerror(-result));
	return result;
}

static int take_fields(struct reader *reader, const struct json_node *json, struct trace_line *line)
{
	const struct json_node *item;

	json_for_each(item, json)
	{
		struct field_entry *entry = field_index_find(&reader->fields, line->record,
							     item->key);
		struct trace_value *value;

		if (!entry)
			continue;
		value = &line->values[entry->field];
		if (value->present)
			return reader_fail(reader, "\"%s\" occurs twice", entry->key.data);
		value->present = true;
		line->given[entry->bit / 64] |= (uint64_t)1 << entry->bit % 64;
		if (!reader_value(entry->kind, item, value))
			return reader_fail_kind(reader, entry->field);
	}
	return 0;
}

static int require_fields(struct reader *reader, const struct trace_line *line)
{
	enum field end = record_end_field(line->record);

	if (line_has_required(reader, line))
		return 0;
	for (enum field field = record_first_field(line->record); field < end; field++)
		if (field_info(field)->presence == PRESENCE_ALWAYS && !line->values[field].present)
			return reader_fail(reader, "%s %s line without \"%s\"",
					   reader_article(record_name(line->record)),
					   record_name(line->record), field_info(field)->key);
	return 0;
}

static int check_line(struct reader *reader, const struct json_node *json, struct trace_line *line)
{
	const struct json_node *type = json_member(json, KEY_TYPE);
	int err;

	if (!json_is(type, JSON_STRING))
		return reader_fail(reader, "a line without \"%s\"", KEY_TYPE);
	line_clear(line);
	line->number = reader->number;
	line->record = record_by_name(type->text.data);
	if (line->record == RECORD_NONE)
		return 0;
	err = take_fields(reader, json, line);
	if (!err)
		err = require_fields(reader, line);
	return err ? err : 1;
}

static size_t list_len(const struct json_node *list)
{
	const struct json_node *item;
	size_t len = 0;

	json_for_each(item, list)
	{
		const struct json_node *base64 = json_first(item);

		len += json_string(base64 ? base64 : item).len;
	}
	return len;
}

/* The length of names that pictures and tables may tell again and again; of others 0. */
static size_t name_len(enum field field, const struct trace_value *value)
{
	const enum field_kind kind = field_info(field)->kind;

	if (!value->present || field == FIELD_operation_payload)
		return 0;
	if (kind == KIND_TEXT || kind == KIND_BYTES)
		return value->bytes.len;
	return field == FIELD_process_args ? list_len(value->json) : 0;
}

static int refuse_long_names(struct reader *reader, const struct trace_line *line)
{
	const enum field end = record_end_field(line->record);

	for (enum field field = record_first_field(line->record); field < end; field++)
		if (name_len(field, &line->values[field]) > READER_NAME_MAX)
			return reader_fail(reader, "\"%s\" of more than %d bytes",
					   field_info(field)->key, READER_NAME_MAX);
	return 0;
}

enum { LINE_END, LINE_TAKEN, LINE_SKIPPED };

/* One of the above, or -errno. */
static int take_line(struct reader *reader, struct trace_line *line)
{
	const struct json_node *json;
	char *text;
	size_t len;
	int result, ended = read_line(reader, &text, &len);

	if (ended < 0)
		return ended;
	if (ended && !reader->whole_tree && line_scan(reader, text, len, line))
		return len > READER_NAME_MAX && refuse_long_names(reader, line) ? -EBADMSG
										: LINE_TAKEN;
	json = !ended && len == 0 ? NULL : json_line_read(&reader->json, text, len);
	if (!json && ended)
		return reader_fail(reader, "is not a JSON object");
	if (!json) {
		reader->number--;
		reader->cut = len > 0;
		return LINE_END;
	}
	result = check_line(reader, json, line);
	if (result == 1 && len > READER_NAME_MAX && refuse_long_names(reader, line))
		return -EBADMSG;
	if (result)
		return result;
	reader->skipped++;
	return LINE_SKIPPED;
}

int reader_next(struct reader *reader, struct trace_line *line)
{
	int result;

	do {
		result = take_line(reader, line);
		if (result == -EBADMSG && reader->tolerant) {
			reader_leave_out(reader);
			result = LINE_SKIPPED;
		}
	} while (result == LINE_SKIPPED);
	return result;
}

static const char *kind_words(enum field_kind kind)
{
	static const char *const words[KIND_COUNT] = {
		[KIND_UINT] = "a whole number from 0 to 2^64 - 1",
		[KIND_U32] = "a whole number from 0 to 2^32 - 1",
		[KIND_TIME] = "a time from 0 to 2^63 - 1",
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

const char *reader_article(const char *noun)
{
	return strchr("aeiou", *noun) ? "an" : "a";
}

int reader_fail_kind(struct reader *reader, enum field field)
{
	const struct field_info *info = field_info(field);
	const char *record = record_name(info->record);

	return reader_fail(reader, "\"%s\" of %s %s line is not %s", info->key,
			   reader_article(record), record, kind_words(info->kind));
}
