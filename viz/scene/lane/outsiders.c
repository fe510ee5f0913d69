// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who is at an end that has no lane: a process that is not traced, the kernel, or nobody at all.
 * Nobody is only told of where the kernel said so; whoever may be there is "not traced".
 */
#include <stdlib.h>
#include <string.h>

#include "viz/diagnose/graph/wait_graph.h"
#include "viz/message/outsiders.h"
#include "viz/model/operation_facts.h"
#include "viz/scene/drafts.h"

enum { OUTSIDERS_NAMED = 3 };

/* --- nobody --- */

static bool is_refusal(const struct viz_operation *op)
{
	return op->channel && op->channel->mechanism == MECH_UDP && op->role != ROLE_OPEN &&
	       op->error.data && strcmp(op->error.data, "ECONNREFUSED") == 0;
}

static bool is_connect(const struct viz_operation *op)
{
	return op->role == ROLE_OPEN && viz_bytes_equal(op->syscall, viz_bytes_of("connect"));
}

/*
 * A connected UDP socket reports the closed port when it is used again. The report is about the
 * datagram before it; if there are several since the last report, it is not known about which.
 */
static void find_refused(struct scene_drafts *d)
{
	const struct viz_model *model = d->request->model;
	const struct viz_operation **last = arena_array(d->arena, model->channel_count + 1,
							sizeof(*last));
	size_t *sends = arena_array(d->arena, model->channel_count + 1, sizeof(*sends));

	for (size_t i = 0; i < model->operation_count; i++) {
		const struct viz_operation *op = model->operations[i];

		if (!op->channel || op->channel->mechanism != MECH_UDP)
			continue;
		if (is_connect(op))
			sends[op->channel->index] = 0; /* what went before it is not reported */
		if (is_refusal(op)) {
			if (sends[op->channel->index] == 1)
				d->to_nobody[last[op->channel->index]->index] = true;
			sends[op->channel->index] = 0;
		} else if (op->role == ROLE_SEND && viz_operation_done(op) && op->returned >= 0) {
			last[op->channel->index] = op;
			sends[op->channel->index]++;
		}
	}
}

struct listeners {
	const struct viz_channel **list;
	size_t count;
};

static struct listeners find_listeners(const struct scene_drafts *d)
{
	const struct viz_model *model = d->request->model;
	struct listeners listeners = {0};

	for (size_t i = 0; i < model->channel_count; i++) {
		const struct viz_channel *channel = model->channels[i];

		if (channel->listening)
			ARENA_PUSH(d->arena, listeners.list, listeners.count, channel);
	}
	return listeners;
}

/* True if only traced processes could have accepted the connection, and none did. */
static bool is_unaccepted(const struct scene_drafts *d, const struct listeners *listeners,
			  const struct viz_connection *c)
{
	const struct viz_model *model = d->request->model;

	if (!c->connect || !c->client || c->accept || !viz_operation_done(c->connect) ||
	    viz_operation_failed(c->connect) || viz_model_lacks_records(model))
		return false;
	for (size_t i = 0; i < listeners->count; i++) {
		const struct viz_channel *channel = listeners->list[i];

		if (wait_listens_for(channel, c->client, c->connect->extra->peer_address))
			return !channel->stranger_count &&
			       viz_channel_holder(channel, c->connect->enter_ns);
	}
	return false;
}

void scene_find_nobody(struct scene_drafts *d)
{
	const struct viz_pairing *pairing = d->request->pairing;
	struct listeners listeners = find_listeners(d);

	d->to_nobody = arena_array(d->arena,
				   viz_pairing_calls(d->request->pairing, d->request->model) + 1,
				   sizeof(*d->to_nobody));
	d->unaccepted = arena_array(d->arena, d->request->model->channel_count + 1,
				    sizeof(*d->unaccepted));
	find_refused(d);
	for (size_t i = 0; i < pairing->connection_count; i++)
		if (is_unaccepted(d, &listeners, pairing->connections[i]))
			d->unaccepted[pairing->connections[i]->client->index] = true;
}

/* --- an end without a lane --- */

/*
 * True if the other end is netlink port 0, the kernel, named or not
 * (user/encode/netlink_address.c).
 */
static bool is_kernel_port(const struct viz_message *m)
{
	const struct viz_end *known = m->from.known ? &m->from : &m->to;
	const struct viz_operation *op = known->operation;
	struct viz_bytes address = op ? op->extra->peer_address : (struct viz_bytes){NULL, 0};
	const char *number;

	if (m->mechanism != MECH_NETLINK || !op)
		return false;
	if (!address.len)
		return m->from.known && (!m->channel || !m->channel->peer_address.len);
	number = memchr(address.data, ':', address.len);
	return number && number[1] == '0' && (number[2] == '\0' || number[2] == '/');
}

static bool is_kernel(const struct viz_message *m, int from)
{
	const struct viz_signal_event *generate = m->signal ? m->signal->generate : NULL;

	if (m->signal && from == SCENE_OUTSIDE && generate && !generate->from_pid)
		return true;
	return m->echo || is_kernel_port(m);
}

static bool is_to_nobody(const struct scene_drafts *d, const struct viz_message *m, int to)
{
	const struct viz_operation *op = m->from.operation;

	if (to != SCENE_OUTSIDE || !op || m->signal)
		return false;
	return d->to_nobody[op->index] || (op->channel && d->unaccepted[op->channel->index]);
}

static bool is_loopback(const struct viz_message *m)
{
	struct outside outside;

	outside_of(m, &outside);
	return viz_bytes_begin(outside.address, "127.") ||
	       viz_bytes_begin(outside.address, "[::1]");
}

bool scene_is_unqueued(const struct scene_drafts *d, const struct viz_message *m)
{
	const struct viz_operation *op = m->from.operation;

	return m->mechanism == MECH_UDP && op && !m->to.known && m->fate == FATE_NONE &&
	       d->request->model->header.reports_queued && operation_is_single(op) && !op->to &&
	       viz_has(op, delivered) && !op->extra->delivered_count && !d->to_nobody[op->index] &&
	       (!d->request->model->header.reports_absent || op->extra->unreached) &&
	       is_loopback(m);
}

enum scene_outsider scene_outsider_of(const struct scene_drafts *d, const struct viz_message *m,
				      int from, int to)
{
	const struct viz_end *end = from == SCENE_OUTSIDE ? &m->from : &m->to;

	if ((from != SCENE_OUTSIDE && to != SCENE_OUTSIDE) || (end->known && end->pid))
		return SCENE_UNTRACED;
	if (is_kernel(m, from))
		return SCENE_THE_KERNEL;
	return is_to_nobody(d, m, to) ? SCENE_NOBODY : SCENE_UNTRACED;
}

/* The processes that are known at the other end. */
static void text_untraced(struct scene_drafts *d, const struct viz_message *m, char **slot)
{
	struct outside outside;

	if (!outside_of(m, &outside))
		return;
	for (size_t i = 0; i < outside.count && i < OUTSIDERS_NAMED; i++)
		scene_text_owned(d, slot, "%s", scene_outsider(d, outside.processes[i]));
	if (outside.count > OUTSIDERS_NAMED)
		scene_append(d->scene, slot, "…");
}

void scene_text_met(struct scene_drafts *d, const struct viz_channel *channel, char **slot)
{
	for (size_t i = 0; i < channel->outsider_count && i < OUTSIDERS_NAMED; i++)
		scene_text_owned(d, slot, "%s", scene_outsider(d, &channel->outsiders[i]));
}

void scene_text_outside(struct scene_drafts *d, const struct viz_message *m, int from, int to,
			char **slot)
{
	const struct viz_end *end = from == SCENE_OUTSIDE ? &m->from : &m->to;

	if (from != SCENE_OUTSIDE && to != SCENE_OUTSIDE)
		return;
	if (end->known && end->pid) {
		scene_text_owned(d, slot, "%s", scene_end_name(d, end));
		return;
	}
	switch (scene_outsider_of(d, m, from, to)) {
	case SCENE_THE_KERNEL:
		scene_set(d->scene, slot, m->echo ? "echo" : "the kernel");
		break;
	case SCENE_NOBODY:
		scene_set(d->scene, slot, "nobody");
		break;
	default:
		text_untraced(d, m, slot);
	}
}
