// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Writes the metadata lists as arrays of arrays; viz/render/html/page/store.js documents the
 * elements.
 */
#include "viz/render/html/metadata.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "viz/format/names.h"
#include "viz/render/common/palette.h"
#include "viz/scene/dataset.h"

static void put_index(struct json *j, uint32_t index)
{
	if (index == SCENE_NONE)
		json_null(j);
	else
		json_uint(j, index);
}

static void put_since(struct json *j, const struct scene_dataset *dataset, uint64_t ns)
{
	if (ns == SCENE_NEVER)
		json_null(j);
	else
		json_int(j, (int64_t)(ns - dataset->start_ns));
}

static void put_texts(struct json *j, const char *key, char *const *texts, size_t count)
{
	json_key(j, key);
	json_array(j);
	for (size_t i = 0; i < count; i++)
		json_text(j, texts[i]);
	json_end_array(j);
}

/* When the command was held, and for how long. */
static void put_pauses(struct json *j, const struct scene *scene)
{
	json_key(j, "pauses");
	json_array(j);
	for (size_t i = 0; i < scene->pause_count; i++) {
		json_array(j);
		json_uint(j, scene->pauses[i].at_ns);
		json_uint(j, scene->pauses[i].stood_ns);
		json_end_array(j);
	}
	json_end_array(j);
}

static void put_lanes(struct json *j, const struct scene *scene)
{
	const struct scene_dataset *dataset = scene->dataset;
	char number[SCENE_NUMBER];

	json_key(j, "lanes");
	json_array(j);
	for (size_t i = 0; i < scene->lane_count; i++) {
		const struct dataset_lane *lane = &dataset->lanes[i];

		json_array(j);
		json_text(j, scene->lanes[i].title);
		json_uint(j, scene->lanes[i].pid);
		json_uint(j, lane->command);
		json_int(j, lane->parent);
		put_since(j, dataset, lane->start_ns);
		put_since(j, dataset, lane->end_ns);
		json_bool(j, lane->before);
		json_uint(j, scene->lanes[i].tid);
		json_uint(j, lane->group);
		json_bool(j, lane->crowd);
		json_bool(j, lane->memory);
		json_text(j, scene_lane_number(&scene->lanes[i], number));
		json_uint(j, lane->host);
		if (lane->uncertainty_ns == SCENE_NEVER)
			json_null(j);
		else
			json_uint(j, lane->uncertainty_ns);
		json_end_array(j);
	}
	json_end_array(j);
}

static void put_objects(struct json *j, const struct scene_dataset *dataset)
{
	json_key(j, "objects");
	json_array(j);
	for (size_t i = 0; i < dataset->object_count; i++) {
		json_array(j);
		json_uint(j, dataset->objects[i].text);
		json_uint(j, dataset->objects[i].mechanism);
		json_uint(j, dataset->objects[i].capacity);
		json_bool(j, dataset->objects[i].connected);
		json_end_array(j);
	}
	json_end_array(j);
}

static void put_routes(struct json *j, const struct scene_dataset *dataset)
{
	json_key(j, "routes");
	json_array(j);
	for (size_t i = 0; i < dataset->route_count; i++) {
		const struct dataset_route *route = &dataset->routes[i];

		json_array(j);
		json_int(j, route->from);
		json_int(j, route->to);
		json_uint(j, route->mechanism);
		put_index(j, route->object);
		json_uint(j, route->label);
		json_uint(j, route->from_name);
		json_uint(j, route->to_name);
		json_uint(j, route->met);
		json_uint(j, route->outsider);
		json_uint(j, route->noise);
		json_uint(j, route->device);
		json_end_array(j);
	}
	json_end_array(j);
}

/* Writes the rows that have texts, in order; messages have none. */
static void put_text_rows(struct json *j, const struct scene *scene)
{
	const struct scene_dataset *dataset = scene->dataset;

	json_key(j, "said");
	json_array(j);
	for (size_t i = 0; i < dataset->row_count; i++) {
		const struct dataset_row *row = &dataset->rows[i];
		const struct scene_row *text_row;

		if (row->text_row == SCENE_NONE)
			continue;
		text_row = &scene->rows[row->text_row];
		json_array(j);
		json_int(j, text_row->from);
		json_int(j, text_row->to);
		json_uint(j, text_row->mechanism);
		json_text(j, text_row->label);
		json_text(j, text_row->detail);
		json_text(j, text_row->channel);
		json_bool(j, text_row->ambiguous);
		json_bool(j, text_row->important);
		put_index(j, row->call);
		put_index(j, row->mark);
		json_uint(j, row->like);
		json_uint(j, text_row->outsider);
		json_end_array(j);
	}
	json_end_array(j);
}

/* Writes the marks of findings, worst first. */
static void put_marks(struct json *j, const struct scene *scene)
{
	json_key(j, "marks");
	json_array(j);
	for (size_t i = 0; i < scene->mark_count; i++) {
		const struct scene_mark *mark = &scene->marks[i];

		json_array(j);
		json_uint(j, mark->severity);
		json_text(j, mark->id);
		json_text(j, mark->text);
		json_text(j, mark->advice);
		json_text(j, mark->channel);
		json_int(j, mark->lane);
		put_since(j, scene->dataset, mark->at_ns);
		json_array(j);
		for (size_t k = 0; k < mark->line_count; k++)
			json_text(j, mark->lines[k]);
		json_end_array(j);
		json_array(j);
		for (size_t k = 0; k < mark->lane_count; k++)
			json_int(j, mark->lanes[k]);
		json_end_array(j);
		json_end_array(j);
	}
	json_end_array(j);
}

static void put_mechanisms(struct json *j, const struct scene *scene)
{
	json_key(j, "mechanisms");
	json_array(j);
	for (int i = 0; i < MECH_COUNT; i++) {
		const struct mechanism_info *info = mechanism_info((enum mechanism)i);

		json_array(j);
		json_text(j, info->name);
		json_text(j, i ? scene_say(scene, info->help) : "");
		json_uint(j, render_family((enum mechanism)i));
		json_uint(j, info->addressing);
		json_uint(j, info->form);
		json_bool(j, info->typed);
		json_bool(j, info->reliable);
		json_uint(j, info->direction);
		json_end_array(j);
	}
	json_end_array(j);
	json_key(j, "fates");
	json_array(j);
	for (int i = 0; i < FATE_COUNT; i++)
		json_text(j, scene_say(scene, i ? fate_name((enum fate)i) : "received"));
	json_end_array(j);
}

static void put_totals(struct json *j, const struct scene *scene)
{
	const struct scene_dataset *dataset = scene->dataset;
	char text[32];

	json_field_text(j, "version", IPCLENS_VERSION);
	json_field_text(j, "command", scene->command);
	json_field_text(j, "host", dataset->texts[dataset->host]);
	json_field_text(j, "kernel", dataset->texts[dataset->kernel]);
	/* As text, since they may exceed 2^53. */
	snprintf(text, sizeof(text), "%" PRIu64, dataset->start_ns);
	json_field_text(j, "startNs", text);
	snprintf(text, sizeof(text), "%" PRId64, dataset->realtime_offset_ns);
	json_field_text(j, "realtimeOffsetNs", text);
	json_field_uint(j, "channelTotal", scene->channel_total);
	json_field_text(j, "traffic", scene->traffic);
	json_field_uint(j, "callsLeftOut", dataset->calls_left_out);
}

/* Writes the limits from which repetitions are folded. */
static void put_bounds(struct json *j)
{
	json_key(j, "bounds");
	json_object(j);
#define BOUND(name, number) json_field_uint(j, #name, number);
#include "viz/scene/fold_limits.def"
#undef BOUND
	json_end_object(j);
}

/* Writes the initial view. */
static void put_begin(struct json *j, const struct render_options *options)
{
	json_key(j, "begin");
	json_object(j);
	json_field_text(j, "via", options->kernel ? "kernel" : options->channels ? "channels" : "");
	json_field_bool(j, "group", options->group);
	json_field_bool(j, "unfold", options->unfold);
	json_end_object(j);
}

/* What the script says, by its English; null: it is English. Formats of printf(3) are not its. */
static void put_words(struct json *j, enum language language)
{
	const char *english, *german;

	json_key(j, "words");
	if (language != LANGUAGE_DE) {
		json_null(j);
		return;
	}
	json_array(j);
	for (size_t i = 0; language_row(i, &english, &german); i++) {
		if (strchr(english, '%'))
			continue;
		json_array(j);
		json_text(j, english);
		json_text(j, german);
		json_end_array(j);
	}
	json_end_array(j);
}

/* A number that the page would round, as its place in a column and its digits. */
static void put_large(struct json *j, size_t place, const char *digits)
{
	json_array(j);
	json_uint(j, place);
	json_text(j, digits);
	json_end_array(j);
}

static void put_large_types(struct json *j, const struct scene_dataset *dataset)
{
	char digits[32];

	json_key(j, "largeTypes");
	json_array(j);
	for (size_t i = 0; i < dataset->message_count; i++) {
		const struct scene_message *m = &dataset->messages[i];

		if (!m->typed ||
		    (m->type >= -(int64_t)JSON_UINT_MOST && m->type <= (int64_t)JSON_UINT_MOST))
			continue;
		snprintf(digits, sizeof(digits), "%" PRId64, m->type);
		put_large(j, i, digits);
	}
	json_end_array(j);
}

static void put_large_lengths(struct json *j, const struct scene_dataset *dataset)
{
	char digits[32];

	json_key(j, "largeLengths");
	json_array(j);
	for (size_t i = 0; i < dataset->call_count; i++) {
		if (dataset->calls[i].requested < JSON_UINT_MOST)
			continue;
		snprintf(digits, sizeof(digits), "%" PRIu64, dataset->calls[i].requested);
		put_large(j, i, digits);
	}
	json_end_array(j);
}

void page_meta_core(struct json *j, const struct scene *scene, const struct render_options *options)
{
	const struct scene_dataset *dataset = scene->dataset;

	json_object(j);
	put_totals(j, scene);
	put_words(j, scene->language);
	put_begin(j, options);
	put_bounds(j);
	put_texts(j, "notes", scene->notes, scene->note_count);
	put_pauses(j, scene);
	put_mechanisms(j, scene);
	put_texts(j, "texts", dataset->texts, dataset->text_count);
	put_lanes(j, scene);
	put_objects(j, dataset);
	put_routes(j, dataset);
	put_text_rows(j, scene);
	put_marks(j, scene);
	put_large_types(j, dataset);
}

static void put_threads(struct json *j, const struct scene_dataset *dataset)
{
	json_key(j, "threads");
	json_array(j);
	for (size_t i = 0; i < dataset->thread_count; i++) {
		json_array(j);
		json_int(j, dataset->threads[i].lane);
		json_uint(j, dataset->threads[i].tid);
		json_uint(j, dataset->threads[i].name);
		json_end_array(j);
	}
	json_end_array(j);
}

struct span {
	int64_t least, most;
};

static void widen(struct span *span, int64_t value)
{
	if (value < span->least)
		span->least = value;
	if (value > span->most)
		span->most = value;
}

static void put_span(struct json *j, const char *name, struct span span)
{
	json_key(j, name);
	json_array(j);
	json_int(j, span.least);
	json_int(j, span.most);
	json_end_array(j);
}

/* Writes the ranges of values that the page computes from columns, so that it knows their size. */
static void put_spans(struct json *j, const struct scene_dataset *dataset)
{
	struct span enter = {0}, returned = {0};

	for (size_t i = 0; i < dataset->call_count; i++) {
		widen(&enter, (int64_t)(dataset->calls[i].enter_ns - dataset->start_ns));
		widen(&returned, dataset->calls[i].returned);
	}
	put_span(j, "enterSpan", enter);
	put_span(j, "returnedSpan", returned);
}

void page_meta_calls(struct json *j, const struct scene *scene)
{
	const struct scene_dataset *dataset = scene->dataset;

	json_object(j);
	put_spans(j, dataset);
	put_large_lengths(j, dataset);
	put_threads(j, dataset);
	json_key(j, "sites");
	json_array(j);
	for (size_t i = 0; i < dataset->site_count; i++) {
		json_array(j);
		json_uint(j, dataset->sites[i].thread);
		json_uint(j, dataset->sites[i].syscall);
		json_int(j, dataset->sites[i].fd);
		put_index(j, dataset->sites[i].object);
		json_end_array(j);
	}
	json_end_array(j);
}
