/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A process that traces a pair of `top` when it is asked to, and shows the picture. It is forked
 * before `top` gives up its rights for good (user/capture/confinement.h), and keeps them: whoever
 * asks can give it nothing but numbers of processes and seconds.
 */
#ifndef USER_CLI_PAIR_TRACER_H
#define USER_CLI_PAIR_TRACER_H

#include <stdbool.h>
#include <sys/types.h>

#include "viz/format/language.h"
#include "viz/top/screen.h"

/* Zeroed: there is none. */
struct pair_tracer {
	pid_t pid;
	int ask;    /* a struct top_trace written here begins a trace */
	int answer; /* a struct pair_answer comes when the picture was left */
};

#define PAIR_FILE_LEN 256
struct pair_answer {
	bool shown;
	char file[PAIR_FILE_LEN]; /* the trace, which stays; empty: there is none */
};

/* Returns 0 or -errno. */
int pair_tracer_start(struct pair_tracer *tracer, enum language language);

/* False: the process has ended. The trace ends by itself, by Ctrl-C, or with pair_tracer_end(). */
bool pair_tracer_ask(const struct pair_tracer *tracer, const struct top_trace *trace);

/* Ends the process, and what it traces. */
void pair_tracer_end(struct pair_tracer *tracer);

#endif
