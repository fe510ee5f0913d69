/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which pipes carry records of one size that are read in pieces of another. Most pipes carry byte
 * streams, whose parts mean nothing; so this asks for much evidence, and says no in doubt.
 */
#ifndef VIZ_DIAGNOSE_TORN_RECORDS_H
#define VIZ_DIAGNOSE_TORN_RECORDS_H

#include "viz/diagnose/core/finder.h"

struct torn_records {
	bool found;
	uint64_t written, asked; /* bytes of each write, and those that each read asks for */
};

/* Returns one for each channel, by its index. They live as long as the diagnosis. */
const struct torn_records *torn_records(struct diagnosis *d);

#endif
