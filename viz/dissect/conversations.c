// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/dissect/conversations.h"

#include <stdlib.h>
#include <string.h>

#include "viz/base/address.h"
#include "viz/base/arena.h"
#include "viz/base/compare.h"
#include "viz/base/memory.h"
#include "viz/model/operation_facts.h"

enum { TURNS_HEARD = 8, RESERVED_PORTS = 1024 };

/* --- who talks with whom --- */

static const struct viz_channel *sending_end(const struct viz_message *m)
{
	const struct viz_operation *op = m->from.operation;

	if (!op)
		return NULL;
	return op->role == ROLE_TRANSFER ? op->extra->channel_out : op->channel;
}

static bool is_stream(const struct viz_channel *channel)
{
	return mechanism_info(channel->mechanism)->form == FORM_STREAM;
}

/* The sender's and the receiver's end; each may be NULL, and a pipe's are the same. */
static bool ends_of(const struct viz_message *m, const struct viz_channel *ends[2])
{
	ends[0] = sending_end(m);
	ends[1] = m->to.operation ? m->to.operation->channel : NULL;
	if (!ends[0] && !ends[1])
		return false;
	if (!ends[0] && is_stream(ends[1]))
		ends[0] = ends[1]->peer;
	if (!ends[1] && is_stream(ends[0]))
		ends[1] = ends[0]->peer;
	return true;
}

static bool can_talk(const struct viz_channel *channel)
{
	switch (channel->mechanism) {
	case MECH_PIPE:
	case MECH_FIFO:
	case MECH_UNIX_STREAM:
	case MECH_UNIX_DGRAM:
	case MECH_UNIX_SEQPACKET:
	case MECH_TCP:
	case MECH_UDP:
		return true;
	default:
		return false;
	}
}

/* The side that connected; -1: not known. `swapped`: ends[0] is side 1. */
static int connected_side(const struct conversations *all, const struct viz_channel *const ends[2],
			  bool swapped)
{
	for (int i = 0; i < 2; i++)
		if (ends[i] && ends[0] != ends[1] && all->connected[ends[i]->index])
			return swapped ? !i : i;
	return -1;
}

static struct conversation *conversation_of(struct conversations *all,
					    const struct viz_channel *const ends[2], int *side)
{
	uint64_t a = ends[0] ? ends[0]->index + 1 : 0, b = ends[1] ? ends[1]->index + 1 : 0;
	uint64_t key = a < b ? a << 32 | b : b << 32 | a;
	struct conversation *found = id_map_get(&all->by_ends, key);

	*side = a > b;
	if (found)
		return found;
	found = arena_alloc(all->arena, sizeof(*found));
	*found = (struct conversation){
		.index = all->count,
		.client = connected_side(all, ends, *side),
		.stream = is_stream(ends[0] ? ends[0] : ends[1]),
	};
	LIST_PUSH(all, found);
	id_map_put(&all->by_ends, key, found);
	return found;
}

/* --- what was said --- */

static void take_sent(struct utterance *u, const struct viz_message *m)
{
	const struct viz_operation *op = m->from.operation;
	uint64_t moved = operation_stream_bytes(op);

	u->call = op;
	u->message = m->from.message;
	u->total = u->conversation->stream && moved > m->bytes ? moved : m->bytes + m->cut;
	u->at_ns = op->enter_ns;
	if (op->extra->sent_at_count && m->mechanism == MECH_TCP) {
		u->placed = true;
		u->position = (uint32_t)op->extra->sent_at[0];
	}
}

static void take_received(struct utterance *u, const struct viz_message *m)
{
	const struct viz_operation *op = m->to.operation;

	u->call = op;
	u->received = true;
	u->message = m->to.message;
	u->total = m->bytes + m->cut;
	u->at_ns = op->exit_ns;
	if (op->extra->received_at_count && m->mechanism == MECH_TCP) {
		u->placed = true;
		u->position = (uint32_t)op->extra->received_at[0];
	}
}

/*
 * The send's bytes, or the receive's where that kept more of them: of a send with many buffers, or
 * of sendfile, the trace has only some or none.
 */
static void take_bytes(struct utterance *u, const struct viz_message *m)
{
	struct viz_bytes sent = m->from.payload, taken = m->to.payload;
	size_t taken_len = taken.len < m->bytes ? taken.len : (size_t)m->bytes;

	if (u->conversation->stream && !u->received && u->call->role == ROLE_SEND)
		sent = u->call->payload;
	u->data = (const unsigned char *)sent.data;
	u->len = sent.len < u->total ? sent.len : (size_t)u->total;
	if (m->to.operation && (u->received || taken_len > u->len)) {
		u->data = (const unsigned char *)taken.data;
		u->len = taken_len;
	}
}

bool conversation_utterance(struct conversations *all, const struct viz_message *m,
			    struct utterance *u)
{
	const struct viz_channel *ends[2];
	const struct viz_end *said = m->from.operation ? &m->from : &m->to;

	*u = (struct utterance){0};
	if (m->signal || m->echo || !said->operation || !ends_of(m, ends) ||
	    !can_talk(ends[0] ? ends[0] : ends[1]))
		return false;
	u->conversation = conversation_of(all, ends, &u->side);
	if (said->offset)
		return false;
	if (m->from.operation)
		take_sent(u, m);
	else
		take_received(u, m);
	take_bytes(u, m);
	return true;
}

/* --- what it speaks --- */

static void decide(struct conversation *c, const struct dissector *found, enum opening_side by,
		   int side)
{
	if (by == OPENING_EITHER && c->client < 0)
		return;
	c->dissector = found;
	if (by != OPENING_EITHER)
		c->client = by == OPENING_ASKER ? side : !side;
}

static void hear_bytes(struct conversations *all, const struct utterance *u)
{
	struct conversation *c = u->conversation;
	struct conversation_heard *heard = c->heard[u->side];
	size_t room;

	if (!heard)
		heard = c->heard[u->side] = arena_alloc(all->arena, sizeof(*heard));
	room = sizeof(heard->bytes) - heard->len;
	if (heard->total == heard->len) { /* nothing is missing in between */
		size_t taken = u->len < room ? u->len : room;

		memcpy(heard->bytes + heard->len, u->data, taken);
		heard->len += taken;
	}
	heard->total += u->total;
	heard->turns++;
}

/* The first bytes of this side, as far as it has said them. */
static const struct dissector *hear_opening(struct conversations *all, const struct utterance *u,
					    enum opening_side *by)
{
	struct conversation *c = u->conversation;
	struct conversation_heard *heard;

	if (!c->stream)
		return opening_find(&(struct opening){u->data, u->len, u->total, true}, false, by);
	hear_bytes(all, u);
	heard = c->heard[u->side];
	if (heard->turns > TURNS_HEARD || c->known)
		return NULL;
	return opening_find(&(struct opening){heard->bytes, heard->len, heard->total, false}, false,
			    by);
}

static void hear(struct conversations *all, const struct utterance *u)
{
	struct conversation *c = u->conversation;
	enum opening_side by;
	const struct dissector *found;

	c->known |= u->call->spoken != 0;
	if (c->dissector || !u->len)
		return;
	found = hear_opening(all, u, &by);
	if (!found && c->stream) {
		found = opening_find(&(struct opening){u->data, u->len, u->total, false}, true,
				     &by);
		c->from_ns = found ? u->at_ns : 0;
	}
	if (found)
		decide(c, found, by, u->side);
}

/* --- what a port says --- */

static uint16_t port_of(struct viz_bytes address)
{
	struct viz_bytes port = address_port(address);

	return port.len > 1 ? (uint16_t)strtoul(port.data + 1, NULL, 10) : 0;
}

/*
 * Learns from the ends who serves, and by which port. `ours` is the side that `channel` is the end
 * of.
 */
static void learn_end(struct conversation *c, const struct viz_channel *channel, int ours)
{
	uint16_t local = port_of(channel->local_address), peer = port_of(channel->peer_address);
	uint16_t port = local && (!peer || local < peer) ? local : peer;
	const struct dissector *row = channel->created_in_trace ? NULL : opening_by_port(port);

	if (!port || (channel->mechanism != MECH_TCP && channel->mechanism != MECH_UDP) ||
	    c->dissector || c->port)
		return;
	if (row && c->stream && !c->known)
		c->dissector = row;
	else if (port < RESERVED_PORTS)
		c->port = port;
	else
		return;
	if (c->client < 0)
		c->client = port == local ? !ours : ours;
}

static void learn_ports(struct conversations *all, const struct viz_message *m)
{
	const struct viz_channel *ends[2];
	struct conversation *c;
	int side;

	if (m->signal || m->echo || !ends_of(m, ends) || !can_talk(ends[0] ? ends[0] : ends[1]))
		return;
	c = conversation_of(all, ends, &side);
	for (int i = 0; i < 2; i++)
		if (ends[i])
			learn_end(c, ends[i], i == 0 ? side : !side);
}

/* False: another message has the same bytes, for another receiver. */
static bool take_turn(struct conversations *all, struct utterance *u, size_t message)
{
	struct conversation *c = u->conversation;

	if (c->stream && c->last[u->side] == u->call)
		return false;
	c->last[u->side] = u->call;
	if (u->at_ns < c->last_ns[u->side])
		u->at_ns = c->last_ns[u->side];
	c->last_ns[u->side] = u->at_ns;
	all->turns[all->turn_count++] = (struct conversation_turn){u->at_ns, message};
	return true;
}

static int by_time(const void *a, const void *b)
{
	const struct conversation_turn *x = a, *y = b;

	return COMPARE(x->at_ns, y->at_ns) ?: COMPARE(x->message, y->message);
}

static void find_connected(struct conversations *all, const struct viz_model *model)
{
	all->connected = arena_array(all->arena, model->channel_count + 1, sizeof(bool));
	for (size_t i = 0; i < model->operation_count; i++)
		if (model->operations[i]->channel && operation_is(model->operations[i], "connect"))
			all->connected[model->operations[i]->channel->index] = true;
}

void conversations_find(struct conversations *all, const struct viz_model *model,
			const struct viz_pairing *pairing)
{
	struct utterance u;

	*all = (struct conversations){.arena = arena_new()};
	find_connected(all, model);
	all->turns = memory_array(pairing->message_count + 1, sizeof(*all->turns));
	for (size_t i = 0; i < pairing->message_count; i++)
		if (conversation_utterance(all, pairing->messages[i], &u) && take_turn(all, &u, i))
			hear(all, &u);
	qsort(all->turns, all->turn_count, sizeof(*all->turns), by_time);
	for (size_t i = 0; i < pairing->message_count; i++)
		learn_ports(all, pairing->messages[i]);
}

void conversations_free(struct conversations *all)
{
	free(all->items);
	free(all->turns);
	id_map_free(&all->by_ends);
	arena_free(all->arena);
}
