/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who listens at the port that a connection was refused at, but at another address: a server at
 * 127.0.0.1 is not reached at [::1], nor at the machine's own address.
 */
#ifndef VIZ_DIAGNOSE_NEAR_LISTENER_H
#define VIZ_DIAGNOSE_NEAR_LISTENER_H

#include "viz/diagnose/core/finder.h"

/* Maps each port, as the text of an address has it, to the TCP sockets that listen there. */
struct map listeners_by_port(struct diagnosis *d);

/* True if a listener of the trace has what is sent to the client's peer address. */
bool is_listened_at(const struct map *listeners, const struct viz_channel *client);

/* Adds to the finding who listened so when the connect was called, if anybody of the trace did. */
void tell_near_listener(struct diagnosis *d, const struct map *listeners, struct finding *f,
			const struct viz_operation *connect);

#endif
