// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Threads with a descriptor table of their own: made by clone(2) without CLONE_FILES, or separated
 * by unshare(2) or close_range(2). Whatever such a thread holds is held by its process, besides
 * what the table of the other threads has.
 */
#include "viz/model/fd_table.h"

/* Gives the thread a copy of the table that it used; the other users keep that one's holdings. */
static void make_own(const struct fd_change *change, struct viz_thread *thread)
{
	struct fd_table *from = fd_table_used(change->b, thread->process, thread);
	struct fd_table *table = fd_table_new(change->b, thread->process);
	struct fd_change copy = {change->b, change->at_ns, HOLDING_FORK, NULL, 0};

	fd_table_copy(&copy, from, table);
	if (thread->fds)
		fd_thread_leave(change, thread);
	fd_table_use(thread, table);
}

void fd_thread_unshare(const struct fd_change *change, struct viz_thread *thread)
{
	if (!thread->fds || thread->fds->threads + thread->fds->member_count > 2)
		make_own(change, thread);
}

void fd_thread_begin(const struct fd_change *change, struct viz_thread *thread,
		     const struct viz_thread *maker, bool shares)
{
	if (thread->fds) /* left over from an earlier thread whose end is not in the trace */
		fd_thread_leave(change, thread);
	if (maker && maker->process == thread->process && maker->fds)
		fd_table_use(thread, maker->fds);
	if (!shares)
		make_own(change, thread);
}

/* A table ends with the last thread that uses it. */
void fd_thread_leave(const struct fd_change *change, struct viz_thread *thread)
{
	struct fd_table *table = thread->fds;

	thread->fds = NULL;
	thread->process->threads_apart--;
	if (--table->threads == 0)
		fd_table_lose(change, table, thread->process);
}

static bool lives(const struct viz_thread *thread, uint64_t at_ns)
{
	return thread->start_ns <= at_ns && thread->end_ns > at_ns;
}

/* The index of the first thread that has not ended; events come in order of time. */
static size_t first_living(struct viz_process *process, uint64_t at_ns)
{
	size_t *first = &process->first_living;

	while (*first < process->thread_count && process->threads[*first]->end_ns <= at_ns)
		++*first;
	return *first;
}

/* The process's table ends too, if none of the threads that use it is left. */
void fd_thread_end(const struct fd_change *change, struct viz_thread *thread)
{
	struct viz_process *process = thread->process;

	if (thread->fds) {
		fd_thread_leave(change, thread);
		return;
	}
	if (!process->threads_apart)
		return;
	for (size_t i = first_living(process, change->at_ns); i < process->thread_count; i++)
		if (!process->threads[i]->fds && lives(process->threads[i], change->at_ns))
			return;
	fd_table_exit(change, process);
}

void fd_threads_end(const struct fd_change *change, struct viz_process *process)
{
	for (size_t i = 0; i < process->thread_count && process->threads_apart; i++)
		if (process->threads[i]->fds)
			fd_thread_leave(change, process->threads[i]);
}

/* True if other threads of the process live on and keep using its table. */
bool fd_thread_is_one_of_several(const struct viz_operation *op)
{
	struct viz_process *process = op->process;
	size_t living = 0;

	for (size_t i = first_living(process, op->exit_ns); i < process->thread_count && living < 2;
	     i++)
		living += lives(process->threads[i], op->exit_ns);
	return living > 1;
}
