// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Who could end a wait: holders of the other end, users of a queue, children. */
#include "find.h"
#include "wait_graph_internal.h"

void wait_add_ender(struct wait_graph *graph, struct wait *wait, const struct viz_process *process)
{
	if (graph->added[process->index] == wait->index + 1)
		return;
	if (process->zombie) /* it does nothing any more, though it is there */
		return;
	graph->added[process->index] = wait->index + 1;
	ARENA_PUSH(graph->arena, wait->enders, wait->ender_count, process);
}

static bool is_holding(const struct viz_holding *holding, enum access access)
{
	return (holding->access & access) && holding->until_ns == VIZ_NEVER &&
	       !holding->process->ended;
}

const struct viz_holding *wait_holding(const struct viz_channel *channel,
				       const struct viz_process *process, enum access access)
{
	for (size_t i = 0; i < channel->holding_count; i++) {
		const struct viz_holding *holding = channel->holdings[i];

		if (holding->process == process && is_holding(holding, access))
			return holding;
	}
	return NULL;
}

/* Who is no process of the trace and holds it, or a message that is on its way. */
static bool held_outside(const struct viz_channel *channel, enum access access)
{
	for (size_t i = 0; i < channel->stranger_count; i++)
		if (channel->strangers[i].access & access)
			return true;
	return false;
}

/* Whoever could take it out; where it came to is known from the descriptors of the receiver. */
static bool add_receivers(struct wait_graph *graph, struct wait *wait,
			  const struct viz_channel *channel, enum access access)
{
	bool any = false;

	for (const struct wait_flight *flight = graph->flights[channel->index]; flight;
	     flight = flight->next) {
		const struct viz_channel *socket = flight->socket;

		if (!(flight->access & access))
			continue;
		if (!socket) {
			wait->open |= !flight->message || !flight->message->to.process;
			continue;
		}
		for (size_t k = 0; k < socket->holding_count; k++)
			if (is_holding(socket->holdings[k], ACCESS_BOTH)) {
				wait_add_ender(graph, wait, socket->holdings[k]->process);
				any = true;
			}
	}
	return any;
}

void wait_add_holders(struct wait_graph *graph, struct wait *wait,
		      const struct viz_channel *channel, enum access access)
{
	bool any = add_receivers(graph, wait, channel, access);

	wait->open |= held_outside(channel, access);
	for (size_t i = 0; i < channel->holding_count; i++) {
		if (!is_holding(channel->holdings[i], access))
			continue;
		wait_add_ender(graph, wait, channel->holdings[i]->process);
		any = true;
	}
	wait->open |= !any;
}

/* The kernel's addresses of both ends tell, where the whole machine is known. */
static const struct viz_channel *opposite(const struct wait_graph *graph,
					  const struct viz_channel *channel)
{
	for (size_t i = 0; graph->whole && i < graph->model->channel_count; i++) {
		const struct viz_channel *other = graph->model->channels[i];

		if (channel->mechanism == MECH_TCP && other->mechanism == MECH_TCP &&
		    other->network == channel->network && channel->peer_address.len &&
		    viz_bytes_equal(other->local_address, channel->peer_address) &&
		    viz_bytes_equal(other->peer_address, channel->local_address))
			return other;
	}
	return NULL;
}

const struct viz_channel *wait_peer(const struct wait_graph *graph,
				    const struct viz_channel *channel)
{
	if (channel->peer)
		return channel->peer;
	for (size_t i = 0; i < graph->pairing->connection_count; i++) {
		const struct viz_connection *c = graph->pairing->connections[i];

		if (c->client == channel)
			return c->server;
		if (c->server == channel)
			return c->client;
	}
	return opposite(graph, channel);
}

static bool type_fits(const struct viz_operation *receive, int64_t type)
{
	enum { EXCEPT = 020000 };
	int64_t wanted = 0;

	viz_operation_argument(receive, "msgtyp", &wanted);
	if (wanted > 0)
		return (type == wanted) != ((receive->flags & EXCEPT) != 0);
	return wanted == 0 || (uint64_t)type <= 0 - (uint64_t)wanted;
}

/* With MSG_WAITALL a call sleeps on until it has all: what has come is with it already. */
static bool waits_for_all(const struct viz_operation *op, const struct viz_channel *channel)
{
	enum { WAITALL = 0x100 };

	return (channel->mechanism == MECH_UNIX_STREAM || channel->mechanism == MECH_TCP) &&
	       op->role == ROLE_RECEIVE && viz_has(op, flags) && (op->flags & WAITALL);
}

static bool lies_ready(const struct wait_graph *graph, const struct viz_operation *op,
		       const struct viz_channel *channel)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < channel->glimpse.types_count; i++)
		if (type_fits(op, (int64_t)channel->glimpse.types[i]))
			return true;
	for (const struct wait_unread *unread = graph->unread[channel->index]; unread;
	     unread = unread->next) {
		const struct viz_message *m = unread->message;

		bytes += m->bytes;
		if (channel->mechanism == MECH_SYSV_MSG ? type_fits(op, m->type)
							: !waits_for_all(op, channel))
			return true;
	}
	return waits_for_all(op, channel) && viz_has(op, requested) && bytes >= op->requested;
}

static void wait_at_socket(struct wait_graph *graph, struct wait *wait,
			   const struct viz_channel *channel)
{
	const struct viz_channel *peer = wait_peer(graph, channel);

	if (wait_at_backlog(graph, wait, channel, peer))
		return;
	if (peer && (graph->whole || (channel->created_in_trace && peer->created_in_trace)))
		wait_add_holders(graph, wait, peer, ACCESS_BOTH);
	else
		wait->open = true;
	wait->open |= held_outside(channel, ACCESS_BOTH); /* so are unix sockets' other ends told */
}

/* Of a pair without names: to one with a name anybody may send. */
static void wait_at_datagrams(struct wait_graph *graph, struct wait *wait,
			      const struct viz_channel *channel)
{
	if (channel->peer && !channel->name.len && !channel->peer->name.len)
		wait_at_socket(graph, wait, channel);
	else
		wait->open = true;
}

/* `end` is the one whose holders end the wait. */
static void wait_at(struct wait_graph *graph, struct wait *wait, const struct viz_channel *channel,
		    enum access end)
{
	if (!wait->channel)
		wait->channel = channel;
	if (end == ACCESS_WRITE)
		wait->ready |= lies_ready(graph, wait->operation, channel);
	switch (channel->mechanism) {
	case MECH_PIPE:
	case MECH_FIFO:
		wait->open |= !graph->whole &&
			      (channel->mechanism == MECH_PIPE ? !channel->created_in_trace
							       : channel->found);
		wait_add_holders(graph, wait, channel, end);
		break;
	case MECH_UNIX_STREAM:
	case MECH_UNIX_SEQPACKET:
	case MECH_TCP:
		wait_at_socket(graph, wait, channel);
		break;
	case MECH_UNIX_DGRAM:
		wait_at_datagrams(graph, wait, channel);
		break;
	case MECH_EVENTFD: /* no glance tells whether the kernel itself counts there, too */
		wait->open |= graph->whole || !channel->created_in_trace;
		wait_add_holders(graph, wait, channel, ACCESS_BOTH);
		break;
	case MECH_SYSV_MSG:
	case MECH_POSIX_MQ:
	case MECH_SYSV_SEM:
	case MECH_FILE_LOCK:
	case MECH_FUTEX:
	case MECH_POSIX_SEM:
		wait_at_named(graph, wait, channel, end);
		break;
	default:
		wait->open = true;
	}
}

/* wait4: pid > 0 that child, -1 any; waitid: P_ALL 0, P_PID 1. Groups are not followed. */
static void wait_for_children(struct wait_graph *graph, struct wait *wait)
{
	const struct viz_operation *op = wait->operation;
	int64_t pid = -1, kind = 1;
	bool any = false;

	if (is_call(op, "waitid")) {
		wait->open |= !viz_operation_argument(op, "idtype", &kind) || kind > 1;
		if (kind == 1)
			viz_operation_argument(op, "id", &pid);
	} else {
		wait->open |= !viz_operation_argument(op, "pid", &pid);
	}
	for (size_t i = 0; i < graph->model->process_count; i++) {
		const struct viz_process *child = graph->model->processes[i];

		if (child->parent != wait->process || child->ended || child->zombie ||
		    ((int32_t)pid > 0 && child->pid != (uint32_t)pid))
			continue;
		wait_add_ender(graph, wait, child);
		any = true;
	}
	wait->open |= !any;
}

static void wait_for_any(struct wait_graph *graph, struct wait *wait)
{
	const struct viz_operation *op = wait->operation;

	wait->open |= op->waits_cut || op->waits_for_count == 0;
	for (size_t i = 0; i < op->waits_for_count; i++) {
		const struct viz_wait *w = &op->waits_for[i];
		const struct viz_channel *channel =
			w->channel ? w->channel
				   : map_get_uint(&graph->held, wait_fd_key(op->process, w->fd));
		bool out = viz_wait_has(w, OUT) || viz_wait_has(w, WRNORM);

		wait->open |= !channel;
		if (channel && out)
			wait_at(graph, wait, channel, ACCESS_READ);
		if (channel && !(out && !viz_wait_has(w, IN)))
			wait_at(graph, wait, channel, ACCESS_WRITE);
	}
}

/* Anybody may connect. */
static void wait_at_listener(struct wait *wait)
{
	wait->channel = wait->operation->channel;
	wait->open = true;
}

/* As the trace says; an older one has only what poll and epoll_wait were given in a register. */
static bool ends_by_itself(const struct viz_operation *op)
{
	int64_t timeout = -1;

	return viz_has(op, timeout_ns) || viz_has(op, timed) ||
	       (viz_operation_argument(op, "timeout", &timeout) && (int32_t)timeout >= 0);
}

void wait_find_enders(struct wait_graph *graph, struct wait *wait)
{
	const struct viz_operation *op = wait->operation;

	wait->clock = ends_by_itself(op);
	wait->open |= wait->clock;
	if (is_call(op, "wait4") || is_call(op, "waitid"))
		wait_for_children(graph, wait);
	else if (is_call(op, "poll") || is_call(op, "ppoll") || is_call(op, "select") ||
		 is_call(op, "pselect6") || is_call(op, "epoll_wait") ||
		 is_call(op, "epoll_pwait") || is_call(op, "epoll_pwait2"))
		wait_for_any(graph, wait);
	else if (is_call(op, "accept") || is_call(op, "accept4"))
		wait_at_listener(wait);
	else if (is_call(op, "connect"))
		wait_to_connect(graph, wait);
	else if (is_call(op, "nanosleep") || is_call(op, "clock_nanosleep"))
		wait->clock = wait->open = true;
	else if (op->role == ROLE_RECEIVE && op->channel)
		wait_at(graph, wait, op->channel, ACCESS_WRITE);
	else if (op->role == ROLE_SEND && op->channel)
		wait_at(graph, wait, op->channel, ACCESS_READ);
	else if ((is_call(op, "semop") || is_call(op, "semtimedop") || is_call(op, "flock") ||
		  is_call(op, "fcntl") || is_call(op, "futex")) &&
		 op->channel)
		wait_at(graph, wait, op->channel, ACCESS_NONE);
	else
		wait->open = true;
}
