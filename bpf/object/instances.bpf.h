/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Numbers for the objects that have none in the kernel. */
#ifndef BPF_OBJECT_INSTANCES_BPF_H
#define BPF_OBJECT_INSTANCES_BPF_H

#include "bpf/core/kernel_access.bpf.h"
#include "bpf/wire/wire.h"

/* Numbers given to objects that have none in the kernel, by address. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, u64);
	__type(value, u64);
} instances SEC(".maps");

__u64 next_instance = 1;

/*
 * Returns the number of an object that has none in the kernel, giving it the next one at the first
 * look. The call that makes such an object forgets its address first, because another object may
 * have been there before.
 */
static __always_inline u64 instance_number(u64 address)
{
	u64 *known = bpf_map_lookup_elem(&instances, &address), number;

	if (known)
		return *known;
	number = WIRE_NUMBERED | (u32)__sync_fetch_and_add(&next_instance, 1);
	bpf_map_update_elem(&instances, &address, &number, BPF_ANY);
	return number;
}

#endif
