// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Lists are arrays of arrays: what stands where is said in viz/page/store.js. */
#include "page_meta.h"

#include <inttypes.h>
#include <stdio.h>

#include "lang/names.h"
#include "render_palette.h"
#include "scene_ledger.h"

static void put_place(struct json *j, uint32_t place)
{
	if (place == LEDGER_NONE)
		json_null(j);
	else
		json_uint(j, place);
}

static void put_since(struct json *j, const struct scene_ledger *ledger, uint64_t ns)
{
	if (ns == SCENE_NEVER)
		json_null(j);
	else
		json_int(j, (int64_t)(ns - ledger->start_ns));
}

static void put_texts(struct json *j, const char *key, char *const *texts, size_t count)
{
	json_key(j, key);
	json_array(j);
	for (size_t i = 0; i < count; i++)
		json_text(j, texts[i]);
	json_end_array(j);
}

static void put_lanes(struct json *j, const struct scene *scene)
{
	const struct scene_ledger *ledger = scene->ledger;

	json_key(j, "lanes");
	json_array(j);
	for (size_t i = 0; i < scene->lane_count; i++) {
		const struct ledger_lane *lane = &ledger->lanes[i];

		json_array(j);
		json_text(j, scene->lanes[i].title);
		json_uint(j, scene->lanes[i].pid);
		json_uint(j, lane->command);
		json_int(j, lane->parent);
		put_since(j, ledger, lane->start_ns);
		put_since(j, ledger, lane->end_ns);
		json_bool(j, lane->before);
		json_uint(j, scene->lanes[i].tid);
		json_uint(j, lane->group);
		json_bool(j, lane->crowd);
		json_end_array(j);
	}
	json_end_array(j);
}

static void put_objects(struct json *j, const struct scene_ledger *ledger)
{
	json_key(j, "objects");
	json_array(j);
	for (size_t i = 0; i < ledger->object_count; i++) {
		json_array(j);
		json_uint(j, ledger->objects[i].name);
		json_uint(j, ledger->objects[i].mechanism);
		json_uint(j, ledger->objects[i].capacity);
		json_bool(j, ledger->objects[i].connected);
		json_end_array(j);
	}
	json_end_array(j);
}

static void put_routes(struct json *j, const struct scene_ledger *ledger)
{
	json_key(j, "routes");
	json_array(j);
	for (size_t i = 0; i < ledger->route_count; i++) {
		const struct ledger_route *route = &ledger->routes[i];

		json_array(j);
		json_int(j, route->from);
		json_int(j, route->to);
		json_uint(j, route->mechanism);
		put_place(j, route->object);
		json_uint(j, route->label);
		json_uint(j, route->from_name);
		json_uint(j, route->to_name);
		json_uint(j, route->met);
		json_end_array(j);
	}
	json_end_array(j);
}

/* The rows with words, in their order; those that are messages have none. */
static void put_said(struct json *j, const struct scene *scene)
{
	const struct scene_ledger *ledger = scene->ledger;

	json_key(j, "said");
	json_array(j);
	for (size_t i = 0; i < ledger->row_count; i++) {
		const struct ledger_row *row = &ledger->rows[i];
		const struct scene_row *said;

		if (row->said == LEDGER_NONE)
			continue;
		said = &scene->rows[row->said];
		json_array(j);
		json_int(j, said->from);
		json_int(j, said->to);
		json_uint(j, said->mechanism);
		json_text(j, said->label);
		json_text(j, said->detail);
		json_text(j, said->channel);
		json_bool(j, said->ambiguous);
		json_bool(j, said->important);
		put_place(j, row->call);
		put_place(j, row->mark);
		json_uint(j, row->like);
		json_end_array(j);
	}
	json_end_array(j);
}

/* Worst first. */
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
		put_since(j, scene->ledger, mark->at_ns);
		json_array(j);
		for (size_t k = 0; k < mark->line_count; k++)
			json_text(j, mark->lines[k]);
		json_end_array(j);
		json_end_array(j);
	}
	json_end_array(j);
}

static void put_mechanisms(struct json *j)
{
	json_key(j, "mechanisms");
	json_array(j);
	for (int i = 0; i < MECH_COUNT; i++) {
		const struct mechanism_info *info = mechanism_info((enum mechanism)i);

		json_array(j);
		json_text(j, info->name);
		json_text(j, i ? info->help : "");
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
		json_text(j, i ? fate_name((enum fate)i) : "received");
	json_end_array(j);
}

static void put_totals(struct json *j, const struct scene *scene)
{
	const struct scene_ledger *ledger = scene->ledger;
	char text[32];

	json_field_text(j, "version", IPCLENS_VERSION);
	json_field_text(j, "command", scene->command);
	json_field_text(j, "host", ledger->texts[ledger->host]);
	json_field_text(j, "kernel", ledger->texts[ledger->kernel]);
	/* 2^53 is too little for these. */
	snprintf(text, sizeof(text), "%" PRIu64, ledger->start_ns);
	json_field_text(j, "startNs", text);
	snprintf(text, sizeof(text), "%" PRId64, ledger->realtime_offset_ns);
	json_field_text(j, "realtimeOffsetNs", text);
	json_field_uint(j, "channelTotal", scene->channel_total);
	json_field_uint(j, "callsLeftOut", ledger->calls_left_out);
}

/* When what repeats is told once. */
static void put_bounds(struct json *j)
{
	json_key(j, "bounds");
	json_object(j);
#define BOUND(name, number) json_field_uint(j, #name, number);
#include "scene_folds.def"
#undef BOUND
	json_end_object(j);
}

/* What the reader sees at first. */
static void put_begin(struct json *j, const struct render_options *options)
{
	json_key(j, "begin");
	json_object(j);
	json_field_text(j, "via", options->kernel ? "kernel" : options->channels ? "channels" : "");
	json_field_bool(j, "group", options->group);
	json_field_bool(j, "unfold", options->unfold);
	json_end_object(j);
}

void page_meta_core(struct json *j, const struct scene *scene, const struct render_options *options)
{
	const struct scene_ledger *ledger = scene->ledger;

	json_object(j);
	put_totals(j, scene);
	put_begin(j, options);
	put_bounds(j);
	put_texts(j, "notes", scene->notes, scene->note_count);
	put_mechanisms(j);
	put_texts(j, "texts", ledger->texts, ledger->text_count);
	put_lanes(j, scene);
	put_objects(j, ledger);
	put_routes(j, ledger);
	put_said(j, scene);
	put_marks(j, scene);
}

static void put_threads(struct json *j, const struct scene_ledger *ledger)
{
	json_key(j, "threads");
	json_array(j);
	for (size_t i = 0; i < ledger->thread_count; i++) {
		json_array(j);
		json_int(j, ledger->threads[i].lane);
		json_uint(j, ledger->threads[i].tid);
		json_uint(j, ledger->threads[i].name);
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

/* Of what the page adds up from columns, so that it knows the room that it takes. */
static void put_spans(struct json *j, const struct scene_ledger *ledger)
{
	struct span enter = {0}, returned = {0};

	for (size_t i = 0; i < ledger->call_count; i++) {
		widen(&enter, (int64_t)(ledger->calls[i].enter_ns - ledger->start_ns));
		widen(&returned, ledger->calls[i].returned);
	}
	put_span(j, "enterSpan", enter);
	put_span(j, "returnedSpan", returned);
}

void page_meta_calls(struct json *j, const struct scene *scene)
{
	const struct scene_ledger *ledger = scene->ledger;

	json_object(j);
	put_spans(j, ledger);
	put_threads(j, ledger);
	json_key(j, "sites");
	json_array(j);
	for (size_t i = 0; i < ledger->site_count; i++) {
		json_array(j);
		json_uint(j, ledger->sites[i].thread);
		json_uint(j, ledger->sites[i].syscall);
		json_int(j, ledger->sites[i].fd);
		put_place(j, ledger->sites[i].object);
		json_end_array(j);
	}
	json_end_array(j);
}
