/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The first bytes of what a call moves, read from the caller's memory: at entry for a send (the
 * caller may change them afterwards), at exit for a receive. A page that is not in memory cannot
 * be read from here; the call itself brings it in, so a send that failed at entry is read again
 * at exit.
 *
 * Verifier: the payload goes to extra[block + offset], where offset and length are each at most
 * WIRE_PAYLOAD_MAX and extra has room for both.
 */
#ifndef BPF_PAYLOAD_H
#define BPF_PAYLOAD_H

#include "bpf/ports.h"

#define IOV_MAX_READ 16

struct user_iovec {
	u64 base;
	u64 len;
};

struct user_msghdr {
	u64 name;
	u32 name_len;
	u32 pad;
	u64 iov;
	u64 iov_count;
	u64 control;
	u64 control_len;
	u32 flags;
	u32 pad2;
};

struct user_mmsghdr {
	struct user_msghdr header;
	u32 len;
	u32 pad;
};

static __always_inline u8 *payload_area(struct task_state *state)
{
	return state->operation.block_len ? state->extra + WIRE_ADDRESS_LEN : state->extra;
}

/*
 * How much of a payload is kept. An eventfd's is a number, no content, and nothing else tells which
 * writes a read took. (payload_max is a constant: mostly the verifier leaves no test of this.) What
 * is written to a terminal is looked through for its lines' ends, by user/, and kept no further.
 */
static __always_inline u64 payload_room(const struct task_state *state)
{
	if (state->role == ROLE_SEND && state->operation.object.mechanism == MECH_PTY)
		return WIRE_PAYLOAD_MAX;
	if (payload_max < sizeof(u64) && state->operation.object.mechanism == MECH_EVENTFD)
		return sizeof(u64);
	return payload_max;
}

/*
 * A few bytes, by way of the stack: a hardened kernel looks long at other places that the caller's
 * bytes are copied to (mm/usercopy.c). A function of its own, since 6.18 takes frames of 64 bytes
 * and more off the stack. `to` has room for a whole word; -1: not to be read.
 */
static __noinline int payload_word(u8 *to, u64 from, u64 len)
{
	u64 word = 0;

	if (len > sizeof(word) || bpf_probe_read_user(&word, len, (void *)from))
		return -1;
	__builtin_memcpy(to, &word, sizeof(word));
	return 0;
}

static __always_inline bool payload_copy(u8 *to, u64 from, u64 len)
{
	barrier_var(len);
	if (len <= sizeof(u64))
		return !payload_word(to, from, len);
	return len <= WIRE_PAYLOAD_MAX && !bpf_probe_read_user(to, len, (void *)from);
}

/* Appends up to `len` bytes at `from`; false where the memory could not be read. */
static __always_inline bool payload_append(struct task_state *state, u64 from, u64 len)
{
	u64 have = state->operation.payload_len;
	u64 max = payload_room(state);
	u64 room = max > have ? max - have : 0;
	u8 *area = payload_area(state);

	if (len > room)
		len = room;
	if (len == 0)
		return true;
	have &= WIRE_PAYLOAD_MAX - 1;
	if (!payload_copy(area + have, from, len))
		return false;
	state->operation.payload_len = have + len;
	return true;
}

/*
 * Walks an array of iovec. `limit` bounds the bytes (what a receive returned); the sum of all
 * lengths is left in operation.requested where the walk saw every element: for a receive only where
 * it returned more than there was room for (MSG_TRUNC).
 */
static __always_inline bool payload_from_iov(struct task_state *state, u64 iov, u64 count,
					     u64 limit)
{
	u64 total = 0;
	bool whole = count <= IOV_MAX_READ, read = true;

	for (u32 i = 0; i < IOV_MAX_READ; i++) {
		struct user_iovec element;
		u64 left = limit - total;

		if (i >= count)
			break;
		if (bpf_probe_read_user(&element, sizeof(element),
					(void *)(iov + i * sizeof(element))))
			return false;
		if (!payload_append(state, element.base, element.len < left ? element.len : left))
			read = false;
		total += element.len;
		if (total >= limit)
			break;
	}
	if (whole && (limit == ~0ULL || total < limit) &&
	    !(state->operation.has & WIRE_HAS_REQUESTED)) {
		state->operation.requested = total;
		state->operation.has |= WIRE_HAS_REQUESTED;
	}
	return read;
}

/* A sockaddr goes into the block before the payload. */
static __always_inline void address_read(struct task_state *state, u64 from, u64 len)
{
	struct wire_operation *operation = &state->operation;

	barrier_var(len);
	if (!from || len == 0 || len > WIRE_ADDRESS_LEN || operation->block_len)
		return;
	if (bpf_probe_read_user(state->extra, len, (void *)from))
		return;
	operation->block_len = WIRE_ADDRESS_LEN;
	operation->address_len = len;
	operation->has |= WIRE_HAS_ADDRESS;
	port_of_address_note(operation->object.mechanism, state->extra);
}

static __always_inline bool payload_from_msg(struct task_state *state, u64 msg, u64 limit)
{
	struct user_msghdr header;

	if (bpf_probe_read_user(&header, sizeof(header), (void *)msg))
		return false;
	address_read(state, header.name, header.name_len);
	return payload_from_iov(state, header.iov, header.iov_count, limit);
}

/*
 * The payload of the first message. A receive has filled in how long that message was, a send (no
 * limit) has not yet.
 */
static __always_inline bool payload_from_mmsg(struct task_state *state, u64 vector, u64 limit)
{
	struct user_mmsghdr first;

	if (bpf_probe_read_user(&first, sizeof(first), (void *)vector))
		return false;
	return payload_from_iov(state, first.header.iov, first.header.iov_count,
				limit == ~0ULL ? limit : first.len);
}

static __always_inline bool payload_from_sysv(struct task_state *state, u64 buffer, u64 len)
{
	struct wire_details *details = &state->details;

	if (bpf_probe_read_user(&details->type, sizeof(details->type), (void *)buffer))
		return false;
	state->operation.has |= WIRE_HAS_TYPE | WIRE_HAS_DETAILS;
	return payload_append(state, buffer + sizeof(u64), len);
}

/* semop: the first operations of the array, as they are, in the block. */
static __always_inline void sems_read(struct task_state *state, u64 from, u64 count)
{
	if (count > WIRE_SEMS)
		count = WIRE_SEMS;
	barrier_var(count);
	if (count > WIRE_SEMS ||
	    bpf_probe_read_user(state->extra, count * WIRE_SEM_LEN, (void *)from))
		return;
	state->operation.block_len = WIRE_ADDRESS_LEN;
	state->operation.address_len = count;
}

static __always_inline void path_read(struct task_state *state, u64 from)
{
	long len = bpf_probe_read_user_str(state->extra, WIRE_NAME_LEN, (void *)from);

	state->operation.payload_len = len > 0 ? len - 1 : 0;
	state->cold = len < 0;
}

#endif
