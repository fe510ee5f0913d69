/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What to draw: lanes, rows and bars, after filters and caps. A renderer knows this header and
 * nothing of models or messages, so that a filter or a fold is written once and holds in every
 * format. Rows are in causal order: a message is never received above the row that sent it.
 *
 * All strings here are valid UTF-8 without control characters or bidi controls (safe_text.h makes
 * them so), never NULL, and belong to the scene. They may still hold characters that an output
 * format must escape.
 */
#ifndef VIZ_SCENE_SCENE_H
#define VIZ_SCENE_SCENE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "viz/base/safe_text.h"
#include "viz/diagnose/core/findings.h"
#include "viz/format/format.h"
#include "viz/format/language.h"
#include "viz/format/names.h"

/* Ends of a row that are no lane. */
enum { SCENE_NOWHERE = -1, SCENE_OUTSIDE = -2 };

/* Who is at an end that is SCENE_OUTSIDE. */
enum scene_outsider {
	SCENE_UNTRACED,	  /* a process that is not traced, as far as anybody can tell */
	SCENE_THE_KERNEL, /* no process: a fault, a timer, netlink */
	SCENE_NOBODY,	  /* there is nobody: a closed port, a FIFO that nobody writes */
	SCENE_OUTSIDER_COUNT
};

#define SCENE_NO_ROW SIZE_MAX

struct arena;

enum scene_kind {
	SCENE_MESSAGE, /* from -> to: data */
	SCENE_SIGNAL,  /* from -> to: a signal */
	SCENE_EOF,     /* from -> to: `from` closed the last writing end, the reader saw EOF */
	SCENE_CONNECT, /* from -> to: connect() met accept() */
	SCENE_MEMORY,  /* from -> to: it attaches or detaches shared memory, or has it otherwise */
	SCENE_FORK,    /* from -> to: lane `to` begins */
	SCENE_EXEC,    /* at from: it executed another program, named by `label` */
	SCENE_EXIT,    /* at from: the lane ends; `to` is the parent that gets SIGCHLD, if drawn */
	SCENE_IDLE,    /* a gap in which nothing happened, or (`detail`) the command was held */
	SCENE_FAILED,  /* at from: an operation failed */
	SCENE_WAITING, /* at from: a call that still waited when the trace ended */
	SCENE_NOTE,    /* at from or nowhere: a remark (records lost, rows left out) */
	SCENE_LOOP,    /* nowhere: begins rows that are drawn once and happened often */
	SCENE_LOOP_END,
	SCENE_FOUND,   /* at from or nowhere: a finding of diagnose, named by `label` */
	SCENE_REMOVED, /* at from: a call ended an object, or took its name away */
	SCENE_KIND_COUNT
};

/* How an arrow is drawn. */
enum scene_style {
	SCENE_COPY,    /* ━ data is copied */
	SCENE_CONTROL, /* ─ an event without data */
	SCENE_NOTIFY   /* ┄ a signal */
};

/*
 * The part of a message that a row shows. A message whose single straight arrow would show a wrong
 * order is two rows, sent and received, with the same `tie`. A message that was never received has
 * only the first.
 */
enum scene_part {
	SCENE_WHOLE,
	SCENE_SENT,	/* the leaving half */
	SCENE_RECEIVED, /* the arriving half */
	SCENE_UNREAD,	/* never received: it still lies in the channel, or is pending */
	SCENE_DROPPED,	/* it was discarded or refused */
	/* It enters the lane of the kernel or of its channel, from where another row goes on. */
	SCENE_ENTERS
};

struct scene_row {
	enum scene_kind kind;
	enum scene_style style;
	enum scene_part part;
	enum mechanism mechanism; /* MECH_NONE: none */
	uint64_t at_ns;		  /* ns since the scene began */
	int from;		  /* lane, SCENE_NOWHERE or SCENE_OUTSIDE; so is `to` */
	int to;
	bool ambiguous; /* the trace allows another pairing */
	bool important; /* `detail` deserves a line of its own where room is short */
	/*
	 * SCENE_SENT, SCENE_RECEIVED: the number that both halves, and all pieces of a call, share
	 */
	unsigned tie;
	bool tailless; /* a piece of a send whose tail is drawn with another piece */
	bool headless; /* a piece of a receive whose head is drawn with another piece */
	/*
	 * Rows above and below whose tails, or heads, hang together with this row's: one call's
	 * pieces, close enough for a brace. SCENE_NO_ROW: none.
	 */
	struct scene_brace {
		size_t above, below;
	} tail, head;
	/*
	 * When it left and when it had arrived, as at_ns. SCENE_NEVER: not known, or the row stands
	 * for several.
	 */
	uint64_t left_ns, arrived_ns;
	uint64_t bytes;		      /* moved by this row */
	size_t folded;		      /* how many more messages the row stands for */
	enum severity severity;	      /* SCENE_FOUND; otherwise SEVERITY_NONE */
	enum scene_outsider outsider; /* who the SCENE_OUTSIDE end is */
	char *label;		      /* short: "pipe 24 B", "EOF", "exit 0" */
	char *brief;		      /* for where `label` is too long: "24 B". May be "" */
	char *notice_label; /* SCENE_EXIT with `to`: the arrow's label, "SIGCHLD". Else "" */
	/* What it says, as GET /hallo, else the bytes, quoted: "a.c\nb.c\n"…. May be "" */
	char *payload;
	char *behind;  /* if `payload` is what it says: the bytes, quoted. Else "" */
	char *detail;  /* "wc was blocked 48.9 µs". May be "" */
	char *outside; /* name of the SCENE_OUTSIDE end. May be "" */
	char *channel; /* "pipe:[40211]". May be "" */
};

enum scene_lane_kind {
	SCENE_LANE_PROCESS,
	SCENE_LANE_THREAD,
	SCENE_LANE_GROUP,   /* several like processes or threads */
	SCENE_LANE_KERNEL,  /* all messages pass it */
	SCENE_LANE_CHANNEL, /* the messages of one channel pass it */
	SCENE_LANE_MEMORY,  /* shared memory, which processes attach and detach */
};

/* How much a lane matters where not all have room; of equals, the one with more messages. */
enum scene_rank {
	SCENE_RANK_PLAIN,
	SCENE_RANK_WAITS,   /* a call of it still waited when the trace ended */
	SCENE_RANK_COMMAND, /* it is the traced command's own program */
	SCENE_RANK_FAILED,  /* a call of it failed */
	SCENE_RANK_WARNING, /* a finding of diagnose is about it */
	SCENE_RANK_ERROR,   /* the same; also the kernel's lane, which all messages pass */
};

struct scene_lane {
	enum scene_lane_kind kind;
	enum scene_rank rank;
	char *title;	   /* the name of its program, or of the channel */
	uint32_t pid;	   /* 0: it has none */
	uint32_t pid_base; /* merged traces: what its numbers are larger by than on its machine */
	size_t host;	   /* merged traces: its machine, whose lanes stand together */
	uint32_t ns_pid;   /* in its own PID namespace; 0: the same, or not known */
	uint32_t tid;	   /* of a thread; otherwise 0 */
	size_t first_row;  /* it lives in rows [first_row, last_row] */
	size_t last_row;   /* SCENE_NO_ROW: it lives beyond the last row */
	bool born;	   /* row first_row is its birth; false: its birth is not drawn */
	bool ended;	   /* row last_row is its end */
	size_t messages;   /* number of message rows that begin or end here */
};

enum scene_bar_kind {
	SCENE_BLOCKED, /* a call sleeps */
	SCENE_HANDLER, /* a signal handler runs */
	SCENE_HELD,    /* on a lane of shared memory: some process has it */
	SCENE_BAR_KIND_COUNT
};

/* A stretch of a lane. Bars are sorted by first_row. */
struct scene_bar {
	int lane;
	enum scene_bar_kind kind;
	size_t first_row; /* in rows [first_row, last_row] */
	size_t last_row;
	uint64_t from_ns; /* ns since the scene began; so is to_ns */
	uint64_t to_ns;
};

/* One line of the table below the picture. */
struct scene_channel {
	char *name;  /* "pipe:[77]", "unix-stream /run/x" */
	char *route; /* "ls → wc" with the scene's arrow " → " */
	enum mechanism mechanism;
	uint64_t messages;
	uint64_t bytes;
	char *traffic; /* if messages are pieces: "1 send, 4 receives, 4 pieces". Else "" */
	/* "p50 20 µs": the median from send to receipt; "": not known. */
	char *latency;
};

/*
 * A finding of diagnose, worst first. Errors and warnings have a row of their own (SCENE_FOUND).
 * `row` of notes, and of findings for which there was no room, is the last row drawn before them.
 */
struct scene_mark {
	enum severity severity;
	char *id;   /* "no-eof" */
	char *text; /* one sentence */
	char *advice;
	char *channel; /* "pipe:[77]". May be "" */
	char **lines;  /* evidence, one sentence each */
	size_t line_count;
	uint64_t at_ns; /* CLOCK_MONOTONIC, ns */
	size_t row;	/* SCENE_NO_ROW: none */
	int lane;	/* SCENE_NOWHERE: it is about no process that has a lane */
	int *lanes;	/* of all processes that it is about */
	size_t lane_count;
};

struct scene_dataset; /* dataset.h */

#define SCENE_NONE UINT32_MAX
#define SCENE_NEVER UINT64_MAX

/*
 * The facts behind the picture, for formats that are data. scene_build() fills in objects and
 * messages only if the request asks for facts or for the dataset, and calls only for facts: the
 * dataset has its own. They are filtered, but neither folded nor capped. Times are nanoseconds of
 * CLOCK_MONOTONIC. With facts, the scene's rows are those that are no arrow: what failed, ended an
 * object, waits or is remarked at a lane.
 */
enum scene_side { SCENE_SIDE_UNKNOWN, SCENE_CLIENT, SCENE_SERVER };

struct scene_object {
	char *name;    /* "pipe:[77]" */
	uint32_t text; /* the name in the dataset */
	enum mechanism mechanism;
	bool connected;	      /* a socket that has one peer (TCP, unix stream or seqpacket) */
	uint64_t capacity;    /* bytes, 0: not known */
	uint32_t peer;	      /* the object at the other end; SCENE_NONE: it carries no message */
	enum scene_side side; /* whether it was the side that connected */
	bool from_start;      /* a call in the trace made it */
	uint16_t port;	      /* TCP; 0: not known */
	uint16_t peer_port;
	/* In the dataset, texts: the address and port of the socket, and of its peer; or "". */
	uint32_t local, remote;
	uint64_t ended_ns; /* when a reader received EOF; SCENE_NEVER: never */
};

/* The TCP sequence number (modulo 2^32) of a message's first byte. */
struct scene_position {
	bool known;
	uint32_t first;
};

/* When a signal was generated, delivered, and its handler returned; SCENE_NEVER: not known. */
struct scene_signal {
	uint64_t raised_ns;
	uint64_t delivered_ns;
	uint64_t returned_ns;
};

/* A long trace has millions of them. */
struct scene_message {
	int from; /* lane, or SCENE_OUTSIDE */
	int to;	  /* lane, SCENE_OUTSIDE, or SCENE_NOWHERE: it was not received */
	enum mechanism mechanism : 8;
	enum scene_part part : 8; /* SCENE_WHOLE, SCENE_UNREAD, SCENE_DROPPED */
	enum fate fate : 8;
	enum scene_outsider outsider : 5; /* who the SCENE_OUTSIDE end is */
	bool ambiguous : 1;
	bool typed : 1;
	bool outward : 1; /* `object` is the sender's own socket: the receiver's is not known */
	uint32_t route;	  /* of the dataset */
	uint64_t id;	  /* the message's id in the pairing */
	int64_t type;	  /* System V: the type; POSIX queue: the priority */
	uint64_t bytes;
	uint64_t cut;	      /* bytes that were sent but not received */
	uint64_t send_offset; /* where the message begins in the bytes of the call */
	uint64_t receive_offset;
	struct scene_position sent_at; /* by the counters of the sender's socket */
	struct scene_position taken_at;
	uint64_t sent_ns; /* when the send was entered; SCENE_NEVER: not known */
	/* When the receive returned; SCENE_NEVER: not received, or not known. */
	uint64_t received_ns;
	const struct scene_signal *signal; /* NULL: it is none */
	char *label;			   /* the name of a signal; otherwise "" */
	const unsigned char *payload;	   /* borrowed from the model */
	uint32_t payload_len;		   /* bytes kept, which may be less than `bytes` */
	uint32_t object;		   /* SCENE_NONE: none, as for a signal */
	uint32_t send;			   /* index of the call; SCENE_NONE: not known */
	uint32_t receive;
	uint32_t words;	   /* of the dataset, a text: what it says; 0: none */
	uint32_t protocol; /* of the dataset, a text: the protocol of its words */
};

/*
 * Shared memory, and who had it when; filled in always. Times are nanoseconds of CLOCK_MONOTONIC.
 * Of many only the first are told.
 */
struct scene_memory {
	char *name; /* "shared-mmap:[7] /dev/shm/x" */
	enum mechanism mechanism;
	uint64_t bytes; /* 0: not known */
	struct scene_haver {
		int lane; /* SCENE_NOWHERE: none */
		char *name;
		char *how; /* "" if it attached it, else "by fork" or "from before the trace" */
		uint64_t since_ns, until_ns; /* it lost it, or the trace ended */
		bool ended;		     /* it lost it */
	} * havers;
	size_t haver_count;
	size_t left_out; /* havers that are not told */
};

struct scene_call {
	int lane;
	uint32_t tid;
	char *name;   /* "write(1)" */
	char *result; /* "24", "EAGAIN", "unfinished" */
	char *object; /* the name of its channel; "" if it has none */
	uint64_t enter_ns;
	uint64_t exit_ns; /* unfinished calls: when its process or the trace ended */
	uint64_t moved;	  /* bytes that it sent or received */
	/*
	 * Index of the object whose fill level the kernel gave when the call returned; SCENE_NONE:
	 * none.
	 */
	uint32_t level_of;
	uint64_t level; /* bytes in that object; queues: messages */
};

/* The command was held (record --lossless): ns since the scene began, and for so long. */
struct scene_pause {
	uint64_t at_ns;
	uint64_t stood_ns;
};

struct scene {
	enum language language; /* of its texts */
	char *command;		/* "ls | wc" as a shell would take it. May be "" */
	uint64_t duration_ns;
	uint64_t messages; /* data messages that the filter lets through */
	char *traffic;	   /* if some are pieces, in words as of a channel. Else "" */
	uint64_t bytes;
	uint64_t signals;     /* signals that the filter lets through */
	size_t process_count; /* processes that have a lane */
	size_t thread_count;  /* threads that have a lane of their own */
	size_t channel_total; /* channels that carried a message */
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
	struct scene_memory *memories;
	size_t memory_count;
	struct scene_pause *pauses; /* in order of time; of very many only the first */
	size_t pause_count;
	bool incomplete; /* records of the trace were lost */
	/* No record was lost later than this; SCENE_NEVER: not known. */
	uint64_t lost_until_ns;
	uint64_t start_ns;	    /* CLOCK_MONOTONIC, ns: time zero of the rows */
	int64_t realtime_offset_ns; /* add it to a CLOCK_MONOTONIC time to get CLOCK_REALTIME */
	/* NULL unless requested; if set, `rows` has only the rows with texts. */
	struct scene_dataset *dataset;
	char **notes; /* one sentence each: lost records, a cut trace, rows left out */
	size_t note_count;
	struct arena *arena; /* of its texts, and of the dataset */
};

/* An empty scene, in English. */
struct scene *scene_new(void);
void scene_free(struct scene *scene); /* scene may be NULL */

/*
 * Texts of a scene are in its language: the functions below with a `format` look it up in
 * german*.def (language.h), so that the words it takes, and what a renderer writes itself, are told
 * by scene_say(). Quantities are as in safe_text.h, with the language's decimal point.
 */
const char *scene_say(const struct scene *scene, const char *english)
	__attribute__((format_arg(2)));
const char *scene_say_bytes(const struct scene *scene, uint64_t bytes, char buf[SCENE_QUANTITY]);
const char *scene_say_duration(const struct scene *scene, uint64_t ns, char buf[SCENE_QUANTITY]);
const char *scene_say_count(const struct scene *scene, uint64_t n, char buf[SCENE_QUANTITY]);
/* "41.2": of nanoseconds, in a unit of so many, with that many places. */
const char *scene_say_time(const struct scene *scene, uint64_t ns, double unit_ns, int places,
			   char buf[SCENE_QUANTITY]);

/*
 * Append an element. Given strings are copied and made harmless (safe_text.h); the other strings of
 * the element are "" until scene_set(). The pointer is valid until the next element of its kind is
 * added.
 */
struct scene_lane *scene_add_lane(struct scene *scene, const char *title, uint32_t pid);
struct scene_row *scene_add_row(struct scene *scene, enum scene_kind kind, int from, int to);
struct scene_bar *scene_add_bar(struct scene *scene, int lane, enum scene_bar_kind kind);
struct scene_channel *scene_add_channel(struct scene *scene, enum mechanism mechanism);
struct scene_mark *scene_add_mark(struct scene *scene, enum severity severity);
struct scene_object *scene_add_object(struct scene *scene, enum mechanism mechanism);
struct scene_message *scene_add_message(struct scene *scene, int from, int to);
struct scene_call *scene_add_call(struct scene *scene, int lane, uint32_t tid);
struct scene_memory *scene_add_memory(struct scene *scene, enum mechanism mechanism);
/* Adds a haver, which is zeroed; the memory must be the scene's last. */
struct scene_haver *scene_add_haver(struct scene *scene, struct scene_memory *memory);
void scene_add_mark_line(struct scene *scene, struct scene_mark *mark, const char *line);
void scene_add_note(struct scene *scene, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Writes "1201", for a thread "1201/1203", or "" for a lane that is neither; behind it " ns:7" for
 * another number in its own PID namespace. Gives buf.
 */
#define SCENE_NUMBER 40
const char *scene_lane_number(const struct scene_lane *lane, char buf[SCENE_NUMBER]);

/* Replaces a string of one of the elements above; the text is made harmless. */
void scene_set(struct scene *scene, char **slot, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Appends to a string, after ", " if it is not empty. */
void scene_append(struct scene *scene, char **slot, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
