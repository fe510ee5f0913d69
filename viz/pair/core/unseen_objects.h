/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Marks messages and ends of streams as ambiguous where a process may have moved data in a way that
 * is not in the trace (io_uring, aio: viz/model/unseen.h).
 */
#ifndef VIZ_PAIR_CORE_UNSEEN_OBJECTS_H
#define VIZ_PAIR_CORE_UNSEEN_OBJECTS_H

#include "viz/pair/core/context.h"

/*
 * Called before a message is passed on. Marks it as ambiguous if an unseen send or receive may be
 * the true partner of one of its sides. A message whose receive ended before its send began is
 * split: `message` keeps the receive, and the send is returned as a new message. Else returns NULL.
 */
struct viz_message *pair_mark_unseen(struct pair_context *context, struct viz_message *message);

/* At the end of the trace: sets the fate of a message that pair_mark_unseen() split off. */
void pair_fate_unseen(struct pair_context *context, struct viz_message *message);

/* Marks the cause of an end of stream as ambiguous if the channel may have been used unseen. */
void pair_mark_unseen_end(struct pair_context *context, struct viz_eof *eof);

#endif
