/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The buffer map: which send allocated the buffer that a receive takes. Exact without order,
 * payload or any assumption: the kernel moves a pointer, and we follow it. AF_UNIX and UDP on
 * loopback (sk_buff), POSIX and System V queues (msg_msg).
 *
 * The allocator's tracepoints are paid for by every process of the machine (measured: a loop of
 * unix datagrams 1.19 -> 1.33), so they are attached only once a traced object has two senders or
 * two receivers; with one of each, counting is exact already.
 *
 * raw_tp, because 6.1 and 6.12 refuse the `const void *` argument of these in tp_btf programs.
 */
#ifndef BPF_BUFFER_H
#define BPF_BUFFER_H

#include "bpf/describe.h"

#define MSG_PEEK 0x2
#define MSG_ERRQUEUE 0x2000
#define UNIX_CB_CONSUMED bpf_core_field_offset(struct unix_skb_parms, consumed)

struct buffer_origin {
	u64 operation; /* that allocated it */
	u64 object;  /* on which (UDP: from which port): one used again for another is no old one */
	u32 message; /* index in a sendmmsg */
	u16 port; /* not 0: these are a datagram's data, sent from there; `object` is its buffer */
	u16 fate; /* UDP: enum fate */
};

/* A receive has taken it: as far as anybody can tell, or for certain. */
enum fate { FATE_WAITS, FATE_NAMED, FATE_PROVED };

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, u64);
	__type(value, struct buffer_origin);
} buffers SEC(".maps");

/* Set by user/ once the allocator's hooks are attached: spares the look-up before. */
__u32 buffers_followed = 0;
__u32 frees_followed = 0; /* the same of those of datagram.h */

static __always_inline struct task_state *task_state_transferring(u32 role)
{
	struct task_state *state = task_state_traced(bpf_get_current_task_btf());

	return state && state->recording && state->role == role ? state : 0;
}

static __always_inline bool is_queue(u32 mechanism)
{
	return mechanism == MECH_POSIX_MQ || mechanism == MECH_SYSV_MSG;
}

/* What the current call sends on; NULL: it sends nothing. */
static __always_inline const struct wire_fd *sink_of(const struct task_state *state)
{
	if (!state || !state->recording)
		return 0;
	if (state->role == ROLE_SEND)
		return &state->operation.object;
	return state->role == ROLE_TRANSFER ? &state->details.made[0] : 0;
}

/* A port of the packet's header, which is in the network's byte order: where from, where to. */
static __always_inline u16 port_of_packet(struct sk_buff *skb, bool to)
{
	u64 header = (u64)KREAD(skb, head) + KREAD(skb, transport_header);
	u16 port = kread_word((void *)(header + (to ? sizeof(u16) : 0))); /* struct udphdr */

	return __builtin_bswap16(port);
}

static __always_inline u16 port_of_sock(u64 sk)
{
	return KREAD((struct sock_common *)sk, skc_num);
}

static __always_inline void buffer_born(struct task_state *state, const struct wire_fd *sink,
					u64 address)
{
	struct buffer_origin origin = {.operation = state->operation.id,
				       .object = sink->object.address,
				       .message = state->details.sent};

	if (sink->mechanism == MECH_UDP) {
		origin.object = port_of_sock(sink->object.address);
		state->born = address;
	}
	bpf_map_update_elem(&buffers, &address, &origin, BPF_ANY);
}

/* The data of a datagram: its receiver frees them, or leaves that to whom they came from. */
static __always_inline void data_born(struct task_state *state, const struct wire_fd *sink,
				      u64 address)
{
	struct buffer_origin origin = {.operation = state->operation.id,
				       .object = state->born,
				       .message = state->details.sent,
				       .port = port_of_sock(sink->object.address)};

	state->born = 0;
	bpf_map_update_elem(&buffers, &address, &origin, BPF_ANY);
}

enum cache { CACHE_OTHER, CACHE_BUFFER, CACHE_DATA };

/* The kernel's names for them, cut: skbuff_head_cache, skbuff_small_head. */
static __always_inline enum cache cache_of(struct kmem_cache *cache)
{
	char name[16] = "", buffer[16] = "skbuff_head_cac", data[16] = "skbuff_small_he";
	u64 first, second;

	bpf_probe_read_kernel(name, sizeof(name) - 1, KREAD(cache, name));
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
	struct task_state *state = task_state_traced(bpf_get_current_task_btf());
	const struct wire_fd *sink = sink_of(state);
	enum cache cache;

	if (!sink || (!is_unix(sink->mechanism) && sink->mechanism != MECH_UDP))
		return 0;
	cache = cache_of((struct kmem_cache *)context->args[2]);
	if (cache == CACHE_BUFFER)
		buffer_born(state, sink, context->args[1]);
	else if (cache == CACHE_DATA && state->born)
		data_born(state, sink, context->args[1]);
	return 0;
}

/* ipc/msgutil.c, load_msg: the head of a message and as much of it as fits the first page. */
static __always_inline u64 msg_alloc_len(u64 message_len)
{
	u64 head = bpf_core_type_size(struct msg_msg), room = PAGE_SIZE_LEN - head;

	return head + (message_len < room ? message_len : room);
}

/* kmalloc(call_site, ptr, bytes_req, …) */
SEC("?raw_tp/kmalloc")
int buffer_of_queue(struct bpf_raw_tracepoint_args *context)
{
	struct task_state *state = task_state_transferring(ROLE_SEND);

	if (state && state->born && state->operation.object.mechanism == MECH_UDP)
		data_born(state, &state->operation.object, context->args[1]);
	if (!state || !is_queue(state->operation.object.mechanism) ||
	    context->args[2] != msg_alloc_len(state->operation.requested))
		return 0;
	buffer_born(state, &state->operation.object, context->args[1]);
	return 0;
}

/* Tells that the current receive took `len` bytes from `offset` on of what an earlier send sent. */
static __always_inline void chunk_send(struct task_state *state, u64 address, u64 object,
				       u32 offset, u32 len)
{
	struct buffer_origin *origin = bpf_map_lookup_elem(&buffers, &address);
	struct wire_chunk *record;
	u64 sender;
	u32 message;

	if (!origin || origin->object != object)
		return;
	sender = origin->operation;
	message = origin->message;
	record = record_reserve(struct wire_chunk, WIRE_CHUNK);
	if (!record)
		return;
	record->operation = state->operation.id;
	record->sender = sender;
	record->message = message;
	record->offset = offset;
	record->len = len;
	record->kind = WIRE_CHUNK_NAMED;
	record->at_ns = 0;
	record_submit(record);
}

/*
 * What is taken whole is freed: its address may soon belong to a buffer of somebody whom we do not
 * trace, on the same object, and must not stand for the old one then.
 */
static __always_inline void buffer_gone(u64 address)
{
	bpf_map_delete_elem(&buffers, &address);
}

/* kfree(call_site, ptr): a message is freed by the receive that took it. */
SEC("?raw_tp/kfree")
int buffer_taken(struct bpf_raw_tracepoint_args *context)
{
	struct task_state *state = task_state_transferring(ROLE_RECEIVE);

	if (!state || !is_queue(state->operation.object.mechanism))
		return 0;
	chunk_send(state, context->args[1], state->operation.object.object.address, 0, 0);
	buffer_gone(context->args[1]);
	return 0;
}

/* MSG_PEEK: all stays where it is. */
static __always_inline bool only_looks(const struct task_state *state)
{
	u32 flags = syscall_rows[state->operation.nr & (SYSCALL_ROWS - 1)].flags;

	barrier_var(flags);
	if (flags >= 6)
		return false;
	return state->details.args[flags] & MSG_PEEK;
}

/* Called where a receive copies `len` bytes of a unix socket's buffer. */
static __always_inline void skb_copied(struct task_state *state, struct sk_buff *skb,
				       struct sock *sender, u32 len)
{
	u32 consumed = 0;

	if (!buffers_followed)
		return;
	if (state->operation.object.mechanism == MECH_UNIX_STREAM)
		bpf_probe_read_kernel(&consumed, sizeof(consumed),
				      (void *)skb + bpf_core_field_offset(struct sk_buff, cb) +
					      UNIX_CB_CONSUMED);
	chunk_send(state, (u64)skb, (u64)sender, consumed, len);
	if ((state->operation.object.mechanism != MECH_UNIX_STREAM ||
	     consumed + len >= KREAD(skb, len)) &&
	    !only_looks(state))
		buffer_gone((u64)skb);
}

#endif
