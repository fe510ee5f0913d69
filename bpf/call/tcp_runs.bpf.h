/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds the exact sequence numbers of a call's bytes in a TCP connection, even if other threads
 * send or receive on the same socket. Each piece is copied under the socket's lock, and its
 * sequence number is known there: it is write_seq where tcp_sendmsg_locked() begins a piece, and
 * copied_seq where tcp_recvmsg_locked() does (both are advanced after the copy, net/ipv4/tcp.c).
 * Adjacent pieces form a run. A call that released the lock in between (it slept, or consists of
 * several sends, as sendmmsg and sendfile) may have several runs, with bytes of other calls between
 * them. A run is sent only if the call's positions at entry and exit do not say the same, so a call
 * that has its socket to itself sends none.
 */
#ifndef BPF_CALL_TCP_RUNS_BPF_H
#define BPF_CALL_TCP_RUNS_BPF_H

#include "bpf/call/msghdr.bpf.h"
#include "bpf/call/stream_position.bpf.h"

#define SOCK_DONE 1 /* include/net/sock.h: the peer's FIN has been received */

#define MSG_WAITALL 0x100

/*
 * 1: a traced thread receives from a connection by splice(2) or MSG_TRUNC, so that
 * tcp_rcv_space_adjust is looked at.
 */
__u32 tcp_splices = 0;

static __always_inline void run_report(const struct task_state *state, const struct tcp_run *run,
				       u32 kind)
{
	struct wire_lock_segment *record = record_reserve(struct wire_lock_segment,
							  WIRE_LOCK_SEGMENT);

	if (!record)
		return;
	record->operation = state->operation.id;
	record->from = run->from;
	record->to = run->to;
	record->kind = kind;
	record->pad = 0;
	record_submit(record);
}

/*
 * Adds a piece of `len` bytes at `from`. If it is not adjacent to the current run, that run is sent
 * and a new one begins.
 */
static __always_inline void run_add(const struct task_state *state, struct tcp_run *run, u32 kind,
				    u32 from, u32 len)
{
	if (!len)
		return;
	if (run->state & RUN_ANY && run->to == from) {
		run->to += len;
		return;
	}
	if (run->state & RUN_ANY) {
		run_report(state, run, kind);
		run->state |= RUN_REPORTED;
	}
	run->from = from;
	run->to = from + len;
	run->state |= RUN_ANY;
}

/*
 * False for a socket with a protocol on top (kTLS), which copies other bytes than the sequence
 * numbers count, and for an MPTCP socket, which has no sequence numbers.
 */
static __always_inline bool has_runs(u64 sk)
{
	return has_tcp_positions() && KREAD((struct sock *)sk, sk_protocol) == IPPROTO_TCP &&
	       KHAS(struct inet_connection_sock, icsk_ulp_ops) &&
	       !KREAD((struct inet_connection_sock *)sk, icsk_ulp_ops);
}

/* The descriptor that a call sends on: the sink of a transfer, otherwise its object. */
static __always_inline const struct wire_fd *sending_on(const struct task_state *state)
{
	return state->role == ROLE_TRANSFER ? &state->details.new_fds[0] : &state->operation.object;
}

static __always_inline bool sends_on_tcp(const struct task_state *state)
{
	return (state->role == ROLE_SEND || state->role == ROLE_TRANSFER) &&
	       sending_on(state)->mechanism == MECH_TCP;
}

static __always_inline u32 receive_flags(const struct task_state *state)
{
	u32 flags = syscall_rows[state->operation.nr & (SYSCALL_ROWS - 1)].flags;

	barrier_var(flags);
	return flags < 6 && state->role == ROLE_RECEIVE ? state->details.args[flags] : 0;
}

/*
 * True if the receive has MSG_TRUNC, which on TCP discards bytes without copying them: the caller's
 * memory is unchanged.
 */
static __always_inline bool drops_bytes(const struct task_state *state)
{
	return state->operation.object.mechanism == MECH_TCP && receive_flags(state) & MSG_TRUNC;
}

/*
 * True if all bytes that a MSG_TRUNC receive discards are adjacent: it does not wait for more, so
 * they end at copied_seq of its last piece.
 */
static __always_inline bool drops_at_once(const struct task_state *state)
{
	struct sock *sk = (struct sock *)state->operation.object.object.address;

	return drops_bytes(state) && !(receive_flags(state) & (MSG_WAITALL | MSG_PEEK)) &&
	       row_of(state->operation.nr)->data != DATA_MMSG &&
	       KHAS(struct sock_common, skc_flags) && KHAS(struct sock, sk_rcvlowat) &&
	       KREAD(sk, sk_rcvlowat) <= 1;
}

/*
 * Starts the runs of a call. Data sent with the SYN (MSG_FASTOPEN) is not seen as a piece: a socket
 * without a connection, whose copied_seq is 0, gets no run.
 */
static __always_inline void runs_begin(struct task_state *state)
{
	state->sent_run.state = 0;
	state->taken_run.state = 0;
	if (state->operation.object.mechanism == MECH_TCP &&
	    (state->role == ROLE_TRANSFER || drops_at_once(state)))
		tcp_splices = 1;
	if (!sends_on_tcp(state))
		return;
	if (!KREAD_IF((struct tcp_sock *)sending_on(state)->object.address, copied_seq))
		state->sent_run.state = RUN_BROKEN;
}

/*
 * Called at the start of each iteration of tcp_sendmsg_locked()'s loop, which either writes a piece
 * or waits for room. How much of the message is left at the next iteration tells the length of the
 * piece. `at` is write_seq, `left` in bytes.
 */
static __always_inline void run_writes(struct task_state *state, u32 at, u64 left)
{
	struct tcp_run *run = &state->sent_run;

	if (!(run->state & RUN_WRITING))
		run->moved = 0;
	else if (left > run->left)
		run->state |= RUN_BROKEN;
	else
		run_add(state, run, WIRE_LOCK_SEGMENT_SENT, run->at, run->left - left);
	if (run->state & RUN_WRITING)
		run->moved += run->left - left;
	run->state |= RUN_WRITING;
	run->at = at;
	run->left = left;
}

/*
 * One send of the call has returned: the bytes that it returned tell the length of its last piece.
 */
static __always_inline void run_written(struct task_state *state, s32 returned)
{
	struct tcp_run *run = &state->sent_run;
	u32 last = returned - run->moved;

	if (!(run->state & RUN_WRITING))
		return;
	run->state &= ~RUN_WRITING;
	if (returned <= 0)
		return;
	if (last > run->left)
		run->state |= RUN_BROKEN;
	else
		run_add(state, run, WIRE_LOCK_SEGMENT_SENT, run->at, last);
}

/* The receive copies `len` bytes, which begin at copied_seq. */
static __always_inline void run_copies(struct task_state *state, u32 len)
{
	u64 sk = state->operation.object.object.address;

	if (!(state->operation.has & WIRE_HAS_POSITIONS) || only_looks(state) || !has_runs(sk))
		return;
	run_add(state, &state->taken_run, WIRE_LOCK_SEGMENT_TAKEN,
		KREAD((struct tcp_sock *)sk, copied_seq), len);
}

/*
 * Sequence number after the last byte taken. The FIN has a sequence number too, which is no byte.
 */
static __always_inline u32 taken_until(u64 address)
{
	struct tcp_sock *sk = (struct tcp_sock *)address;
	u32 until = KREAD(sk, copied_seq);

	return KREAD((struct sock_common *)sk, skc_flags) & (1 << SOCK_DONE) &&
			       until == KREAD(sk, rcv_nxt)
		       ? until - 1
		       : until;
}

/*
 * True for a transfer by way of the thread's own pipe, as sendfile(2) does unless its sink is a
 * pipe (fs/splice.c, splice_direct_to_actor).
 */
static __always_inline bool splices_alone(const struct task_state *state)
{
	return !is_pipe(state->details.new_fds[0].mechanism);
}

static __always_inline struct pipe_inode_info *pipe_between(const struct task_state *state)
{
	if (splices_alone(state))
		return KREAD_IF(bpf_get_current_task_btf(), splice_pipe);
	return KREAD_IF((struct inode *)state->details.new_fds[0].object.address, i_pipe);
}

/*
 * A round of splice(2) has ended. It copies nothing: under the socket's lock a round puts the pages
 * that it finds into a pipe, which no other thread can fill meanwhile (net/ipv4/tcp.c,
 * tcp_splice_read; a round that found nothing comes here as well). So what was added to the pipe
 * since the round before is what this round took, and it ends at copied_seq. The first round took
 * whatever the later ones did not; the pipe of sendfile(2) was empty before it.
 */
static __always_inline void run_splices(struct task_state *state, u64 sk)
{
	struct tcp_run *run = &state->taken_run;
	struct pipe_inode_info *pipe = pipe_between(state);
	struct pipe_ring ring;
	u32 head, len;

	if (!pipe || !has_pipe_positions() || !KHAS(struct sock_common, skc_flags)) {
		run->state |= RUN_BROKEN;
		return;
	}
	head = KREAD(pipe, head);
	if (!(run->state & RUN_ROUNDS)) {
		run->state |= RUN_ROUNDS;
		run->at = taken_until(sk);
		run->moved = 0;
		run->left = splices_alone(state) ? KREAD(pipe, tail) : head;
	}
	if (head != (u32)run->left) {
		ring = pipe_ring_of(pipe);
		len = pipe_bytes(&ring, head, run->left);
		if (len == WIRE_UNKNOWN)
			run->state |= RUN_BROKEN;
		else
			run_add(state, run, WIRE_LOCK_SEGMENT_TAKEN, taken_until(sk) - len, len);
		run->moved += len;
	}
	run->left = head;
}

/* A MSG_TRUNC receive has discarded bytes up to copied_seq. */
static __always_inline void run_drops(struct task_state *state, u64 sk)
{
	state->taken_run.state |= RUN_ROUNDS;
	state->taken_run.moved = 0;
	state->taken_run.at = taken_until(sk);
}

/* Adds the bytes of the first round, which are the call's result less what later rounds took. */
static __always_inline void first_round_add(struct task_state *state)
{
	struct tcp_run *run = &state->taken_run, first = {};
	s64 left = state->operation.returned - run->moved;

	if (!(run->state & RUN_ROUNDS) || run->state & RUN_BROKEN || left <= 0)
		return;
	if (state->role == ROLE_RECEIVE) {
		run_add(state, run, WIRE_LOCK_SEGMENT_TAKEN, run->at - left, left);
	} else if (!splices_alone(state)) {
		first.from = run->at - left;
		first.to = run->at;
		run_report(state, &first, WIRE_LOCK_SEGMENT_TAKEN);
	}
}

/* Sends a run at exit unless positions `entry` and `exit` already say the same. */
static __always_inline void run_end(struct task_state *state, struct tcp_run *run, u32 kind,
				    u32 entry, u32 exit)
{
	u32 flags = run->state;

	run->state = 0;
	if (!(flags & RUN_ANY) || flags & (RUN_BROKEN | RUN_WRITING))
		return;
	if (flags & RUN_REPORTED || !(state->operation.has & WIRE_HAS_POSITIONS) ||
	    run->from != entry || run->to != exit)
		run_report(state, run, kind);
}

/* Sends the last runs of a call. at_exit must be known. */
static __always_inline void runs_end(struct task_state *state)
{
	const struct wire_operation *operation = &state->operation;

	first_round_add(state);
	run_end(state, &state->sent_run, WIRE_LOCK_SEGMENT_SENT, operation->at_entry.tcp.write_seq,
		operation->at_exit.tcp.write_seq);
	run_end(state, &state->taken_run, WIRE_LOCK_SEGMENT_TAKEN,
		operation->at_entry.tcp.copied_seq, operation->at_exit.tcp.copied_seq);
}

#endif
