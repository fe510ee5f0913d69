/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How many buffers of a pipe a write fills (fs/pipe.c, pipe_write()). Only for traces whose pages
 * have the usual length.
 */
#ifndef VIZ_MODEL_PIPE_BUFFERS_H
#define VIZ_MODEL_PIPE_BUFFERS_H

#include <stdint.h>

#include "viz/format/format.h"

/* The buffers that so many bytes fill, the last one perhaps in part. */
static inline uint64_t pipe_buffers_for(uint64_t bytes)
{
	return (bytes + USUAL_PAGE - 1) / USUAL_PAGE;
}

/*
 * The fewest bytes that are in buffers of the write's own, of `moved` that it moved and `asked`
 * that it was to move: those beyond whole pages go into the last buffer that it finds if they fit
 * behind `end`, where that one ends.
 */
static inline uint64_t pipe_least_own(uint64_t asked, uint64_t moved, uint64_t end)
{
	uint64_t part = (asked > moved ? asked : moved) % USUAL_PAGE;

	return part <= moved && end + part <= USUAL_PAGE ? moved - part : moved;
}

#endif
