/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Drafts of rows, for the scene_*.c files that build a scene: what happened, on which lanes, and
 * between which times. Times are those of the trace.
 */
#ifndef VIZ_SCENE_DRAFT_H
#define VIZ_SCENE_DRAFT_H

#include "diagnose.h"
#include "scene_actor.h"
#include "scene_build.h"

struct draft {
	enum scene_kind kind;
	enum scene_part part;
	int from; /* lane, SCENE_NOWHERE, SCENE_OUTSIDE */
	int to;
	uint64_t sent_ns;     /* when it left `from`: not earlier */
	uint64_t received_ns; /* when it had arrived at `to`: not later; not before sent_ns */
	uint64_t at_ns;	      /* where it is drawn: scene_place() */
	size_t order;	      /* of drafts at the same time: as they were added */
	unsigned tie;
	union {
		const struct viz_message *message;
		const struct viz_eof *eof;
		const struct viz_connection *connection;
		const struct viz_process_event *event;
		const struct viz_process *process; /* exit */
		const struct viz_operation *operation;
		struct draft_gap {
			size_t rows;
			size_t messages;
		} left_out; /* SCENE_NOTE on no lane */
		uint64_t idle_ns;
		size_t mark; /* SCENE_FOUND: of scene->marks */
	} of;
	const struct viz_message
		*told;		       /* SCENE_EXIT: the SIGCHLD; SCENE_FAILED: what interrupted */
	size_t repeated;	       /* SCENE_FAILED: this often in a row, less one */
	const struct draft_fold *fold; /* it stands for several; NULL: for itself */
	const struct viz_thread *thread; /* SCENE_FORK, SCENE_EXIT: of no more than this */
	bool looks;  /* SCENE_NOTE: the call only looked, and received nothing */
	bool lonely; /* the message's other half is not drawn */
};

struct scene_drafts {
	const struct scene_request *request;
	struct scene *scene;
	struct scene_actor *actors; /* scene_actor.h */
	size_t actor_count;
	size_t *actor_base, *actor_first;	/* of a process, by index */
	int *lane_of;				/* of an actor; SCENE_NOWHERE: none */
	size_t *actor_on;			/* of a lane: the first that has it */
	struct viz_bytes *names;		/* of an actor: its program's */
	int *channel_lane;			/* of a channel, by index, or SCENE_NOWHERE */
	int kernel_lane;			/* SCENE_NOWHERE: none */
	uint64_t *lane_end_ns;			/* of a lane: when its last actor ended */
	bool *namesake;				/* of a lane: another one has the same title */
	const struct viz_message **interrupter; /* of an operation, by index; NULL: none */
	struct draft *rows;
	struct draft spare; /* for what finds no memory */
	size_t count;
	size_t capacity;
	uint64_t start_ns; /* of the first row */
	unsigned ties;
	size_t left_out;	  /* rows beyond max_rows */
	size_t left_out_messages; /* of which are messages or signals */
	struct arena *arena;
	bool failed; /* out of memory: sticky */
};

/* Never NULL; what is added after a failure is lost. */
struct draft *scene_draft(struct scene_drafts *d, enum scene_kind kind, int from, int to);

/* Under which of its names each actor spoke most (scene_talk.c); before the lanes are made. */
void scene_name_processes(struct scene_drafts *d);

/*
 * Lanes that are no actors (scene_via.c). After the lane of `actor` (its `number`th of `count`)
 * those are added that belong there.
 */
void scene_plan_vias(struct scene_drafts *d);
void scene_add_vias(struct scene_drafts *d, size_t actor, size_t number, size_t count);
int scene_message_via(const struct scene_drafts *d, const struct viz_message *m);
int scene_channel_via(const struct scene_drafts *d, const struct viz_channel *channel);
bool scene_is_via(const struct scene_drafts *d, int lane);

/*
 * Of each actor the first one of its group: itself, where it is in none, or where groups are not
 * wanted. For free(), NULL: out of memory (scene_group.c).
 */
size_t *scene_group(struct scene_drafts *d, bool wanted);

/* Collecting (scene_lanes.c, scene_collect.c, scene_calls.c, scene_lives.c). */
void scene_make_lanes(struct scene_drafts *d);
void scene_collect(struct scene_drafts *d);
void scene_collect_calls(struct scene_drafts *d);	/* failed and waiting ones */
void scene_collect_processes(struct scene_drafts *d);	/* once all others are there */
bool scene_is_exit_notice(const struct viz_message *m); /* its SIGCHLD */

/* What diagnose found (scene_marks.c): before the processes' ends, and once there are rows. */
void scene_collect_marks(struct scene_drafts *d);
void scene_place_marks(struct scene_drafts *d);

/* Gives every draft its place, splits messages that no straight arrow can tell, and sorts. */
void scene_place(struct scene_drafts *d);

/* Makes loops of what repeats (scene_fold.c). */
void scene_fold(struct scene_drafts *d);

/* A message or signal that is counted where this is drawn: where it arrives, or is lost. */
bool scene_draft_is_message(const struct draft *draft);
uint64_t scene_draft_messages(const struct draft *draft); /* with those it stands for */

/* Marks the halves of messages whose other halves are folded or left out. */
void scene_find_lonely(struct scene_drafts *d);

/* Leaves out what exceeds max_rows, adds idle gaps. */
void scene_cap(struct scene_drafts *d);

/* Writes the rows, their lanes' lives and the bars. */
void scene_write(struct scene_drafts *d);
void scene_write_bars(struct scene_drafts *d); /* once the lanes live (scene_bars.c) */
size_t scene_row_after(const struct scene_drafts *d, uint64_t ns); /* the first row after it */

/* What a row says (scene_say*.c). */
void scene_say(struct scene_drafts *d, const struct draft *draft, struct scene_row *row);
void scene_say_message(struct scene_drafts *d, const struct draft *draft, struct scene_row *row);
void scene_say_failed(struct scene_drafts *d, const struct draft *draft, struct scene_row *row);
void scene_say_look(struct scene_drafts *d, const struct draft *draft, struct scene_row *row);
void scene_say_waiting(struct scene_drafts *d, const struct draft *draft, struct scene_row *row);
void scene_say_loop(struct scene_drafts *d, const struct draft *draft, struct scene_row *row);
void scene_say_loop_end(struct scene_drafts *d, const struct draft *draft, struct scene_row *row);
/* Of what stands for several, once it is said: how often, how much. */
void scene_say_folded(struct scene_drafts *d, const struct draft *draft, struct scene_row *row);
/* "24 B", or "1…24 B" of several. */
void scene_say_size(struct scene_drafts *d, const struct draft *draft, char **slot);
void scene_say_found(struct scene_drafts *d, const struct draft *draft, struct scene_row *row);

/* Appends a text by a format with one %s, and frees it; NULL (out of memory) fails the scene. */
void scene_say_owned(struct scene_drafts *d, char **slot, const char *format, char *text);

/*
 * "ls" of a process, with its pid where another lane has that name too, "ls[1201]" of a message's
 * end, "read(0)" of a call, "pipe:[77]" of a channel; allocated, or NULL.
 */
char *scene_comm(const struct scene_drafts *d, size_t actor);
char *scene_actor_name(const struct scene_drafts *d, size_t actor);
char *scene_end_name(const struct scene_drafts *d, const struct viz_end *end);
char *scene_outsider(const struct viz_outsider *process); /* "redis-server[812]" */
char *scene_call(const struct viz_operation *operation);
char *scene_call_waits(const struct viz_operation *operation); /* with what it waits for */
char *scene_channel_name(const struct viz_channel *channel);

/* Lanes of a message's ends: SCENE_OUTSIDE without one, SCENE_NOWHERE where nobody received it. */
enum scene_part scene_message_lanes(const struct scene_drafts *d, const struct viz_message *m,
				    int *from, int *to);
/* Appends who is at the end that is SCENE_OUTSIDE, where that is known. */
void scene_say_outside(struct scene_drafts *d, const struct viz_message *m, int from, int to,
		       char **slot);
/* Whichever side kept more of the bytes. */
struct viz_bytes scene_payload(const struct viz_message *message);

/* The table below the picture, the counts of the caption, and what is missing. */
void scene_sum_channels(struct scene_drafts *d);
void scene_sum_counts(struct scene_drafts *d);
void scene_tell_missing(struct scene_drafts *d);

/* Objects, messages and calls, for formats that are data (scene_facts.c). */
void scene_collect_facts(struct scene_drafts *d);

/* Everything, for formats whose reader chooses (scene_ledger.c); instead of scene_write(). */
void scene_write_ledger(struct scene_drafts *d);

/* Whether the filter lets it through. */
bool scene_wants_operation(const struct scene_drafts *d, const struct viz_operation *op);
bool scene_wants_message(const struct scene_drafts *d, const struct viz_message *message);
bool scene_is_console(const struct scene_drafts *d, const struct viz_message *message);
bool scene_is_outside(const struct scene_drafts *d, const struct viz_process *process);

#endif
