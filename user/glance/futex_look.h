/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* In a glance: what lies at the futex that a call sleeps at, and which thread has the mutex. */
#ifndef USER_GLANCE_FUTEX_LOOK_H
#define USER_GLANCE_FUTEX_LOOK_H

#include <stdint.h>

#include "bpf/wire/wire.h"

/*
 * Fills in what `details` says of the futex at details->args[0] of the process: WIRE_VALID_SEM and
 * the like, and the owner. Nothing, if its memory cannot be read or says nothing.
 */
void futex_look(uint32_t pid, struct wire_details *details);

#endif
