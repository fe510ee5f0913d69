/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What kind of wait it is, what it goes on to wait for, and texts about it. */
#ifndef VIZ_DIAGNOSE_WAITS_H
#define VIZ_DIAGNOSE_WAITS_H

#include "viz/diagnose/core/finder.h"
#include "viz/diagnose/graph/wait_graph.h"
#include "viz/diagnose/graph/wait_kinds.h"

#define NAMES_MOST 12  /* a list with more names is not read */
#define LOOK_BACK 4096 /* so many calls before a wait are looked at for what led to it */
#define CHAIN_MOST 12  /* so many links of a chain are told, too */

/*
 * Returns the wait as text, such as "ping[801] read(3)  pipe:[40211]: only pong[802] (fd 4) can
 * write there".
 */
const char *wait_text(struct diagnosis *d, const struct wait *wait);

/*
 * Returns the names of the processes that could end the wait, without the waiting process unless
 * another thread or a descriptor of it could; NULL if there are none.
 */
const char *enders_text(struct diagnosis *d, const struct wait *wait);

/* Of a wait to open a FIFO: returns "ping[801] waits for whoever opens there for writing". */
const char *opener_text(struct diagnosis *d, const struct wait *wait);

/* Returns a text for those that could end the wait but are not known by name. */
const char *others_text(struct diagnosis *d, const struct wait *wait);

/* True if others_text() belongs to the text of the wait, and is not merely possible. */
bool tells_others(struct diagnosis *d, const struct wait *wait);

/* Returns "a[1], b[2] and c[3]"; of a long list the first ones, and how many more there are. */
const char *names_text(struct diagnosis *d, const struct viz_process **processes, size_t count);

const char *more_text(struct diagnosis *d, size_t count); /* returns "3 more" */

/*
 * Of a write to a pipe: returns " (the pipe holds 61,440 of 65,536 bytes)", or what it can hold if
 * what lies there is not known; an empty string if neither is.
 */
const char *room_text(struct diagnosis *d, const struct wait *wait);

/* Adds the wait to the finding's evidence: its process, its operation and wait_text(). */
void finding_wait(struct diagnosis *d, struct finding *f, const struct wait *wait);

/*
 * wait_idle.c: true for waits of sound programs that have nothing to do (for a time, a client, a
 * datagram, a signal, a key); for those that are no fault by themselves (for a child, for one that
 * can act, too); for a send to one that has read before and goes on by itself; for those that have
 * waited long for a lock whose holder waits for no client.
 */
bool wait_is_natural(const struct wait *wait);
bool wait_is_idle(const struct diagnosis *d, const struct wait *wait);
bool wait_is_read_slowly(const struct diagnosis *d, const struct wait *wait);
bool wait_is_held_long(const struct diagnosis *d, const struct wait *wait);

/*
 * wait_idle.c: true for a client in a blocking read of a server outside the trace, which it has
 * asked nothing, or which has answered it before: it may have subscribed to news.
 */
bool wait_is_for_server_outside(const struct diagnosis *d, const struct wait *wait);

/*
 * wait_culprit.c: the wait of the one who has to act for this one to end; NULL: that one has none,
 * or nobody is known.
 */
const struct wait *chain_next(const struct diagnosis *d, const struct wait *wait);

/* wait_culprit.c: the stopped process to which the chain of the wait leads; NULL: to none. */
const struct viz_process *chain_stopped(const struct diagnosis *d, const struct wait *wait);

/* wait_culprit.c: who has to act for the wait to end; NULL: nobody of those that are known. */
const struct viz_process *chain_culprit(const struct diagnosis *d, const struct wait *wait);

/*
 * wait_culprit.c: true if it waits for events, none of which is that there is something to read of
 * what `writer` sends.
 */
bool wait_ignores(const struct diagnosis *d, const struct wait *wait, const struct wait *writer);

/*
 * wait_culprit.c: the wait of a thread of the same process at the other end of the socket: threads
 * that talk to each other, of which none is meant to close its end. NULL: there is none.
 */
const struct wait *thread_at_other_end(const struct diagnosis *d, const struct wait *wait);

/*
 * wait_culprit.c: true if it waits for children, of which one writes what is no standard stream: a
 * queue. A shell keeps ends open for others.
 */
bool wait_joins_writer(const struct diagnosis *d, const struct wait *wait,
		       const struct viz_process *process);

/*
 * wait_culprit.c: the wait that keeps the process from acting for `whom`: of several threads
 * the one that waits for the end of `whom`, else one that sends, else its first thread. NULL: it
 * has none.
 */
const struct wait *wait_that_keeps(const struct diagnosis *d, const struct viz_process *process,
				   const struct viz_process *whom);

/*
 * wait_chain.c: adds to the finding all whom the wait waits for, to the one who waits for none of
 * them, as evidence and as {chain} ("; tee[2] waits to write …"), and the advice for the case.
 */
void finding_chain(struct diagnosis *d, struct finding *f, const struct wait *wait);

/*
 * wait_chain.c: the same, without advice, of what keeps `process` from acting for `whom` when the
 * trace ends; one that waits for connections is kept by nothing.
 */
void finding_chain_of(struct diagnosis *d, struct finding *f, const struct viz_process *process,
		      const struct viz_process *whom);

/* wait_chain.c: the same, and the advice, of a server that this keeps: server_is_kept(). */
void finding_kept_server(struct diagnosis *d, struct finding *f, const struct viz_process *server,
			 const struct wait *by);

/* wait_chain.c: sets the advice of a circle whose case is known better than the finding's row. */
void finding_circle(struct diagnosis *d, struct finding *f, size_t number);

/*
 * wait_killed_users.c: of a wait at a semaphore: adds to the evidence who used that and was killed
 * by a signal; returns whether there is one.
 */
bool tell_killed_users(struct diagnosis *d, struct finding *f, const struct wait *wait);

/*
 * wait_in_handler.c: "ping[801] is in its handler of SIGCHLD …" if the wait, or this thread that
 * sleeps in a private futex, is in the handler of a signal; else NULL. sleeper_is_in_handler() says
 * just that.
 */
bool sleeper_is_in_handler(const struct diagnosis *d, const struct viz_thread *thread);
const char *wait_handler_text(struct diagnosis *d, const struct wait *wait);
struct viz_bytes wait_handler_signal(const struct diagnosis *d, const struct wait *wait);
const char *sleeper_handler_text(struct diagnosis *d, const struct viz_thread *thread);

/*
 * wait_counters.c: of a wait in the read of an eventfd, an earlier read that took what several
 * writes had added; NULL: there was none.
 */
const struct viz_operation *wait_merging_read(struct wait_graph *graph, const struct wait *wait);

/*
 * wait_taken.c: of a wait for the answer to what it asked on a connection, the receive by which
 * another thread or process, which asks there as well, took that; NULL: there is none.
 */
const struct viz_operation *wait_taken_by(const struct wait_graph *graph, const struct wait *wait);

/*
 * wait_half_close.c: the call that told the process of the end of its input, where it waits to
 * read on a socket on which it was the last to send, and keeps it open for writing; and so does the
 * one at the other end. NULL: it is not so.
 */
const struct viz_operation *wait_unsaid_end(const struct diagnosis *d, const struct wait *wait);

/*
 * wait_half_close.c: true if nc(1) waits so. wait_has_read_all(): as it has sent something, and
 * waits for its input no more, which has ended; who has the other end may wait for others, too.
 */
bool wait_is_for_unsaid_end(const struct diagnosis *d, const struct wait *wait);
bool wait_has_read_all(const struct diagnosis *d, const struct wait *wait);

/* wait_half_close.c: true if the last that moved on the wait's channel was received there. */
bool wait_was_answered(struct wait_graph *graph, const struct wait *wait);

/*
 * wait_half_close.c: true if nothing was sent on the wait's channel before something was received
 * there.
 */
bool wait_never_asked(struct wait_graph *graph, const struct wait *wait);

/*
 * wait_half_close.c: true if something was sent there, and nothing has come: of a glance known of
 * TCP only.
 */
bool channel_was_never_answered(struct wait_graph *graph, const struct viz_channel *channel);

/*
 * wait_unset_fds.c: of a wait in select(2): a channel with something to read for which the call
 * before it waited, and was not told of; NULL: there is none.
 */
const struct viz_channel *wait_unset_channel(const struct wait_graph *graph,
					     const struct wait *wait);

/*
 * wait_notified_once.c: of a wait for a signal: a message queue with unread messages of which the
 * process was to be told, and was told of an earlier one; NULL: there is none.
 */
const struct viz_channel *wait_notified_once(struct wait_graph *graph, const struct wait *wait);

/*
 * wait_fifo_again.c: of a wait to open a FIFO, that FIFO if its process had it open before to read,
 * and closed it when so many bytes lay there unread, which were lost; NULL: it is not so.
 */
const struct viz_channel *wait_lost_between(const struct diagnosis *d, const struct wait *wait,
					    uint64_t *bytes);

/* A length as its sender meant it, and as it is with its bytes in the other order. */
struct wait_length {
	uint64_t meant, taken;
};

/*
 * wait_byte_order.c: true if a receive waits for the rest of what such a length says, though all
 * that was meant has come.
 */
bool wait_takes_wrong_length(const struct wait_graph *graph, const struct wait *wait,
			     struct wait_length *found);

/*
 * wait_byte_order.c: true if a receive waits for the rest of what a length before it says; `taken`
 * is that length then, and `meant` is what came. Whether just as much is missing as the length
 * itself has.
 */
bool wait_is_promised_more(const struct wait_graph *graph, const struct wait *wait,
			   struct wait_length *found);
bool length_counts_itself(const struct wait_length *length);

/* Why bytes that lie there do not end a wait to read. */
enum unfit {
	UNFIT_NONE,
	UNFIT_ASKED,  /* the call asks for what is urgent only (POLLPRI, select()'s third set) */
	UNFIT_URGENT, /* the byte was sent with MSG_OOB, and is not read as the others are */
	UNFIT_LINE,   /* they are no whole line, which alone a terminal gives out */
	UNFIT_FEW,    /* they are fewer than SO_RCVLOWAT */
};

struct wait_unfit {
	const struct viz_channel *channel;
	uint64_t bytes;
	uint64_t wanted; /* UNFIT_FEW: as many must lie there */
};

/* wait_unfit.c: why, and of which channel; UNFIT_NONE: nothing lies there, or it is not known. */
enum unfit wait_find_unfit(const struct wait_graph *graph, const struct wait *wait,
			   struct wait_unfit *found);

/*
 * wait_unheard.c: of a wait in select(2) or poll(2), the last read there, which took several lines
 * at once; a datagram to a group at the port where it waits, which no socket got. NULL: there is
 * none. True for a wait at a netlink socket that hears no group and has asked for nothing.
 */
const struct viz_operation *wait_read_ahead(const struct wait_graph *graph, const struct wait *wait,
					    uint64_t *lines);
const struct viz_operation *wait_unheard_send(const struct wait_graph *graph,
					      const struct wait *wait);
bool wait_hears_no_group(const struct wait_graph *graph, const struct wait *wait);

/*
 * wait_unheard.c: if the one who received the request sent something back on another socket, and
 * the client's is connected to the one that was asked, adds that to the finding, and the remedy;
 * false otherwise. The request may be NULL.
 */
bool tell_answered_elsewhere(struct diagnosis *d, struct finding *f,
			     const struct viz_message *request);

/*
 * wait_empty_set.c: the last epoll_ctl(2) that was to add to the set in which nothing is, and
 * failed, before the wait began; NULL: there is none.
 */
const struct viz_operation *wait_failed_addition(const struct wait_graph *graph,
						 const struct wait *wait);

/*
 * wait_other_object.c: of a wait at a System V object that nobody else has used: a call of another
 * process that gave something in vain to one of another key, which the waiting one has not used.
 * NULL: there is none.
 */
const struct viz_operation *wait_other_key(const struct wait_graph *graph, const struct wait *wait);

/*
 * wait_other_object.c: of a wait at a POSIX semaphore or queue that has a name, and that nobody
 * else has used: a late call of another process on one of a name much like that, which it alone
 * has used. NULL: there is none.
 */
const struct viz_operation *wait_other_name(const struct wait_graph *graph,
					    const struct wait *wait);

/* wait_other_object.c: an object made by the name of this one after it was removed, or NULL. */
const struct viz_channel *wait_made_again(const struct wait_graph *graph,
					  const struct viz_channel *channel);

/*
 * wait_left_over.c: true if it waits for a named semaphore that was there before the trace, and
 * that nobody in it has posted.
 */
bool wait_is_left_over(struct wait_graph *graph, const struct wait *wait);

/*
 * wait_closed_fd.c: the close(2) by which another thread closed the descriptor on which this call
 * sleeps, and did not wake it; NULL: there was none.
 */
const struct viz_operation *wait_closed_by(struct wait_graph *graph, const struct wait *wait);

/*
 * wait_restarted.c: an alarm that interrupted the call, which went on after its handler; NULL:
 * there was none.
 */
const struct viz_signal *wait_restarting_signal(struct wait_graph *graph, const struct wait *wait);

/*
 * wait_semaphore_value.c: true if it waits until a System V semaphore is 0; the value of the one
 * that it waits for, false if that is not known; the semctl(2) that set it after `post`, and so
 * took that back, or NULL.
 */
bool wait_is_for_zero(const struct wait *wait);
bool wait_semaphore_value(const struct diagnosis *d, const struct wait *wait, int64_t *value);
const struct viz_operation *wait_set_anew(const struct diagnosis *d, const struct wait *wait,
					  const struct viz_operation *post);

/* wait_for_nothing.c: true for a read of a timerfd that is not armed. */
bool wait_is_disarmed(const struct diagnosis *d, const struct wait *wait);

/*
 * wait_vain.c: of a wait for a signal one that was sent and stays pending, as it is blocked; empty:
 * there is none. A pipe's reading end at which it waits for room to write, or NULL.
 */
struct viz_bytes wait_pending_signal(const struct diagnosis *d, const struct wait *wait);
const struct viz_channel *wait_for_room_to_read(const struct wait_graph *graph,
						const struct wait *wait);

/*
 * wait_left_open.c: true if the holding is a writing end that is open still; if somebody outside
 * the trace can write there.
 */
bool holding_may_write(const struct viz_holding *holding);
bool wait_written_outside(const struct viz_channel *channel);

/*
 * wait_left_open.c: of a pipe or a stream of a unix socket: returns where all that is read there is
 * written, if all who can were started with it as their output and have been left, asleep, by who
 * started them, and there are some. Else NULL.
 */
const struct viz_channel *wait_left_end(const struct wait_graph *graph,
					const struct viz_channel *channel,
					const struct viz_process *reader);

/* "a[1] (fd 1) and b[2] (fd 1)": all in the trace that can write there; NULL and 0: nobody. */
const char *writers_text(struct diagnosis *d, const struct viz_channel *channel, size_t *count);

/* wait_left_over.c: the same of one made in the trace, whose other users have all ended. */
const struct wait_gone *wait_left_taken(struct wait_graph *graph, const struct wait *wait);

/*
 * wait_unanswered.c: true if all calls of the process have slept for a second, and none of them
 * for what comes to this listener or socket.
 */
bool process_sleeps_elsewhere(const struct diagnosis *d, const struct viz_process *process,
			      const struct viz_channel *channel);

/* wait_kept_server.c: true if the connection was made to a server, and this end made it. */
bool channel_is_of_client(const struct wait_graph *graph, const struct viz_channel *client,
			  const struct viz_channel *server);

/*
 * wait_kept_server.c: true if the server, which has the end `channel` of a client's connection, has
 * slept for a second in what has nothing to do with any client, as all have whom it waits for: *by,
 * or NULL for its own memory. False where it may have put its client off on purpose.
 */
bool server_is_kept(const struct diagnosis *d, const struct viz_process *server,
		    const struct viz_channel *channel, const struct wait **by);

/* wait_kept_server.c: true for a sleep of ten minutes or more, as far as is known how long. */
bool wait_is_long_sleep(const struct wait *wait);

/*
 * wait_kept_server.c: true if all threads of the process sleep for ten minutes or more, as they
 * asked, or until one of those wakes them, and no signal makes it do something meanwhile.
 */
bool process_sleeps_for_long(const struct diagnosis *d, const struct viz_process *process);

/*
 * wait_unanswered.c: adds, in a glance, the finding no-answer for each client that no finding names
 * and that waits for a server which has not read what it was sent, or is kept, and marks the wait,
 * and those that keep the server, by their index as told. The other one adds to such a finding what
 * the server waits for, and the advice.
 */
void report_unanswered_requests(struct diagnosis *d, bool *told);
void finding_unread_request(struct diagnosis *d, struct finding *f,
			    const struct viz_process *server, const struct viz_process *client);

/* The cases of advice.def. */
enum advice_case {
	ADVICE_NONE,
	ADVICE_CHILD_UNREAD,  /* waits for its child, which waits until its output is read */
	ADVICE_QUEUE_JOINED,  /* the same, and it is no output that the child was started with */
	ADVICE_SOCKET_JOINED, /* the same, and it is a socket */
	ADVICE_NOT_WATCHED,   /* an event loop does not wait for the channel that is full */
	ADVICE_EDGE,	   /* epoll(7), EPOLLET: it has not read to the end what it was told of */
	ADVICE_ONE_SHOT,   /* epoll_ctl(2), EPOLLONESHOT: nobody has set it again */
	ADVICE_DATABASE,   /* for a backend of PostgreSQL, which waits for others in it */
	ADVICE_UNANSWERED, /* for the server of a program that asks */
	ADVICE_LEFT_JOB,   /* among others for a pipe that only a job left behind can write to */
	ADVICE_STOPPED,
	ADVICE_STOPPED_SOMEHOW, /* perhaps by a debugger */
	ADVICE_AT_TERMINAL,	/* as it used its terminal in the background */
	ADVICE_TRACED,		/* by a debugger */
	ADVICE_FROZEN,		/* by the freezer of its cgroup */
	ADVICE_SLEEPS,
	ADVICE_KEY_PRESS,
	ADVICE_FIFO_ORDER,	/* two FIFOs opened crosswise */
	ADVICE_LOCK_HELD,	/* a file lock */
	ADVICE_LOCK_INHERITED,	/* the same, which a program has only by its descriptor */
	ADVICE_LEASE,		/* to open a file, for who has a lease on it */
	ADVICE_IDLE_WORKERS,	/* a pool that is idle, or whose task was lost */
	ADVICE_OWN_MEMORY,	/* for another thread of its own, by a lock that tells no owner */
	ADVICE_COPIED_LOCK,	/* the same, in a child of fork() that has no other thread */
	ADVICE_LENGTH_HEADER,	/* for more than came, as a length says that counts itself, too */
	ADVICE_LENGTH_PROMISED, /* the same, by another number of bytes */
	ADVICE_HEAD_UNENDED,	/* for the empty line after the head of an HTTP message */
	ADVICE_LINE_UNENDED,	/* perhaps for the end of a line */
	ADVICE_FIFO_REOPENED,	/* for what it has closed a FIFO before, unread */
	ADVICE_COPIED_MEMORY,	/* the same, where its parent had none, either */
	ADVICE_FOR_THREADS, /* in shared memory, by what was made for the threads of one process */
	ADVICE_WRITER_FAILED,	/* for what a child was to write, which has failed */
	ADVICE_LOST_TASK,	/* for the answer of a worker that has ended */
	ADVICE_CHILDREN_FAIL,	/* for workers that fail at once, again and again */
	ADVICE_ANSWER_TAKEN,	/* for an answer that another one took */
	ADVICE_COUNTER,		/* for more of an eventfd, of which one read took all */
	ADVICE_NOTIFIED_ONCE,	/* for a signal that mq_notify(3) sends no more */
	ADVICE_FORKED_MEMORY,	/* for what its child may have released in a copy of its own */
	ADVICE_CHILD_FED,	/* for a child that waits for the end of its standard input */
	ADVICE_CHILD_UNFED,	/* the same, and nothing was written there */
	ADVICE_ALL_AT_ONE,	/* at a barrier, as all who could end that do */
	ADVICE_WAITS_FOR_ALL,	/* with MSG_WAITALL, for more than has come */
	ADVICE_UNNAMED,		/* for datagrams on a socket that has no address */
	ADVICE_BYTE_ORDER,	/* for as many bytes as a wrong length says */
	ADVICE_UNSET,		/* in select(2), without what it waited for before */
	ADVICE_HALF_CLOSE,	/* for one who waits for the end of what it sent */
	ADVICE_EMPTY_SET,	/* for events of an epoll instance that has none to tell of */
	ADVICE_REMOVED,		/* where nobody else can come, as the name was removed */
	ADVICE_OTHER_KEY,	/* where another process uses an object of another key */
	ADVICE_OTHER_NAME,	/* the same for an object that has a name */
	ADVICE_LEFT_OVER,	/* for a semaphore that an earlier run may have left */
	ADVICE_PENDING,		/* for a signal, while one is blocked */
	ADVICE_DISARMED,	/* at a timerfd that never expires */
	ADVICE_SELECTS_NOTHING, /* in select(2), with nothing in its sets */
	ADVICE_WRONG_END,	/* for room to write at a reading end */
	ADVICE_RESTARTED,	/* in a call that an alarm has interrupted, and that went on */
	ADVICE_CLOSED_SOCKET,	/* on a socket that another thread of it has closed */
	ADVICE_CLOSED_PIPE,	/* the same of anything else */
	ADVICE_OWN_READER,	/* for room where only itself could read */
	ADVICE_IN_HANDLER,	/* in the handler of a signal */
	ADVICE_LOCK_IN_HANDLER, /* there, for a lock of its own process */
	ADVICE_VFORK,		/* for a child of vfork() that does more than exec() */
	ADVICE_PAGE,		/* at a page of memory that is not there */
	ADVICE_STORAGE,		/* where no signal wakes it: for a disk, or a file system */
	ADVICE_RING,		/* in io_uring_enter(2), io_getevents(2) */
	ADVICE_REQUEST_UNREAD,	/* for a server that does something else than read */
	ADVICE_WORKER_BUSY,	/* for a server whose workers are all busy */
	ADVICE_LISTENER_LEFT,	/* for a program that only inherited the listener */
	ADVICE_SIGNAL_BLOCKED,	/* for the end of a process that blocks the signal it was sent */
	ADVICE_READ_AHEAD,	/* in select(2), for what its program's own buffer may have */
	ADVICE_GROUP_UNJOINED,	/* for what was sent to a group that its socket has not joined */
	ADVICE_NO_GROUP,	/* at a netlink socket that hears no group */
	ADVICE_ASKS_URGENT,	/* for urgent data only, where other data lies */
	ADVICE_SENT_URGENT,	/* for data of which the last byte was sent as urgent */
	ADVICE_WHOLE_LINE,	/* for a line whose end was not sent to the terminal */
	ADVICE_LOW_WATER,	/* for as many bytes as SO_RCVLOWAT says */
	ADVICE_BOTH_FULL,     /* in a circle: a child is fed that waits until its output is read */
	ADVICE_OTHER_UNREAD,  /* in a circle: one output of a child is read, the other is full */
	ADVICE_ALL_SEND,      /* in a circle of which all send */
	ADVICE_ALL_RECEIVE,   /* in a circle of which all receive */
	ADVICE_JOINED_READER, /* for a child that waits for what its parent could write */
	ADVICE_LOCKED_OUT,    /* for a child that asks for the lock of its parent */
	ADVICE_LOCK_ORDER,    /* in a circle of locks, taken in different orders */
	ADVICE_SEMAPHORE_ORDER,	   /* the same of semaphores, which may be no locks */
	ADVICE_SEMAPHORE_UNPOSTED, /* in a circle of which all wait for one semaphore */
	ADVICE_ASKS_ITSELF,	   /* for an answer that its own process would have to give */
	ADVICE_PROMPT, /* in a circle: for a key that whoever has the terminal should type */
	ADVICE_SEMAPHORE_KEPT,	  /* in a circle of a semaphore and another wait */
	ADVICE_SEMAPHORE_HELD,	  /* at a semaphore, for one that waits itself */
	ADVICE_SEMAPHORE_USED,	  /* at a semaphore, for one of several that wait themselves */
	ADVICE_FIFO_ALONE,	  /* to open a FIFO to read, which nobody opens to write */
	ADVICE_FIFO_UNREAD,	  /* to write, which nobody opens to read */
	ADVICE_OWN_WRITER,	  /* to read where only itself could write */
	ADVICE_BUFFERED_CIRCLE,	  /* in a circle: for what a filter keeps that it feeds itself */
	ADVICE_OUTPUT_UNREAD,	  /* for a child that writes where nobody reads any more */
	ADVICE_PASSED_END,	  /* for an end that a program was started with, unknowing */
	ADVICE_UNSHARED_VARIABLE, /* for a variable that a child sets in a copy of its own */
};

/*
 * wait_circle_cases.c: the case of a circle whose waits have none by themselves, and who has to
 * act; ADVICE_NONE: none is known.
 */
enum advice_case circle_case(struct diagnosis *d, struct finding *f,
			     const struct wait_circle *circle, const struct viz_process **to_act);

/*
 * wait_stopped.c: sets what stopped the process, {by}, and what the advice for the case that it
 * returns needs besides {culprit} and {pid}.
 */
enum advice_case stopped_tell(struct diagnosis *d, struct finding *f,
			      const struct viz_process *process);

/*
 * wait_notes.c: adds to the evidence what else is known of the wait; returns the case that it is
 * of, ADVICE_NONE where nothing is known, or records are missing.
 */
enum advice_case wait_note(struct diagnosis *d, struct finding *f, const struct wait *wait);

/*
 * wait_unread_output.c: of a wait for children: a filter that has written to its standard output,
 * a pipe, and waits for its input, though `*reader` (of a glance NULL), who read there, has
 * ended, and nobody else has that end. NULL: there is none.
 */
const struct viz_process *wait_unread_output(const struct diagnosis *d, const struct wait *wait,
					     const struct viz_process **reader);

/* wait_text_length.c: true if a length in words before a message is not that of what came. */
bool note_text_length(struct diagnosis *d, struct finding *f, const struct wait *wait);

/*
 * wait_text_length.c: true if it has read the head of an HTTP message without the empty line that
 * ends it, or a line without its end, has sent nothing since, and reads on.
 */
bool note_head_unended(struct diagnosis *d, struct finding *f, const struct wait *wait);
bool note_line_unended(struct diagnosis *d, struct finding *f, const struct wait *wait);

/* One of these: true if it waits, among others, for the output of a job left in the background. */
bool note_left_job(struct diagnosis *d, struct finding *f, const struct wait *wait);

/*
 * advice.c: returns the advice for the case to `process`, who should act; a template with {culprit}
 * and {pid}. NULL: there is none.
 */
const char *advice_for(const struct diagnosis *d, enum advice_case about,
		       const struct viz_process *process);

/* advice.c: true if the process's program is written in this language, as "python". */
bool process_is_written_in(const struct viz_process *process, const char *language);
/* Likewise: true if a program of this name is a shell. */
bool name_is_of_shell(struct viz_bytes name);

/* wait_own_sleep.c: what its threads that sleep in private futexes wait for, and the advice. */
const char *own_sleep_text(struct diagnosis *d, const struct viz_process *process);
enum advice_case own_sleep_advice(const struct diagnosis *d, const struct viz_process *process);

/*
 * wait_own_sleep.c: true for a program in Java whose threads all sleep for good until others of
 * them wake them: those of the virtual machine itself, some of which wake up each second, aside.
 */
bool own_sleep_of_java(const struct diagnosis *d, const struct viz_process *process);

/*
 * wait_concerned.c: returns, by process index, whether the process is one asked for, a descendant
 * of one, or could end a wait of one that is marked.
 */
bool *diagnosis_concerned(struct diagnosis *d);

/*
 * wait_concerned.c: of a look at the machine: true if it has waited for a second or more for a
 * lock, or for room, and so for a process asked for; not through one that waits for its user.
 */
bool wait_is_kept_by_asked(const struct diagnosis *d, const struct wait *wait);

/*
 * wait_concerned.c: of diagnose_survivors(), by process index: true for a process that is none of
 * those asked for, and none of their descendants, but waits for one, perhaps through others. Else
 * NULL.
 */
const bool *diagnosis_behind(struct diagnosis *d);

#endif
