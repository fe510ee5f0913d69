// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Builds the texts of findings: fills in templates and makes names harmless. */
#include "viz/diagnose/core/finding_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include "viz/base/memory.h"
#include "viz/base/safe_text.h"
#include "viz/diagnose/core/finder.h"
#include "viz/model/channel_words.h"

static const char *value_of(const char *name, size_t len, const struct finding_value *values,
			    size_t count)
{
	for (size_t i = count; i-- > 0;)
		if (strlen(values[i].name) == len && memcmp(values[i].name, name, len) == 0)
			return values[i].text;
	return NULL;
}

/* True for "1" and "1 message", which take the singular in English and German. */
static bool is_one(const char *value)
{
	return value[0] == '1' && (value[1] == '\0' || value[1] == ' ');
}

/*
 * Fills in the brace that `pattern` begins with. Returns the text after it, or NULL if the brace
 * has no value. A choice without a value takes the plural.
 */
static const char *fill_brace(FILE *out, const char *pattern, const struct finding_value *values,
			      size_t count)
{
	const char *end = strchr(pattern, '}'), *one, *many, *value;

	if (!end)
		return NULL;
	one = memchr(pattern, '|', (size_t)(end - pattern));
	many = one ? memchr(one + 1, '|', (size_t)(end - one - 1)) : NULL;
	value = value_of(pattern + 1, (size_t)((many ? one : end) - pattern - 1), values, count);
	if (value && !many)
		fputs(value, out);
	else if (value && is_one(value))
		fwrite(one + 1, 1, (size_t)(many - one - 1), out);
	else if (many)
		fwrite(many + 1, 1, (size_t)(end - many - 1), out);
	return value || many ? end + 1 : NULL;
}

const char *fill_named(struct arena *arena, const char *pattern, const struct finding_value *values,
		       size_t count)
{
	char *text = NULL;
	size_t len = 0;
	struct viz_bytes kept;
	FILE *out = memory_stream(&text, &len);

	while (*pattern) {
		const char *next = *pattern == '{' ? fill_brace(out, pattern, values, count) : NULL;

		if (!next)
			putc(*pattern, out);
		pattern = next ? next : pattern + 1;
	}
	memory_stream_end(out);
	kept = arena_bytes(arena, text, len);
	free(text);
	return kept.data;
}

static const char *keep(struct diagnosis *d, char *text)
{
	const char *kept = arena_bytes(d->arena, text, strlen(text)).data;

	free(text);
	return kept;
}

static const char *list_text(struct diagnosis *d, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

static const char *list_text(struct diagnosis *d, const char *format, va_list args)
{
	return keep(d, memory_vformat(format, args));
}

const char *format_text(struct diagnosis *d, const char *format, ...)
{
	const char *text;
	va_list args;

	va_start(args, format);
	text = list_text(d, format, args);
	va_end(args);
	return text;
}

void finding_set(struct diagnosis *d, struct finding *f, const char *name, const char *format, ...)
{
	struct finding_value value = {.name = name};
	va_list args;

	va_start(args, format);
	value.text = list_text(d, format, args);
	va_end(args);
	ARENA_PUSH(d->arena, f->values, f->value_count, value);
}

const char *finding_value_of(const struct finding *f, const char *name)
{
	return value_of(name, strlen(name), f->values, f->value_count) ?: "";
}

const char *fill_phrase(struct diagnosis *d, enum phrase phrase, const char *one, const char *two,
			const char *three)
{
	const struct finding_value values[] = {
		{"1", one ? one : ""}, {"2", two ? two : ""}, {"3", three ? three : ""}};

	return fill_named(d->arena, phrase_text(phrase, d->language), values, 3);
}

const char *bytes_text(struct diagnosis *d, struct viz_bytes bytes)
{
	return keep(d, scene_harmless(bytes.data ? bytes.data : "", bytes.data ? bytes.len : 0));
}

const char *process_text(struct diagnosis *d, const struct viz_process *process)
{
	char number[VIZ_NUMBER], name[VIZ_NAME];
	const char *comm = process && process->comm.len
				   ? bytes_text(d, viz_process_name(process, process->comm, name))
				   : "?";

	return process ? format_text(d, "%s[%s]", comm, viz_process_number(process, number)) : comm;
}

const char *end_text(struct diagnosis *d, const struct viz_end *end)
{
	if (end->process)
		return process_text(d, end->process);
	return end->known ? format_text(d, "pid %" PRIu32, end->pid)
			  : fill_phrase(d, PHRASE_SOMEBODY, NULL, NULL, NULL);
}

/* Returns the channel as in pictures: its id, and its name, key or address. */
const char *channel_text(struct diagnosis *d, const struct viz_channel *channel)
{
	struct viz_bytes more = channel->name;
	char words[CHANNEL_WORDS];
	const char *text;

	if (!more.len)
		more = channel->key.len ? channel->key : channel->local_address;
	if (channel_is_private(channel))
		more = viz_bytes_of(CHANNEL_PRIVATE);
	if (!more.len)
		return bytes_text(d, channel_words(channel, d->language == LANGUAGE_DE, words));
	text = bytes_text(d, more);
	if (channel->key.len && !channel->name.len && !channel_is_private(channel))
		text = fill_phrase(d, PHRASE_KEY, text, NULL, NULL);
	return format_text(d, "%s %s",
			   bytes_text(d, channel_words(channel, d->language == LANGUAGE_DE, words)),
			   text);
}

const char *call_text(struct diagnosis *d, const struct viz_operation *op)
{
	const char *name = bytes_text(d, op->syscall);

	return op->fd >= 0 ? format_text(d, "%s(%" PRId32 ")", name, op->fd)
			   : format_text(d, "%s()", name);
}

const char *amount_text(struct diagnosis *d, uint64_t bytes)
{
	char buf[SCENE_QUANTITY];

	scene_bytes(bytes, buf);
	return format_text(d, "%s", language_number(d->language, buf));
}

const char *duration_text(struct diagnosis *d, uint64_t ns)
{
	char buf[SCENE_QUANTITY];

	scene_duration(ns, buf);
	return format_text(d, "%s", language_number(d->language, buf));
}

/* Returns the time of day, and how long before the end of the trace it was. */
static const char *ago_text(struct diagnosis *d, uint64_t at_ns)
{
	/* Unsigned, since a trace may hold any offset: then it is wrong, but not undefined. */
	uint64_t wall_ns = at_ns + (uint64_t)d->model->header.realtime_offset_ns;
	time_t seconds = (time_t)((int64_t)wall_ns / (int64_t)(1000 * MILLISECOND));
	bool today = d->until_ns - at_ns < 12 * 3600 * 1000 * MILLISECOND;
	struct tm local;
	char text[64] = "?";

	if (localtime_r(&seconds, &local))
		strftime(text, sizeof(text), today ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &local);
	return fill_phrase(d, PHRASE_AGO, text, duration_text(d, d->until_ns - at_ns), NULL);
}

/* Returns how long after time zero it was, always in seconds: "0.007 s". */
static const char *seconds_text(struct diagnosis *d, uint64_t from_ns)
{
	char seconds[SCENE_QUANTITY];

	snprintf(seconds, sizeof(seconds), from_ns < MILLISECOND ? "%.6f" : "%.3f",
		 (double)from_ns / 1e9);
	return format_text(d, "%s s", language_number(d->language, seconds));
}

const char *time_text(struct diagnosis *d, uint64_t at_ns)
{
	uint64_t begin_ns = d->begin_ns;

	if (at_ns < d->start_ns && d->until_ns >= d->start_ns)
		return ago_text(d, at_ns);
	return seconds_text(d, at_ns > begin_ns ? at_ns - begin_ns : 0);
}

const char *since_text(struct diagnosis *d, uint64_t at_ns)
{
	uint64_t begin_ns = d->begin_ns;
	uint64_t from_ns = at_ns > begin_ns ? at_ns - begin_ns : 0;
	const char *lasted = duration_text(d, lasted_ns(d, at_ns));

	if (at_ns < d->start_ns && d->until_ns >= d->start_ns)
		return fill_phrase(d, PHRASE_SINCE, ago_text(d, at_ns), NULL, NULL);
	if (from_ns < MILLISECOND / 2)
		return fill_phrase(d, PHRASE_ALL_ALONG, lasted, NULL, NULL);
	return fill_phrase(d, PHRASE_LASTING, lasted, seconds_text(d, from_ns), NULL);
}

const char *joined_text(struct diagnosis *d, const char *first, const char *separator,
			const char *next)
{
	return first ? format_text(d, "%s%s%s", first, separator, next) : next;
}

const struct viz_operation *next_call(const struct diagnosis *d, const struct viz_operation *op,
				      bool *cut)
{
	enum { LOOK_AT = 100000 };

	*cut = false;
	for (size_t i = op->index + 1; i < d->model->operation_count; i++) {
		const struct viz_operation *next = d->model->operations[i];

		if (next->thread == op->thread && next->channel == op->channel)
			return next;
		if (i - op->index > LOOK_AT) {
			*cut = true;
			return NULL;
		}
	}
	return NULL;
}
