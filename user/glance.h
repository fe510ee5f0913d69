/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a glance at the machine cannot see from the kernel's side: what sleeping calls of poll and
 * select wait for stands in their callers' memory; which messages lie in a System V queue the queue
 * itself tells; which children of a server have ended, /proc. Needs the right to look there; where
 * it is lacking, nothing is added.
 */
#ifndef USER_GLANCE_H
#define USER_GLANCE_H

#include "encode.h"

void glance_complete(struct encoder *encoder);

#endif
