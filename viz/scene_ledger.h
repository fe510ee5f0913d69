/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Everything of a trace that the filter lets through, as lean tables: for renderers that let their
 * reader choose what to see. There only where the request asked for it. Nothing is folded or
 * capped, and each message has its row. Times are of CLOCK_MONOTONIC; indices are into the tables
 * of the ledger, LEDGER_NONE where there is none. Texts are harmless as those of a scene, but a
 * message's payload is as it was sent.
 */
#ifndef VIZ_SCENE_LEDGER_H
#define VIZ_SCENE_LEDGER_H

#include "bytes.h"
#include "scene.h"

#define LEDGER_NONE UINT32_MAX

/* A row of the picture, in causal order. */
struct ledger_row {
	unsigned char kind; /* enum scene_kind */
	unsigned char part; /* enum scene_part */
	uint32_t like;	    /* of the others: equal numbers say the same; 0: like none */
	uint64_t at_ns;	    /* where it is drawn */
	uint32_t message;   /* of SCENE_MESSAGE, SCENE_SIGNAL; SCENE_EXIT: its SIGCHLD */
	uint32_t said;	    /* of the others: the scene's row that has ends and words */
	uint32_t mark;	    /* SCENE_FOUND: of the scene's marks */
	uint32_t call;	    /* SCENE_FAILED, SCENE_WAITING, SCENE_EOF, SCENE_CONNECT: the call */
};

/* What many messages have in common. */
struct ledger_route {
	int from; /* lane, SCENE_OUTSIDE */
	int to;	  /* the same, or SCENE_NOWHERE: nobody received it */
	enum mechanism mechanism;
	uint32_t object;
	uint32_t label;	    /* of a signal its name; a text */
	uint32_t from_name; /* of SCENE_OUTSIDE who is there, where that is known; a text */
	uint32_t to_name;
	uint32_t met; /* of a signal: what it met, in a number */
	uint64_t messages;
};

struct ledger_message {
	uint64_t id; /* as `messages` counts */
	uint32_t route;
	unsigned char fate; /* enum fate */
	bool ambiguous;
	bool typed;
	int64_t type; /* or priority */
	uint64_t bytes;
	uint64_t cut;  /* bytes that were sent and not received */
	uint32_t send; /* calls */
	uint32_t receive;
	uint64_t send_offset; /* where in the call's bytes these begin */
	uint64_t receive_offset;
	uint64_t raised_ns; /* of a signal; SCENE_NEVER: not known */
	uint64_t delivered_ns;
	uint64_t returned_ns;
	struct viz_bytes payload; /* of the model */
};

/* What many calls have in common. */
struct ledger_site {
	uint32_t thread;
	uint32_t syscall; /* a text */
	int32_t fd;	  /* -1: none */
	uint32_t object;
};

struct ledger_thread {
	int lane;
	uint32_t tid;
	uint32_t name; /* a text */
};

struct ledger_call {
	uint32_t site;
	bool unfinished; /* then exit_ns is as long as is known */
	bool told;	 /* `returned` holds */
	uint32_t row;	 /* the first that it has part in; LEDGER_NONE: none */
	uint64_t enter_ns;
	uint64_t exit_ns;
	uint64_t off_cpu_ns; /* of which it slept, or was not let run */
	uint64_t resumed_ns; /* when it last ran again; 0: it never slept */
	uint64_t woken_ns;   /* when its last sleep was ended; 0: not known */
	uint64_t requested;
	int64_t returned;
	uint32_t error; /* a text: "EAGAIN" */
	uint32_t waits; /* a text: what it waits for, where the call's object does not say it */
	uint32_t waker; /* the call that ended its last sleep */
	int woken_by;	/* lane of who did; SCENE_NOWHERE: not known */
};

struct ledger_object {
	uint32_t name;
	enum mechanism mechanism;
	bool connected;	   /* a socket to one peer */
	uint64_t capacity; /* bytes, 0: not known */
};

/* Beside the scene's lane of the same index. */
struct ledger_lane {
	uint32_t command; /* a text: program and arguments of its last exec. May be "" */
	int parent;	  /* lane, SCENE_NOWHERE: none */
	uint64_t start_ns;
	uint64_t end_ns; /* SCENE_NEVER: not within the trace */
	bool before;	 /* it was there before the trace */
	uint32_t group;	 /* lane: the first of those that are like it; itself, where none is */
	bool crowd;	 /* several threads stand there */
};

struct scene_ledger {
	struct ledger_row *rows;
	size_t row_count;
	struct ledger_message *messages; /* by id */
	size_t message_count;
	struct ledger_route *routes;
	size_t route_count;
	/* First those of messages, by row, the send before the receive; then others that slept. */
	struct ledger_call *calls;
	size_t call_count;
	struct ledger_site *sites;
	size_t site_count;
	struct ledger_thread *threads;
	size_t thread_count;
	struct ledger_object *objects;
	size_t object_count;
	struct ledger_lane *lanes;
	size_t lane_count;
	char **texts; /* texts[0] is "" */
	size_t text_count;
	uint64_t start_ns; /* of the first row */
	int64_t realtime_offset_ns;
	size_t calls_left_out; /* that moved nothing and did not sleep */
	uint32_t host, kernel; /* texts */
	struct arena *arena;
};

#endif
