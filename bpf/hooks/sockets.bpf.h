/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Hooks that see the other end of a socket, the lock of a pipe and the bytes of a TCP connection at
 * the moment of the transfer. They are optional: on kernels without these tracepoints, addresses
 * and order must do.
 */
#ifndef BPF_HOOKS_SOCKETS_BPF_H
#define BPF_HOOKS_SOCKETS_BPF_H

#include "bpf/call/stream_position.bpf.h"
#include "bpf/call/tcp_runs.bpf.h"
#include "bpf/call/udp_segment.bpf.h"
#include "bpf/call/unix_splices.bpf.h"
#include "bpf/hooks/udp_receives.bpf.h"
#include "bpf/object/netlink.bpf.h"

static __always_inline void buffer_renumber(u64 address, u32 number)
{
	struct buffer_origin *origin = bpf_map_lookup_elem(&buffers, &address);

	if (origin)
		origin->message = number;
}

/*
 * A segment was queued at `sk`. It is the last one there, unless a receiver was faster or another
 * sender came between. If more buffers were allocated than the message has segments, and all that
 * are none came before the first one, the numbers are too high by as many: corrects it.
 */
static __always_inline void segment_queued(struct task_state *state, u64 sk)
{
	struct segments *segments = &state->segments;
	u32 count = segments_of(segments, state->operation.requested), number, extra;
	u64 queue = receive_queue(sk), last;
	struct buffer_origin *origin;

	extra = segments->buffers - 1 - count;
	if (!extra || segments->buffers <= count || state->operation.nr == __NR_sendmmsg ||
	    !KHAS(struct sk_buff_head, prev) || !KHAS(struct sk_buff, head))
		return;
	last = (u64)KREAD((struct sk_buff_head *)queue, prev);
	origin = last == queue ? NULL : bpf_map_lookup_elem(&buffers, &last);
	number = state->details.sent + segments->renumbered;
	if (!origin || origin->operation != state->operation.id ||
	    origin->message != number + extra)
		return;
	origin->message = number;
	buffer_renumber((u64)KREAD((struct sk_buff *)last, head), number);
	segments->renumbered++;
}

/*
 * The kernel queues a message at its receiver. It fires in the sender's call for unix and loopback
 * UDP (net/core/sock.c, 6.2 and later). Packets of other senders may be handled during the call, so
 * a UDP socket must be the one addressed: user space, which decodes the address, compares the port.
 * A packet tap gets a copy first; its socket is of no mechanism that is traced.
 * The kernel queues its answer to a netlink message during the same call, so for netlink only the
 * address is used.
 */
SEC("?tp_btf/sk_data_ready")
int BPF_PROG(socket_data_ready, const struct sock *sk)
{
	struct task_state *state = task_state_traced(bpf_get_current_task_btf());
	struct object object = {};
	u32 number;

	if (!state || !state->recording)
		return 0;
	sock_identify(&object, (struct sock *)sk, 0);
	if (object.mechanism == MECH_NONE || object.mechanism == MECH_TCP ||
	    object.mechanism == MECH_NETLINK ||
	    (object.mechanism != state->operation.object.mechanism &&
	     object.mechanism != state->details.new_fds[0].mechanism))
		return 0;
	number = segment_handled(state);
	if (state->segments.len)
		segment_queued(state, (u64)sk);
	if (number < 64)
		state->details.delivered |= 1ULL << (number & 63);
	if (state->details.to.address)
		return 0;
	object_of_sock(state, &state->details.to, (struct sock *)sk);
	state->operation.has |= WIRE_HAS_DETAILS;
	return 0;
}

/*
 * A datagram is dropped because the receiver's buffer is full (net/ipv4/udp.c; the packet is an
 * argument from 6.10 on). On loopback this happens in the sender's own call, unless an interrupt
 * during another thread's call handles the packet; the drop is then not recorded.
 */
SEC("?tp_btf/udp_fail_queue_rcv_skb")
int BPF_PROG(socket_refused, int error, struct sock *sk, struct sk_buff *skb)
{
	struct task_state *state = task_state_traced(bpf_get_current_task_btf());
	u32 number;

	if (!state || !state->recording || state->operation.object.mechanism != MECH_UDP ||
	    !has_ports() ||
	    port_of_packet(skb, false) != port_of_sock(state->operation.object.object.address))
		return 0;
	buffer_forget((u64)KREAD_IF(skb, head));
	buffer_forget((u64)skb);
	number = segment_handled(state);
	if (number < 64)
		state->details.refused |= 1ULL << (number & 63);
	state->operation.has |= WIRE_HAS_DETAILS;
	return 0;
}

/*
 * A datagram is dropped because no socket has its port (net/ipv4/udp.c and net/ipv6/udp.c). As for
 * socket_refused(), a packet that is handled during another task's call is not recorded, and one of
 * another sender is not counted.
 */
SEC("?tp_btf/kfree_skb")
int BPF_PROG(socket_absent, struct sk_buff *skb, void *location, u32 reason)
{
	struct task_state *state;

	if (!bpf_core_enum_value_exists(enum skb_drop_reason, SKB_DROP_REASON_NO_SOCKET) ||
	    reason != bpf_core_enum_value(enum skb_drop_reason, SKB_DROP_REASON_NO_SOCKET))
		return 0;
	state = task_state_traced(bpf_get_current_task_btf());
	if (!state || !state->recording || state->operation.object.mechanism != MECH_UDP ||
	    !has_ports() ||
	    port_of_packet(skb, false) != port_of_sock(state->operation.object.object.address))
		return 0;
	state->details.unreached++;
	state->operation.has |= WIRE_HAS_DETAILS;
	return 0;
}

/*
 * One message of the call has been sent, whether it was queued or not (net/socket.c, 6.2 and
 * later).
 */
SEC("?tp_btf/sock_send_length")
int BPF_PROG(socket_sent, struct sock *sk, int returned, int flags)
{
	struct task_state *state = task_state_traced(bpf_get_current_task_btf());

	if (!state || !state->recording)
		return 0;
	if (sends_on_tcp(state)) {
		run_written(state, returned);
		return 0;
	}
	if (state->operation.object.mechanism == MECH_UDP)
		segments_close(state, returned);
	else
		state->details.sent++;
	state->put += returned > 0 ? returned : 0;
	state->buffers = buffers_begin();
	state->operation.has |= WIRE_HAS_DELIVERED | WIRE_HAS_DETAILS;
	return 0;
}

/*
 * The pipe whose position the call records: if it acts on two, the one that it fills. NULL: none.
 */
static __always_inline const struct wire_fd *pipe_filled(const struct task_state *state)
{
	const struct wire_operation *operation = &state->operation;

	if (operation->has & WIRE_HAS_SINK)
		return &state->details.new_fds[0];
	if (operation->has & WIRE_HAS_POSITIONS &&
	    (operation->object.mechanism == MECH_PIPE || operation->object.mechanism == MECH_FIFO))
		return &operation->object;
	return NULL;
}

/*
 * Writers of one pipe wait for its lock in turn. The time at which a call got the lock, and the
 * pipe's position then, are the exact beginning of what it writes (locking/mutex.c, 6.1 and later).
 */
SEC("?tp_btf/contention_end")
int BPF_PROG(pipe_locked, void *lock, int returned)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state = task_state_traced(task);
	struct pipe_inode_info *pipe;
	const struct wire_fd *object;

	if (!state || !state->recording)
		return 0;
	if (splices_stream(state) && is_iolock(state, lock)) {
		taken_look(state);
		return 0;
	}
	object = pipe_filled(state);
	if (!object)
		return 0;
	pipe = KREAD_IF((struct inode *)object->object.address, i_pipe);
	if (!has_pipe_positions() || !pipe || lock != KFIELD(pipe, struct pipe_inode_info, mutex))
		return 0;
	if (!lock_segment_locked(state, task, pipe))
		return 0;
	state->details.contended_ns = bpf_ktime_get_ns();
	pipe_position(&state->details.at_lock, pipe);
	state->operation.has |= WIRE_HAS_CONTENDED | WIRE_HAS_DETAILS;
	return 0;
}

/*
 * A TCP sender holds its socket's lock and begins to write a piece (net/ipv4/tcp.c, 6.16 and
 * later), whose sequence number is therefore exact even if other threads send on the socket.
 */
SEC("?tp_btf/tcp_sendmsg_locked")
int BPF_PROG(tcp_begins, const struct sock *sk, const struct msghdr *msg)
{
	struct task_state *state = task_state_traced(bpf_get_current_task_btf());

	if (!state || !state->recording || !sends_on_tcp(state) ||
	    (u64)sk != sending_on(state)->object.address || !has_runs((u64)sk) ||
	    !KHAS(struct msghdr, msg_iter.count))
		return 0;
	run_writes(state, KREAD((struct tcp_sock *)sk, write_seq),
		   KREAD((struct msghdr *)msg, msg_iter.count));
	return 0;
}

/*
 * A buffer is copied by a thread that is not traced, or in a call that is not recorded, such as
 * io_uring's. It is forgotten: its address may soon belong to another buffer whose send was not
 * seen.
 */
static __always_inline void socket_copied_unseen(struct sk_buff *skb)
{
	u64 address = (u64)skb;

	if (buffers_followed && KREAD_IF(skb, sk) && bpf_map_lookup_elem(&buffers, &address))
		buffer_forget(address);
}

/* consume_skb(skb, …) */
SEC("?raw_tp/consume_skb")
int buffer_freed(struct bpf_raw_tracepoint_args *context)
{
	if (unix_splices)
		taken_freed(context->args[0]);
	if (is_followed(FOLLOWS_DEATHS))
		datagram_flush(context->args[0]);
	return 0;
}

/*
 * TCP bytes are taken by splice(2) or sendfile(2), or discarded by MSG_TRUNC: see tcp_runs.bpf.h.
 */
SEC("?tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(tcp_spliced, struct sock *sk)
{
	struct task_state *state;

	if (!tcp_splices) /* every TCP receive of the machine comes here */
		return 0;
	state = task_state_traced(bpf_get_current_task_btf());
	if (!state || !state->recording || state->operation.object.mechanism != MECH_TCP ||
	    (u64)sk != state->operation.object.object.address || !has_runs((u64)sk))
		return 0;
	if (state->role == ROLE_TRANSFER)
		run_splices(state, (u64)sk);
	else if (drops_at_once(state))
		run_drops(state, (u64)sk);
	return 0;
}

/*
 * A receive copies from a buffer. The buffer of a unix message holds the sender's socket, even if
 * the sender has exited. Of TCP, this shows where the receiver copies from.
 */
SEC("?tp_btf/skb_copy_datagram_iovec")
int BPF_PROG(socket_copied, struct sk_buff *skb, int len)
{
	struct task_state *state = task_state_transferring(ROLE_RECEIVE);
	struct sock *sk;

	if (!state)
		socket_copied_unseen(skb);
	if (state && state->operation.object.mechanism == MECH_NETLINK)
		netlink_source_keep(state, skb);
	if (state && state->operation.object.mechanism == MECH_TCP)
		run_copies(state, len);
	if (!state || !is_unix(state->operation.object.mechanism))
		return 0;
	sk = KREAD_IF(skb, sk);
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
