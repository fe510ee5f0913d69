// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Servers that sleep in something which has nothing to do with any client: the clock, a lock, a
 * child, a pipe. One that waits for events may have put its client off on purpose.
 */
#include "viz/diagnose/wait/waits.h"

static bool has_listener(const struct wait_graph *graph, const struct viz_channel *client)
{
	for (size_t i = 0; i < graph->listener_count; i++)
		if (wait_listens_for(graph->listeners[i], client, client->peer_address))
			return true;
	return false;
}

/* What lies unread at a client is no request: a session ticket of TLS that no answer followed. */
bool channel_is_of_client(const struct wait_graph *graph, const struct viz_channel *client,
			  const struct viz_channel *server)
{
	if (client->mechanism == MECH_UNIX_STREAM)
		return server->name.len && !client->name.len;
	return client->mechanism == MECH_TCP && has_listener(graph, client) &&
	       !has_listener(graph, server);
}

static bool has_slept(const struct diagnosis *d, uint64_t since_ns)
{
	return d->end_ns > since_ns && d->end_ns - since_ns >= 2 * LONG_WAIT_NS;
}

/* True for a wait in accept(2), or for events of nothing but sockets that listen. */
static bool is_for_new_clients(const struct diagnosis *d, const struct wait *wait)
{
	const struct viz_operation *op = wait->operation;
	bool listens = false;

	if (waits_to_accept(wait))
		return true;
	for (size_t i = 0; operation_polls(op) && i < op->extra->waits_for_count; i++) {
		const struct viz_channel *channel = wait_asked(d->waits, op, i);

		if (!channel)
			return false;
		listens |= channel->listening;
		if (!channel->listening && !wait_wakes_itself(d->waits, wait, channel))
			return false;
	}
	return listens && !op->extra->waits_cut;
}

/* True for a read of what another client of this server has yet to send. */
static bool is_for_other_client(const struct diagnosis *d, const struct wait *wait)
{
	const struct viz_channel *peer = wait->channel ? wait_peer(d->waits, wait->channel) : NULL;

	return wait->operation->role == ROLE_RECEIVE && peer &&
	       channel_is_of_client(d->waits, peer, wait->channel);
}

/* True if it sleeps where only another process of this machine, or the clock, could wake it. */
static bool is_apart_from_clients(const struct wait *wait)
{
	const struct viz_channel *channel = wait->channel;

	if (waits_for_time(wait))
		return true;
	if (wait->clock || wait->circle || operation_polls(wait->operation))
		return false;
	return waits_for_child(wait) || waits_to_open(wait) ||
	       (channel && (channel->mechanism == MECH_FILE_LOCK || channel_is_pipe(channel) ||
			    is_semaphore(channel)));
}

/* True if nobody is known for whom it could wait, but nobody else comes to end it. */
static bool is_left_alone(const struct wait *wait)
{
	return wait->stuck || waits_to_open(wait) ||
	       (wait->channel && wait->channel->mechanism == MECH_FILE_LOCK);
}

/* True if it sleeps for the clock in the end, or for good, and all whom it waits for do. */
static bool ends_in_sleep(const struct diagnosis *d, const struct wait *wait)
{
	for (size_t k = 0; k < CHAIN_MOST; k++) {
		const struct viz_process *culprit = chain_culprit(d, wait);
		const struct wait *next = chain_next(d, wait);

		if (!is_apart_from_clients(wait) || !has_slept(d, wait->since_ns))
			return false;
		if (waits_for_time(wait))
			return true;
		if (!next)
			return culprit ? wait_process_stuck(d->waits, culprit)
				       : is_left_alone(wait);
		wait = next;
	}
	return false;
}

/* True if the waiting thread could not answer the client at the other end of `channel`. */
static bool is_for_others(const struct diagnosis *d, const struct wait *wait,
			  const struct viz_channel *channel)
{
	return !wait_reads_at(d->waits, wait, channel) &&
	       (wait->itself || is_for_new_clients(d, wait) || is_for_other_client(d, wait));
}

static bool sleeps_unseen(const struct diagnosis *d, const struct viz_process *process)
{
	for (size_t i = 0; i < process->thread_count; i++)
		if (process->threads[i]->end_ns == VIZ_NEVER &&
		    !wait_of_thread(d->waits, process->threads[i]))
			return true;
	return false;
}

bool server_is_kept(const struct diagnosis *d, const struct viz_process *server,
		    const struct viz_channel *channel, const struct wait **by)
{
	*by = NULL;
	if (process_runs(server) || process_is_stopped(server))
		return false;
	if (wait_process_stuck(d->waits, server) && !wait_of_process(d->waits, server))
		return d->waits->own_sleepers[server->index] &&
		       has_slept(d, d->waits->own_sleepers[server->index]->since_ns);
	if (sleeps_unseen(d, server))
		return false;
	for (const struct wait *wait = wait_of_process(d->waits, server); wait;
	     wait = wait->next_of_process) {
		if (is_for_others(d, wait, channel))
			continue;
		if (wait_reads_at(d->waits, wait, channel) || !ends_in_sleep(d, wait))
			return false;
		*by = wait;
	}
	return *by != NULL;
}

#define LONG_SLEEP_NS (600 * 1000 * MILLISECOND) /* no server makes its clients wait so long */

bool wait_is_long_sleep(const struct wait *wait)
{
	return waits_for_time(wait) && viz_has(wait->operation, timeout_ns) &&
	       wait->operation->extra->timeout_ns >= LONG_SLEEP_NS;
}

/* True if the thread sleeps for long, as it asked, or until another one of its process wakes it. */
static bool sleeps_for_long(const struct diagnosis *d, const struct viz_thread *thread)
{
	const struct wait *wait = wait_of_thread(d->waits, thread);

	if (!wait)
		return thread->own && has_slept(d, thread->since_ns);
	return wait_is_long_sleep(wait) && has_slept(d, wait->since_ns);
}

bool process_sleeps_for_long(const struct diagnosis *d, const struct viz_process *process)
{
	if (process_runs(process) || process_is_stopped(process) ||
	    viz_process_handled_request(process))
		return false;
	for (size_t i = 0; i < process->thread_count; i++)
		if (process->threads[i]->end_ns == VIZ_NEVER &&
		    !sleeps_for_long(d, process->threads[i]))
			return false;
	return process->thread_count > 0 && !process->ended;
}
