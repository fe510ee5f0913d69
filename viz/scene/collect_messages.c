// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Collects drafts of messages, EOFs and connections, and calls the other collectors. */

#include "viz/scene/pieces.h"

static uint64_t latest(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* The latest time at which the call may have done its part; unfinished: when it was last seen. */
static uint64_t done_ns(const struct viz_operation *op)
{
	return op->exit_ns != VIZ_NEVER ? op->exit_ns : latest(op->enter_ns, op->extra->at_ns);
}

/* --- messages --- */

static uint64_t sent_ns(const struct viz_message *m)
{
	if (m->signal && m->signal->generate)
		return m->signal->generate->at_ns;
	return m->from.enter_ns;
}

static uint64_t received_ns(const struct viz_message *m)
{
	if (m->signal)
		return m->to.enter_ns;
	if (m->to.exit_ns != VIZ_NEVER)
		return m->to.exit_ns;
	return m->to.operation ? done_ns(m->to.operation) : m->to.enter_ns;
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

static struct draft *pass(struct scene_drafts *d, const struct draft *whole, int from, int to,
			  uint64_t at_ns)
{
	struct draft *draft = scene_draft(d, whole->kind, from, to);

	draft->of = whole->of;
	draft->packed = whole->packed;
	draft->piece = whole->piece;
	draft->sent_ns = draft->received_ns = at_ns;
	return draft;
}

/*
 * Two drafts: it enters the via lane when it is sent, and leaves it when it is received; between
 * two machines a third one, at a time that no trace tells, so it is drawn as soon as it was sent.
 * The pieces of a call are one there.
 */
static void collect_passing(struct scene_drafts *d, const struct draft *whole, struct scene_way via)
{
	bool arrives = whole->part == SCENE_WHOLE || whole->part == SCENE_SENT ||
		       whole->part == SCENE_RECEIVED;

	if (!whole->tailless)
		pass(d, whole, whole->from, via.in, whole->sent_ns)->part = arrives ? SCENE_ENTERS
										    : whole->part;
	if (!whole->tailless && arrives && via.in != via.out)
		pass(d, whole, via.in, via.out, whole->sent_ns)->part = SCENE_ENTERS;
	if (arrives && !whole->headless)
		pass(d, whole, via.out, whole->to, whole->received_ns);
}

/*
 * Replaces the draft that was added last by its parts through the via lanes, if there are some.
 */
static void pass_by(struct scene_drafts *d, struct scene_way via)
{
	struct draft whole;

	if (via.in < 0 || !d->count)
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
	draft->packed = m->packed != NULL;
	if (draft->packed)
		draft->of.packed = m->packed;
	else
		draft->of.message = m;
	set_times(draft, m);
	scene_note_piece(d, draft);
	pass_by(d, scene_message_way(d, m));
}

static void collect_messages(struct scene_drafts *d)
{
	const struct viz_pairing *pairing = d->request->pairing;

	for (size_t i = 0; i < viz_pairing_total(pairing); i++) {
		const struct viz_message *m = viz_pairing_brief(pairing, i);

		if (m->signal && m->signal->interrupted)
			d->interrupter[m->signal->interrupted->index] = m;
		if (scene_wants_message(d, m) && !scene_is_exit_notice(m))
			collect_message(d, viz_pairing_whole(pairing, i));
	}
}

/* --- ends and connections --- */

static void find_carried(struct scene_drafts *d)
{
	const struct viz_pairing *pairing = d->request->pairing;

	d->carried = arena_array(d->arena, d->request->model->channel_count + 1,
				 sizeof(*d->carried));
	for (size_t i = 0; i < viz_pairing_total(pairing); i++) {
		const struct viz_message *m = viz_pairing_brief(pairing, i);

		if (m->channel)
			d->carried[m->channel->index] = true;
	}
}

/*
 * True for a pipe by which a library learns that a child has executed its program: nothing went
 * through it, and close-on-exec closed it there. posix_spawn() and the like would send an error.
 */
static bool is_launch(const struct scene_drafts *d, const struct viz_channel *channel)
{
	bool executed = false;

	if (channel->mechanism != MECH_PIPE || d->carried[channel->index])
		return false;
	for (size_t i = 0; i < channel->holding_count; i++) {
		const struct viz_holding *h = channel->holdings[i];

		if (!(h->access & ACCESS_WRITE))
			continue;
		if (h->end != HOLDING_CALL && h->end != HOLDING_EXEC)
			return false;
		executed |= h->end == HOLDING_EXEC;
	}
	return executed;
}

static bool wants_launches(const struct scene_request *request)
{
	const struct viz_filter *filter = request->filter;

	return request->unfold || request->dataset ||
	       (filter && (filter->any_mechanism || filter->channel.count));
}

/* A process may read EOF again and again; only its first one of a channel is drawn. */
static void collect_eofs(struct scene_drafts *d)
{
	const struct viz_pairing *pairing = d->request->pairing;
	const struct viz_process **reported =
		arena_array(d->arena, d->request->model->channel_count + 1, sizeof(*reported));

	for (size_t i = 0; i < pairing->eof_count; i++) {
		const struct viz_eof *eof = pairing->eofs[i];
		int from = eof->closed_by ? scene_lane_of_operation(d, eof->closed_by)
					  : scene_lane_of(d, eof->process);
		int to = scene_lane_of_operation(d, eof->receive);
		struct draft *draft;

		if (to < 0 || !scene_wants_operation(d, eof->receive) ||
		    !scene_focus_pair(d->distance, d->request->focus.depth, eof->process,
				      eof->receive->process) ||
		    reported[eof->channel->index] == eof->receive->process)
			continue;
		reported[eof->channel->index] = eof->receive->process;
		if (!wants_launches(d->request) && is_launch(d, eof->channel)) {
			d->launches++;
			continue;
		}
		draft = scene_draft(d, SCENE_EOF, from < 0 ? SCENE_OUTSIDE : from, to);
		draft->of.eof = eof;
		draft->received_ns = done_ns(eof->receive);
		draft->sent_ns = from < 0 || !eof->at_ns ? draft->received_ns : eof->at_ns;
		draft->received_ns = latest(draft->sent_ns, draft->received_ns);
		pass_by(d, scene_way_between(d, eof->channel, eof->process, eof->receive->process));
	}
}

/* connect() of a datagram socket only sets an address and is not seen by any peer. */
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

static const struct viz_process *process_of(const struct viz_operation *op)
{
	return op ? op->process : NULL;
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
		    !scene_focus_pair(d->distance, d->request->focus.depth, process_of(c->connect),
				      process_of(c->accept)) ||
		    !((c->connect && scene_wants_operation(d, c->connect)) ||
		      (c->accept && scene_wants_operation(d, c->accept))))
			continue;
		draft = scene_draft(d, SCENE_CONNECT, from, to);
		draft->of.connection = c;
		draft->sent_ns = from < 0 ? done_ns(c->accept) : c->connect->enter_ns;
		draft->received_ns = to < 0 ? draft->sent_ns
					    : latest(draft->sent_ns, done_ns(c->accept));
		if (d->request->via == SCENE_VIA_KERNEL)
			pass_by(d, scene_way_between(d, NULL, process_of(c->connect),
						     process_of(c->accept)));
	}
}

void scene_collect(struct scene_drafts *d)
{
	scene_find_pieces(d);
	find_carried(d);
	collect_messages(d);
	collect_eofs(d);
	collect_connections(d);
	scene_collect_calls(d);
	scene_collect_memory(d);
	scene_collect_room(d);
	if (d->request->diagnosis)
		scene_collect_marks(d);
	scene_collect_processes(d);
}
