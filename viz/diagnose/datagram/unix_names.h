/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Names of unix sockets: who has one, and who has one that only seems to be the same. */
#ifndef VIZ_DIAGNOSE_DATAGRAM_UNIX_NAMES_H
#define VIZ_DIAGNOSE_DATAGRAM_UNIX_NAMES_H

#include "viz/diagnose/core/finder.h"

/* Returns the socket that has this name, and that somebody holds at that time, or NULL. */
const struct viz_channel *unix_socket_named(const struct diagnosis *d, struct viz_bytes name,
					    uint64_t at_ns);

/*
 * Adds to the evidence who has a socket of an abstract name that differs from the one asked for
 * only by NUL bytes at its end: unix(7).
 */
void tell_similar_name(struct diagnosis *d, struct finding *f, const struct viz_operation *op,
		       struct viz_bytes name);

/* Adds to the evidence who listens at a socket of the same file name in another folder. */
void tell_other_folder(struct diagnosis *d, struct finding *f, const struct viz_operation *op);

/* find_unix_datagrams.c: adds datagram-dropped for what was sent to a name that nobody has. */
void report_unix_datagrams(struct diagnosis *d);

#endif
