/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sends that found no room (EAGAIN) and whose data was never sent, though others were later. */
#ifndef VIZ_DIAGNOSE_FIND_REFUSED_SENDS_H
#define VIZ_DIAGNOSE_FIND_REFUSED_SENDS_H

#include "viz/diagnose/core/finder.h"

/*
 * Returns, by index of the operation, whether the send was refused and its data is lost: the same
 * thread of talk (process, channel and destination) sent something else next, and the same data
 * never. NULL where that cannot be told of any, as records are missing.
 */
const bool *refused_sends(struct diagnosis *d);

#endif
