/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads what a call's arguments say of its data: the bytes, their number, the priority, the
 * address.
 */
#ifndef BPF_CALL_CALL_DATA_BPF_H
#define BPF_CALL_CALL_DATA_BPF_H

#include "bpf/call/call_object.bpf.h"
#include "bpf/call/payload.bpf.h"

/*
 * The role of this call. vmsplice(2) sends into a pipe's write end and receives from its read end;
 * other calls have the role of their table row.
 */
static __always_inline u32 role_of(const struct task_state *state,
				   const volatile struct syscall_row *row)
{
	if (row->role != ROLE_TRANSFER || row->data == DATA_FD)
		return row->role;
	return state->operation.object.access & WIRE_ACCESS_WRITE ? ROLE_SEND : ROLE_RECEIVE;
}

/* Reads the data of a call, up to `limit` bytes; false if a page was not in memory. */
static __always_inline bool data_read(struct task_state *state,
				      const volatile struct syscall_row *row, u64 limit)
{
	u64 buffer = argument(state, row->buf);

	switch (row->data) {
	case DATA_BUF:
	case DATA_MQ:
		return payload_append(state, buffer, limit);
	case DATA_SYSV:
		return payload_from_sysv(state, buffer, limit);
	case DATA_IOV:
		return payload_from_iov(state, buffer, argument(state, row->len), limit);
	case DATA_MSG:
		return payload_from_msg(state, buffer, limit);
	case DATA_MMSG:
		return payload_from_mmsg(state, buffer, limit);
	default:
		return true;
	}
}

static __always_inline void requested_at_entry(struct task_state *state,
					       const volatile struct syscall_row *row)
{
	struct wire_operation *operation = &state->operation;

	if (row->data == DATA_IOV || row->len == ARG_NONE)
		return; /* payload_from_iov() adds up the lengths */
	operation->requested = argument(state, row->len);
	operation->has |= WIRE_HAS_REQUESTED;
}

static __always_inline u64 send_limit(const struct task_state *state,
				      const volatile struct syscall_row *row)
{
	if (row->data == DATA_BUF || row->data == DATA_MQ || row->data == DATA_SYSV)
		return argument(state, row->len);
	return ~0ULL;
}

/*
 * POSIX queues: the argument after the length is the priority of a send, and the address of the
 * priority in a receive.
 */
static __always_inline void type_set(struct task_state *state, s64 type)
{
	state->details.type = type;
	state->operation.has |= WIRE_HAS_TYPE | WIRE_HAS_DETAILS;
}

static __always_inline void priority_of_send(struct task_state *state,
					     const volatile struct syscall_row *row)
{
	if (row->data == DATA_MQ)
		type_set(state, (u32)argument(state, row->len + 1));
}

static __always_inline void priority_of_receive(struct task_state *state,
						const volatile struct syscall_row *row)
{
	u64 from = argument(state, row->len + 1);
	u32 priority;

	if (row->data != DATA_MQ || !from || bpf_probe_read_user(&priority, 4, (void *)from))
		return;
	type_set(state, priority);
}

static __always_inline void sizes_at_entry(struct task_state *state,
					   const volatile struct syscall_row *row)
{
	requested_at_entry(state, row);
	if (row->data == DATA_PATH)
		path_read(state, argument(state, row->buf));
	if (row->peer != ARG_NONE && (row->role == ROLE_SEND || row->result == RESULT_ZERO))
		address_read(state, argument(state, row->peer),
			     (u32)argument(state, row->peer + 1));
	if (row->data == DATA_SEMS)
		sems_read(state, argument(state, row->buf), argument(state, row->len));
	if (role_of(state, row) != ROLE_SEND)
		return;
	priority_of_send(state, row);
	state->cold = !data_read(state, row, send_limit(state, row));
	if (row->role == ROLE_TRANSFER) { /* vmsplice: the reader sees what the pages hold then */
		state->operation.payload_len = 0;
		state->cold = 0;
	}
}

#endif
