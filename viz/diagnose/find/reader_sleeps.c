// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The calls of a thread follow each other, so those of a time are a range of them. What was slept
 * in a range is a difference of sums; the longest call on another channel comes from a tree over
 * the calls, each node of which knows its longest call, and the longest one on another channel.
 */
#include "viz/diagnose/find/reader_sleeps.h"

#include "viz/model/operation_facts.h"

/* The calls of a reader, or those of them on one channel. */
struct calls {
	const struct viz_operation **items;
	uint64_t *until; /* slept in all calls up to this one */
	size_t count;
};

struct longest {
	const struct viz_operation *call, *other; /* `other` is on another channel */
};

struct reader {
	struct calls calls;
	struct map of_channel; /* struct calls */
	struct longest *tree;  /* from 1 on; the calls are its leaves, from calls.count on */
};

void reader_sleeps_want(struct reader_sleeps *sleeps, const struct viz_thread *reader)
{
	if (!map_get_uint(&sleeps->of_thread, (uintptr_t)reader))
		map_put_uint(sleeps->arena, &sleeps->of_thread, (uintptr_t)reader,
			     arena_array(sleeps->arena, 1, sizeof(struct reader)));
}

/* True for a call in which a reader sleeps although there is something to read for it elsewhere. */
static bool keeps_from_reading(const struct viz_operation *op)
{
	if (!op->off_cpu_ns || !viz_operation_done(op) || op->role == ROLE_SEND ||
	    op->role == ROLE_TRANSFER || (op->channel && op->channel->mechanism == MECH_PTY))
		return false;
	for (size_t i = 0; i < op->extra->waits_for_count; i++)
		if (viz_wait_has(&op->extra->waits_for[i], OUT) ||
		    viz_wait_has(&op->extra->waits_for[i], WRNORM) ||
		    (op->extra->waits_for[i].channel &&
		     op->extra->waits_for[i].channel->mechanism == MECH_PTY))
			return false;
	return true;
}

/* --- who works for a reader ------------------------------------------------------------------ */

enum { NESTED_MOST = 16 }; /* children of children that are looked at */

/* What a process slept in such calls, and its waits for children, which may have worked. */
struct idle {
	uint64_t slept_ns;
	const struct viz_operation **waits;
	size_t wait_count;
	bool asked; /* then these are among what it slept */
};

static bool is_child(const struct viz_process *process, const struct viz_operation *waits)
{
	return process && process->parent == waits->process;
}

/* The child whose end, exec(2) or data ended the sleep; NULL: it was none. */
static const struct viz_process *child_awaited(const struct reader_sleeps *sleeps,
					       const struct viz_operation *op)
{
	const struct viz_eof *eof;

	if (operation_awaits_child(op))
		return op->extra->child;
	if (op->woken_by)
		return is_child(op->woken_by, op) ? op->woken_by : NULL;
	eof = map_get_uint(&sleeps->of_end, (uintptr_t)op);
	return eof && is_child(eof->process, op) ? eof->process : NULL;
}

/* Who closes a pipe by exec(2) is not told by the call that finds its end. */
static void note_ends(struct reader_sleeps *sleeps, const struct viz_pairing *pairing)
{
	for (size_t i = 0; i < pairing->eof_count; i++)
		if (pairing->eofs[i]->receive->off_cpu_ns)
			map_put_uint(sleeps->arena, &sleeps->of_end,
				     (uintptr_t)pairing->eofs[i]->receive, pairing->eofs[i]);
}

static void note_idle(struct reader_sleeps *sleeps, const struct viz_operation *op)
{
	struct idle *idle = map_get_uint(&sleeps->of_process, (uintptr_t)op->process);

	if (!idle) {
		idle = arena_array(sleeps->arena, 1, sizeof(*idle));
		map_put_uint(sleeps->arena, &sleeps->of_process, (uintptr_t)op->process, idle);
	}
	if (child_awaited(sleeps, op))
		ARENA_PUSH(sleeps->arena, idle->waits, idle->wait_count, op);
	else
		idle->slept_ns += op->off_cpu_ns + op->extra->repeats.slept_ns;
}

static bool child_slept(const struct reader_sleeps *sleeps, const struct viz_operation *wait,
			int nested);

static uint64_t process_slept(const struct reader_sleeps *sleeps, const struct viz_process *process,
			      int nested)
{
	struct idle *idle = map_get_uint(&sleeps->of_process, (uintptr_t)process);

	if (!idle || nested == NESTED_MOST)
		return 0;
	if (idle->asked)
		return idle->slept_ns;
	idle->asked = true; /* a damaged trace may have one wait for itself */
	for (size_t i = 0; i < idle->wait_count; i++)
		if (child_slept(sleeps, idle->waits[i], nested + 1))
			idle->slept_ns += idle->waits[i]->off_cpu_ns;
	return idle->slept_ns;
}

/* True if the child slept for more than half of the time for which it was waited for. */
static bool child_slept(const struct reader_sleeps *sleeps, const struct viz_operation *wait,
			int nested)
{
	return process_slept(sleeps, child_awaited(sleeps, wait), nested) > wait->off_cpu_ns / 2;
}

/* --- the calls of a reader ------------------------------------------------------------------- */

static void add(struct arena *arena, struct calls *calls, const struct viz_operation *op)
{
	const uint64_t before = calls->count ? calls->until[calls->count - 1] : 0;
	size_t count = calls->count;

	ARENA_PUSH(arena, calls->until, count,
		   before + op->off_cpu_ns + op->extra->repeats.slept_ns);
	ARENA_PUSH(arena, calls->items, calls->count, op);
}

static void add_call(struct arena *arena, struct reader *reader, const struct viz_operation *op)
{
	struct calls *same = map_get_uint(&reader->of_channel, (uintptr_t)op->channel);

	if (!same) {
		same = arena_array(arena, 1, sizeof(*same));
		map_put_uint(arena, &reader->of_channel, (uintptr_t)op->channel, same);
	}
	add(arena, same, op);
	add(arena, &reader->calls, op);
}

static bool is_longer(const struct viz_operation *one, const struct viz_operation *than)
{
	if (!one || !than)
		return one != NULL;
	return one->off_cpu_ns != than->off_cpu_ns ? one->off_cpu_ns > than->off_cpu_ns
						   : one->index < than->index;
}

static void take(struct longest *into, const struct viz_operation *op)
{
	if (is_longer(op, into->call)) {
		if (into->call && into->call->channel != op->channel)
			into->other = into->call;
		into->call = op;
	} else if (op && op->channel != into->call->channel && is_longer(op, into->other)) {
		into->other = op;
	}
}

static struct longest longer(struct longest one, struct longest other)
{
	take(&one, other.call);
	take(&one, other.other);
	return one;
}

static void tree_make(struct arena *arena, struct reader *reader)
{
	const size_t count = reader->calls.count;

	reader->tree = arena_array(arena, 2 * count + 1, sizeof(*reader->tree));
	for (size_t i = 0; i < count; i++)
		reader->tree[count + i].call = reader->calls.items[i];
	for (size_t i = count; i-- > 1;)
		reader->tree[i] = longer(reader->tree[2 * i], reader->tree[2 * i + 1]);
}

void reader_sleeps_find(struct reader_sleeps *sleeps, const struct viz_model *model,
			const struct viz_pairing *pairing)
{
	struct reader *reader;

	note_ends(sleeps, pairing);
	for (size_t i = 0; i < model->operation_count; i++)
		if (keeps_from_reading(model->operations[i]))
			note_idle(sleeps, model->operations[i]);
	for (size_t i = 0; i < model->operation_count; i++) {
		const struct viz_operation *op = model->operations[i];

		reader = map_get_uint(&sleeps->of_thread, (uintptr_t)op->thread);
		if (reader && keeps_from_reading(op) &&
		    (!child_awaited(sleeps, op) || child_slept(sleeps, op, 0)))
			add_call(sleeps->arena, reader, op);
	}
	for (size_t i = 0; i < model->process_count; i++)
		for (size_t k = 0; k < model->processes[i]->thread_count; k++) {
			reader = map_get_uint(&sleeps->of_thread,
					      (uintptr_t)model->processes[i]->threads[k]);
			if (reader)
				tree_make(sleeps->arena, reader);
		}
}

/* The number of calls that were over by then, or (`begun`) had begun before. */
static size_t calls_before(const struct calls *calls, uint64_t ns, bool begun)
{
	size_t low = 0, high = calls->count;

	while (low < high) {
		const size_t at = low + (high - low) / 2;
		const struct viz_operation *op = calls->items[at];

		if (begun ? op->enter_ns < ns : op->exit_ns <= ns)
			low = at + 1;
		else
			high = at;
	}
	return low;
}

static uint64_t slept_in(const struct calls *calls, uint64_t since_ns, uint64_t until_ns)
{
	const size_t from = calls_before(calls, since_ns, false);
	const size_t to = calls_before(calls, until_ns, true);

	if (from >= to)
		return 0;
	return calls->until[to - 1] - (from ? calls->until[from - 1] : 0);
}

static struct longest longest_of(const struct reader *reader, size_t from, size_t to)
{
	const size_t count = reader->calls.count;
	struct longest found = {0};

	for (from += count, to += count; from < to; from /= 2, to /= 2) {
		if (from % 2)
			found = longer(found, reader->tree[from++]);
		if (to % 2)
			found = longer(found, reader->tree[--to]);
	}
	return found;
}

struct other_sleep reader_slept(const struct reader_sleeps *sleeps, const struct viz_thread *thread,
				const struct viz_channel *channel, uint64_t since_ns,
				uint64_t until_ns)
{
	const struct reader *reader = map_get_uint(&sleeps->of_thread, (uintptr_t)thread);
	const struct calls *same;
	struct other_sleep sleep;
	struct longest longest;
	uint64_t all_ns, same_ns;

	if (!reader)
		return (struct other_sleep){0};
	same = map_get_uint(&reader->of_channel, (uintptr_t)channel);
	longest = longest_of(reader, calls_before(&reader->calls, since_ns, false),
			     calls_before(&reader->calls, until_ns, true));
	all_ns = slept_in(&reader->calls, since_ns, until_ns);
	same_ns = same ? slept_in(same, since_ns, until_ns) : 0;
	sleep.slept_ns = all_ns > same_ns ? all_ns - same_ns : 0; /* traces may be malformed */
	sleep.longest = longest.call && longest.call->channel == channel ? longest.other
									 : longest.call;
	return sleep;
}
