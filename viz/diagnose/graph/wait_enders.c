// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds the processes that could end a wait: holders of the other end, users of a queue, children.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "viz/diagnose/core/finder.h"
#include "viz/diagnose/graph/wait_graph_internal.h"
#include "viz/diagnose/graph/wait_kinds.h"

static bool type_fits(const struct viz_operation *receive, int64_t type)
{
	enum { EXCEPT = 020000 };
	int64_t wanted = 0;

	viz_operation_argument(receive, "msgtyp", &wanted);
	if (wanted > 0)
		return (type == wanted) != ((receive->flags & EXCEPT) != 0);
	return wanted == 0 || (uint64_t)type <= 0 - (uint64_t)wanted;
}

/* True if what lies there may be less, or other, than what a sleeper there waits for. */
static bool may_hold_back(const struct viz_channel *channel)
{
	return channel->mechanism == MECH_TCP || channel->mechanism == MECH_UNIX_STREAM ||
	       channel->mechanism == MECH_PTY;
}

/*
 * True if the call was found asleep long after the message had come: then the message is not what
 * it waits for (SO_RCVLOWAT, MSG_OOB, a line without an end).
 */
static bool is_slept_through(const struct wait_graph *graph, const struct viz_operation *op,
			     const struct viz_message *m)
{
	const enum target_state state = op->thread->state;
	const uint64_t sent_ns = m->from.known ? m->from.exit_ns : VIZ_NEVER;
	const uint64_t since_ns = sent_ns > op->enter_ns ? sent_ns : op->enter_ns;

	return may_hold_back(m->channel) && since_ns < op->extra->at_ns &&
	       op->extra->at_ns - since_ns >= LONG_WAIT_NS && state != TARGET_STATE_RUNNING &&
	       state != TARGET_STATE_STOPPED && !viz_model_lacks_records(graph->model) &&
	       !wait_is_unseen(graph, m->channel);
}

static bool lies_ready(const struct wait_graph *graph, const struct viz_operation *op,
		       const struct viz_channel *channel)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < channel->glimpse->types_count; i++)
		if (type_fits(op, (int64_t)channel->glimpse->types[i]))
			return true;
	for (const struct wait_unread *unread = graph->unread[channel->index]; unread;
	     unread = unread->next) {
		const struct viz_message *m = unread->message;

		if (is_slept_through(graph, op, m))
			continue;
		bytes += m->bytes;
		if (channel->mechanism == MECH_SYSV_MSG ? type_fits(op, m->type)
							: !operation_waits_for_all(op))
			return true;
	}
	return operation_waits_for_all(op) && viz_has(op, requested) && bytes >= op->requested;
}

uint64_t wait_unread_before(const struct wait_graph *graph, const struct viz_channel *channel,
			    uint64_t before_ns)
{
	uint64_t bytes = 0;

	for (const struct wait_unread *unread = graph->unread[channel->index]; unread;
	     unread = unread->next) {
		if (!unread->message->from.known || unread->message->from.exit_ns >= before_ns)
			return 0;
		bytes += unread->message->bytes;
	}
	return bytes;
}

static void wait_at_socket(struct wait_graph *graph, struct wait *wait,
			   const struct viz_channel *channel)
{
	const struct viz_channel *peer = wait_peer(graph, channel);

	if (channel->listening && wait_is_removed(graph, channel))
		return;
	if (wait_at_backlog(graph, wait, channel, peer))
		return;
	if (peer && (graph->whole || (channel->created_in_trace && peer->created_in_trace)))
		wait_add_holders(graph, wait, peer, ACCESS_BOTH);
	else
		wait->open = true;
	wait->open |= wait_held_outside(channel,
					ACCESS_BOTH); /* a unix socket's peer is noted so, too */
}

/*
 * Any process may send to a socket with a name, so only an unnamed pair has known senders. Who
 * reads what a connected socket sends is known: whoever holds the socket at the other end.
 */
static void wait_at_datagrams(struct wait_graph *graph, struct wait *wait,
			      const struct viz_channel *channel, enum access end)
{
	if (channel->peer &&
	    (end == ACCESS_READ || (!channel->name.len && !channel->peer->name.len)))
		wait_at_socket(graph, wait, channel);
	else
		wait->open = true;
}

const struct viz_process *wait_pidfd_process(const struct wait_graph *graph,
					     const struct viz_channel *channel)
{
	const struct viz_bytes id = channel->id;
	const char *number = id.len ? memchr(id.data, '[', id.len) : NULL;

	if (channel->mechanism != MECH_PIDFD || !number)
		return NULL;
	return viz_model_process(graph->model, (uint32_t)strtoul(number + 1, NULL, 10), VIZ_NEVER);
}

/* A pidfd tells of the end of its process. */
static void wait_at_process(struct wait_graph *graph, struct wait *wait,
			    const struct viz_channel *channel)
{
	const struct viz_process *process = wait_pidfd_process(graph, channel);

	if (process && !process->ended && !process->zombie)
		wait_add_ender(graph, wait, process);
	else
		wait->open = true;
}

/* `end` is the end whose holders could end the wait. */
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
		wait_at_datagrams(graph, wait, channel, end);
		break;
	case MECH_PTY:
		wait_at_terminal(graph, wait, channel, end);
		break;
	case MECH_PIDFD:
		wait_at_process(graph, wait, channel);
		break;
	case MECH_EVENTFD: /* a glance cannot tell whether the kernel itself signals it */
		wait->counted |= graph->whole;
		wait->open |= !graph->whole && !channel->created_in_trace;
		wait_add_holders(graph, wait, channel, ACCESS_BOTH);
		break;
	case MECH_SYSV_MSG:
		if (!wait_never_fits(wait))
			wait_at_named(graph, wait, channel, end);
		break;
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

static bool is_living_child(const struct viz_process *child, const struct viz_process *parent)
{
	return child->parent == parent && !child->ended && !child->zombie;
}

/* The living children of a process, which all who wait for any of them share. */
static struct wait_set *children_of(struct wait_graph *graph, const struct viz_process *parent)
{
	const struct viz_model *model = graph->model;
	struct wait all = wait_set_begin(graph);

	if (graph->children[parent->index])
		return graph->children[parent->index];
	for (size_t i = graph->first_child[parent->index]; i; i = graph->sibling[i - 1])
		if (is_living_child(model->processes[i - 1], parent))
			wait_add_ender(graph, &all, model->processes[i - 1]);
	graph->children[parent->index] = wait_set_new(graph, &all);
	return graph->children[parent->index];
}

const struct wait_set *wait_children(struct wait_graph *graph, const struct viz_process *parent)
{
	return children_of(graph, parent);
}

static void wait_add_child(struct wait_graph *graph, struct wait *wait, uint32_t pid)
{
	const struct viz_process *child = viz_model_process(graph->model, pid, VIZ_NEVER);

	for (; child; child = child->previous)
		if (is_living_child(child, wait->process))
			wait_add_ender(graph, wait, child);
}

void wait_note_children(struct wait_graph *graph)
{
	const struct viz_model *model = graph->model;
	const size_t n = model->process_count + 1;

	graph->children = arena_array(graph->arena, n, sizeof(struct wait_set *));
	graph->first_child = arena_array(graph->arena, n, sizeof(*graph->first_child));
	graph->sibling = arena_array(graph->arena, n, sizeof(*graph->sibling));
	for (size_t i = model->process_count; i-- > 0;) {
		const struct viz_process *parent = model->processes[i]->parent;

		if (!parent)
			continue;
		graph->sibling[i] = graph->first_child[parent->index];
		graph->first_child[parent->index] = i + 1;
	}
}

/*
 * Adds the awaited children. wait4: a positive pid is that child, -1 any; waitid: P_ALL is 0, P_PID
 * 1. Process groups are not followed.
 */
static void wait_for_children(struct wait_graph *graph, struct wait *wait)
{
	const struct viz_operation *op = wait->operation;
	int64_t pid = -1, kind = 1;

	if (operation_is(op, "waitid")) {
		wait->open |= !viz_operation_argument(op, "idtype", &kind) || kind > 1;
		if (kind == 1)
			viz_operation_argument(op, "id", &pid);
	} else {
		wait->open |= !viz_operation_argument(op, "pid", &pid);
	}
	if ((int32_t)pid > 0)
		wait_add_child(graph, wait, (uint32_t)pid);
	else
		wait_share(graph, wait, children_of(graph, wait->process));
	wait->open |= !wait->ender_count;
	/* Nobody sleeps who has no child: the last one has just ended. Others may be untraced. */
	wait->ready |= !wait->ender_count && !graph->whole && !wait->process->before_trace;
}

bool wait_reads_at(const struct wait_graph *graph, const struct wait *wait,
		   const struct viz_channel *channel)
{
	const struct viz_operation *op = wait->operation;

	for (size_t i = 0; i < op->extra->waits_for_count; i++)
		if (wait_asked(graph, op, i) == channel)
			return true;
	return op->role == ROLE_RECEIVE && wait->channel == channel;
}

static bool asks_for_bytes(const struct viz_wait *w)
{
	return viz_wait_has(w, IN) || viz_wait_has(w, RDNORM);
}

/*
 * Adds who could write there. EPOLLET: what had come before the call keeps nobody awake. What lies
 * there does not end a wait for something urgent only (POLLPRI), or for the end (POLLRDHUP).
 */
static void wait_to_read(struct wait_graph *graph, struct wait *wait, const struct viz_wait *w,
			 const struct viz_channel *channel)
{
	const bool ready = wait->ready;

	wait_at(graph, wait, channel, ACCESS_WRITE);
	if (!wait->ready || ready)
		return;
	if (!asks_for_bytes(w) || (viz_wait_has(w, EDGE) &&
				   wait_unread_before(graph, channel, wait->operation->enter_ns)))
		wait->ready = false;
}

/*
 * epoll tells nothing of a descriptor that it was to tell of once (EPOLLONESHOT), or that is not in
 * its set: only who has the epoll instance could ask for it.
 */
static void wait_to_ask(struct wait_graph *graph, struct wait *wait)
{
	const struct viz_channel *epoll = wait->operation->channel;

	if (!wait->channel)
		wait->channel = epoll;
	wait->open |= !epoll || (!graph->whole && !epoll->created_in_trace);
	if (epoll)
		wait_add_holders(graph, wait, epoll, ACCESS_BOTH);
}

bool wait_has_empty_set(const struct wait *wait)
{
	const struct viz_operation *op = wait->operation;

	return op->channel && op->channel->mechanism == MECH_EPOLL && viz_has(op, waits_for) &&
	       !op->extra->waits_for_count && !op->extra->waits_cut;
}

/* There is never something to read at a writing end: it tells of the end of all readers. */
static void wait_for_error(struct wait_graph *graph, struct wait *wait,
			   const struct viz_channel *channel)
{
	if (!wait->channel)
		wait->channel = channel;
	wait_add_holders(graph, wait, channel, ACCESS_READ);
}

static void wait_for_any(struct wait_graph *graph, struct wait *wait)
{
	const struct viz_operation *op = wait->operation;

	if (wait_has_empty_set(wait)) {
		wait_to_ask(graph, wait);
		return;
	}
	wait->open |= op->extra->waits_cut || op->extra->waits_for_count == 0;
	for (size_t i = 0; i < op->extra->waits_for_count; i++) {
		const struct viz_wait *w = &op->extra->waits_for[i];
		const struct viz_channel *channel = wait_asked(graph, op, i);
		bool out = viz_wait_has(w, OUT) || viz_wait_has(w, WRNORM);

		if (viz_wait_has(w, DISABLED)) {
			wait_to_ask(graph, wait);
			continue;
		}
		wait->open |= !channel;
		if (channel && out && wait_is_reading_end(graph, wait, w, channel)) {
			wait->channel = wait->channel ? wait->channel : channel;
			wait_add_holders(graph, wait, channel, ACCESS_WRITE);
		} else if (channel && out) {
			wait_at(graph, wait, channel, ACCESS_READ);
		}
		if (!channel || (out && !viz_wait_has(w, IN)))
			continue;
		if (wait_is_writing_end(graph, wait, w, channel))
			wait_for_error(graph, wait, channel);
		else
			wait_to_read(graph, wait, w, channel);
	}
}

static bool is_ended_by_itself(const struct wait *wait)
{
	for (size_t i = 0; i < wait->ender_count; i++)
		if (wait->enders[i] != wait->process)
			return false;
	return wait->ender_count && !wait->open;
}

/*
 * A loop of one thread that only this thread could wake waits for a signal, whose handler does
 * (signal(7), the self-pipe): for the end of a child, or for one that asks it to do something. So
 * may the loop of the first thread where others only work for it, as in Node.js.
 */
static void wait_for_handlers(struct wait_graph *graph, struct wait *wait)
{
	const struct viz_process *process = wait->process;
	const bool lone = process_is_lone(process);

	if (!is_ended_by_itself(wait) || !(lone || wait->operation->thread->tid == process->pid))
		return;
	wait->handles = lone && viz_process_handled_request(process) != NULL;
	wait->by_child = !lone && viz_process_handles(process, SIGCHLD) &&
			 children_of(graph, process)->count;
	wait->open |= wait->handles || wait->by_child;
	if (lone && viz_process_handles(process, SIGCHLD))
		wait_share(graph, wait, children_of(graph, process));
}

static void wait_for_events(struct wait_graph *graph, struct wait *wait)
{
	wait_for_any(graph, wait);
	wait_for_handlers(graph, wait);
}

/* Any process may connect, while there is an address to connect to. */
static void wait_at_listener(const struct wait_graph *graph, struct wait *wait)
{
	wait->channel = wait->operation->channel;
	wait->open = !wait->channel || !wait_is_removed(graph, wait->channel);
}

/* True if the call has a timeout. Older traces only have the argument of poll and epoll_wait. */
static bool ends_by_itself(const struct viz_operation *op)
{
	int64_t timeout = -1;

	return viz_has(op, timeout_ns) || viz_has(op, timed) ||
	       (viz_operation_argument(op, "timeout", &timeout) && (int32_t)timeout >= 0);
}

/* Who has a lease, by its number, may be outside the trace. */
static void wait_for_lease(struct wait_graph *graph, struct wait *wait)
{
	const struct viz_process *holder =
		viz_model_process(graph->model, wait->operation->extra->lease, VIZ_NEVER);

	if (holder && !holder->ended && !holder->zombie)
		wait_add_ender(graph, wait, holder);
	else
		wait->open = true;
}

/* A damaged trace may tell of a vfork(2) asleep without a child. */
static void wait_for_exec(struct wait_graph *graph, struct wait *wait)
{
	const struct viz_process *child = wait_vfork_child(graph, wait->operation->thread);

	if (child)
		wait_add_ender(graph, wait, child);
	else
		wait->open = true;
}

static void find_enders(struct wait_graph *graph, struct wait *wait)
{
	const struct viz_operation *op = wait->operation;

	if (waits_for_exec(wait))
		wait_for_exec(graph, wait);
	else if (operation_awaits_child(op))
		wait_for_children(graph, wait);
	else if (operation_polls(op))
		wait_for_events(graph, wait);
	else if (waits_for_lease(wait))
		wait_for_lease(graph, wait);
	else if (operation_accepts(op))
		wait_at_listener(graph, wait);
	else if (operation_is(op, "connect"))
		wait_to_connect(graph, wait);
	else if (operation_is(op, "nanosleep") || operation_is(op, "clock_nanosleep"))
		wait->clock = true;
	else if (op->role == ROLE_RECEIVE && op->channel)
		wait_at(graph, wait, op->channel, ACCESS_WRITE);
	else if (op->role == ROLE_SEND && op->channel)
		wait_at(graph, wait, op->channel, ACCESS_READ);
	else if ((operation_is(op, "semop") || operation_is(op, "semtimedop") ||
		  operation_is(op, "flock") || operation_is(op, "fcntl") ||
		  operation_is(op, "futex")) &&
		 op->channel)
		wait_at(graph, wait, op->channel, ACCESS_NONE);
	else
		wait->open = !wait_path_removal(graph, wait) || op->extra->path.data[0] != '/';
}

void wait_find_enders(struct wait_graph *graph, struct wait *wait)
{
	wait->clock = ends_by_itself(wait->operation);
	find_enders(graph, wait);
	wait->counted &= !wait->open && !wait->clock;
	wait->open |= wait->counted;
	wait->known = !wait->open && wait->ender_count;
	wait->open |= wait->clock;
}
