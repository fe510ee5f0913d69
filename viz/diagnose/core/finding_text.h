/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Fills in the templates of findings.def: {name} is replaced by its value, {name|one|many} by the
 * first word if the value is 1, else by the second. A {name} without a value stays as it is. The
 * result lives in `arena`.
 */
#ifndef VIZ_DIAGNOSE_FINDING_TEXT_H
#define VIZ_DIAGNOSE_FINDING_TEXT_H

#include "viz/base/arena.h"
#include "viz/diagnose/diagnose.h"

const char *fill_named(struct arena *arena, const char *pattern, const struct finding_value *values,
		       size_t count);

#endif
