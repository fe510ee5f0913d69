// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A reader that waits for an end which cannot come. */
#include <inttypes.h>

#include "find_waits.h"

static bool has_written(const struct diagnosis *d, const struct viz_channel *channel,
			const struct viz_process *process)
{
	return wait_has_written(d->waits, process, channel);
}

/* Another process could write there, and does not any more. */
static bool writer_is_gone(const struct diagnosis *d, const struct wait *wait, bool wrote)
{
	const struct viz_channel *channel = other_end(d, wait);

	for (size_t i = 0; i < channel->holding_count; i++) {
		const struct viz_holding *holding = channel->holdings[i];

		if (holding->process != wait->process && (holding->access & ACCESS_WRITE) &&
		    !wait_holding(channel, holding->process, ACCESS_WRITE) &&
		    (!wrote || has_written(d, channel, holding->process)))
			return true;
	}
	return false;
}

/* It waits, for good, for the end of the one that waits for it. */
static bool waits_for(const struct diagnosis *d, const struct viz_process *who,
		      const struct viz_process *whom)
{
	for (const struct wait *wait = wait_of_process(d->waits, who); wait;
	     wait = wait->next_of_process)
		for (size_t k = 0; waits_for_child(wait) && wait->stuck && k < wait->ender_count;
		     k++)
			if (wait->enders[k] == whom)
				return true;
	return false;
}

/*
 * The reader keeps it itself, and had a writer beside itself; in a glance, nobody knows. A FIFO
 * that was opened to read and write is meant to have no end.
 */
static bool kept_by_reader(const struct diagnosis *d, const struct wait *wait,
			   const struct viz_holding *holding)
{
	if (!holding)
		return true;
	if (holding->access != ACCESS_WRITE && other_end(d, wait) == wait->channel)
		return false;
	return d->waits->whole || writer_is_gone(d, wait, false);
}

/* Kept by inheritance, never used, and by no standard descriptor: nobody meant to write there. */
static bool forgotten(const struct diagnosis *d, const struct viz_channel *channel,
		      const struct viz_holding *holding)
{
	return holding->fd > 2 && holding->start == HOLDING_FORK &&
	       !has_written(d, channel, holding->process);
}

/* It waits for a signal and handles none: it will never do anything again. */
static bool sleeps_for_good(const struct diagnosis *d, const struct viz_process *who)
{
	const struct viz_thread *thread = who->thread_count == 1 ? who->threads[0] : NULL;

	for (const struct wait *wait = wait_of_process(d->waits, who); wait;
	     wait = wait->next_of_process)
		if (wait->operation->thread == thread)
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
 * A server accepted it for a child, which wrote and is gone; the server waits for the next one and
 * forgot to close its own copy.
 */
static bool left_to_child(const struct diagnosis *d, const struct viz_channel *channel,
			  const struct viz_holding *holding)
{
	const struct viz_operation *made = holding->start_op;

	if (!made || !(is_call(made, "accept") || is_call(made, "accept4")) ||
	    has_written(d, channel, holding->process) || !sleeps_in_accept(d, holding->process))
		return false;
	for (size_t i = 0; i < channel->holding_count; i++) {
		const struct viz_holding *other = channel->holdings[i];

		if (other->start == HOLDING_FORK && other->process->parent == holding->process &&
		    !wait_holding(channel, other->process, ACCESS_BOTH) &&
		    has_written(d, channel, other->process))
			return true;
	}
	return false;
}

/* Ended, and never waited for. NULL: there is none. */
static const struct viz_process *ended_child(const struct diagnosis *d,
					     const struct viz_process *parent)
{
	for (size_t i = 0; i < d->model->process_count; i++)
		if (d->model->processes[i]->zombie && d->model->processes[i]->ppid == parent->pid)
			return d->model->processes[i];
	return NULL;
}

/*
 * The same from state alone: the client asks no more and was answered, the only thread that could
 * still answer is asleep in accept() where the connection came from, and had a child, now ended.
 */
static const struct viz_process *left_as_seen(const struct diagnosis *d, const struct wait *wait,
					      const struct viz_process *who)
{
	const struct viz_channel *channel = other_end(d, wait);
	const struct wait *other = wait_of_process(d->waits, who);

	if (!d->waits->whole || channel->mechanism != MECH_TCP || !channel->glimpse.peer_ended ||
	    !channel->glimpse.sent || wait->ender_count != 1 || who->thread_count != 1 || !other ||
	    !waits_to_accept(other) || !other->channel || channel->stranger_count ||
	    !wait_listens_for(other->channel, wait->channel, wait->channel->peer_address))
		return NULL;
	return ended_child(d, who);
}

/*
 * Every holder of the other end keeps it in vain: the reader itself, one who waits for the
 * reader's exit, or one who has forgotten it.
 */
static bool cannot_end(const struct diagnosis *d, const struct wait *wait)
{
	const struct viz_channel *channel = other_end(d, wait);
	bool in_vain = wait->ender_count > 0;
	bool gone = writer_is_gone(d, wait, true);

	for (size_t i = 0; i < wait->ender_count && in_vain; i++) {
		const struct viz_process *who = wait->enders[i];
		const struct viz_holding *holding = wait_holding(channel, who, ACCESS_WRITE);

		if (!holding && !wait_in_flight(d->waits, channel, who, ACCESS_WRITE))
			return false;
		if (who == wait->process)
			in_vain &= wait->stuck && kept_by_reader(d, wait, holding);
		else
			in_vain &= waits_for(d, who, wait->process) || sleeps_for_good(d, who) ||
				   (holding && gone && forgotten(d, channel, holding)) ||
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

/* sh[800] (fd 4); or the message by which it would get it. */
static const char *say_keeper(struct diagnosis *d, const struct wait *wait,
			      const struct viz_process *who, const struct viz_holding *holding)
{
	const char *name = say_process(d, who);
	const struct viz_channel *socket;

	if (who == wait->process)
		name = say_phrase(d, PHRASE_ITSELF, name, NULL, NULL);
	if (holding)
		return say(d, "%s (fd %" PRId32 ")", name, holding->fd);
	socket = wait_in_flight(d->waits, other_end(d, wait), who, ACCESS_WRITE);
	return say_phrase(d, PHRASE_IN_MESSAGE, name, socket ? say_channel(d, socket) : "?", NULL);
}

static const char *say_close(struct diagnosis *d, const struct viz_process *who,
			     const struct viz_holding *holding)
{
	if (!holding)
		return say_phrase(d, PHRASE_TAKE_AND_CLOSE, say_process(d, who), NULL, NULL);
	return say(d, "close(%" PRId32 "): %s", holding->fd, say_process(d, who));
}

bool tell_no_eof(struct diagnosis *d, const struct wait *wait)
{
	struct finding *f;
	const char *keepers = NULL, *fds = NULL;

	if (wait->operation->role != ROLE_RECEIVE || wait->open || wait->ready || wait->listener ||
	    !is_stream(wait->channel) || !cannot_end(d, wait))
		return false;
	f = finding_add(d, FINDING_NO_EOF, wait->since_ns, wait->channel);
	finding_wait(d, f, wait);
	for (size_t i = 0; i < wait->ender_count; i++) {
		const struct viz_process *who = wait->enders[i];
		const struct viz_holding *holding = wait_holding(other_end(d, wait), who,
								 ACCESS_WRITE);

		const struct viz_process *child = left_as_seen(d, wait, who);

		if (child)
			finding_line(d, f,
				     say_phrase(d, PHRASE_LEFT_TO_CHILD, say_process(d, who),
						say_channel(d, other_end(d, wait)),
						say_process(d, child)));
		finding_process(d, f, who);
		keepers = say_join(d, keepers, phrase_text(PHRASE_AND, d->language),
				   say_keeper(d, wait, who, holding));
		fds = say_join(d, fds, ", ", say_close(d, who, holding));
	}
	finding_say(d, f, "who", "%s", say_process(d, wait->process));
	finding_say(d, f, "keepers", "%s", keepers);
	finding_say(d, f, "count", "%zu", wait->ender_count);
	finding_say(d, f, "closes", "%s", fds);
	return true;
}
