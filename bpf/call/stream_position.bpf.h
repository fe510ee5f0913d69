/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads where a stream stands at the entry and exit of a call. With it, the order of several
 * writers of a pipe is exact, and the bytes of a TCP connection can be counted across a gap. For a
 * terminal it is the settings of its line, for an eventfd its count.
 */
#ifndef BPF_CALL_STREAM_POSITION_BPF_H
#define BPF_CALL_STREAM_POSITION_BPF_H

#include "bpf/object/terminal.bpf.h"
#include "viz/format/format.h"

struct pipe_ring {
	u64 buffers;
	u32 mask;
};

static __always_inline struct pipe_ring pipe_ring_of(struct pipe_inode_info *pipe)
{
	return (struct pipe_ring){
		.buffers = (u64)KREAD(pipe, bufs),
		.mask = KREAD(pipe, ring_size) - 1, /* a power of two, fs/pipe.c */
	};
}

static __always_inline struct pipe_buffer *pipe_buffer_at(const struct pipe_ring *ring, u32 index)
{
	return (struct pipe_buffer *)(ring->buffers +
				      (index & ring->mask) * KSIZE(struct pipe_buffer));
}

/* True if the kernel has all fields that a pipe's position needs. */
static __always_inline bool has_pipe_positions(void)
{
	return KHAS(struct inode, i_pipe) && KHAS(struct pipe_inode_info, head) &&
	       KHAS(struct pipe_inode_info, tail) && KHAS(struct pipe_inode_info, ring_size) &&
	       KHAS(struct pipe_inode_info, bufs) && KHAS(struct pipe_buffer, offset) &&
	       KFIELD(0, struct pipe_buffer, len) ==
		       KFIELD(sizeof(u32), struct pipe_buffer, offset);
}

/* The unread part of a buffer, in bytes of its page. */
struct pipe_extent {
	u32 offset, len;
};

/*
 * Reads offset and length of a buffer at once. A reader changes both meanwhile (fs/pipe.c,
 * anon_pipe_read): an old offset with a new length would give an end that never existed.
 */
static __always_inline struct pipe_extent pipe_extent_of(struct pipe_buffer *buffer)
{
	struct pipe_extent extent;
	u64 word;

	_Static_assert(offsetof(struct pipe_buffer, len) ==
			       offsetof(struct pipe_buffer, offset) + sizeof(u32),
		       "one word holds both");
	word = kread_word(KFIELD(buffer, struct pipe_buffer, offset));
	__builtin_memcpy(&extent, &word, sizeof(extent));
	return extent;
}

/* Unread bytes of a pipe; WIRE_UNKNOWN if they are in more than WIRE_PIPE_BUFFERS buffers. */
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
	struct pipe_extent first, last;
	bool moved; /* another call has moved the pipe meanwhile */
};

/*
 * True if the last buffer is not filled yet. pipe_write() increments head before filling the slot,
 * so for a moment the slot still describes the previous lap: a buffer read to its end. (A reader
 * leaves such a buffer too, before it increments tail.)
 */
static __always_inline bool pipe_unfilled(const struct pipe_cursor *cursor)
{
	return cursor->head != cursor->tail && !cursor->last.len && cursor->last.offset;
}

static __always_inline struct pipe_cursor pipe_glance(struct pipe_inode_info *pipe,
						      const struct pipe_ring *ring)
{
	struct pipe_cursor cursor = {
		.head = KREAD(pipe, head),
		.tail = KREAD(pipe, tail),
	};

	cursor.first = pipe_extent_of(pipe_buffer_at(ring, cursor.tail));
	cursor.last = pipe_extent_of(pipe_buffer_at(ring, cursor.head - 1));
	cursor.moved = KREAD(pipe, head) != cursor.head || KREAD(pipe, tail) != cursor.tail;
	return cursor;
}

/*
 * The second look is enough where the last buffer was being filled, as it takes longer than that.
 * The slots may be of a later lap than head and tail if the processor was taken away for long
 * between them, by an interrupt or by the host of a virtual machine.
 */
#define PIPE_LOOKS 4

static __always_inline struct pipe_cursor pipe_look(struct pipe_inode_info *pipe,
						    const struct pipe_ring *ring)
{
	struct pipe_cursor cursor = {};

	for (u32 i = 0; i < PIPE_LOOKS && (!i || cursor.moved || pipe_unfilled(&cursor)); i++)
		cursor = pipe_glance(pipe, ring);
	return cursor;
}

static __always_inline void pipe_position(union wire_position *position,
					  struct pipe_inode_info *pipe)
{
	struct pipe_ring ring = pipe_ring_of(pipe);
	struct pipe_cursor cursor = pipe_look(pipe, &ring);
	bool one = cursor.head - cursor.tail == 1;

	position->pipe.head = cursor.head;
	position->pipe.tail = cursor.tail;
	position->pipe.end = cursor.last.offset + cursor.last.len;
	position->pipe.start = one ? cursor.last.offset : cursor.first.offset;
	position->pipe.bytes = one ? cursor.last.len : pipe_bytes(&ring, cursor.head, cursor.tail);
}

static __always_inline bool has_tcp_positions(void)
{
	return KHAS(struct tcp_sock, write_seq) && KHAS(struct tcp_sock, copied_seq) &&
	       KHAS(struct tcp_sock, rcv_nxt) && KHAS(struct tcp_sock, snd_una);
}

/*
 * An MPTCP socket has no sequence numbers of its own; those of its subflows belong to sockets
 * without a descriptor. False for such a socket.
 */
static __always_inline bool tcp_position(union wire_position *position, struct tcp_sock *sk)
{
	if (KREAD((struct sock *)sk, sk_protocol) != IPPROTO_TCP || !has_tcp_positions())
		return false;
	position->tcp.write_seq = KREAD(sk, write_seq);
	position->tcp.copied_seq = KREAD(sk, copied_seq);
	position->tcp.rcv_nxt = KREAD(sk, rcv_nxt);
	position->tcp.snd_una = KREAD(sk, snd_una);
	return true;
}

/*
 * Reads an eventfd's count. The eventfd may have been closed meanwhile and its memory used for
 * another one, which then has a different id. Not static for the verifier's sake, see
 * other_files.bpf.h.
 */
__noinline int counter_position(union wire_position *position, u64 address, u64 number)
{
	struct eventfd_ctx *context = (struct eventfd_ctx *)address;
	u64 before_ns = bpf_ktime_get_ns();

	if (!position || (u32)KREAD_IF(context, id) != (u32)number ||
	    !KHAS(struct eventfd_ctx, count) || !KHAS(struct eventfd_ctx, flags))
		return 0;
	position->counter.at_ns = before_ns;
	position->counter.count = KREAD(context, count);
	position->counter.semaphore = KREAD(context, flags) & EFD_SEMAPHORE;
	return 0;
}

/* At exit, at_ns of an eventfd must be a time after the count was read. */
static __always_inline void position_after(struct wire_operation *operation)
{
	if (operation->object.mechanism == MECH_EVENTFD && operation->at_exit.counter.at_ns)
		operation->at_exit.counter.at_ns = bpf_ktime_get_ns();
}

/* Reads the position of an object; false if its mechanism has none. */
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
	if ((object->mechanism != MECH_PIPE && object->mechanism != MECH_FIFO) ||
	    !has_pipe_positions())
		return false;
	pipe = KREAD((struct inode *)object->object.address, i_pipe);
	if (!pipe)
		return false;
	pipe_position(position, pipe);
	return true;
}

#endif
