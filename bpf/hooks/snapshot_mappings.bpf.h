/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reports shared memory that a process had before tracing began. No later call names it, so all
 * mappings are looked at once, when processes are joined.
 */
#ifndef BPF_HOOKS_SNAPSHOT_MAPPINGS_BPF_H
#define BPF_HOOKS_SNAPSHOT_MAPPINGS_BPF_H

#include "bpf/hooks/snapshot_threads.bpf.h"
#include "bpf/object/mapped_memory.bpf.h"

static __always_inline void mapping_report(struct task_struct *task, const struct wire_fd *object,
					   u64 start, u64 end)
{
	struct wire_mapping *record = record_reserve(struct wire_mapping, WIRE_MAPPING);

	if (!record)
		return;
	head_fill_of(&record->head, WIRE_MAPPING, sizeof(*record), task);
	record->at_ns = bpf_ktime_get_ns();
	record->object = *object;
	record->address = start;
	record->len = end - start;
	record_submit(record);
}

SEC("iter/task_vma")
int mappings_begin(struct bpf_iter__task_vma *context)
{
	struct task_struct *task = context->task;
	struct vm_area_struct *area = context->vma;
	struct object object = {};
	struct mapping mapping = {};
	struct wire_fd end = {};
	struct task_state *state;

	if (!task || !area || !has_mappings() || !is_leader(task))
		return 0;
	mapping.flags = KREAD(area, vm_flags);
	state = mapping.flags & VM_MAYSHARE ? task_state_traced(task) : 0;
	if (!state)
		return 0;
	mapping.file = KREAD_NUMBER(area, vm_file);
	mapping_identify(&object, &mapping);
	if (object.mechanism == MECH_NONE)
		return 0;
	object_announce(state, &object, mapping.file);
	object_store(&end, &object, -1);
	mapping_report(task, &end, KREAD(area, vm_start), KREAD(area, vm_end));
	return 0;
}

#endif
