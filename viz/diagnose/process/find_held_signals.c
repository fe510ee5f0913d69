// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds signals that were to end a process which goes on: it blocks or ignores the signal, has its
 * parent's handler, or is a shell that runs its trap only when its child in the foreground has
 * ended.
 */
#include <signal.h>

#include "viz/diagnose/process/find_held_signals.h"
#include "viz/diagnose/wait/waits.h"

/* Why a signal has not ended its target, and what to do about it. */
struct held {
	/* Of a shell the one that it waits for, of a copy by fork(2) its parent; or NULL. */
	const struct viz_process *other;
	enum phrase why, cure;
};

/* True for signals that end a process by default, and that are sent to it on purpose. */
static bool may_end(int number)
{
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (numbers[i] == number)
			return true;
	return false;
}

/* What processes did last, by their index: times, 0 where they did not in the trace. */
struct habits {
	uint64_t *executed_ns;
	uint64_t *masked_ns; /* rt_sigprocmask(2) */
	uint64_t *called_ns; /* any call but for the end of a child */
	struct map actions;  /* by process and signal: the last rt_sigaction(2) */
};

static uint64_t action_key(const struct viz_process *process, int64_t number)
{
	return (uint64_t)process->index << 32 | (uint32_t)number;
}

static void note_call(struct diagnosis *d, struct habits *habits, struct viz_operation *op)
{
	int64_t number;

	if (operation_awaits_child(op))
		return;
	habits->called_ns[op->process->index] = op->enter_ns;
	if (operation_is(op, "rt_sigprocmask"))
		habits->masked_ns[op->process->index] = op->enter_ns;
	else if (operation_is(op, "rt_sigaction") && viz_operation_argument(op, "sig", &number))
		map_put_uint(d->arena, &habits->actions, action_key(op->process, number), op);
}

static struct habits find_habits(struct diagnosis *d)
{
	const size_t count = d->model->process_count + 1;
	struct habits habits = {.executed_ns = arena_array(d->arena, count, sizeof(uint64_t)),
				.masked_ns = arena_array(d->arena, count, sizeof(uint64_t)),
				.called_ns = arena_array(d->arena, count, sizeof(uint64_t))};

	for (size_t i = 0; i < d->model->process_event_count; i++) {
		const struct viz_process_event *event = d->model->process_events[i];

		if (event->event == PROCESS_EVENT_EXEC)
			habits.executed_ns[event->process->index] = event->at_ns;
	}
	for (size_t i = 0; i < d->model->operation_count; i++)
		note_call(d, &habits, d->model->operations[i]);
	return habits;
}

/* True if the process has left since its exec(2) what it did last at that time as it was before. */
static bool has_inherited(const struct diagnosis *d, const struct habits *habits,
			  const struct viz_process *process, uint64_t changed_ns)
{
	const uint64_t since_ns = habits->executed_ns[process->index];

	return since_ns && !d->incomplete && changed_ns < since_ns;
}

static bool has_inherited_action(const struct diagnosis *d, const struct habits *habits,
				 const struct viz_signal *s)
{
	const struct viz_process *to = s->generate->to;
	const struct viz_operation *last = map_get_uint(&habits->actions,
							action_key(to, s->number));

	return has_inherited(d, habits, to, last ? last->enter_ns : 0);
}

static bool awaits_children(const struct wait *wait)
{
	return waits_for_signal(wait->operation) &&
	       (process_is_written_in(wait->process, "shell") ||
		viz_process_handles(wait->process, SIGCHLD));
}

/* True if its end is awaited: by wait4(2), or by one that waits for SIGCHLD. */
static bool is_awaited(const struct diagnosis *d, const struct viz_process *process)
{
	const struct wait *wait = process->parent ? wait_of_process(d->waits, process->parent)
						  : NULL;

	for (; wait; wait = wait->next_of_process)
		if ((waits_for_child(wait) && wait_is_ended_by(d->waits, wait, process)) ||
		    awaits_children(wait))
			return true;
	return false;
}

/*
 * The child in the foreground whose end a shell awaits before it runs its trap; NULL: none. The
 * wait of a command in the foreground just goes on; the built-in `wait` returns, and whatever the
 * shell does next calls sigprocmask(2) at the least.
 */
static const struct viz_process *trap_waits_for(const struct diagnosis *d,
						const struct habits *habits,
						const struct viz_signal *s)
{
	const struct viz_process *shell = s->generate->to, *child;
	const struct wait *wait = wait_of_process(d->waits, shell);

	if (!s->deliver || !process_is_written_in(shell, "shell") || !wait ||
	    wait->next_of_process || !waits_for_child(wait) || wait->ender_count != 1)
		return NULL;
	child = wait->enders[0];
	if (child->parent != shell || child->start_ns > s->deliver->at_ns ||
	    habits->called_ns[shell->index] >= s->deliver->at_ns)
		return NULL;
	return child;
}

/* True if the handler that ran is one that its parent set, for itself: no exec(2) took it away. */
static bool has_parents_handler(const struct habits *habits, const struct viz_signal *s)
{
	const struct viz_process *to = s->generate->to;

	return !to->before_trace && to->parent && !habits->executed_ns[to->index] &&
	       !map_get_uint(&habits->actions, action_key(to, s->number)) &&
	       map_get_uint(&habits->actions, action_key(to->parent, s->number));
}

static bool find_why(const struct diagnosis *d, const struct habits *habits,
		     const struct viz_signal *s, struct held *held)
{
	const struct viz_process *to = s->generate->to;
	bool kept;

	if (s->fate == FATE_PENDING) {
		kept = has_inherited(d, habits, to, habits->masked_ns[to->index]);
		*held = (struct held){NULL, kept ? PHRASE_HELD_MASK : PHRASE_HELD_BLOCKED,
				      kept ? PHRASE_CURE_HELD_MASK : PHRASE_CURE_HELD_BLOCKED};
		return true;
	}
	if (s->fate == FATE_IGNORED && to->ns_pid == 1) {
		*held = (struct held){NULL, PHRASE_IS_INIT, PHRASE_CURE_INIT};
		return true;
	}
	if (s->fate == FATE_IGNORED) {
		kept = has_inherited_action(d, habits, s);
		*held = (struct held){NULL, kept ? PHRASE_HELD_IGNORED : PHRASE_IGNORES_IT,
				      kept ? PHRASE_CURE_HELD_IGNORED : PHRASE_CURE_IGNORED};
		return true;
	}
	if (s->fate != FATE_HANDLED || d->incomplete)
		return false;
	*held = (struct held){trap_waits_for(d, habits, s), PHRASE_HELD_TRAP,
			      PHRASE_CURE_HELD_TRAP};
	if (!held->other && has_parents_handler(habits, s))
		*held = (struct held){to->parent, PHRASE_HELD_HANDLER, PHRASE_CURE_HELD_HANDLER};
	return held->other;
}

/* True if the trace ended while its target lived on, awake, for so long that it is no moment. */
static bool lives_on(const struct diagnosis *d, const struct viz_signal *s)
{
	const struct viz_signal_event *g = s->generate;

	return g && g->to && !g->to->ended && !g->to->zombie && g->from != g->to && g->from_pid &&
	       (g->origin == ORIGIN_KILL || g->origin == ORIGIN_QUEUE ||
		g->origin == ORIGIN_THREAD) &&
	       !process_is_stopped(g->to) && d->model->trailer.why == END_REASON_TIMEOUT &&
	       d->end_ns - g->at_ns >= LONG_WAIT_NS;
}

bool signal_is_held(const struct diagnosis *d, const struct viz_signal *s)
{
	const struct viz_process *to = s->generate ? s->generate->to : NULL;

	if (!may_end(s->number) || !lives_on(d, s))
		return false;
	if (is_awaited(d, to))
		return to->ns_pid != 1 || s->fate == FATE_IGNORED;
	return to->ns_pid != 1 && s->fate != FATE_IGNORED && diagnosis_outlived(to);
}

static void report(struct diagnosis *d, const struct viz_signal *s, const struct held *held)
{
	const struct viz_signal_event *g = s->generate;
	struct finding *f = finding_add(d, FINDING_SIGNAL_HELD, g->at_ns, NULL);

	finding_process(d, f, g->to);
	finding_process(d, f, g->from);
	finding_process(d, f, held->other);
	finding_operation(d, f, s->raised_by);
	finding_set(d, f, "who", "%s",
		    g->from ? process_text(d, g->from) : phrase_text(PHRASE_SOMEBODY, d->language));
	finding_set(d, f, "signal", "%s", bytes_text(d, s->name));
	finding_set(d, f, "to", "%s", process_text(d, g->to));
	finding_set(d, f, "why", "%s",
		    fill_phrase(d, held->why, held->other ? process_text(d, held->other) : "", NULL,
				NULL));
	finding_set(d, f, "cure", "%s", phrase_text(held->cure, d->language));
}

void find_held_signals(struct diagnosis *d)
{
	struct habits habits = {0};
	struct map told = {0};
	struct held held;

	for (size_t i = 0; i < d->pairing->signal_count; i++) {
		const struct viz_signal *s = d->pairing->signals[i];
		const struct viz_process *to = s->generate ? s->generate->to : NULL;

		if (!to || map_get_uint(&told, to->index) || !signal_is_held(d, s))
			continue;
		if (!habits.called_ns)
			habits = find_habits(d);
		if (!find_why(d, &habits, s, &held))
			continue;
		map_put_uint(d->arena, &told, to->index, d);
		report(d, s, &held);
	}
}
