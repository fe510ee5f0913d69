// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The words of findings: templates filled in, names made harmless. */
#include "find_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include "find.h"
#include "model_begin.h"
#include "scene_text.h"

static const char *value_of(const char *name, size_t len, const struct finding_value *values,
			    size_t count)
{
	for (size_t i = count; i-- > 0;)
		if (strlen(values[i].name) == len && memcmp(values[i].name, name, len) == 0)
			return values[i].text;
	return NULL;
}

/* "1", or "1 message": what English and German call by the singular. */
static bool is_one(const char *value)
{
	return value[0] == '1' && (value[1] == '\0' || value[1] == ' ');
}

/*
 * `pattern` begins with a brace. What follows it, or NULL: it is no value's. A choice whose value
 * is not known yet reads as of many.
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
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return pattern;
	while (*pattern) {
		const char *next = *pattern == '{' ? fill_brace(out, pattern, values, count) : NULL;

		if (!next)
			putc(*pattern, out);
		pattern = next ? next : pattern + 1;
	}
	fclose(out);
	kept = arena_bytes(arena, text ? text : "", len);
	free(text);
	return kept.data ? kept.data : "";
}

static const char *keep(struct diagnosis *d, char *text)
{
	const char *kept = arena_bytes(d->arena, text ? text : "", text ? strlen(text) : 0).data;

	free(text);
	return kept ? kept : "";
}

static const char *say_list(struct diagnosis *d, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

static const char *say_list(struct diagnosis *d, const char *format, va_list args)
{
	char *text;

	return keep(d, vasprintf(&text, format, args) < 0 ? NULL : text);
}

const char *say(struct diagnosis *d, const char *format, ...)
{
	const char *text;
	va_list args;

	va_start(args, format);
	text = say_list(d, format, args);
	va_end(args);
	return text;
}

void finding_say(struct diagnosis *d, struct finding *f, const char *name, const char *format, ...)
{
	struct finding_value value = {.name = name};
	va_list args;

	va_start(args, format);
	value.text = say_list(d, format, args);
	va_end(args);
	ARENA_PUSH(d->arena, f->values, f->value_count, value);
}

const char *say_phrase(struct diagnosis *d, enum phrase phrase, const char *one, const char *two,
		       const char *three)
{
	const struct finding_value values[] = {
		{"1", one ? one : ""}, {"2", two ? two : ""}, {"3", three ? three : ""}};

	return fill_named(d->arena, phrase_text(phrase, d->language), values, 3);
}

const char *say_bytes(struct diagnosis *d, struct viz_bytes bytes)
{
	return keep(d, scene_harmless(bytes.data ? bytes.data : "", bytes.data ? bytes.len : 0));
}

const char *say_process(struct diagnosis *d, const struct viz_process *process)
{
	const char *comm = process && process->comm.len ? say_bytes(d, process->comm) : "?";

	return process ? say(d, "%s[%" PRIu32 "]", comm, process->pid) : comm;
}

const char *say_end(struct diagnosis *d, const struct viz_end *end)
{
	if (end->process)
		return say_process(d, end->process);
	return end->known ? say(d, "pid %" PRIu32, end->pid)
			  : say_phrase(d, PHRASE_SOMEBODY, NULL, NULL, NULL);
}

/* As in pictures: the id, and what says more. */
const char *say_channel(struct diagnosis *d, const struct viz_channel *channel)
{
	struct viz_bytes more = channel->name;
	const char *text;

	if (!more.len)
		more = channel->key.len ? channel->key : channel->local_address;
	if (!more.len)
		return say_bytes(d, channel->id);
	text = say_bytes(d, more);
	if (channel->key.len && !channel->name.len)
		text = say_phrase(d, PHRASE_KEY, text, NULL, NULL);
	return say(d, "%s %s", say_bytes(d, channel->id), text);
}

const char *say_call(struct diagnosis *d, const struct viz_operation *op)
{
	const char *name = say_bytes(d, op->syscall);

	return op->fd >= 0 ? say(d, "%s(%" PRId32 ")", name, op->fd) : say(d, "%s()", name);
}

const char *say_amount(struct diagnosis *d, uint64_t bytes)
{
	char buf[SCENE_QUANTITY];

	return say(d, "%s", scene_bytes(bytes, buf));
}

const char *say_duration(struct diagnosis *d, uint64_t ns)
{
	char buf[SCENE_QUANTITY];

	return say(d, "%s", scene_duration(ns, buf));
}

/* By the clock on the wall, and how long before the trace ended. */
static const char *say_ago(struct diagnosis *d, uint64_t at_ns)
{
	time_t seconds = (time_t)(((int64_t)at_ns + d->model->header.realtime_offset_ns) /
				  (int64_t)(1000 * MILLISECOND));
	bool today = d->end_ns - at_ns < 12 * 3600 * 1000 * MILLISECOND;
	struct tm local;
	char text[64] = "?";

	if (localtime_r(&seconds, &local))
		strftime(text, sizeof(text), today ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &local);
	return say_phrase(d, PHRASE_AGO, text, say_duration(d, d->end_ns - at_ns), NULL);
}

const char *say_time(struct diagnosis *d, uint64_t at_ns)
{
	uint64_t start_ns = d->model->header.start_ns;
	uint64_t begin_ns = viz_model_begin_ns(d->model);

	if (at_ns < start_ns && d->end_ns >= start_ns)
		return say_ago(d, at_ns);
	return say_duration(d, at_ns > begin_ns ? at_ns - begin_ns : 0);
}

const char *say_join(struct diagnosis *d, const char *first, const char *separator,
		     const char *next)
{
	return first ? say(d, "%s%s%s", first, separator, next) : next;
}

bool is_call(const struct viz_operation *op, const char *syscall)
{
	return viz_bytes_equal(op->syscall, viz_bytes_of(syscall));
}

bool has_error(const struct viz_operation *op, const char *error)
{
	return viz_operation_failed(op) && viz_bytes_equal(op->error, viz_bytes_of(error));
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
