/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Templates of findings.def filled in: {name} becomes its value, {name|one|many} the first word
 * where that value is 1, else the second. What has no value stays as it is written.
 */
#ifndef VIZ_FIND_TEXT_H
#define VIZ_FIND_TEXT_H

#include "arena.h"
#include "diagnose.h"

const char *fill_named(struct arena *arena, const char *pattern, const struct finding_value *values,
		       size_t count);

#endif
