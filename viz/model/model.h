/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The model of a trace: processes, channels, operations, and which process held which end of a
 * channel when. Everything here is borrowed from the model and lives until viz_model_free();
 * nothing changes after viz_model_read(). Times are nanoseconds of CLOCK_MONOTONIC. A `pid` is a
 * process (the kernel's tgid), a `tid` a thread. Lists are arrays of pointers; `index` is an item's
 * position in its list. In streaming mode (viz/pair/stream.h) operations live only as long as they
 * are used.
 */
#ifndef VIZ_MODEL_MODEL_H
#define VIZ_MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "viz/base/bytes.h"
#include "viz/base/error.h"
#include "viz/base/progress.h"
#include "viz/format/language.h"
#include "viz/format/names.h"
#include "viz/model/first_try.h"
#include "viz/model/holding.h"
#include "viz/model/other_calls.h"
#include "viz/model/values.h"

struct arena;

#define VIZ_NEVER UINT64_MAX /* an end that is not within the trace */

/* One machine of a merged trace of several. */
struct viz_host {
	size_t index;
	struct viz_bytes name;
	uint32_t pid_base;    /* in the trace its pids and tids are larger by this */
	enum clock_tie clock; /* how its clock became the trace's */
	int64_t offset_ns;    /* what was added to its times */
	uint64_t uncertainty_ns;
};

/* One process from its birth to its end. A pid that is used again is another process. */
struct viz_process {
	size_t index; /* in order of appearance */
	uint32_t pid;
	uint32_t ppid;		    /* 0: not known */
	uint32_t ns_pid;	    /* in its own pid namespace; 0: the same as pid, or not known */
	struct viz_process *parent; /* NULL: outside the trace; never one of its own line */
	const struct viz_thread *maker; /* of its parent, that forked it; NULL: not known */
	const struct viz_host *host;	/* NULL: the trace is of one machine */
	struct viz_bytes comm;		/* the last name of its first thread; data may be NULL */
	struct viz_bytes path;		/* of the last exec; data NULL: none in the trace */
	struct viz_bytes *args;		/* of the last exec */
	size_t args_count;
	bool args_cut;	     /* the list was cut: there were more arguments */
	bool before_trace;   /* it existed when tracing began, or its birth is not in the trace */
	bool listed;	     /* a `descriptors` snapshot listed what it held when it was found */
	bool handlers_known; /* its snapshot told whether it had signal handlers */
	bool has_handlers;
	uint64_t handled; /* bit N - 1: it has a handler for signal N, as far as the trace tells */
	bool zombie;	  /* when it was found it had ended, but its parent had not waited for it */
	/* In a glance: the file that keeps it frozen, its tracer, signals that it blocks. */
	struct viz_bytes frozen;
	uint32_t tracer;
	struct viz_bytes *pending;
	size_t pending_count;
	bool silent;	     /* in a glance: it has never written anything */
	bool thinned;	     /* a thinned model lacks some of its calls */
	bool lacks_receives; /* and some by which it received something */
	bool life_left_out;  /* and the call that collected it, and the signal of its end */
	bool asked_in_vain;  /* pair/short_lives.c only: wait4(2) knew no child of a pid */
	bool forked;	     /* it made another process in the trace */
	bool long_life;	     /* pair/short_lives.c only: it has no short life, or none any more */
	uint64_t unwritten;  /* in a glance: bytes in the buffer of its standard output */
	/* In a glance: so many of its children were seen to fail in a row, and how each ended. */
	uint64_t failed_children;
	struct viz_bytes failed_status;
	/* In a glance: the file lock that it asked for in rounds and was refused each time. */
	struct viz_bytes refused_lock; /* as "file-lock:[4711] name" */
	uint64_t refused_times, refused_ns;
	uint32_t refused_by; /* the pid of the process that has it; 0: not known */
	/* In a glance: what its loop starts in rounds until that succeeds, or that file comes. */
	struct viz_bytes repeated, tested_for;
	uint64_t repeated_times, repeated_ns;
	bool status_known; /* exit_code or exit_signal is valid */
	bool ended, core;
	uint64_t start_ns;	     /* its birth, or when it was first seen */
	uint64_t end_ns;	     /* VIZ_NEVER: not within the trace */
	uint64_t parent_notified_ns; /* when its parent was sent SIGCHLD for its end; 0: not seen */
	uint32_t exit_code;	     /* valid if exit_signal is 0 */
	int exit_signal;	     /* number of the signal that ended it, 0: none */
	struct viz_bytes signal;     /* the name of exit_signal, as in the trace */
	struct viz_thread **threads;
	/* threads_apart: how many living threads have a descriptor table of their own. */
	size_t thread_count, threads_apart;
	struct viz_process *previous; /* an earlier process with this pid; NULL: none */
	struct viz_unseen *unseen;    /* unseen.c only: those of it that name no channel */
	struct fd_table *fds;	      /* descriptors.c only */
	size_t fd_member;	      /* fd_table.c only: its index in the table it joined last */
	size_t first_living;	      /* fd_table.c only: all threads before this one have ended */
};

struct viz_thread {
	size_t index; /* in its process's list */
	uint32_t tid;
	struct fd_table *fds; /* descriptors.c only; NULL: it uses its process's */
	struct viz_process *process;
	struct viz_bytes comm; /* its last name */
	uint64_t start_ns, end_ns;
	/* What it did when tracing ended; TARGET_STATE_NONE: not told, or by a pending operation */
	enum target_state state;
	uint64_t looked_ns; /* when that was looked at: it has not run since, if `own` */
	uint64_t since_ns;  /* when it last ran; 0: not known */
	/* The call that it sleeps in, also one that is no IPC; data NULL: it is not known. */
	struct viz_bytes call;
	bool fault, uninterruptible; /* where it touched memory, in no call; as in state D */
	int stop_signal;	     /* number of the one that stopped it; 0: none, or not known */
	struct viz_failed *unexecuted; /* the last execve(2) that failed, since one succeeded */
	struct viz_failed *sought;     /* the file that it looked for in vain, the last one */
	bool own;		       /* only another thread of its process can wake it */
	bool shared; /* then: its futex is in memory made for sharing, and private all the same */
	uint64_t blocks; /* and how many signals it blocks */
	/*
	 * In a glance, how long it was watched while it never slept, or (naps_ns) slept again and
	 * again by nanosleep(2), and which calls it made most often; else 0.
	 */
	uint64_t watched_ns, naps_ns;
	struct viz_bytes *calls;
	uint64_t *counts;
	size_t calls_count;
	/* In a glance, if `own`: the mutex that it waits for, and its owner's tid; 0: not known. */
	uint64_t lock;
	uint32_t owner;
	uint32_t joins; /* in a glance: the tid of the thread whose end it waits for; 0: none */
	struct viz_first_try first_try;
};

struct viz_channel {
	size_t index; /* in order of appearance */
	struct viz_bytes id;
	uint64_t at_ns;	       /* when it was first known */
	struct viz_bytes name; /* of a FIFO, queue, bound unix socket; data may be NULL */
	struct viz_bytes key;  /* System V */
	uint64_t inode;	       /* 0: not known */
	uint64_t capacity;     /* bytes, 0: not known */
	uint64_t network;      /* inode of the network namespace, 0: not known */
	struct viz_bytes local_address;
	struct viz_bytes peer_address;
	struct viz_bytes interface; /* TCP, UDP: the device that its packets leave by; or empty */
	/* The socket or terminal at the other end, if the trace names it. */
	struct viz_channel *peer;
	struct viz_bytes protocol; /* netlink */
	struct viz_bytes groups;   /* netlink: the groups that it listens to, one bit each */
	enum mechanism mechanism;
	bool master; /* the master of a pseudo-terminal */
	bool listening;
	bool peer_changed;  /* peer_address changed: it was connected to another peer before */
	bool removed;	    /* when it was first met, it had no name any more */
	bool large_buffers; /* pipe: splice(2) may have put buffers of a socket into it */
	bool backlog_known, stock_known;
	bool found; /* when tracing found a process, the process already held it */
	/* A call in this trace made it: no outsider can have held it before. */
	bool created_in_trace;
	/* TCP, listening, if backlog_known: connections not accepted at backlog_ns. */
	uint64_t backlog, backlog_ns;
	/*
	 * If stock_known: how many messages (of a stream: buffers; of a terminal: bytes) lay in it
	 * at stock_ns, when all processes had been joined; of a queue, when it was first met.
	 */
	uint64_t stock, stock_ns;
	struct viz_outsider *outsiders;
	size_t outsider_count;
	/* Processes outside the trace that hold an end of it when tracing ends. */
	struct viz_outsider *strangers;
	size_t stranger_count;
	/* UDP: all sockets of the trace that outsiders hold too. */
	const struct viz_sockets *held_outside;
	const struct viz_glimpse *glimpse; /* never NULL */
	struct viz_channel *memory;	   /* futex: the memory that it lies in */
	struct viz_holding **holdings;	   /* sorted by since_ns */
	size_t holding_count;
	size_t holding_changes;		/* changes to `holdings` while a trace is read */
	struct viz_unseen_state unseen; /* a cache; unseen.c only */
};

struct viz_fd {
	int32_t fd;
	struct viz_channel *channel;
	enum access access;
	bool last; /* exit: no other process has an end of its kind */
};

/* A descriptor that poll, select or epoll waits for, or reports as ready. */
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

/*
 * Calls of the same thread that came after one, differ from it in their times alone, got nothing
 * (viz/pair/idle_runs.h), and are not in a thinned model.
 */
struct viz_repeats {
	uint64_t count, took_ns, slept_ns;
	const struct viz_operation *by_turns; /* the call it made by turns with these; NULL: none */
};

#define VIZ_PRESENT_WORDS 2 /* 64 keys each; operations.c asserts that they suffice */

/* What few operations have: a trace has millions of them, most of which share one that is empty. */
struct viz_operation_extra {
	uint64_t at_ns; /* when an unfinished one was last seen */
	uint64_t transferred;
	struct viz_channel *channel_out; /* transfers: of fd_out; NULL: none */
	uint32_t priority;
	uint32_t peer_pid;
	uint32_t lease;		     /* open: who has the lease that it waits for; 0: none */
	struct viz_position at_lock; /* pipes, TCP */
	/* A transfer's positions in the pipe that it filled; NULL: none, or not known. */
	struct viz_stood *sink;
	/* process_vm_*: the process whose memory it is; NULL: not in the trace. */
	struct viz_process *peer;
	/* Wait4, waitid: the child whose end it reported; NULL: not known. */
	struct viz_process *child;
	struct viz_bytes path;
	struct viz_bytes peer_address;
	struct viz_fd *new_fds;
	size_t new_fds_count;
	struct viz_wait *waits_for;
	size_t waits_for_count;
	struct viz_wait *ready;
	size_t ready_count;
	uint64_t *passed_fds; /* SCM_RIGHTS, in the caller's numbers */
	size_t passed_fds_count;
	struct viz_chunk *chunks; /* receives: the sends that the kernel's own buffers name */
	size_t chunk_count;
	uint64_t *line_feeds; /* offsets, ascending; if the payload is cut, all lie beyond it */
	size_t line_feeds_count;
	/*
	 * Large sends to a full pipe: pairs of buffer numbers [first, behind the last), one pair
	 * for each lock segment.
	 */
	uint64_t *turns;
	size_t turns_count;
	/*
	 * The same, for each wait for the pipe's lock: some of these buffers may be its own, too.
	 * What is in neither list is not.
	 */
	uint64_t *turns_unsure;
	size_t turns_unsure_count;
	/*
	 * TCP: pairs of sequence numbers [first, behind the last) of the bytes moved; none: not in
	 * the trace.
	 */
	uint64_t *sent_at, *received_at;
	size_t sent_at_count, received_at_count;
	uint64_t *parts; /* bytes of each datagram, if a message is several; datagram_parts.c */
	uint64_t *part_messages; /* for each datagram: the index of its message in the call */
	size_t parts_count;
	uint64_t *delivered; /* sockets: indices of the messages that the kernel queued */
	size_t delivered_count;
	uint64_t *refused; /* UDP: indices of the messages dropped for lack of room */
	size_t refused_count;
	uint64_t timeout_ns; /* how long the wait may last, if it has a limit: viz_has() */
	uint64_t unreached;  /* UDP: how many were dropped because no socket has their port */
	/* Of each message of sendmmsg or recvmmsg; the last ones may be missing. */
	uint64_t *lengths;
	size_t lengths_count;
	struct viz_bytes *addresses; /* of each message; addresses_count 0: not in the trace */
	size_t addresses_count;
	/* Digest of the first digest_len bytes, given instead of a payload. */
	struct viz_bytes digest;
	uint64_t digest_len;
	int64_t message_type;
	struct viz_argument *args;
	size_t args_count;
	/* Setsockopt, getsockopt: name of the option, if the trace has one. */
	struct viz_bytes option;
	int64_t option_value;
	struct viz_fd *replaced; /* dup2, dup3: the descriptor that it closed */
	size_t replaced_count;
	struct viz_sem *sems; /* semop: the changes asked for */
	size_t sems_count;
	struct viz_owner owner;	  /* futex: what it waits for */
	struct viz_siginfo taken; /* sigtimedwait: the signal that it took */
	struct viz_lock lock;	  /* flock, fcntl */
	struct viz_repeats repeats;
	struct viz_line line_before; /* terminals */
	struct viz_line line_after;
	bool line_feeds_known;
	bool keeps_no_children; /* sigaction: ended children need no wait (SA_NOCLDWAIT) */
	bool waits_cut;		/* waits_for and ready are cut: there were more */
	bool shared;		/* extras.c: other operations have the same one */
};

/*
 * One system call; the trace's begin line and end line of one id are merged. viz_has(op, returned)
 * tells whether the trace gave an optional key; keys that it did not give are 0 (descriptors -1).
 * Sorted by enter_ns, then id.
 */
struct viz_operation {
	/* What is asked of each operation of a trace, again and again, stands in 128 bytes. */
	uint32_t index;
	/* STATE_NONE: complete. STATE_BEGIN, STATE_PENDING: it has not returned. */
	enum operation_state state : 8;
	enum role role : 8;
	unsigned char spoken; /* viz/protocol/talks.c only: what protocol its bytes are of */
	bool began : 1;	      /* it slept, from began_ns on */
	bool last : 1;	      /* the descriptor that it closed was the only end of its kind */
	bool control_cut : 1; /* recvmsg: there was no room for all control data (MSG_CTRUNC) */
	bool packets : 1;     /* a write to a pipe in packet mode (O_DIRECT): it keeps borders */
	bool listed : 1;      /* engine.c: it is among the open operations of a channel */
	bool numbered : 1;    /* call_order.c: it is in the list of call numbers */
	bool live : 1;	      /* operation_refs.c: it is freed after its last use */
	bool after_gap : 1;   /* a thinned model lacks calls of its thread just before it */
	struct viz_bytes syscall; /* "read" */
	struct viz_process *process;
	struct viz_channel *channel; /* NULL: none */
	uint64_t enter_ns;
	uint64_t exit_ns; /* VIZ_NEVER while unfinished */
	int64_t returned;
	const struct viz_operation_extra *extra; /* never NULL */
	uint64_t present[VIZ_PRESENT_WORDS];	 /* one bit for each optional key; use viz_has() */
	uint64_t flags;
	struct viz_thread *thread;
	uint64_t requested;
	/* resumed_ns: when it last ran again after a sleep; 0: it never slept. */
	uint64_t off_cpu_ns, resumed_ns;
	/* The rest. */
	uint64_t id;
	struct viz_bytes error; /* "EAGAIN" */
	struct viz_bytes payload;
	int32_t fd, fd_out; /* fd_out: a transfer's sink; fd and channel are its source */
	struct viz_position at_entry, at_exit; /* pipes, TCP, eventfds */
	uint64_t queued;
	uint32_t readers, writers;
	struct viz_bytes comm; /* the thread's name at the time of the call */
	uint64_t began_ns;     /* if `began`: when it fell asleep */
	uint64_t woke_ns;      /* when it last woke a sleeper on the same object; 0: never */
	/* The process whose call last woke it; NULL: none in the trace. */
	struct viz_process *woken_by;
	uint64_t waker, woken_ns; /* the id of the call that woke it, and when; 0: not known */
	struct viz_channel *to;
	struct viz_channel *from;
	uint32_t uses;
	uint32_t open_at[2]; /* engine.c: its places in these lists, of the sink and the source */
};

extern const struct viz_operation_extra viz_no_extra;

/* Whether the trace gave this optional key: viz_has(op, queued). */
#define VIZ_KEY(key) (FIELD_operation_##key - FIELD_operation_id)
#define viz_has(op, key) (((op)->present[VIZ_KEY(key) / 64] >> (VIZ_KEY(key) % 64) & 1) != 0)

/*
 * The channel that it put bytes into (sink), and the one that it took or peeked bytes from
 * (source). NULL: none, or no IPC channel.
 */
static inline struct viz_channel *viz_operation_sink(const struct viz_operation *op)
{
	return op->role == ROLE_TRANSFER ? op->extra->channel_out
	       : op->role == ROLE_SEND	 ? op->channel
					 : NULL;
}

static inline struct viz_channel *viz_operation_source(const struct viz_operation *op)
{
	return op->role == ROLE_TRANSFER || op->role == ROLE_RECEIVE ? op->channel : NULL;
}

/*
 * The index in its sendmmsg or recvmmsg of the message that `part` belongs to. `part` counts
 * datagrams where a message is several (datagram_parts.c); otherwise the two are equal.
 */
uint64_t viz_message_of(const struct viz_operation *op, uint32_t part);

/* True if the call has returned. */
static inline bool viz_operation_done(const struct viz_operation *op)
{
	return op->state == STATE_NONE;
}

/* True if the call has returned an error. */
static inline bool viz_operation_failed(const struct viz_operation *op)
{
	return viz_operation_done(op) && viz_has(op, returned) && op->returned < 0;
}

/* Gives the integer argument of that name (`args` in the trace); false if there is none. */
bool viz_operation_argument(const struct viz_operation *op, const char *name, int64_t *value);

/* One `process` line: snapshot, fork, exec, name or exit. Sorted by time. */
struct viz_process_event {
	size_t index;
	enum process_event event;
	uint64_t at_ns;
	struct viz_process *process;
	struct viz_thread *thread;
	struct viz_process *parent; /* fork: the process that forked; NULL: not in the trace */
	uint32_t maker_tid;	    /* fork: the thread that made it; 0: not known */
	bool new_thread;	    /* fork: it made a thread of the same process */
	bool last;		    /* exit: its process ended with this thread */
	struct viz_bytes comm;
	struct viz_bytes path; /* exec */
	struct viz_bytes *args;
	size_t args_count;
	bool args_cut;
};

/* One `signal` line, sorted by time; struct viz_signal (message.h) joins those of one signal. */
struct viz_signal_event {
	size_t index;
	enum signal_event event;
	uint64_t at_ns;
	int number;
	struct viz_bytes name; /* "SIGUSR1" */
	enum origin origin;
	int64_t code, value;
	bool has_code, has_value, has_sender;
	/* si_pid as the target sees it; 0: outside the target's pid namespace. */
	uint32_t sender_pid;
	struct viz_process *from; /* NULL: the kernel, or a process outside the trace */
	uint32_t from_pid;	  /* 0: none */
	uint32_t from_tid;
	struct viz_bytes from_comm; /* its name at that time; data may be NULL */
	struct viz_process *to;	    /* NULL: outside the trace */
	uint32_t to_pid, to_tid;
	struct viz_bytes to_comm;
	enum target_state target_state; /* generate: TARGET_STATE_NONE if it is not known */
	bool group;
	enum signal_result result;
	enum signal_action action;
	bool has_operation; /* the trace names an operation */
	uint64_t operation_id;
	/* Generate: the call that raised it; deliver: the one it interrupted. */
	struct viz_operation *operation;
	struct viz_bytes interrupted;  /* return: "EINTR", "restart" */
	struct viz_signal_event *kept; /* signals.c: the model's copy, while a trace is read */
};

/* Something that a process does which the trace does not record. */
struct viz_unseen {
	uint64_t at_ns; /* since when */
	struct viz_process *process;
	enum unseen what;	     /* UNSEEN_NONE: a reason that this version does not know */
	struct viz_channel *channel; /* only on this one; NULL: on any that the process holds */
	struct viz_unseen *next;     /* of the same process, if no channel is named */
};

/* One `mapping` line: shared memory that a process had mapped already when it was joined. */
struct viz_mapping {
	uint64_t at_ns;
	const struct viz_process *process;
	const struct viz_channel *memory;
};

/*
 * Calls of a process on a channel that a thinned model (viz/pair/thinned.h) does not hold: each has
 * sent or received whole messages, one a call, and has told nothing else. Calls that got nothing,
 * and those on semaphores and futexes, are not among them.
 */
struct viz_ordinary {
	const struct viz_process *process;
	const struct viz_channel *channel;
	bool receives; /* the calls received; else they sent or, on an epoll instance, waited */
	uint64_t calls, bytes;
	uint64_t requested; /* of receives that told it, in all */
	uint64_t shorter;   /* receives that returned less than that */
};

/* By how much calls that a thinned model lacks changed a semaphore since its last SETVAL. */
struct viz_sem_change {
	const struct viz_channel *channel;
	uint64_t number; /* in its set */
	int64_t change;
};

struct viz_lost {
	uint64_t at_ns;
	struct viz_bytes where;
	uint64_t count;
};

/* One `pause` line: the command was held, so that no record was lost. */
struct viz_pause {
	uint64_t at_ns;
	uint64_t stood_ns;
};

struct viz_header {
	uint64_t version;
	struct viz_bytes tool, kernel, machine, host;
	uint64_t start_ns;
	int64_t realtime_offset_ns;
	struct viz_bytes *command;
	size_t command_count;
	uint32_t tracer;
	uint64_t *launchers; /* in a glance: the tracer's parent, and so on */
	size_t launcher_count;
	/*
	 * A call's id modulo this is the processor that it began on (call_order.c); 0: not known.
	 */
	uint64_t processors;
	uint64_t page_len;    /* 0: not known, or in a merged trace not the same everywhere */
	bool reports_queued;  /* for each UDP datagram, whether the kernel queued it */
	bool reports_absent;  /* of UDP datagrams that no socket has their port */
	bool reports_refused; /* for each UDP datagram, whether it was dropped for lack of room */
};

struct viz_trailer {
	bool present; /* false: the trace was cut off */
	uint64_t at_ns;
	enum end_reason why;
	uint64_t operations, signals, lost;
	uint64_t lines; /* lines before the trailer; 0: not in the trace */
	bool has_exit_code;
	uint32_t exit_code;
	struct viz_bytes signal;
};

struct viz_model {
	struct viz_header header;
	struct viz_trailer trailer;
	struct viz_host **hosts; /* of a merged trace of several machines */
	size_t host_count;
	struct viz_process **processes;
	size_t process_count;
	struct viz_channel **channels;
	size_t channel_count;
	struct viz_sockets held_outside;
	struct viz_operation **operations;
	size_t operation_count;
	struct viz_ordinary **ordinary; /* for each process and channel; a whole model has none */
	size_t ordinary_count;
	struct viz_sem_change **sem_changes; /* as above, for each System V semaphore of which */
	size_t sem_change_count;
	uint64_t ordinary_calls; /* in all, those that waited for data or got nothing included */
	struct viz_process_event **process_events;
	size_t process_event_count;
	struct viz_signal_event **signal_events;
	size_t signal_event_count;
	uint64_t ordinary_signal_events; /* how many a thinned model lacks */
	struct viz_holding **holdings;
	size_t holding_count;
	struct viz_unseen **unseen; /* one for each process, reason and channel */
	size_t unseen_count;
	/* unseen.c only: the earliest by which data moves; without a channel; of 32 bits. */
	const struct viz_unseen *unseen_first, *unseen_wide, *unseen_compat;
	struct viz_input **inputs; /* in order of time */
	size_t input_count;
	struct viz_mapping *mappings;
	size_t mapping_count;
	struct viz_lost **lost;
	size_t lost_count;
	uint64_t lost_total;
	bool lost_in_ring;	  /* some of them for want of room in the ring */
	struct viz_bytes look;	  /* the text of a trace of one instant; empty: none was taken */
	struct viz_pause *pauses; /* in order of the trace, which is that of time */
	size_t pause_count;
	uint64_t paused_ns;	/* in all */
	bool descriptors_cut;	/* there were too many descriptors: holdings are incomplete */
	uint64_t skipped_lines; /* lines of types that this version does not know */
	uint64_t lines;
	/* Operation and signal lines that the trailer counts but the file lacks. */
	uint64_t missing_lines;
	uint64_t wrong_lines; /* lines that were left out because something in them is wrong */
	uint64_t end_ns;      /* the latest time in the trace */
	/* A sentence for the user, as "… is cut off …", in each language; data NULL: none. */
	struct viz_bytes warning[LANGUAGE_COUNT];
	struct model_index *index; /* read.c only */
	struct arena *arena;
};

/*
 * True if the trace says, or shows, that records are missing that it ought to have: then the
 * absence of anything proves nothing. What came after a trace was cut off is not meant.
 */
static inline bool viz_model_lacks_records(const struct viz_model *model)
{
	return model->lost_total || model->missing_lines || model->wrong_lines;
}

/* No record was lost later than this, 0 if none ever was; VIZ_NEVER: not known. */
uint64_t viz_model_lost_until_ns(const struct viz_model *model);

/*
 * Reads the whole trace `path` ("-" is stdin) and says in `progress`, which may be NULL, how far it
 * is. 0, and the caller frees the model with
 * viz_model_free(); or -errno (-EBADMSG: not a trace), `*model` NULL, and in
 * `error` a sentence for the user that names file and line. A trace without a trailer is read up to
 * its last whole line, and a line that is wrong is left out: these are successes, with `warning`
 * set.
 */
int viz_model_read(const char *path, struct progress *progress, struct viz_model **model,
		   struct viz_error *error);

/*
 * Reads a trace from an open stream, as viz_model_read() does. The stream stays open; `name` is
 * used in error messages.
 */
int viz_model_read_stream(FILE *stream, const char *name, struct progress *progress,
			  struct viz_model **model, struct viz_error *error);

void viz_model_free(struct viz_model *model); /* model may be NULL */

/*
 * The process that had this pid at that time. If the pid was not yet in use then, the first one
 * that had it; NULL if none had it ever.
 */
struct viz_process *viz_model_process(const struct viz_model *model, uint32_t pid, uint64_t at_ns);

/* True if the process started this look at the machine (a glance), and so waits for it. */
bool viz_model_is_launcher(const struct viz_model *model, const struct viz_process *process);

/* True if `ancestor` made the process, or made one that did; true too of the process itself. */
bool viz_process_descends(const struct viz_process *process, const struct viz_process *ancestor);

/* True if the process has a handler for the signal, as far as the trace tells. */
bool viz_process_handles(const struct viz_process *process, int signal);

/* Returns a signal as kill(1) sends that the process has a handler for; NULL: there is none. */
const char *viz_process_handled_request(const struct viz_process *process);

/* A process of the trace that held the channel at that time; NULL: none did. */
const struct viz_process *viz_channel_holder(const struct viz_channel *channel, uint64_t at_ns);

/* The channel or operation with this id; NULL: the trace has none. */
struct viz_channel *viz_model_channel(const struct viz_model *model, struct viz_bytes id);
struct viz_operation *viz_model_operation(const struct viz_model *model, uint64_t id);

/* True if it ended with status 0; with another one, or by a signal. Neither: it is not known. */
bool viz_process_succeeded(const struct viz_process *process);
bool viz_process_failed(const struct viz_process *process);

/* True if `process` holds `channel` at that time with any of the access bits `access`. */
bool viz_channel_held(const struct viz_channel *channel, const struct viz_process *process,
		      enum access access, uint64_t at_ns);

/*
 * Time zero of pictures and findings, which does not depend on filters: the time (CLOCK_MONOTONIC,
 * ns) of the first process event, system call or signal; without these, when tracing started.
 */
uint64_t viz_model_begin_ns(const struct viz_model *model);

/*
 * Writes the number of a process for readers: "1201", or "1201 ns:7" where it has another one in
 * its own PID namespace; gives buf. In a merged trace it is the number on its own machine.
 */
#define VIZ_NUMBER 32
const char *viz_process_number(const struct viz_process *process, char buf[VIZ_NUMBER]);

/*
 * Says for readers what was added to the times of a machine, and how sure that is; gives buf, or
 * NULL for the machine whose clock is the trace's. The name in it is hostile.
 */
#define VIZ_CLOCK_TEXT 512
const char *viz_host_clock(const struct viz_host *host, enum language language,
			   char buf[VIZ_CLOCK_TEXT]);

/* The machine whose number it is; NULL: the trace is of one machine. */
const struct viz_host *viz_pid_host(const struct viz_model *model, uint32_t pid);

/* False: nobody can tell how wrong its times are. */
bool viz_host_clock_known(const struct viz_host *host);

/*
 * True if the two are on two machines (NULL: not known). Then *wrong_ns is by how much a time
 * between them may be wrong; VIZ_NEVER: nobody can tell.
 */
bool viz_clocks_apart(const struct viz_process *one, const struct viz_process *other,
		      uint64_t *wrong_ns);

/* A pid or tid of the process's machine, as that machine numbers it. */
uint32_t viz_process_own(const struct viz_process *process, uint32_t number);

/*
 * The name `comm` of a process for readers: in a merged trace of several machines with the host
 * before it, as "web1:nginx", in buf; else, and where that is too long, `comm` itself. The process
 * may be NULL.
 */
#define VIZ_NAME 256
struct viz_bytes viz_process_name(const struct viz_process *process, struct viz_bytes comm,
				  char buf[VIZ_NAME]);

#endif
