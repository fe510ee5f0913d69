// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * FIFOs opened in the wrong order: each of two or three processes sleeps in open(2) until the other
 * side of its FIFO is opened, which another of them would do next. What that one would open next no
 * state tells. It is a circle where nobody else of their program could come: all of it hangs.
 */
#include "viz/diagnose/core/finder.h"
#include "viz/diagnose/graph/wait_graph_internal.h"
#include "viz/diagnose/graph/wait_kinds.h"

/* More of them are workers, each with a FIFO for its clients. */
#define OPENERS_MOST 3

/* True if one made the other, or somebody made both: on a whole machine somebody made everybody. */
static bool is_relative(const struct wait_graph *graph, const struct viz_process *one,
			const struct viz_process *other)
{
	if (one->ppid > 1 && one->ppid == other->ppid)
		return true;
	return viz_process_descends(one, other) || viz_process_descends(other, one) ||
	       !graph->whole;
}

/* True if the paths lead to different files for sure, whatever the folder that each is from. */
static bool lead_apart(struct viz_bytes one, struct viz_bytes other)
{
	const bool both = one.len && other.len && (one.data[0] == '/') == (other.data[0] == '/');

	if (!viz_bytes_equal(viz_base_name(one), viz_base_name(other)))
		return true;
	return both && !viz_bytes_equal(one, other);
}

bool wait_opens_crosswise(const struct wait_graph *graph, const struct wait *wait,
			  const struct wait *other)
{
	return other->process != wait->process && waits_to_open(other) && waits_to_open(wait) &&
	       lead_apart(other->operation->extra->path, wait->operation->extra->path) &&
	       is_relative(graph, other->process, wait->process);
}

bool wait_may_be_opened_by(const struct wait_graph *graph, const struct wait *wait,
			   const struct viz_process *process)
{
	return waits_to_open(wait) && wait->open && !wait->ender_count && !wait->clock &&
	       is_relative(graph, process, wait->process);
}

static void collect_opens(struct wait_graph *graph)
{
	for (size_t i = 0; i < graph->count; i++)
		if (waits_to_open(graph->waits[i]))
			ARENA_PUSH(graph->arena, graph->opens, graph->open_count, graph->waits[i]);
}

/* Who opens a FIFO again and again serves those that come: it waits for the next one. */
static bool was_open_before(const struct wait_graph *graph, const struct wait *wait)
{
	const struct viz_operation *const waiting = wait->operation;

	for (size_t i = 0; i < graph->model->operation_count; i++) {
		const struct viz_operation *op = graph->model->operations[i];

		if (op->role == ROLE_OPEN && op != waiting && viz_operation_done(op) &&
		    !viz_operation_failed(op) &&
		    viz_bytes_equal(op->extra->path, waiting->extra->path))
			return true;
	}
	return false;
}

static bool is_crossed_by_few(const struct wait_graph *graph, const struct wait *wait)
{
	const struct viz_trailer *trailer = &graph->model->trailer;
	const uint64_t end_ns = trailer->present ? trailer->at_ns : graph->model->end_ns;
	size_t others = 0;

	for (size_t i = 0; i < graph->open_count && others < OPENERS_MOST; i++)
		others += wait_opens_crosswise(graph, wait, graph->opens[i]);
	return others && others < OPENERS_MOST && end_ns - wait->since_ns >= LONG_WAIT_NS &&
	       (graph->whole || graph->model->header.command_count);
}

/* True for a shell at its prompt, and for whoever started this look at the machine. */
static bool only_looks_on(const struct wait_graph *graph, const struct viz_process *process)
{
	if (viz_model_is_launcher(graph->model, process))
		return true;
	for (const struct wait *wait = wait_of_process(graph, process); wait;
	     wait = wait->next_of_process)
		if (wait->channel && wait->channel->mechanism == MECH_PTY)
			return true;
	return false;
}

/* True if it is of the program: it might open what the other waits for. */
static bool is_of_program(const struct wait_graph *graph, const struct viz_process *process,
			  const struct viz_process *waits)
{
	if (process == waits || process->ended || process->zombie)
		return false;
	if (!graph->whole)
		return true;
	if (viz_process_descends(process, waits))
		return true;
	/* What else the user's shell has started is not of the program. */
	return waits->parent && waits->parent->pid > 1 && !only_looks_on(graph, waits->parent) &&
	       (process == waits->parent || process->parent == waits->parent);
}

static void suppose(struct wait_graph *graph, struct wait *wait)
{
	struct wait all = wait_set_begin(graph);

	for (size_t i = 0; i < wait->ender_count; i++)
		wait_add_ender(graph, &all, wait->enders[i]);
	for (size_t i = 0; i < graph->open_count; i++)
		if (wait_opens_crosswise(graph, wait, graph->opens[i]))
			wait_add_ender(graph, &all, graph->opens[i]->process);
	for (size_t i = 0; i < graph->model->process_count; i++)
		if (is_of_program(graph, graph->model->processes[i], wait->process))
			wait_add_ender(graph, &all, graph->model->processes[i]);
	wait->crossed = true;
	wait->open = false;
	wait_set_replace(graph, wait, &all);
}

/* So many processes of a program do not open FIFOs in the wrong order: they are workers. */
#define CROSSED_MOST 64

void wait_suppose_crossed(struct wait_graph *graph)
{
	struct wait *crossed[CROSSED_MOST];
	size_t count = 0;

	collect_opens(graph);
	for (size_t i = 0; i < graph->open_count && count <= CROSSED_MOST; i++)
		if (is_crossed_by_few(graph, graph->opens[i])) {
			if (count < CROSSED_MOST)
				crossed[count] = graph->opens[i];
			count++;
		}
	for (size_t i = 0; i < count && count <= CROSSED_MOST; i++)
		if (!was_open_before(graph, crossed[i]))
			suppose(graph, crossed[i]);
}

/* Of those that might end it there stay those that hang in open(2) themselves. */
static void settle(struct wait_graph *graph, struct wait *wait)
{
	struct wait crossed = wait_set_begin(graph);

	wait->crossed = wait->known = wait->stuck;
	wait->open = !wait->stuck;
	for (size_t i = 0; i < graph->open_count && wait->stuck; i++) {
		const struct wait *other = graph->opens[i];

		if (other->stuck && wait_opens_crosswise(graph, wait, other))
			wait_add_ender(graph, &crossed, other->process);
	}
	wait_set_replace(graph, wait, &crossed);
}

void wait_settle_crossed(struct wait_graph *graph)
{
	for (size_t i = 0; i < graph->open_count; i++)
		if (graph->opens[i]->crossed)
			settle(graph, graph->opens[i]);
}
