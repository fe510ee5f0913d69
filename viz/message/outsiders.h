/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Names the end of a message that is outside the trace, as far as the trace knows it. */
#ifndef VIZ_MESSAGE_OUTSIDERS_H
#define VIZ_MESSAGE_OUTSIDERS_H

#include "viz/message/message.h"

#define OUTSIDE_MAX 8

struct outside {
	/*
	 * Those met at the other end of the channel; if none was, those that held it when tracing
	 * ended.
	 */
	const struct viz_outsider *processes[OUTSIDE_MAX];
	size_t count;
	struct viz_bytes address; /* the other end's address; data may be NULL */
};

/*
 * Fills *outside. False if nothing is known, or if the message has no such end: it was not
 * received, or is a signal or an echo.
 */
bool outside_of(const struct viz_message *message, struct outside *outside);

/*
 * True if `socket` (UDP or TCP) is in own's network namespace and is bound to `address`, or to all
 * addresses while `address` is one of this machine.
 */
bool outside_is_at(const struct viz_channel *socket, struct viz_bytes address,
		   const struct viz_channel *own);

#endif
