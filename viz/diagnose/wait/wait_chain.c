// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Follows a wait to its end: who would have to act for it to end, whom that one waits for itself,
 * and so on, up to one who waits for none of them: for the clock, a key press, something else, or
 * who is stopped.
 */
#include <inttypes.h>

#include "viz/diagnose/graph/wait_ranks.h"
#include "viz/diagnose/wait/waits.h"

enum { STDIN = 0 };

/* What is told of a chain while it is followed. */
struct telling {
	struct diagnosis *d;
	struct finding *f;
	const struct viz_process *passed[CHAIN_MOST];
	struct wait *waits[CHAIN_MOST]; /* of those, by which they were passed */
	size_t count;
	const char *text;
	const struct viz_process *to_act; /* who should do what the advice says */
	const struct viz_process *author; /* whose program the advice is for */
	enum advice_case about;
	const struct viz_process *handling; /* the first that waits in a handler; NULL: none */
	enum advice_case handled;
};

static void tell(struct telling *t, const char *link)
{
	t->text = joined_text(t->d, t->text, "; ", link);
}

static bool has_passed(const struct telling *t, const struct viz_process *process)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->passed[i] == process)
			return true;
	return false;
}

static void pass(struct telling *t, const struct wait *wait)
{
	t->waits[t->count] = (struct wait *)wait;
	t->passed[t->count++] = wait->process;
}

static void settle(struct telling *t, enum advice_case about, const struct viz_process *to_act)
{
	t->about = about;
	t->to_act = t->author = to_act;
}

/* What `process` waits for in a handler, if `text` says so, counts more than whom it waits for. */
static void note_handler(struct telling *t, const struct viz_process *process, const char *text,
			 enum advice_case handled)
{
	if (!text)
		return;
	finding_line(t->d, t->f, text);
	t->f->explained = true;
	if (t->handling)
		return;
	t->handling = process;
	t->handled = handled;
}

static void note_wait_in_handler(struct telling *t, const struct wait *wait)
{
	note_handler(t, wait->process, wait_handler_text(t->d, wait), ADVICE_IN_HANDLER);
}

/* Tells what the last of the chain does, if no wait of it is known. */
static void tell_idle(struct telling *t, const struct viz_process *process)
{
	struct diagnosis *d = t->d;
	const struct viz_thread *sleeper = d->waits->own_sleepers[process->index];
	const char *who = process_text(d, process);

	if (process_is_stopped(process)) {
		tell(t, fill_phrase(d, PHRASE_LINK_STOPPED, who, NULL, NULL));
		settle(t, stopped_tell(d, t->f, process), process);
		return;
	}
	if (process_runs(process)) {
		tell(t, fill_phrase(d, PHRASE_LINK_RUNS, who, NULL, NULL));
		return;
	}
	if (sleeper && wait_process_stuck(d->waits, process)) {
		tell(t, own_sleep_text(d, process));
		note_handler(t, process, sleeper_handler_text(d, sleeper), ADVICE_LOCK_IN_HANDLER);
		settle(t, own_sleep_advice(d, process), process);
	}
}

/* Returns what a wait for another process of the chain is for. */
static const char *link_text(struct diagnosis *d, const struct wait *wait,
			     const struct viz_process *for_whom)
{
	const char *who = process_text(d, wait->process), *whom = process_text(d, for_whom);
	const char *where = wait->channel ? channel_text(d, wait->channel)
					  : call_text(d, wait->operation);

	if (waits_for_child(wait))
		return fill_phrase(d, PHRASE_LINK_CHILD, who, whom, NULL);
	if (waits_for_exec(wait))
		return fill_phrase(d, PHRASE_LINK_EXEC, who, whom, NULL);
	if (wait->channel && wait->channel->mechanism == MECH_FILE_LOCK)
		return fill_phrase(d, PHRASE_LINK_LOCK, who, where, whom);
	if (wait->channel && is_semaphore(wait->channel))
		return fill_phrase(d,
				   wait_mutex_owner(d->waits, wait->operation).thread
					   ? PHRASE_LINK_HAS
					   : PHRASE_LINK_POSTS,
				   who, where, whom);
	if (waits_to_send(wait))
		return fill_phrase(d, PHRASE_LINK_WRITES, who, where, whom);
	if (wait->operation->role == ROLE_RECEIVE)
		return fill_phrase(d, PHRASE_LINK_READS, who, where, whom);
	return fill_phrase(d, PHRASE_LINK_WAITS, who, call_text(d, wait->operation), whom);
}

/* True if nobody but its only thread could end it, or one of those that it would have to wake. */
static bool is_for_itself(const struct wait *wait)
{
	return !wait->open && wait->ender_count == 1 && wait->enders[0] == wait->process &&
	       (process_is_lone(wait->process) || wait->stuck);
}

/* A number in the advice. */
static void set_fd(struct telling *t, const struct wait *wait, enum access access)
{
	const struct viz_holding *holding = wait_holding(t->d->waits, other_end(t->d, wait),
							 wait->process, access);

	finding_set(t->d, t->f, "fd", "%" PRId32, holding ? holding->fd : wait->operation->fd);
}

/* Sets the advice of a wait that nobody else of the program comes to end. */
static void note_alone(struct telling *t, const struct wait *wait)
{
	enum { WRITES = 1 };

	if (t->about)
		return;
	if (waits_to_open(wait) && !wait->ender_count && !wait->crossed) {
		const bool writes = wait->operation->flags & WRITES;

		finding_set(t->d, t->f, "path", "%s",
			    bytes_text(t->d, wait->operation->extra->path));
		settle(t, writes ? ADVICE_FIFO_UNREAD : ADVICE_FIFO_ALONE, wait->process);
	} else if (is_for_itself(wait) && wait->channel && wait->operation->role == ROLE_RECEIVE &&
		   mechanism_info(wait->channel->mechanism)->form == FORM_STREAM) {
		set_fd(t, wait, ACCESS_WRITE);
		settle(t, ADVICE_OWN_WRITER, wait->process);
	}
}

/* Tells that the loop does not wait for what is written to it. */
static void tell_unwatched(struct telling *t, const struct wait *loop, const struct wait *writer)
{
	tell(t, fill_phrase(t->d, PHRASE_LINK_NOT_WATCHED, process_text(t->d, loop->process),
			    call_text(t->d, loop->operation), channel_text(t->d, writer->channel)));
	settle(t, ADVICE_NOT_WATCHED, loop->process);
}

/*
 * A backend of PostgreSQL that its client waits for sleeps until another one sets its latch; which,
 * only the database knows.
 */
static void note_backend(struct telling *t, const struct wait *wait, const struct wait *before)
{
	if (!t->about && before && process_is_written_in(wait->process, "postgres") &&
	    !process_is_written_in(before->process, "postgres"))
		settle(t, ADVICE_DATABASE, wait->process);
}

/* Tells what a wait is for that no other process of the chain could end. */
static void tell_last(struct telling *t, const struct wait *wait, const struct wait *before)
{
	struct diagnosis *d = t->d;
	const char *who = process_text(d, wait->process);
	const char *call = call_text(d, wait->operation);
	const char *enders;

	if (waits_for_time(wait)) {
		tell(t, fill_phrase(d, PHRASE_LINK_SLEEPS, who, NULL, NULL));
		if (t->about != ADVICE_SIGNAL_BLOCKED)
			settle(t, ADVICE_SLEEPS, wait->process);
		return;
	}
	if (before && wait_ignores(d, wait, before)) {
		tell_unwatched(t, wait, before);
		return;
	}
	enders = tells_others(d, wait) ? others_text(d, wait) : enders_text(d, wait);
	enders = enders ? enders : others_text(d, wait);
	if (!wait->open && wait->ender_count == 1 && wait->enders[0] == wait->process)
		enders = fill_phrase(d, PHRASE_ITSELF, who, NULL, NULL);
	if (!enders)
		return;
	tell(t, fill_phrase(d, PHRASE_LINK_WAITS, who, call, enders));
	if (wait->channel && wait->channel->mechanism == MECH_PTY && wait->open &&
	    !wait->channel->master && wait->operation->role != ROLE_SEND)
		settle(t, ADVICE_KEY_PRESS, wait->process);
	note_alone(t, wait);
	note_backend(t, wait, before);
}

static void note_silence(struct telling *t, const struct wait *wait)
{
	enum advice_case about = wait_note(t->d, t->f, wait);

	if (about)
		settle(t, about, wait->process);
}

/* True if a child that it waits for waits at a semaphore, as for its turn to write to a queue. */
static bool awaits_turn(const struct diagnosis *d, const struct wait *parent)
{
	enum { LOOK_AT = 64 };

	for (size_t i = 0; i < parent->ender_count && i < LOOK_AT; i++) {
		const struct wait *child = wait_of_process(d->waits, parent->enders[i]);

		if (child && child->channel && is_semaphore(child->channel))
			return true;
	}
	return false;
}

/* What a child writes is its output, or, as a pipe of its own, perhaps a queue. */
static enum advice_case unread_case(const struct wait *writer)
{
	const int fd = writer->operation->fd;

	if (fd == 1 || fd == 2)
		return ADVICE_CHILD_UNREAD;
	if (writer->channel && channel_is_socket(writer->channel) &&
	    writer->channel->mechanism != MECH_UNIX_STREAM)
		return ADVICE_SOCKET_JOINED;
	return ADVICE_QUEUE_JOINED;
}

/* Sets the advice if the parent waits for a child that waits until the parent reads. */
static void note_unread_child(struct telling *t, const struct wait *writer,
			      const struct wait *parent)
{
	if (t->about || writer->operation->role != ROLE_SEND || !waits_for_child(parent) ||
	    !wait_is_ended_by(t->d->waits, writer, parent->process) ||
	    (!wait_is_ended_by(t->d->waits, parent, writer->process) &&
	     !(wait_joins_writer(t->d, writer, parent->process) && awaits_turn(t->d, parent))))
		return;
	settle(t, unread_case(writer), parent->process);
}

/* Tells a wait of the chain, and whom it is for; `before` is for its process, NULL: the first. */
static const struct wait *tell_wait(struct telling *t, const struct wait *wait,
				    const struct wait *before)
{
	struct diagnosis *d = t->d;
	const struct viz_process *next = chain_culprit(d, wait);

	if (has_passed(t, wait->process)) {
		if (before && wait_ignores(d, wait, before))
			tell_unwatched(t, wait, before);
		return NULL;
	}
	pass(t, wait);
	finding_wait(d, t->f, wait);
	note_silence(t, wait);
	note_wait_in_handler(t, wait);
	if (before)
		note_unread_child(t, before, wait);
	if (before && waits_to_open(wait) && waits_to_open(before)) {
		tell(t, fill_phrase(d, PHRASE_LINK_CROSSWISE, process_text(d, wait->process),
				    call_text(d, wait->operation), others_text(d, wait)));
		settle(t, ADVICE_FIFO_ORDER, wait->process);
	} else if (next) {
		tell(t, link_text(d, wait, next));
	} else {
		tell_last(t, wait, before);
	}
	return wait;
}

/* Tells the link after `before`, and returns its wait; NULL after the last one. */
static const struct wait *tell_next(struct telling *t, const struct wait *before)
{
	struct diagnosis *d = t->d;
	const struct viz_process *process = chain_culprit(d, before);
	const struct wait *wait = chain_next(d, before);

	if (!process && !wait)
		return NULL;
	finding_process(d, t->f, wait ? wait->process : process);
	if (!wait) {
		tell_idle(t, process);
		return NULL;
	}
	return tell_wait(t, wait, before);
}

/*
 * True if the process has the lock of flock(2) only as it was started with the descriptor: it has
 * never asked for it. A glance does not tell who did.
 */
static bool has_inherited_lock(const struct telling *t, const struct wait *wait,
			       const struct viz_process *holder)
{
	return !t->d->waits->whole && !t->d->incomplete && !holder->before_trace &&
	       operation_is(wait->operation, "flock") &&
	       !wait_has_locked(t->d->waits, holder, wait->channel);
}

/* Sets the advice of a wait for a file lock that another process holds. */
static void note_lock(struct telling *t, const struct wait *wait)
{
	const struct viz_process *holder = chain_culprit(t->d, wait);
	const struct viz_holding *holding;

	if (!wait->channel || wait->channel->mechanism != MECH_FILE_LOCK || !holder ||
	    process_is_stopped(holder))
		return;
	holding = wait_holding(t->d->waits, wait->channel, holder, ACCESS_BOTH);
	if (holding && has_inherited_lock(t, wait, holder)) {
		finding_set(t->d, t->f, "fd", "%" PRId32, holding->fd);
		settle(t, ADVICE_LOCK_INHERITED, holder);
	} else {
		settle(t, ADVICE_LOCK_HELD, holder);
	}
	t->author = wait->process; /* a holder may do something else by now */
}

/* It fills what nobody but its only thread could empty. */
static void note_own_reader(struct telling *t, const struct wait *wait)
{
	if (!t->about && wait->operation->role == ROLE_SEND && is_for_itself(wait))
		settle(t, ADVICE_OWN_READER, wait->process);
}

static void advise(struct telling *t)
{
	if (t->handling)
		settle(t, t->handled, t->handling);
	if (!t->about || !t->to_act)
		return;
	t->f->advice = advice_for(t->d, t->about, t->author);
	finding_set(t->d, t->f, "culprit", "%s", process_text(t->d, t->to_act));
	finding_set(t->d, t->f, "pid", "%" PRIu32, t->to_act->pid);
}

static void set_chain(struct diagnosis *d, struct finding *f, const struct telling *t)
{
	finding_set(d, f, "chain", "%s%s", t->text ? "; " : "", t->text ? t->text : "");
}

/* The other end of its socket may be another thread's, which waits there in turn. */
static void note_own_thread(struct telling *t, const struct wait *wait)
{
	const struct wait *other = thread_at_other_end(t->d, wait);

	if (!other)
		return;
	finding_wait(t->d, t->f, other);
	note_silence(t, other);
}

/* No chain is followed from one that the clock ends, too: ssh wakes up to see if its peer lives. */
static void note_job_behind_clock(struct telling *t, const struct wait *wait)
{
	for (size_t i = 0; wait->clock && !t->about && i < wait->ender_count; i++) {
		const struct wait *other = wait_that_keeps(t->d, wait->enders[i], wait->process);

		if (!other || other->process == wait->process || !note_left_job(t->d, t->f, other))
			continue;
		finding_process(t->d, t->f, other->process);
		settle(t, ADVICE_LEFT_JOB, other->process);
		t->f->explained = true;
	}
}

/* Looks among those that could read what `writer` sends for one that waits for its end. */
static void note_unread(struct telling *t, const struct wait *writer)
{
	for (size_t i = 0; i < writer->ender_count; i++) {
		const struct wait *other = wait_that_keeps(t->d, writer->enders[i],
							   writer->process);

		if (other)
			note_unread_child(t, writer, other);
	}
}

/* True if the parent waits, perhaps for events, for what its child, or one of that, writes. */
static bool awaits_child(const struct telling *t, const struct wait *parent,
			 const struct wait *child)
{
	return child->process != parent->process &&
	       viz_process_descends(child->process, parent->process) &&
	       child->operation->fd == STDIN && child->operation->role == ROLE_RECEIVE &&
	       child->channel && child->channel->mechanism != MECH_PTY &&
	       (parent->operation->role == ROLE_RECEIVE || operation_polls(parent->operation)) &&
	       wait_is_ended_by(t->d->waits, parent, child->process);
}

/* True if the trace has all that the parent wrote to the child's input, and that is nothing. */
static bool was_fed_nothing(const struct diagnosis *d, const struct wait *parent,
			    const struct wait *child)
{
	return !d->waits->whole && !d->incomplete && !child->process->before_trace &&
	       !wait_has_written(d->waits, parent->process, other_end(d, child));
}

/* A third one of the circle may be a shell that was asked to start the child, and waits for it. */
static bool is_between(const struct wait *wait, const struct wait *parent, const struct wait *child)
{
	return wait->process == child->process || wait->process == parent->process ||
	       (waits_for_child(wait) && viz_process_descends(child->process, wait->process));
}

/* The parent reads what its child writes at the end of the input that the parent keeps open. */
static void note_fed_child(struct telling *t, const struct wait_circle *circle)
{
	const struct wait *child = NULL, *parent = NULL;

	for (size_t i = 0; i < circle->count; i++)
		for (size_t k = 0; k < circle->count; k++)
			if (awaits_child(t, circle->waits[k], circle->waits[i])) {
				child = circle->waits[i];
				parent = circle->waits[k];
			}
	for (size_t i = 0; i < circle->count && child; i++)
		if (!is_between(circle->waits[i], parent, child))
			return;
	if (child)
		settle(t,
		       was_fed_nothing(t->d, parent, child) ? ADVICE_CHILD_UNFED : ADVICE_CHILD_FED,
		       parent->process);
}

/* An event loop of the circle could read what another writes, but does not wait for that. */
static void note_unwatched(struct telling *t, const struct wait_circle *circle)
{
	for (size_t i = 0; i < circle->count; i++)
		for (size_t k = 0; k < circle->count; k++)
			if (wait_ignores(t->d, circle->waits[k], circle->waits[i]) &&
			    wait_is_ended_by(t->d->waits, circle->waits[i],
					     circle->waits[k]->process)) {
				settle(t, ADVICE_NOT_WATCHED, circle->waits[k]->process);
				return;
			}
}

/* They wait at one futex, which is neither a mutex nor a semaphore. */
static void note_barrier(struct telling *t, const struct wait_circle *circle)
{
	const struct viz_channel *where = circle->waits[0]->channel;

	for (size_t i = 0; i < circle->count; i++)
		if (!circle->waits[i]->channel || circle->waits[i]->channel != where ||
		    where->mechanism != MECH_FUTEX ||
		    circle->waits[i]->operation->extra->owner.kind.len)
			return;
	finding_line(t->d, t->f, phrase_text(PHRASE_ALL_AT_ONE, t->d->language));
	settle(t, ADVICE_ALL_AT_ONE, circle->waits[0]->process);
}

/* Sets the advice for those of a circle that do not all wait at one place. */
static void note_circle(struct telling *t, const struct wait_circle *circle)
{
	if (!t->about)
		note_unwatched(t, circle);
	if (!t->about)
		note_fed_child(t, circle);
	if (!t->about)
		t->about = circle_case(t->d, t->f, circle, &t->to_act);
	if (!t->author)
		t->author = t->to_act;
}

/* Sets the advice where the chain comes back to one that it has passed, who may go on by itself. */
static void note_loop(struct telling *t)
{
	const struct wait *next = t->count ? chain_next(t->d, t->waits[t->count - 1]) : NULL;
	struct wait_circle circle = {t->waits, t->count};

	while (next && circle.count && circle.waits[0]->process != next->process) {
		circle.waits++;
		circle.count--;
	}
	if (!t->about && next && circle.count >= 2)
		note_circle(t, &circle);
}

/* True if it was asked for something there, and the loop waits at the other end for more of it. */
static bool is_unfinished(const struct diagnosis *d, const struct viz_channel *channel,
			  const struct wait *loop)
{
	const struct viz_channel *peer = channel ? wait_peer(d->waits, channel) : NULL;

	return peer && channel_is_stream_socket(channel) && wait_reads_at(d->waits, loop, peer) &&
	       channel_was_never_answered(d->waits, channel);
}

static bool asks_unfinished(const struct diagnosis *d, const struct wait *wait,
			    const struct wait *loop)
{
	const struct viz_operation *op = wait->operation;

	for (size_t i = 0; i < op->extra->waits_for_count; i++)
		if (is_unfinished(d, wait_asked(d->waits, op, i), loop))
			return true;
	return is_unfinished(d, wait->channel, loop);
}

/* The loop of who was asked, and has not answered, waits at that connection for more. */
static void note_unfinished(struct telling *t, const struct wait *wait)
{
	const struct wait *loop = chain_next(t->d, wait);

	if (!t->about && loop && operation_polls(loop->operation) && !loop->clock &&
	    !waits_to_send(wait) && asks_unfinished(t->d, wait, loop))
		settle(t, ADVICE_ALL_RECEIVE, wait->process);
}

void finding_chain(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	struct telling t = {.d = d, .f = f};
	const struct wait *at = wait;

	pass(&t, wait);
	note_silence(&t, wait);
	note_wait_in_handler(&t, wait);
	note_own_thread(&t, wait);
	while (at && t.count < CHAIN_MOST)
		at = tell_next(&t, at);
	note_lock(&t, wait);
	note_own_reader(&t, wait);
	note_alone(&t, wait);
	note_loop(&t);
	note_unfinished(&t, wait);
	note_job_behind_clock(&t, wait);
	advise(&t);
	set_chain(d, f, &t);
}

void finding_chain_of(struct diagnosis *d, struct finding *f, const struct viz_process *process,
		      const struct viz_process *whom)
{
	struct telling t = {.d = d, .f = f};
	const struct wait *at = wait_that_keeps(d, process, whom);

	if (!at)
		tell_idle(&t, process);
	else if (!waits_to_accept(at))
		at = tell_wait(&t, at, NULL);
	else
		at = NULL;
	while (at && t.count < CHAIN_MOST)
		at = tell_next(&t, at);
	set_chain(d, f, &t);
}

void finding_kept_server(struct diagnosis *d, struct finding *f, const struct viz_process *server,
			 const struct wait *by)
{
	struct telling t = {.d = d, .f = f};
	const struct wait *at = by;

	if (at)
		tell_wait(&t, at, NULL);
	else
		tell_idle(&t, server);
	while (at && t.count < CHAIN_MOST)
		at = tell_next(&t, at);
	if (by) {
		note_lock(&t, by);
		note_alone(&t, by);
	}
	advise(&t);
	set_chain(d, f, &t);
}

void finding_circle(struct diagnosis *d, struct finding *f, size_t number)
{
	const struct wait_circle *circle = &d->waits->circles[number];
	struct telling t = {.d = d, .f = f};

	for (size_t i = 0; i < circle->count; i++) {
		const struct wait *wait = circle->waits[i];

		note_unread(&t, wait);
		note_silence(&t, wait);
		note_wait_in_handler(&t, wait);
		if (wait->crossed)
			settle(&t, ADVICE_FIFO_ORDER, wait->process);
	}
	if (!t.about)
		note_barrier(&t, circle);
	note_circle(&t, circle);
	advise(&t);
}
