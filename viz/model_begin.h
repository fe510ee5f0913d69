/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Zero of the clock that people read, in pictures and in findings, whatever a filter leaves out. */
#ifndef VIZ_MODEL_BEGIN_H
#define VIZ_MODEL_BEGIN_H

#include "model.h"

/* When somebody in the trace first did something; of CLOCK_MONOTONIC. */
uint64_t viz_model_begin_ns(const struct viz_model *model);

#endif
