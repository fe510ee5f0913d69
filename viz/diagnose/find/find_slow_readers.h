/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Senders that slept on a full channel, and went on. */
#ifndef VIZ_DIAGNOSE_FIND_SLOW_READERS_H
#define VIZ_DIAGNOSE_FIND_SLOW_READERS_H

struct diagnosis;

/*
 * Adds the finding full-channel for each sender that slept there for a second at once, or for
 * 100 ms and more than half of its life: a note; a warning if that is a second or more, and its
 * reader slept elsewhere for more than half of the time.
 */
void report_slow_readers(struct diagnosis *d);

#endif
