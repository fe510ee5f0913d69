// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Fills the facts of a scene: calls, objects and messages. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "viz/scene/drafts.h"
#include "viz/scene/fold.h"

static uint32_t *nowhere(struct arena *arena, size_t count)
{
	uint32_t *indices = arena_array(arena, count + 1, sizeof(*indices));

	for (size_t i = 0; i < count; i++)
		indices[i] = SCENE_NONE;
	return indices;
}

uint64_t scene_end_ns(const struct scene_drafts *d, const struct viz_operation *op)
{
	uint64_t ns = op->exit_ns;

	if (ns == VIZ_NEVER)
		ns = op->process->end_ns != VIZ_NEVER ? op->process->end_ns
						      : d->request->model->end_ns;
	return ns > op->enter_ns ? ns : op->enter_ns;
}

static void add_call(struct scene_drafts *d, const struct viz_operation *op)
{
	int lane = scene_lane_of_operation(d, op);
	struct scene_call *call;

	if (lane < 0 || !scene_wants_operation(d, op))
		return;
	d->call_at[op->index] = (uint32_t)d->scene->call_count;
	call = scene_add_call(d->scene, lane, op->thread ? op->thread->tid : op->process->pid);
	call->enter_ns = op->enter_ns;
	call->exit_ns = scene_end_ns(d, op);
	scene_text_owned(d, &call->name, "%s", scene_call(op));
	if (!viz_operation_done(op))
		scene_set(d->scene, &call->result, "unfinished");
	else if (op->error.data)
		scene_set(d->scene, &call->result, "%.*s", (int)op->error.len, op->error.data);
	else
		scene_set(d->scene, &call->result, "%" PRId64, op->returned);
	if (viz_operation_done(op) && op->returned > 0 &&
	    (op->role == ROLE_SEND || op->role == ROLE_RECEIVE || op->role == ROLE_TRANSFER))
		call->moved = (uint64_t)op->returned;
	if (op->channel)
		scene_text_owned(d, &call->object, "%s", scene_channel_name(d->scene, op->channel));
}

/* The port in "127.0.0.1:6379" or "[::1]:6379"; 0: none. */
static uint16_t port_of(struct viz_bytes address)
{
	const char *colon = address.len ? memrchr(address.data, ':', address.len) : NULL;
	unsigned long port = colon ? strtoul(colon + 1, NULL, 10) : 0;

	return port <= UINT16_MAX ? (uint16_t)port : 0;
}

uint32_t scene_object_of(struct scene_drafts *d, const struct viz_channel *channel)
{
	struct scene_object *object;

	if (!channel)
		return SCENE_NONE;
	if (d->object_at[channel->index] == SCENE_NONE) {
		d->object_at[channel->index] = (uint32_t)d->scene->object_count;
		object = scene_add_object(d->scene, channel->mechanism);
		scene_text_owned(d, &object->name, "%s", scene_channel_name(d->scene, channel));
		object->connected = scene_is_connected(channel);
		object->capacity = channel->capacity;
		object->from_start = channel->created_in_trace;
		if (channel->mechanism == MECH_TCP) {
			object->port = port_of(channel->local_address);
			object->peer_port = port_of(channel->peer_address);
		}
	}
	return d->object_at[channel->index];
}

static void set_times(struct scene_message *message, const struct viz_message *m)
{
	const struct viz_end *from = &m->from, *to = &m->to;

	if (m->signal && m->signal->generate)
		message->sent_ns = m->signal->generate->at_ns;
	else if (from->timed)
		message->sent_ns = from->enter_ns;
	if (m->signal && to->timed)
		message->received_ns = to->enter_ns;
	else if (to->timed && to->exit_ns != VIZ_NEVER)
		message->received_ns = to->exit_ns;
}

static const struct scene_signal *signal_of(struct scene *scene, const struct viz_message *m)
{
	struct scene_signal *signal;

	if (!m->signal)
		return NULL;
	signal = arena_alloc(scene->arena, sizeof(*signal));
	*signal = (struct scene_signal){SCENE_NEVER, SCENE_NEVER, SCENE_NEVER};
	if (m->signal->generate)
		signal->raised_ns = m->signal->generate->at_ns;
	if (m->to.timed) {
		signal->delivered_ns = m->to.enter_ns;
		signal->returned_ns = m->to.exit_ns;
	}
	return signal;
}

/*
 * The sequence number of the message's first byte. It is known only if the socket's counter
 * advanced by exactly what this call moved, so that no other call moved it meanwhile.
 */
static struct scene_position position_in(const struct viz_end *end, bool sent)
{
	const struct viz_operation *op = end->operation;
	struct scene_position position = {0};
	uint32_t before, after;

	if (!op || !op->channel || op->channel->mechanism != MECH_TCP || !viz_operation_done(op) ||
	    !op->at_entry.known || !op->at_exit.known || op->returned <= 0)
		return position;
	before = sent ? op->at_entry.write_seq : op->at_entry.copied_seq;
	after = sent ? op->at_exit.write_seq : op->at_exit.copied_seq;
	position.known = after - before == (uint64_t)op->returned;
	position.first = before + (uint32_t)end->offset;
	return position;
}

static bool is_outward(const struct viz_message *m)
{
	return m->channel && m->from.operation &&
	       mechanism_info(m->channel->mechanism)->direction == DIRECTION_TWO_WAY &&
	       viz_operation_sink(m->from.operation) == m->channel;
}

const struct viz_message *scene_fact(const struct scene_drafts *d, size_t index)
{
	return viz_pairing_whole(d->request->pairing, d->fact_of[index]);
}

static void add_message(struct scene_drafts *d, uint32_t number)
{
	const struct viz_message *m = viz_pairing_whole(d->request->pairing, number);
	int from, to;
	enum scene_part part = scene_message_lanes(d, m, &from, &to);
	struct viz_bytes payload = viz_message_payload(m);
	struct scene_message *message;

	if ((from < 0 && to < 0) || !scene_wants_message(d, m))
		return;
	d->message_at[m->index] = (uint32_t)d->scene->fact_count;
	d->fact_of[d->scene->fact_count] = number;
	message = scene_add_message(d->scene, from, to);
	message->outsider = scene_outsider_of(d, m, from, to);
	message->id = m->id;
	message->mechanism = m->mechanism;
	message->part = part;
	message->fate = m->fate;
	message->ambiguous = m->match == MATCH_AMBIGUOUS;
	message->typed = m->typed;
	message->type = m->type;
	message->bytes = m->bytes;
	message->cut = m->cut;
	message->send_offset = m->from.offset;
	message->receive_offset = m->to.offset;
	message->sent_at = position_in(&m->from, true);
	message->taken_at = position_in(&m->to, false);
	message->outward = is_outward(m);
	message->object = scene_object_of(d, m->channel);
	set_times(message, m);
	message->signal = signal_of(d->scene, m);
	message->payload = (const unsigned char *)payload.data;
	message->payload_len = payload.data ? (uint32_t)payload.len : 0;
	if (m->signal)
		scene_set(d->scene, &message->label, "%.*s", (int)m->signal->name.len,
			  m->signal->name.data ? m->signal->name.data
					       : scene_say(d->scene, "signal"));
}

static struct scene_object *known_object(const struct scene_drafts *d,
					 const struct viz_channel *channel)
{
	uint32_t index = channel ? d->object_at[channel->index] : SCENE_NONE;

	return index == SCENE_NONE ? NULL : &d->scene->objects[index];
}

/* Sets the fill levels that the kernel gave when calls returned. */
static void set_levels(struct scene_drafts *d)
{
	const struct viz_model *model = d->request->model;

	for (size_t i = 0; i < model->operation_count; i++) {
		const struct viz_operation *op = model->operations[i];
		struct scene_call *call;

		if (d->call_at[i] == SCENE_NONE || !viz_has(op, queued) || !op->channel ||
		    !viz_operation_done(op) || (op->role != ROLE_SEND && op->role != ROLE_RECEIVE))
			continue;
		call = &d->scene->calls[d->call_at[i]];
		call->level_of = d->object_at[op->channel->index];
		call->level = op->queued;
	}
}

/* A message that was sent on one socket and queued on another shows that the two are peers. */
static void join_peers(struct scene_drafts *d)
{
	const struct viz_pairing *pairing = d->request->pairing;

	for (size_t i = 0; i < pairing->message_count; i++) {
		const struct viz_message *m = pairing->messages[i];
		const struct viz_channel *sink = m->from.operation
							 ? viz_operation_sink(m->from.operation)
							 : NULL;
		struct scene_object *from = known_object(d, sink);
		struct scene_object *to = known_object(d, m->channel);

		if (!from || !to || from == to || from->mechanism != to->mechanism)
			continue;
		from->peer = (uint32_t)(to - d->scene->objects);
		to->peer = (uint32_t)(from - d->scene->objects);
	}
}

/* Sets peers, sides and ends of the objects that have messages. */
static void join_objects(struct scene_drafts *d)
{
	const struct viz_model *model = d->request->model;
	const struct viz_pairing *pairing = d->request->pairing;
	struct scene_object *object;

	for (size_t i = 0; i < model->channel_count; i++) {
		const struct viz_channel *peer = model->channels[i]->peer;

		object = known_object(d, model->channels[i]);
		if (object && peer)
			object->peer = d->object_at[peer->index];
	}
	for (size_t i = 0; i < pairing->connection_count; i++) {
		object = known_object(d, pairing->connections[i]->client);
		if (object)
			object->side = SCENE_CLIENT;
		object = known_object(d, pairing->connections[i]->server);
		if (object)
			object->side = SCENE_SERVER;
	}
	for (size_t i = 0; i < pairing->eof_count; i++) {
		object = known_object(d, pairing->eofs[i]->channel);
		if (object && object->ended_ns == SCENE_NEVER)
			object->ended_ns = pairing->eofs[i]->receive->exit_ns;
	}
}

void scene_collect_facts(struct scene_drafts *d)
{
	const struct viz_model *model = d->request->model;
	const struct viz_pairing *pairing = d->request->pairing;

	d->call_at = nowhere(d->arena, viz_pairing_calls(pairing, model));
	d->object_at = nowhere(d->arena, model->channel_count);
	d->message_at = nowhere(d->arena, viz_pairing_total(pairing));
	d->fact_of = arena_array(d->arena, viz_pairing_total(pairing) + 1, sizeof(*d->fact_of));
	for (uint32_t i = 0; i < viz_pairing_total(pairing); i++)
		add_message(d, i);
	d->scene->realtime_offset_ns = model->header.realtime_offset_ns;
	d->scene->incomplete = viz_model_lacks_records(model);
	d->scene->lost_until_ns = viz_model_lost_until_ns(model);
}

void scene_set_calls(struct scene_drafts *d)
{
	for (size_t i = 0; i < d->scene->fact_count; i++) {
		const struct viz_message *m = scene_fact(d, i);
		const struct viz_operation *send = m->from.operation, *receive = m->to.operation;

		d->scene->facts[i].send = send ? d->call_at[send->index] : SCENE_NONE;
		d->scene->facts[i].receive = receive ? d->call_at[receive->index] : SCENE_NONE;
	}
}

void scene_collect_fact_calls(struct scene_drafts *d)
{
	const struct viz_model *model = d->request->model;

	for (size_t i = 0; i < model->operation_count; i++)
		add_call(d, model->operations[i]);
	scene_set_calls(d);
	join_objects(d);
	join_peers(d);
	set_levels(d);
}
