/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Messages of which a picture has very many, packed into few bytes, each with its send and its
 * receive. What messages of one conversation have in common (threads, channel, flags, …) is held
 * once, as a kind; of each message only what differs. No fact is lost but the chunks of a receive,
 * which only pairing asks for: a message that could not be unpacked as it was is not taken.
 *
 * A packed message has exactly one send and one receive, each a call that has this message only.
 * The `index` of a whole one and of its calls is behind those of all that are not packed.
 */
#ifndef VIZ_MESSAGE_PACKED_H
#define VIZ_MESSAGE_PACKED_H

#include "viz/message/message.h"

struct packed_messages;

/* One packed message. */
typedef unsigned char packed_record;

/* A packed call: the send (side 0) or the receive (side 1) of a packed message. */
struct packed_call {
	uint64_t enter_ns, id;
	const packed_record *record;
	unsigned side;
};

struct packed_messages *packed_new(struct arena *arena); /* which it is in */

/* Packs a message that has both calls. False if that cannot be done. */
bool packed_add(struct packed_messages *all, const struct viz_message *message);

/*
 * To be called once, after the last one was added: sorts by receipt. So many messages and calls are
 * not packed.
 */
void packed_finish(struct packed_messages *all, size_t messages, size_t calls);

size_t packed_count(const struct packed_messages *all);
const packed_record *packed_at(const struct packed_messages *all, size_t i);

/* When it was received, and the id of the receive. */
uint64_t packed_receipt_ns(const packed_record *record, uint64_t *receive);

/*
 * The whole message with its calls. It is overwritten by the sixteenth such call after it that
 * names another message, so nobody may keep pointers to it, or to its calls.
 */
const struct viz_message *packed_whole(const packed_record *record);

/*
 * A message of its kind, which lives as long as all. Of it and its calls the times, ids, indices,
 * lengths, payloads and positions are those of another one.
 */
const struct viz_message *packed_brief(const packed_record *record);

/* The bytes of the whole message, without unpacking all of it. */
uint64_t packed_bytes(const packed_record *record);

/* The calls of all of them, by id or else by enter_ns, then id; the caller frees the list. */
struct packed_call *packed_calls(const struct packed_messages *all, bool ids);
const struct viz_operation *packed_operation(const struct packed_call *call);

#endif
