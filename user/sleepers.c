// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "sleepers.h"

#include <string.h>
#include <sys/mman.h>

#define SLEEPERS_LEN (WIRE_SLEEPERS * sizeof(struct wire_sleeper))

const struct wire_sleeper *sleepers_map(int map)
{
	void *sleepers = mmap(NULL, SLEEPERS_LEN, PROT_READ, MAP_SHARED, map, 0);

	return sleepers == MAP_FAILED ? NULL : sleepers;
}

void sleepers_unmap(const struct wire_sleeper *sleepers)
{
	if (sleepers)
		munmap((void *)sleepers, SLEEPERS_LEN);
}

/* False where nobody sleeps there, or somebody came or went while we looked. */
static bool sleeper_copy(const struct wire_sleeper *from, struct wire_sleeper *to)
{
	uint64_t id = __atomic_load_n(&from->id, __ATOMIC_ACQUIRE);

	if (!id)
		return false;
	memcpy(to, from, sizeof(*to));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&from->id, __ATOMIC_RELAXED) == id && to->operation.id == id;
}

static bool sleeper_tell(struct wire_sleeper *sleeper, tracer_record_fn *record, void *context)
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

void sleepers_each(const struct wire_sleeper *sleepers, uint64_t since_ns, tracer_record_fn *record,
		   void *context)
{
	struct wire_sleeper sleeper;

	for (uint32_t i = 0; i < WIRE_SLEEPERS; i++)
		if (sleeper_copy(&sleepers[i], &sleeper) &&
		    sleeper.operation.began_ns <= since_ns &&
		    !sleeper_tell(&sleeper, record, context))
			return;
}
