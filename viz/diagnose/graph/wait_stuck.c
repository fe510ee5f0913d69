// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds the greatest set of waits that only each other could end: starts with all waits, removes
 * those that a process able to act could end, and repeats with the processes so woken. Each wait is
 * visited once.
 */
#include "viz/diagnose/core/finder.h"
#include "viz/diagnose/graph/wait_graph_internal.h"

/* The waits that each process could end, and the processes found to be able to act. */
struct release {
	size_t *first; /* by process index: start of its sets; the next entry ends them */
	struct wait_set **sets;
	bool *spread; /* by set index: its waits were visited */
	bool *free;
	const struct viz_process **queue;
	size_t queued;
};

static void list_dependents(struct wait_graph *graph, struct release *release)
{
	const size_t processes = graph->model->process_count;
	size_t *at = arena_array(graph->arena, processes + 1, sizeof(*at));
	size_t total = 0;

	for (const struct wait_set *set = graph->sets; set; set = set->next)
		for (size_t k = 0; set->waits && k < set->count; k++)
			at[set->processes[k]->index]++;
	for (size_t i = 0; i <= processes; i++) {
		const size_t count = at[i];

		release->first[i] = at[i] = total;
		total += count;
	}
	release->sets = arena_array(graph->arena, total + 1, sizeof(*release->sets));
	for (struct wait_set *set = graph->sets; set; set = set->next)
		for (size_t k = 0; set->waits && k < set->count; k++)
			release->sets[at[set->processes[k]->index]++] = set;
}

static void set_free(struct release *release, const struct viz_process *process)
{
	if (release->free[process->index])
		return;
	release->free[process->index] = true;
	release->queue[release->queued++] = process;
}

static void set_moving(struct wait *wait)
{
	wait->stuck = false;
}

static void set_natural(struct wait *wait)
{
	wait->natural = true;
}

/* Calls `mark` for each wait that a free process could end, which frees its process, and so on. */
static void spread(struct release *release, void (*mark)(struct wait *))
{
	for (size_t k = 0; k < release->queued; k++) {
		const size_t process = release->queue[k]->index;

		for (size_t i = release->first[process]; i < release->first[process + 1]; i++) {
			const struct wait_set *set = release->sets[i];

			for (struct wait *wait = set->waits; wait && !release->spread[set->index];
			     wait = wait->next_of_set) {
				mark(wait);
				set_free(release, wait->process);
			}
			release->spread[set->index] = true;
		}
	}
}

static struct release release_new(struct wait_graph *graph)
{
	const size_t n = graph->model->process_count + 1;
	struct release release = {
		.first = arena_array(graph->arena, n, sizeof(size_t)),
		.spread = arena_array(graph->arena, graph->set_count + 1, sizeof(bool)),
		.free = arena_array(graph->arena, n, sizeof(bool)),
		.queue = arena_array(graph->arena, n, sizeof(struct viz_process *)),
	};

	list_dependents(graph, &release);
	return release;
}

void wait_find_stuck(struct wait_graph *graph)
{
	struct release release = release_new(graph);

	for (size_t i = 0; i < graph->count; i++)
		graph->waits[i]->stuck = !graph->waits[i]->open && !graph->waits[i]->ready;
	for (size_t i = 0; i < graph->model->process_count; i++)
		if (!wait_process_stuck(graph, graph->model->processes[i]))
			set_free(&release, graph->model->processes[i]);
	spread(&release, set_moving);
}

#define FRESH_NS (100 * MILLISECOND)

bool wait_is_fresh(const struct wait_graph *graph, uint64_t ran_ns)
{
	const struct viz_trailer *trailer = &graph->model->trailer;
	const uint64_t end_ns = trailer->present ? trailer->at_ns : graph->model->end_ns;

	return ran_ns && (end_ns < ran_ns + FRESH_NS ||
			  (graph->whole && ran_ns >= graph->model->header.start_ns));
}

bool wait_has_just_begun(const struct wait_graph *graph, const struct wait *wait)
{
	return !viz_has(wait->operation, asks_again) && wait_is_fresh(graph, wait->since_ns);
}

/* False for one that sleeps in a call of which the trace knows no more, and has for a while. */
static bool runs(const struct wait_graph *graph, const struct viz_thread *thread)
{
	if (thread->state == TARGET_STATE_BLOCKED)
		return !thread->own && wait_is_fresh(graph, thread->since_ns);
	return thread->state == TARGET_STATE_NONE || thread->state == TARGET_STATE_RUNNING;
}

/* True if a thread of the process runs, or nothing tells what it does. */
static bool has_runner(const struct wait_graph *graph, const struct viz_process *process)
{
	for (size_t i = 0; i < process->thread_count && !process->ended; i++)
		if (process->threads[i]->end_ns == VIZ_NEVER &&
		    !wait_of_thread(graph, process->threads[i]) && runs(graph, process->threads[i]))
			return !process->zombie;
	return false;
}

/*
 * True if the loop waits for a pipe to read and to write at once, as Go's runtime does for each
 * pipe that the program made (netpollopen() in runtime/netpoll_epoll.go). A pipe that only wakes
 * the loop is waited for to read.
 */
static bool watches_made_pipe(const struct wait_graph *graph, const struct wait *wait)
{
	const struct viz_operation *op = wait->operation;

	for (size_t i = 0; i < op->extra->waits_for_count; i++) {
		const struct viz_channel *channel = wait_asked(graph, op, i);

		if (channel && channel->mechanism == MECH_PIPE &&
		    viz_wait_has(&op->extra->waits_for[i], IN) &&
		    viz_wait_has(&op->extra->waits_for[i], OUT))
			return true;
	}
	return false;
}

#define SIGNALS_MOST 32 /* half of all that there are */

/*
 * True if a thread of Go's runtime waits for the signals that the program asked for with
 * signal.Notify: it alone blocks nearly all signals (ensureSigM() in runtime/signal_unix.go).
 */
static bool takes_signals(const struct viz_process *process)
{
	for (size_t i = 0; i < process->thread_count; i++)
		if (process->threads[i]->end_ns == VIZ_NEVER &&
		    process->threads[i]->blocks >= SIGNALS_MOST)
			return true;
	return false;
}

/* An event loop that only its own threads could wake, and nothing says that they cannot. */
static bool waits_for_itself(const struct wait_graph *graph, const struct wait *wait)
{
	for (size_t i = 0; i < wait->ender_count; i++)
		if (wait->enders[i] != wait->process)
			return false;
	return wait->operation->role == ROLE_WAIT && wait->ender_count && !wait->stuck &&
	       (!watches_made_pipe(graph, wait) || takes_signals(wait->process));
}

void wait_find_natural(struct wait_graph *graph, bool (*base)(const struct wait *wait))
{
	struct release release = release_new(graph);

	for (size_t i = 0; i < graph->count; i++) {
		struct wait *wait = graph->waits[i];

		wait->natural = wait->ready || base(wait) || waits_for_itself(graph, wait) ||
				wait_has_just_begun(graph, wait);
		if (wait->natural)
			set_free(&release, wait->process);
	}
	for (size_t i = 0; i < graph->model->process_count; i++)
		if (has_runner(graph, graph->model->processes[i]))
			set_free(&release, graph->model->processes[i]);
	spread(&release, set_natural);
}

/*
 * True if only another thread of the process can end the thread's sleep, in a futex. It was
 * looked at before the trace's end: a thread that began a wait since then may have woken it before.
 */
static bool waits_for_own(const struct wait_graph *graph, const struct viz_thread *thread)
{
	for (const struct wait *wait = wait_of_process(graph, thread->process); wait;
	     wait = wait->next_of_process)
		if (wait->since_ns >= thread->looked_ns)
			return false;
	return thread->own;
}

bool wait_process_stuck(const struct wait_graph *graph, const struct viz_process *process)
{
	for (size_t i = 0; i < process->thread_count; i++) {
		const struct wait *wait;

		if (process->threads[i]->end_ns != VIZ_NEVER)
			continue;
		wait = wait_of_thread(graph, process->threads[i]);
		if (wait ? !wait->stuck : !waits_for_own(graph, process->threads[i]))
			return false;
	}
	return process->thread_count > 0 && !process->ended;
}

static bool acts(const struct wait_graph *graph, const struct viz_process *process, bool own)
{
	if (process->frozen.len || wait_process_stuck(graph, process))
		return false;
	for (size_t i = 0; i < process->thread_count && !process->zombie; i++) {
		const struct viz_thread *thread = process->threads[i];
		const struct wait *wait = wait_of_thread(graph, thread);

		if (thread->end_ns == VIZ_NEVER &&
		    (wait ? wait->clock || wait->ready : own || !thread->own))
			return true;
	}
	return false;
}

bool wait_process_acts(const struct wait_graph *graph, const struct viz_process *process)
{
	return acts(graph, process, true);
}

bool wait_process_moves(const struct wait_graph *graph, const struct viz_process *process)
{
	return !process_is_stopped(process) && acts(graph, process, false);
}

const struct wait *wait_of_process(const struct wait_graph *graph,
				   const struct viz_process *process)
{
	return map_get_uint(&graph->of_process, (uintptr_t)process);
}

bool process_runs(const struct viz_process *process)
{
	for (size_t i = 0; i < process->thread_count; i++)
		if (process->threads[i]->end_ns == VIZ_NEVER &&
		    process->threads[i]->state == TARGET_STATE_RUNNING)
			return true;
	return false;
}

bool process_is_stopped(const struct viz_process *process)
{
	bool found = false;

	if (process->frozen.len)
		return !process->ended;
	for (size_t i = 0; i < process->thread_count && !process->ended; i++) {
		if (process->threads[i]->end_ns != VIZ_NEVER)
			continue;
		if (process->threads[i]->state != TARGET_STATE_STOPPED)
			return false;
		found = true;
	}
	return found;
}

const struct wait *wait_of_thread(const struct wait_graph *graph, const struct viz_thread *thread)
{
	return map_get_uint(&graph->of_thread, (uintptr_t)thread);
}
