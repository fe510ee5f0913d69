/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Readers of a stream that ask for a short header and then for the rest of the message, whose
 * length it tells: where its sender's calls begin and end does not matter to them.
 */
#ifndef VIZ_DIAGNOSE_FRAMED_READS_H
#define VIZ_DIAGNOSE_FRAMED_READS_H

#include "viz/diagnose/core/finder.h"

struct framed_reads;

/* Looks at all receives of the trace; lives as long as the diagnosis. */
struct framed_reads *framed_reads(struct diagnosis *d);

/* True if all that the process received from the channel was so asked for. */
bool reads_frames(const struct framed_reads *reads, const struct viz_process *process,
		  const struct viz_channel *channel);

#endif
