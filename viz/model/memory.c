// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Walks calls, births, execs and ends in the order of time, once for all memory. */
#include "viz/model/memory.h"

#include <stdlib.h>

#include "viz/base/arena.h"
#include "viz/base/compare.h"
#include "viz/base/id_map.h"
#include "viz/model/operation_facts.h"

/*
 * Beyond so many uses, and so many for each line of the trace, births are not looked at: they give
 * a use for each process and memory.
 */
enum { USES_MOST = 1 << 17, USES_A_LINE = 16 };

/* The uses of one process that have not ended, as indices. */
struct open_uses {
	size_t *items;
	size_t count;
};

struct walk {
	const struct viz_model *model;
	struct arena *arena; /* for all but the result */
	struct arena *into;
	struct viz_memory_use *uses;
	size_t count, left_out;
	struct open_uses *open;		    /* by process index */
	struct id_map places;		    /* of the open uses, by process and memory: 1 + place */
	const struct viz_operation **calls; /* by time */
	size_t call_count;
};

static bool is_memory(const struct viz_operation *op, enum mechanism mechanism)
{
	return op->channel && op->channel->mechanism == mechanism && viz_operation_done(op) &&
	       !viz_operation_failed(op);
}

bool viz_attaches_memory(const struct viz_operation *op)
{
	return (is_memory(op, MECH_SYSV_SHM) && operation_is(op, "shmat")) ||
	       (is_memory(op, MECH_SHARED_MMAP) && operation_is(op, "mmap"));
}

bool viz_detaches_memory(const struct viz_operation *op)
{
	return (is_memory(op, MECH_SYSV_SHM) && operation_is(op, "shmdt")) ||
	       (is_memory(op, MECH_SHARED_MMAP) && operation_is(op, "munmap"));
}

static void set_place(struct walk *w, const struct viz_memory_use *use, size_t at)
{
	id_map_put(&w->places, viz_pair_key(use->process, use->memory),
		   (void *)(uintptr_t)(at + 1)); /* NOLINT(performance-no-int-to-ptr): no pointer */
}

static void begin_use(struct walk *w, const struct viz_memory_use *use)
{
	struct open_uses *open = &w->open[use->process->index];

	set_place(w, use, open->count);
	ARENA_PUSH(w->arena, open->items, open->count, w->count);
	ARENA_PUSH(w->into, w->uses, w->count, *use);
}

static void end_use(struct walk *w, struct open_uses *open, size_t at, uint64_t ns)
{
	struct viz_memory_use *use = &w->uses[open->items[at]];

	use->until_ns = ns;
	use->times = 0;
	open->items[at] = open->items[--open->count];
	if (at < open->count)
		set_place(w, &w->uses[open->items[at]], at);
	id_map_remove(&w->places, viz_pair_key(use->process, use->memory));
}

/* The place of this memory among a process's open uses; their number if it is not there. */
static size_t place_of(const struct walk *w, const struct viz_process *process,
		       const struct viz_channel *memory)
{
	const uintptr_t place = (uintptr_t)id_map_get(&w->places, viz_pair_key(process, memory));

	return place ? place - 1 : w->open[process->index].count;
}

static void do_call(struct walk *w, const struct viz_operation *op)
{
	struct open_uses *open = &w->open[op->process->index];
	size_t at = place_of(w, op->process, op->channel);

	if (at == open->count) {
		if (viz_attaches_memory(op))
			begin_use(w,
				  &(struct viz_memory_use){op->process, op->channel, CAME_ATTACHED,
							   op->exit_ns, VIZ_NEVER, false, 1});
	} else if (viz_attaches_memory(op)) {
		w->uses[open->items[at]].times++;
		w->uses[open->items[at]].came = CAME_ATTACHED;
	} else if (--w->uses[open->items[at]].times == 0) {
		end_use(w, open, at, op->exit_ns);
	}
}

static uint64_t uses_most(const struct viz_model *model)
{
	return USES_MOST + USES_A_LINE * model->lines;
}

static void do_fork(struct walk *w, const struct viz_process_event *event)
{
	const struct open_uses *open = &w->open[event->parent->index];
	struct open_uses *born = &w->open[event->process->index];

	if (event->parent == event->process || !w->uses)
		return;
	if (w->count >= uses_most(w->model)) {
		w->left_out += open->count;
		return;
	}
	while (born->count) { /* it is made only once, and has nothing yet */
		const struct viz_memory_use *use = &w->uses[born->items[--born->count]];

		id_map_remove(&w->places, viz_pair_key(use->process, use->memory));
	}
	for (size_t i = 0; i < open->count; i++) {
		const struct viz_memory_use *use = &w->uses[open->items[i]];

		begin_use(w, &(struct viz_memory_use){event->process, use->memory, CAME_BY_FORK,
						      event->at_ns, VIZ_NEVER, false, use->times});
	}
}

/* It ended, or executes another program. What it never attached itself then never counted. */
static void do_end(struct walk *w, const struct viz_process *process, uint64_t ns, bool exec)
{
	struct open_uses *open = &w->open[process->index];

	while (open->count) {
		struct viz_memory_use *use = &w->uses[open->items[open->count - 1]];

		use->by_exec = exec;
		end_use(w, open, open->count - 1, ns);
		if (exec && use->came == CAME_BY_FORK)
			use->memory = NULL;
	}
}

static void do_event(struct walk *w, const struct viz_process_event *event)
{
	if (event->event == PROCESS_EVENT_FORK && !event->new_thread && event->parent)
		do_fork(w, event);
	else if (event->event == PROCESS_EVENT_EXEC)
		do_end(w, event->process, event->at_ns, true);
	else if (event->event == PROCESS_EVENT_EXIT && event->last)
		do_end(w, event->process, event->at_ns, false);
}

static void begin(struct walk *w)
{
	const struct viz_model *model = w->model;

	w->open = arena_array(w->arena, model->process_count + 1, sizeof(*w->open));
	for (size_t i = 0; i < model->mapping_count; i++) {
		const struct viz_mapping *mapping = &model->mappings[i];
		struct open_uses *open = &w->open[mapping->process->index];
		size_t at = place_of(w, mapping->process, mapping->memory);

		if (at < open->count)
			w->uses[open->items[at]].times++;
		else
			begin_use(w, &(struct viz_memory_use){mapping->process, mapping->memory,
							      CAME_BEFORE, mapping->at_ns,
							      VIZ_NEVER, false, 1});
	}
	for (size_t i = 0; i < model->operation_count; i++) {
		const struct viz_operation *op = model->operations[i];

		if (viz_attaches_memory(op) || viz_detaches_memory(op))
			ARENA_PUSH(w->arena, w->calls, w->call_count, op);
	}
}

static int by_time(const void *left, const void *right)
{
	const struct viz_operation *a = *(const struct viz_operation *const *)left;
	const struct viz_operation *b = *(const struct viz_operation *const *)right;

	return COMPARE(a->exit_ns, b->exit_ns) ?: COMPARE(a->index, b->index);
}

static int by_memory(const void *left, const void *right)
{
	const struct viz_memory_use *a = left, *b = right;

	return COMPARE(a->memory->index, b->memory->index)
		       ?: COMPARE(a->since_ns, b->since_ns)
		       ?: COMPARE(a->process->index, b->process->index);
}

/* Drops what never counted, and sorts the rest. */
static void settle(struct walk *w)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->count; i++)
		if (w->uses[i].memory)
			w->uses[kept++] = w->uses[i];
	w->count = kept;
	if (kept)
		qsort(w->uses, kept, sizeof(*w->uses), by_memory);
}

struct viz_memory_use *viz_memory_uses(const struct viz_model *model, struct arena *arena,
				       size_t *count, size_t *left_out)
{
	struct walk w = {.model = model, .arena = arena_new(), .into = arena};
	size_t next = 0;

	begin(&w);
	if (w.call_count)
		qsort(w.calls, w.call_count, sizeof(*w.calls), by_time);
	for (size_t i = 0; i < model->process_event_count; i++) {
		while (next < w.call_count &&
		       w.calls[next]->exit_ns < model->process_events[i]->at_ns)
			do_call(&w, w.calls[next++]);
		do_event(&w, model->process_events[i]);
	}
	while (next < w.call_count)
		do_call(&w, w.calls[next++]);
	settle(&w);
	id_map_free(&w.places);
	arena_free(w.arena);
	*count = w.count;
	*left_out = w.left_out;
	return w.uses;
}
