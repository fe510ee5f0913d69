/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The dataset: everything of a trace that the filter lets through, as compact tables, for renderers
 * whose reader chooses what to see. scene_build() makes it only if the request asks for it. Nothing
 * is folded or capped, and each message has a row. Times are nanoseconds of CLOCK_MONOTONIC.
 * References are indices into the dataset's tables; SCENE_NONE is none. Texts are made harmless as
 * in a scene (safe_text.h), but payloads are raw bytes.
 */
#ifndef VIZ_SCENE_DATASET_H
#define VIZ_SCENE_DATASET_H

#include "viz/base/bytes.h"
#include "viz/scene/scene.h"

/* A row of the picture, in causal order. */
struct dataset_row {
	unsigned char kind; /* enum scene_kind */
	unsigned char part; /* enum scene_part */
	uint32_t like;	/* other kinds: rows with equal numbers are folded together; 0: with none */
	uint64_t at_ns; /* the time at which it is drawn */
	uint32_t message;  /* SCENE_MESSAGE, SCENE_SIGNAL: the message; SCENE_EXIT: its SIGCHLD */
	uint32_t text_row; /* other kinds: index of the scene's row, which has ends and texts */
	uint32_t mark;	   /* SCENE_FOUND: index in the scene's marks */
	uint32_t call;	   /* SCENE_FAILED, SCENE_WAITING, SCENE_EOF, SCENE_CONNECT: the call */
};

/* What many messages have in common; messages name their route by index. */
struct dataset_route {
	int from; /* lane, or SCENE_OUTSIDE */
	int to;	  /* lane, SCENE_OUTSIDE, or SCENE_NOWHERE: it was not received */
	enum mechanism mechanism;
	uint32_t object;
	uint32_t label;	    /* signals: the name; a text */
	uint32_t from_name; /* SCENE_OUTSIDE: the name of that process, if known; a text */
	uint32_t to_name;
	uint32_t device;   /* between two machines: scene_device_of(); a text */
	uint32_t outsider; /* enum scene_outsider, of the end that is SCENE_OUTSIDE */
	uint32_t noise;	   /* of a message: NOISE_SELF and the like (fold_noise.c); 0: none */
	uint32_t met;	   /* signals: scene_signal_shape() */
	uint64_t messages;
};

/* What many calls have in common; calls name their site by index. */
struct dataset_site {
	uint32_t thread;
	uint32_t syscall; /* a text */
	int32_t fd;	  /* -1: none */
	uint32_t object;
};

struct dataset_thread {
	int lane;
	uint32_t tid;
	uint32_t name; /* a text */
};

struct dataset_call {
	uint32_t site;
	bool unfinished : 1;   /* exit_ns is then the end of its process or of the trace */
	bool has_returned : 1; /* `returned` is valid */
	int woken_by : 30;     /* lane of who ended its last sleep; SCENE_NOWHERE: not known */
	uint32_t row;	       /* the first row that shows it; SCENE_NONE: none */
	uint32_t error;	       /* a text: "EAGAIN" */
	uint64_t enter_ns;
	uint64_t exit_ns;
	uint64_t off_cpu_ns; /* the part of its time in which it did not run */
	uint64_t resumed_ns; /* when it last ran again; 0: it never slept */
	uint64_t woken_ns;   /* when its last sleep was ended by another; 0: not known */
	uint64_t requested;
	int64_t returned;
	uint32_t waits; /* a text: what a poll, select or epoll waits for */
	uint32_t waker; /* the call that ended its last sleep */
};

/* Extends the scene's lane of the same index. */
struct dataset_lane {
	uint32_t command; /* a text: program and arguments of its last exec. May be "" */
	uint32_t *args;	  /* the same one by one, which are texts */
	size_t arg_count;
	uint32_t path; /* a text: the file of its last exec. May be "" */
	uint32_t host; /* a text: the machine that it is on. May be "" */
	/* By how much the machine's clock may be wrong; SCENE_NEVER: nobody can tell. */
	uint64_t uncertainty_ns;
	int parent; /* lane, SCENE_NOWHERE: none */
	uint64_t start_ns;
	uint64_t end_ns; /* SCENE_NEVER: not within the trace */
	bool before;	 /* it existed when tracing began */
	uint32_t group;	 /* index of the first lane of its group, which is itself if it has none */
	bool crowd;	 /* the lane stands for a process with several threads */
	bool memory;	 /* it is no process, but shared memory */
};

/*
 * A request and its response (viz/account/exchanges.h), all of whose messages the filter lets
 * through.
 */
struct dataset_exchange {
	uint32_t
		*messages; /* those of the request, then those of the response, as they were sent */
	size_t request_count, count;
};

struct scene_dataset {
	struct dataset_row *rows;
	size_t row_count;
	struct scene_message *messages; /* the scene's facts, by id */
	size_t message_count;
	struct dataset_route *routes;
	size_t route_count;
	/*
	 * First the calls that messages and rows refer to, in the order of rows, a send before its
	 * receive; then others that slept.
	 */
	struct dataset_call *calls;
	size_t call_count;
	struct dataset_site *sites;
	size_t site_count;
	struct dataset_thread *threads;
	size_t thread_count;
	struct scene_object *objects; /* the scene's */
	size_t object_count;
	struct dataset_lane *lanes;
	size_t lane_count;
	struct dataset_exchange *exchanges; /* only if they are requested */
	size_t exchange_count;
	char **texts; /* texts[0] is "" */
	size_t text_count;
	uint64_t start_ns; /* time zero of the picture */
	int64_t realtime_offset_ns;
	size_t calls_left_out; /* calls that no row shows and that did not sleep */
	uint32_t host, kernel; /* texts */
	struct arena *arena;
};

#endif
