// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The facts behind the picture: calls, objects and messages, one by one. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "scene_draft.h"

/* Where an operation and a channel of the model went, by index; SCENE_NONE: nowhere. */
struct places {
	size_t *calls;
	size_t *objects;
};

static size_t *nowhere(size_t count)
{
	size_t *places = malloc((count + 1) * sizeof(*places));

	for (size_t i = 0; places && i < count; i++)
		places[i] = SCENE_NONE;
	return places;
}

static uint64_t end_ns(const struct scene_drafts *d, const struct viz_operation *op)
{
	uint64_t ns = op->exit_ns;

	if (ns == VIZ_NEVER)
		ns = op->process->end_ns != VIZ_NEVER ? op->process->end_ns
						      : d->request->model->end_ns;
	return ns > op->enter_ns ? ns : op->enter_ns;
}

static void add_call(struct scene_drafts *d, struct places *places, const struct viz_operation *op)
{
	int lane = scene_lane_of_operation(d, op);
	struct scene_call *call;

	if (lane < 0 || !scene_wants_operation(d, op))
		return;
	places->calls[op->index] = d->scene->call_count;
	call = scene_add_call(d->scene, lane, op->thread ? op->thread->tid : op->process->pid);
	call->enter_ns = op->enter_ns;
	call->exit_ns = end_ns(d, op);
	scene_say_owned(d, &call->name, "%s", scene_call(op));
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
		scene_say_owned(d, &call->object, "%s", scene_channel_name(op->channel));
}

/* "127.0.0.1:6379", "[::1]:6379" */
static uint16_t port_of(struct viz_bytes address)
{
	const char *colon = address.len ? memrchr(address.data, ':', address.len) : NULL;
	unsigned long port = colon ? strtoul(colon + 1, NULL, 10) : 0;

	return port <= UINT16_MAX ? (uint16_t)port : 0;
}

static size_t object_of(struct scene_drafts *d, struct places *places,
			const struct viz_channel *channel)
{
	struct scene_object *object;

	if (!channel)
		return SCENE_NONE;
	if (places->objects[channel->index] == SCENE_NONE) {
		places->objects[channel->index] = d->scene->object_count;
		object = scene_add_object(d->scene, channel->mechanism);
		scene_say_owned(d, &object->name, "%s", scene_channel_name(channel));
		object->from_start = channel->created_in_trace;
		if (channel->mechanism == MECH_TCP) {
			object->port = port_of(channel->local_address);
			object->peer_port = port_of(channel->peer_address);
		}
	}
	return places->objects[channel->index];
}

static void set_ends(struct scene_message *message, const struct places *places,
		     const struct viz_message *m)
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
	if (from->operation)
		message->send = places->calls[from->operation->index];
	if (to->operation)
		message->receive = places->calls[to->operation->index];
}

/* If the call alone moved the socket's counter, it did so from there. */
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

static void set_payload(struct scene_drafts *d, struct scene_message *message,
			const struct viz_message *m)
{
	struct viz_bytes payload = scene_payload(m);

	if (!payload.data || !payload.len)
		return;
	message->payload = malloc(payload.len);
	if (!message->payload) {
		d->failed = true;
		return;
	}
	memcpy(message->payload, payload.data, payload.len);
	message->payload_len = payload.len;
}

static bool is_outward(const struct viz_message *m)
{
	return m->channel && m->from.operation &&
	       mechanism_info(m->channel->mechanism)->direction == DIRECTION_TWO_WAY &&
	       viz_operation_sink(m->from.operation) == m->channel;
}

static void add_message(struct scene_drafts *d, struct places *places, const struct viz_message *m)
{
	int from, to;
	enum scene_part part = scene_message_lanes(d, m, &from, &to);
	struct scene_message *message;

	if ((from < 0 && to < 0) || !scene_wants_message(d, m))
		return;
	message = scene_add_message(d->scene, from, to);
	message->mechanism = m->mechanism;
	message->part = part;
	message->ambiguous = m->match == MATCH_AMBIGUOUS;
	message->bytes = m->bytes;
	message->send_offset = m->from.offset;
	message->receive_offset = m->to.offset;
	message->sent_at = position_in(&m->from, true);
	message->taken_at = position_in(&m->to, false);
	message->outward = is_outward(m);
	message->object = object_of(d, places, m->channel);
	set_ends(message, places, m);
	set_payload(d, message, m);
	if (m->signal)
		scene_set(d->scene, &message->label, "%.*s", (int)m->signal->name.len,
			  m->signal->name.data ? m->signal->name.data : "signal");
}

static struct scene_object *known_object(const struct scene_drafts *d, const struct places *places,
					 const struct viz_channel *channel)
{
	size_t place = channel ? places->objects[channel->index] : SCENE_NONE;

	return place == SCENE_NONE || d->scene->failed ? NULL : &d->scene->objects[place];
}

/* What lay in an object when a call ended, as the kernel said. */
static void set_levels(struct scene_drafts *d, const struct places *places)
{
	const struct viz_model *model = d->request->model;

	for (size_t i = 0; i < model->operation_count && !d->scene->failed; i++) {
		const struct viz_operation *op = model->operations[i];
		struct scene_call *call;

		if (places->calls[i] == SCENE_NONE || !viz_has(op, queued) || !op->channel ||
		    !viz_operation_done(op) || (op->role != ROLE_SEND && op->role != ROLE_RECEIVE))
			continue;
		call = &d->scene->calls[places->calls[i]];
		call->level_of = places->objects[op->channel->index];
		call->level = op->queued;
	}
}

/* Who sent through one socket what came out of another has joined them. */
static void join_peers(struct scene_drafts *d, const struct places *places)
{
	const struct viz_pairing *pairing = d->request->pairing;

	for (size_t i = 0; i < pairing->message_count; i++) {
		const struct viz_message *m = pairing->messages[i];
		const struct viz_channel *sink = m->from.operation
							 ? viz_operation_sink(m->from.operation)
							 : NULL;
		struct scene_object *from = known_object(d, places, sink);
		struct scene_object *to = known_object(d, places, m->channel);

		if (!from || !to || from == to || from->mechanism != to->mechanism)
			continue;
		from->peer = (size_t)(to - d->scene->objects);
		to->peer = (size_t)(from - d->scene->objects);
	}
}

/* Of objects that have messages: who is at the other end, who connected, and when it ended. */
static void join_objects(struct scene_drafts *d, const struct places *places)
{
	const struct viz_model *model = d->request->model;
	const struct viz_pairing *pairing = d->request->pairing;
	struct scene_object *object;

	for (size_t i = 0; i < model->channel_count; i++) {
		const struct viz_channel *peer = model->channels[i]->peer;

		object = known_object(d, places, model->channels[i]);
		if (object && peer)
			object->peer = places->objects[peer->index];
	}
	for (size_t i = 0; i < pairing->connection_count; i++) {
		object = known_object(d, places, pairing->connections[i]->client);
		if (object)
			object->side = SCENE_CLIENT;
		object = known_object(d, places, pairing->connections[i]->server);
		if (object)
			object->side = SCENE_SERVER;
	}
	for (size_t i = 0; i < pairing->eof_count; i++) {
		object = known_object(d, places, pairing->eofs[i]->channel);
		if (object && object->ended_ns == SCENE_NEVER)
			object->ended_ns = pairing->eofs[i]->receive->exit_ns;
	}
}

/* Each `lost` line tells of what was lost before it; the trailer, that there is none after. */
static uint64_t lost_until_ns(const struct viz_model *model)
{
	uint64_t until_ns = 0;

	if (model->missing_lines || !model->trailer.present ||
	    model->trailer.lost != model->lost_total)
		return SCENE_NEVER;
	for (size_t i = 0; i < model->lost_count; i++)
		if (model->lost[i]->at_ns > until_ns)
			until_ns = model->lost[i]->at_ns;
	return until_ns;
}

void scene_collect_facts(struct scene_drafts *d)
{
	const struct viz_model *model = d->request->model;
	const struct viz_pairing *pairing = d->request->pairing;
	struct places places = {nowhere(model->operation_count), nowhere(model->channel_count)};

	d->scene->realtime_offset_ns = model->header.realtime_offset_ns;
	d->failed |= !places.calls || !places.objects;
	for (size_t i = 0; !d->failed && i < model->operation_count; i++)
		add_call(d, &places, model->operations[i]);
	for (size_t i = 0; !d->failed && i < pairing->message_count; i++)
		add_message(d, &places, pairing->messages[i]);
	if (!d->failed) {
		join_objects(d, &places);
		join_peers(d, &places);
		set_levels(d, &places);
	}
	d->scene->incomplete = model->lost_total > 0 || model->missing_lines > 0;
	d->scene->lost_until_ns = lost_until_ns(model);
	free(places.calls);
	free(places.objects);
}
