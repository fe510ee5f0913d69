/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who is at the other end of a socket, from the kernel's own mouth at the moment of the transfer.
 * Optional: kernels without these tracepoints leave it to addresses.
 */
#ifndef BPF_SOCKET_H
#define BPF_SOCKET_H

#include "bpf/datagram.h"
#include "bpf/netlink.h"
#include "bpf/position.h"

/*
 * Fires in the sender's call for unix and loopback UDP (net/core/sock.c, 6.2 and later). Packets of
 * others may be handled in the same breath, so a UDP socket must be the one addressed: its port is
 * compared in user space, where the address is decoded. The kernel's answer to a netlink message is
 * queued in the very same call: there the address alone tells.
 */
SEC("?tp_btf/sk_data_ready")
int BPF_PROG(socket_data_ready, const struct sock *sk)
{
	struct task_state *state = task_state_traced(bpf_get_current_task_btf());
	struct object object = {};

	if (!state || !state->recording)
		return 0;
	sock_identify(&object, (struct sock *)sk, 0);
	if (object.mechanism == MECH_TCP || object.mechanism == MECH_NETLINK ||
	    (object.mechanism != state->operation.object.mechanism &&
	     object.mechanism != state->details.made[0].mechanism))
		return 0;
	if (state->details.sent < 64)
		state->details.delivered |= 1ULL << (state->details.sent & 63);
	if (state->details.to.address)
		return 0;
	object_of_sock(state, &state->details.to, (struct sock *)sk);
	state->operation.has |= WIRE_HAS_DETAILS;
	return 0;
}

/*
 * A datagram finds no room (net/ipv4/udp.c; the packet is told from 6.10 on). In the sender's own
 * call on loopback, unless somebody else's interrupt takes the packet there: then nobody tells.
 */
SEC("?tp_btf/udp_fail_queue_rcv_skb")
int BPF_PROG(socket_refused, int error, struct sock *sk, struct sk_buff *skb)
{
	struct task_state *state = task_state_traced(bpf_get_current_task_btf());

	if (!state || !state->recording || state->details.sent >= 64 ||
	    state->operation.object.mechanism != MECH_UDP ||
	    port_of_packet(skb, false) != port_of_sock(state->operation.object.object.address))
		return 0;
	buffer_gone((u64)KREAD(skb, head));
	buffer_gone((u64)skb);
	state->details.refused |= 1ULL << (state->details.sent & 63);
	state->operation.has |= WIRE_HAS_DETAILS;
	return 0;
}

/* One message of the call is done, queued or not (net/socket.c, 6.2 and later). */
SEC("?tp_btf/sock_send_length")
int BPF_PROG(socket_sent, struct sock *sk, int returned, int flags)
{
	struct task_state *state = task_state_traced(bpf_get_current_task_btf());

	if (!state || !state->recording)
		return 0;
	state->details.sent++;
	state->operation.has |= WIRE_HAS_DELIVERED | WIRE_HAS_DETAILS;
	return 0;
}

/*
 * Writers of one pipe wait for its lock in turn: who got it when, and where the pipe stood then, is
 * the exact beginning of what they write (locking/mutex.c, 6.1 and later).
 */
SEC("?tp_btf/contention_end")
int BPF_PROG(pipe_locked, void *lock, int returned)
{
	struct task_state *state = task_state_traced(bpf_get_current_task_btf());
	struct pipe_inode_info *pipe;

	if (!state || !state->recording || !(state->operation.has & WIRE_HAS_POSITIONS) ||
	    (state->operation.object.mechanism != MECH_PIPE &&
	     state->operation.object.mechanism != MECH_FIFO))
		return 0;
	pipe = KREAD((struct inode *)state->operation.object.object.address, i_pipe);
	if (!pipe || (u64)lock != (u64)pipe + bpf_core_field_offset(struct pipe_inode_info, mutex))
		return 0;
	if (!turn_locked(state))
		return 0;
	state->details.contended_ns = bpf_ktime_get_ns();
	pipe_position(&state->details.at_lock, pipe);
	state->operation.has |= WIRE_HAS_CONTENDED | WIRE_HAS_DETAILS;
	return 0;
}

/*
 * A sender of TCP has its socket's lock and begins to write (net/ipv4/tcp.c, 6.16 and later): there
 * its first byte lies, whoever else sends on the socket.
 */
SEC("?tp_btf/tcp_sendmsg_locked")
int BPF_PROG(tcp_begins, const struct sock *sk)
{
	struct task_state *state = task_state_transferring(ROLE_SEND);

	if (!state || state->operation.object.mechanism != MECH_TCP ||
	    (u64)sk != state->operation.object.object.address ||
	    (state->operation.has & (WIRE_HAS_POSITIONS | WIRE_HAS_CONTENDED)) !=
		    WIRE_HAS_POSITIONS)
		return 0;
	state->details.contended_ns = bpf_ktime_get_ns();
	tcp_position(&state->details.at_lock, (struct tcp_sock *)sk);
	state->operation.has |= WIRE_HAS_CONTENDED | WIRE_HAS_DETAILS;
	return 0;
}

/* The sender's socket of a unix message is in its buffer, even when the sender is gone. */
SEC("?tp_btf/skb_copy_datagram_iovec")
int BPF_PROG(socket_copied, struct sk_buff *skb, int len)
{
	struct task_state *state = task_state_transferring(ROLE_RECEIVE);
	struct sock *sk;

	if (state && state->operation.object.mechanism == MECH_NETLINK)
		netlink_source_keep(state, skb);
	if (!state || !is_unix(state->operation.object.mechanism))
		return 0;
	sk = KREAD(skb, sk);
	if (!sk)
		return 0;
	skb_copied(state, skb, sk, len);
	if (state->details.from.address)
		return 0;
	object_of_sock(state, &state->details.from, sk);
	state->operation.has |= WIRE_HAS_DETAILS;
	return 0;
}

#endif
