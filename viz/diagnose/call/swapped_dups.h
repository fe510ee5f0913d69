/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VIZ_DIAGNOSE_CALL_SWAPPED_DUPS_H
#define VIZ_DIAGNOSE_CALL_SWAPPED_DUPS_H

#include "viz/diagnose/core/finder.h"

/* find_swapped_dups.c: adds misuse for each dup2(2) whose arguments stand in the wrong order. */
void report_swapped_dups(struct diagnosis *d);

#endif
