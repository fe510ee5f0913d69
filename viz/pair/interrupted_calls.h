/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Calls that the handler of a signal interrupted, and that were made anew: by the kernel
 * (SA_RESTART) or by the program, after EINTR. Private to this folder.
 */
#ifndef VIZ_PAIR_INTERRUPTED_CALLS_H
#define VIZ_PAIR_INTERRUPTED_CALLS_H

#include "viz/message/message.h"

/*
 * True if the signal interrupted a call that waited for data, a client or a child, shortly, and
 * that got nothing. Whether it was made anew is told by a later one of its conversation.
 */
bool interrupted_call_is_ordinary(const struct viz_signal *signal);

/* What sort of a call the signal interrupted: the same number for the same; 0: none of those. */
uint64_t interrupted_call_sort(const struct viz_signal *signal);

#endif
