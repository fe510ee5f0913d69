/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VIZ_DIAGNOSE_DATAGRAM_EMPTY_DATAGRAMS_H
#define VIZ_DIAGNOSE_DATAGRAM_EMPTY_DATAGRAMS_H

#include "viz/diagnose/core/finder.h"

/*
 * Of a datagram that nobody received: adds to the evidence that its receiver took an empty one
 * before it, and received nothing more; returns whether it did.
 */
bool tell_empty_datagram(struct diagnosis *d, struct finding *f, const struct viz_operation *sent);

#endif
