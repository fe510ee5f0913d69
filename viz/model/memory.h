/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who had which shared memory when: System V segments and shared mappings, by attaching them, by
 * being made by a process that had them, or from before the trace. A process loses them by its
 * exit, and by an exec.
 */
#ifndef VIZ_MODEL_MEMORY_H
#define VIZ_MODEL_MEMORY_H

#include "viz/model/model.h"

/* How a process came to have it. */
enum viz_came { CAME_ATTACHED, CAME_BY_FORK, CAME_BEFORE };

/* A process has `memory` in [since_ns, until_ns), however often it attached it meanwhile. */
struct viz_memory_use {
	const struct viz_process *process;
	const struct viz_channel *memory;
	enum viz_came came;
	uint64_t since_ns;
	uint64_t until_ns; /* VIZ_NEVER: it has it when the trace ends */
	bool by_exec;	   /* it lost it by executing another program */
	size_t times;	   /* how often it is attached now; of an ended use 0 */
};

/* True for a call that attaches or detaches shared memory: shmat, shmdt, mmap, munmap. */
bool viz_attaches_memory(const struct viz_operation *op);
bool viz_detaches_memory(const struct viz_operation *op);

/*
 * All uses, sorted by the index of the memory, then by since_ns; in the arena. A child that
 * executes another program without having attached the memory itself is in none.
 * A million are followed: so many more that children had by fork are left out.
 */
struct viz_memory_use *viz_memory_uses(const struct viz_model *model, struct arena *arena,
				       size_t *count, size_t *left_out);

#endif
