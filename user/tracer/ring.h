/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads the ring buffer that carries the kernel side's records. Reading until it is empty might
 * never end while it is being filled, so it is read up to a mark: the fill level at one moment.
 */
#ifndef USER_TRACER_RING_H
#define USER_TRACER_RING_H

#include "user/tracer/tracer.h"

struct ring;
struct bpf_map;

int ring_open(struct ring **ring, const struct bpf_map *map); /* returns 0 or -errno */
void ring_close(struct ring *ring);			      /* accepts NULL */

/*
 * ring_mark() marks how far the ring is filled. ring_drain() hands over the records before the
 * mark, fewer if `record` returns false, and returns their number, or -errno. Losses before a mark
 * are visible to tracer_losses() from then on, so they can be written before all records that came
 * after it.
 */
void ring_mark(struct ring *ring);
int ring_drain(struct ring *ring, tracer_record_fn *record, void *context);
bool ring_passed(const struct ring *ring); /* all records before the mark were handed over */

bool ring_has_much(const struct ring *ring);   /* worth another drain at once */
bool ring_is_crowded(const struct ring *ring); /* less than a quarter is free */
uint64_t ring_crowded_len(uint64_t len);       /* a ring of `len` bytes is so with more than this */
int ring_fd(const struct ring *ring);	       /* readable if it fills faster than it is drained */
int ring_source(const struct ring *ring);      /* the map itself: polls at each wake-up */

#endif
