// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Finds readers that wait for an end of file that cannot come. */
#include <inttypes.h>
#include <signal.h>

#include "viz/diagnose/find/find_waits.h"
#include "viz/diagnose/graph/wait_ranks.h"

static bool has_written(const struct diagnosis *d, const struct viz_channel *channel,
			const struct viz_process *process)
{
	return wait_has_written(d->waits, process, channel);
}

/* True if process `who` waits forever for the child `whom` to end. */
static bool waits_for(const struct diagnosis *d, const struct viz_process *who,
		      const struct viz_process *whom)
{
	for (const struct wait *wait = wait_of_process(d->waits, who); wait;
	     wait = wait->next_of_process)
		if (waits_for_child(wait) && wait->stuck && wait_is_ended_by(d->waits, wait, whom))
			return true;
	return false;
}

/*
 * True of a glance if nothing but the end can come: the reader has no thread that could write,
 * nobody else has the writing end, and all that was written there has been read. Where nothing ever
 * was, it may as well wait for data. Of sockets that is not known.
 */
static bool only_end_is_left(const struct wait *wait)
{
	const struct viz_operation *op = wait->operation;

	if (!process_is_lone(wait->process) || wait->ender_count != 1)
		return false;
	return !channel_is_pipe(wait->channel) || (viz_has(op, at_entry) && op->at_entry.head);
}

/*
 * True of a glance if the one who was to write may be a child that failed, and is not collected:
 * the reader is stuck, nobody else has the writing end, and no handler of the reader writes there,
 * as to a pipe of its own that signals are told by.
 */
static bool writer_has_failed(const struct diagnosis *d, const struct wait *wait)
{
	return channel_is_pipe(wait->channel) && wait->ender_count == 1 &&
	       !viz_process_handled_request(wait->process) &&
	       !viz_process_handles(wait->process, SIGCHLD) && failed_zombie(d, wait->process);
}

/*
 * True if the reader's own descriptor prevents the end of file, and other writers have gone, as far
 * as a glance tells. A FIFO opened to read and write is meant to have no end.
 */
static bool kept_by_reader(const struct diagnosis *d, const struct wait *wait,
			   const struct viz_holding *holding)
{
	if (!holding)
		return true;
	if (holding->access != ACCESS_WRITE && other_end(d, wait) == wait->channel)
		return false;
	if (d->waits->whole)
		return only_end_is_left(wait) || writer_has_failed(d, wait);
	return wait_writer_is_gone(d, wait, NULL);
}

/*
 * True if the end was inherited, is no standard descriptor and was never written to: no write was
 * intended.
 */
static bool forgotten(const struct diagnosis *d, const struct viz_channel *channel,
		      const struct viz_holding *holding)
{
	return holding->fd > 2 && holding->start == HOLDING_FORK &&
	       !has_written(d, channel, holding->process);
}

/*
 * As forgotten(), from a glance's state alone: the reader never goes on, somebody has written to
 * the pipe, and the process, which keeps the writing end as no standard descriptor, has never
 * called write(2).
 */
static bool forgotten_as_seen(const struct diagnosis *d, const struct wait *wait,
			      const struct viz_holding *holding)
{
	const struct viz_operation *op = wait->operation;

	return d->waits->whole && wait->stuck && channel_is_pipe(wait->channel) &&
	       viz_has(op, at_entry) && op->at_entry.head && holding->fd > 2 &&
	       holding->process->silent;
}

/*
 * True if the process waits for a signal without any handler: it will never act again. What the
 * reader's own child has yet to write, and not the end, may be what is awaited.
 */
static bool sleeps_for_good(const struct diagnosis *d, const struct wait *reader,
			    const struct viz_process *who)
{
	const struct viz_thread *thread = who->thread_count == 1 ? who->threads[0] : NULL;

	for (const struct wait *wait = wait_of_process(d->waits, who); wait;
	     wait = wait->next_of_process)
		if (wait->operation->thread == thread && who->parent != reader->process)
			return d->waits->whole && who->handlers_known && !who->has_handlers &&
			       waits_for_signal(wait->operation) && !wait->clock;
	return false;
}

static bool sleeps_in_accept(const struct diagnosis *d, const struct viz_process *who)
{
	for (const struct wait *wait = wait_of_process(d->waits, who); wait;
	     wait = wait->next_of_process)
		if (waits_to_accept(wait))
			return true;
	return false;
}

/*
 * True if a server accepted the connection for a child, which wrote and is gone, while the server
 * waits for the next connection and forgot to close its own copy.
 */
static bool left_to_child(const struct diagnosis *d, const struct viz_channel *channel,
			  const struct viz_holding *holding)
{
	const struct viz_operation *made = holding->start_op;

	if (!made || !operation_accepts(made) || has_written(d, channel, holding->process) ||
	    !sleeps_in_accept(d, holding->process))
		return false;
	for (size_t i = 0; i < channel->holding_count; i++) {
		const struct viz_holding *other = channel->holdings[i];

		if (other->start == HOLDING_FORK && other->process->parent == holding->process &&
		    !wait_holding(d->waits, channel, other->process, ACCESS_BOTH) &&
		    has_written(d, channel, other->process))
			return true;
	}
	return false;
}

/* Returns a child that has ended and was not waited for, or NULL. */
static const struct viz_process *ended_child(const struct diagnosis *d,
					     const struct viz_process *parent)
{
	for (size_t i = 0; i < d->model->process_count; i++)
		if (d->model->processes[i]->zombie && d->model->processes[i]->ppid == parent->pid)
			return d->model->processes[i];
	return NULL;
}

/*
 * As left_to_child(), from a glance's state alone: the client has shut down its side and was
 * answered, and the only thread that could still answer sleeps in accept() on the listener of this
 * connection. Returns the server's ended child, or NULL.
 */
static const struct viz_process *left_as_seen(const struct diagnosis *d, const struct wait *wait,
					      const struct viz_process *who)
{
	const struct viz_channel *channel = other_end(d, wait);
	const struct wait *other = wait_of_process(d->waits, who);

	if (!d->waits->whole || channel->mechanism != MECH_TCP || !channel->glimpse->peer_ended ||
	    !channel->glimpse->sent || wait->ender_count != 1 || who->thread_count != 1 || !other ||
	    !waits_to_accept(other) || !other->channel || channel->stranger_count ||
	    !wait_listens_for(other->channel, wait->channel, wait->channel->peer_address))
		return NULL;
	return ended_child(d, who);
}

/*
 * True if every holder of the other end keeps it in vain: the reader itself, a process that waits
 * for the reader's exit or never acts again, or one that has forgotten it.
 */
static bool cannot_end(const struct diagnosis *d, const struct wait *wait)
{
	const struct viz_channel *channel = other_end(d, wait);
	bool in_vain = wait->ender_count > 0;
	bool gone = wait_writer_is_gone(d, wait, has_written);

	for (size_t i = 0; i < wait->ender_count && in_vain; i++) {
		const struct viz_process *who = wait->enders[i];
		const struct viz_holding *holding = wait_holding(d->waits, channel, who,
								 ACCESS_WRITE);

		if (!holding && !wait_in_flight(d->waits, channel, who, ACCESS_WRITE))
			return false;
		if (who == wait->process)
			in_vain &= wait->stuck && kept_by_reader(d, wait, holding);
		else
			in_vain &= waits_for(d, who, wait->process) ||
				   sleeps_for_good(d, wait, who) ||
				   (holding && gone && forgotten(d, channel, holding)) ||
				   (holding && forgotten_as_seen(d, wait, holding)) ||
				   (holding && left_to_child(d, channel, holding)) ||
				   (holding && left_as_seen(d, wait, who));
	}
	return in_vain;
}

static bool is_stream(const struct viz_channel *channel)
{
	return channel->mechanism == MECH_PIPE || channel->mechanism == MECH_FIFO ||
	       channel->mechanism == MECH_UNIX_STREAM || channel->mechanism == MECH_TCP ||
	       channel->mechanism == MECH_UNIX_SEQPACKET;
}

/* Returns "sh[800] (fd 4)", or the message by which the process would get the end. */
static const char *keeper_text(struct diagnosis *d, const struct wait *wait,
			       const struct viz_process *who, const struct viz_holding *holding)
{
	const char *name = process_text(d, who);
	const struct viz_channel *socket;

	if (who == wait->process)
		name = fill_phrase(d, PHRASE_ITSELF, name, NULL, NULL);
	if (holding)
		return format_text(d, "%s (fd %" PRId32 ")", name, holding->fd);
	socket = wait_in_flight(d->waits, other_end(d, wait), who, ACCESS_WRITE);
	return fill_phrase(d, PHRASE_IN_MESSAGE, name, socket ? channel_text(d, socket) : "?",
			   NULL);
}

static const char *close_text(struct diagnosis *d, const struct viz_process *who,
			      const struct viz_holding *holding)
{
	if (!holding)
		return fill_phrase(d, PHRASE_TAKE_AND_CLOSE, process_text(d, who), NULL, NULL);
	return format_text(d, "close(%" PRId32 "): %s", holding->fd, process_text(d, who));
}

/*
 * Advises whoever started the keeper, if that is another program, which does not know of the end
 * that it got. {culprit} is the keeper.
 */
static void advise_starter(struct diagnosis *d, struct finding *f, const struct wait *wait,
			   const struct viz_process *keeper, const struct viz_holding *holding)
{
	if (f->advice || !holding || holding->fd <= 2 || !keeper->parent ||
	    (!d->waits->whole && holding->start != HOLDING_FORK) ||
	    viz_process_descends(wait->process, keeper) || process_is_copy(keeper))
		return;
	f->advice = advice_for(d, ADVICE_PASSED_END, keeper->parent);
	finding_set(d, f, "culprit", "%s", process_text(d, keeper));
}

enum { KEEPERS_MOST = 64 }; /* are named, of those that keep one end */

bool report_no_eof(struct diagnosis *d, const struct wait *wait)
{
	struct finding *f;
	const char *keepers = NULL, *fds = NULL;

	if (wait->operation->role != ROLE_RECEIVE || wait->open || wait->ready || wait->listener ||
	    !is_stream(wait->channel) || !cannot_end(d, wait) || thread_at_other_end(d, wait))
		return false;
	f = finding_add(d, FINDING_NO_EOF, wait->since_ns, wait->channel);
	finding_wait(d, f, wait);
	for (size_t i = 0; i < wait->ender_count && i < KEEPERS_MOST; i++) {
		const struct viz_process *who = wait->enders[i];
		const struct viz_holding *holding = wait_holding(d->waits, other_end(d, wait), who,
								 ACCESS_WRITE);

		const struct viz_process *child = left_as_seen(d, wait, who);

		if (child)
			finding_line(d, f,
				     fill_phrase(d, PHRASE_LEFT_TO_CHILD, process_text(d, who),
						 channel_text(d, other_end(d, wait)),
						 process_text(d, child)));
		finding_process(d, f, who);
		keepers = joined_text(d, keepers, phrase_text(PHRASE_AND, d->language),
				      keeper_text(d, wait, who, holding));
		fds = joined_text(d, fds, ", ", close_text(d, who, holding));
		advise_starter(d, f, wait, who, holding);
	}
	tell_failed_writer(d, f, wait);
	if (wait->ender_count > KEEPERS_MOST)
		keepers = joined_text(d, keepers, ", ",
				      more_text(d, wait->ender_count - KEEPERS_MOST));
	finding_set(d, f, "who", "%s", process_text(d, wait->process));
	finding_set(d, f, "keepers", "%s", keepers);
	finding_set(d, f, "count", "%zu", wait->ender_count);
	finding_set(d, f, "closes", "%s", fds);
	return true;
}

/* Reports the first wait of the circle for an end that is kept from it. NULL: it has none. */
static const struct wait *report_kept_reader(struct diagnosis *d, const struct wait_circle *circle)
{
	for (size_t i = 0; i < circle->count; i++)
		if (report_no_eof(d, circle->waits[i]))
			return circle->waits[i];
	return NULL;
}

struct finding *report_kept_end(struct diagnosis *d, const struct wait_circle *circle, bool *told)
{
	const struct wait *reader = report_kept_reader(d, circle);
	struct finding *f;

	if (!reader)
		return NULL;
	f = d->findings[d->count - 1];
	for (size_t i = 0; i < circle->count; i++) {
		told[circle->waits[i]->index] = true;
		if (circle->waits[i] != reader)
			finding_wait(d, f, circle->waits[i]);
	}
	return f;
}
