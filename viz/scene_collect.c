// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Collects the drafts: everything of model and messages that is worth a row. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "scene_draft.h"

bool scene_wants_operation(const struct scene_drafts *d, const struct viz_operation *op)
{
	return !d->request->filter || viz_filter_operation(d->request->filter, op);
}

static uint64_t latest(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* When the call had certainly done its part: an unfinished one, when it was last seen. */
static uint64_t done_ns(const struct viz_operation *op)
{
	return op->exit_ns != VIZ_NEVER ? op->exit_ns : latest(op->enter_ns, op->at_ns);
}

/* --- messages --- */

static enum scene_part part_of(const struct viz_message *m)
{
	switch (m->fate) {
	case FATE_UNREAD:
	case FATE_PENDING:
		return SCENE_UNREAD;
	case FATE_DISCARDED:
	case FATE_DROPPED:
	case FATE_COALESCED:
	case FATE_NO_PROCESS:
		return SCENE_DROPPED;
	default:
		return SCENE_WHOLE;
	}
}

/* Nobody received it: nowhere. Somebody without a lane did: outside. */
static int end_lane(const struct scene_drafts *d, const struct viz_end *end)
{
	int lane;

	if (!end->known)
		return SCENE_NOWHERE;
	lane = scene_lane_of_end(d, end);
	return lane < 0 ? SCENE_OUTSIDE : lane;
}

static uint64_t sent_ns(const struct viz_message *m)
{
	const struct viz_end *from = &m->from;
	uint64_t ns = from->enter_ns;

	if (m->signal && m->signal->generate)
		return m->signal->generate->at_ns;
	/* Of a call whose bytes went in parts, a later part left later. */
	if (from->timed && from->offset > 0 && m->to.timed && m->to.enter_ns > ns)
		ns = m->to.enter_ns < from->exit_ns ? m->to.enter_ns : from->exit_ns;
	return ns;
}

static uint64_t received_ns(const struct viz_message *m)
{
	if (m->signal)
		return m->to.enter_ns;
	if (m->to.exit_ns != VIZ_NEVER)
		return m->to.exit_ns;
	return m->to.operation ? done_ns(m->to.operation) : m->to.enter_ns;
}

/* The SIGCHLD of an exit is told in the row of the exit. */
bool scene_is_exit_notice(const struct viz_message *m)
{
	return m->signal && m->signal->number == SIGCHLD && m->from.process &&
	       m->from.process->ended && m->signal->generate &&
	       m->signal->generate->at_ns >= m->from.process->end_ns;
}

static void set_times(struct draft *draft, const struct viz_message *m)
{
	bool sent = m->from.timed || (m->signal && m->signal->generate);
	bool received = m->to.timed && draft->part == SCENE_WHOLE;

	draft->sent_ns = sent ? sent_ns(m) : received_ns(m);
	draft->received_ns = received ? latest(draft->sent_ns, received_ns(m)) : draft->sent_ns;
	if (draft->from == SCENE_OUTSIDE)
		draft->sent_ns = draft->received_ns;
	if (draft->to < 0)
		draft->received_ns = draft->sent_ns;
}

enum scene_part scene_message_lanes(const struct scene_drafts *d, const struct viz_message *m,
				    int *from, int *to)
{
	enum scene_part part = part_of(m);

	*from = end_lane(d, &m->from);
	*to = end_lane(d, &m->to);
	if (*from == SCENE_NOWHERE)
		*from = SCENE_OUTSIDE;
	if (*to == SCENE_NOWHERE && part == SCENE_WHOLE)
		*to = SCENE_OUTSIDE;
	return part;
}

/* In at its sending, out at its receipt. */
static void collect_passing(struct scene_drafts *d, const struct draft *whole, int via)
{
	struct draft *draft = scene_draft(d, whole->kind, whole->from, via);

	draft->part = whole->part == SCENE_WHOLE ? SCENE_ENTERS : whole->part;
	draft->of = whole->of;
	draft->sent_ns = draft->received_ns = whole->sent_ns;
	if (whole->part != SCENE_WHOLE)
		return;
	draft = scene_draft(d, whole->kind, via, whole->to);
	draft->of = whole->of;
	draft->sent_ns = draft->received_ns = whole->received_ns;
}

/* The draft that was added last, by way of another lane where that is asked for. */
static void pass_by(struct scene_drafts *d, int via)
{
	struct draft whole;

	if (via < 0 || !d->count)
		return;
	whole = d->rows[--d->count];
	collect_passing(d, &whole, via);
}

static void collect_message(struct scene_drafts *d, const struct viz_message *m)
{
	int from, to;
	enum scene_part part = scene_message_lanes(d, m, &from, &to);
	struct draft *draft;

	if (from < 0 && to < 0)
		return;
	draft = scene_draft(d, m->signal ? SCENE_SIGNAL : SCENE_MESSAGE, from, to);
	draft->part = part;
	draft->of.message = m;
	set_times(draft, m);
	pass_by(d, scene_message_via(d, m));
}

static void collect_messages(struct scene_drafts *d)
{
	const struct viz_pairing *pairing = d->request->pairing;

	for (size_t i = 0; i < pairing->message_count; i++) {
		const struct viz_message *m = pairing->messages[i];

		if (m->signal && m->signal->interrupted)
			d->interrupter[m->signal->interrupted->index] = m;
		if (scene_wants_message(d, m) && !scene_is_exit_notice(m))
			collect_message(d, m);
	}
}

/* --- ends and connections --- */

/* One end of data is enough for a reader, though it may ask again. */
static void collect_eofs(struct scene_drafts *d)
{
	const struct viz_pairing *pairing = d->request->pairing;
	const struct viz_process **told = calloc(d->request->model->channel_count + 1,
						 sizeof(*told));

	d->failed |= !told;
	for (size_t i = 0; told && i < pairing->eof_count; i++) {
		const struct viz_eof *eof = pairing->eofs[i];
		int from = eof->closed_by ? scene_lane_of_operation(d, eof->closed_by)
					  : scene_lane_of(d, eof->process);
		int to = scene_lane_of_operation(d, eof->receive);
		struct draft *draft;

		if (to < 0 || !scene_wants_operation(d, eof->receive) ||
		    told[eof->channel->index] == eof->receive->process)
			continue;
		told[eof->channel->index] = eof->receive->process;
		draft = scene_draft(d, SCENE_EOF, from < 0 ? SCENE_OUTSIDE : from, to);
		draft->of.eof = eof;
		draft->received_ns = done_ns(eof->receive);
		draft->sent_ns = from < 0 || !eof->at_ns ? draft->received_ns : eof->at_ns;
		draft->received_ns = latest(draft->sent_ns, draft->received_ns);
		pass_by(d, scene_channel_via(d, eof->channel));
	}
	free(told);
}

/* connect of a datagram socket only notes an address: nobody learns of it. */
static bool is_connection(const struct viz_connection *c)
{
	const struct viz_channel *channel = c->client ? c->client : c->server;
	enum mechanism mechanism = channel ? channel->mechanism : MECH_NONE;

	return c->accept || (c->connect && !viz_operation_failed(c->connect) &&
			     (mechanism_info(mechanism)->form == FORM_STREAM ||
			      mechanism == MECH_UNIX_SEQPACKET));
}

static int operation_lane(const struct scene_drafts *d, const struct viz_operation *op)
{
	int lane = op ? scene_lane_of_operation(d, op) : SCENE_OUTSIDE;

	return lane < 0 ? SCENE_OUTSIDE : lane;
}

static void collect_connections(struct scene_drafts *d)
{
	const struct viz_pairing *pairing = d->request->pairing;

	for (size_t i = 0; i < pairing->connection_count; i++) {
		const struct viz_connection *c = pairing->connections[i];
		int from = operation_lane(d, c->connect);
		int to = operation_lane(d, c->accept);
		struct draft *draft;

		if (!is_connection(c) || (from < 0 && to < 0) ||
		    !((c->connect && scene_wants_operation(d, c->connect)) ||
		      (c->accept && scene_wants_operation(d, c->accept))))
			continue;
		draft = scene_draft(d, SCENE_CONNECT, from, to);
		draft->of.connection = c;
		draft->sent_ns = from < 0 ? done_ns(c->accept) : c->connect->enter_ns;
		draft->received_ns = to < 0 ? draft->sent_ns
					    : latest(draft->sent_ns, done_ns(c->accept));
		pass_by(d, d->kernel_lane);
	}
}

void scene_collect(struct scene_drafts *d)
{
	collect_messages(d);
	collect_eofs(d);
	collect_connections(d);
	scene_collect_calls(d);
	if (d->request->diagnosis)
		scene_collect_marks(d);
	scene_collect_processes(d);
}
