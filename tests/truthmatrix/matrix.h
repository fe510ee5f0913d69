/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The cross product of sending calls, receiving calls, mechanisms and sharing, in small cells.
 *
 * A cell is one object with its senders and receivers, each of which uses one way (matrix.def) to
 * send or receive, a few dozen times. Its truth is in what is sent: each 8 bytes (a unit) name
 * sender, message and place, and a receiver logs which ones each of its calls took: nothing is
 * concluded from an order. The log is truthgen's (tests/truthgen/gen.h), with these additions:
 *   RECORD_NAMES  the call before it sent (part of) a message: a: message, b: place, c: bytes
 *   RECORD_PART   flow: the number of the call in its actor; d: place in what was received, and
 *                 in its upper half which message of the call; e: bytes, 0: an empty message
 *   RECORD_HANDLED as there; the parts behind it are its own
 *
 * To add a way, a mechanism or a sharing: a row in matrix.def and its function.
 */
#ifndef TESTS_TRUTHMATRIX_MATRIX_H
#define TESTS_TRUTHMATRIX_MATRIX_H

#include "tests/truthgen/gen.h"

#define RECORD_NAMES 16
#define EMPTY_ACTOR 0x3fffff /* sender of an empty message, as content cannot tell */
#define ACTORS_PER_CELL 16
#define BUFFER_LEN (512 << 10)
#define POOL_LEN (8 << 20)

/* Classes of mechanisms: what calls they allow. */
enum {
	C_PIPE = 1 << 0,   /* pipes and FIFOs */
	C_PACKET = 1 << 1, /* pipes in packet mode */
	C_USTREAM = 1 << 2,
	C_UDGRAM = 1 << 3,
	C_USEQ = 1 << 4,
	C_TCP = 1 << 5,
	C_UDP = 1 << 6,
	C_MQ = 1 << 7,
	C_SYSV = 1 << 8,
	C_TO = 1 << 9, /* beside others: each call names its address */

	C_PTY = 1 << 10,
	C_EVENT = 1 << 11, /* eventfd */
	C_SIGNAL = 1 << 12,
	C_PIPES = C_PIPE | C_PACKET,
	C_UNIX = C_USTREAM | C_UDGRAM | C_USEQ,
	C_SOCKETS = C_UNIX | C_TCP | C_UDP,
	C_STREAM = C_PIPE | C_PACKET | C_USTREAM | C_TCP,
	C_BYTES = C_PIPE | C_USTREAM | C_TCP, /* streams without borders */
	C_FDS = C_PIPES | C_SOCKETS,
	C_MESSAGES = C_UDGRAM | C_USEQ | C_UDP | C_MQ | C_SYSV,
	C_LAST = C_MESSAGES | C_PTY | C_EVENT, /* what a last message ends, not an end of file */
};

/* Ways that only some sharings allow. */
enum {
	W_MIX = 1 << 0,	  /* may be mixed with others, call by call */
	W_ONE = 1 << 1,	  /* one sender and receiver alone: what it does is the socket's */
	W_LIFE = 1 << 2,  /* one of those that lives are tried with */
	W_LARGE = 1 << 3, /* sends one message of any size by one call */
	W_HOLDS = 1 << 4, /* holds back parts of a datagram until all are there */
	L_NAMED = 1 << 0, /* lives: each opens its own end */
	L_LARGE = 1 << 1, /* with ways that are W_LARGE */
};

enum handover { BY_FORK, BY_DUP, BY_RIGHTS, BY_PIDFD, BY_EXEC, BY_OWN };

struct object {
	int in, out;
	int listener; /* BY_OWN: where the receiver accepts; -1: nowhere */
	struct sockaddr_storage to;
	socklen_t to_len;
	char path[108];
};

/* What one actor is to do; without pointers, as it goes through exec(2) in hexadecimal. */
struct role {
	bool sends, closes;
	uint32_t mechanism, way;
	uint32_t actor;
	uint32_t flow;
	uint32_t count;
	bool no_empty;	/* sends no empty message */
	uint32_t fixed; /* size of every message; 0: random ones */
	uint32_t senders, receivers;
	uint64_t seed;
	struct object object;
};

/* An actor's end of the object. */
struct end {
	struct actor actor;
	const struct role *role;
	const char *log;
	unsigned class;
	int fd;
	uint8_t *buf;
	uint8_t *pool; /* pages of `file`, each used once: what is spliced is read late */
	size_t pool_at;
	int file;
	int pipe_in, pipe_out; /* its own */
	uint32_t pipe_flow;
	uint64_t ring[4]; /* of aio */
	int poller;
	uint32_t ends;	 /* messages received that say that no more come */
	bool empty_sent; /* by this sender */
	bool prepared;
	uint8_t tail[CELL_LEN]; /* of what was received: the beginning of a unit */
	size_t tail_len;
	uint32_t tail_call, tail_place;
	uint32_t seen_actor, seen_message; /* the last whole unit */
	size_t seen_place;
};

struct mechanism {
	const char *name, *told; /* told: as ipclens names it */
	unsigned class;
	bool named; /* each can open its own end */
	void (*make)(struct object *object, const char *log, uint32_t number);
	void (*open)(struct object *object, bool sends); /* BY_OWN; makes in or out */
};

struct send_way {
	const char *name;
	unsigned classes, flags;
	void (*send)(struct end *end); /* once, and records it */
};

struct receive_way {
	const char *name;
	unsigned classes, flags;
	bool (*receive)(struct end *end); /* the same; false at the end */
};

struct sharing {
	const char *name;
	uint32_t senders, receivers;
	bool send_threads, receive_threads, inside;
	enum handover handover;
};

struct cell {
	uint32_t mechanism, send, receive, sharing;
};

#define CREW_MAX 4

struct crew { /* one process to come */
	struct role roles[CREW_MAX];
	size_t count;
	enum handover handover;
	int control[2]; /* where it hears of its object: the stage's end, its own */
	pid_t pid;
};

struct scene { /* a cell that is being played */
	const struct cell *cell;
	const struct mechanism *mechanism;
	const struct sharing *sharing;
	const char *log;
	uint32_t number;
	uint64_t random;
	struct object object;
	struct crew crews[2 * CREW_MAX];
	size_t crew_count;
	uint32_t actors;
};

/* What happens to the object: a row beside the sharings. */
struct life {
	const char *name;
	unsigned classes, flags;
	void (*play)(struct scene *scene);
};

extern const struct life lives[];
extern const size_t life_count;
extern const struct mechanism mechanisms[];
extern const size_t mechanism_count;
extern const struct send_way send_ways[];
extern const size_t send_way_count;
extern const struct receive_way receive_ways[];
extern const size_t receive_way_count;
extern const struct sharing sharings[];
extern const size_t sharing_count;

static inline bool way_fits(unsigned way, unsigned mechanism)
{
	return way & mechanism & ~(unsigned)C_TO && (!(mechanism & C_TO) || way & C_TO);
}

/* content.c */
void content_fill(void *buf, size_t len, uint32_t actor, uint32_t message, size_t place, bool last);
/* Notes what the call (a number in its actor) took as its message `index`, from place `at` on. */
void content_note(struct end *end, size_t call, uint32_t index, size_t at, const void *buf,
		  size_t len);

void content_end(struct end *end);

/* end.c */
void end_begin(struct end *end, const struct role *role, const char *log);
void end_finish(struct end *end);
size_t end_pick(struct end *end);		/* a size to send */
size_t end_pick_receive(struct end *end);	/* to ask for */
uint8_t *end_pool(struct end *end, size_t len); /* bytes of the file that nobody used yet */
off_t end_pool_offset(const struct end *end, const uint8_t *p);
void end_pipe(struct end *end); /* makes its own */
/* Up to so much of its own pipe's bytes: what fits one that is empty, whatever its pages hold. */
size_t end_pipe_len(size_t len);
/* Reads or writes (IOCB_CMD_) so much of end->buf asynchronously; when, and how much it was. */
ssize_t end_aio(struct end *end, unsigned opcode, size_t len, uint64_t *before_ns);
bool end_over(const struct end *end); /* a receiver of messages has seen the last */
size_t note_send(struct end *end, uint64_t before_ns, ssize_t n, uint32_t messages);
/* The same for RECORD_RELAY and RECORD_TEE; message and place: what of it was sent, or none. */
size_t note_relay(struct end *end, enum record_kind kind, uint32_t from, uint32_t to,
		  uint64_t before_ns, ssize_t n);
/* A send of a part of a message only. */
void note_piece(struct end *end, uint64_t before_ns, ssize_t n, uint32_t message, size_t place);
void note_names(struct end *end, uint32_t message, size_t place, size_t len);

/* A line of the file DIR/flows: what the comparison must know of a flow. */
struct flow_line {
	uint32_t flow;
	const char *cell, *mechanism, *manner;
	uint64_t inode; /* 0: the trace names it by another number */
	uint32_t senders, receivers;
};

void flow_write(const char *log, const struct flow_line *flow);

/* The flow an actor's own pipe is. */
static inline uint32_t pipe_flow_of(uint32_t actor)
{
	return 1u << 30 | actor;
}

#define PATIENCE_S 60 /* for a cell */

/* share.c */
void crew_start(struct crew *crew, const char *log);
void crew_hand(struct crew *crew, const struct object *object); /* to who started before it */
void crew_wait(const struct crew *crew);
void role_play(const struct role *role, const char *log);
void cell_play(const struct cell *cell, const char *log, uint32_t number, uint64_t seed);
void cell_name(char *name, size_t size, const struct cell *cell);
bool cell_allowed(const struct cell *cell);
void role_resume(const char *log, const char *hex);
bool is_connection(const struct mechanism *mechanism);
struct role role_new(struct scene *scene, bool sends);
void scene_make(struct scene *scene);
void scene_remove(const struct scene *scene);
/* The last message of each sender, or of the stage to each receiver. */
void send_last(struct end *end);
bool send_last_try(struct end *end); /* false where there is no room */

/* send.c */
typedef ssize_t send_call(struct end *end, void *buf, size_t len);
void send_by(struct end *end, send_call *call, size_t len);
ssize_t call_send_dontwait(struct end *end, void *buf, size_t len);

/* notify.c */
void send_last_event(struct end *end);

/* refuse.c: tries what cannot be, and says what the kernel said; false where it is not so. */
bool refuse_all(void);

/* object.c */
#define MECHANISM(name, told, class, named, make, open)                                            \
	void make(struct object *object, const char *log, uint32_t number);                        \
	void open(struct object *object, bool sends);
#define SEND(name, classes, flags, function) void function(struct end *end);
#define RECEIVE(name, classes, flags, function) bool function(struct end *end);
#define LIFE(name, classes, flags, function) void function(struct scene *scene);
#include "tests/truthmatrix/matrix.def"

#endif
