/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Loads the counting programs (bpf/top/), and reads their maps. */
#ifndef USER_TOP_COUNTER_H
#define USER_TOP_COUNTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/top/counts.h"
#include "viz/top/top.h"

struct counter;

/*
 * Counts from now on, all processes but this one. Returns 0, or -errno with one line for the user
 * in `why`. counter_close() accepts NULL.
 */
int counter_open(struct counter **counter, char *why, size_t why_len);
void counter_close(struct counter *counter);

/* Counts what has passed of each sleep that goes on. Needs no rights. Returns 0 or -errno. */
int counter_settle(struct counter *counter);

/*
 * Calls `each` for each end that was counted, with its sums over all processors. Returns 0 or
 * -errno.
 */
typedef void counter_fn(void *context, const struct count_key *key,
			const struct top_counts *counts);
int counter_each(struct counter *counter, counter_fn *each, void *context);

/*
 * Calls `each` for each object of which it is known how full it is now. Needs no rights. Returns 0
 * or -errno.
 */
typedef void counter_fill_fn(void *context, const struct count_fill *fill);
int counter_each_fill(struct counter *counter, counter_fill_fn *each, void *context);

/* False if there is no description; then `object` is left as it was. */
bool counter_object(const struct counter *counter, const struct count_key *key,
		    struct wire_object *object);

/* False if no name is kept; then `comm` is left as it was. */
bool counter_comm(const struct counter *counter, uint32_t pid, char comm[TOP_COMM_LEN]);

/*
 * Make room in the maps. What came to an end since it was read, as `messages` tells, is in the gaps
 * from then on.
 */
void counter_forget_end(struct counter *counter, const struct count_key *key, uint64_t messages);
void counter_forget_object(const struct counter *counter, const struct count_key *key);
void counter_forget_process(const struct counter *counter, uint32_t pid);

void counter_gaps(const struct counter *counter, struct top_gaps *gaps);

#endif
