/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Holds calls that were found asleep (tracer_each_sleeper()) before the records that precede them
 * had left the ring, which lags by seconds while it is full. Each call is handed over after the
 * records of its time: readers of the trace take a call that appears too late for absent. A call
 * whose own record comes first needs no other.
 */
#ifndef USER_TRACER_HELD_SLEEPERS_H
#define USER_TRACER_HELD_SLEEPERS_H

#include "user/tracer/tracer.h"

struct sleeping {
	struct sleep *list;
	size_t count;
	uint64_t first_ns; /* when the first of them fell asleep; UINT64_MAX: none */
};

int sleeping_open(struct sleeping *sleeping); /* returns 0 or -ENOMEM */
void sleeping_close(struct sleeping *sleeping);

/*
 * Copies a begin record. Returns false if there is no room; records that are no operation are
 * ignored.
 */
bool sleeping_add(struct sleeping *sleeping, const void *data, size_t len);

/*
 * Hands over to `record`, and drops, the calls that fell asleep until `until_ns`. A record is valid
 * during the call of `record` only.
 */
void sleeping_report(struct sleeping *sleeping, uint64_t until_ns, tracer_record_fn *record,
		     void *context);

/* Drops a call that has ended. */
void sleeping_drop(struct sleeping *sleeping, uint64_t operation);

/*
 * Returns the operation in this record, which points into `data`; NULL if it has none or is too
 * short.
 */
const struct wire_operation *operation_in(const void *data, size_t len);

#endif
