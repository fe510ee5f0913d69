/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whether a signal was to end a process that lives on, and is waited for. */
#ifndef VIZ_DIAGNOSE_PROCESS_HELD_SIGNALS_H
#define VIZ_DIAGNOSE_PROCESS_HELD_SIGNALS_H

#include "viz/diagnose/core/finder.h"

/*
 * True if it was to end a process that lived on when the time limit was over, and whose end is
 * awaited; one that was ignored is then told by find_held_signals(). `d->waits` must be there.
 */
bool signal_is_held(const struct diagnosis *d, const struct viz_signal *s);

#endif
