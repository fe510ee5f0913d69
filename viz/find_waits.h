/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The finders of waits among themselves. */
#ifndef VIZ_FIND_WAITS_H
#define VIZ_FIND_WAITS_H

#include "find.h"
#include "wait_graph.h"

#define NAMES_MOST 12 /* more names than this nobody reads */

bool waits_for_child(const struct wait *wait);
bool waits_for_signal(const struct viz_operation *op);
bool waits_to_accept(const struct wait *wait);
bool waits_to_connect(const struct wait *wait);

/* open(2) sleeps where the other end of a FIFO is not open, fifo(7). */
bool waits_to_open(const struct wait *wait);

bool is_semaphore(const struct viz_channel *channel);

/* ping[801] read(3)  pipe:[40211]: only pong[802] (fd 4) can write there */
const char *say_wait(struct diagnosis *d, const struct wait *wait);

/* Who could end it, itself left out; NULL: nobody else. */
const char *say_enders(struct diagnosis *d, const struct wait *wait);

/* Who else could, of whom nobody knows who he is. */
const char *say_others(struct diagnosis *d, const struct wait *wait);

const char *say_more(struct diagnosis *d, size_t count); /* "3 more" */

/* The channel whose holders could end it: of a socket the other end. */
const struct viz_channel *other_end(const struct diagnosis *d, const struct wait *wait);

/* Names the wait as evidence, with its process, its operation, and who could end it. */
void finding_wait(struct diagnosis *d, struct finding *f, const struct wait *wait);

/* Finds no-eof; false where it is none. */
bool tell_no_eof(struct diagnosis *d, const struct wait *wait);

/* Finds never-accepted in a glance; false where it is none. */
bool tell_unaccepted(struct diagnosis *d, const struct wait *wait);

#endif
