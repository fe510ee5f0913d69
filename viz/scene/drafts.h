/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Drafts of rows, shared by the files that build a scene: what happened, on which lanes, and
 * between which times. Times are those of the trace (CLOCK_MONOTONIC, ns).
 */
#ifndef VIZ_SCENE_DRAFTS_H
#define VIZ_SCENE_DRAFTS_H

#include "viz/diagnose/diagnose.h"
#include "viz/message/packed.h"
#include "viz/model/memory.h"
#include "viz/scene/build.h"
#include "viz/scene/lane/actors.h"

/* Talk that is one row where there is other talk (fold_noise.c). */
enum draft_noise { NOISE_NONE, NOISE_SELF, NOISE_NETLINK, NOISE_RESOLVER };

/* Rows that are left out. */
struct draft_gap {
	size_t rows;
	size_t messages;
};

/* A time in which nothing happened. */
struct draft_idle {
	uint64_t ns;
	size_t pauses; /* how often the command was held in it */
	uint64_t paused_ns;
};

/* What few drafts have. */
struct draft_detail {
	/* SCENE_EXIT: its SIGCHLD; SCENE_FAILED: the signal that interrupted it. */
	const struct viz_message *notice;
	const struct viz_thread *thread; /* SCENE_FORK, SCENE_EXIT: of this thread only */
	/* SCENE_MEMORY: begun or ended without a call; NULL: of.operation attaches or detaches. */
	const struct viz_memory_use *use;
	const struct draft_lives *lives; /* SCENE_NOTE: lives that are one row; else NULL */
	uint64_t until_ns;		 /* SCENE_FAILED: when the last of `repeated` failed */
	size_t room; /* SCENE_NOTE: the part of a blocked write for which room came; 0: none */
};

/* A long trace has millions of them, so what few of them need shares bits, or stands apart. */
struct draft {
	enum scene_kind kind : 8;
	enum scene_part part : 8;
	enum draft_noise noise : 8; /* `fold` has what it stands for */
	bool object : 1;	    /* SCENE_NOTE: what happens to an object (collect_objects.c) */
	bool looks : 1;	  /* SCENE_NOTE: a call that looked at data and left it (MSG_PEEK) */
	bool drained : 1; /* SCENE_NOTE: an event loop's call that found nothing; also `repeated` */
	bool packed : 1;  /* of.packed is its message */
	bool lonely : 1;  /* it is half a message, and the other half is not drawn */
	bool tailless : 1; /* it hangs on another piece of its send, which has the tail */
	bool headless : 1; /* it hangs on another piece of its receive, which has the head */
	int from;	   /* lane, SCENE_NOWHERE or SCENE_OUTSIDE */
	int to;
	uint32_t order;	      /* breaks ties of equal times: the order in which drafts were added */
	uint64_t sent_ns;     /* it left `from` no earlier than this */
	uint64_t received_ns; /* it arrived at `to` no later than this; at least sent_ns */
	uint64_t at_ns;	      /* the time at which it is drawn; scene_place() sets it */
	unsigned tie;
	uint32_t repeated; /* SCENE_FAILED: how many equal failures follow it */
	/* Index, plus 1, of the draft that must be placed just before or after it; 0: none. */
	uint32_t behind, before;
	union {
		const struct viz_message *message; /* read it by scene_message() */
		const packed_record *packed;
		const struct viz_eof *eof;
		const struct viz_connection *connection;
		const struct viz_process_event *event;
		const struct viz_process *process; /* SCENE_EXIT */
		const struct viz_operation *operation;
		const struct draft_gap *left_out; /* SCENE_NOTE without a lane */
		const struct draft_idle *idle;	  /* SCENE_IDLE */
		size_t mark;			  /* SCENE_FOUND: index in scene->marks */
	} of;
	/* What it stands for if it is folded; NULL: for itself only. */
	const struct draft_fold *fold;
	struct draft_detail *detail; /* read it by scene_detail() */
	/*
	 * Of a message whose send or receive has several (pieces.h); NULL: it is its calls' only
	 * one.
	 */
	const struct scene_piece *piece;
};

/* Never NULL: of a draft without details none of them is set. */
static inline const struct draft_detail *scene_detail(const struct draft *draft)
{
	static const struct draft_detail none;

	return draft->detail ? draft->detail : &none;
}

static inline bool scene_hangs(const struct draft *draft)
{
	return draft->tailless || draft->headless;
}

/* The message of the draft, for as long as packed_whole() gives it. */
static inline const struct viz_message *scene_message(const struct draft *draft)
{
	return draft->packed ? packed_whole(draft->of.packed) : draft->of.message;
}

/* The same, less what packed_brief() leaves out: times, bytes, payloads. */
static inline const struct viz_message *scene_message_brief(const struct draft *draft)
{
	return draft->packed ? packed_brief(draft->of.packed) : draft->of.message;
}

/* Shared memory (lane/memory_lanes.c). */
struct draft_memory {
	const struct viz_channel *channel;
	const struct viz_memory_use *uses; /* by time */
	size_t use_count;
	bool planned; /* it gets a lane behind the first lane that has it */
	int lane;     /* SCENE_NOWHERE: none */
};

struct scene_drafts {
	const struct scene_request *request;
	struct scene *scene;
	struct scene_actor *actors; /* actors.h */
	size_t actor_count;
	/* By process index: its first entry in `actors`; the actor that stands for it. */
	size_t *actor_base, *actor_first;
	size_t *distance;	 /* by process index, from the focus (focus.h); NULL: no focus */
	int *lane_of;		 /* by actor; SCENE_NOWHERE: none */
	size_t *actor_on;	 /* by lane: the first actor on it */
	struct viz_bytes *names; /* by actor: the name of its program */
	int *channel_lane;	 /* by channel index; SCENE_NOWHERE: none */
	struct draft_memory *memories;
	size_t memory_count;
	size_t *memory_at; /* by channel index: its index in `memories`, plus 1; 0: none */
	/* By host index, the last of processes of no host; SCENE_NOWHERE: none. */
	int *kernel_lanes;
	uint64_t *lane_end_ns; /* by lane: when its last actor ended */
	bool *namesake;	       /* by lane: another lane has the same title */
	/* By operation index, for sends and receives: those of several pieces (pieces.h). */
	struct piece_call **pieces[2];
	/* By operation index: the signal that interrupted it; NULL: none. */
	const struct viz_message **interrupter;
	/* By operation index: an event loop's call that found nothing. */
	bool *drained;
	/* By operation index: a datagram that the kernel said nobody is there for. */
	bool *to_nobody;
	bool *unaccepted; /* by channel index: its connection was never accepted */
	bool *carried;	  /* by channel index: a message passed it, or lay in it */
	/* By whether it is the writing end, then by channel index; NULL: not asked for yet. */
	struct end_holders **holders[2];
	/* By message index: enum draft_noise. NULL: no page is written, or each is asked for. */
	unsigned char *noise_of;
	/* By index: where the fact is in the scene, or SCENE_NONE. */
	uint32_t *call_at, *object_at, *message_at;
	uint32_t *fact_of; /* by index in scene->facts: its number in the pairing */
	struct draft *rows;
	size_t count;
	size_t capacity;
	uint64_t start_ns; /* time zero of the picture */
	unsigned ties;
	size_t launches;	  /* ends of data that are not drawn: they told only of an exec */
	size_t lives_folded;	  /* number of processes without a lane, by scene_fold_lives() */
	size_t left_out;	  /* number of rows left out because of max_rows */
	size_t left_out_messages; /* how many of them are messages or signals */
	struct arena *arena;
};

/* Appends a draft. The pointer is valid until the next draft is added. */
struct draft *scene_draft(struct scene_drafts *d, enum scene_kind kind, int from, int to);
void scene_drop_drafts(struct scene_drafts *d);
/* The details of a draft, to be set. */
struct draft_detail *scene_set_detail(struct scene_drafts *d, struct draft *draft);

/*
 * Sets d->names: of the names that an actor had, the one under which it did the most
 * (process_names.c). To be called before the lanes are made.
 */
void scene_name_processes(struct scene_drafts *d);

/*
 * Sets d->namesake, and adds to the titles of processes of one name what tells them apart: an
 * argument that no other was given, or the interpreter of a script (namesakes.c).
 */
void scene_find_namesakes(struct scene_drafts *d);

/* The lanes that a message passes: the same twice, or the kernels of two machines. */
struct scene_way {
	int in, out; /* SCENE_NOWHERE: none, as it passes nothing */
};

/*
 * Lanes that are no actors (via_lanes.c). scene_add_vias() adds those of channels and memory that
 * follow the lane of `actor`; scene_add_kernel() the kernel's of the host (its index, or
 * host_count), if `number` of the host's `count` lanes stand before its place.
 */
void scene_plan_vias(struct scene_drafts *d);
void scene_add_vias(struct scene_drafts *d, size_t actor);
void scene_add_kernel(struct scene_drafts *d, size_t host, size_t number, size_t count);
size_t scene_host_of(const struct scene_drafts *d, const struct viz_process *process);
/* What lies between two processes; NULL: one that is not in the trace. */
struct scene_way scene_way_between(const struct scene_drafts *d, const struct viz_channel *channel,
				   const struct viz_process *from, const struct viz_process *to);
struct scene_way scene_message_way(const struct scene_drafts *d, const struct viz_message *m);
bool scene_is_via(const struct scene_drafts *d, int lane);
bool scene_is_kernel(const struct scene_drafts *d, int lane);
/* A row from the kernel of one machine to that of another. */
bool scene_crosses(const struct scene_drafts *d, int from, int to);

/* The network device by which the message left its machine; empty where nobody can tell. */
struct viz_bytes scene_device_of(const struct viz_message *m);

/*
 * Shared memory that has a lane of its own (lane/memory_lanes.c): scene_plan_memories() chooses it,
 * scene_add_memories() adds what follows the lane of `actor`; NULL: the channel is none, or has no
 * lane.
 */
void scene_plan_memories(struct scene_drafts *d);
void scene_add_memories(struct scene_drafts *d, size_t actor);
const struct draft_memory *scene_memory_of(const struct scene_drafts *d,
					   const struct viz_channel *channel);

/*
 * For each actor, the first actor of its group (lane_groups.c): itself if it is in none, or if
 * `wanted` is false. It belongs to d->arena.
 */
size_t *scene_group(struct scene_drafts *d, bool wanted);

/* Make lanes and drafts (lanes.c, collect_messages.c, collect_calls.c, collect_lives.c). */
void scene_make_lanes(struct scene_drafts *d);
void scene_collect(struct scene_drafts *d);
void scene_collect_calls(struct scene_drafts *d); /* calls that failed, looked or still wait */

/*
 * Goes through the operations of the model and, if some of them failed, through the packed ones in
 * between: those matter as what was done between two failures (call_walk.c).
 */
struct scene_walk {
	const struct scene_drafts *d;
	struct packed_call *packed;
	size_t packed_count, next_packed, next;
	bool is_packed; /* the operation is packed_brief()'s */
};

void scene_walk_begin(struct scene_walk *walk, const struct scene_drafts *d);
const struct viz_operation *scene_walk_next(struct scene_walk *walk); /* NULL: no more */
void scene_walk_end(struct scene_walk *walk);

/* Failed calls (collect_failures.c): those that repeat are one row. */
struct scene_failures {
	struct map bursts;  /* by lane, call, error and channel */
	struct map drained; /* by lane, call and mechanism */
	uint64_t number;    /* of the operation that is looked at, from 1 on */
	uint64_t *moved;    /* by channel index: the last operation that moved data; 0: none */
};
void scene_collect_failure(struct scene_drafts *d, struct scene_failures *failures,
			   const struct viz_operation *op, int lane);
/* Event loops (event_loops.c): what found nothing as part of one is a remark, and no failure. */
void scene_find_event_loops(struct scene_drafts *d);
bool scene_collect_drained(struct scene_drafts *d, struct scene_failures *failures,
			   const struct viz_operation *op, int lane);
void scene_text_drained(struct scene_drafts *d, const struct draft *draft, struct scene_row *row);
void scene_end_burst(struct scene_failures *failures, const struct viz_operation *op);

/* Collects the call if it ends an object, attaches memory, or met another open of a FIFO. */
bool scene_collect_object(struct scene_drafts *d, const struct viz_operation *op, int lane);
/*
 * Shared memory on its lane (collect_memory.c), and in notes: its size, and who had it when
 * (report_memory.c); that returns how many pieces there are besides those it lists.
 */
void scene_collect_memory(struct scene_drafts *d);
void scene_draft_memory(struct scene_drafts *d, const struct viz_operation *op, int lane);
void scene_text_memory(struct scene_drafts *d, const struct draft *draft, struct scene_row *row);
size_t scene_report_memory(struct scene_drafts *d);
/* True for shared memory that some process has at that time. */
bool scene_is_had(const struct scene_drafts *d, const struct viz_channel *channel, uint64_t at_ns);
void scene_text_removed(struct scene_drafts *d, const struct draft *draft, struct scene_row *row);
void scene_text_object(struct scene_drafts *d, const struct draft *draft, struct scene_row *row);
bool scene_is_fifo_open(const struct scene_drafts *d, const struct viz_operation *op);
/* The error that a call was told with SO_ERROR; NULL: none. */
const char *scene_told_error(const struct viz_operation *op);
const char *scene_open_waits(const struct viz_operation *op); /* "open waits for a reader" */
/* Must run last: exits follow everything else on a lane. */
void scene_collect_processes(struct scene_drafts *d);
bool scene_is_exit_notice(const struct viz_message *m); /* it is the SIGCHLD of an exit */

/*
 * Findings of diagnose (collect_findings.c): scene_collect_marks() runs before the exits are
 * collected, scene_place_marks() after the rows are written.
 */
void scene_collect_marks(struct scene_drafts *d);
void scene_place_marks(struct scene_drafts *d);

/*
 * Sets at_ns of every draft, splits messages that one straight arrow would draw in a wrong order,
 * and sorts all drafts (place_rows.c).
 */
void scene_place(struct scene_drafts *d);

/*
 * Sets the rank of each lane (relevance.c): after the drafts are collected, before any is folded.
 */
void scene_rank_lanes(struct scene_drafts *d);

/*
 * Makes one row of many short lives that exchanged nothing of interest, and takes their lanes away
 * (fold_lives.c): after the lanes are ranked, before the drafts are placed.
 */
void scene_fold_lives(struct scene_drafts *d);
void scene_text_lives(struct scene_drafts *d, const struct draft *draft, struct scene_row *row);
uint64_t scene_lives_messages(const struct draft_lives *lives); /* among them, not drawn */
uint64_t scene_lives_end_ns(const struct draft_lives *lives);	/* when the last one ended */

/* Makes one row of a process's talk with itself and the like; before the drafts are placed. */
void scene_fold_noise(struct scene_drafts *d);
void scene_text_noise(struct scene_drafts *d, const struct draft *draft, struct scene_row *row);

/* Replaces repetitions by loops (fold.c). */
void scene_fold(struct scene_drafts *d);

/* True for the draft at which a message or signal is counted: where it arrives or is lost. */
bool scene_draft_is_message(const struct draft *draft);
uint64_t scene_draft_messages(const struct draft *draft); /* including those that it stands for */

/* Sets `lonely` of the halves of messages whose other half is folded or left out. */
void scene_find_lonely(struct scene_drafts *d);

/* Leaves out the rows that exceed max_rows and adds rows for idle gaps. */
void scene_cap(struct scene_drafts *d);

/* Writes the rows, the extent of the lanes and the bars. */
void scene_write(struct scene_drafts *d);
void scene_write_bars(struct scene_drafts *d); /* needs the extent of the lanes (write_bars.c) */
/* Index of the first row drawn after ns. */
size_t scene_row_after(const struct scene_drafts *d, uint64_t ns);

/* The texts of a row (row_text*.c). */
void scene_text(struct scene_drafts *d, const struct draft *draft, struct scene_row *row);
void scene_text_message(struct scene_drafts *d, const struct draft *draft, struct scene_row *row);
void scene_text_failed(struct scene_drafts *d, const struct draft *draft, struct scene_row *row);
void scene_text_look(struct scene_drafts *d, const struct draft *draft, struct scene_row *row);
void scene_text_waiting(struct scene_drafts *d, const struct draft *draft, struct scene_row *row);
void scene_text_loop(struct scene_drafts *d, const struct draft *draft, struct scene_row *row);
void scene_text_loop_end(struct scene_drafts *d, const struct draft *draft, struct scene_row *row);
/* Adds counts and sums to the text of a row that stands for several drafts. */
/* Behind a time between two machines: by how much their clocks may make it wrong. */
void scene_text_clocks(struct scene_drafts *d, const struct viz_message *m, struct scene_row *row);
void scene_text_folded(struct scene_drafts *d, const struct draft *draft, struct scene_row *row);
/* "24 B", or "1…24 B" if it stands for several. */
void scene_text_size(struct scene_drafts *d, const struct draft *draft, char **slot);
void scene_text_found(struct scene_drafts *d, const struct draft *draft, struct scene_row *row);

/* Appends a text by a format with one %s, then frees the text. */
void scene_text_owned(struct scene_drafts *d, char **slot, const char *format, char *text);

/*
 * Names for texts. The caller frees them.
 *   scene_comm()          "ls"
 *   scene_actor_name()    "ls", or "ls[1201]" if another lane has the same title
 *   scene_end_name()      "ls[1201]"
 *   scene_call()          "read(0)"
 *   scene_channel_name()  "pipe:[77]"
 */
char *scene_comm(const struct scene_drafts *d, size_t actor);
char *scene_actor_name(const struct scene_drafts *d, size_t actor);
char *scene_end_name(const struct scene_drafts *d, const struct viz_end *end);
/* "redis-server[812]", of several machines "db1:redis-server[812]". */
char *scene_outsider(const struct scene_drafts *d, const struct viz_outsider *process);
char *scene_call(const struct viz_operation *operation);
/* "poll(1 channel: …)" */
char *scene_call_waits(const struct scene *scene, const struct viz_operation *operation);
char *scene_channel_name(const struct scene *scene, const struct viz_channel *channel);

/*
 * The lanes of a message's ends. SCENE_OUTSIDE: that end has no lane; SCENE_NOWHERE: the message
 * was not received.
 */
enum scene_part scene_message_lanes(const struct scene_drafts *d, const struct viz_message *m,
				    int *from, int *to);
/* Who has no lane (outsiders.c); scene_find_nobody() must run before any message is asked about. */
void scene_find_nobody(struct scene_drafts *d);
enum scene_outsider scene_outsider_of(const struct scene_drafts *d, const struct viz_message *m,
				      int from, int to);
/* Appends the names of the processes outside the trace that were met at the channel's other end. */
void scene_text_met(struct scene_drafts *d, const struct viz_channel *channel, char **slot);
/* True for a datagram that the kernel was not seen to queue at any socket of this machine. */
bool scene_is_unqueued(const struct scene_drafts *d, const struct viz_message *m);
/* Appends the name of the end that is SCENE_OUTSIDE, if it is known. */
void scene_text_outside(struct scene_drafts *d, const struct viz_message *m, int from, int to,
			char **slot);
/*
 * The table below the picture, the counts of the caption, and the notes on what is missing
 * (summary.c).
 */
void scene_sum_channels(struct scene_drafts *d);
void scene_sum_counts(struct scene_drafts *d);
void scene_report_missing(struct scene_drafts *d);

/*
 * The scene's facts (facts.c): scene_collect_facts() makes messages and their objects, and
 * scene_set_calls() notes in each message its calls, once d->call_at has them.
 * scene_collect_fact_calls() makes the calls of formats other than the page.
 */
void scene_collect_facts(struct scene_drafts *d);
/* The message of a fact, as viz_pairing_whole() gives it. */
const struct viz_message *scene_fact(const struct scene_drafts *d, size_t index);
void scene_collect_fact_calls(struct scene_drafts *d);
void scene_set_calls(struct scene_drafts *d);
uint32_t scene_object_of(struct scene_drafts *d, const struct viz_channel *channel);
/* When the call returned; unfinished calls: when its process or the trace ended. */
uint64_t scene_end_ns(const struct scene_drafts *d, const struct viz_operation *op);

/* Fills scene->dataset (dataset.c) after the facts; called instead of scene_write(). */
void scene_write_dataset(struct scene_drafts *d);

/*
 * Whether the filter lets it through; whether it is a message between a program and the user's
 * terminal; whether the process has no lane because it is the tracer (or NULL).
 */
bool scene_wants_operation(const struct scene_drafts *d, const struct viz_operation *op);
bool scene_wants_message(const struct scene_drafts *d, const struct viz_message *message);
bool scene_is_console(const struct scene_drafts *d, const struct viz_message *message);
bool scene_is_outside(const struct scene_drafts *d, const struct viz_process *process);

/*
 * Splits the draft at `index` into a sent half, which stays there, and a received half, whose index
 * it gives. It may move the rows, so pointers to drafts become invalid.
 */
size_t scene_split(struct scene_drafts *d, size_t index);

#endif
