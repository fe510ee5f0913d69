/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Threads asleep in a call for which the kernel side wrote no begin record (bpf/sleeper.h): it
 * leaves what it would say in memory that we share, so a sleep costs no record and we look at those
 * alone that sleep on.
 */
#ifndef USER_SLEEPERS_H
#define USER_SLEEPERS_H

#include "tracer.h"

/* The shared array behind this map's descriptor; NULL with errno set. */
const struct wire_sleeper *sleepers_map(int map);
void sleepers_unmap(const struct wire_sleeper *sleepers); /* NULL is fine */

/* As tracer_each_sleeper(). */
void sleepers_each(const struct wire_sleeper *sleepers, uint64_t since_ns, tracer_record_fn *record,
		   void *context);

#endif
