/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the finders of waits report, each in a file of its own. */
#ifndef VIZ_DIAGNOSE_FIND_WAITS_H
#define VIZ_DIAGNOSE_FIND_WAITS_H

#include "viz/diagnose/wait/waits.h"

/* Adds the finding no-eof if the wait is one; returns whether it did. */
bool report_no_eof(struct diagnosis *d, const struct wait *wait);

/*
 * The same of a circle in which one waits for an end that another one, or who waits for it, keeps
 * from it: to close that opens the circle. Marks all waits of the circle, by their index, as told.
 * NULL: it is none.
 */
struct finding *report_kept_end(struct diagnosis *d, const struct wait_circle *circle, bool *told);

/*
 * The same of a circle in which just one waits at a connection that another one, or who waits for
 * it, has yet to accept: never-accepted, as an error.
 */
struct finding *report_unaccepted_circle(struct diagnosis *d, const struct wait_circle *circle,
					 bool *told);

/*
 * find_left_open.c: add no-eof, as a warning, if only a job left in the background could end the
 * wait, or the reader of a FIFO that opened it to read and write; return whether they did.
 */
bool report_left_open(struct diagnosis *d, const struct wait *wait);
bool report_own_fifo(struct diagnosis *d, const struct wait *wait);

/*
 * find_idle_workers.c: adds the finding blocked, as a note, if the circle of this number may be a
 * pool of workers that have nothing to do; returns whether it did.
 */
bool report_idle_workers(struct diagnosis *d, size_t number);

/*
 * find_lost_task.c: adds to the evidence that a child of the process ended, and not well, after it
 * had received something from it and before it sent anything; of a glance, that one has ended and
 * is not collected. Returns whether it did.
 */
bool tell_lost_task(struct diagnosis *d, struct finding *f, const struct wait *wait);

/*
 * find_lost_task.c: of a wait of a process whose children fail one after the other before
 * they do anything: makes that the cause, which is no note; returns whether it is so.
 */
bool tell_failing_children(struct diagnosis *d, struct finding *f, const struct wait *wait);

/*
 * find_lost_task.c: adds to the evidence that a child of the process, which had inherited the end
 * to write to, ended, and not well; of a glance, as tell_lost_task().
 */
void tell_failed_writer(struct diagnosis *d, struct finding *f, const struct wait *wait);

/*
 * find_lost_task.c: in a glance, a child that has ended, and not well, and that nobody has
 * collected; NULL: there is none. The second one adds it to the evidence; returns whether it did.
 */
const struct viz_process *failed_zombie(const struct diagnosis *d,
					const struct viz_process *parent);
bool tell_failed_zombie(struct diagnosis *d, struct finding *f, const struct viz_process *parent);

/*
 * find_own_sleep.c: adds the finding blocked if threads of the process sleep in private futexes: a
 * note if others of them do not, or a handler of a signal may end it.
 */
void report_own_sleep(struct diagnosis *d, const struct viz_process *process);

/*
 * find_silent_sleep.c: adds the finding blocked if a thread of the process sleeps where no record
 * tells what for; returns whether it did. True if all processes that live at the time limit of a
 * command have slept for long.
 */
bool report_silent_sleep(struct diagnosis *d, const struct viz_process *process);
bool everybody_sleeps(const struct diagnosis *d);

/*
 * find_stopped.c: adds the finding stopped if the process is, and others wait for it or the user
 * asked about it.
 */
void report_stopped(struct diagnosis *d, const struct viz_process *process, bool asked);

/* find_stopped.c: the finding stopped of this process; NULL: there is none. */
struct finding *finding_of_stopped(const struct diagnosis *d, const struct viz_process *process);

/* find_stopped.c: drops never-accepted of clients whom the finding of a stopped server names. */
void drop_told_by_stopped(struct diagnosis *d);

/*
 * find_running.c: adds the finding running if a thread of the process ran when it was looked at;
 * with `told`, only if it was watched, and ran all the time.
 */
void report_running(struct diagnosis *d, const struct viz_process *process, bool told);

/*
 * find_semaphores.c: adds the finding semaphore-stuck if nobody will give back what is waited for;
 * returns whether it did.
 */
bool report_semaphore(struct diagnosis *d, const struct wait *wait);

/* Adds to the evidence who has the mutex that is waited for, if that is known. */
void tell_mutex_owner(struct diagnosis *d, struct finding *f, const struct wait *wait);

/*
 * find_thread_locks.c: adds the finding thread-lock for each circle of the process's threads; if
 * the user asked about it, also for threads that wait for one which holds their lock.
 */
void report_thread_locks(struct diagnosis *d, const struct viz_process *process, bool asked);

/*
 * find_accept.c: adds the finding never-accepted for each connect(2) of the trace that met no
 * accept(2). The same for a wait in a glance, which has no such calls; true if it is told.
 */
void report_unaccepted_connects(struct diagnosis *d);

/*
 * find_accept.c: true for a wait in a glance, however short, at a connection that nobody accepts,
 * as all who could do so have slept elsewhere for a second: curl(1) asks each second anew.
 */
bool wait_is_not_accepted(const struct diagnosis *d, const struct wait *wait);
bool report_unaccepted(struct diagnosis *d, const struct wait *wait);

#endif
