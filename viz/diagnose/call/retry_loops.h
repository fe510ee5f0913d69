/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Loops of shells that start a command again and again until it succeeds. */
#ifndef VIZ_DIAGNOSE_CALL_RETRY_LOOPS_H
#define VIZ_DIAGNOSE_CALL_RETRY_LOOPS_H

#include "viz/diagnose/core/finder.h"

/*
 * Adds busy-wait for shells whose command has failed in each round until the time limit, or while a
 * look watched them; what else is told of these rounds is dropped.
 */
void report_retry_loops(struct diagnosis *d);

#endif
