/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One capture from start to end: start the command, trace it and its descendants until all have
 * ended (or the time is up, or the user ends it), write the trace.
 */
#ifndef USER_CAPTURE_H
#define USER_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "selection.h"
#include "tracer.h"
#include "viz/lang/names.h"

struct capture_options {
	struct tracer_options tracer;
	uint64_t timeout_ns;	    /* 0: none */
	char **command;		    /* NULL-terminated; NULL: what `selection` says */
	struct selection selection; /* with tracer.glance: every process of the machine */
	int output;		    /* descriptor that the trace is written to */
	bool hide_payload;	    /* write digests */
	bool stdout_to_stderr;	    /* the command's stdout: the trace has ours */
};

struct capture_result {
	enum end_reason why;
	int exec_error; /* 0, or the -errno why the command could not be executed */
	bool has_status;
	int status; /* of the command, as wait(2) gives it */
	uint64_t operations;
	uint64_t signals;
	uint64_t lost;
	uint64_t lost_ring; /* of which a larger ring would have kept */
	int output_error;   /* 0, or the -errno of the write that failed */
	char error[256];    /* one line for the user where capture_run() failed */
};

/* 0 once the command was let go, whatever became of it; -errno where nothing was traced. */
int capture_run(const struct capture_options *options, struct capture_result *result);

/* Exit status of `ipclens run`: the command's own, 128+n for a signal, 124 after a timeout. */
int capture_exit_status(const struct capture_result *result);

#endif
