/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The priority of the tracer. At that of the programs that it traces it gets one share of the
 * processors among theirs, and the ring overflows: of 160 busy tasks five sixths of the records
 * were lost so, and none at a nice value of -15.
 */
#ifndef USER_CAPTURE_PRIORITY_H
#define USER_CAPTURE_PRIORITY_H

#define PRIORITY_TRACER -15
#define PRIORITY_HOLDER -20 /* of who holds the command: it decides within milliseconds */

/*
 * Raises the priority of the calling process to this nice value (setpriority(2)), if it is not as
 * high already and CAP_SYS_NICE allows it. Returns the nice value before.
 */
int priority_raise(int nice);

/*
 * Goes back to a nice value that priority_raise() returned, which needs no rights. Does nothing if
 * it is PRIORITY_HOLDER.
 */
void priority_restore(int nice);

#endif
