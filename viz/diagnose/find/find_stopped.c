// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Finds processes that a signal, a debugger or a freezer has stopped while others wait for them. */
#include <inttypes.h>
#include <signal.h>

#include "viz/diagnose/find/find_waits.h"

/* Of one that is frozen it is not known. */
static uint64_t stopped_since(const struct viz_process *process)
{
	uint64_t since_ns = 0;

	for (size_t i = 0; i < process->thread_count && !process->frozen.len; i++)
		if (process->threads[i]->since_ns > since_ns)
			since_ns = process->threads[i]->since_ns;
	return since_ns;
}

static bool stopped_for_long(const struct diagnosis *d, const struct viz_process *process)
{
	return process_is_stopped(process) && d->end_ns - stopped_since(process) >= LONG_WAIT_NS;
}

/* True if nobody can cause an event there but the process itself, the clock, or its other end. */
static bool has_two_ends(const struct diagnosis *d, const struct wait *wait,
			 const struct viz_channel *channel)
{
	switch (channel->mechanism) {
	case MECH_EVENTFD:
	case MECH_TIMERFD:
	case MECH_SIGNALFD:
	case MECH_PIPE:
		return !channel->stranger_count;
	case MECH_TCP:
	case MECH_UNIX_STREAM:
		return !channel->listening && !channel->stranger_count &&
		       (channel == wait->client || wait_peer(d->waits, channel));
	default:
		return false;
	}
}

/*
 * True if nobody but its enders, and perhaps a clock, could end the wait. A loop's own eventfds say
 * nothing against that, though in a glance the kernel may count there.
 */
static bool is_for_enders(const struct diagnosis *d, const struct wait *wait)
{
	const struct viz_operation *op = wait->operation;

	if (wait->known || op->extra->waits_cut || !op->extra->waits_for_count)
		return wait->known;
	for (size_t i = 0; i < op->extra->waits_for_count; i++) {
		const struct viz_channel *channel = wait_asked(d->waits, op, i);

		if (!channel || !has_two_ends(d, wait, channel))
			return false;
	}
	return true;
}

/*
 * True for a wait with a timeout, perhaps again and again, for nobody but stopped processes: as
 * good as one without.
 */
static bool waits_for_stopped(const struct diagnosis *d, const struct wait *wait)
{
	for (size_t i = 0; i < wait->ender_count; i++)
		if (wait->enders[i] != wait->process && !stopped_for_long(d, wait->enders[i]))
			return false;
	return wait->clock && is_for_enders(d, wait);
}

static bool are_stopped(const struct wait_set *set, const struct viz_process *but)
{
	size_t stopped = 0;

	for (size_t i = 0; i < set->count; i++) {
		if (set->processes[i] == but)
			continue;
		if (!process_is_stopped(set->processes[i]))
			return false;
		stopped++;
	}
	return stopped > 0;
}

/* True if only stopped processes can do what the loop waits for there. */
static bool is_of_stopped(struct wait_graph *graph, const struct wait *wait, size_t n)
{
	const struct viz_channel *channel = wait_asked(graph, wait->operation, n);
	const struct viz_process *process = wait_pidfd_process(graph, channel);
	const struct viz_channel *peer = wait_peer(graph, channel);
	const struct viz_channel *end = peer ? peer : channel;
	const bool pipe = channel_is_pipe(channel);

	if (process)
		return process_is_stopped(process);
	if ((!pipe && !peer) || (!graph->whole && !end->created_in_trace) ||
	    wait_written_outside(end))
		return false;
	return are_stopped(wait_holders(graph, end,
					viz_wait_has(&wait->operation->extra->waits_for[n], IN)
						? ACCESS_WRITE
						: ACCESS_READ),
			   wait->process);
}

/*
 * True for an event loop that the stopped process, perhaps by its end, could wake, and otherwise
 * only processes that are stopped, too: it is not open to anybody, though such loops look so.
 */
static bool loops_for_stopped(struct diagnosis *d, const struct wait *wait,
			      const struct viz_process *process)
{
	const enum loop_share share = wait_loop_share(d->waits, wait, is_of_stopped);
	const bool told = viz_process_handles(wait->process, SIGCHLD);

	if (wait_is_of_helper(d->waits, wait) || share == LOOP_ELSE ||
	    (told && wait_children(d->waits, wait->process)->count &&
	     !are_stopped(wait_children(d->waits, wait->process), NULL)))
		return false;
	return share == LOOP_FITS ? wait_is_ended_by(d->waits, wait, process)
				  : told && process->parent == wait->process;
}

/*
 * True for a process that sleeps in sigsuspend() until a child ends, as timeout(1) does and a shell
 * in `wait`, where all its children are stopped.
 */
static bool suspends_for_stopped(const struct diagnosis *d, const struct wait *wait,
				 const struct viz_process *process)
{
	return operation_is(wait->operation, "rt_sigsuspend") && process->parent == wait->process &&
	       viz_process_handles(wait->process, SIGCHLD) &&
	       are_stopped(wait_children(d->waits, wait->process), NULL);
}

/* True if the wait lasts as the process is stopped. */
static bool is_kept(struct diagnosis *d, const struct wait *wait, const struct viz_process *process)
{
	const bool lasts = d->end_ns - wait->since_ns >= LONG_WAIT_NS;

	if (wait_is_ended_by(d->waits, wait, process) &&
	    ((!wait->natural && lasts) || waits_for_stopped(d, wait)))
		return true;
	return lasts &&
	       (loops_for_stopped(d, wait, process) || suspends_for_stopped(d, wait, process) ||
		wait_may_be_opened_by(d->waits, wait, process));
}

/* Adds whom the stopped process keeps waiting; returns how many there are. */
static size_t name_waiters(struct diagnosis *d, struct finding *f,
			   const struct viz_process *process)
{
	size_t count = 0;

	for (size_t i = 0; i < d->waits->count; i++) {
		const struct wait *wait = d->waits->waits[i];

		if (wait->ready || wait->process == process || !is_kept(d, wait, process))
			continue;
		finding_wait(d, f, wait);
		if (wait_may_be_opened_by(d->waits, wait, process))
			finding_line(d, f,
				     fill_phrase(d, PHRASE_MAY_OPEN, process_text(d, process),
						 bytes_text(d, wait->operation->extra->path),
						 NULL));
		count++;
	}
	return count;
}

static bool names(const struct finding *f, const struct viz_process *process)
{
	for (size_t i = 0; i < f->process_count; i++)
		if (f->processes[i] == process)
			return true;
	return false;
}

struct finding *finding_of_stopped(const struct diagnosis *d, const struct viz_process *process)
{
	for (size_t i = 0; process && i < d->count; i++)
		if (d->findings[i]->row == finding_row(FINDING_STOPPED) &&
		    d->findings[i]->processes[0] == process)
			return d->findings[i];
	return NULL;
}

/* True if it says only that a stopped process accepts nobody, and the finding of that says so. */
static bool is_told_by_stopped(const struct diagnosis *d, const struct finding *f)
{
	const struct finding *stopped;

	if (f->row != finding_row(FINDING_NEVER_ACCEPTED) || f->process_count < 2)
		return false;
	stopped = finding_of_stopped(d, f->processes[1]);
	return stopped && names(stopped, f->processes[0]);
}

void drop_told_by_stopped(struct diagnosis *d)
{
	size_t kept = 0;

	for (size_t i = 0; i < d->count; i++) {
		struct finding *f = d->findings[i];

		if (!is_told_by_stopped(d, f)) {
			d->findings[kept++] = f;
			continue;
		}
		for (size_t k = 0; k < f->process_count; k++)
			d->named[f->processes[k]->index]--;
	}
	d->count = kept;
}

void report_stopped(struct diagnosis *d, const struct viz_process *process, bool asked)
{
	enum advice_case about;
	struct finding *f;

	if (!process_is_stopped(process))
		return;
	f = finding_add(d, FINDING_STOPPED, stopped_since(process), NULL);
	finding_process(d, f, process);
	if (!name_waiters(d, f, process) && !asked) {
		finding_drop_last(d);
		return;
	}
	about = stopped_tell(d, f, process);
	if (about != ADVICE_STOPPED)
		f->advice = advice_for(d, about, process);
	finding_set(d, f, "who", "%s", process_text(d, process));
	finding_set(d, f, "culprit", "%s", process_text(d, process));
	finding_set(d, f, "pid", "%" PRIu32, process->pid);
	finding_set(d, f, "since", "%s",
		    f->at_ns ? since_text(d, f->at_ns) : phrase_text(PHRASE_NOW, d->language));
}
