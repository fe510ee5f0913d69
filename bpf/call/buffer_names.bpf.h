/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reports which send a buffer that a receive takes came from (struct wire_chunk). */
#ifndef BPF_CALL_BUFFER_NAMES_BPF_H
#define BPF_CALL_BUFFER_NAMES_BPF_H

#include "bpf/object/describe.bpf.h"

/* The part of a buffer that a receive copies. Lengths and offsets are in bytes. */
struct copied {
	u32 at;	    /* offset in the receive's own bytes */
	u32 offset; /* offset in the buffer */
	u32 len;
	u32 buffer_len; /* bytes of the buffer; 0: no stream, it is the whole message */
};

/*
 * True if the kernel has the fields that tell how much of a buffer was taken before, and its size.
 */
static __always_inline bool has_chunks(void)
{
	return KHAS(struct sk_buff, cb) && KHAS(struct sk_buff, len) &&
	       KHAS(struct unix_skb_parms, consumed);
}

/* Address of the first sk_buff of a queue; 0: the queue is empty. */
static __always_inline u64 queue_first(u64 queue)
{
	u64 first = (u64)KREAD_IF((struct sk_buff_head *)queue, next);

	return first == queue ? 0 : first;
}

static __always_inline u64 receive_queue(u64 sk)
{
	return (u64)KFIELD(sk, struct sock, sk_receive_queue);
}

/* State of the current thread if it is in a recorded call of this role; otherwise NULL. */
static __always_inline struct task_state *task_state_transferring(u32 role)
{
	struct task_state *state = task_state_traced(bpf_get_current_task_btf());

	return state && state->recording && state->role == role ? state : 0;
}

/* Sends the chunk record of the current receive: it took `copied` of a buffer of that origin. */
static __always_inline void chunk_record(struct task_state *state,
					 const struct buffer_origin *origin,
					 const struct copied *copied, enum wire_chunk_kind kind)
{
	struct wire_chunk *record = record_reserve(struct wire_chunk, WIRE_CHUNK);

	if (!record)
		return;
	record->operation = state->operation.id;
	record->sender = origin->operation;
	record->message = origin->message;
	record->offset = copied->offset;
	record->len = copied->len;
	record->kind = kind;
	record->at_ns = 0;
	record->at = copied->at;
	record->from = origin->from;
	record->buffer = origin->buffer;
	record->buffer_len = copied->buffer_len;
	record_submit(record);
}

/*
 * Sends the chunk record of a receive that took `copied` of the buffer at `address`. If it is
 * unknown which send the buffer came from, or if it was sent on another object, a receive of
 * several messages sends a record without a sender, because its chunks are told apart by their
 * order; others send none.
 */
static __always_inline void chunk_send(struct task_state *state, u64 address, u64 object,
				       const struct copied *copied, enum wire_chunk_kind kind)
{
	struct buffer_origin *found = bpf_map_lookup_elem(&buffers, &address), origin = {};

	if (found && found->object == object) {
		origin = *found;
		chunk_record(state, &origin, copied, origin.operation ? kind : WIRE_CHUNK_BEFORE);
	} else if (!copied->buffer_len && row_of(state->operation.nr)->data == DATA_MMSG) {
		chunk_record(state, &origin, copied, WIRE_CHUNK_NAMED);
	}
}

/*
 * Forgets a buffer that was taken whole and is freed: its address may soon belong to a buffer on
 * the same object whose sender is not traced, and must not name the old sender then.
 */
static __always_inline void buffer_forget(u64 address)
{
	bpf_map_delete_elem(&buffers, &address);
}

#endif
