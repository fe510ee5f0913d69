// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/tracer/ring.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct ring {
	struct ring_buffer *buffer;
	int map;
	const unsigned long *consumer, *producer; /* mapped kernel pages: ever-growing positions */
	unsigned long mark, len;
	tracer_record_fn *record;
	void *context;
	int drained;
};

static unsigned long consumed(const struct ring *ring)
{
	return __atomic_load_n(ring->consumer, __ATOMIC_ACQUIRE);
}

/*
 * Returns the bytes that a record takes in the ring: each has a header, and both are rounded up
 * (kernel/bpf/ringbuf.c).
 */
static unsigned long room_of(size_t len)
{
	return (len + BPF_RINGBUF_HDR_SZ + 7) / 8 * 8;
}

/* libbpf advances the consumer's position after each record, discarded ones included. */
static int record_arrived(void *context, void *data, size_t len)
{
	struct ring *ring = context;
	unsigned long behind = consumed(ring) + room_of(len);

	ring->drained++;
	if (!ring->record(ring->context, data, len))
		return -EAGAIN;
	return (long)(behind - ring->mark) < 0 ? 0 : -EAGAIN;
}

/*
 * The consumer's position is in the first page, the producer's in the second
 * (include/uapi/linux/bpf.h).
 */
static const unsigned long *position_map(int map, off_t page)
{
	long page_len = sysconf(_SC_PAGESIZE);
	void *position = mmap(NULL, (size_t)page_len, PROT_READ, MAP_SHARED, map, page * page_len);

	return position == MAP_FAILED ? NULL : position;
}

static void position_unmap(const unsigned long *position)
{
	if (position)
		munmap((void *)position, (size_t)sysconf(_SC_PAGESIZE));
}

int ring_open(struct ring **out, const struct bpf_map *records)
{
	struct ring *ring = calloc(1, sizeof(*ring));
	int error, map = bpf_map__fd(records);

	if (!ring)
		return -ENOMEM;
	ring->map = map;
	ring->len = bpf_map__max_entries(records);
	ring->consumer = position_map(map, 0);
	ring->producer = position_map(map, 1);
	ring->buffer = ring_buffer__new(map, record_arrived, ring, NULL);
	if (!ring->consumer || !ring->producer || !ring->buffer) {
		error = errno ? -errno : -ENOMEM;
		ring_close(ring);
		return error;
	}
	*out = ring;
	return 0;
}

void ring_close(struct ring *ring)
{
	if (!ring)
		return;
	ring_buffer__free(ring->buffer);
	position_unmap(ring->consumer);
	position_unmap(ring->producer);
	free(ring);
}

static unsigned long produced(const struct ring *ring)
{
	return __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);
}

void ring_mark(struct ring *ring)
{
	ring->mark = produced(ring);
}

static unsigned long filled(const struct ring *ring)
{
	unsigned long from = consumed(ring);

	return produced(ring) - from;
}

#define MUCH (64UL * 1024) /* some hundred records; an eighth of a smaller ring */

bool ring_has_much(const struct ring *ring)
{
	return filled(ring) > (ring->len / 8 < MUCH ? ring->len / 8 : MUCH);
}

uint64_t ring_crowded_len(uint64_t len)
{
	return len / 4 * 3;
}

bool ring_is_crowded(const struct ring *ring)
{
	return filled(ring) > ring_crowded_len(ring->len);
}

bool ring_passed(const struct ring *ring)
{
	return (long)(consumed(ring) - ring->mark) >= 0;
}

int ring_drain(struct ring *ring, tracer_record_fn *record, void *context)
{
	int error;

	ring->record = record;
	ring->context = context;
	ring->drained = 0;
	if (ring_passed(ring))
		return 0;
	error = ring_buffer__consume(ring->buffer);
	return error < 0 && error != -EAGAIN ? error : ring->drained;
}

int ring_fd(const struct ring *ring)
{
	return ring_buffer__epoll_fd(ring->buffer);
}

int ring_source(const struct ring *ring)
{
	return ring->map;
}
