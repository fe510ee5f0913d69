// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Finds waits that never end: circles, ends of file that cannot come, and the rest. */
#include <inttypes.h>

#include "viz/diagnose/datagram/queue_waits.h"
#include "viz/diagnose/find/find_waits.h"
#include "viz/diagnose/graph/wait_ranks.h"

/* The state of reporting a circle. */
struct circle {
	bool *reported; /* by wait index: reported */
	size_t last;	/* all of the circle's waits from here on were looked at */
};

/*
 * Returns the next wait to report: one that this wait waits for, else the last unreported one of
 * the circle; NULL if none is left.
 */
static const struct wait *next_in_circle(const struct diagnosis *d, const struct wait *wait,
					 struct circle *circle)
{
	const struct wait_circle *all = &d->waits->circles[wait->circle];
	const struct wait *next = wait_next_of_circle(d, wait, circle->reported);

	while (!next && circle->last-- > 0)
		if (!circle->reported[all->waits[circle->last]->index])
			next = all->waits[circle->last];
	return next;
}

static struct finding *report_circle(struct diagnosis *d, const struct wait *first, bool *reported)
{
	const struct wait_circle *all = &d->waits->circles[first->circle];
	struct circle circle = {reported, all->count};
	const char *openers = NULL;
	struct finding *f = finding_add(d, FINDING_DEADLOCK, first->since_ns, first->channel);

	for (const struct wait *w = first; w; w = next_in_circle(d, w, &circle)) {
		reported[w->index] = true;
		if (!f->channel)
			f->channel = w->channel;
		if (f->at_ns < w->since_ns) /* the last one closed the circle */
			f->at_ns = w->since_ns;
		finding_wait(d, f, w);
		if (w->crossed)
			openers = joined_text(d, openers, ", ", opener_text(d, w));
	}
	finding_set(d, f, "how", "%s",
		    openers ? fill_phrase(d, PHRASE_WRONG_ORDER, openers, NULL, NULL) : "");
	finding_set(d, f, "who", "%s", names_text(d, f->processes, f->process_count));
	finding_set(d, f, "since", "%s", since_text(d, f->at_ns));
	finding_circle(d, f, first->circle);
	for (size_t i = 0; i < all->count; i++)
		if (tell_lost_task(d, f, all->waits[i]))
			break;
	return f;
}

/*
 * Returns the findings of the circles, by number; NULL for one that has none. Marks the waits of
 * which another finding than a deadlock tells, by their index.
 */
static struct finding **report_circles(struct diagnosis *d, bool *told)
{
	const struct wait_graph *waits = d->waits;
	bool *reported = arena_array(d->arena, waits->count + 1, sizeof(*reported));
	struct finding **of_circle = arena_array(d->arena, waits->circle_count + 1,
						 sizeof(struct finding *));

	for (size_t number = 1; number <= waits->circle_count && !d->incomplete; number++) {
		const struct wait_circle *circle = &waits->circles[number];

		if (report_idle_workers(d, number))
			continue;
		of_circle[number] = report_kept_end(d, circle, told);
		if (!of_circle[number])
			of_circle[number] = report_unaccepted_circle(d, circle, told);
		if (!of_circle[number])
			of_circle[number] = report_circle(d, circle->waits[0], reported);
	}
	return of_circle;
}

enum { LINES_MOST = 64 }; /* so many lines of a finding are of others that say the same */

/* Makes the wait evidence of the circle that its chain leads to; false if it leads to none. */
static bool join_circle(struct diagnosis *d, struct finding *const *of_circle,
			const struct wait *wait)
{
	const struct wait *next = chain_next(d, wait);
	struct finding *f = NULL;

	for (size_t k = 0; next && !f && k < CHAIN_MOST; k++, next = chain_next(d, next))
		f = of_circle[next->circle];
	if (f && f->line_count < LINES_MOST)
		finding_wait(d, f, wait);
	return f != NULL;
}

/* Returns the only one who could end the wait, itself aside; NULL: there are several, or none. */
static const struct viz_process *only_ender(const struct wait *wait)
{
	const struct viz_process *only = NULL;

	for (size_t i = 0; i < wait->ender_count; i++) {
		if (wait->enders[i] == wait->process)
			continue;
		if (only)
			return NULL;
		only = wait->enders[i];
	}
	return only;
}

/*
 * Returns a finding that the only one who could end the wait, but the clock, waits itself for a
 * connection that nobody accepts; NULL: there is none.
 */
static struct finding *finding_of_unaccepted(const struct diagnosis *d, const struct wait *wait)
{
	const bool any = d->added[FINDING_NEVER_ACCEPTED];
	const struct viz_process *server = any ? only_ender(wait) : NULL;

	for (size_t i = 0; server && i < d->count; i++) {
		struct finding *f = d->findings[i];

		if (f->row == finding_row(FINDING_NEVER_ACCEPTED) && f->severity != SEVERITY_NOTE &&
		    f->processes[0] == server)
			return f;
	}
	return NULL;
}

/* True if the finding says that its first process waits for what cannot come. */
static bool tells_hopeless(const struct finding *f)
{
	return (f->row == finding_row(FINDING_NO_EOF) && f->severity == SEVERITY_ERROR) ||
	       f->row == finding_row(FINDING_TYPE_NEVER_SENT) ||
	       f->row == finding_row(FINDING_NEVER_FITS);
}

/*
 * Returns a finding that one to whom the chain of the wait leads waits for what cannot come; NULL:
 * there is none.
 */
static struct finding *finding_of_hopeless(const struct diagnosis *d, const struct wait *wait)
{
	const bool any = d->added[FINDING_NO_EOF] || d->added[FINDING_TYPE_NEVER_SENT] ||
			 d->added[FINDING_NEVER_FITS];

	wait = any ? chain_next(d, wait) : NULL;
	for (size_t k = 0; wait && k < CHAIN_MOST; k++, wait = chain_next(d, wait))
		for (size_t i = 0; i < d->count; i++)
			if (d->findings[i]->processes[0] == wait->process &&
			    tells_hopeless(d->findings[i]))
				return d->findings[i];
	return NULL;
}

/*
 * Makes the wait evidence of a finding that tells why whoever it waits for does not go on; false if
 * there is none.
 */
static bool join_cause(struct diagnosis *d, const struct wait *wait)
{
	struct finding *f = finding_of_unaccepted(d, wait);

	if (!f)
		f = finding_of_hopeless(d, wait);
	if (f && f->line_count < LINES_MOST)
		finding_wait(d, f, wait);
	return f != NULL;
}

/*
 * Returns the last signal from a process that was handled before the wait began, and after any
 * signal that ended an earlier wait for one; NULL if there is none.
 */
static const struct viz_signal *missed_signal(const struct diagnosis *d, const struct wait *wait)
{
	const struct viz_signal *last = NULL;

	for (size_t i = 0; i < d->pairing->signal_count; i++) {
		const struct viz_signal *s = d->pairing->signals[i];

		if (s->fate != FATE_HANDLED || !s->deliver || s->deliver->to != wait->process)
			continue;
		if (waits_for_signal(s->interrupted))
			last = NULL;
		else if (s->generate && s->generate->from && s->generate->origin != ORIGIN_CHILD &&
			 s->deliver->at_ns <= wait->operation->enter_ns)
			last = s;
	}
	return last;
}

/* Reports a missed signal if its sender will send no other. */
static bool report_lost_wakeup(struct diagnosis *d, const struct wait *wait)
{
	const struct viz_signal *last = NULL;
	struct finding *f;

	if (waits_for_signal(wait->operation) && !wait->clock)
		last = missed_signal(d, wait);
	if (!last || wait_process_acts(d->waits, last->generate->from))
		return false;
	f = finding_add(d, FINDING_LOST_WAKEUP, last->deliver->at_ns, NULL);
	finding_wait(d, f, wait);
	finding_process(d, f, last->generate->from);
	finding_operation(d, f, last->raised_by);
	finding_set(d, f, "who", "%s", process_text(d, wait->process));
	finding_set(d, f, "signal", "%s", bytes_text(d, last->name));
	finding_set(d, f, "call", "%s", call_text(d, wait->operation));
	finding_set(d, f, "from", "%s", process_text(d, last->generate->from));
	finding_set(d, f, "before", "%s",
		    duration_text(d, wait->operation->enter_ns - last->deliver->at_ns));
	return true;
}

/*
 * Adds to the evidence what the processes that could end the wait do, as far as they sleep and the
 * chain does not tell of them.
 */
static void report_enders(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	enum { SHOWN = 4, NAMED_MOST = 64 };

	for (size_t i = 0; i < wait->ender_count && i < SHOWN; i++) {
		const struct wait *other = wait->enders[i] == wait->process
						   ? NULL
						   : wait_of_process(d->waits, wait->enders[i]);

		if (!other)
			continue;
		if (!finding_is_about(f, wait->enders[i]))
			finding_line(d, f, wait_text(d, other));
		if (d->waits->whole && waits_to_accept(other) && wait->channel)
			finding_line(d, f,
				     fill_phrase(d, PHRASE_IN_ACCEPT,
						 process_text(d, other->process),
						 channel_text(d, wait->channel), NULL));
	}
	for (size_t i = 0; i < wait->ender_count && i < NAMED_MOST; i++)
		finding_process(d, f, wait->enders[i]);
}

/*
 * True if only processes that ran before and go on were traced, until a timeout: their waits at
 * that moment are no fault.
 */
static bool is_visited(const struct diagnosis *d)
{
	return d->model->trailer.why == END_REASON_TIMEOUT && !d->model->header.command_count;
}

/* Who should read goes on, so that perhaps a key stopped the output. */
static void excuse_terminal(struct diagnosis *d, struct finding *f)
{
	f->severity = SEVERITY_NOTE;
	finding_line(d, f, phrase_text(PHRASE_STOPPED_BY_KEY, d->language));
}

/* Adds to the evidence who has received from the queue, and ended. */
static void tell_ended_reader(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	const struct viz_process *last = NULL;

	if (wait->channel->mechanism != MECH_POSIX_MQ && wait->channel->mechanism != MECH_SYSV_MSG)
		return;
	for (size_t i = 0; i < d->model->process_count; i++) {
		const struct viz_process *process = d->model->processes[i];

		if (process->ended && wait_has_read(d->waits, process, wait->channel) &&
		    (!last || last->end_ns < process->end_ns))
			last = process;
	}
	if (!last)
		return;
	finding_process(d, f, last);
	finding_line(d, f,
		     fill_phrase(d, PHRASE_READER_ENDED, process_text(d, last),
				 time_text(d, last->end_ns), NULL));
}

static bool report_full(struct diagnosis *d, const struct wait *wait)
{
	struct finding *f;
	const char *enders = enders_text(d, wait);

	if (!waits_to_send(wait) || !wait->channel)
		return false;
	f = finding_add(d, FINDING_FULL_CHANNEL, wait->since_ns, wait->channel);
	if (is_visited(d) || wait_is_read_slowly(d, wait) || !lasted_ns(d, wait->since_ns))
		f->severity = SEVERITY_NOTE;
	finding_wait(d, f, wait);
	finding_chain(d, f, wait);
	report_enders(d, f, wait);
	tell_ended_reader(d, f, wait);
	if (waits_to_print(wait) && wait->natural)
		excuse_terminal(d, f);
	finding_set(d, f, "who", "%s", process_text(d, wait->process));
	finding_set(d, f, "long", "%s", duration_text(d, lasted_ns(d, wait->since_ns)));
	finding_set(d, f, "readers", "%s", enders ? enders : others_text(d, wait));
	finding_set(d, f, "room", "%s", room_text(d, wait));
	return true;
}

/* Says of a thread that waits in a lock of Python why nobody is named who has it. */
static void tell_python_lock(struct diagnosis *d, struct finding *f,
			     const struct viz_process *process)
{
	const struct viz_thread *thread = d->waits->own_sleepers[process->index];

	if (thread && process_is_written_in(process, "python"))
		finding_line(d, f,
			     fill_phrase(d, PHRASE_PYTHON_LOCK,
					 format_text(d, "%" PRIu32, thread->tid),
					 process_text(d, process), NULL));
}

/* A look comes later than the limit: who went on until then is in no wait that the limit found. */
static void report_blocked(struct diagnosis *d, const struct wait *wait)
{
	const char *enders = enders_text(d, wait);
	struct finding *f = finding_add(d, FINDING_BLOCKED, wait->since_ns, wait->channel);

	if (is_visited(d) || !lasted_ns(d, wait->since_ns))
		f->severity = SEVERITY_NOTE;
	if (!enders || tells_others(d, wait))
		enders = joined_text(d, enders, ", ", others_text(d, wait));
	finding_wait(d, f, wait);
	finding_chain(d, f, wait);
	report_enders(d, f, wait);
	if (!tell_failing_children(d, f, wait))
		tell_lost_task(d, f, wait);
	tell_mutex_owner(d, f, wait);
	if (wait->channel && is_semaphore(wait->channel))
		tell_killed_users(d, f, wait);
	tell_python_lock(d, f, wait->process);
	if (d->waits->whole && waits_for_signal(wait->operation) && !f->explained)
		finding_line(d, f, phrase_text(PHRASE_SIGNAL_UNSEEN, d->language));
	finding_set(d, f, "who", "%s", process_text(d, wait->process));
	finding_set(d, f, "call", "%s", call_text(d, wait->operation));
	finding_set(d, f, "since", "%s", since_text(d, wait->since_ns));
	finding_set(d, f, "enders", "%s", enders);
}

static bool gave_up(const struct diagnosis *d)
{
	const struct viz_trailer *trailer = &d->model->trailer;

	return trailer->present &&
	       (trailer->why == END_REASON_TIMEOUT || trailer->why == END_REASON_GLANCE);
}

/* Marks the waits after this one in its chain, up to one that is marked already. */
static void mark_chain(const struct diagnosis *d, const struct wait *wait, bool *marked)
{
	for (wait = chain_next(d, wait); wait && !marked[wait->index]; wait = chain_next(d, wait))
		marked[wait->index] = true;
}

/* Reports a semaphore that is stuck, and marks the waits that the finding tells of, too. */
static bool report_stuck(struct diagnosis *d, const struct wait *wait, bool *told)
{
	if (wait->circle || !report_semaphore(d, wait))
		return false;
	mark_chain(d, wait, told);
	return true;
}

static bool report_hopeless(struct diagnosis *d, const struct wait *wait, bool *told)
{
	if (d->incomplete)
		return false;
	return report_no_eof(d, wait) || report_left_open(d, wait) || report_own_fifo(d, wait) ||
	       report_type(d, wait) || report_never_fits(d, wait) || report_stuck(d, wait, told) ||
	       report_lost_wakeup(d, wait) || report_unaccepted(d, wait);
}

static bool is_named(const struct diagnosis *d, const struct viz_process *process)
{
	return d->named[process->index] > 0;
}

/* True if the finding tells, and as no note, what this wait is part of. */
static bool tells_of(const struct finding *f, const struct wait *wait)
{
	if (f->severity == SEVERITY_NOTE || !finding_is_about(f, wait->process))
		return false; /* first, as it is so of most */
	return f->row == finding_row(FINDING_BLOCKED) ||
	       f->row == finding_row(FINDING_FULL_CHANNEL) ||
	       f->row == finding_row(FINDING_NO_EOF) || f->row == finding_row(FINDING_NEVER_FITS) ||
	       (f->row == finding_row(FINDING_DEADLOCK) && wait->crossed);
}

/* Returns a finding that tells of a wait to which this one's chain leads; NULL: there is none. */
static struct finding *finding_ahead(const struct diagnosis *d, const struct wait *wait)
{
	struct finding *f = finding_of_stopped(d, chain_stopped(d, wait));

	if (!f)
		f = finding_of_unaccepted(d, wait);
	if (f)
		return f;
	wait = chain_next(d, wait);
	for (size_t k = 0; wait && k < CHAIN_MOST; k++, wait = chain_next(d, wait))
		for (size_t i = 0; i < d->count; i++)
			if (tells_of(d->findings[i], wait))
				return d->findings[i];
	return NULL;
}

/*
 * Returns an earlier finding of waits of the same process, with the same advice for the case; NULL:
 * there is none.
 */
static struct finding *told_alike(const struct diagnosis *d, const struct finding *f)
{
	for (size_t i = 0; f->advice && i < d->count; i++) {
		struct finding *other = d->findings[i];

		if (other != f && other->row == f->row && other->processes[0] == f->processes[0] &&
		    other->advice == f->advice && other->severity == f->severity)
			return other;
	}
	return NULL;
}

/*
 * Makes the last finding, of this wait, evidence of one that says the same of another thread of the
 * process.
 */
static void join_last(struct diagnosis *d, const struct wait *wait)
{
	const bool several = wait_of_process(d->waits, wait->process)->next_of_process;
	const struct finding *last = d->count ? d->findings[d->count - 1] : NULL;
	struct finding *other = several && last ? told_alike(d, last) : NULL;

	if (!other)
		return;
	if (other->line_count < LINES_MOST)
		finding_line(d, other, last->lines[0]);
	for (size_t i = 0; i < last->process_count; i++)
		finding_process(d, other, last->processes[i]);
	for (size_t i = 0; i < last->operation_count; i++)
		finding_operation(d, other, last->operations[i]);
	finding_drop_last(d);
}

/* A wait that is no fault by itself: a note if it is natural, else perhaps why nothing goes on. */
static void report_idler(struct diagnosis *d, const struct wait *wait)
{
	if (report_full(d, wait))
		return;
	report_blocked(d, wait);
	if ((wait->natural || wait_is_for_server_outside(d, wait)) && !wait_is_held_long(d, wait) &&
	    !d->findings[d->count - 1]->explained)
		d->findings[d->count - 1]->severity = SEVERITY_NOTE;
}

static bool command_lives(const struct diagnosis *d)
{
	for (size_t i = 0; i < d->model->process_count; i++)
		if (!d->model->processes[i]->parent && !d->model->processes[i]->ended)
			return true;
	return false;
}

/* By process index: the user asked about it, or it is the command that the time limit ended. */
static const bool *find_asked(const struct diagnosis *d)
{
	const bool named = d->waits->whole || !d->model->header.command_count;
	const bool command = command_lives(d);
	bool *asked = arena_array(d->arena, d->model->process_count + 1, sizeof(*asked));

	for (size_t i = 0; i < d->model->process_count; i++) {
		const struct viz_process *process = d->model->processes[i];

		asked[i] = named ? diagnosis_asked(d, process)
				 : diagnosis_outlived(process) && (!process->parent || !command);
	}
	return asked;
}

static bool is_asked(const struct diagnosis *d, const struct wait *wait, const bool *asked)
{
	return asked[wait->process->index] || wait_is_kept_by_asked(d, wait);
}

/* Reports what the processes that the user wants to know of wait for, if no finding names them. */
static void report_asked(struct diagnosis *d, const bool *asked, const struct wait **idlers,
			 size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (is_asked(d, idlers[i], asked) && !is_named(d, idlers[i]->process) &&
		    !wait_is_of_helper(d->waits, idlers[i]))
			idlers[kept++] = idlers[i];
	for (size_t i = 0; i < kept; i++) {
		struct finding *f = finding_ahead(d, idlers[i]);

		if (f) {
			finding_wait(d, f, idlers[i]);
			continue;
		}
		report_idler(d, idlers[i]);
		join_last(d, idlers[i]);
	}
}

/* Reports those that the user wants to know of, and that no finding names. */
static void report_waitless(struct diagnosis *d, const bool *asked)
{
	for (size_t i = 0; i < d->model->process_count; i++) {
		const struct viz_process *process = d->model->processes[i];
		bool told;

		if (d->survivors && !asked[i] && !process->ended)
			report_running(d, process, true);
		if (!asked[i] || process->ended)
			continue;
		told = is_named(d, process) || wait_of_process(d->waits, process);
		if (!told)
			report_own_sleep(d, process);
		if (!told && !is_named(d, process))
			report_silent_sleep(d, process);
		report_running(d, process, told);
	}
}

/*
 * Where the whole program sleeps at its time limit, it is never said that nothing is wrong: who
 * sleeps is told, even where nothing says that it does so in vain.
 */
static void report_sleepers(struct diagnosis *d)
{
	const bool silent = !d->count;

	for (size_t i = 0; i < d->model->process_count; i++)
		if (!d->model->processes[i]->ended && !is_named(d, d->model->processes[i]))
			report_silent_sleep(d, d->model->processes[i]);
	for (size_t i = 0; silent && i < d->waits->count; i++)
		if (!is_named(d, d->waits->waits[i]->process))
			report_idler(d, d->waits->waits[i]);
}

static void report_chain(struct diagnosis *d, const struct wait *wait)
{
	if (!report_full(d, wait))
		report_blocked(d, wait);
}

/* True for an event loop that only threads of its own process could wake. */
static bool is_for_itself(const struct wait *wait)
{
	for (size_t i = 0; i < wait->ender_count; i++)
		if (wait->enders[i] != wait->process)
			return false;
	return wait->operation->role == ROLE_WAIT && !wait->open;
}

/*
 * Reports waits that are links of one chain as one: those that no other one leads to, then what is
 * left, which leads in circles that somebody else could open. Of loops that wait for their own
 * process nothing is told where another finding names that.
 */
static void report_chains(struct diagnosis *d, const struct wait **waits, size_t count, bool *told)
{
	bool *linked = arena_array(d->arena, d->waits->count + 1, sizeof(*linked));

	for (size_t i = 0; i < count; i++)
		mark_chain(d, waits[i], linked);
	for (size_t k = 0; k < 2 * count; k++) {
		const struct wait *wait = waits[k % count];
		const bool itself = is_for_itself(wait);

		if (told[wait->index] || (k < count && (itself || linked[wait->index])) ||
		    (itself && is_named(d, wait->process)))
			continue;
		if (!join_cause(d, wait)) {
			report_chain(d, wait);
			join_last(d, wait);
		}
		told[wait->index] = true;
		mark_chain(d, wait, told);
	}
}

/*
 * True if the wait is told, if at all, of a process that the user asked about, or of one that could
 * end its wait: then that one's wait is the first of the chain. Who is behind them only waits for
 * them.
 */
static bool is_concerned(const struct diagnosis *d, const bool *concerned, const bool *behind,
			 const struct wait *wait)
{
	const size_t index = wait->process->index;

	return (!concerned || concerned[index] || wait_is_kept_by_asked(d, wait)) &&
	       (!behind || !behind[index]);
}

static bool is_short(const struct diagnosis *d, const struct wait *wait)
{
	return d->end_ns - wait->since_ns < LONG_WAIT_NS && !wait_is_not_accepted(d, wait);
}

void find_waits(struct diagnosis *d)
{
	const bool last = gave_up(d), *concerned, *behind, *asked;
	const struct wait **idlers, **blocked;
	size_t idle_count = 0, blocked_count = 0;
	struct finding **of_circle;
	bool *told;

	d->waits = wait_graph_new(d->arena, d->model, d->pairing);
	concerned = d->pid_count ? diagnosis_concerned(d) : NULL;
	behind = diagnosis_behind(d);
	asked = find_asked(d);
	idlers = arena_array(d->arena, d->waits->count + 1, sizeof(struct wait *));
	blocked = arena_array(d->arena, d->waits->count + 1, sizeof(struct wait *));
	told = arena_array(d->arena, d->waits->count + 1, sizeof(*told));
	report_unaccepted_connects(d);
	of_circle = report_circles(d, told);
	report_unanswered_requests(d, told);
	for (size_t i = 0; i < d->waits->count; i++) {
		const struct wait *wait = d->waits->waits[i];

		if (told[i] || wait->ready || is_short(d, wait) || report_hopeless(d, wait, told) ||
		    (wait->circle && !d->incomplete) || !last ||
		    !is_concerned(d, concerned, behind, wait) || join_circle(d, of_circle, wait))
			continue;
		if (wait_is_idle(d, wait) || wait_is_of_helper(d->waits, wait))
			idlers[idle_count++] = wait;
		else
			blocked[blocked_count++] = wait;
	}
	report_chains(d, blocked, blocked_count, told);
	wait_find_natural(d->waits, wait_is_natural);
	for (size_t i = 0; last && i < d->model->process_count; i++)
		report_stopped(d, d->model->processes[i], asked[i]);
	drop_told_by_stopped(d);
	report_asked(d, asked, idlers, idle_count);
	for (size_t i = 0; i < d->model->process_count; i++)
		report_thread_locks(d, d->model->processes[i], asked[i]);
	report_waitless(d, asked);
	if (everybody_sleeps(d))
		report_sleepers(d);
}
