/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds threads asleep in calls for which the kernel side wrote no begin record
 * (bpf/call/sleeper_slots.bpf.h). The kernel side leaves the record's contents in shared memory, so
 * that a short sleep costs no record and only long sleeps are read here.
 */
#ifndef USER_TRACER_SLEEPERS_H
#define USER_TRACER_SLEEPERS_H

#include "user/tracer/tracer.h"

struct sleepers;

int sleepers_open(struct sleepers **sleepers, int map); /* returns 0 or -errno */
void sleepers_close(struct sleepers *sleepers);		/* accepts NULL */

/* As tracer_each_sleeper(). */
void sleepers_each(struct sleepers *sleepers, uint64_t since_ns, tracer_record_fn *record,
		   void *context);

#endif
