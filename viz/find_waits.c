// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Waits that never end: circles, ends that cannot come, and the rest. */
#include <inttypes.h>

#include "find.h"
#include "find_waits.h"

/* The waits of a circle that are not told yet. */
struct circle {
	bool *told;  /* of each wait */
	size_t last; /* behind it all are told */
};

/* The first that waits at who could end this one; NULL: none is left. */
static const struct wait *next_in_row(const struct diagnosis *d, const struct wait *wait,
				      const struct circle *circle)
{
	const struct wait *next = NULL;

	for (size_t k = 0; k < wait->ender_count; k++)
		for (const struct wait *w = wait_of_process(d->waits, wait->enders[k]); w;
		     w = w->next_of_process)
			if (w->circle == wait->circle && !circle->told[w->index] &&
			    (!next || w->index < next->index))
				next = w;
	return next;
}

/* The waits in the order in which each waits for the next, as far as they are in a row. */
static const struct wait *next_in_circle(const struct diagnosis *d, const struct wait *wait,
					 struct circle *circle)
{
	const struct wait *next = next_in_row(d, wait, circle);

	while (!next && circle->last-- > 0) {
		const struct wait *other = d->waits->waits[circle->last];

		if (other->circle == wait->circle && !circle->told[circle->last])
			next = other;
	}
	return next;
}

static void tell_circle(struct diagnosis *d, const struct wait *first, bool *told)
{
	struct circle circle = {told, d->waits->count};
	struct finding *f = finding_add(d, FINDING_DEADLOCK, first->since_ns, first->channel);
	const char *names = NULL;

	for (const struct wait *w = first; w; w = next_in_circle(d, w, &circle)) {
		told[w->index] = true;
		if (!f->channel)
			f->channel = w->channel;
		if (f->at_ns < w->since_ns) /* the last one closed the circle */
			f->at_ns = w->since_ns;
		finding_wait(d, f, w);
	}
	for (size_t i = 0; i < f->process_count && i <= NAMES_MOST; i++)
		names = say_join(d, names,
				 i + 1 < f->process_count && i < NAMES_MOST
					 ? ", "
					 : phrase_text(PHRASE_AND, d->language),
				 i < NAMES_MOST ? say_process(d, f->processes[i])
						: say_more(d, f->process_count - i));
	finding_say(d, f, "who", "%s", names);
	finding_say(d, f, "since", "%s", say_time(d, f->at_ns));
}

static void tell_circles(struct diagnosis *d)
{
	const struct wait_graph *waits = d->waits;
	const struct wait **first = arena_array(d->arena, waits->circle_count + 1, sizeof(*first));
	bool *told = arena_array(d->arena, waits->count + 1, sizeof(*told));

	for (size_t i = waits->count; i-- > 0;)
		first[waits->waits[i]->circle] = waits->waits[i];
	for (size_t number = 1; number <= waits->circle_count; number++)
		tell_circle(d, first[number], told);
}

/* What lies in the queue: as far as the trace saw it sent, or as a glance found it. */
static const char *say_types(struct diagnosis *d, struct finding *f,
			     const struct viz_channel *channel)
{
	enum { SHOWN = 5 };
	const char *types = NULL;

	for (size_t i = 0; i < channel->glimpse.types_count && i < SHOWN; i++)
		types = say_join(d, types, ", ", say(d, "%" PRIu64, channel->glimpse.types[i]));
	for (const struct wait_unread *unread = d->waits->unread[channel->index]; unread;
	     unread = unread->next) {
		const struct viz_message *m = unread->message;

		if (f->operation_count <= SHOWN)
			types = say_join(d, types, ", ", say(d, "%" PRId64, m->type));
		finding_operation(d, f, m->from.operation);
	}
	return types;
}

/* msgrcv(2): a negative type asks for the lowest up to that, MSG_EXCEPT for any other. */
static const char *say_wanted(struct diagnosis *d, const struct viz_operation *op)
{
	enum { EXCEPT = 020000 };
	int64_t wanted = 0;

	viz_operation_argument(op, "msgtyp", &wanted);
	if (wanted < 0)
		return say_phrase(d, PHRASE_TYPE_AT_MOST, say(d, "%" PRIu64, 0 - (uint64_t)wanted),
				  NULL, NULL);
	if (wanted > 0 && (op->flags & EXCEPT))
		return say_phrase(d, PHRASE_TYPE_OTHER, say(d, "%" PRId64, wanted), NULL, NULL);
	return say(d, "%" PRId64, wanted);
}

/* It wants a type; the queue holds messages, and none of that type. */
static bool tell_type(struct diagnosis *d, const struct wait *wait)
{
	struct finding *f;

	if (!is_call(wait->operation, "msgrcv") || !wait->channel || wait->ready ||
	    (!d->waits->unread[wait->channel->index] && !wait->channel->glimpse.types_count))
		return false;
	f = finding_add(d, FINDING_TYPE_NEVER_SENT, wait->since_ns, wait->channel);
	finding_wait(d, f, wait);
	finding_say(d, f, "types", "%s", say_types(d, f, wait->channel));
	finding_say(d, f, "who", "%s", say_process(d, wait->process));
	finding_say(d, f, "wanted", "%s", say_wanted(d, wait->operation));
	return true;
}

/* Who changed it last, where a glance finds only the number of one that has ended; or NULL. */
static const char *say_last_user(struct diagnosis *d, const struct viz_channel *channel)
{
	const uint32_t pid = channel->glimpse.last_user;

	if (!pid || viz_model_process(d->model, pid, d->end_ns))
		return NULL;
	return say_phrase(d, PHRASE_LAST_USER_ENDED, say(d, "%" PRIu32, pid), NULL, NULL);
}

/* A semaphore's other users have ended, or wait for ever themselves. */
static bool tell_semaphore(struct diagnosis *d, const struct wait *wait)
{
	struct finding *f;
	const char *gone = NULL;
	size_t count = 0;

	if (!wait->channel || !is_semaphore(wait->channel) || !wait->stuck)
		return false;
	f = finding_add(d, FINDING_SEMAPHORE_STUCK, wait->since_ns, wait->channel);
	finding_wait(d, f, wait);
	for (size_t i = 0; i < d->waits->user_counts[wait->channel->index]; i++) {
		const struct viz_process *user = d->waits->users[wait->channel->index][i];

		if (user == wait->process || !user->ended)
			continue;
		finding_process(d, f, user);
		gone = say_join(d, gone, ", ", say_process(d, user));
		count++;
	}
	finding_say(d, f, "who", "%s", say_process(d, wait->process));
	if (gone)
		gone = say_phrase(d, PHRASE_HAVE_ENDED, gone, say(d, "%zu", count), NULL);
	else
		gone = say_last_user(d, wait->channel);
	finding_say(d, f, "gone", "%s",
		    gone ? gone : phrase_text(PHRASE_NOBODY_POSTS, d->language));
	return true;
}

/* The last one handled before the wait began, none of which ended a wait for it. NULL: none. */
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

/* And from a process that will send no other. */
static bool tell_lost_wakeup(struct diagnosis *d, const struct wait *wait)
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
	finding_say(d, f, "who", "%s", say_process(d, wait->process));
	finding_say(d, f, "signal", "%s", say_bytes(d, last->name));
	finding_say(d, f, "call", "%s", say_call(d, wait->operation));
	finding_say(d, f, "from", "%s", say_process(d, last->generate->from));
	finding_say(d, f, "before", "%s",
		    say_duration(d, wait->operation->enter_ns - last->deliver->at_ns));
	return true;
}

/* What those who could end it do meanwhile, as far as they sleep. */
static void tell_enders(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	enum { SHOWN = 4 };

	for (size_t i = 0; i < wait->ender_count; i++)
		finding_process(d, f, wait->enders[i]);
	for (size_t i = 0; i < wait->ender_count && i < SHOWN; i++) {
		const struct wait *other = wait->enders[i] == wait->process
						   ? NULL
						   : wait_of_process(d->waits, wait->enders[i]);

		if (!other)
			continue;
		finding_line(d, f, say_wait(d, other));
		if (d->waits->whole && waits_to_accept(other) && wait->channel)
			finding_line(d, f,
				     say_phrase(d, PHRASE_IN_ACCEPT, say_process(d, other->process),
						say_channel(d, wait->channel), NULL));
	}
}

static bool tell_full(struct diagnosis *d, const struct wait *wait)
{
	struct finding *f;
	const char *enders = say_enders(d, wait);

	if (wait->operation->role != ROLE_SEND || !wait->channel)
		return false;
	f = finding_add(d, FINDING_FULL_CHANNEL, wait->since_ns, wait->channel);
	finding_wait(d, f, wait);
	tell_enders(d, f, wait);
	finding_say(d, f, "who", "%s", say_process(d, wait->process));
	finding_say(d, f, "long", "%s", say_duration(d, d->end_ns - wait->since_ns));
	finding_say(d, f, "readers", "%s", enders ? enders : say_others(d, wait));
	return true;
}

/*
 * Some other thread of it may, but none has ever read there: it was never meant to. (A reader's may
 * yet write: a worker that waits for its first job is well.)
 */
static bool never_helps_itself(const struct diagnosis *d, const struct wait *wait)
{
	return wait->operation->role == ROLE_SEND && !d->waits->whole &&
	       !wait_has_read(d->waits, wait->process, other_end(d, wait));
}

/*
 * What a server or a shell does all day is no fault: waiting for a connection, for one of several
 * things, for a child, for a terminal, for time. Nor is waiting for somebody who works.
 */
static bool idle(const struct diagnosis *d, const struct wait *wait)
{
	if (waits_to_open(wait))
		return false;
	if (wait->clock || !wait->channel || waits_for_child(wait) || waits_to_accept(wait) ||
	    wait->channel->mechanism == MECH_PTY ||
	    (wait->operation->role == ROLE_WAIT && wait->open && !is_semaphore(wait->channel)))
		return true;
	for (size_t i = 0; i < wait->ender_count; i++)
		if (wait_process_acts(d->waits, wait->enders[i]) &&
		    (wait->enders[i] != wait->process || !never_helps_itself(d, wait)))
			return true;
	return false;
}

/* Processes that were there before, and go on: that one waits when somebody looks is no fault. */
static bool is_visited(const struct diagnosis *d)
{
	return d->model->trailer.why == END_REASON_TIMEOUT && !d->model->header.command_count;
}

static void tell_blocked(struct diagnosis *d, const struct wait *wait)
{
	const char *enders = say_enders(d, wait);
	struct finding *f = finding_add(d, FINDING_BLOCKED, wait->since_ns, wait->channel);

	if (is_visited(d))
		f->severity = SEVERITY_NOTE;
	if (!enders || wait->open)
		enders = say_join(d, enders, ", ", say_others(d, wait));
	finding_wait(d, f, wait);
	tell_enders(d, f, wait);
	if (d->waits->whole && waits_for_signal(wait->operation))
		finding_line(d, f, phrase_text(PHRASE_SIGNAL_UNSEEN, d->language));
	finding_say(d, f, "who", "%s", say_process(d, wait->process));
	finding_say(d, f, "call", "%s", say_call(d, wait->operation));
	finding_say(d, f, "since", "%s", say_time(d, wait->since_ns));
	finding_say(d, f, "enders", "%s", enders);
}

static bool gave_up(const struct diagnosis *d)
{
	const struct viz_trailer *trailer = &d->model->trailer;

	return trailer->present &&
	       (trailer->why == END_REASON_TIMEOUT || trailer->why == END_REASON_GLANCE);
}

static bool tell_hopeless(struct diagnosis *d, const struct wait *wait)
{
	if (d->incomplete)
		return false;
	return tell_no_eof(d, wait) || tell_type(d, wait) ||
	       (!wait->circle && tell_semaphore(d, wait)) || tell_lost_wakeup(d, wait) ||
	       tell_unaccepted(d, wait);
}

static bool is_named(const struct diagnosis *d, const struct viz_process *process)
{
	for (size_t i = 0; i < d->count; i++)
		for (size_t k = 0; k < d->findings[i]->process_count; k++)
			if (d->findings[i]->processes[k] == process)
				return true;
	return false;
}

/* What the process waits for that the user asked for, where nothing else is said of it. */
static void tell_asked(struct diagnosis *d, const struct wait **idlers, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (diagnosis_asked(d, idlers[i]->process) && !is_named(d, idlers[i]->process))
			idlers[kept++] = idlers[i];
	for (size_t i = 0; i < kept; i++)
		if (!tell_full(d, idlers[i]))
			tell_blocked(d, idlers[i]);
}

/* Why the command itself did not end in its time, where nothing is wrong with that. */
static void tell_command(struct diagnosis *d, const struct wait *const *idlers, size_t count)
{
	const struct viz_model *model = d->model;

	for (size_t i = 0; i < count && !d->waits->whole && model->header.command_count; i++) {
		if (idlers[i]->process->parent || is_named(d, idlers[i]->process))
			continue;
		tell_blocked(d, idlers[i]);
		d->findings[d->count - 1]->severity = SEVERITY_NOTE;
	}
}

void find_waits(struct diagnosis *d)
{
	const bool last = gave_up(d);
	const struct wait **idlers;
	size_t idle_count = 0;

	d->waits = wait_graph_new(d->arena, d->model, d->pairing);
	idlers = arena_array(d->arena, d->waits->count + 1, sizeof(struct wait *));
	if (!d->incomplete)
		tell_circles(d);
	for (size_t i = 0; i < d->waits->count; i++) {
		const struct wait *wait = d->waits->waits[i];

		if (wait->ready || d->end_ns - wait->since_ns < LONG_WAIT_NS ||
		    tell_hopeless(d, wait) || (wait->circle && !d->incomplete) || !last)
			continue;
		if (idle(d, wait))
			idlers[idle_count++] = wait;
		else if (!tell_full(d, wait))
			tell_blocked(d, wait);
	}
	tell_asked(d, idlers, idle_count);
	tell_command(d, idlers, idle_count);
}
