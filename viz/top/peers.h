/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Finds the socket that a socket sends to. */
#ifndef VIZ_TOP_PEERS_H
#define VIZ_TOP_PEERS_H

#include "viz/top/top.h"

struct peers;

struct peers *peers_new(struct arena *arena, const struct top_end *ends, size_t count);

/*
 * The socket at which arrives what this end sends; NULL if it is not known, or could be one of
 * several.
 */
const struct top_object *peers_find(const struct peers *peers, const struct top_end *end);

/*
 * True of a connected unix socket that knows its peer by its address alone, and no other socket
 * knows it better: as where a client sends and closes before it is accepted. Later sockets may have
 * the same two addresses.
 */
bool peers_know_addresses_alone(const struct peers *peers, const struct top_object *object);

#endif
