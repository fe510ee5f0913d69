// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/merge/merge.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "viz/merge/renaming.h"
#include "viz/reader/json_copy.h"

/* One trace while its lines are written. */
struct source {
	struct trace_input input;
	struct renaming renaming;
	bool ended;
	int64_t at_ns; /* of the current line, in the merged trace */
};

struct output {
	struct merge *merge;
	struct source *sources;
	struct json json;
	FILE *out;
	int64_t end_ns; /* the latest time written */
};

/* A line of JSON that is whole goes out; the next one begins. */
static int put_line(struct output *o)
{
	size_t written = o->json.failed ? 0 : fwrite(o->json.data, 1, o->json.len, o->out);
	bool whole = !o->json.failed && written == o->json.len;

	if (o->json.failed)
		errno = ENOMEM;
	json_reset(&o->json);
	o->merge->lines += whole;
	return whole ? 0 : -errno;
}

static void begin_line(struct output *o, enum record record)
{
	json_object(&o->json);
	json_field_text(&o->json, KEY_TYPE, record_name(record));
}

static int end_line(struct output *o)
{
	json_end_object(&o->json);
	json_newline(&o->json);
	return put_line(o);
}

/* --- header --- */

static bool all_have_hook(const struct merge *merge, struct viz_bytes hook)
{
	for (size_t i = 0; i < merge->trace_count; i++)
		if (!map_get(&merge->traces[i].hooks, hook))
			return false;
	return true;
}

/* A hook counts as attached where it was for all traces. */
static void write_hooks(struct output *o, const struct trace_value *hooks)
{
	const struct json_node *hook;

	json_key(&o->json, KEY(header, hooks));
	json_object(&o->json);
	json_for_each(hook, hooks->json)
	{
		if (!json_is(hook, JSON_TRUE) || !json_copy_keeps_key(hook->key))
			continue;
		json_key_len(&o->json, hook->key.data, hook->key.len);
		json_bool(&o->json, all_have_hook(o->merge, hook->key));
	}
	json_end_object(&o->json);
}

static int64_t start_of(const struct merge *merge)
{
	int64_t start = INT64_MAX;

	for (size_t i = 0; i < merge->trace_count; i++) {
		int64_t own = merge_host_time(merge->traces[i].host, merge->traces[i].start_ns);

		if (own >= 0 && own < start)
			start = own;
	}
	return start;
}

static uint64_t processors_of(const struct merge *merge)
{
	const struct trace_facts *last = &merge->traces[merge->trace_count - 1];

	return last->processors ? last->first_processor + last->processors : 0;
}

/* 0 if it differs between the machines. */
static uint64_t page_len_of(const struct merge *merge)
{
	for (size_t i = 1; i < merge->trace_count; i++)
		if (merge->traces[i].page_len != merge->traces[0].page_len)
			return 0;
	return merge->traces[0].page_len;
}

static void header_text(struct output *o, enum field field)
{
	const struct trace_value *value = &o->sources[0].input.line->values[field];

	if (!value->present)
		return;
	json_key(&o->json, field_info(field)->key);
	renaming_name(&o->json, field, value->bytes);
}

/* The first trace's header, as far as it holds for all; its clock is that of the merged trace. */
static int write_header(struct output *o)
{
	static const enum field texts[] = {FIELD_header_tool, FIELD_header_kernel,
					   FIELD_header_machine, FIELD_header_host};
	const struct trace_input *input = &o->sources[0].input;
	const struct merge_host *first = o->merge->hosts.items[0];
	struct json *json = &o->json;

	begin_line(o, RECORD_header);
	json_field_text(json, KEY(header, format), IPCLENS_TRACE_FORMAT);
	json_field_uint(json, KEY(header, version), IPCLENS_TRACE_VERSION);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		header_text(o, texts[i]);
	if (page_len_of(o->merge) != USUAL_PAGE)
		json_field_uint(json, KEY(header, page_size), page_len_of(o->merge));
	if (o->merge->hosts.count == 1)
		header_text(o, FIELD_header_boot_id);
	json_field_uint(json, KEY(header, merged), o->merge->trace_count);
	json_field_text(json, KEY(header, clock), "CLOCK_MONOTONIC");
	json_field_int(json, KEY(header, start_ns), start_of(o->merge));
	json_field_int(
		json, KEY(header, realtime_offset_ns),
		(int64_t)((uint64_t)first->first->realtime_offset_ns - (uint64_t)first->lift_ns));
	if (processors_of(o->merge))
		json_field_uint(json, KEY(header, processors), processors_of(o->merge));
	json_key(json, KEY(header, options));
	json_copy(json, INPUT_VALUE(input, header, options)->json);
	write_hooks(o, INPUT_VALUE(input, header, hooks));
	return end_line(o);
}

static void write_paths(struct output *o, const struct merge_host *host)
{
	json_key(&o->json, KEY(host, traces));
	json_array(&o->json);
	for (size_t i = 0; i < o->merge->trace_count; i++) {
		const struct trace_facts *trace = &o->merge->traces[i];

		if (trace->host == host)
			json_bytes(&o->json, trace->path, strlen(trace->path));
	}
	json_end_array(&o->json);
}

static int write_host(struct output *o, const struct merge_host *host)
{
	struct json *json = &o->json;
	const uint64_t second = 1000000000;
	int64_t start = merge_host_time(host, host->from_ns);
	int64_t later = (int64_t)((uint64_t)merge_host_time(host, host->from_ns + second) -
				  (uint64_t)start - second);

	begin_line(o, RECORD_host);
	json_field_bytes(json, KEY(host, name), host->name.data, host->name.len);
	if (host->first->boot_id.data)
		json_field_bytes(json, KEY(host, boot_id), host->first->boot_id.data,
				 host->first->boot_id.len);
	write_paths(o, host);
	json_field_uint(json, KEY(host, pid_base), host->pid_base);
	json_field_text(json, KEY(host, clock), clock_tie_name(host->tie));
	json_field_int(json, KEY(host, offset_ns), (int64_t)((uint64_t)start - host->from_ns));
	json_field_int(json, KEY(host, start_ns), start < 0 ? 0 : start);
	if (host->tie == CLOCK_TIE_BOTH_WAYS) {
		json_field_int(json, KEY(host, drift_ppb), later);
		json_field_uint(json, KEY(host, uncertainty_ns), host->uncertainty_ns);
	}
	return end_line(o);
}

/* Lines of a trace that are damaged cost what they told: it is announced as lost. */
static int write_damage(struct output *o, const struct trace_facts *trace)
{
	begin_line(o, RECORD_lost);
	json_field_int(&o->json, KEY(lost, at_ns), start_of(o->merge));
	json_field_text(&o->json, KEY(lost, where), "damaged");
	json_field_uint(&o->json, KEY(lost, count), trace->wrong);
	return end_line(o);
}

static int write_heads(struct output *o)
{
	const struct merge_hosts *hosts = &o->merge->hosts;
	int err = write_header(o);

	for (size_t i = 0; !err && hosts->count > 1 && i < hosts->count; i++)
		err = write_host(o, hosts->items[i]);
	for (size_t i = 0; !err && i < o->merge->trace_count; i++)
		if (o->merge->traces[i].wrong)
			err = write_damage(o, &o->merge->traces[i]);
	return err;
}

/* --- trailer --- */

/* It ends whole if all traces do; `why` is that of the first one that ended early. */
static int write_trailer(struct output *o)
{
	uint64_t operations = 0, signals = 0, lost = 0;
	enum end_reason why = END_REASON_FINISHED;

	for (size_t i = 0; i < o->merge->trace_count; i++) {
		const struct trace_facts *trace = &o->merge->traces[i];

		if (!trace->why)
			return 0;
		if (why == END_REASON_FINISHED)
			why = trace->why;
		operations += trace->operations;
		signals += trace->signals;
		lost += trace->lost + trace->wrong;
	}
	begin_line(o, RECORD_trailer);
	json_field_int(&o->json, KEY(trailer, at_ns), o->end_ns);
	json_field_text(&o->json, KEY(trailer, why), end_reason_name(why));
	json_field_uint(&o->json, KEY(trailer, operations), operations);
	json_field_uint(&o->json, KEY(trailer, signals), signals);
	json_field_uint(&o->json, KEY(trailer, lost), lost);
	json_field_uint(&o->json, KEY(trailer, lines), o->merge->lines);
	return end_line(o);
}

/* --- lines --- */

static bool is_last(const struct source *source)
{
	return source->input.line->record == RECORD_trailer;
}

static int64_t time_of(const struct source *source)
{
	int64_t time = merge_host_time(source->renaming.trace->host, source->input.at_ns);

	return time < source->at_ns ? source->at_ns : time;
}

static int advance(struct source *source)
{
	int result = trace_input_next(&source->input);

	source->ended = result != 1;
	if (result == 1)
		source->at_ns = time_of(source);
	return result < 0 ? result : 0;
}

/* The source whose line is the earliest; NULL: all have ended. */
static struct source *earliest(const struct output *o)
{
	struct source *found = NULL;

	for (size_t i = 0; i < o->merge->trace_count; i++) {
		struct source *source = &o->sources[i];

		if (!source->ended && (!found || source->at_ns < found->at_ns))
			found = source;
	}
	return found;
}

static int write_lines(struct output *o)
{
	struct source *source;
	int err = 0;

	while (!err && (source = earliest(o))) {
		if (source->at_ns > o->end_ns)
			o->end_ns = source->at_ns;
		if (is_last(source)) {
			err = advance(source);
			continue;
		}
		if (renaming_line(&source->renaming, &source->input, &o->json)) {
			err = put_line(o);
		} else {
			json_reset(&o->json);
			o->merge->unfitting++;
		}
		err = err ? err : advance(source);
	}
	return err;
}

/* --- all of it --- */

static int open_source(struct output *o, size_t index, struct viz_error *error)
{
	struct trace_facts *trace = &o->merge->traces[index];
	struct source *source = &o->sources[index];
	uint64_t all = processors_of(o->merge);

	source->renaming = (struct renaming){
		.trace = trace,
		.index = index,
		.hosts = o->merge->hosts.count > 1,
		.processors = all ? all : o->merge->trace_count,
		.own_processors = all ? trace->processors : 1,
		.shares_host = trace->host->trace_count > 1,
	};
	return trace_input_open(&source->input, trace, error);
}

static int write_all(struct output *o, struct progress *progress, struct viz_error *error)
{
	int err = 0;

	for (size_t i = 0; i < o->merge->trace_count && !err; i++)
		err = open_source(o, i, error);
	if (!err)
		err = write_heads(o);
	progress_stage(progress, "merging the traces");
	for (size_t i = 0; i < o->merge->trace_count && !err; i++)
		err = advance(&o->sources[i]);
	if (!err)
		err = write_lines(o);
	if (!err)
		err = write_trailer(o);
	return !err && fflush(o->out) ? -errno : err;
}

int merge_write(struct merge *merge, FILE *out, struct progress *progress, struct viz_error *error)
{
	struct output o = {.merge = merge, .out = out};
	int err;

	error->text[0] = '\0';
	o.sources = arena_array(merge->arena, merge->trace_count, sizeof(*o.sources));
	err = write_all(&o, progress, error);
	for (size_t i = 0; i < merge->trace_count; i++) {
		merge->unknown += o.sources[i].input.reader ? o.sources[i].input.reader->skipped
							    : 0;
		merge->looks += o.sources[i].input.looks;
		trace_input_close(&o.sources[i].input);
		renaming_free(&o.sources[i].renaming);
	}
	json_free(&o.json);
	return err;
}
