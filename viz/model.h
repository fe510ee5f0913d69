/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a trace tells, rebuilt: processes, channels, operations, and who held which end of what.
 * Everything here is borrowed from the model and lives until viz_model_free(); nothing changes
 * after viz_model_read(). Times are nanoseconds of CLOCK_MONOTONIC. A `pid` is a process (the
 * kernel's tgid), a `tid` a thread. Lists are arrays of pointers; `index` is the place therein.
 */
#ifndef VIZ_MODEL_H
#define VIZ_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "bytes.h"
#include "lang/names.h"
#include "model_parts.h"

struct arena;

#define VIZ_NEVER UINT64_MAX /* an end that did not come within the trace */

/* One process from its birth to its end: a pid that is used again gives another one. */
struct viz_process {
	size_t index; /* in order of appearance */
	uint32_t pid;
	uint32_t ppid;		    /* 0: not known */
	struct viz_process *parent; /* NULL: outside the trace; has a lower index */
	struct viz_bytes comm;	    /* the last name of its first thread; data may be NULL */
	struct viz_bytes path;	    /* of the last exec; data NULL: none in the trace */
	struct viz_bytes *args;	    /* of the last exec */
	size_t args_count;
	bool args_cut;	     /* there were more arguments */
	bool before_trace;   /* it was there when tracing began, or its birth is not in the trace */
	bool listed;	     /* what it held was told when it was found */
	bool handlers_known; /* whether it had handlers for signals was told when it was found */
	bool has_handlers;
	bool zombie;	   /* when it was found, it had ended, and nobody had waited for it */
	bool status_known; /* exit_code or exit_signal holds */
	bool ended, core;
	uint64_t start_ns;	 /* birth, or first sight of it */
	uint64_t end_ns;	 /* VIZ_NEVER: not within the trace */
	uint64_t gone_ns;	 /* when its parent was told of its end; 0: that was not seen */
	uint32_t exit_code;	 /* where exit_signal is 0 */
	int exit_signal;	 /* number of the signal that ended it, 0: none */
	struct viz_bytes signal; /* and its name as the trace has it */
	struct viz_thread **threads;
	size_t thread_count, threads_apart; /* all; living ones with descriptors of their own */
	struct viz_process *previous;	    /* an earlier process with this pid; NULL: none */
	struct fd_table *fds;		    /* model_descriptors.c only */
};

struct viz_thread {
	size_t index; /* among its process's */
	uint32_t tid;
	struct fd_table *fds; /* model_descriptors.c only; NULL: its process's */
	struct viz_process *process;
	struct viz_bytes comm; /* its last name */
	uint64_t start_ns, end_ns;
};

struct viz_channel {
	size_t index; /* in order of appearance */
	struct viz_bytes id;
	enum mechanism mechanism;
	uint64_t at_ns;	       /* first known */
	struct viz_bytes name; /* of a FIFO, queue, bound unix socket; data may be NULL */
	struct viz_bytes key;  /* System V */
	uint64_t inode;	       /* 0: not known */
	uint64_t capacity;     /* bytes, 0: not known */
	uint64_t network;      /* inode of the network namespace, 0: not known */
	struct viz_bytes local_address;
	struct viz_bytes peer_address;
	struct viz_channel *peer;  /* socket or terminal at the other end, as the trace names it */
	bool master;		   /* of a pseudo-terminal */
	struct viz_bytes protocol; /* netlink */
	struct viz_bytes groups;   /* netlink: those that it listens to, a bit each */
	bool listening;
	bool found;	       /* somebody had it already when tracing found him */
	bool created_in_trace; /* a call in this trace made it: no stranger has held it before */
	struct viz_outsider *outsiders;
	size_t outsider_count;
	struct viz_outsider *strangers; /* who holds an end outside the trace, at its end */
	size_t stranger_count;
	const struct viz_sockets *held_outside; /* UDP: all of the trace that strangers hold */
	struct viz_glimpse glimpse;
	struct viz_channel *memory;    /* a futex: what it lies in */
	struct viz_holding **holdings; /* who held it, by since_ns */
	size_t holding_count;
	size_t holding_changes; /* while a trace is read: how often that has changed */
};

struct viz_fd {
	int32_t fd;
	struct viz_channel *channel;
	enum access access;
};

/* A descriptor that poll, select or epoll waits for. */
struct viz_wait {
	int32_t fd;
	struct viz_channel *channel; /* NULL: no IPC object */
	uint32_t events;	     /* bits 1 << enum poll_event */
};

#define viz_wait_has(wait, event) (((wait)->events >> POLL_EVENT_##event & 1) != 0)

struct viz_argument {
	struct viz_bytes name;
	int64_t value;
};

#define VIZ_PRESENT_WORDS 2 /* of 64 keys each: model_operation.c checks that they are enough */

/*
 * One system call. Which of the optional keys the trace gave: viz_has(op, returned); the others
 * are 0 (fd -1). Sorted by enter_ns, then id; the trace's begin line and end line are one.
 */
struct viz_operation {
	size_t index;
	uint64_t id;
	enum operation_state state; /* STATE_NONE: complete. BEGIN, PENDING: it was not done yet */
	bool began;		    /* the trace has a begin line: it slept, since began_ns */
	uint64_t began_ns;
	struct viz_bytes syscall; /* "read" */
	enum role role;
	struct viz_process *process;
	struct viz_thread *thread;
	struct viz_bytes comm; /* the thread's name when it called */
	int32_t fd;
	struct viz_channel *channel; /* NULL: none */
	int32_t fd_out;		     /* a transfer's sink; fd and channel are its source */
	struct viz_channel *channel_out;
	uint64_t enter_ns;
	uint64_t exit_ns; /* VIZ_NEVER while unfinished */
	uint64_t at_ns;	  /* when an unfinished one was last seen */
	uint64_t requested;
	int64_t returned;
	struct viz_bytes error; /* "EAGAIN" */
	uint64_t transferred;
	struct viz_chunk *chunks; /* receives: the sends that the kernel's buffers name */
	size_t chunk_count;
	uint64_t *line_feeds; /* ascending; all beyond the payload, where it is cut */
	size_t line_feeds_count;
	bool line_feeds_known;
	uint64_t *turns; /* large sends to a full pipe: buffers from, to, from, to */
	size_t turns_count;
	uint64_t *delivered; /* sockets: messages (by index) that the kernel queued */
	size_t delivered_count;
	uint64_t *refused; /* UDP: messages that found no room */
	size_t refused_count;
	uint64_t *lengths; /* of each message of sendmmsg or recvmmsg, perhaps not of the last */
	size_t lengths_count;
	struct viz_bytes *addresses; /* of each of them; none in the trace: addresses_count 0 */
	size_t addresses_count;
	uint64_t off_cpu_ns, resumed_ns; /* last ran again after a sleep; 0: it never slept */
	uint64_t woke_ns; /* when it last woke another one on the same object; 0: it did not */
	struct viz_position at_entry, at_lock, at_exit; /* pipes, TCP, eventfds */
	struct viz_process *peer;     /* process_vm_*: whose memory; NULL: not in the trace */
	struct viz_process *woken_by; /* whose call last woke it; NULL: nobody in the trace */
	uint64_t waker, woken_ns;     /* that call's id, and when it did; 0: not known */
	struct viz_process *child;    /* wait4, waitid: whose end it told of; NULL: not known */
	struct viz_bytes payload;
	struct viz_bytes digest; /* of the first digest_len bytes, where there is no payload */
	uint64_t digest_len;
	int64_t message_type;
	uint32_t priority;
	uint32_t peer_pid;
	uint64_t flags;
	struct viz_argument *args;
	size_t args_count;
	struct viz_bytes path;
	struct viz_bytes option; /* setsockopt, getsockopt: its name, where the trace has one */
	int64_t option_value;
	struct viz_fd *new_fds;
	size_t new_fds_count;
	struct viz_wait *waits_for;
	size_t waits_for_count;
	struct viz_wait *ready;
	size_t ready_count;
	bool waits_cut; /* there were more */
	bool packets;	/* a pipe's write that keeps its borders */
	struct viz_bytes peer_address;
	struct viz_channel *to;
	struct viz_channel *from;
	uint64_t readers, writers;
	uint64_t queued;
	uint64_t *passed_fds; /* SCM_RIGHTS, the caller's numbers */
	size_t passed_fds_count;
	struct viz_siginfo taken;    /* sigtimedwait: of the signal */
	struct viz_line line_before; /* terminals */
	struct viz_line line_after;
	uint64_t present[VIZ_PRESENT_WORDS]; /* viz_has() */
	struct model_index *known_by; /* model_live.c: where it is let go once nobody uses it */
	struct arena *memory;	      /* the same: its own; NULL: it lives as long as the model */
	uint32_t uses;
	bool listed; /* pair.c: waits for its end */
};

/* Whether the trace gave this key: viz_has(op, queued). */
#define VIZ_KEY(key) (FIELD_operation_##key - FIELD_operation_id)
#define viz_has(op, key) (((op)->present[VIZ_KEY(key) / 64] >> (VIZ_KEY(key) % 64) & 1) != 0)

/* Where it put bytes, where it took (or looked at) some; NULL: none that is a channel. */
static inline struct viz_channel *viz_operation_sink(const struct viz_operation *op)
{
	return op->role == ROLE_TRANSFER ? op->channel_out
	       : op->role == ROLE_SEND	 ? op->channel
					 : NULL;
}

static inline struct viz_channel *viz_operation_source(const struct viz_operation *op)
{
	return op->role == ROLE_TRANSFER || op->role == ROLE_RECEIVE ? op->channel : NULL;
}

/* true where the call has returned. */
static inline bool viz_operation_done(const struct viz_operation *op)
{
	return op->state == STATE_NONE;
}

/* true where it is done and failed. */
static inline bool viz_operation_failed(const struct viz_operation *op)
{
	return viz_operation_done(op) && viz_has(op, returned) && op->returned < 0;
}

/* The integer argument of that name (`args` in the trace); false where there is none. */
bool viz_operation_argument(const struct viz_operation *op, const char *name, int64_t *value);

/* snapshot, fork, exec, name, exit, in order of time. */
struct viz_process_event {
	size_t index;
	enum process_event event;
	uint64_t at_ns;
	struct viz_process *process;
	struct viz_thread *thread;
	struct viz_process *parent; /* fork: who forked, if it is in the trace */
	uint32_t maker_tid;	    /* fork: which thread of it, or of the process; 0: not known */
	bool new_thread;	    /* fork: a thread of the same process, no new process */
	bool last;		    /* exit: the process ended with this thread */
	struct viz_bytes comm;
	struct viz_bytes path; /* exec */
	struct viz_bytes *args;
	size_t args_count;
	bool args_cut;
};

/* One line about a signal, in order of time; pair.h joins them to struct viz_signal. */
struct viz_signal_event {
	size_t index;
	enum signal_event event;
	uint64_t at_ns;
	int number;
	struct viz_bytes name; /* "SIGUSR1" */
	enum origin origin;
	int64_t code, value;
	bool has_code, has_value;
	struct viz_process *from; /* NULL: the kernel, or somebody outside the trace */
	uint32_t from_pid;	  /* 0: none */
	uint32_t from_tid;
	struct viz_bytes from_comm; /* at that time; data may be NULL */
	struct viz_process *to;	    /* NULL: outside the trace */
	uint32_t to_pid, to_tid;
	struct viz_bytes to_comm;
	enum target_state target_state; /* generate: TARGET_STATE_NONE where it is not known */
	bool group;
	enum signal_result result;
	enum signal_action action;
	bool has_operation; /* the trace names one */
	uint64_t operation_id;
	struct viz_operation *operation; /* generate: raised by; deliver: interrupted */
	struct viz_bytes interrupted;	 /* return: "EINTR", "restart" */
};

/* How a process came to hold a descriptor, or how it lost it. */
enum holding_cause {
	HOLDING_UNKNOWN, /* start: held when first seen. end: still held */
	HOLDING_CALL,	 /* by the call in start_op or end_op (open, accept, dup2, close, …) */
	HOLDING_FORK,	 /* start: inherited */
	HOLDING_EXEC,	 /* end: close-on-exec. start: seen at exec for the first time */
	HOLDING_EXIT,	 /* end: with the process */
};

/* A process holds an end of a channel as descriptor `fd` in [since_ns, until_ns). */
struct viz_holding {
	size_t index; /* by since_ns */
	struct viz_process *process;
	struct viz_channel *channel;
	int32_t fd;
	enum access access;
	enum holding_cause start;
	enum holding_cause end;
	const struct viz_operation *start_op;
	const struct viz_operation *end_op;
	uint64_t since_ns;
	uint64_t until_ns; /* when the call that closed it began; VIZ_NEVER: still held */
};

/* Something of a process that the trace does not have. */
struct viz_unseen {
	uint64_t at_ns; /* since */
	struct viz_process *process;
	enum unseen what; /* UNSEEN_NONE: a reason that this version does not know */
};

struct viz_lost {
	uint64_t at_ns;
	struct viz_bytes where;
	uint64_t count;
};

struct viz_header {
	uint64_t version;
	struct viz_bytes tool, kernel, machine, host;
	uint64_t start_ns;
	int64_t realtime_offset_ns;
	struct viz_bytes *command;
	size_t command_count;
	uint32_t tracer;
	uint64_t processors; /* that number the calls: pair_number.c; 0: not known */
	bool tells_queued;   /* of each UDP datagram: whether the kernel queued it */
	bool tells_refused;  /* and whether it had no room for it */
};

struct viz_trailer {
	bool present; /* false: the trace was cut off */
	uint64_t at_ns;
	enum end_reason why;
	uint64_t operations, signals, lost;
	uint64_t lines; /* before it; 0: it does not tell */
	bool has_exit_code;
	uint32_t exit_code;
	struct viz_bytes signal;
};

struct viz_model {
	struct viz_header header;
	struct viz_trailer trailer;
	struct viz_process **processes;
	size_t process_count;
	struct viz_channel **channels;
	size_t channel_count;
	struct viz_sockets held_outside;
	struct viz_operation **operations;
	size_t operation_count;
	struct viz_process_event **process_events;
	size_t process_event_count;
	struct viz_signal_event **signal_events;
	size_t signal_event_count;
	struct viz_holding **holdings;
	size_t holding_count;
	struct viz_unseen **unseen; /* one of each process and reason */
	size_t unseen_count;
	struct viz_lost **lost;
	size_t lost_count;
	uint64_t lost_total;
	bool descriptors_cut;	/* who holds what is not wholly known: too many descriptors */
	uint64_t skipped_lines; /* of types that this version does not know */
	uint64_t lines;
	uint64_t missing_lines; /* operations and signals that its trailer counts and it has not */
	uint64_t end_ns;	/* the latest time in the trace */
	struct viz_bytes warning;  /* for the user: the trace is cut off, …; data NULL: none */
	struct model_index *index; /* model.c only */
	struct arena *arena;
};

/*
 * Reads the trace `path` ("-" is stdin) whole. 0, or -errno (-EBADMSG: not a trace, or a damaged
 * one) with a sentence for the user in `error`, which names file and line. A trace without an end
 * is read up to its last whole line: success, with `warning` set.
 */
struct viz_error {
	char text[512];
};
int viz_model_read(const char *path, struct viz_model **model, struct viz_error *error);

/* The same from an open stream, which stays open; `name` is for errors. */
int viz_model_read_stream(FILE *stream, const char *name, struct viz_model **model,
			  struct viz_error *error);

void viz_model_free(struct viz_model *model); /* NULL is fine */

/* The process that had this pid at that time, or the next one to get it; NULL: there was none. */
struct viz_process *viz_model_process(const struct viz_model *model, uint32_t pid, uint64_t at_ns);

struct viz_channel *viz_model_channel(const struct viz_model *model, struct viz_bytes id);
struct viz_operation *viz_model_operation(const struct viz_model *model, uint64_t id);

/* Whether `process` holds `channel` at that time with any of the bits of `access`. */
bool viz_channel_held(const struct viz_channel *channel, const struct viz_process *process,
		      enum access access, uint64_t at_ns);

#endif
