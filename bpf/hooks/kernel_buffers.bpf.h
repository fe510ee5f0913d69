/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Maintains the map of buffers: which send allocated the buffer that a receive takes. This is exact
 * and needs no order, payload or assumption, because the kernel passes a pointer, and we follow it.
 * It covers AF_UNIX and UDP on loopback (sk_buff), and POSIX and System V queues (msg_msg).
 *
 * Every process of the machine pays for hooks on the allocator's tracepoints, see
 * allocator_filter.bpf.h. They are attached before the first call nevertheless: when messages are
 * sent it is unknown whether another process will join their sender or receiver later and find them
 * waiting. Only if the whole machine is traced are they attached later, when a traced object has
 * two senders or two receivers (user/encode/call_role.c).
 *
 * raw_tp, because 6.1 and 6.12 refuse the `const void *` argument of these in tp_btf programs.
 */
#ifndef BPF_HOOKS_KERNEL_BUFFERS_BPF_H
#define BPF_HOOKS_KERNEL_BUFFERS_BPF_H

#include "bpf/call/buffer_names.bpf.h"
#include "bpf/call/udp_segment.bpf.h"
#include "bpf/object/allocator_filter.bpf.h"
#include "bpf/object/describe.bpf.h"

__u32 frees_followed = 0; /* 1: the hooks of udp_receives.bpf.h that see data freed are attached */

/*
 * Initial buffer number of a message that was begun before the hooks were attached: its earlier
 * buffers were not counted, so no later one may be taken for its first.
 */
#define BUFFERS_UNCOUNTED (1U << 30)

static __always_inline u32 buffers_begin(void)
{
	return buffers_followed ? 0 : BUFFERS_UNCOUNTED;
}

static __always_inline bool has_ports(void)
{
	return KHAS(struct sk_buff, head) && KHAS(struct sk_buff, transport_header);
}

/* True if the kernel has all fields needed to look at datagrams that wait. */
static __always_inline bool has_datagrams(void)
{
	return KHAS(struct sock, sk_receive_queue) && KHAS(struct sk_buff_head, next) &&
	       KHAS(struct udp_sock, reader_queue) && KHAS(struct sk_buff, next) &&
	       KHAS(struct sk_buff, prev) && KHAS(struct sk_buff, alloc_cpu) && has_ports();
}

/*
 * The destination (`to`) or source port in the packet's UDP header, which is in network byte order.
 */
static __always_inline u16 port_of_packet(struct sk_buff *skb, bool to)
{
	u64 header = (u64)KREAD_IF(skb, head) + KREAD(skb, transport_header);
	u16 port = kread_word((void *)(header + (to ? sizeof(u16) : 0))); /* struct udphdr */

	return __builtin_bswap16(port);
}

static __always_inline u16 port_of_sock(u64 sk)
{
	return KREAD((struct sock_common *)sk, skc_num);
}

/*
 * A second buffer of the same message: a multicast has one for each receiver (net/ipv4/udp.c,
 * __udp4_lib_mcast_deliver), all sharing the data. A thread that frees the data then proves
 * nothing, because it may free it for another receiver whose buffer was left to its processor.
 */
static __always_inline void data_shared(struct task_state *state)
{
	u64 address = state->data;
	struct buffer_origin *origin = bpf_map_lookup_elem(&buffers, &address);

	if (origin && origin->port && origin->operation == state->operation.id &&
	    origin->message == state->details.sent)
		bpf_map_delete_elem(&buffers, &address);
	state->data = 0;
}

/* A send has allocated an sk_buff, or a queue's message, at `address`. */
static __always_inline void buffer_born(struct task_state *state, const struct wire_fd *sink,
					u64 address)
{
	struct buffer_origin origin = {.operation = state->operation.id,
				       .object = sink->object.address,
				       .message = state->details.sent,
				       .from = state->put,
				       .buffer = state->buffers++};

	if (sink->mechanism == MECH_UDP) {
		origin.message = state->born_number = segment_born(state);
		origin.object = port_of_sock(sink->object.address);
		state->born = address;
		if (state->data)
			data_shared(state);
	}
	bpf_map_update_elem(&buffers, &address, &origin, BPF_ANY);
}

/*
 * The data of a datagram was allocated. Its receiver frees it, or leaves that to the processor that
 * allocated it.
 */
static __always_inline void data_born(struct task_state *state, const struct wire_fd *sink,
				      u64 address)
{
	struct buffer_origin origin = {.operation = state->operation.id,
				       .object = state->born,
				       .message = state->born_number,
				       .port = port_of_sock(sink->object.address)};

	state->born = 0;
	state->data = address;
	bpf_map_update_elem(&buffers, &address, &origin, BPF_ANY);
}

enum cache { CACHE_OTHER, CACHE_BUFFER, CACHE_DATA };

/*
 * Tells caches apart by the first 15 bytes of their names, skbuff_head_cache and skbuff_small_head.
 */
static __always_inline enum cache cache_of(struct kmem_cache *cache)
{
	char name[16] = "", buffer[16] = "skbuff_head_cac", data[16] = "skbuff_small_he";
	u64 first, second;

	bpf_probe_read_kernel(name, sizeof(name) - 1, KREAD_IF(cache, name));
	first = ((u64 *)name)[0];
	second = ((u64 *)name)[1];
	if (first == ((u64 *)buffer)[0] && second == ((u64 *)buffer)[1])
		return CACHE_BUFFER;
	return first == ((u64 *)data)[0] && second == ((u64 *)data)[1] ? CACHE_DATA : CACHE_OTHER;
}

/* mm/slab_common.c: kmem_cache_alloc(call_site, ptr, cache, …) */
SEC("?raw_tp/kmem_cache_alloc")
int buffer_of_socket(struct bpf_raw_tracepoint_args *context)
{
	struct task_state *state;
	const struct wire_fd *sink;
	enum cache cache;

	if (!is_followed(FOLLOWS_BIRTHS))
		return 0;
	state = task_state_traced(bpf_get_current_task_btf());
	sink = sink_of(state);
	if (!sink || (!is_unix(sink->mechanism) && sink->mechanism != MECH_UDP))
		return 0;
	cache = cache_of((struct kmem_cache *)context->args[2]);
	if (cache == CACHE_BUFFER)
		buffer_born(state, sink, context->args[1]);
	else if (cache == CACHE_DATA && state->born)
		data_born(state, sink, context->args[1]);
	return 0;
}

/*
 * ipc/msgutil.c, load_msg: bytes allocated for the head of a message and the part of it that fits
 * the first page.
 */
static __always_inline u64 msg_alloc_len(u64 message_len)
{
	u64 head = KSIZE(struct msg_msg), room = page_len - head;

	return head + (message_len < room ? message_len : room);
}

/*
 * True for what is as long as an empty message, but is none: behind the message mq_timedsend()
 * allocates the node of its priority (ipc/mqueue.c, struct posix_msg_tree_node), which a receive of
 * another message may free.
 */
static __always_inline bool is_priority_node(const struct task_state *state)
{
	return state->born && state->operation.requested == 0;
}

/* kmalloc(call_site, ptr, bytes_req, …) */
SEC("?raw_tp/kmalloc")
int buffer_of_queue(struct bpf_raw_tracepoint_args *context)
{
	struct task_state *state;

	if (!is_followed(FOLLOWS_BIRTHS))
		return 0;
	state = task_state_transferring(ROLE_SEND);
	if (state && state->born && state->operation.object.mechanism == MECH_UDP)
		data_born(state, &state->operation.object, context->args[1]);
	if (!state || !is_queue(state->operation.object.mechanism) ||
	    !bpf_core_type_exists(struct msg_msg) ||
	    context->args[2] != msg_alloc_len(state->operation.requested) ||
	    is_priority_node(state))
		return 0;
	buffer_born(state, &state->operation.object, context->args[1]);
	state->born = context->args[1];
	if (messages_followed)
		state->operation.followed = 1;
	return 0;
}

/*
 * A message of a queue is freed by the receive that took it: reports its send and forgets it. If a
 * thread that is not traced took it, it is forgotten too, because its address may be that of the
 * next message. Not static for the verifier's sake.
 */
__noinline int message_free(u64 address)
{
	struct task_state *state = task_state_transferring(ROLE_RECEIVE);
	struct copied whole = {};

	if (!state && queues_met && !task_state_traced(bpf_get_current_task_btf()))
		buffer_forget(address);
	if (!state || !is_queue(state->operation.object.mechanism))
		return 0;
	chunk_send(state, address, state->operation.object.object.address, &whole,
		   WIRE_CHUNK_NAMED);
	buffer_forget(address);
	return 0;
}

/* A receive copies `len` bytes of a unix socket's buffer: reports the send that it came from. */
static __always_inline void skb_copied(struct task_state *state, struct sk_buff *skb,
				       struct sock *sender, u32 len)
{
	bool stream = state->operation.object.mechanism == MECH_UNIX_STREAM;
	struct copied copied = {.at = state->copied, .len = len};

	state->copied += len;
	if (!buffers_followed || !has_chunks())
		return;
	if (stream) {
		copied.offset = KREAD((struct unix_skb_parms *)KFIELD(skb, struct sk_buff, cb),
				      consumed);
		copied.buffer_len = KREAD_IF(skb, len);
	}
	chunk_send(state, (u64)skb, (u64)sender, &copied, WIRE_CHUNK_NAMED);
	if ((!stream || copied.offset + len >= copied.buffer_len) && !only_looks(state))
		buffer_forget((u64)skb);
}

#endif
