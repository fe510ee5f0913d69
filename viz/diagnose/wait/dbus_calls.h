/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Calls of methods over D-Bus, as the payload of the call that sends them tells. */
#ifndef VIZ_DIAGNOSE_WAIT_DBUS_CALLS_H
#define VIZ_DIAGNOSE_WAIT_DBUS_CALLS_H

#include "viz/diagnose/core/finder.h"

/* True if what is sent begins with a call of a method whose caller wants an answer. */
bool dbus_wants_answer(const struct viz_operation *op);

/*
 * Adds to {fate} the service to which the one who received the call, the bus, passed it on. Returns
 * the message that brought it there, or the call if the trace does not tell of one.
 */
const struct viz_message *dbus_tell_service(struct diagnosis *d, struct finding *f,
					    const struct viz_message *call);

#endif
