/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a stream stands at the entry and at the exit of a call: what makes the order of several
 * writers of a pipe decidable, and the bytes of a TCP connection countable across a gap. Of a
 * terminal it is how its line is set, of an eventfd what it holds.
 */
#ifndef BPF_POSITION_H
#define BPF_POSITION_H

#include "bpf/terminal.h"
#include "viz/lang/lang.h"

struct pipe_ring {
	u64 buffers;
	u32 mask;
};

static __always_inline struct pipe_ring pipe_ring_of(struct pipe_inode_info *pipe)
{
	return (struct pipe_ring){
		.buffers = kread_word((char *)pipe +
				      bpf_core_field_offset(struct pipe_inode_info, bufs)),
		.mask = KREAD(pipe, ring_size) - 1, /* a power of two, fs/pipe.c */
	};
}

static __always_inline struct pipe_buffer *pipe_buffer_at(const struct pipe_ring *ring, u32 index)
{
	return (struct pipe_buffer *)(ring->buffers +
				      (index & ring->mask) *
					      bpf_core_type_size(struct pipe_buffer));
}

struct pipe_extent {
	u32 offset, len;
};

/*
 * A reader moves both on while we look (fs/pipe.c, anon_pipe_read): read one by one, an offset from
 * before with a length from after would make an end that never was.
 */
static __always_inline struct pipe_extent pipe_extent_of(struct pipe_buffer *buffer)
{
	struct pipe_extent extent;
	u64 word;

	_Static_assert(offsetof(struct pipe_buffer, len) ==
			       offsetof(struct pipe_buffer, offset) + sizeof(u32),
		       "one word holds both");
	word = kread_word((char *)buffer + bpf_core_field_offset(struct pipe_buffer, offset));
	__builtin_memcpy(&extent, &word, sizeof(extent));
	return extent;
}

static __always_inline u32 pipe_bytes(const struct pipe_ring *ring, u32 head, u32 tail)
{
	u32 bytes = 0;

	if (head - tail > WIRE_PIPE_BUFFERS)
		return WIRE_UNKNOWN;
	for (u32 i = 0; i < WIRE_PIPE_BUFFERS && i < head - tail; i++)
		bytes += KREAD(pipe_buffer_at(ring, tail + i), len);
	return bytes;
}

struct pipe_cursor {
	u32 head, tail;
	struct pipe_extent last;
};

/*
 * A writer counts the head up before he fills the buffer in, which until then is what it was a
 * round of the ring ago: read to its end. (A reader leaves one so before he counts the tail up.)
 */
static __always_inline bool pipe_unfilled(const struct pipe_cursor *cursor)
{
	return cursor->head != cursor->tail && !cursor->last.len && cursor->last.offset;
}

#define PIPE_LOOKS 4 /* one more is enough: it takes longer than he does */

static __always_inline struct pipe_cursor pipe_look(struct pipe_inode_info *pipe,
						    const struct pipe_ring *ring)
{
	struct pipe_cursor cursor = {};

	for (u32 i = 0; i < PIPE_LOOKS && (!i || pipe_unfilled(&cursor)); i++) {
		cursor.head = KREAD(pipe, head);
		cursor.tail = KREAD(pipe, tail);
		cursor.last = pipe_extent_of(pipe_buffer_at(ring, cursor.head - 1));
	}
	return cursor;
}

static __always_inline void pipe_position(union wire_position *position,
					  struct pipe_inode_info *pipe)
{
	struct pipe_ring ring = pipe_ring_of(pipe);
	struct pipe_cursor cursor = pipe_look(pipe, &ring);

	position->pipe.head = cursor.head;
	position->pipe.tail = cursor.tail;
	position->pipe.end = cursor.last.offset + cursor.last.len;
	if (cursor.head - cursor.tail == 1) {
		position->pipe.start = cursor.last.offset;
		position->pipe.bytes = cursor.last.len;
		return;
	}
	position->pipe.start = KREAD(pipe_buffer_at(&ring, cursor.tail), offset);
	position->pipe.bytes = pipe_bytes(&ring, cursor.head, cursor.tail);
}

/* A socket of MPTCP has no sequence of its own: its streams, which nobody has by descriptor, do. */
static __always_inline bool tcp_position(union wire_position *position, struct tcp_sock *sk)
{
	if (KREAD((struct sock *)sk, sk_protocol) != IPPROTO_TCP)
		return false;
	position->tcp.write_seq = KREAD(sk, write_seq);
	position->tcp.copied_seq = KREAD(sk, copied_seq);
	position->tcp.rcv_nxt = KREAD(sk, rcv_nxt);
	position->tcp.snd_una = KREAD(sk, snd_una);
	return true;
}

/*
 * An eventfd may have been closed meanwhile, and be another one now. Not static for the verifier's
 * sake, see special.h.
 */
__noinline int counter_position(union wire_position *position, u64 address, u64 number)
{
	struct eventfd_ctx *context = (struct eventfd_ctx *)address;
	u64 before_ns = bpf_ktime_get_ns();

	if (!position || (u32)KREAD(context, id) != (u32)number)
		return 0;
	position->counter.at_ns = before_ns;
	position->counter.count = KREAD(context, count);
	position->counter.semaphore = KREAD(context, flags) & EFD_SEMAPHORE;
	return 0;
}

/* At exit it is the end of the look that bounds when it was. */
static __always_inline void position_after(struct wire_operation *operation)
{
	if (operation->object.mechanism == MECH_EVENTFD && operation->at_exit.counter.at_ns)
		operation->at_exit.counter.at_ns = bpf_ktime_get_ns();
}

/* False where the object has no such thing. */
static __always_inline bool position_read(union wire_position *position,
					  const struct wire_fd *object)
{
	struct pipe_inode_info *pipe;

	if (object->mechanism == MECH_TCP)
		return tcp_position(position, (struct tcp_sock *)object->object.address);
	if (object->mechanism == MECH_PTY) {
		terminal_position(position, object->object.address, object->object.number);
		return true;
	}
	if (object->mechanism == MECH_EVENTFD) {
		counter_position(position, object->object.address, object->object.number);
		return true;
	}
	if (object->mechanism != MECH_PIPE && object->mechanism != MECH_FIFO)
		return false;
	pipe = KREAD((struct inode *)object->object.address, i_pipe);
	if (!pipe)
		return false;
	pipe_position(position, pipe);
	return true;
}

#endif
