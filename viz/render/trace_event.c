// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Writes trace events in JSON, for https://ui.perfetto.dev and chrome://tracing. A slice is a call,
 * an arrow a message from its send to its receive, an instant a message that lacks one of them
 * (signals, unreceived messages), a counter the bytes of a channel that were sent and not yet
 * received. A call that failed, an object that ended, an open of a FIFO that waits and their like
 * are instants with the words that the other pictures have; shared memory has a track for each
 * process that had it, from when until when, and a counter of them. Slices of a thread nest, and an
 * arrow's ends lie within their slices, since these readers drop everything else. The format:
 * "Trace Event Format", Google 2016.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "viz/base/compare.h"
#include "viz/base/memory.h"
#include "viz/base/safe_text.h"
#include "viz/format/names.h"
#include "viz/render/common/steps.h"
#include "viz/render/render.h"

/*
 * The pid that counters belong to, which no process can have: PID_MAX_LIMIT of
 * include/linux/threads.h.
 */
#define CHANNELS_PID 4194304

struct events {
	const struct scene *scene;
	FILE *out;
	uint64_t start_ns;
	size_t *order;	   /* calls by thread and time */
	uint64_t *exit_ns; /* [call], cut if it would overlap another one */
	bool comma;
};

/* --- writing --- */

/* `text` must be harmless text of the scene. */
static void put_string(FILE *out, const char *text)
{
	putc('"', out);
	for (; *text; text++) {
		if (*text == '<')
			fputs("\\u003c", out); /* for embedding in HTML pages */
		else
			fprintf(out, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
	}
	putc('"', out);
}

/* Adds a member in microseconds, with three decimals. */
static void put_us(struct events *e, const char *key, uint64_t ns)
{
	fprintf(e->out, ",\"%s\":%" PRIu64 ".%03u", key, ns / 1000, (unsigned)(ns % 1000));
}

static void begin_event(struct events *e, const char *phase, uint32_t pid, uint32_t tid)
{
	fprintf(e->out, "%s{\"ph\":\"%s\",\"pid\":%" PRIu32 ",\"tid\":%" PRIu32,
		e->comma ? ",\n" : "", phase, pid, tid);
	e->comma = true;
}

/* Begins an event at a time of CLOCK_MONOTONIC; the caller ends it with "}". */
static void begin_timed(struct events *e, const char *phase, uint32_t pid, uint32_t tid,
			uint64_t ns)
{
	begin_event(e, phase, pid, tid);
	put_us(e, "ts", ns > e->start_ns ? ns - e->start_ns : 0);
}

static void put_field(struct events *e, const char *key, const char *text)
{
	fprintf(e->out, ",\"%s\":", key);
	put_string(e->out, text);
}

/* Names a process or thread. */
static void put_name(struct events *e, const char *what, uint32_t pid, uint32_t tid,
		     const char *name)
{
	begin_event(e, "M", pid, tid);
	put_field(e, "name", what);
	fputs(",\"args\":{\"name\":", e->out);
	put_string(e->out, name);
	fputs("}}", e->out);
}

/*
 * --- how full channels are ---
 *
 * As the kernel reported it at the end of calls or, without such reports, the bytes that were sent
 * and not yet received.
 */

/* A change of a channel's content, or its level. */
struct delta {
	size_t object;
	uint64_t at_ns;
	int64_t bytes;
};

static int by_object_and_time(const void *a, const void *b)
{
	const struct delta *x = a, *y = b;

	/* increases before decreases */
	return COMPARE(x->object, y->object)
		       ?: COMPARE(x->at_ns, y->at_ns)
		       ?: COMPARE(y->bytes, x->bytes);
}

/* Collects the levels that the kernel reported, and marks their objects. */
static size_t collect_levels(const struct scene *scene, struct delta *levels, bool *told)
{
	size_t count = 0;

	for (size_t i = 0; i < scene->call_count; i++) {
		const struct scene_call *call = &scene->calls[i];

		if (call->level_of == SCENE_NONE)
			continue;
		told[call->level_of] = true;
		levels[count++] = (struct delta){call->level_of, call->exit_ns,
						 (int64_t)call->level};
	}
	return count;
}

/*
 * Collects the changes of the other channels. Dropped messages were never in a channel; for
 * messages from outside it is unknown when they were sent.
 */
static size_t collect_deltas(const struct scene *scene, struct delta *deltas, const bool *told)
{
	size_t count = 0;

	for (size_t i = 0; i < scene->fact_count; i++) {
		const struct scene_message *m = &scene->facts[i];

		if (m->object == SCENE_NONE || told[m->object] || m->sent_ns == SCENE_NEVER ||
		    !m->bytes || m->part == SCENE_DROPPED ||
		    (m->part == SCENE_WHOLE &&
		     (m->received_ns == SCENE_NEVER || m->received_ns < m->sent_ns)))
			continue;
		deltas[count++] = (struct delta){m->object, m->sent_ns, (int64_t)m->bytes};
		if (m->part == SCENE_WHOLE)
			deltas[count++] = (struct delta){m->object, m->received_ns,
							 -(int64_t)m->bytes};
	}
	return count;
}

static void put_counter(struct events *e, const struct delta *at, const char *what, int64_t level)
{
	begin_timed(e, "C", CHANNELS_PID, CHANNELS_PID, at->at_ns);
	put_field(e, "name", e->scene->objects[at->object].name);
	fprintf(e->out, ",\"args\":{\"%s\":%" PRId64 "}}", what, level);
}

static const char *unit_of(const struct scene *scene, size_t object)
{
	return mechanism_info(scene->objects[object].mechanism)->form == FORM_STREAM
		       ? "bytes in it"
		       : "messages in it";
}

static void put_levels(struct events *e, const struct delta *levels, size_t count)
{
	for (size_t i = 0; i < count; i++)
		put_counter(e, &levels[i], unit_of(e->scene, levels[i].object), levels[i].bytes);
}

static void put_sums(struct events *e, const struct delta *deltas, size_t count)
{
	uint64_t bytes = 0; /* unsigned: lengths of a bad trace may overflow */

	for (size_t i = 0; i < count; i++) {
		bool same = i + 1 < count && deltas[i + 1].object == deltas[i].object;

		bytes += (uint64_t)deltas[i].bytes;
		if (!same || deltas[i + 1].at_ns != deltas[i].at_ns)
			put_counter(e, &deltas[i], "bytes on the way", (int64_t)bytes);
		if (!same)
			bytes = 0;
	}
}

static void sort(struct delta *deltas, size_t count)
{
	if (count)
		qsort(deltas, count, sizeof(*deltas), by_object_and_time);
}

static void put_counters(struct events *e)
{
	const struct scene *scene = e->scene;
	struct delta *levels = memory_array(scene->call_count + 1, sizeof(*levels));
	struct delta *deltas = memory_array(scene->fact_count * 2 + 1, sizeof(*deltas));
	bool *told = memory_array(scene->object_count + 1, sizeof(*told));
	size_t known, count;

	known = collect_levels(scene, levels, told);
	count = collect_deltas(scene, deltas, told);
	sort(levels, known);
	sort(deltas, count);
	put_levels(e, levels, known);
	put_sums(e, deltas, count);
	if (known || count || scene->memory_count)
		put_name(e, "process_name", CHANNELS_PID, CHANNELS_PID,
			 scene_say(scene, "channels"));
	free(levels);
	free(deltas);
	free(told);
}

/* --- lanes --- */

static uint32_t pid_of(const struct events *e, int lane)
{
	return lane < 0 ? CHANNELS_PID : e->scene->lanes[lane].pid;
}

static uint32_t tid_of(const struct events *e, int lane)
{
	return lane < 0 || !e->scene->lanes[lane].tid ? pid_of(e, lane) : e->scene->lanes[lane].tid;
}

/*
 * Writes a lane's names. A process has the name of its first thread. Readers put the number behind
 * it, but know none of another PID namespace.
 */
static void put_lane(struct events *e, const struct scene_lane *lane)
{
	char *name = lane->ns_pid ? render_lane_name(lane) : memory_format("%s", lane->title);

	if (!lane->tid || lane->tid == lane->pid)
		put_name(e, "process_name", lane->pid, lane->pid, name);
	if (lane->tid)
		put_name(e, "thread_name", lane->pid, lane->tid, name);
	free(name);
}

/* --- slices --- */

static int by_thread(const void *a, const void *b, void *scene)
{
	const struct scene_call *calls = ((const struct scene *)scene)->calls;
	const struct scene_call *x = &calls[*(const size_t *)a], *y = &calls[*(const size_t *)b];

	return COMPARE(x->lane, y->lane)
		       ?: COMPARE(x->tid, y->tid)
		       ?: COMPARE(x->enter_ns, y->enter_ns)
		       ?: COMPARE(y->exit_ns, x->exit_ns)
		       ?: COMPARE(x, y);
}

static bool same_thread(const struct scene_call *a, const struct scene_call *b)
{
	return a->lane == b->lane && a->tid == b->tid;
}

/*
 * Computes where slices end: a call within another one ends with it at the latest. `open` holds the
 * enclosing calls, the innermost last.
 */
static void nest(struct events *e, size_t *open)
{
	const struct scene_call *calls = e->scene->calls;
	size_t depth = 0;

	for (size_t i = 0; i < e->scene->call_count; i++) {
		size_t call = e->order[i];

		while (depth > 0 && (!same_thread(&calls[open[depth - 1]], &calls[call]) ||
				     e->exit_ns[open[depth - 1]] <= calls[call].enter_ns))
			depth--;
		e->exit_ns[call] = calls[call].exit_ns;
		if (depth > 0 && e->exit_ns[call] > e->exit_ns[open[depth - 1]])
			e->exit_ns[call] = e->exit_ns[open[depth - 1]];
		open[depth++] = call;
	}
}

static void put_slices(struct events *e)
{
	for (size_t i = 0; i < e->scene->call_count; i++) {
		const struct scene_call *call = &e->scene->calls[e->order[i]];
		uint64_t exit_ns = e->exit_ns[e->order[i]];

		begin_timed(e, "X", pid_of(e, call->lane), call->tid, call->enter_ns);
		put_us(e, "dur", exit_ns - call->enter_ns);
		put_field(e, "cat", "call");
		put_field(e, "name", call->name);
		fputs(",\"args\":{\"result\":", e->out);
		put_string(e->out, call->result);
		put_field(e, "object", call->object);
		fprintf(e->out, "%s}}", exit_ns < call->exit_ns ? ",\"cut\":true" : "");
	}
}

/* --- messages --- */

static void put_message_name(struct events *e, const struct scene_message *m)
{
	char text[128], bytes[SCENE_QUANTITY];

	put_field(e, "cat", "message");
	if (m->mechanism == MECH_SIGNAL) {
		put_field(e, "name", m->label);
		return;
	}
	snprintf(text, sizeof(text), "%s %s%s", mechanism_info(m->mechanism)->name,
		 scene_say_bytes(e->scene, m->bytes, bytes), m->ambiguous ? "?" : "");
	put_field(e, "name", text);
}

/* Writes an arrow's end within its call: at its beginning, or just before its end. */
static void put_arrow_end(struct events *e, const struct scene_message *m, size_t id, bool start)
{
	size_t index = start ? m->send : m->receive;
	const struct scene_call *call = &e->scene->calls[index];
	uint64_t at_ns = call->enter_ns;

	if (!start && e->exit_ns[index] > at_ns)
		at_ns = e->exit_ns[index] - 1;
	begin_timed(e, start ? "s" : "f", pid_of(e, call->lane), call->tid, at_ns);
	fprintf(e->out, ",\"id\":\"0x%zx\"%s", id + 1, start ? "" : ",\"bp\":\"e\"");
	put_message_name(e, m);
	putc('}', e->out);
}

static void put_end(FILE *out, const struct scene *scene, const char *key, int lane,
		    enum scene_outsider outsider)
{
	char number[SCENE_NUMBER];
	char *text;

	if (lane == SCENE_NOWHERE)
		return;
	fprintf(out, ",\"%s\":", key);
	if (lane < 0) {
		put_string(out, render_outsider(scene, outsider));
		return;
	}
	text = memory_format("%s [%s]", scene->lanes[lane].title,
			     scene_lane_number(&scene->lanes[lane], number));
	put_string(out, text);
	free(text);
}

static const char *fate_of(const struct scene_message *m)
{
	if (m->part == SCENE_UNREAD)
		return "never received";
	return m->part == SCENE_DROPPED ? "lost" : "received";
}

/*
 * Writes a message without an arrow as an instant: at the receiver or else the sender, when it was
 * received or else sent.
 */
static void put_instant(struct events *e, const struct scene_message *m)
{
	int lane = m->to >= 0 && m->part == SCENE_WHOLE ? m->to : m->from;
	uint64_t ns = lane == m->to && m->received_ns != SCENE_NEVER ? m->received_ns : m->sent_ns;

	if (lane < 0)
		lane = m->to;
	begin_timed(e, "i", pid_of(e, lane), tid_of(e, lane), ns == SCENE_NEVER ? e->start_ns : ns);
	put_field(e, "s", "p");
	put_message_name(e, m);
	fputs(",\"args\":{\"fate\":", e->out);
	put_string(e->out, scene_say(e->scene, fate_of(m)));
	put_end(e->out, e->scene, "from", m->from, m->outsider);
	put_end(e->out, e->scene, "to", m->to, m->outsider);
	fputs("}}", e->out);
}

static void put_messages(struct events *e)
{
	for (size_t i = 0; i < e->scene->fact_count; i++) {
		const struct scene_message *m = &e->scene->facts[i];

		if (m->send != SCENE_NONE && m->receive != SCENE_NONE) {
			put_arrow_end(e, m, i, true);
			put_arrow_end(e, m, i, false);
		} else {
			put_instant(e, m);
		}
	}
}

/* --- what is told beside calls and messages --- */

static const char *category_of(enum scene_kind kind)
{
	static const char *const words[SCENE_KIND_COUNT] = {
		[SCENE_FAILED] = "failed", [SCENE_REMOVED] = "removed", [SCENE_WAITING] = "waits",
		[SCENE_NOTE] = "remark",   [SCENE_MEMORY] = "memory",	[SCENE_FOUND] = "finding",
	};

	return words[kind];
}

/* An instant at the thread where it happened, with a sign that is seen at every zoom. */
static void put_mark(struct events *e, const struct scene_row *row)
{
	const char *category = category_of(row->kind);

	if (!category || row->from < 0)
		return;
	begin_timed(e, "i", pid_of(e, row->from), tid_of(e, row->from),
		    e->scene->start_ns + row->at_ns);
	put_field(e, "s", "t");
	put_field(e, "cat", category);
	put_field(e, "name", row->label);
	fputs(",\"args\":{\"detail\":", e->out);
	put_string(e->out, row->detail);
	put_field(e, "object", row->channel);
	fputs("}}", e->out);
}

static int by_time(const void *a, const void *b)
{
	const struct delta *x = a, *y = b;

	return COMPARE(x->at_ns, y->at_ns) ?: COMPARE(y->bytes, x->bytes);
}

/* How many have it, at each change. */
static void put_haver_counter(struct events *e, const struct scene_memory *memory)
{
	struct delta *changes = memory_array(memory->haver_count * 2 + 1, sizeof(*changes));
	size_t count = 0;
	int64_t now = 0;

	for (size_t i = 0; i < memory->haver_count; i++) {
		changes[count++] = (struct delta){0, memory->havers[i].since_ns, 1};
		if (memory->havers[i].ended)
			changes[count++] = (struct delta){0, memory->havers[i].until_ns, -1};
	}
	qsort(changes, count, sizeof(*changes), by_time);
	for (size_t i = 0; i < count; i++) {
		now += changes[i].bytes;
		if (i + 1 < count && changes[i + 1].at_ns == changes[i].at_ns)
			continue;
		begin_timed(e, "C", CHANNELS_PID, CHANNELS_PID, changes[i].at_ns);
		put_field(e, "name", memory->name);
		fprintf(e->out, ",\"args\":{\"processes that have it\":%" PRId64 "}}", now);
	}
	free(changes);
}

/* One end of an asynchronous slice, which has a track of its own. */
static void put_haver_end(struct events *e, const struct scene_memory *memory,
			  const struct scene_haver *haver, bool begin)
{
	char *name = memory_format("%s: %s", memory->name, haver->name);

	begin_timed(e, begin ? "b" : "e", CHANNELS_PID, CHANNELS_PID,
		    begin ? haver->since_ns : haver->until_ns);
	fprintf(e->out, ",\"id\":\"m%td.%td\"", memory - e->scene->memories,
		haver - memory->havers);
	put_field(e, "cat", "shared memory");
	put_field(e, "name", name);
	fputs(",\"args\":{\"came\":", e->out);
	put_string(e->out, *haver->how ? haver->how : scene_say(e->scene, "attached"));
	fprintf(e->out, "%s}}", haver->ended ? "" : ",\"unended\":true");
	free(name);
}

static void put_memories(struct events *e)
{
	for (size_t i = 0; i < e->scene->memory_count; i++) {
		const struct scene_memory *memory = &e->scene->memories[i];

		for (size_t k = 0; k < memory->haver_count; k++) {
			put_haver_end(e, memory, &memory->havers[k], true);
			put_haver_end(e, memory, &memory->havers[k], false);
		}
		put_haver_counter(e, memory);
	}
}

static void put_marks(struct events *e)
{
	for (size_t i = 0; i < e->scene->row_count; i++)
		put_mark(e, &e->scene->rows[i]);
}

/* --- the whole --- */

static uint64_t first_ns(const struct scene *scene)
{
	uint64_t first = SCENE_NEVER;

	for (size_t i = 0; i < scene->call_count; i++)
		if (scene->calls[i].enter_ns < first)
			first = scene->calls[i].enter_ns;
	for (size_t i = 0; i < scene->fact_count; i++) {
		const struct scene_message *m = &scene->facts[i];

		if (m->sent_ns < first)
			first = m->sent_ns;
		if (m->received_ns < first)
			first = m->received_ns;
	}
	for (size_t i = 0; i < scene->memory_count; i++)
		for (size_t k = 0; k < scene->memories[i].haver_count; k++)
			if (scene->memories[i].havers[k].since_ns < first)
				first = scene->memories[i].havers[k].since_ns;
	return first == SCENE_NEVER ? 0 : first;
}

static void put_other(struct events *e)
{
	const struct scene *scene = e->scene;

	fputs("\n],\"displayTimeUnit\":\"ns\",\"otherData\":{\"command\":", e->out);
	put_string(e->out, scene->command);
	fprintf(e->out, ",\"start_monotonic_ns\":\"%" PRIu64 "\"", e->start_ns);
	for (size_t i = 0; i < scene->note_count; i++) {
		fprintf(e->out, ",\"note %zu\":", i + 1);
		put_string(e->out, scene->notes[i]);
	}
	fputs("}}\n", e->out);
}

static void put_events(struct events *e, size_t *open)
{
	const struct scene *scene = e->scene;

	e->start_ns = first_ns(scene);
	for (size_t i = 0; i < scene->call_count; i++)
		e->order[i] = i;
	qsort_r(e->order, scene->call_count, sizeof(*e->order), by_thread, (void *)scene);
	nest(e, open);
	fputs("{\"traceEvents\":[\n", e->out);
	for (size_t i = 0; i < scene->lane_count; i++)
		put_lane(e, &scene->lanes[i]);
	put_slices(e);
	put_messages(e);
	put_marks(e);
	put_memories(e);
	put_counters(e);
	put_other(e);
}

int render_trace_event(FILE *out, const struct scene *scene, const struct render_options *options)
{
	struct events e = {.scene = scene, .out = out};
	size_t *open = memory_array(scene->call_count + 1, sizeof(*open));

	(void)options;
	e.order = memory_array(scene->call_count + 1, sizeof(*e.order));
	e.exit_ns = memory_array(scene->call_count + 1, sizeof(*e.exit_ns));
	put_events(&e, open);
	free(open);
	free(e.order);
	free(e.exit_ns);
	return ferror(out) ? -EIO : 0;
}
