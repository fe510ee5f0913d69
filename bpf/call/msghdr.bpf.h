/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads a struct msghdr when its call returns: flags, control messages, and for sendmmsg and
 * recvmmsg the length and address of each message.
 */
#ifndef BPF_CALL_MSGHDR_BPF_H
#define BPF_CALL_MSGHDR_BPF_H

#include "bpf/call/call_object.bpf.h"
#include "bpf/call/scm_rights.bpf.h"

#define MSG_PEEK 0x2
#define MSG_ERRQUEUE 0x2000

#define MSG_TRUNC 0x20

_Static_assert(sizeof(struct wire_descriptors) <= HEADER_AT, "both have room");

struct messages_walk {
	struct task_state *state;
	u64 from;
	bool reports_whole; /* MSG_TRUNC was given: a length may exceed the bytes copied */
};

/*
 * Reads the struct msghdr at `msg` in the caller's memory. Not static for the verifier's sake, see
 * file_identify().
 */
__noinline int message_report(struct task_state *state, u64 msg)
{
	struct user_msghdr *header;

	if (!state)
		return 0;
	header = header_room(state);
	if (bpf_probe_read_user(header, sizeof(*header), (void *)msg))
		return 0;
	if (state->role == ROLE_RECEIVE) {
		state->details.msg_flags = header->flags;
		state->details.valid |= WIRE_VALID_MSG_FLAGS;
	}
	control_report(state, header->control, header->control_len);
	return 0;
}

/* Sum of the lengths of an iovec array in bytes; WIRE_UNKNOWN if it is too long or not readable. */
static __always_inline u32 iov_room(u64 iov, u64 count)
{
	u32 room = 0;

	if (count > IOV_MAX_READ)
		return WIRE_UNKNOWN;
	for (u32 i = 0; i < IOV_MAX_READ; i++) {
		struct user_iovec element;

		if (i >= count)
			break;
		if (bpf_probe_read_user(&element, sizeof(element),
					(void *)(iov + i * sizeof(element))))
			return WIRE_UNKNOWN;
		room += element.len;
	}
	return room;
}

/* Copies a message's address to the record and returns its length in bytes; 0: none. */
static __always_inline u64 message_address(struct wire_message *record,
					   const struct user_msghdr *header)
{
	u64 len = header->name_len;

	barrier_var(len);
	if (!header->name || len > WIRE_ADDRESS_LEN ||
	    bpf_probe_read_user(record->address, len, (void *)header->name))
		return 0;
	return len;
}

static long message_visit(u32 index, void *context)
{
	struct messages_walk *walk = context;
	struct wire_message *record = extra_behind_payload(walk->state);
	struct user_mmsghdr *message = header_room(walk->state);
	struct wire_details *details = &walk->state->details;
	u64 len;

	if (bpf_probe_read_user(message, sizeof(*message),
				(void *)(walk->from + index * sizeof(*message))))
		return 1;
	details->valid &= ~WIRE_VALID_CREDENTIALS;
	details->segment_len = 0;
	control_report(walk->state, message->header.control, message->header.control_len);
	record->valid = details->valid & WIRE_VALID_CREDENTIALS;
	record->credentials = details->credentials;
	record->segment_len = details->segment_len;
	record->index = index;
	record->len = message->len;
	record->flags = message->header.flags;
	record->room = WIRE_UNKNOWN;
	if (walk->reports_whole && message->header.flags & MSG_TRUNC)
		record->room = iov_room(message->header.iov, message->header.iov_count);
	len = message_address(record, &message->header);
	barrier_var(len);
	if (len > WIRE_ADDRESS_LEN)
		return 1;
	if (len)
		port_of_address_note(walk->state->operation.object.mechanism, record->address);
	record->address_len = len;
	len += offsetof(struct wire_message, address);
	head_fill(&record->head, WIRE_MESSAGE, len);
	if (bpf_ringbuf_output(&records, record, len, record_flags()))
		loss_count(LOSS_RING);
	return 0;
}

__noinline int messages_report(struct task_state *state, u64 vector, u32 count)
{
	struct messages_walk walk = {.state = state, .from = vector};

	if (!state)
		return 0;
	walk.reports_whole = state->role == ROLE_RECEIVE && state->details.args[3] & MSG_TRUNC;
	bpf_loop(count < WIRE_MESSAGES ? count : WIRE_MESSAGES, message_visit, &walk, 0);
	return 0;
}

/* The segment length of a UDP send is the socket's if no control message says otherwise. */
static __always_inline void segments_finish(struct task_state *state)
{
	struct wire_operation *operation = &state->operation;

	if (operation->object.mechanism != MECH_UDP || state->role != ROLE_SEND ||
	    operation->returned <= 0)
		return;
	if (operation->nr == __NR_sendmmsg || !state->details.segment_len)
		state->details.segment_len = segment_of_sock(operation->object.object.address);
	if (state->details.segment_len)
		operation->has |= WIRE_HAS_DETAILS;
}

static __always_inline void messages_finish(struct task_state *state,
					    const volatile struct syscall_row *row)
{
	struct wire_operation *operation = &state->operation;

	if (row->data == DATA_MSG && operation->returned >= 0)
		message_report(state, argument(state, row->buf));
	else if (row->data == DATA_MMSG && operation->returned > 0)
		messages_report(state, argument(state, row->buf), operation->returned);
	segments_finish(state);
}

/* True for a receive with MSG_PEEK, which leaves the data in place. */
static __always_inline bool only_looks(const struct task_state *state)
{
	u32 flags = syscall_rows[state->operation.nr & (SYSCALL_ROWS - 1)].flags;

	barrier_var(flags);
	if (flags >= 6)
		return false;
	return state->details.args[flags] & MSG_PEEK;
}

#endif
