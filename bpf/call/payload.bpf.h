/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads the first bytes that a call transfers from the caller's memory: at entry for a send (the
 * caller may change them afterwards), at exit for a receive. A page that is not in memory cannot be
 * read by a BPF program; the call itself brings it in, so a send whose read failed at entry is read
 * again at exit.
 *
 * Verifier: the payload goes to extra[block + offset]; see payload_copy().
 */
#ifndef BPF_CALL_PAYLOAD_BPF_H
#define BPF_CALL_PAYLOAD_BPF_H

#include "bpf/object/udp_ports.bpf.h"

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
 * Number of payload bytes that are kept. An eventfd's eight bytes are always kept: they are a
 * number, not content, and nothing else tells which writes a read took. (payload_max is a constant,
 * so this test mostly costs nothing.) So are the records of a signalfd, each of which tells by its
 * numbers alone which signal it is. What is written to a terminal is kept for user/ to find its
 * line ends, and what is read there to tell several writers apart (terminal_writers.h).
 */
static __always_inline u64 payload_room(const struct task_state *state)
{
	if (state->operation.object.mechanism == MECH_PTY ||
	    state->operation.object.mechanism == MECH_SIGNALFD)
		return WIRE_PAYLOAD_MAX;
	if (payload_max < sizeof(u64) && state->operation.object.mechanism == MECH_EVENTFD)
		return sizeof(u64);
	return payload_max;
}

/*
 * Copies up to 8 bytes by way of the stack, because a hardened kernel checks other destinations at
 * length (mm/usercopy.c). It is a function of its own, because from 6.18 on a frame of 64 bytes or
 * more is placed outside the stack. `to` must have room for 8 bytes; -1: not readable.
 */
static __noinline int payload_word(u8 *to, u64 from, u64 len)
{
	u64 word = 0;

	if (len > sizeof(word) || bpf_probe_read_user(&word, len, (void *)from))
		return -1;
	__builtin_memcpy(to, &word, sizeof(word));
	return 0;
}

/* Reads the payload of a record that has no block; false if the memory could not be read. */
static __always_inline bool payload_put(struct task_state *state, u64 from, u64 len)
{
	u64 room = payload_room(state);

	if (len > room)
		len = room;
	barrier_var(len);
	if (len > WIRE_PAYLOAD_MAX)
		return false;
	if (len && (len <= sizeof(u64) ? payload_word(state->extra, from, len)
				       : bpf_probe_read_user(state->extra, len, (void *)from)))
		return false;
	state->operation.payload_len = len;
	return true;
}

#define PAYLOAD_STEP (WIRE_PAYLOAD_MAX / 2)

/*
 * Copies in steps: the verifier adds the largest length to the largest offset, and `extra` has no
 * room for two payloads. False if the memory could not be read.
 */
static __always_inline bool payload_copy(u8 *area, u64 at, u64 from, u64 len)
{
	for (u32 i = 0; i < WIRE_PAYLOAD_MAX / PAYLOAD_STEP && len; i++) {
		u64 step = len < PAYLOAD_STEP ? len : PAYLOAD_STEP;

		at &= WIRE_PAYLOAD_MAX - 1;
		barrier_var(step);
		if (step > PAYLOAD_STEP || bpf_probe_read_user(area + at, step, (void *)from))
			return false;
		at += step;
		from += step;
		len -= step;
	}
	return true;
}

/*
 * Appends up to `len` bytes at `from`; false if the memory could not be read. Not static for the
 * verifier's sake, see other_files.bpf.h.
 */
__noinline int payload_append(struct task_state *state, u64 from, u64 len)
{
	u64 have, max, room;

	if (!state)
		return false;
	have = state->operation.payload_len;
	max = payload_room(state);
	room = max > have ? max - have : 0;
	if (len > room)
		len = room;
	if (len == 0)
		return true;
	have &= WIRE_PAYLOAD_MAX - 1;
	if (len <= sizeof(u64) ? payload_word(payload_area(state) + have, from, len)
			       : !payload_copy(payload_area(state), have, from, len))
		return false;
	state->operation.payload_len = have + len;
	return true;
}

/*
 * Appends the data of an array of iovec, up to `limit` bytes (the bytes that a receive returned).
 * If every element was seen, the sum of all lengths is left in operation.requested; for a receive
 * that is so only if it returned more than there was room for (MSG_TRUNC). False if memory could
 * not be read.
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

/* Reads a sockaddr of `len` bytes into the block before the payload. */
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
 * Reads the payload of the first message only. A receive has filled in that message's length; a
 * send (no limit) has not yet.
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

/* semop: copies the first WIRE_SEMS elements of the array into the block. */
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
