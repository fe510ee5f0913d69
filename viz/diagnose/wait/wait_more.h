/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Servers that wait to read on the connection of a client which waits for them. */
#ifndef VIZ_DIAGNOSE_WAIT_WAIT_MORE_H
#define VIZ_DIAGNOSE_WAIT_WAIT_MORE_H

#include "viz/diagnose/core/finder.h"
#include "viz/diagnose/graph/wait_graph.h"

/* Returns the wait of a thread that sleeps in a receive at this end of a connection, or NULL. */
const struct wait *wait_to_read_there(const struct diagnosis *d, const struct viz_channel *end);

/*
 * Tells, of a request without an answer, that who received it waits for more of it: as evidence, as
 * {chain}, and with the advice for that. False: it does not.
 */
bool tell_waits_for_more(struct diagnosis *d, struct finding *f, const struct viz_message *request);

#endif
