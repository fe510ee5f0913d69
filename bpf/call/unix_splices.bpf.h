/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds out what splice(2) and sendfile(2) take from a unix stream. Nothing is copied, so no
 * tracepoint names the buffers while they are taken. But a call takes the buffers in order, under
 * the socket's iolock, and frees each one that it has taken whole (net/unix/af_unix.c,
 * unix_stream_read_generic). So it can only have taken what lay between the stream's position when
 * it began to look (or ran again after a wait) and its position when it returned. If that is as
 * many bytes as the call returned, no other receiver took any of them, and the chunks are exact. If
 * it is more, another receiver took some, and WIRE_HAS_TAKEN is not set.
 *
 * The position of a stream is its first buffer, the bytes of it already taken, and the number of
 * buffers freed before it. That number is counted here, for streams that traced threads splice
 * from. It is incremented after a buffer has left the queue, so it is read before the queue where a
 * look begins, and after it where one ends.
 */
#ifndef BPF_CALL_UNIX_SPLICES_BPF_H
#define BPF_CALL_UNIX_SPLICES_BPF_H

#include "bpf/call/buffer_names.bpf.h"

/* 1: a traced thread has spliced from a unix stream, so that freed buffers are counted. */
__u32 unix_splices = 0;

/* Count of freed buffers by the socket that sent them; it starts at an arbitrary number. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, u64);
} freed_of SEC(".maps");

static __always_inline bool splices_stream(const struct task_state *state)
{
	return state->role == ROLE_TRANSFER &&
	       state->operation.object.mechanism == MECH_UNIX_STREAM;
}

static __always_inline u64 taken_receiver(const struct task_state *state)
{
	return state->operation.object.object.address;
}

static __always_inline bool has_taken(void)
{
	return has_chunks() && KHAS(struct sock, sk_receive_queue) &&
	       KHAS(struct sk_buff_head, next) && KHAS(struct sk_buff, sk) &&
	       KHAS(struct sock, sk_rcvlowat);
}

static __always_inline u32 taken_of(u64 buffer)
{
	struct sk_buff *skb = (struct sk_buff *)buffer;

	return KREAD((struct unix_skb_parms *)KFIELD(skb, struct sk_buff, cb), consumed);
}

/*
 * False for a receive with SO_RCVLOWAT above 1: it may wait with a part of its bytes taken, and
 * other receivers may take some in between.
 */
static __always_inline bool takes_at_once(u64 sk)
{
	return KREAD((struct sock *)sk, sk_rcvlowat) <= 1;
}

/*
 * Reads the position of the stream, unless the call has freed a buffer. Not static for the
 * verifier's sake.
 */
__noinline int taken_look(struct task_state *state)
{
	struct stream_taking *taking;
	u64 *freed, stream;

	if (!state || !has_taken())
		return 0;
	taking = &state->taking;
	stream = taking->stream;
	freed = bpf_map_lookup_elem(&freed_of, &stream);
	if (!freed || taking->buffers)
		return 0;
	taking->freed = *(volatile u64 *)freed;
	taking->next = queue_first(receive_queue(taken_receiver(state)));
	taking->at = taking->next ? taken_of(taking->next) : 0;
	return 0;
}

/* Called at entry: starts counting for this stream. Not static for the verifier's sake. */
__noinline int taken_begin(struct task_state *state)
{
	struct unix_sock *sk;
	u64 stream, from;

	if (!state)
		return 0;
	state->taking = (struct stream_taking){};
	if (!has_taken() || !buffers_followed)
		return 0;
	sk = (struct unix_sock *)taken_receiver(state);
	stream = (u64)KREAD(sk, peer);
	if (!stream || !takes_at_once((u64)sk))
		return 0;
	unix_splices = 1;
	from = bpf_ktime_get_ns(); /* a count that this socket's address never had before */
	bpf_map_update_elem(&freed_of, &stream, &from, BPF_NOEXIST);
	state->taking.stream = stream;
	taken_look(state);
	return 0;
}

static __always_inline void taken_report(struct task_state *state, u64 buffer, u32 len, u32 of)
{
	struct stream_taking *taking = &state->taking;
	struct copied part = {
		.at = taking->sum, .offset = taking->at, .len = len, .buffer_len = of};

	chunk_send(state, buffer, taking->stream, &part, WIRE_CHUNK_SPLICED);
	taking->sum += len;
	taking->at = 0;
}

/*
 * The call has taken the rest of a buffer. If the freed buffer is not the one that was next,
 * another receiver took part, and nothing more is reported.
 */
static __always_inline void taken_whole(struct task_state *state, u64 buffer, u64 freed)
{
	struct stream_taking *taking = &state->taking;
	u32 len = KREAD((struct sk_buff *)buffer, len);

	if (freed != taking->freed + 1 || (taking->next && taking->next != buffer) ||
	    len < taking->at) {
		taking->stream = 0;
		return;
	}
	taking->freed = freed;
	taking->buffers = 1;
	taken_report(state, buffer, len - taking->at, len);
	taking->next = queue_first(receive_queue(taken_receiver(state)));
}

/*
 * A buffer of a stream is freed, by any thread. It is forgotten, because its address may soon
 * belong to another one. Not static for the verifier's sake.
 */
__noinline int taken_freed(u64 buffer)
{
	u64 stream = (u64)KREAD_IF((struct sk_buff *)buffer, sk), *count, freed;
	struct task_state *state;

	if (!stream || !has_taken())
		return 0;
	count = bpf_map_lookup_elem(&freed_of, &stream);
	if (!count)
		return 0;
	freed = __sync_fetch_and_add(count, 1) + 1;
	state = task_state_transferring(ROLE_TRANSFER);
	if (state && splices_stream(state) && state->taking.stream == stream)
		taken_whole(state, buffer, freed);
	buffer_forget(buffer);
	return 0;
}

/* True if no thread holds the socket's iolock, so that none is receiving now. */
static __always_inline bool is_unlocked(u64 sk)
{
	struct unix_sock *socket = (struct unix_sock *)sk;

	return KHAS(struct unix_sock, iolock.owner.counter) &&
	       !(KREAD(socket, iolock.owner.counter) & ~7UL);
}

static __always_inline bool is_iolock(const struct task_state *state, const void *lock)
{
	return KHAS(struct unix_sock, iolock) &&
	       lock == KFIELD(taken_receiver(state), struct unix_sock, iolock);
}

#define TAKEN_LOOKS 8

/*
 * Finds the first buffer and how much of it is taken. True if it is the one that was next, or if
 * the queue was empty before. In the latter case a buffer may have come and gone without being
 * counted yet while a thread holds the lock, so the look is repeated until the lock is free.
 */
static __always_inline bool taken_to_end(const struct stream_taking *taking, u64 sk, u64 *buffer,
					 u32 *until)
{
	for (int i = 0; i < TAKEN_LOOKS; i++) {
		*buffer = queue_first(receive_queue(sk));
		*until = *buffer ? taken_of(*buffer) : 0;
		if (taking->next)
			return *buffer == taking->next;
		if (is_unlocked(sk))
			return true;
	}
	return false;
}

/*
 * Called at exit: sets WIRE_HAS_TAKEN if the call took everything that has left the queue. Not
 * static for the verifier's sake.
 */
__noinline int taken_end(struct task_state *state)
{
	struct stream_taking *taking;
	u64 sk, buffer = 0, stream, *freed;
	u32 until = 0, left;

	if (!state || !has_taken())
		return 0;
	taking = &state->taking;
	sk = taken_receiver(state);
	stream = taking->stream;
	taking->stream = 0;
	left = (u32)state->operation.returned - taking->sum;
	if (!stream || state->operation.returned <= 0 || !takes_at_once(sk) ||
	    !taken_to_end(taking, sk, &buffer, &until) || until - taking->at != left)
		return 0;
	taking->stream = stream;
	if (left)
		taken_report(state, buffer, left, KREAD((struct sk_buff *)buffer, len));
	taking->stream = 0;
	freed = bpf_map_lookup_elem(&freed_of, &stream);
	if (freed && *(volatile u64 *)freed == taking->freed)
		state->operation.has |= WIRE_HAS_TAKEN;
	return 0;
}

#endif
