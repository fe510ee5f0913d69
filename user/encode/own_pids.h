/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The numbers that processes have in the pid namespace of ipclens, whose /proc it reads. In the
 * initial one they are those of the trace, and nothing is kept.
 */
#ifndef USER_ENCODE_OWN_PIDS_H
#define USER_ENCODE_OWN_PIDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct own_pids {
	struct own_pid {
		uint32_t pid, here;
	} * list;
	size_t count, room;
	bool counts; /* /proc is of that namespace, and so are the numbers in it */
	bool apart;  /* it is, and the namespace is not the initial one */
};

void own_pids_note(struct own_pids *pids, uint32_t pid, uint32_t here);
void own_pids_free(struct own_pids *pids);

/* The number that the process of the trace has here, and the other way round; 0: none. */
uint32_t pid_here(const struct own_pids *pids, uint32_t pid);
uint32_t pid_of_here(const struct own_pids *pids, uint32_t here);

#endif
