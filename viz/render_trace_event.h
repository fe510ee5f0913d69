/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Trace events on their way out: for render_trace_event.c and render_trace_counter.c. */
#ifndef VIZ_RENDER_TRACE_EVENT_H
#define VIZ_RENDER_TRACE_EVENT_H

#include <stdio.h>

#include "scene.h"

/* A process that cannot be: PID_MAX_LIMIT of include/linux/threads.h. Counters belong to it. */
#define CHANNELS_PID 4194304

struct events {
	const struct scene *scene;
	FILE *out;
	uint64_t start_ns;
	size_t *order;	   /* of the calls: by thread and time */
	uint64_t *exit_ns; /* [call], cut where it would overlap another one */
	bool comma;
};

/* Begins an event at a time of CLOCK_MONOTONIC; it ends with "}". */
void trace_begin_timed(struct events *e, const char *phase, uint32_t pid, uint32_t tid,
		       uint64_t ns);
void trace_put_field(struct events *e, const char *key, const char *text);
/* What a process or thread is called. */
void trace_put_name(struct events *e, const char *what, uint32_t pid, uint32_t tid,
		    const char *name);

/* Levels of channels; 0 or -ENOMEM. */
int trace_put_counters(struct events *e);

#endif
