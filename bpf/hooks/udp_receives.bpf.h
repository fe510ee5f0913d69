/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds out which send a datagram that a UDP socket receives comes from. A receive passes no
 * tracepoint that has its buffer (net/ipv4/udp.c, udp_recvmsg), but it frees the data that it has
 * taken, which proves it. From 6.18 on, freeing may be left to the processor that allocated the
 * data. So the buffers are also looked up while they wait: when a receive begins, when it has
 * waited and runs again, and between the messages of a recvmmsg. If two receivers see the same
 * datagram, only one of them takes it; viz/ finds out which.
 */
#ifndef BPF_HOOKS_UDP_RECEIVES_BPF_H
#define BPF_HOOKS_UDP_RECEIVES_BPF_H

#include "bpf/call/buffer_names.bpf.h"
#include "bpf/call/msghdr.bpf.h"
#include "bpf/hooks/kernel_buffers.bpf.h"

/*
 * The queue that receives take from. When it is empty, a receive moves all of the other queue,
 * sk_receive_queue, here.
 */
static __always_inline u64 reader_queue(u64 sk)
{
	return (u64)KFIELD(sk, struct udp_sock, reader_queue);
}

/*
 * Address of the first datagram that waits; 0: none. No lock is taken, so the datagrams may be
 * moved to the reader's queue meanwhile; hence the second look.
 */
static __always_inline u64 datagram_first(u64 sk)
{
	u64 first = queue_first(reader_queue(sk)), behind, moved;

	if (first)
		return first;
	behind = queue_first(receive_queue(sk));
	moved = queue_first(reader_queue(sk));
	return moved ? moved : behind;
}

static __always_inline bool takes_datagrams(const struct task_state *state)
{
	return state->operation.object.mechanism == MECH_UDP && state->role == ROLE_RECEIVE &&
	       buffers_followed && has_datagrams();
}

/* Number of MSG_PEEK receives that began and ended, by socket. */
struct peeks {
	u32 begun;
	u32 ended;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, struct peeks);
} peeks_of SEC(".maps");

static __always_inline struct peeks *peeks_of_socket(const struct task_state *state)
{
	u64 sk = state->operation.object.object.address; /* 6.1 accepts only a key on the stack */

	return bpf_map_lookup_elem(&peeks_of, &sk);
}

static __always_inline void peek_begins(struct task_state *state)
{
	struct peeks none = {}, *peeks;
	u64 sk = state->operation.object.object.address;

	bpf_map_update_elem(&peeks_of, &sk, &none, BPF_NOEXIST);
	peeks = peeks_of_socket(state);
	if (!peeks)
		return;
	__sync_fetch_and_add(&peeks->begun, 1);
	state->peeking = 1;
}

static __always_inline void peek_ends(struct task_state *state)
{
	struct peeks *peeks = peeks_of_socket(state);

	state->peeking = 0;
	if (peeks)
		__sync_fetch_and_add(&peeks->ended, 1);
}

static __always_inline u32 peeks_until_now(const struct task_state *state)
{
	struct peeks *peeks = peeks_of_socket(state);

	if (!peeks)
		return 0;
	return peeks->begun == peeks->ended ? peeks->begun : PEEKS_NOW;
}

/* What is known of the buffer or the data at this address; NULL: nothing. */
static __always_inline struct buffer_origin *origin_at(u64 address)
{
	return bpf_map_lookup_elem(&buffers, &address);
}

static __always_inline void buffer_fate(const struct buffer_origin *of, u64 address, u32 fate)
{
	struct buffer_origin *origin = origin_at(address);

	if (origin && origin->operation == of->operation && origin->message == of->message)
		origin->fate = fate;
}

/*
 * True if the sk_buff still has this data, and its ports are the sender's and the receiving
 * socket's.
 */
static __always_inline bool is_buffer_of(const struct task_state *state,
					 const struct buffer_origin *origin, u64 data)
{
	struct sk_buff *skb = (struct sk_buff *)origin->object;

	return (u64)KREAD_IF(skb, head) == data && port_of_packet(skb, false) == origin->port &&
	       port_of_packet(skb, true) == port_of_sock(state->operation.object.object.address);
}

/*
 * Data was freed in a receive, which has taken it; but a receive with MSG_PEEK may free what
 * another one has taken meanwhile, and so may an interrupt that hits the receive. Not static for
 * the verifier's sake.
 */
__noinline int datagram_free(u64 data)
{
	struct task_state *state = task_state_transferring(ROLE_RECEIVE);
	struct buffer_origin *origin;

	if (!state || !takes_datagrams(state) || !frees_followed)
		return 0;
	origin = origin_at(data);
	if (!origin || !origin->port || origin->object == state->datagrams.flushed ||
	    !is_buffer_of(state, origin, data))
		return 0;
	if (!only_looks(state)) {
		state->datagrams.freed = (struct datagram){.address = origin->object,
							   .sender = origin->operation,
							   .message = origin->message};
		buffer_fate(origin, origin->object, FATE_PROVED);
	}
	buffer_forget(data);
	return 0;
}

/* kmem_cache_free(call_site, ptr, cache) */
SEC("?raw_tp/kmem_cache_free")
int datagram_freed(struct bpf_raw_tracepoint_args *context)
{
	if (is_followed(FOLLOWS_DEATHS))
		datagram_free(context->args[1]);
	return 0;
}

/* kfree(call_site, ptr): frees a message of a queue, or the data of a large datagram */
SEC("?raw_tp/kfree")
int buffer_taken(struct bpf_raw_tracepoint_args *context)
{
	if (!is_followed(FOLLOWS_DEATHS | FOLLOWS_STRANGER))
		return 0;
	message_free(context->args[1]);
	datagram_free(context->args[1]);
	return 0;
}

/*
 * A datagram is freed by consume_skb() in a receive. On a kernel where receives leave their buffers
 * to other processors, only an interrupt does that.
 */
static __always_inline void datagram_flush(u64 address)
{
	struct task_state *state = task_state_transferring(ROLE_RECEIVE);

	if (state && takes_datagrams(state) && bpf_core_type_exists(struct skb_defer_node))
		state->datagrams.flushed = address;
}

static __always_inline u64 times_switched(void)
{
	return switches_of(bpf_get_current_task_btf());
}

#define DATAGRAM_LEFT ((u64)1) /* not an address */

/* The datagram after this one; 0: none; DATAGRAM_LEFT: this one has just left the queue. */
static __always_inline u64 datagram_next(u64 sk, u64 address)
{
	struct sk_buff *skb = (struct sk_buff *)address;
	u64 next = (u64)KREAD_IF(skb, next), behind;

	if (next == reader_queue(sk)) {
		behind = queue_first(receive_queue(sk));
		return (u64)KREAD_IF(skb, next) == next ? behind : DATAGRAM_LEFT;
	}
	if (next == receive_queue(sk))
		return 0;
	if (!next)
		return DATAGRAM_LEFT;
	return (u64)KREAD((struct sk_buff *)next, prev) == address ? next : DATAGRAM_LEFT;
}

static __always_inline void datagram_know(struct datagram *datagram, u64 address)
{
	struct buffer_origin *origin = origin_at(address);
	struct sk_buff *skb = (struct sk_buff *)address;

	datagram->address = address;
	if (!origin || origin->fate || origin->object != port_of_packet(skb, false))
		return;
	datagram->sender = origin->operation;
	datagram->message = origin->message;
	datagram->data = (u64)KREAD_IF(skb, head);
	datagram->cpu = KREAD(skb, alloc_cpu);
}

/*
 * Notes the first datagrams that wait. False if one of them left meanwhile, so that those after it
 * were not seen.
 */
static __always_inline bool datagram_walk(struct task_state *state)
{
	u64 sk = state->operation.object.object.address, address = datagram_first(sk);

	for (int i = 0; i < DATAGRAMS_SEEN && address; i++) {
		datagram_know(&state->datagrams.seen[i], address);
		address = datagram_next(sk, address);
		if (address == DATAGRAM_LEFT)
			return false;
	}
	return true;
}

#define WALKS 3

/*
 * Looks at the datagrams that wait, and again if one left meanwhile. Not static for the verifier's
 * sake.
 */
__noinline int datagram_look(struct task_state *state)
{
	bool seen = false;

	if (!state || !has_datagrams())
		return 0;
	for (int i = 0; i < WALKS && !seen; i++) {
		state->datagrams = (struct datagrams){.cpu = bpf_get_smp_processor_id(),
						      .switches = times_switched(),
						      .peeks = peeks_until_now(state)};
		seen = datagram_walk(state);
	}
	return 0;
}

static __always_inline void datagram_first_look(struct task_state *state)
{
	if (only_looks(state))
		peek_begins(state);
	datagram_look(state);
}

/*
 * True if the receive, had it taken a datagram allocated on this processor, would have freed it
 * itself.
 */
static __always_inline bool frees_itself(const struct task_state *state)
{
	const struct datagrams *datagrams = &state->datagrams;

	return bpf_core_type_exists(struct skb_defer_node) && frees_followed && has_switches() &&
	       datagrams->cpu == bpf_get_smp_processor_id() &&
	       datagrams->switches == times_switched() && datagrams->peeks != PEEKS_NOW &&
	       datagrams->peeks == peeks_until_now(state);
}

/* True if the datagram's data was not freed: that would have been seen. */
static __always_inline bool is_not_freed(const struct datagram *datagram)
{
	struct buffer_origin *data = origin_at(datagram->data);

	return data && data->port && data->object == datagram->address &&
	       data->operation == datagram->sender && data->message == datagram->message;
}

/* True if another receive has taken the datagram, exactly. */
static __always_inline bool is_others(const struct datagram *datagram)
{
	struct buffer_origin *origin = origin_at(datagram->address);

	return origin && origin->operation == datagram->sender &&
	       origin->message == datagram->message && origin->fate == FATE_PROVED;
}

/* True if the datagram still waits, rather than a later one at the same address. */
static __always_inline bool is_waiting(const struct datagram *seen)
{
	struct datagram now = {};

	datagram_know(&now, seen->address);
	return now.sender == seen->sender && now.message == seen->message && now.data == seen->data;
}

#define ALL_POSSIBLE (1 << DATAGRAMS_SEEN) /* set if the receive can have taken no other datagram */

/*
 * Which of the datagrams that the receive saw it may have taken, one bit each: those that are gone.
 * Not static for the verifier's sake.
 */
__noinline int datagrams_possible(struct task_state *state)
{
	int possible = 0;
	bool itself;
	u64 first;

	if (!state || !has_datagrams())
		return 0;
	itself = frees_itself(state);
	first = datagram_first(state->operation.object.object.address);
	for (int i = 0; i < DATAGRAMS_SEEN; i++) {
		const struct datagram *seen = &state->datagrams.seen[i];

		if (!seen->sender)
			break;
		if (seen->address == first)
			return is_waiting(seen) ? possible | ALL_POSSIBLE : possible;
		if (!is_others(seen) &&
		    !(itself && seen->cpu == state->datagrams.cpu && is_not_freed(seen)))
			possible |= 1 << i;
	}
	return possible;
}

static __always_inline void datagram_report(struct task_state *state,
					    const struct datagram *datagram,
					    enum wire_chunk_kind kind)
{
	struct wire_chunk *record = record_reserve(struct wire_chunk, WIRE_CHUNK);

	if (!record)
		return;
	record->operation = state->operation.id;
	record->sender = datagram->sender;
	record->message = datagram->message;
	record->offset = 0;
	record->len = 0;
	record->kind = kind;
	record->at = record->from = record->buffer = record->buffer_len = 0;
	record->at_ns = state->operation.nr == __NR_recvmmsg ? bpf_ktime_get_ns() : 0;
	record_submit(record);
}

static __always_inline void datagram_fate(const struct datagram *datagram, enum fate fate)
{
	struct buffer_origin *origin = origin_at(datagram->address);

	if (origin && origin->operation == datagram->sender &&
	    origin->message == datagram->message && origin->fate < fate)
		origin->fate = fate;
}

/*
 * Reports the datagram taken if it is the only possible one; otherwise the first possible one, with
 * the others as alternatives. False if none is possible.
 */
static __always_inline bool datagrams_report(struct task_state *state)
{
	int possible = datagrams_possible(state), some = possible & (ALL_POSSIBLE - 1);
	bool alone = possible & ALL_POSSIBLE && !(some & (some - 1));
	enum wire_chunk_kind kind = alone ? WIRE_CHUNK_PROVED : WIRE_CHUNK_NAMED;

	for (int i = 0; i < DATAGRAMS_SEEN; i++) {
		const struct datagram *seen = &state->datagrams.seen[i];

		if (!(some & 1 << i))
			continue;
		datagram_report(state, seen, kind);
		if (kind != WIRE_CHUNK_OR)
			datagram_fate(seen, alone ? FATE_PROVED : FATE_NAMED);
		kind = WIRE_CHUNK_OR;
	}
	return kind == WIRE_CHUNK_OR;
}

static __always_inline void datagram_reported(struct task_state *state, bool several)
{
	const struct datagram *freed = &state->datagrams.freed;

	if (freed->sender)
		datagram_report(state, freed, WIRE_CHUNK_PROVED);
	else if (!datagrams_report(state) && several)
		datagram_report(state, freed, WIRE_CHUNK_NAMED);
}

/*
 * A receive has taken a datagram (net/socket.c, 6.2 and later). In a recvmmsg, each datagram is
 * reported.
 */
SEC("?tp_btf/sock_recv_length")
int BPF_PROG(datagram_taken, struct sock *sk, int returned, int flags)
{
	struct task_state *state = task_state_traced(bpf_get_current_task_btf());
	bool several;

	if (!state || !state->recording || !takes_datagrams(state) || returned < 0 ||
	    flags & (MSG_PEEK | MSG_ERRQUEUE) || (u64)sk != state->operation.object.object.address)
		return 0;
	several = state->operation.nr == __NR_recvmmsg;
	datagram_reported(state, several);
	if (several)
		datagram_look(state);
	return 0;
}

#endif
