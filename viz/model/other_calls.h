/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Calls that are no IPC, and that the trace tells of since they may explain some. */
#ifndef VIZ_MODEL_OTHER_CALLS_H
#define VIZ_MODEL_OTHER_CALLS_H

#include <stdint.h>

#include "viz/base/bytes.h"

struct viz_process;

/* A process found the end of a regular file that is its standard input. */
struct viz_input {
	uint64_t at_ns;
	struct viz_process *process;
	uint64_t inode;
	uint64_t since_ns; /* when its first read there returned */
	uint64_t from;	   /* the offset where that began */
	uint64_t bytes;	   /* that its reads returned in all */
};

/* A program that a thread could not execute, or a file that it has looked for again and again. */
struct viz_failed {
	uint64_t at_ns;	       /* when the call returned, or the last one that the trace tells of */
	uint64_t since_ns;     /* when it looked for the file first */
	uint64_t tries;	       /* since then in a row; of a program: in so many folders */
	struct viz_bytes call; /* the name of the call */
	struct viz_bytes error, path;
};

#endif
