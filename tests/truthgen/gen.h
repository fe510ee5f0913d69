/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A workload of random IPC that knows its own truth. A stage is one scene of it: a process that
 * makes an object, forks the senders and receivers that play on it, and waits for their end. An
 * actor is one thread that plays; it keeps in its own memory what each of its calls moved, and
 * appends that to the file DIR/calls when it ends, so that while it plays there is no system call
 * but those it is here for.
 *
 * What a receive took is known in one of three manners, a flow's own:
 *   parts     each 8 bytes sent (a cell) name their sender, message and place, and the receiver
 *             logs what it read there: any number of senders and receivers
 *   bytes     one sender, one receiver: both sides' bytes in order; what they are does not matter
 *   messages  the same, message by message
 * DIR/flows has a line of JSON for each flow. tests/truthgen/pairs.py reads both.
 *
 * To add a stage: a row in stages.def and its function.
 */
#ifndef TESTS_TRUTHGEN_GEN_H
#define TESTS_TRUTHGEN_GEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#define CELL_LEN 8
#define PARTS_MAX 16 /* actors in one team */
#define MESSAGE_MAX (1 << 20)

enum record_kind {
	RECORD_ACTOR,	/* flow: its number; a: pid, b: tid, c: how many records follow */
	RECORD_SEND,	/* a call. a, b: the time before and after it, c: bytes, d: number of its */
	RECORD_RECEIVE, /* first message, e: how many messages */
	RECORD_LOOK,	/* a receive that takes nothing away */
	RECORD_RELAY,	/* both: flow is where from; d: flow where to */
	RECORD_TEE,	/* a relay that takes nothing away */
	RECORD_HANDLED, /* a signal's handler ran */
	RECORD_PART,	/* flow: see record_part(); a: sender, b: message, c: place there, */
			/* d: place in what was received, e: bytes */
};

struct record {
	uint32_t kind;
	uint32_t flow;
	uint64_t a, b, c, d, e;
};

struct actor {
	uint32_t number; /* unique in the run */
	uint32_t sent;	 /* messages so far */
	uint64_t random;
	const char *until;	/* a file: streams go on until it is there; NULL: do not wait */
	uint32_t pace_us;	/* sleeps up to so long between calls; 0: as fast as it can */
	struct record *records; /* [0] is RECORD_ACTOR */
	size_t count;
	size_t calls; /* of this actor, so far */
};

enum manner { MANNER_PARTS, MANNER_BYTES, MANNER_MESSAGES };

struct stage {
	const char *name;
	const char *log; /* the directory */
	uint64_t random;
	uint32_t messages; /* how many to deliver, about */
	uint32_t size;	   /* of every message where possible; 0: random ones */
	bool apart;
	uint32_t pace_us;
	const char *until;
	uint32_t next_actor;
	uint32_t next_flow;
	struct actor self; /* the stage's own process */
};

/* What one actor is to do. */
struct part {
	void (*play)(struct actor *actor, const struct part *part);
	int in, out; /* descriptors or ids */
	uint32_t flow_in, flow_out;
	uint32_t count; /* messages to send */
	uint32_t size;	/* of each; 0: up to max */
	uint32_t max;
	bool varied;	  /* as many below 1/8 of max as above, and so on */
	uint32_t end;	  /* receivers: the actor whose message is the end */
	bool socket;	  /* send(2) and its kin may be used */
	bool waits;	  /* the descriptor does not block: poll(2) first */
	bool cells;	  /* the flow's manner is parts */
	bool plain;	  /* no call with several messages, no looking */
	bool closes;	  /* the sender shuts its direction down at the end */
	int kind;	  /* what the stage makes of it */
	const void *more; /* the same */
	socklen_t more_len;
};

enum layout { LAYOUT_PROCESSES, LAYOUT_THREADS, LAYOUT_MIXED };

struct team {
	struct part parts[PARTS_MAX];
	size_t count;
	enum layout layout;
	int drop[PARTS_MAX]; /* descriptors that its processes close first */
	size_t drop_count;
	pid_t pids[PARTS_MAX];
	size_t pid_count;
};

/* gen_log.c */
uint64_t random_next(uint64_t *state);
uint32_t random_below(uint64_t *state, uint32_t limit); /* 0 … limit - 1 */
bool random_one_in(uint64_t *state, uint32_t n);
uint64_t now_ns(void);
void actor_begin(struct actor *actor, uint32_t number, uint64_t seed, uint32_t pace_us);
void actor_pin(const struct actor *actor); /* to one processor, neighbours to different ones */
void actor_end(struct actor *actor, const char *log);
void actor_pause(struct actor *actor);		/* does nothing, for a random short time */
bool actor_waits(const struct actor *actor);	/* for actor->until */
uint32_t actor_number_new(struct stage *stage); /* of an actor to come */
struct record *record_call(struct actor *actor, enum record_kind kind, uint32_t flow,
			   uint64_t before_ns, ssize_t result, uint32_t messages);
/* flow: in streams, how many calls before the last one; else the message in this call. */
void record_part(struct actor *actor, const struct record *part);

/* gen_cell.c */
struct cells { /* a receiver's way through a stream: cells may be cut by reads */
	uint8_t data[CELL_LEN];
	size_t len;
	struct record pieces[CELL_LEN]; /* e: call (RECORD_PART's fields otherwise) */
	size_t piece_count;
	size_t last_call; /* of the last part recorded */
};
void cells_fill(void *buf, size_t len, uint32_t actor, uint32_t message);
void cells_take(struct actor *actor, struct cells *cells, const void *buf, size_t len);
/* A whole message: what its first cell says. False where it is too short to say anything. */
bool cell_read(const void *buf, size_t len, struct record *part);

/* gen_options.c: words of the command line */
enum gen_option_kind { GEN_FLAG, GEN_TEXT, GEN_U32, GEN_U64 };

struct gen_option {
	const char *name;
	enum gen_option_kind kind;
	void *value; /* bool, const char *, uint32_t or uint64_t */
};

/* False where a word is none of these, or a number is none; that is told on stderr. */
bool gen_options(const struct gen_option *options, size_t count, int argc, char **argv);

/* gen_stage.c */
__attribute__((noreturn)) void gen_die(const char *what);
long gen_check(long value, const char *what);
uint32_t stage_flow(struct stage *stage, const char *mechanism, enum manner manner, uint64_t inode,
		    size_t senders, size_t receivers);
uint64_t inode_of(int fd);
void wait_ready(int fd, short events); /* polls for these, without a limit */
void set_nonblocking(int fd);
uint32_t stage_share(const struct stage *stage, uint32_t senders); /* messages of each */
enum layout random_layout(struct stage *stage);
void team_add(struct team *team, const struct part *part);
void team_drop(struct team *team, int fd);
void team_start(struct stage *stage, struct team *team);
void team_wait(struct team *team);
bool team_ended(struct team *team); /* does not wait */

/* pass.c: what an actor does after its exec; log, and the words after it. */
void resume(const char *log, char **words);

/* stream.c: also used by the other stages */
void play_send_stream(struct actor *actor, const struct part *part);
void play_receive_stream(struct actor *actor, const struct part *part);
void tcp_pair(int *in, int *out); /* a connection */
size_t pick_size(struct actor *actor, const struct part *part);

#define STAGE(name, weight, function) void function(struct stage *stage);
#include "tests/truthgen/stages.def"
#undef STAGE

#endif
