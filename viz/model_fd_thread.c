// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Threads that have a table of descriptors for themselves: made by clone(2) without CLONE_FILES, or
 * gone their own way by unshare(2) or close_range(2). What such a thread holds, its process holds,
 * beside what the table has that its other threads share.
 */
#include "model_build.h"
#include "model_fd_table.h"

struct fd_table *fd_table_used(struct model_builder *b, struct viz_process *process,
			       const struct viz_thread *thread)
{
	return thread && thread->fds ? thread->fds : fd_table_of(b, process);
}

static void use_table(struct viz_thread *thread, struct fd_table *table)
{
	thread->fds = table;
	table->threads++;
	thread->process->threads_apart++;
}

/* A copy for the thread alone; the holdings of the table that it had stay with the others. */
static void make_own(const struct fd_change *change, struct viz_thread *thread)
{
	struct fd_table *from = fd_table_used(change->b, thread->process, thread);
	struct fd_table *table = fd_table_new(change->b, thread->process);
	struct fd_change copy = {change->b, change->at_ns, HOLDING_FORK, NULL};

	fd_table_copy(&copy, from, table);
	if (thread->fds)
		fd_thread_leave(change, thread);
	use_table(thread, table);
}

void fd_thread_unshare(const struct fd_change *change, struct viz_thread *thread)
{
	if (!thread->fds || thread->fds->threads + thread->fds->member_count > 2)
		make_own(change, thread);
}

void fd_thread_begin(const struct fd_change *change, struct viz_thread *thread,
		     const struct viz_thread *maker, bool shares)
{
	if (thread->fds) /* of a thread before, whose end the trace does not have */
		fd_thread_leave(change, thread);
	if (maker && maker->process == thread->process && maker->fds)
		use_table(thread, maker->fds);
	if (!shares)
		make_own(change, thread);
}

void fd_thread_listed(struct model_builder *b, struct viz_thread *thread, struct fd_table *table)
{
	if (!thread->fds)
		use_table(thread, table ? table : fd_table_new(b, thread->process));
}

/* With the last thread that uses it, a table goes. */
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

/* The others' table goes too where none of them is left. */
void fd_thread_end(const struct fd_change *change, struct viz_thread *thread)
{
	struct viz_process *process = thread->process;

	if (thread->fds) {
		fd_thread_leave(change, thread);
		return;
	}
	if (!process->threads_apart)
		return;
	for (size_t i = 0; i < process->thread_count; i++)
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

/* Other threads of the process go on with the table that it has had. */
bool fd_thread_is_one_of_several(const struct viz_operation *op)
{
	const struct viz_process *process = op->process;
	size_t living = 0;

	for (size_t i = 0; i < process->thread_count; i++)
		living += lives(process->threads[i], op->exit_ns);
	return living > 1;
}
