// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which waits are no fault: those of sound programs, servers and shells that have nothing to do. */
#include "viz/diagnose/graph/wait_ranks.h"
#include "viz/diagnose/wait/waits.h"

#define HELD_UP_NS (1000 * MILLISECOND) /* so long a sender waits for a reader that only sleeps */

/*
 * True if another thread of the sender could read there but its process never has, so it was never
 * meant to. (Its readers may still get a write: a worker waiting for its first job is fine.)
 */
static bool never_helps_itself(const struct diagnosis *d, const struct wait *wait)
{
	return waits_to_send(wait) && !d->waits->whole &&
	       !wait_has_read(d->waits, wait->process, other_end(d, wait));
}

/* True if the chain of the wait leads to one that does nothing but sleep for a time. */
static bool leads_to_sleep(const struct diagnosis *d, const struct wait *wait)
{
	const struct wait *next = wait;

	for (size_t k = 0; next && k < CHAIN_MOST; k++, next = chain_next(d, wait))
		wait = next;
	return waits_for_time(wait);
}

/*
 * True if who has to read has done so, and it, or whom it waits for, goes on by itself: slowly. One
 * who sleeps for a time of its own while a sender waits for a second holds that up.
 */
bool wait_is_read_slowly(const struct diagnosis *d, const struct wait *wait)
{
	const struct wait *next;
	const bool holds_up = lasted_ns(d, wait->since_ns) >= HELD_UP_NS;
	bool read = false;

	for (size_t k = 0; wait && k < CHAIN_MOST; k++, wait = next) {
		next = chain_next(d, wait);
		if (next && wait_ignores(d, next, wait))
			return false;
		if (waits_to_send(wait) && wait->channel)
			read = wait_was_read(d, wait, other_end(d, wait));
		if (*wait_movers(d, wait))
			return read && !(holds_up && leads_to_sleep(d, wait));
	}
	return false;
}

/* False for one that waits for what only itself, or who waits for it, could write there. */
static bool waits_for_key(const struct wait *wait)
{
	return wait->channel->mechanism == MECH_PTY && !waits_to_print(wait) && !wait->stuck;
}

/* False for a listener whose name was removed: no client can come. */
static bool waits_for_clients(const struct wait *wait)
{
	return waits_to_accept(wait) && wait->open;
}

/* True for an event loop that somebody unknown may wake, and not by making room. */
static bool is_open_loop(const struct wait *wait)
{
	return wait->operation->role == ROLE_WAIT && wait->open && !wait->room && wait->channel &&
	       !is_semaphore(wait->channel);
}

/*
 * True for waits of sound programs that have nothing to do: for a time, a client, a datagram, a
 * signal, a key, a change of a file.
 */
bool wait_is_natural(const struct wait *wait)
{
	const struct viz_channel *channel = wait->channel;

	if (process_is_stopped(wait->process))
		return false;
	if (waits_to_connect(wait))
		return wait->clock && !wait->listener;
	if (waits_to_open(wait) || waits_for_lease(wait) || waits_for_child(wait) ||
	    waits_for_exec(wait))
		return wait->clock;
	return wait->clock || wait->served || !channel || waits_for_clients(wait) ||
	       gets_datagrams(wait) || reads_from_kernel(wait) || waits_for_key(wait) ||
	       is_open_loop(wait);
}

/* True if it has waited for a second or more. */
static bool waits_long(const struct diagnosis *d, const struct wait *wait)
{
	return !wait->clock && d->end_ns - wait->since_ns >= 2 * LONG_WAIT_NS;
}

/*
 * True for a wait of a second or more, and for most of what its process has lived: whoever could
 * end it may be busy, but not with that. A glance does not tell since when a process lives.
 */
static bool waits_mostly(const struct diagnosis *d, const struct wait *wait)
{
	return waits_long(d, wait) && !d->waits->whole &&
	       d->end_ns - wait->since_ns > (d->end_ns - wait->process->start_ns) / 2;
}

static bool is_for_lock(const struct wait *wait)
{
	return wait->channel && wait->channel->mechanism == MECH_FILE_LOCK;
}

/* Returns the last wait of the chain that this one begins. */
static const struct wait *last_of_chain(const struct diagnosis *d, const struct wait *wait)
{
	const struct wait *next = chain_next(d, wait);

	for (size_t k = 0; next && k < CHAIN_MOST; k++, next = chain_next(d, next))
		wait = next;
	return wait;
}

static bool is_for_client(const struct wait *wait)
{
	return waits_to_accept(wait) || gets_datagrams(wait) ||
	       (wait->operation->role == ROLE_WAIT && wait->open && wait->channel);
}

/*
 * True if the holder of the lock, or whom it waits for, is a server's process that waits for a
 * client, which they may do in turns; or if it waits as sound programs do, and not for long.
 */
static bool is_held_idly(const struct diagnosis *d, const struct wait *wait)
{
	const struct wait *last = last_of_chain(d, wait);
	const bool kept = d->waits->whole ? waits_long(d, wait) : waits_mostly(d, wait);

	return last != wait && (is_for_client(last) || (wait_is_natural(last) && !kept));
}

/* True if it has long waited for a lock whose holder waits for no client. */
bool wait_is_held_long(const struct diagnosis *d, const struct wait *wait)
{
	const struct wait *last = last_of_chain(d, wait);

	return is_for_lock(wait) && waits_long(d, wait) && last != wait && !is_for_client(last);
}

/*
 * True if who should read waits for something else, be it beside others that could act: for events
 * on other channels, or for the end of the one who writes, and has never read there.
 */
static bool is_read_by_none(const struct diagnosis *d, const struct wait *wait)
{
	const struct wait *next = chain_next(d, wait);

	if (!waits_to_send(wait) || !next || !waits_long(d, wait))
		return false;
	return wait_ignores(d, next, wait) ||
	       (waits_for_child(next) && wait_is_ended_by(d->waits, next, wait->process) &&
		!wait_was_read(d, wait, other_end(d, wait)));
}

/*
 * True of a glance for a write of a second or more to a pipe from which nobody has ever read, as
 * those sleep who could. (In a trace waits_mostly() tells it.)
 */
static bool was_never_read(const struct diagnosis *d, const struct wait *wait)
{
	const struct viz_position *at = &wait->operation->at_entry;

	if (!d->waits->whole || !waits_to_send(wait) || !waits_long(d, wait) ||
	    !channel_is_pipe(wait->channel) || !viz_has(wait->operation, at_entry) || at->tail ||
	    at->start)
		return false;
	for (size_t i = 0; i < wait->ender_count; i++)
		if (process_runs(wait->enders[i]))
			return false;
	return true;
}

/*
 * True if a process may come to end the wait by itself. What threads do that sleep until others of
 * their process wake them is open where it waits for events, which may be theirs.
 */
static bool goes_on(const struct diagnosis *d, const struct wait *wait)
{
	const struct viz_process *const *two = waits_to_send(wait) || is_for_lock(wait)
						       ? wait_movers(d, wait)
						       : wait_actors(d, wait);

	if (two[0] == wait->process && !two[1])
		return !never_helps_itself(d, wait);
	return two[0] != NULL;
}

/*
 * True if it looks like a server of datagrams: it has an address, and is connected to nobody. In a
 * trace it has sent nothing there before it was asked.
 */
static bool serves_datagrams(const struct diagnosis *d, const struct wait *wait)
{
	const struct viz_channel *channel = wait->channel;

	if (!gets_datagrams(wait) || channel->peer || channel->peer_address.len)
		return false;
	return d->waits->whole || ((channel->name.len || channel->local_address.len) &&
				   wait_never_asked(d->waits, wait));
}

/* True if it waits for more work as sound programs do; a key press may be one nobody knows of. */
static bool rests(const struct wait *wait)
{
	if (!wait->clock && (!wait->channel || wait->channel->mechanism == MECH_PTY))
		return false;
	return wait_is_natural(wait);
}

static bool has_resting_thread(const struct diagnosis *d, const struct viz_process *process)
{
	const struct wait *wait = wait_of_process(d->waits, process);

	while (wait && !rests(wait))
		wait = wait->next_of_process;
	return wait != NULL;
}

/*
 * Returns what the one who could end a read of a socket reads itself at the other end; NULL: it
 * does not.
 */
static const struct wait *reader_at_other_end(const struct diagnosis *d, const struct wait *wait)
{
	const struct viz_channel *end = wait->channel ? other_end(d, wait) : NULL;
	const struct viz_process *other = end ? chain_culprit(d, wait) : NULL;
	const struct wait *at = other ? wait_of_process(d->waits, other) : NULL;

	while (at && !wait_reads_at(d->waits, at, end))
		at = at->next_of_process;
	return at;
}

/*
 * True if the server reads what the client sends, and some other client, or the clock, may make it
 * send: it waits there in its loop, or by one of its threads.
 */
static bool has_free_server(const struct diagnosis *d, const struct wait *client)
{
	const struct wait *server = reader_at_other_end(d, client);

	if (!server || !channel_is_stream_socket(client->channel))
		return false;
	if (operation_polls(server->operation) && is_for_client(server))
		return true;
	return channel_is_of_client(d->waits, client->channel, other_end(d, client)) &&
	       has_resting_thread(d, server->process);
}

/* True if it sent something there and heard nothing, or is one that only asks, as curl(1). */
static bool wants_answer(const struct diagnosis *d, const struct wait *client)
{
	return channel_was_never_answered(d->waits, client->channel) ||
	       process_is_written_in(client->process, "asker") ||
	       process_is_written_in(client->process, "mysql");
}

/*
 * True for a client that waits for news of a server that reads what it sends, beside others: one
 * that subscribed to what is not there yet, as dbus-monitor(1) and redis-cli(1) do, for all that
 * can be told. One that has asked and heard nothing yet wants an answer; a look at the machine
 * knows that of TCP only, and takes a loop of one's own for one that waits for events.
 */
static bool is_subscribed(const struct diagnosis *d, const struct wait *wait)
{
	if (wait->room || !has_free_server(d, wait))
		return false;
	return !wants_answer(d, wait) || (d->waits->whole && operation_polls(wait->operation));
}

/* It has made the connection, so that the one who could end the wait is its server. */
bool wait_is_for_server_outside(const struct diagnosis *d, const struct wait *wait)
{
	return !d->waits->whole && !wait->room && wait->open && !wait->ender_count &&
	       wait->operation->role == ROLE_RECEIVE && wait->channel &&
	       channel_is_stream_socket(wait->channel) &&
	       d->waits->connected[wait->channel->index] && !wants_answer(d, wait);
}

/* True for a thread of a server at the connection of such a client. */
static bool serves_subscriber(const struct diagnosis *d, const struct wait *wait)
{
	const struct wait *client;

	if (wait->operation->role != ROLE_RECEIVE || process_is_lone(wait->process))
		return false;
	client = reader_at_other_end(d, wait);
	return client && client->channel && other_end(d, client) == wait->channel &&
	       is_subscribed(d, client);
}

static bool has_written(const struct diagnosis *d, const struct viz_channel *channel,
			const struct viz_process *process)
{
	return wait_has_written(d->waits, process, channel);
}

static bool reads_pipe(const struct wait *wait)
{
	return wait->operation->role == ROLE_RECEIVE && channel_is_pipe(wait->channel);
}

/*
 * True for a thread that reads a pipe of its own process, as a logger, where another thread rests
 * that may write there when it goes on.
 */
static bool is_fed_by_own(const struct diagnosis *d, const struct wait *wait)
{
	return wait->ender_count == 1 && wait->enders[0] == wait->process &&
	       !process_is_lone(wait->process) && has_resting_thread(d, wait->process);
}

/*
 * True for a reader of a pipe whose writer has nothing to give it yet: a helper of a server that
 * waits for a client, a pipeline that waits for the clock. One that reads what a child of its own
 * writes wants an answer, and one whose writer came and went wants the end of the pipe.
 */
static bool is_fed_later(const struct diagnosis *d, const struct wait *wait)
{
	const struct wait *next = chain_next(d, wait);

	if (!reads_pipe(wait) || wait_writer_is_gone(d, wait, has_written))
		return false;
	if (is_fed_by_own(d, wait))
		return true;
	for (size_t k = 0; next && k < CHAIN_MOST; k++, next = chain_next(d, next)) {
		if (process_is_stopped(next->process) ||
		    viz_process_descends(next->process, wait->process))
			return false;
		if (has_resting_thread(d, next->process))
			return true;
		if (!reads_pipe(next) && !waits_for_child(next))
			return false;
	}
	return false;
}

/* True if it reads at a connection that it has made to a server. */
static bool reads_from_server(const struct diagnosis *d, const struct wait *wait)
{
	const struct viz_channel *peer;

	if (wait->operation->role != ROLE_RECEIVE || !wait->channel ||
	    !channel_is_stream_socket(wait->channel))
		return false;
	peer = wait_peer(d->waits, wait->channel);
	return peer && channel_is_of_client(d->waits, wait->channel, peer);
}

/*
 * True of a glance for a client whose server passes on what another one writes now and then, which
 * sleeps meanwhile, for no longer than such a one would.
 */
static bool is_fed_in_turns(const struct diagnosis *d, const struct wait *wait)
{
	const struct wait *next = chain_next(d, wait);
	size_t k = 0;

	if (!d->waits->whole || !reads_from_server(d, wait))
		return false;
	while (next && k++ < CHAIN_MOST && (reads_pipe(next) || reads_from_server(d, next)))
		next = chain_next(d, next);
	return k > 1 && next && waits_for_time(next) && viz_has(next->operation, timeout_ns) &&
	       !wait_is_long_sleep(next);
}

/* True if a process that it waits for, or that one for, did something a moment before the end. */
static bool follows_work(const struct diagnosis *d, const struct wait *wait)
{
	const struct wait *next = chain_next(d, wait);

	for (size_t k = 0; next && k < CHAIN_MOST; k++, next = chain_next(d, next))
		if (!next->circle && wait_has_just_begun(d->waits, next))
			return true;
	return false;
}

/* True if the last of its chain runs, as a child that computes for the one who waits for it. */
static bool leads_to_work(const struct diagnosis *d, const struct wait *wait)
{
	const struct viz_process *culprit = chain_culprit(d, last_of_chain(d, wait));

	return d->waits->whole && culprit && process_runs(culprit);
}

/*
 * True for waits that are normal for a server or shell: for a connection, for one of several
 * events, for a child, for a terminal, for a file, for time. So is waiting for a process that can
 * act, or to which such a wait leads.
 */
bool wait_is_idle(const struct diagnosis *d, const struct wait *wait)
{
	if (waits_to_open(wait) || waits_for_lease(wait) || wait_is_for_unsaid_end(d, wait))
		return false;
	if (waits_for_exec(wait) || (waits_to_connect(wait) && wait->listener))
		return goes_on(d, wait);
	if (wait->clock || wait->served || !wait->channel || waits_for_child(wait) ||
	    waits_for_clients(wait) || serves_datagrams(d, wait) || reads_from_kernel(wait) ||
	    (wait->channel->mechanism == MECH_PTY && (wait->open || waits_for_key(wait))) ||
	    is_open_loop(wait))
		return true;
	if (is_for_lock(wait) && is_held_idly(d, wait))
		return true;
	if (is_read_by_none(d, wait) || was_never_read(d, wait))
		return false;
	if (waits_to_print(wait))
		return goes_on(d, wait);
	if (wait_is_held_long(d, wait) ||
	    ((is_for_lock(wait) || waits_to_send(wait)) && waits_mostly(d, wait)))
		return false;
	return goes_on(d, wait) || wait_is_for_server_outside(d, wait) || is_fed_later(d, wait) ||
	       is_fed_in_turns(d, wait) || is_subscribed(d, wait) || serves_subscriber(d, wait) ||
	       follows_work(d, wait) || leads_to_work(d, wait);
}
