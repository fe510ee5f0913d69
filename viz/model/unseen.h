/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Since when data may have been moved by ways that the trace does not record (io_uring, aio,
 * 32-bit calls). From then on, a conclusion drawn from the absence of a send or receive is not
 * exact.
 */
#ifndef VIZ_MODEL_UNSEEN_H
#define VIZ_MODEL_UNSEEN_H

#include "viz/model/model.h"

/* While a trace is read: whether there is such a one already, and notes one that was added. */
bool unseen_is_known(const struct viz_model *model, const struct viz_unseen *unseen);
void unseen_note(struct viz_model *model, struct viz_unseen *unseen);

/*
 * Since when this process may have moved data of any descriptor it holds; VIZ_NEVER: it does not,
 * and if process is NULL.
 */
uint64_t unseen_process_ns(const struct viz_process *process);

/*
 * Since when data of this channel may have been moved by such a way. This never ends: requests
 * under way and rings that the file is registered with keep it open after its descriptor is closed.
 * VIZ_NEVER: never, and if channel is NULL.
 */
uint64_t unseen_channel_ns(const struct viz_model *model, const struct viz_channel *channel);

/* Since when any process may have moved data by such a way; VIZ_NEVER: none ever did. */
uint64_t unseen_any_ns(const struct viz_model *model);

#endif
