/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One capture from start to end: starts the command, traces it and its descendants until all have
 * ended, the time is up or the user stops it, and writes the trace.
 */
#ifndef USER_CAPTURE_CAPTURE_H
#define USER_CAPTURE_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "user/capture/process_selection.h"
#include "user/encode/secrets.h"
#include "user/tracer/tracer.h"
#include "viz/format/names.h"

struct capture_options {
	struct tracer_options tracer;
	uint64_t timeout_ns;	    /* 0: no timeout */
	char **command;		    /* NULL-terminated; NULL: join the processes of `selection` */
	struct selection selection; /* with tracer.glance: its `pids` are watched if they run */
	bool renumbers;		    /* a glance makes `pids` the numbers of the trace */
	int output;		    /* the descriptor that the trace is written to */
	bool compress;		    /* the trace: a frame of Zstandard */
	bool output_follows;	    /* a file is to be opened for writing after the trace */
	bool hide_payload;	    /* write digests in place of payloads */
	struct secrets secrets;	    /* what else is kept out of the trace */
	/*
	 * Called before a timeout ends the command, with the traced processes that run then; or
	 * NULL. Returns a descriptor whose whole lines become the trace's last ones; -1: none.
	 */
	int (*before_end)(void *context, const uint32_t *pids, size_t count);
	void *before_end_context;
	bool stdout_to_stderr; /* the command gets stderr as stdout, for stdout carries the trace */
};

struct capture_result {
	enum end_reason why;
	int exec_error; /* 0, or the -errno of the command's failed execve(2) */
	bool has_status;
	int status; /* of the command, in the encoding of wait(2) */
	uint64_t operations;
	uint64_t signals;
	uint64_t lost;
	uint64_t lost_ring; /* those among `lost` that a larger ring would have kept */
	int output_error;   /* 0, or the -errno of the write(2) that failed */
	char error[256];    /* one line for the user if capture_run() failed */
};

/*
 * Returns 0 once the command was started, whatever became of it afterwards; -errno, with
 * result->error set, if nothing was traced.
 */
int capture_run(const struct capture_options *options, struct capture_result *result);

/*
 * Exit status for `ipclens run`: the command's own, 128+n if signal n ended it, 124 after a
 * timeout.
 */
int capture_exit_status(const struct capture_result *result);

#endif
