/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which send the next datagram of a UDP socket comes from. A receive passes no tracepoint that has
 * its buffer (net/ipv4/udp.c, udp_recvmsg), so the buffer is looked up where it waits: when a
 * receive begins, when it wakes, and between the messages of a recvmmsg. Of two receivers at once
 * only one takes what both have seen: viz/ believes such ones no more than the order of calls.
 */
#ifndef BPF_DATAGRAM_H
#define BPF_DATAGRAM_H

#include "bpf/buffer.h"

/* The packet's own word for the port that it came from; the header is the network's byte order. */
static __always_inline u16 port_of_packet(struct sk_buff *skb)
{
	u64 header = (u64)KREAD(skb, head) + KREAD(skb, transport_header);
	u16 source = kread_word((void *)header); /* of struct udphdr */

	return __builtin_bswap16(source);
}

static __always_inline u16 port_of_sock(u64 sk)
{
	return KREAD((struct sock_common *)sk, skc_num);
}

static __always_inline u64 queue_first(u64 queue)
{
	u64 first = (u64)KREAD((struct sk_buff_head *)queue, next);

	return first == queue ? 0 : first;
}

/* What receives have begun to take lies in a queue of its own, before the rest. */
static __always_inline u64 datagram_first(u64 sk)
{
	u64 first = queue_first(sk + bpf_core_field_offset(struct udp_sock, reader_queue));

	return first ? first
		     : queue_first(sk + bpf_core_field_offset(struct sock, sk_receive_queue));
}

static __always_inline bool takes_datagrams(const struct task_state *state)
{
	return state->operation.object.mechanism == MECH_UDP && state->role == ROLE_RECEIVE &&
	       buffers_followed;
}

/* Not static for the verifier's sake. */
__noinline int datagram_look(struct task_state *state)
{
	struct buffer_origin *origin;
	u64 address;

	if (!state)
		return 0;
	state->next_datagram = (struct datagram){};
	address = datagram_first(state->operation.object.object.address);
	if (!address)
		return 0;
	origin = bpf_map_lookup_elem(&buffers, &address);
	if (!origin || origin->object != port_of_packet((struct sk_buff *)address))
		return 0;
	state->next_datagram.address = address;
	state->next_datagram.sender = origin->operation;
	state->next_datagram.message = origin->message;
	return 0;
}

static __always_inline void datagram_tell(struct task_state *state)
{
	struct wire_chunk *record = record_reserve(struct wire_chunk, WIRE_CHUNK);

	if (!record)
		return;
	record->operation = state->operation.id;
	record->sender = state->next_datagram.sender;
	record->message = state->next_datagram.message;
	record->offset = 0;
	record->len = 0;
	record->pad = 0;
	record_submit(record);
}

/* A receive has taken one (net/socket.c, 6.2 and later). Of several in a call each is told of. */
SEC("?tp_btf/sock_recv_length")
int BPF_PROG(datagram_taken, struct sock *sk, int returned, int flags)
{
	struct task_state *state = task_state_traced(bpf_get_current_task_btf());
	bool several;

	if (!state || !state->recording || !takes_datagrams(state) || returned < 0 ||
	    flags & MSG_PEEK || (u64)sk != state->operation.object.object.address)
		return 0;
	several = state->operation.nr == __NR_recvmmsg;
	if (state->next_datagram.sender || several)
		datagram_tell(state);
	if (state->next_datagram.sender)
		buffer_gone(state->next_datagram.address);
	if (several)
		datagram_look(state);
	return 0;
}

#endif
