/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Children that could not execute a program. */
#ifndef VIZ_DIAGNOSE_PROCESS_FAILED_EXECS_H
#define VIZ_DIAGNOSE_PROCESS_FAILED_EXECS_H

#include "viz/diagnose/core/finder.h"

/*
 * Returns which program the process could not execute, and why, if it is a child that has executed
 * none since fork(2); else NULL.
 */
const char *failed_exec_text(struct diagnosis *d, const struct viz_process *process);

#endif
