/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What to draw: lanes, rows and bars, after filters and caps. A renderer knows this header and
 * nothing of models or messages, so that a filter or a fold is written once and holds in every
 * format. Rows are in causal order: nothing is received above the row that sent it.
 *
 * All strings here are valid UTF-8 without control characters or bidi controls (scene_text.h makes
 * them so), never NULL, and belong to the scene. They may still hold what a format must escape.
 */
#ifndef VIZ_SCENE_H
#define VIZ_SCENE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "findings.h"
#include "lang/lang.h"

/* A row's end that is no lane. */
enum { SCENE_NOWHERE = -1, SCENE_OUTSIDE = -2 };

#define SCENE_NO_ROW SIZE_MAX

enum scene_kind {
	SCENE_MESSAGE, /* from -> to: data */
	SCENE_SIGNAL,  /* from -> to: a signal */
	SCENE_EOF,     /* from -> to: the last writing end was closed, the reader learns it */
	SCENE_CONNECT, /* from -> to: connect met accept */
	SCENE_FORK,    /* from -> to: lane `to` begins */
	SCENE_EXEC,    /* at from: another program, `label` names it */
	SCENE_EXIT,    /* at from: the lane ends; `to` is who is told by SIGCHLD, if drawn */
	SCENE_IDLE,    /* nobody did anything for a while */
	SCENE_FAILED,  /* at from: an operation failed */
	SCENE_WAITING, /* at from: still waiting when the trace ended */
	SCENE_NOTE,    /* at from or nowhere: worth telling (records lost, rows left out) */
	SCENE_LOOP,    /* nowhere: the rows up to its end are drawn once and happened often */
	SCENE_LOOP_END,
	SCENE_FOUND, /* at from or nowhere: what diagnose found, `label` names it */
	SCENE_KIND_COUNT
};

/* How an arrow is drawn. */
enum scene_style {
	SCENE_COPY,    /* ━ data is copied */
	SCENE_CONTROL, /* ─ something else happens */
	SCENE_NOTIFY   /* ┄ a signal */
};

/*
 * A message that was received where one straight arrow would lie about the order is two rows, sent
 * and received, tied by a number. Those never received have only the first.
 */
enum scene_part {
	SCENE_WHOLE,
	SCENE_SENT,	/* the leaving half: `tie` names the other one */
	SCENE_RECEIVED, /* the arriving half */
	SCENE_UNREAD,	/* nobody received it: it still lies in the channel, or is pending */
	SCENE_DROPPED,	/* it was thrown away or refused */
	SCENE_ENTERS /* into the kernel's lane or the channel's, from where another row goes on */
};

struct scene_row {
	enum scene_kind kind;
	enum scene_style style;
	enum scene_part part;
	enum mechanism mechanism; /* MECH_NONE: none */
	uint64_t at_ns;		  /* since the scene began */
	int from;		  /* lane, SCENE_NOWHERE or SCENE_OUTSIDE */
	int to;
	bool ambiguous;		/* the trace allows another pairing */
	bool important;		/* its detail is worth a line of its own where room is short */
	unsigned tie;		/* SCENE_SENT, SCENE_RECEIVED: number of the message */
	uint64_t bytes;		/* moved by this row */
	size_t folded;		/* more messages like this one that the row stands for */
	enum severity severity; /* SCENE_FOUND, else SEVERITY_NONE */
	char *label;		/* short: "pipe 24 B", "EOF", "exit 0" */
	char *brief;		/* shorter still, where that is too long: "24 B". May be "" */
	char *told;		/* SCENE_EXIT with `to`: what the arrow says, "SIGCHLD". Else "" */
	char *payload;		/* quoted, with … where it was cut: "a.c\nb.c\n"…. May be "" */
	char *detail;		/* "wc was blocked 48.9 µs". May be "" */
	char *outside;		/* name of the SCENE_OUTSIDE end. May be "" */
	char *channel;		/* "pipe:[40211]". May be "" */
};

enum scene_lane_kind {
	SCENE_LANE_PROCESS,
	SCENE_LANE_THREAD,
	SCENE_LANE_GROUP,   /* of like processes */
	SCENE_LANE_KERNEL,  /* through which all goes */
	SCENE_LANE_CHANNEL, /* through which its messages go */
};

struct scene_lane {
	enum scene_lane_kind kind;
	char *title;	  /* name of its last program, or of the channel */
	uint32_t pid;	  /* 0: it has none */
	uint32_t tid;	  /* of a thread, else 0 */
	size_t first_row; /* lives in rows [first_row, last_row] */
	size_t last_row;  /* SCENE_NO_ROW: beyond the end */
	bool born;	  /* its birth is the row first_row; false: it was there before */
	bool ended;	  /* its end is the row last_row */
	size_t messages;  /* of rows that begin or end here: how busy it is */
};

enum scene_bar_kind {
	SCENE_BLOCKED, /* asleep in a system call */
	SCENE_HANDLER  /* a signal's handler runs */
};

/* A stretch of a lane. Bars are sorted by first_row. */
struct scene_bar {
	int lane;
	enum scene_bar_kind kind;
	size_t first_row; /* in rows [first_row, last_row] */
	size_t last_row;
	uint64_t from_ns; /* since the scene began */
	uint64_t to_ns;
};

/* One line of the table below the picture. */
struct scene_channel {
	char *name;  /* "pipe:[77]", "unix-stream /run/x" */
	char *route; /* "ls → wc" with the scene's arrow " → " */
	enum mechanism mechanism;
	uint64_t messages;
	uint64_t bytes;
	uint64_t latency_p50_ns; /* from send to receipt; UINT64_MAX: not known */
};

/*
 * What diagnose found, worst first. Errors and warnings have a row of their own (SCENE_FOUND);
 * notes, and those for which there was no room, point at the row that was drawn last before them.
 */
struct scene_mark {
	enum severity severity;
	char *id;   /* "no-eof" */
	char *text; /* one sentence */
	char *advice;
	char *channel; /* "pipe:[77]". May be "" */
	char **lines;  /* evidence, one sentence each */
	size_t line_count;
	uint64_t at_ns; /* of CLOCK_MONOTONIC */
	size_t row;	/* SCENE_NO_ROW: there is none */
	int lane;	/* SCENE_NOWHERE: of no process here */
};

struct scene_ledger;				     /* scene_ledger.h */
void scene_ledger_free(struct scene_ledger *ledger); /* NULL is fine */

#define SCENE_NONE SIZE_MAX
#define SCENE_NEVER UINT64_MAX

/*
 * The facts behind the picture, for formats that are data. There only where the request asked for
 * them; after filters, but neither folded nor capped. Times are of CLOCK_MONOTONIC.
 */
enum scene_side { SCENE_SIDE_UNKNOWN, SCENE_CLIENT, SCENE_SERVER };

struct scene_object {
	char *name; /* "pipe:[77]" */
	enum mechanism mechanism;
	size_t peer;	      /* the socket at the other end; SCENE_NONE: it has no message */
	enum scene_side side; /* who of the two connected */
	bool from_start;      /* the trace saw it made */
	uint16_t port;	      /* TCP; 0: none is known */
	uint16_t peer_port;
	uint64_t ended_ns; /* when a reader learned that no more comes; SCENE_NEVER: it did not */
};

/* Where bytes stand in a TCP connection's, modulo 2^32, as the kernel counts them. */
struct scene_position {
	bool known;
	uint32_t first;
};

struct scene_message {
	int from; /* lane, or SCENE_OUTSIDE */
	int to;	  /* the same, or SCENE_NOWHERE: nobody received it */
	enum mechanism mechanism;
	enum scene_part part; /* SCENE_WHOLE, SCENE_UNREAD, SCENE_DROPPED */
	bool ambiguous;
	size_t object; /* SCENE_NONE: a signal */
	bool outward;  /* that is the sender's own socket: the receiver's is not known */
	uint64_t bytes;
	uint64_t send_offset; /* where in the call's bytes these begin */
	uint64_t receive_offset;
	struct scene_position sent_at; /* as its sender's socket says */
	struct scene_position taken_at;
	uint64_t sent_ns;     /* when the send began; SCENE_NEVER: not known */
	uint64_t received_ns; /* when the receive ended; SCENE_NEVER: not known, or it was not */
	size_t send;	      /* of the calls; SCENE_NONE: not known */
	size_t receive;
	char *label; /* of a signal its name, else "" */
	unsigned char *payload;
	size_t payload_len; /* may be less than `bytes` */
};

struct scene_call {
	int lane;
	uint32_t tid;
	char *name;   /* "write(1)" */
	char *result; /* "24", "EAGAIN", "unfinished" */
	char *object; /* "" where it has none */
	uint64_t enter_ns;
	uint64_t exit_ns; /* of an unfinished one: as long as is known */
	uint64_t moved;	  /* bytes that it sent or received */
	size_t level_of;  /* object whose level the kernel told at its end; SCENE_NONE: of none */
	uint64_t level;	  /* bytes in it, of queues messages */
};

struct scene {
	char *command; /* "ls | wc" as it was typed. May be "" */
	uint64_t duration_ns;
	uint64_t messages; /* of the trace, after filters */
	uint64_t bytes;
	uint64_t signals;     /* of which are signals */
	size_t process_count; /* of the trace */
	size_t thread_count;  /* with a lane of their own */
	size_t channel_total; /* that carried a message */
	struct scene_lane *lanes;
	size_t lane_count;
	struct scene_row *rows;
	size_t row_count;
	struct scene_bar *bars;
	size_t bar_count;
	struct scene_channel *channels;
	size_t channel_count;
	struct scene_mark *marks;
	size_t mark_count;
	struct scene_object *objects;
	size_t object_count;
	struct scene_message *facts;
	size_t fact_count;
	struct scene_call *calls;
	size_t call_count;
	bool incomplete;	    /* the trace has lost records */
	uint64_t lost_until_ns;	    /* none later than that; SCENE_NEVER: who knows */
	uint64_t start_ns;	    /* of CLOCK_MONOTONIC: where the rows' times begin */
	int64_t realtime_offset_ns; /* added to a time of these it gives one of CLOCK_REALTIME */
	struct scene_ledger
		*ledger; /* NULL unless asked for: then rows are only those with words */
	char **notes;	 /* what is missing and why: loss, a cut trace, rows left out */
	size_t note_count;
	bool failed; /* out of memory: sticky, the scene must not be drawn */
};

/* An empty scene; NULL: out of memory. */
struct scene *scene_new(void);
void scene_free(struct scene *scene); /* NULL is fine */

/*
 * Append one. Strings given to them are copied and made harmless (scene_text.h); the new element's
 * own are "" and are set by scene_set(). Never NULL: out of memory gives an element that nobody
 * sees, and sets `failed`.
 */
struct scene_lane *scene_add_lane(struct scene *scene, const char *title, uint32_t pid);
struct scene_row *scene_add_row(struct scene *scene, enum scene_kind kind, int from, int to);
struct scene_bar *scene_add_bar(struct scene *scene, int lane, enum scene_bar_kind kind);
struct scene_channel *scene_add_channel(struct scene *scene, enum mechanism mechanism);
struct scene_mark *scene_add_mark(struct scene *scene, enum severity severity);
struct scene_object *scene_add_object(struct scene *scene, enum mechanism mechanism);
struct scene_message *scene_add_message(struct scene *scene, int from, int to);
struct scene_call *scene_add_call(struct scene *scene, int lane, uint32_t tid);
void scene_add_mark_line(struct scene *scene, struct scene_mark *mark, const char *line);
void scene_add_note(struct scene *scene, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* "1201", of a thread "1201/1203", of what is neither "". Gives buf. */
#define SCENE_NUMBER 24
const char *scene_lane_number(const struct scene_lane *lane, char buf[SCENE_NUMBER]);

/* Replaces a string of one of the above, made harmless. */
void scene_set(struct scene *scene, char **slot, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Appends to it, after ", " where it is not empty. */
void scene_append(struct scene *scene, char **slot, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
