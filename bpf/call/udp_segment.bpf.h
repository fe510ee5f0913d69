/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * UDP_SEGMENT (udp(7)): one message is cut into datagrams of equal length but for the last. The
 * length is a socket option, or in a control message. A receiving socket without UDP_GRO gets them
 * one by one, in order, so each datagram of a call has a number in the records. A socket with
 * UDP_GRO gets all of them at once.
 */
#ifndef BPF_CALL_UDP_SEGMENT_BPF_H
#define BPF_CALL_UDP_SEGMENT_BPF_H

#include <asm/unistd.h>

#include "bpf/call/payload.bpf.h"
#include "bpf/core/task_state.bpf.h"

#define SOL_UDP 17
#define UDP_SEGMENT 103
#define UDP_GRO 104
#define SEGMENT_CMSGS 4 /* most control messages that are searched for UDP_SEGMENT */

struct segment_cmsg {
	u64 len;
	s32 level;
	s32 type;
	u16 segment_len;
};

static __always_inline s32 segment_of_control(u64 control, u64 len)
{
	struct segment_cmsg cmsg;
	u64 end = control + len;

	for (int i = 0; i < SEGMENT_CMSGS && control + sizeof(u64) * 2 < end; i++) {
		if (bpf_probe_read_user(&cmsg, offsetof(struct segment_cmsg, segment_len) + 2,
					(void *)control) ||
		    cmsg.len < sizeof(u64) * 2)
			break;
		if (cmsg.level == SOL_UDP && cmsg.type == UDP_SEGMENT)
			return cmsg.segment_len;
		control += (cmsg.len + 7) & ~7ULL;
	}
	return -1;
}

/* The segment length in bytes that the message being sent has in a control message; -1: none. */
static __always_inline s32 segment_of_message(const struct task_state *state)
{
	u64 at = state->details.args[1];
	struct user_msghdr header;

	if (state->operation.nr == __NR_sendmmsg)
		at += state->segments.messages * sizeof(struct user_mmsghdr);
	else if (state->operation.nr != __NR_sendmsg)
		return -1;
	if (bpf_probe_read_user(&header, sizeof(header), (void *)at) || !header.control)
		return -1;
	return segment_of_control(header.control, header.control_len);
}

static __always_inline u16 segment_of_sock(u64 sk)
{
	struct udp_sock *sock = (struct udp_sock *)sk;

	return KREAD_IF(sock, gso_size);
}

/* Finds the segment length of the message being sent. Not static for the verifier's sake. */
__noinline int segment_find(struct task_state *state)
{
	s32 len;

	if (!state || state->segments.known || state->operation.object.mechanism != MECH_UDP)
		return 0;
	len = segment_of_message(state);
	state->segments.len = len >= 0 ? len
				       : segment_of_sock(state->operation.object.object.address);
	state->segments.known = 1;
	return 0;
}

/* The number in the call of the datagram that is now queued or refused. */
static __always_inline u32 segment_handled(struct task_state *state)
{
	u32 sent = state->details.sent;

	segment_find(state);
	return state->segments.len ? sent + state->segments.handled++ : sent;
}

/*
 * The number of the datagram for which a buffer is now allocated. The first buffer is that of the
 * whole message.
 */
static __always_inline u32 segment_born(struct task_state *state)
{
	u32 sent = state->details.sent, before = state->segments.buffers++;

	if (!before)
		return sent;
	segment_find(state);
	return state->segments.len ? sent + before - 1 : sent;
}

/* A mask of `count` bits from bit `from` on; bits beyond 63 are dropped. */
static __always_inline u64 bits_between(u32 from, u32 count)
{
	u64 bits = count < 64 ? (1ULL << (count & 63)) - 1 : ~0ULL;

	return from < 64 ? bits << (from & 63) : 0;
}

static __always_inline u32 segments_of(const struct segments *segments, u64 message_len)
{
	return segments->len && message_len > segments->len
		       ? ((u32)message_len + segments->len - 1) / segments->len
		       : 1;
}

/*
 * True if the message was handled as one datagram (UDP_GRO, another machine): one that is cut has a
 * buffer for each segment, and one for the whole. That one datagram was queued or refused says it
 * only where buffers are not followed: of several senders, one queues the packets of others
 * (net/ipv4/udp.c, __udp_enqueue_schedule_skb(), 6.18 and later).
 */
static __always_inline bool segments_uncut(const struct segments *segments, u32 count)
{
	return segments->buffers ? segments->buffers <= count : segments->handled == 1;
}

/*
 * True if each segment has the right number. Segments are numbered as their buffers are allocated;
 * but a packet tap clones the buffer of the whole message before, and an interrupt may allocate
 * others: see segment_queued().
 */
static __always_inline bool segments_counted(const struct segments *segments, u32 count)
{
	return count <= 1 || !segments->buffers || segments_uncut(segments, count) ||
	       segments->buffers == 1 + count || segments->renumbered == count;
}

/*
 * A message was sent. If it was handled as one datagram, its result holds for all segments; if the
 * result of some segment is unknown, no result is kept.
 */
static __always_inline void segments_close(struct task_state *state, s64 sent_len)
{
	struct wire_details *details = &state->details;
	u32 count;
	u64 all;

	segment_find(state);
	count = segments_of(&state->segments, sent_len > 0 ? sent_len : 0);
	all = bits_between(details->sent, count);
	if (!segments_counted(&state->segments, count))
		state->operation.miscounted = 1;
	if (count > 1 && state->segments.handled == 1 && segments_uncut(&state->segments, count)) {
		details->delivered |= details->delivered & all ? all : 0;
		details->refused |= details->refused & all ? all : 0;
	} else if (count > 1 && state->segments.handled != count) {
		details->delivered &= ~all;
		details->refused &= ~all;
	}
	details->sent += count;
	state->segments = (struct segments){.messages = state->segments.messages + 1};
}

#endif
