/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The traffic of pipes and connections that are over. A server has a connection for each client: of
 * those that were closed, and of which all has been paired, the engine keeps no more than that two
 * sockets were peers. Private to this folder.
 */
#ifndef VIZ_PAIR_FINISHED_H
#define VIZ_PAIR_FINISHED_H

#include "viz/pair/core/context.h"

/* To be called in each round, once its messages are passed on. */
void finished_put_away(struct pair_context *context);

void finished_free(struct channel_traffic *traffic);

#endif
