/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The wait graph: the calls that sleep when the trace ends, and the processes that could end each
 * wait. Only calls that the tracer found asleep at the end (state pending) are waits; a wake-up
 * missing from the trace does not make one.
 */
#ifndef VIZ_DIAGNOSE_GRAPH_WAIT_GRAPH_H
#define VIZ_DIAGNOSE_GRAPH_WAIT_GRAPH_H

#include "viz/base/arena.h"
#include "viz/diagnose/graph/connect_results.h"
#include "viz/message/message.h"

struct wait;

/*
 * Processes that could end a wait. Waits of the same kind at the same object share one set, so that
 * many who wait for many take no more than both together.
 */
struct wait_set {
	size_t index;
	const struct viz_process **processes; /* each once */
	size_t count;
	bool open;			   /* others could end it as well */
	bool any;			   /* of holders: there is one, be it an ended process */
	struct wait *waits;		   /* those that it could end, linked by next_of_set */
	struct wait_set *next;		   /* of the graph */
	struct wait_ranks *ranks;	   /* wait_ranks.c only: who is likely to end it */
	const struct viz_process **sorted; /* wait_is_ended_by() only; NULL: not asked yet */
};

struct wait {
	size_t index;
	const struct viz_operation *operation;
	const struct viz_process *process;
	const struct viz_channel *channel;  /* the first channel that it waits on, or NULL */
	const struct viz_channel *listener; /* the listener that has yet to accept */
	const struct viz_channel *client;   /* the socket whose connection that one has */
	const struct viz_channel *room;	    /* of an event loop: it waits for room there */
	uint64_t since_ns; /* also where signals broke the call off, and it was made again */
	const struct viz_process **enders; /* could end it, perhaps itself; each once */
	size_t ender_count;
	struct wait_set *set; /* of just these; never NULL once the graph is built */
	bool open;  /* something outside the trace, a clock or an unknown party could end it */
	bool known; /* nobody but its enders could end it, and perhaps a clock; it has enders */
	bool clock; /* it has a timeout */
	/* It is open only as the kernel may count in an eventfd, which a glance cannot tell. */
	bool counted;
	bool ready; /* what it waits for is there; it just has not run yet */
	bool stuck; /* not open, and all its enders are stuck: it never ends */
	/* A loop that only its own process wakes: a handler of a signal as kill(1) sends may. */
	bool handles;
	bool by_child;	 /* such a loop beside other threads: the end of a child may wake it */
	bool itself;	 /* an event loop that only its own process wakes: wait_loops.c */
	bool served;	 /* it serves a FIFO for whoever opens that: wait_fifo_served.c */
	bool unrecorded; /* no record tells of the call: wait_vfork.c */
	/* It opens a FIFO, and its enders wait to open others: FIFOs opened in the wrong order. */
	bool crossed;
	/* It, or whom it waits for, waits as sound programs do: for a time, a client. */
	bool natural;
	size_t circle; /* number of its circle, from 1; 0: in none */
	struct wait *next_of_process;
	struct wait *next_of_set;
};

/*
 * A descriptor that was sent in a message (SCM_RIGHTS), which keeps its end open while it is
 * unread.
 */
struct wait_flight {
	const struct viz_channel *channel; /* the channel that it refers to */
	enum access access;
	const struct viz_operation *sent;
	const struct viz_message *message; /* the message that carries it; NULL: not known */
	const struct viz_channel *socket;  /* the socket in which it lies unread, or NULL */
	struct wait_flight *next;	   /* next of the same channel */
	struct wait_flight *next_sent;	   /* next of the same send */
};

/* What is known of a pipe. */
struct wait_pipe {
	const struct viz_position *last; /* where it last stood; NULL: not known */
	const struct viz_operation *by;	 /* the call that stood there */
	size_t fillers;			 /* unfinished calls that put something in */
	bool spliced;			 /* by splice(2) and its like, too */
};

/* A message that lies unread in a channel. */
struct wait_unread {
	const struct viz_message *message;
	const struct wait_unread *next;
};

/* Waits of several processes that wait for each other. */
struct wait_circle {
	struct wait **waits; /* in the order of operations */
	size_t count;
};

/* What tells why a wait may last, each filled in on demand by the file that it names. */
struct wait_clues {
	struct map handlers; /* by tid, those that have not returned: wait_in_handler.c */
	bool handlers_known;
	struct map restarts; /* by tid: wait_restarted.c */
	bool restarts_known;
	struct map closes; /* by process and descriptor: wait_closed_fd.c */
	bool closes_known;
	/* By channel index: a read of what several wrote; wait_counters.c. */
	const struct viz_operation **merging;
	/* By process index, and by channel index: wait_half_close.c, wait_notified_once.c. */
	const struct viz_operation **input_ends, **last_sends, **last_receives;
	const struct viz_operation **requests, **last_takes;
	bool *asks; /* by channel index: its first call there sent something: wait_half_close.c */
	/*
	 * By process index: whether it has ever mapped memory that is shared, and when it executed
	 * a program last (0: never): wait_forked_memory.c.
	 */
	bool *maps;
	uint64_t *executed_ns;
};

/* What calls have told of a channel, as far as the trace has them. */
struct wait_told {
	uint64_t backlog;   /* of the last listen(2); 0 also: not in the trace */
	uint64_t low_water; /* SO_RCVLOWAT; 0: not set in the trace */
	bool connecting;    /* a connect(2) has not returned */
	bool armed;	    /* timerfd_settime(2) was called */
};

struct wait_graph {
	const struct viz_model *model;
	const struct viz_pairing *pairing;
	struct arena *arena;
	bool whole;	     /* the trace is a glance at the whole machine: all holders are known */
	struct wait **waits; /* in the order of operations */
	size_t count;
	struct wait_circle *circles; /* by number; the first is none */
	size_t circle_count;
	struct wait **opens; /* of the waits those in open(2) of a FIFO */
	size_t open_count;
	struct viz_process ***users; /* by channel index, if not a descriptor */
	size_t *user_counts;
	struct wait_flight **flights; /* by channel index, the latest first */
	struct wait_unread **unread;  /* by channel index, if any call waits: the oldest first */
	struct wait_pipe *pipes;      /* by channel index, if any call waits */
	size_t *elsewhere; /* by process index: how many of its waits only others can end */
	size_t *added;	   /* by process index: 1 + the last wait that it was added to as ender */
	const struct viz_thread *
		*own_sleepers; /* by process index: one that only another of its threads wakes */
	struct wait_set *sets; /* the latest first */
	size_t set_count;
	struct map holders;	       /* sets of holders, by channel and access */
	struct map united;	       /* of two sets, by their indices */
	struct wait_set **found;       /* by channel index: the users that a glance found */
	struct wait_set **children;    /* by process index: its living children, on demand */
	size_t *first_child, *sibling; /* by process index: 1 + the next one; 0: none */
	const struct viz_connection **connected; /* by channel index: its first connection */
	struct map connects;			 /* connect_results() */
	/* In a glance, by channel index: the other end of a TCP socket by its addresses. */
	const struct viz_channel **opposites;
	struct map using;	 /* pairs of a process and a channel that it uses */
	struct wait_live **live; /* by channel index, on demand: wait_holders.c */
	const struct viz_channel **listeners;
	size_t listener_count;
	struct wait_told *told; /* by channel index: wait_told.c */
	/* By channel index: 1 + how many connections lie at the listener; 0: not asked yet. */
	uint64_t *unaccepted;
	bool *accepted_at;     /* by channel index: a call sleeps until a connection comes there */
	bool *told_unaccepted; /* by channel index: find_accept.c has told of its connection */
	/* By channel index, and of those without one by path: wait_removed.c. */
	const struct viz_operation **removed;
	struct map removed_paths;
	bool *made;		   /* by channel index: created in this trace, unknown to others */
	struct wait_set **knowers; /* by channel index, on demand: who knows an object */
	struct wait_semaphores *semaphores; /* on demand: wait_semaphore_calls.c */
	struct map of_tid;		    /* on demand: wait_mutex_owner.c */
	bool numbered;			    /* of_tid is filled in */
	struct map gone;		    /* of each channel, on demand: wait_named_objects.c */
	size_t *marked;			    /* by process index: 1 + the last channel */
	/* By process index, on demand: what a child that failed left undone; find_lost_task.c. */
	const struct viz_message **lost_tasks;
	const struct failing *failing; /* the same: its children that failed one after the other */
	struct map zombies;	       /* on demand, by parent's pid: its first that failed */
	bool zombies_listed;
	struct wait_clues clues;
	const struct viz_channel **outputs; /* by process index, on demand: wait_unread_output.c */
	struct wait_locks *locks;	    /* by channel index: wait_lock_holders.c */
	struct map of_thread; /* the wait of each thread, and the first of each process */
	struct map of_process;
	struct map sent;  /* the flights of each send */
	struct map wrote; /* pairs of a process and a channel that it has written to */
	struct map took;  /* pairs of a process and a channel that it has read from */
	struct map held;  /* in a glance: the channel of each process's descriptors */
};

/* Builds the graph in `arena`. Never NULL; model and pairing must outlive it. */
struct wait_graph *wait_graph_new(struct arena *arena, const struct viz_model *model,
				  const struct viz_pairing *pairing);

/*
 * Returns a descriptor by which the process can write (or read) there at the end of the trace; NULL
 * if it has none.
 */
const struct viz_holding *wait_holding(const struct wait_graph *graph,
				       const struct viz_channel *channel,
				       const struct viz_process *process, enum access access);

/* wait_holders.c: the processes that hold this end at the end of the trace; never NULL. */
const struct wait_set *wait_holders(struct wait_graph *graph, const struct viz_channel *channel,
				    enum access access);

/* True if a connection of socket `client` to `address` arrives at `listener`. */
bool wait_listens_for(const struct viz_channel *listener, const struct viz_channel *client,
		      struct viz_bytes address);

/*
 * wait_accept.c: true if nobody has accepted the connection that a connect(2), which returned, made
 * or still tries to make.
 */
bool wait_lacks_accept(const struct wait_graph *graph, const struct viz_connection *c);

/* Of the sockets that listen at an address: how many, and how many may have the connection. */
struct wait_listeners {
	size_t all, full;
	const struct viz_channel *first; /* of those that may; NULL: none */
};

/*
 * wait_listener_queue.c: the listeners that a connection of `client` to `address`, made before
 * since_ns and not accepted, may lie in. True if none lies in the queue of the listener since then.
 */
struct wait_listeners wait_listeners_at(const struct wait_graph *graph,
					const struct viz_channel *client, struct viz_bytes address,
					uint64_t since_ns);
bool wait_queue_is_empty(const struct wait_graph *graph, const struct viz_channel *listener,
			 uint64_t since_ns);

/* True if the process has ever written to (or read from) the channel; false in a glance. */
bool wait_has_written(const struct wait_graph *graph, const struct viz_process *process,
		      const struct viz_channel *channel);
bool wait_has_read(const struct wait_graph *graph, const struct viz_process *process,
		   const struct viz_channel *channel);

/* wait_lock_holders.c: true if the process has got a lock there by a call of its own. */
bool wait_has_locked(const struct wait_graph *graph, const struct viz_process *process,
		     const struct viz_channel *channel);

/*
 * Returns the socket in which a message lies unread that would bring the process `to` this end of
 * the channel; NULL if there is none.
 */
const struct viz_channel *wait_in_flight(const struct wait_graph *graph,
					 const struct viz_channel *channel,
					 const struct viz_process *to, enum access access);

/*
 * Returns the other end of a socket: what is written there is read here. NULL if it is not known.
 */
const struct viz_channel *wait_peer(const struct wait_graph *graph,
				    const struct viz_channel *channel);

/*
 * True if the channel or its peer may be used in ways that the trace does not show. False for NULL.
 */
bool wait_is_unseen(const struct wait_graph *graph, const struct viz_channel *channel);

/*
 * wait_fifo_opens.c: true if both wait in open(2), each of another FIFO, and are relatives, so that
 * each may be the one that should open what the other waits for.
 */
bool wait_opens_crosswise(const struct wait_graph *graph, const struct wait *wait,
			  const struct wait *other);

/*
 * wait_fifo_opens.c: true if it waits in open(2) of a FIFO, and the process, a relative, may be the
 * one that should open it, too.
 */
bool wait_may_be_opened_by(const struct wait_graph *graph, const struct wait *wait,
			   const struct viz_process *process);

/* True if the process is one of those that could end the wait; it may be the one that waits. */
bool wait_is_ended_by(const struct wait_graph *graph, const struct wait *wait,
		      const struct viz_process *process);

/*
 * Returns how many bytes lie unread in the channel if all of them were sent before that time, else
 * 0. Of a glance it is not known.
 */
uint64_t wait_unread_before(const struct wait_graph *graph, const struct viz_channel *channel,
			    uint64_t before_ns);

/*
 * wait_removed.c: the call that removed the object's name; NULL: there is none in the trace. True
 * if it has no name any more, so that nobody can open it, or connect to it.
 */
const struct viz_operation *wait_removal(const struct wait_graph *graph,
					 const struct viz_channel *channel);
bool wait_is_removed(const struct wait_graph *graph, const struct viz_channel *channel);

/*
 * wait_removed.c: of a wait in open(2), a call that removed this path since it began. Where the
 * path is relative it may have been one in another folder. NULL: there is none.
 */
const struct viz_operation *wait_path_removal(const struct wait_graph *graph,
					      const struct wait *wait);

/*
 * wait_vfork.c: the child for whose exec(2) or end the thread may sleep in vfork(2); NULL: there is
 * none.
 */
const struct viz_process *wait_vfork_child(const struct wait_graph *graph,
					   const struct viz_thread *thread);

/* wait_enders.c: the process of a pidfd; NULL: it is none, or not in the trace. */
const struct viz_process *wait_pidfd_process(const struct wait_graph *graph,
					     const struct viz_channel *channel);

/* wait_enders.c: the living children of a process; never NULL. */
const struct wait_set *wait_children(struct wait_graph *graph, const struct viz_process *parent);

/*
 * wait_holders.c: true if what it asks for there is a pipe's reading end. That never has room to
 * write: only the end of all writers ends a wait for it. The other one: a writing end.
 */
bool wait_is_reading_end(const struct wait_graph *graph, const struct wait *wait,
			 const struct viz_wait *w, const struct viz_channel *channel);
bool wait_is_writing_end(const struct wait_graph *graph, const struct wait *wait,
			 const struct viz_wait *w, const struct viz_channel *channel);

/* wait_enders.c: true if it waits at an epoll instance that has no descriptor in its set. */
bool wait_has_empty_set(const struct wait *wait);

/*
 * True if the process can still act on its own: some thread runs, is about to run, or has a
 * timeout. False once it is stuck.
 */
bool wait_process_acts(const struct wait_graph *graph, const struct viz_process *process);

/*
 * As wait_process_acts(); a thread that only others of its process can wake does not count, nor
 * does a process that is stopped.
 */
bool wait_process_moves(const struct wait_graph *graph, const struct viz_process *process);

/*
 * True if who last ran then does work, or did so a moment (100 ms) before the end, or while the
 * machine was looked at, which takes long where many others run.
 */
bool wait_is_fresh(const struct wait_graph *graph, uint64_t ran_ns);

/* The same of who waits; not where it ran only since signals broke the call off. */
bool wait_has_just_begun(const struct wait_graph *graph, const struct wait *wait);

/* Marks the waits that are natural; `base` says whether one is, whomever it waits for. */
void wait_find_natural(struct wait_graph *graph, bool (*base)(const struct wait *wait));

/*
 * Returns the latest wait of the process, whose others follow by next_of_process; NULL if it has
 * none.
 */
const struct wait *wait_of_process(const struct wait_graph *graph,
				   const struct viz_process *process);

/* True if a signal, a debugger or a freezer kept all its threads stopped when tracing ended. */
bool process_is_stopped(const struct viz_process *process);

/* True if a thread of it was on a processor, or about to be, when it was looked at. */
bool process_runs(const struct viz_process *process);

/*
 * wait_loops.c: what an event loop without a time limit waits for. LOOP_ITSELF: for nothing but
 * what wakes it from its own process; LOOP_FITS: besides that only for what fits, of which there is
 * something; LOOP_ELSE: for other things, or it is none.
 */
enum loop_share { LOOP_ELSE, LOOP_ITSELF, LOOP_FITS };
typedef bool wait_fits_fn(struct wait_graph *graph, const struct wait *wait, size_t n);
enum loop_share wait_loop_share(struct wait_graph *graph, const struct wait *wait,
				wait_fits_fn *fits);

/*
 * wait_loops.c: true of a channel by which a process only wakes its own loop: all who can write
 * there are known, and are the process itself.
 */
bool wait_wakes_itself(struct wait_graph *graph, const struct wait *wait,
		       const struct viz_channel *channel);

/*
 * wait_loops.c: true for a loop that only its own process wakes, as that of a thread which works
 * for the others, where the first thread waits, or another one for something else.
 */
bool wait_is_of_helper(const struct wait_graph *graph, const struct wait *wait);

/* wait_loops.c: true if the other waits of its process are loops that only it wakes. */
bool wait_is_only_of(const struct wait_graph *graph, const struct wait *wait);

/* Returns the wait of this thread, or NULL. */
const struct wait *wait_of_thread(const struct wait_graph *graph, const struct viz_thread *thread);

/* Returns the channel of the n-th descriptor that the call waits for; NULL if it is not known. */
const struct viz_channel *wait_asked(const struct wait_graph *graph, const struct viz_operation *op,
				     size_t n);

/* True if the call waits to read on the channel, or for events of it. */
bool wait_reads_at(const struct wait_graph *graph, const struct wait *wait,
		   const struct viz_channel *channel);

/*
 * True if the process lives and all its threads are stuck: in waits that never end, or asleep until
 * one of the others wakes them.
 */
bool wait_process_stuck(const struct wait_graph *graph, const struct viz_process *process);

/*
 * wait_semaphore_calls.c: the last call of this role, which succeeded, on the semaphore or lock of
 * `of`, by this process unless that is NULL; NULL: there is none. Of a set it is about the same
 * semaphores, or it is not known about which.
 */
const struct viz_operation *wait_last_call(struct wait_graph *graph, const struct viz_operation *of,
					   enum role role, const struct viz_process *process);

/* As wait_last_call(): true if there is no more than one such call, whatever became of it. */
bool wait_called_once(struct wait_graph *graph, const struct viz_operation *of, enum role role);

/*
 * wait_lock_holders.c: who had the file lock, or a part of it, that this call asked for and was
 * refused; NULL: not known.
 */
const struct viz_process *wait_lock_holder(const struct wait_graph *graph,
					   const struct viz_operation *refused);

/* Processes that have ended. */
struct wait_gone {
	const struct viz_process **processes;
	size_t count;
};

/*
 * wait_named_objects.c: returns those that used the semaphore, or had the memory, mapped by itself
 * or inherited, and have ended: taking what is free makes no call.
 */
const struct wait_gone *wait_gone_users(struct wait_graph *graph,
					const struct viz_channel *channel);

/* True if somebody woke sleepers there since this wait began, or may still do so. */
bool wait_was_woken_since(struct wait_graph *graph, const struct viz_operation *wait);

/*
 * wait_pipe_fill.c: true if it is known how many bytes lie in the pipe on which this write waits.
 */
bool wait_pipe_fill(const struct wait_graph *graph, const struct wait *wait, uint64_t *bytes);

/* True if the call waits for a mutex that processes share. */
bool wait_is_mutex(const struct viz_operation *op);

/* The thread that has a mutex. Only that one may give it up. */
struct wait_owner {
	const struct viz_thread *thread; /* NULL: not in the trace */
	uint32_t tid;			 /* 0: not known */
	bool ended;
	bool self; /* it is the thread that waits */
};

/*
 * Returns who has the mutex that the call waits for; all zero if it waits for none, or that is not
 * known, or may have changed since the wait began.
 */
struct wait_owner wait_mutex_owner(struct wait_graph *graph, const struct viz_operation *op);

#endif
