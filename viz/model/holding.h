/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which process held which end of a channel, and from when until when. Part of model.h, which
 * includes it.
 */
#ifndef VIZ_MODEL_HOLDING_H
#define VIZ_MODEL_HOLDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "viz/format/names.h"

struct viz_channel;
struct viz_operation;
struct viz_process;

/* How a process came to hold a descriptor, or lost it. */
enum holding_cause {
	HOLDING_UNKNOWN, /* start: it held it when first seen. end: it still holds it */
	HOLDING_CALL,	 /* by the call in start_op or end_op (open, accept, dup2, close, …) */
	HOLDING_FORK,	 /* start: inherited */
	HOLDING_EXEC,	 /* end: close-on-exec. start: first seen at exec */
	HOLDING_EXIT,	 /* end: the process ended */
};

/*
 * Whether the closed descriptor was the last of its kind, as the kernel counted (`last` in the
 * trace).
 */
enum parting {
	PARTING_UNKNOWN,
	PARTING_LAST,	/* it was the only writing, or only reading, end */
	PARTING_OTHERS, /* another end of its kind was still open when the call returned */
};

/* A process holds an end of a channel as descriptor `fd` in [since_ns, until_ns). */
struct viz_holding {
	struct viz_process *process;
	struct viz_channel *channel;
	uint32_t index; /* in order of since_ns */
	int32_t fd;
	enum access access : 8; /* small, as hostile traces have millions of holdings */
	enum holding_cause start : 8;
	enum holding_cause end : 8;
	enum parting parting : 8;
	bool sent : 1;	   /* calls by which the process sent there are left out */
	uint64_t began_ns; /* end: when the exec was entered, 0: not known */
	const struct viz_operation *start_op;
	const struct viz_operation *end_op; /* NULL also where nobody asks for it while streaming */
	uint64_t since_ns;
	uint64_t until_ns; /* entry of the closing call, or exec or exit; VIZ_NEVER: still held */
	/* fd_table.c only: its neighbours in the same slot, the next one of the same member. */
	struct viz_holding *of_slot, *before_of_slot, *of_member;
};

#endif
