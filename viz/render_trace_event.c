// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Trace events in JSON, for https://ui.perfetto.dev and chrome://tracing: a slice is a call, an
 * arrow a message from its send to its receive, an instant what has not both (signals, what nobody
 * received), a counter the bytes of a channel that were sent and not yet received. Slices of a
 * thread nest, and an arrow's ends lie within theirs: these readers drop what does not.
 * The format: "Trace Event Format", Google 2016.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "lang/names.h"
#include "render.h"
#include "render_trace_event.h"
#include "scene_text.h"

/* --- writing --- */

static void put_string(FILE *out, const char *text)
{
	putc('"', out);
	for (; *text; text++) {
		if (*text == '<')
			fputs("\\u003c", out); /* for pages that hold it */
		else
			fprintf(out, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
	}
	putc('"', out);
}

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

void trace_begin_timed(struct events *e, const char *phase, uint32_t pid, uint32_t tid, uint64_t ns)
{
	begin_event(e, phase, pid, tid);
	put_us(e, "ts", ns > e->start_ns ? ns - e->start_ns : 0);
}

void trace_put_field(struct events *e, const char *key, const char *text)
{
	fprintf(e->out, ",\"%s\":", key);
	put_string(e->out, text);
}

static uint32_t pid_of(const struct events *e, int lane)
{
	return lane < 0 ? CHANNELS_PID : e->scene->lanes[lane].pid;
}

static uint32_t tid_of(const struct events *e, int lane)
{
	return lane < 0 || !e->scene->lanes[lane].tid ? pid_of(e, lane) : e->scene->lanes[lane].tid;
}

void trace_put_name(struct events *e, const char *what, uint32_t pid, uint32_t tid,
		    const char *name)
{
	begin_event(e, "M", pid, tid);
	trace_put_field(e, "name", what);
	fputs(",\"args\":{\"name\":", e->out);
	put_string(e->out, name);
	fputs("}}", e->out);
}

/* A process has the name of its first thread. */
static void put_lane(struct events *e, const struct scene_lane *lane)
{
	if (!lane->tid || lane->tid == lane->pid)
		trace_put_name(e, "process_name", lane->pid, lane->pid, lane->title);
	if (lane->tid)
		trace_put_name(e, "thread_name", lane->pid, lane->tid, lane->title);
}

/* --- slices --- */

static int by_thread(const void *a, const void *b, void *scene)
{
	const struct scene_call *calls = ((const struct scene *)scene)->calls;
	const struct scene_call *x = &calls[*(const size_t *)a], *y = &calls[*(const size_t *)b];

	if (x->lane != y->lane)
		return x->lane < y->lane ? -1 : 1;
	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	if (x->enter_ns != y->enter_ns)
		return x->enter_ns < y->enter_ns ? -1 : 1;
	if (x->exit_ns != y->exit_ns)
		return x->exit_ns > y->exit_ns ? -1 : 1;
	return x < y ? -1 : x > y;
}

static bool same_thread(const struct scene_call *a, const struct scene_call *b)
{
	return a->lane == b->lane && a->tid == b->tid;
}

/*
 * A call within another one ends with it at the latest. `open` are the calls around this one, the
 * innermost last.
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

		trace_begin_timed(e, "X", pid_of(e, call->lane), call->tid, call->enter_ns);
		put_us(e, "dur", exit_ns - call->enter_ns);
		trace_put_field(e, "cat", "call");
		trace_put_field(e, "name", call->name);
		fputs(",\"args\":{\"result\":", e->out);
		put_string(e->out, call->result);
		trace_put_field(e, "object", call->object);
		fprintf(e->out, "%s}}", exit_ns < call->exit_ns ? ",\"cut\":true" : "");
	}
}

/* --- messages --- */

static void put_message_name(struct events *e, const struct scene_message *m)
{
	char text[128], bytes[SCENE_QUANTITY];

	trace_put_field(e, "cat", "message");
	if (m->mechanism == MECH_SIGNAL) {
		trace_put_field(e, "name", m->label);
		return;
	}
	snprintf(text, sizeof(text), "%s %s%s", mechanism_info(m->mechanism)->name,
		 scene_bytes(m->bytes, bytes), m->ambiguous ? "?" : "");
	trace_put_field(e, "name", text);
}

/* An end of an arrow: within the call, at its begin or just before its end. */
static void put_arrow_end(struct events *e, const struct scene_message *m, size_t id, bool start)
{
	size_t index = start ? m->send : m->receive;
	const struct scene_call *call = &e->scene->calls[index];
	uint64_t at_ns = call->enter_ns;

	if (!start && e->exit_ns[index] > at_ns)
		at_ns = e->exit_ns[index] - 1;
	trace_begin_timed(e, start ? "s" : "f", pid_of(e, call->lane), call->tid, at_ns);
	fprintf(e->out, ",\"id\":\"0x%zx\"%s", id + 1, start ? "" : ",\"bp\":\"e\"");
	put_message_name(e, m);
	putc('}', e->out);
}

static void put_end(FILE *out, const struct scene *scene, const char *key, int lane)
{
	char number[SCENE_NUMBER];
	char *text;

	if (lane == SCENE_NOWHERE)
		return;
	fprintf(out, ",\"%s\":", key);
	if (lane < 0 || asprintf(&text, "%s [%s]", scene->lanes[lane].title,
				 scene_lane_number(&scene->lanes[lane], number)) < 0) {
		put_string(out, "(not traced)");
		return;
	}
	put_string(out, text);
	free(text);
}

static const char *fate_of(const struct scene_message *m)
{
	if (m->part == SCENE_UNREAD)
		return "never received";
	return m->part == SCENE_DROPPED ? "lost" : "received";
}

/* What no arrow can tell: at whoever is known, when it was received, or else sent. */
static void put_instant(struct events *e, const struct scene_message *m)
{
	int lane = m->to >= 0 && m->part == SCENE_WHOLE ? m->to : m->from;
	uint64_t ns = lane == m->to && m->received_ns != SCENE_NEVER ? m->received_ns : m->sent_ns;

	if (lane < 0)
		lane = m->to;
	trace_begin_timed(e, "i", pid_of(e, lane), tid_of(e, lane),
			  ns == SCENE_NEVER ? e->start_ns : ns);
	trace_put_field(e, "s", "p");
	put_message_name(e, m);
	fputs(",\"args\":{\"fate\":", e->out);
	put_string(e->out, fate_of(m));
	put_end(e->out, e->scene, "from", m->from);
	put_end(e->out, e->scene, "to", m->to);
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

static int put_events(struct events *e, size_t *open)
{
	const struct scene *scene = e->scene;
	int err;

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
	err = trace_put_counters(e);
	put_other(e);
	return err;
}

int render_trace_event(FILE *out, const struct scene *scene, const struct render_options *options)
{
	struct events e = {.scene = scene, .out = out};
	size_t *open = calloc(scene->call_count + 1, sizeof(*open));
	int err = -ENOMEM;

	(void)options;
	e.order = calloc(scene->call_count + 1, sizeof(*e.order));
	e.exit_ns = calloc(scene->call_count + 1, sizeof(*e.exit_ns));
	if (open && e.order && e.exit_ns)
		err = put_events(&e, open);
	free(open);
	free(e.order);
	free(e.exit_ns);
	return !err && ferror(out) ? -EIO : err;
}
