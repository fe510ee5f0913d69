// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/tracer/sleepers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define SHARED_LEN (WIRE_SLEEPERS * sizeof(struct wire_sleeper))

struct sleepers {
	const struct wire_sleeper *shared; /* shared with the kernel side */
	uint64_t reported[WIRE_SLEEPERS];  /* the operation last handed over from each slot */
};

int sleepers_open(struct sleepers **out, int map)
{
	struct sleepers *sleepers = calloc(1, sizeof(*sleepers));
	void *shared;

	if (!sleepers)
		return -ENOMEM;
	shared = mmap(NULL, SHARED_LEN, PROT_READ, MAP_SHARED, map, 0);
	if (shared == MAP_FAILED) {
		free(sleepers);
		return -errno;
	}
	sleepers->shared = shared;
	*out = sleepers;
	return 0;
}

void sleepers_close(struct sleepers *sleepers)
{
	if (!sleepers)
		return;
	munmap((void *)sleepers->shared, SHARED_LEN);
	free(sleepers);
}

/* False if no thread sleeps in this slot, or the slot changed while it was copied. */
static bool sleeper_copy(const struct wire_sleeper *from, struct wire_sleeper *to)
{
	uint64_t id = __atomic_load_n(&from->id, __ATOMIC_ACQUIRE);

	if (!id)
		return false;
	memcpy(to, from, sizeof(*to));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&from->id, __ATOMIC_RELAXED) == id && to->operation.id == id;
}

static bool sleeper_report(struct wire_sleeper *sleeper, tracer_record_fn *record, void *context)
{
	struct wire_head *head = &sleeper->operation.head;

	sleeper->operation.state = WIRE_BEGIN;
	head->kind = WIRE_OPERATION;
	head->size = sizeof(sleeper->operation);
	if (sleeper->operation.has & WIRE_HAS_DETAILS) {
		sleeper->details.head = *head;
		head = &sleeper->details.head;
		head->kind = WIRE_DETAILED;
		head->size += sizeof(sleeper->details);
	}
	return record(context, head, head->size);
}

void sleepers_each(struct sleepers *sleepers, uint64_t since_ns, tracer_record_fn *record,
		   void *context)
{
	struct wire_sleeper sleeper;

	for (uint32_t i = 0; i < WIRE_SLEEPERS; i++) {
		if (!sleeper_copy(&sleepers->shared[i], &sleeper) ||
		    sleeper.id == sleepers->reported[i] || sleeper.operation.began_ns > since_ns)
			continue;
		if (!sleeper_report(&sleeper, record, context))
			return;
		sleepers->reported[i] = sleeper.id;
	}
}
