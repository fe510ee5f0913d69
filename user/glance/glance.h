/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Adds what the kernel side cannot see in a glance at the machine: the descriptors that sleeping
 * poll and select calls wait for, from their callers' memory; the types of messages in a System V
 * queue, from the queue; processes that have ended and that nobody has collected, from /proc. Needs
 * the privilege to read these; without it, nothing is added.
 */
#ifndef USER_GLANCE_GLANCE_H
#define USER_GLANCE_GLANCE_H

#include "user/encode/encode.h"

/* Completes the begin records of the calls that the encoder has noted as asleep. */
void glance_complete(struct encoder *encoder);

#endif
