// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Writes the columns of the page's data. */
#include "viz/render/html/columns.h"

#include <errno.h>
#include <stdlib.h>

#include "viz/render/html/metadata.h"
#include "viz/render/html/section.h"
#include "viz/scene/dataset.h"

/*
 * Limits on the payloads in a page: all are kept if they fit; else as many bytes of each as keep
 * the page small enough to be opened.
 */
enum { PAYLOAD_MOST = 4 << 20, PREVIEW_LEAST = 12 };

typedef int64_t column_fn(const struct scene_dataset *dataset, size_t i);

struct column {
	const char *name;
	enum page_encoding encoding;
	column_fn *value;
};

static int64_t since(const struct scene_dataset *dataset, uint64_t ns)
{
	return (int64_t)(ns - dataset->start_ns);
}

/* --- rows --- */

enum { ROW_PART_SHIFT = 4, ROW_HAS_MESSAGE = 0x80 };

static bool has_message(const struct dataset_row *row)
{
	return row->message != SCENE_NONE;
}

static int64_t row_kind(const struct scene_dataset *l, size_t i)
{
	const struct dataset_row *row = &l->rows[i];

	return row->kind | row->part << ROW_PART_SHIFT | (has_message(row) ? ROW_HAS_MESSAGE : 0);
}

static int64_t row_at(const struct scene_dataset *l, size_t i)
{
	return since(l, l->rows[i].at_ns);
}

static const struct column row_columns[] = {
	{"rowKind", PAGE_BYTE, row_kind},
	{"rowAt", PAGE_DELTA, row_at},
};

/* --- messages --- */

enum { FLAG_AMBIGUOUS = 0x10, FLAG_TYPED = 0x20, FLAG_CUT = 0x40 };

static int64_t message_id(const struct scene_dataset *l, size_t i)
{
	return (int64_t)l->messages[i].id;
}

static int64_t message_route(const struct scene_dataset *l, size_t i)
{
	return l->messages[i].route;
}

static int64_t message_bytes(const struct scene_dataset *l, size_t i)
{
	return (int64_t)l->messages[i].bytes;
}

static int64_t message_flags(const struct scene_dataset *l, size_t i)
{
	const struct scene_message *m = &l->messages[i];

	return m->fate | (m->ambiguous ? FLAG_AMBIGUOUS : 0) | (m->typed ? FLAG_TYPED : 0) |
	       (m->cut ? FLAG_CUT : 0);
}

static const struct column message_columns[] = {
	{"id", PAGE_DELTA, message_id},
	{"route", PAGE_UINT, message_route},
	{"bytes", PAGE_UINT, message_bytes},
	{"flags", PAGE_BYTE, message_flags},
};

static int64_t message_words(const struct scene_dataset *l, size_t i)
{
	return l->messages[i].words;
}

static int64_t message_protocol(const struct scene_dataset *l, size_t i)
{
	return l->messages[i].protocol;
}

static const struct column message_words_columns[] = {
	{"words", PAGE_UINT, message_words},
	{"protocol", PAGE_UINT, message_protocol},
};

/* Calls are numbered from 1; 0 is none. */
static int64_t message_send(const struct scene_dataset *l, size_t i)
{
	return (uint32_t)(l->messages[i].send + 1);
}

static int64_t message_receive(const struct scene_dataset *l, size_t i)
{
	return (uint32_t)(l->messages[i].receive + 1);
}

static int64_t message_send_offset(const struct scene_dataset *l, size_t i)
{
	return (int64_t)l->messages[i].send_offset;
}

static int64_t message_receive_offset(const struct scene_dataset *l, size_t i)
{
	return (int64_t)l->messages[i].receive_offset;
}

static const struct column message_call_columns[] = {
	{"send", PAGE_DELTA, message_send},
	{"receive", PAGE_DELTA, message_receive},
	{"sendOffset", PAGE_UINT, message_send_offset},
	{"receiveOffset", PAGE_UINT, message_receive_offset},
};

/* --- calls --- */

enum { CALL_UNFINISHED = 1, CALL_RETURNED = 2, CALL_SLEPT = 4 };

static bool slept(const struct dataset_call *call)
{
	return call->resumed_ns && !call->unfinished;
}

static int64_t call_flags(const struct scene_dataset *l, size_t i)
{
	const struct dataset_call *call = &l->calls[i];

	return (call->unfinished ? CALL_UNFINISHED : 0) | (call->has_returned ? CALL_RETURNED : 0) |
	       (slept(call) ? CALL_SLEPT : 0);
}

static int64_t call_site(const struct scene_dataset *l, size_t i)
{
	return l->calls[i].site;
}

/*
 * Relative to the call's first row or, for calls without one, to the previous call; mostly a small
 * number.
 */
static int64_t call_enter(const struct scene_dataset *l, size_t i)
{
	const struct dataset_call *call = &l->calls[i];
	uint64_t base = call->row != SCENE_NONE ? l->rows[call->row].at_ns
			: i > 0			? call[-1].enter_ns
						: l->start_ns;

	return (int64_t)(call->enter_ns - base);
}

static int64_t call_duration(const struct scene_dataset *l, size_t i)
{
	return (int64_t)(l->calls[i].exit_ns - l->calls[i].enter_ns);
}

static int64_t call_off_cpu(const struct scene_dataset *l, size_t i)
{
	return (int64_t)l->calls[i].off_cpu_ns;
}

/* Time from resuming after the last sleep to the return, in ns; 0 if it never slept. */
static int64_t call_resumed(const struct scene_dataset *l, size_t i)
{
	const struct dataset_call *call = &l->calls[i];

	return slept(call) ? (int64_t)(call->exit_ns - call->resumed_ns) : 0;
}

/* Time between being woken and running, in ns, plus 1; 0 if it is not known. */
static int64_t call_ready(const struct scene_dataset *l, size_t i)
{
	const struct dataset_call *call = &l->calls[i];
	bool known = slept(call) && call->woken_ns && call->woken_ns <= call->resumed_ns;

	return known ? (int64_t)(call->resumed_ns - call->woken_ns + 1) : 0;
}

/* The result minus the bytes of the call's first message; wraps around where a trace is hostile. */
static int64_t call_returned(const struct scene_dataset *l, size_t i)
{
	const struct dataset_call *call = &l->calls[i];
	uint32_t m = call->row != SCENE_NONE ? l->rows[call->row].message : SCENE_NONE;

	return (int64_t)((uint64_t)call->returned - (m == SCENE_NONE ? 0 : l->messages[m].bytes));
}

/* 0 if as many as returned, else the number plus 1; of a larger one largeLengths has the digits. */
static int64_t call_requested(const struct scene_dataset *l, size_t i)
{
	const struct dataset_call *call = &l->calls[i];

	if (call->has_returned && call->returned == (int64_t)call->requested)
		return 0;
	return (int64_t)(call->requested < JSON_UINT_MOST ? call->requested + 1 : JSON_UINT_MOST);
}

static int64_t call_error(const struct scene_dataset *l, size_t i)
{
	return l->calls[i].error;
}

static int64_t call_waits(const struct scene_dataset *l, size_t i)
{
	return l->calls[i].waits;
}

/* The distance back to the waker's call; 0 for none. */
static int64_t call_waker(const struct scene_dataset *l, size_t i)
{
	return l->calls[i].waker == SCENE_NONE ? 0 : (int64_t)i - (int64_t)l->calls[i].waker;
}

static int64_t call_woken_by(const struct scene_dataset *l, size_t i)
{
	return l->calls[i].woken_by < 0 ? 0 : l->calls[i].woken_by + 1;
}

static const struct column call_columns[] = {
	{"callFlags", PAGE_BYTE, call_flags},	  {"site", PAGE_UINT, call_site},
	{"enter", PAGE_SIGNED, call_enter},	  {"duration", PAGE_UINT, call_duration},
	{"offCpu", PAGE_UINT, call_off_cpu},	  {"resumed", PAGE_UINT, call_resumed},
	{"returned", PAGE_SIGNED, call_returned}, {"requested", PAGE_UINT, call_requested},
	{"error", PAGE_UINT, call_error},	  {"waits", PAGE_UINT, call_waits},
	{"waker", PAGE_SIGNED, call_waker},	  {"wokenBy", PAGE_UINT, call_woken_by},
	{"ready", PAGE_UINT, call_ready},
};

static void put_columns(struct page_section *section, const struct scene_dataset *dataset,
			const struct column *columns, size_t column_count, size_t count)
{
	for (size_t c = 0; c < column_count; c++) {
		page_begin_column(section, columns[c].name, columns[c].encoding);
		for (size_t i = 0; i < count; i++)
			page_put(section, columns[c].value(dataset, i));
	}
}

#define PUT_COLUMNS(section, dataset, columns, count)                                              \
	put_columns(section, dataset, columns, sizeof(columns) / sizeof(*(columns)), count)

/* --- columns with values for some rows only --- */

static void put_row_messages(struct page_section *section, const struct scene_dataset *dataset)
{
	page_begin_column(section, "rowMessage", PAGE_DELTA);
	for (size_t i = 0; i < dataset->row_count; i++)
		if (has_message(&dataset->rows[i]))
			page_put(section, dataset->rows[i].message);
}

static void put_types(struct page_section *section, const struct scene_dataset *dataset)
{
	page_begin_column(section, "type", PAGE_SIGNED);
	for (size_t i = 0; i < dataset->message_count; i++)
		if (dataset->messages[i].typed)
			page_put(section, dataset->messages[i].type);
	page_begin_column(section, "cut", PAGE_UINT);
	for (size_t i = 0; i < dataset->message_count; i++)
		if (dataset->messages[i].cut)
			page_put(section, (int64_t)dataset->messages[i].cut);
}

/* A time relative to the start, plus 1; 0 if it is not known. */
static int64_t moment(const struct scene_dataset *dataset, uint64_t ns)
{
	return ns == SCENE_NEVER || ns < dataset->start_ns ? 0 : since(dataset, ns) + 1;
}

static uint64_t signal_time(const struct scene_signal *signal, int column)
{
	const uint64_t times[] = {signal->raised_ns, signal->delivered_ns, signal->returned_ns};

	return times[column];
}

static void put_signals(struct page_section *section, const struct scene_dataset *dataset)
{
	static const char *const names[] = {"raised", "delivered", "handled"};

	for (int column = 0; column < 3; column++) {
		page_begin_column(section, names[column], PAGE_DELTA);
		for (size_t i = 0; i < dataset->message_count; i++) {
			const struct scene_message *m = &dataset->messages[i];

			if (dataset->routes[m->route].mechanism == MECH_SIGNAL)
				page_put(section, moment(dataset, signal_time(m->signal, column)));
		}
	}
}

/* --- sections --- */

int page_put_core(FILE *out, const struct scene *scene, const struct render_options *options)
{
	const struct scene_dataset *dataset = scene->dataset;
	struct page_section section = {0};

	page_meta_core(&section.meta, scene, options);
	PUT_COLUMNS(&section, dataset, row_columns, dataset->row_count);
	put_row_messages(&section, dataset);
	PUT_COLUMNS(&section, dataset, message_columns, dataset->message_count);
	put_types(&section, dataset);
	return page_end_section(&section, "core", out);
}

int page_put_calls(FILE *out, const struct scene *scene)
{
	const struct scene_dataset *dataset = scene->dataset;
	struct page_section section = {0};

	page_meta_calls(&section.meta, scene);
	PUT_COLUMNS(&section, dataset, message_call_columns, dataset->message_count);
	PUT_COLUMNS(&section, dataset, call_columns, dataset->call_count);
	put_signals(&section, dataset);
	return page_end_section(&section, "calls", out);
}

/*
 * Returns the payload limit per message such that all take PAYLOAD_MOST bytes, but a few bytes at
 * least.
 */
static size_t payload_limit(const struct scene_dataset *dataset)
{
	size_t total = 0;

	for (size_t i = 0; i < dataset->message_count; i++)
		total += dataset->messages[i].payload_len;
	if (total <= PAYLOAD_MOST)
		return SIZE_MAX;
	total = PAYLOAD_MOST / dataset->message_count;
	return total > PREVIEW_LEAST ? total : PREVIEW_LEAST;
}

int page_put_payload(FILE *out, const struct scene *scene)
{
	const struct scene_dataset *dataset = scene->dataset;
	struct page_section section = {0};
	size_t limit = payload_limit(dataset);
	size_t cut = 0;

	PUT_COLUMNS(&section, dataset, message_words_columns, dataset->message_count);
	page_begin_column(&section, "payloadLen", PAGE_UINT);
	for (size_t i = 0; i < dataset->message_count; i++) {
		size_t len = dataset->messages[i].payload_len;

		cut += len > limit;
		page_put(&section, (int64_t)(len > limit ? limit : len));
	}
	page_begin_column(&section, "payload", PAGE_BYTE);
	for (size_t i = 0; i < dataset->message_count; i++) {
		const struct scene_message *m = &dataset->messages[i];

		page_put_bytes(&section, m->payload,
			       m->payload_len > limit ? limit : m->payload_len);
	}
	json_object(&section.meta);
	json_field_uint(&section.meta, "limit", limit == SIZE_MAX ? 0 : limit);
	json_field_uint(&section.meta, "cut", cut);
	return page_end_section(&section, "payload", out);
}
