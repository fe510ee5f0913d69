/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VIZ_DIAGNOSE_CALL_MISUSE_H
#define VIZ_DIAGNOSE_CALL_MISUSE_H

#include "viz/diagnose/core/finder.h"

/*
 * find_misuse.c: adds the finding misuse or limit-reached of a call that failed: why it did, and
 * what to do. Of several on one channel the first one is told. Returns the finding.
 */
struct finding *report_misuse(struct diagnosis *d, enum finding_id id,
			      const struct viz_operation *op, const char *why, const char *cure);

#endif
