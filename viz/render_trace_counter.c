// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * How full channels are: where the kernel told at the end of a call what lay in its object, that;
 * where it did not, bytes that were sent and not yet received.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "lang/names.h"
#include "render_trace_event.h"

/* Bytes that join or leave a channel. */
struct delta {
	size_t object;
	uint64_t at_ns;
	int64_t bytes;
};

static int by_object_and_time(const void *a, const void *b)
{
	const struct delta *x = a, *y = b;

	if (x->object != y->object)
		return x->object < y->object ? -1 : 1;
	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	return x->bytes > y->bytes ? -1 : x->bytes < y->bytes; /* first in, then out */
}

/* As the kernel told them; marks their objects. */
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

/* What was dropped was never in the channel; of what came from outside nobody knows since when. */
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
	trace_begin_timed(e, "C", CHANNELS_PID, CHANNELS_PID, at->at_ns);
	trace_put_field(e, "name", e->scene->objects[at->object].name);
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
	uint64_t bytes = 0; /* any trace's lengths: they may go round */

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

int trace_put_counters(struct events *e)
{
	const struct scene *scene = e->scene;
	struct delta *levels = calloc(scene->call_count + 1, sizeof(*levels));
	struct delta *deltas = calloc(scene->fact_count * 2 + 1, sizeof(*deltas));
	bool *told = calloc(scene->object_count + 1, sizeof(*told));
	size_t known = 0, count = 0;
	int err = levels && deltas && told ? 0 : -ENOMEM;

	if (!err) {
		known = collect_levels(scene, levels, told);
		count = collect_deltas(scene, deltas, told);
		sort(levels, known);
		sort(deltas, count);
		put_levels(e, levels, known);
		put_sums(e, deltas, count);
	}
	if (known || count)
		trace_put_name(e, "process_name", CHANNELS_PID, CHANNELS_PID, "channels");
	free(levels);
	free(deltas);
	free(told);
	return err;
}
