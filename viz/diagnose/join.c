// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Joins the findings of a trace with those of a look at the machine, taken when a time limit fired.
 * The trace knows what happened; the look knows all who hold what is waited for, also those outside
 * the trace.
 */
#include <string.h>

#include "viz/diagnose/core/finder.h"
#include "viz/diagnose/scope.h"
#include "viz/diagnose/wait/waits.h"

static bool is_about(const struct finding *f, const struct viz_process *process)
{
	for (size_t i = 0; i < f->process_count; i++)
		if (f->processes[i]->pid == process->pid)
			return true;
	return false;
}

/* True if `f` says the same as `other`, names all whom that names, and others. */
static bool names_more(const struct finding *f, const struct finding *other)
{
	if (f->row != other->row || f->process_count <= other->process_count)
		return false;
	for (size_t i = 0; i < other->process_count; i++)
		if (!is_about(f, other->processes[i]))
			return false;
	return true;
}

/* True for what a look may say of who waits, or of a shell whose script it has read. */
static bool is_of_look(const struct finding *f)
{
	return finding_is_wait(f) || f->row == finding_row(FINDING_NO_ANSWER) ||
	       (f->row == finding_row(FINDING_BUSY_WAIT) && f->processes[0]->repeated_times);
}

/* The findings about a process, by its pid. */
struct about {
	struct finding *finding;
	struct about *next;
};

struct join {
	struct diagnosis *d;
	struct map about; /* the latest struct about of a pid */
	struct map first; /* the same, of findings whose first process has it */
};

static void note_in(struct arena *arena, struct map *map, uint32_t pid, struct finding *f)
{
	struct about *about = arena_alloc(arena, sizeof(*about));

	about->finding = f;
	about->next = map_get_uint(map, pid);
	map_put_uint(arena, map, pid, about);
}

static void note(struct join *join, struct finding *f)
{
	for (size_t i = 0; i < f->process_count; i++)
		note_in(join->d->arena, &join->about, f->processes[i]->pid, f);
	if (f->process_count)
		note_in(join->d->arena, &join->first, f->processes[0]->pid, f);
}

static bool tells_loop(const struct finding *f)
{
	for (size_t i = 0; i < f->value_count; i++)
		if (strcmp(f->values[i].name, "loop") == 0 && *f->values[i].text)
			return true;
	return false;
}

/*
 * True if `f` is of a process that was watched while it ran: no trace tells in which loop; or if it
 * tells why the server that the other one names does not answer, or what a filter keeps to itself.
 */
static bool tells_more(const struct finding *f, const struct finding *other)
{
	if (f->row == finding_row(FINDING_STDIO_BUFFERED) &&
	    (other->row == finding_row(FINDING_DEADLOCK) ||
	     other->row == finding_row(FINDING_BLOCKED)))
		return true;
	if (f->row == finding_row(FINDING_NO_ANSWER) && other->row == finding_row(FINDING_BLOCKED))
		return true;
	return f->row == finding_row(FINDING_RUNNING) && tells_loop(f) &&
	       other->row != finding_row(FINDING_BROKEN_PIPE) &&
	       !(f->row == other->row && tells_loop(other));
}

/*
 * True if `other` says as much about the one who waits, and names as many. Beside a fault of the
 * one who waits, it needs no note that he waits.
 */
static bool tells(const struct finding *other, const struct finding *f)
{
	if (!finding_is_wait(other) && other->row != f->row && f->severity != SEVERITY_NOTE)
		return false;
	if (other->replaced || names_more(f, other) || tells_more(f, other))
		return false;
	return other->severity > f->severity ||
	       (other->severity == f->severity && other->process_count >= f->process_count);
}

/* True if the trace tells that the datagram which `f` waits for is an answer that did not come. */
static bool tells_of_request(const struct finding *other, const struct finding *f)
{
	return other->row == finding_row(FINDING_NO_ANSWER) &&
	       f->row == finding_row(FINDING_BLOCKED) && f->channel &&
	       f->channel->mechanism == MECH_UDP && !names_more(f, other) &&
	       other->processes[0]->pid == f->processes[0]->pid;
}

static bool is_told(const struct join *join, const struct finding *f)
{
	const struct about *about = map_get_uint(&join->about, f->processes[0]->pid);

	for (; about; about = about->next)
		if (tells(about->finding, f) || tells_of_request(about->finding, f))
			return true;
	return false;
}

/*
 * True if `f` is a circle to which the wait belongs that `other` tells of, and that has no advice
 * for its case unless the circle has.
 */
static bool closes_circle(const struct finding *f, const struct finding *other)
{
	return f->row == finding_row(FINDING_DEADLOCK) &&
	       (other->row == finding_row(FINDING_BLOCKED) ||
		other->row == finding_row(FINDING_FULL_CHANNEL)) &&
	       (f->advised || !other->advised) && is_about(f, other->processes[0]);
}

/*
 * True if `f` tells of a buffer in which what the other one's process waits for may lie, be it in a
 * circle of the two.
 */
static bool explains_wait(const struct finding *f, const struct finding *other)
{
	if (f->row != finding_row(FINDING_STDIO_BUFFERED) || f->process_count < 2)
		return false;
	if (other->row == finding_row(FINDING_BLOCKED))
		return is_about(f, other->processes[0]);
	return other->row == finding_row(FINDING_DEADLOCK) && f->severity != SEVERITY_NOTE &&
	       is_about(other, f->processes[0]) && is_about(other, f->processes[1]);
}

/*
 * True if `f` takes the place of `other`: a milder one about its process, one it adds to, a part of
 * its circle, or a wait that it explains.
 */
static bool replaces(const struct finding *f, const struct finding *other)
{
	const bool beside = f->row == finding_row(FINDING_RUNNING) ||
			    (f->row == finding_row(FINDING_STDIO_BUFFERED) &&
			     other->row == finding_row(FINDING_DEADLOCK) &&
			     !explains_wait(f, other));

	if (!finding_is_wait(other) || !other->process_count || (beside && f->row != other->row))
		return false;
	return other->processes[0]->pid == f->processes[0]->pid || names_more(f, other) ||
	       closes_circle(f, other) || explains_wait(f, other);
}

/*
 * Marks what `f` takes the place of, of the findings whose first process is this one of it; `f`
 * becomes as severe as they were.
 */
static void make_way(const struct join *join, struct finding *f, const struct viz_process *process)
{
	const struct about *about = map_get_uint(&join->first, process->pid);

	for (; about; about = about->next) {
		struct finding *other = about->finding;

		if (other->replaced || !replaces(f, other))
			continue;
		other->replaced = true;
		join->d->severities[other->severity]--;
		if (f->severity < other->severity)
			f->severity = other->severity;
	}
}

static void drop_replaced(struct diagnosis *d)
{
	size_t kept = 0;

	for (size_t i = 0; i < d->count; i++)
		if (!d->findings[i]->replaced)
			d->findings[kept++] = d->findings[i];
	d->count = kept;
}

/* --- where the trace knows better ------------------------------------------------------------- */

/* The process of the trace that the one of the look is; NULL: it is not in the trace. */
static const struct viz_process *own_process(const struct diagnosis *d,
					     const struct viz_process *process)
{
	const struct viz_process *own = viz_model_process(d->model, process->pid, d->end_ns);

	return own && !own->ended ? own : NULL;
}

/*
 * True if the trace leaves open who could end the wait, and the look may tell. Who comes to a FIFO,
 * those tell who came before.
 */
static bool is_left_open(const struct wait *wait)
{
	const bool opens = wait->operation->role == ROLE_OPEN && wait->channel &&
			   wait->channel->mechanism == MECH_FIFO;

	return wait->open && wait->channel && !opens;
}

/* What a queue may hold, somebody outside the trace may have changed. */
static bool all_is_known(const struct diagnosis *d, const struct viz_process *process)
{
	if (process->before_trace && !process->path.data)
		return false;
	for (const struct wait *wait = wait_of_process(d->waits, process); wait;
	     wait = wait->next_of_process)
		if (is_left_open(wait) || wait_never_fits(wait))
			return false;
	return true;
}

/* True if it rests on who waits for whom, and not on what only a look sees. */
static bool is_of_enders(const struct finding *f)
{
	return f->row == finding_row(FINDING_DEADLOCK) || f->row == finding_row(FINDING_BLOCKED) ||
	       f->row == finding_row(FINDING_FULL_CHANNEL);
}

/* True if it accuses one left behind, who wrote there: a look does not tell who did. */
static bool accuses_writer(const struct diagnosis *d, const struct finding *f)
{
	const struct viz_process *reader = own_process(d, f->processes[0]);
	const struct viz_channel *channel = f->channel ? viz_model_channel(d->model, f->channel->id)
						       : NULL;

	return f->row == finding_row(FINDING_NO_EOF) && f->severity == SEVERITY_WARNING && reader &&
	       channel && channel->mechanism != MECH_FIFO &&
	       !wait_left_end(d->waits, channel, reader);
}

/* True if no process of the finding waits for anything that the trace does not know. */
static bool trace_knows(const struct diagnosis *d, const struct finding *f)
{
	if (d->incomplete || !(is_of_enders(f) || accuses_writer(d, f)))
		return false;
	for (size_t i = 0; i < f->process_count; i++) {
		const struct viz_process *own = own_process(d, f->processes[i]);

		if (!own || !all_is_known(d, own))
			return false;
	}
	return true;
}

/* True of a thread that waits for itself, of which the trace knows that it is in a handler. */
static bool is_in_handler(const struct diagnosis *d, const struct finding *f)
{
	const struct viz_process *own = own_process(d, f->processes[0]);

	if (!own || f->row != finding_row(FINDING_THREAD_LOCK))
		return false;
	for (size_t i = 0; i < own->thread_count; i++)
		if (sleeper_is_in_handler(d, own->threads[i]))
			return true;
	return false;
}

/* --- joining ---------------------------------------------------------------------------------- */

/* Makes the finding one of the trace: whom that has, and none of the look's calls. */
static void adopt(struct diagnosis *d, struct finding *f)
{
	size_t kept = 0;

	f->others = arena_array(d->arena, f->process_count + 1, sizeof(struct viz_process *));
	for (size_t i = 0; i < f->process_count; i++) {
		const struct viz_process *own = own_process(d, f->processes[i]);

		if (own)
			f->processes[kept++] = own;
		else
			f->others[f->other_count++] = f->processes[i];
	}
	f->process_count = kept;
	f->operation_count = 0;
	if (f->channel)
		f->channel = viz_model_channel(d->model, f->channel->id);
}

/*
 * True if it says no more than that a process waits since the limit, of which the trace has a
 * finding of that limit: it was at something else, or asks in rounds.
 */
static bool began_late(const struct join *join, const struct finding *f)
{
	return (f->row == finding_row(FINDING_BLOCKED) ||
		f->row == finding_row(FINDING_FULL_CHANNEL)) &&
	       !lasted_ns(join->d, f->at_ns) && map_get_uint(&join->first, f->processes[0]->pid);
}

static void add(struct join *join, struct finding *f)
{
	struct diagnosis *d = join->d;

	for (size_t i = 0; i < f->process_count; i++)
		make_way(join, f, f->processes[i]);
	ARENA_PUSH(d->arena, d->findings, d->count, f);
	d->severities[f->severity]++;
	note(join, f);
}

/* True if the look found that the queue may hold more by now: somebody outside the trace set it. */
static bool has_grown(const struct diagnosis *look, const struct finding *f)
{
	const struct viz_channel *channel = f->row == finding_row(FINDING_NEVER_FITS)
						    ? viz_model_channel(look->model, f->channel->id)
						    : NULL;

	return channel && channel->capacity >= f->operations[0]->requested;
}

static void drop_outgrown(struct diagnosis *d, const struct diagnosis *look)
{
	for (size_t i = 0; i < d->count; i++) {
		if (!has_grown(look, d->findings[i]))
			continue;
		d->findings[i]->replaced = true;
		d->severities[d->findings[i]->severity]--;
	}
	drop_replaced(d);
}

void diagnosis_join(struct diagnosis *d, const struct diagnosis *look)
{
	struct join join = {.d = d};
	size_t own;

	drop_outgrown(d, look);
	own = d->count;
	for (size_t i = 0; i < own; i++)
		note(&join, d->findings[i]);
	for (size_t i = 0; i < look->count; i++) {
		struct finding *f = look->findings[i];

		if (is_of_look(f) && f->process_count && !is_told(&join, f) &&
		    !began_late(&join, f) && !trace_knows(d, f) && !is_in_handler(d, f))
			add(&join, f);
	}
	for (size_t i = own; i < d->count; i++)
		adopt(d, d->findings[i]);
	drop_replaced(d);
	diagnosis_sort(d);
}
