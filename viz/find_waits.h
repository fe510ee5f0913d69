/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The finders of waits among themselves. */
#ifndef VIZ_FIND_WAITS_H
#define VIZ_FIND_WAITS_H

#include "find.h"
#include "wait_graph.h"

bool waits_for_child(const struct wait *wait);

/* The channel whose holders could end it: of a socket the other end. */
const struct viz_channel *other_end(const struct diagnosis *d, const struct wait *wait);

/* Names the wait as evidence, with its process, its operation, and who could end it. */
void finding_wait(struct diagnosis *d, struct finding *f, const struct wait *wait);

/* Finds no-eof; false where it is none. */
bool tell_no_eof(struct diagnosis *d, const struct wait *wait);

/* Finds never-accepted in a glance; false where it is none. */
bool tell_unaccepted(struct diagnosis *d, const struct wait *wait);

#endif
