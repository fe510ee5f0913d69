/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* In a glance: what a process has printed and its C library has not written yet. */
#ifndef USER_GLANCE_STDIO_BUFFER_H
#define USER_GLANCE_STDIO_BUFFER_H

#include <stdint.h>
#include <sys/types.h>

/*
 * Returns how many bytes lie in the buffer of stdout (the GNU C library's, of a process of 64 bits)
 * while descriptor 1 is a pipe, a FIFO or a socket. 0: none, or it cannot be known. What the bytes
 * are is not read.
 */
uint64_t stdio_unwritten(pid_t pid);

#endif
