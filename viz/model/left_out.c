// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Puts in what an operation line leaves out because other keys of it tell the same, unless the line
 * says that it is unknown. In version 1 of the format what is absent is always unknown.
 */
#include "viz/model/builder.h"

#define GIVE(op, key) ((op)->present[VIZ_KEY(key) / 64] |= (uint64_t)1 << VIZ_KEY(key) % 64)

/* A send that does not tell what it was asked to send has sent all of it. */
static void put_requested(struct model_builder *b, struct viz_operation *op)
{
	if (op->role != ROLE_SEND || viz_has(op, requested) || !viz_has(op, returned) ||
	    op->returned < 0 || build_list_has(b, FIELD_operation_unknown, "requested"))
		return;
	op->requested = (uint64_t)op->returned;
	GIVE(op, requested);
}

static void put_sleep(struct viz_operation *op)
{
	if (viz_has(op, off_cpu_ns) || !viz_has(op, began_ns) || op->resumed_ns < op->began_ns)
		return;
	op->off_cpu_ns = op->resumed_ns - op->began_ns;
	GIVE(op, off_cpu_ns);
}

/* A pipe's line that tells where it stood has both numbers of ends, unless both are 1. */
static void put_ends(struct model_builder *b, struct viz_operation *op)
{
	enum mechanism mechanism = op->channel ? op->channel->mechanism : MECH_NONE;

	if ((mechanism != MECH_PIPE && mechanism != MECH_FIFO) || !viz_has(op, at_exit) ||
	    viz_has(op, readers) || viz_has(op, writers) ||
	    build_list_has(b, FIELD_operation_unknown, "readers"))
		return;
	op->readers = op->writers = 1;
	GIVE(op, readers);
	GIVE(op, writers);
}

void build_left_out(struct model_builder *b, struct viz_operation *op)
{
	if (!viz_operation_done(op) || b->model->header.version < 2)
		return;
	put_requested(b, op);
	put_sleep(op);
	put_ends(b, op);
}
