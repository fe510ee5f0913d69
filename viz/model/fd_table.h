/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A table of descriptors. A process has one of its own, shares one with other processes, or has
 * further ones for some of its threads. Changes to a table begin and end holdings in the model.
 * Private to descriptors.c and fd_table*.c.
 */
#ifndef VIZ_MODEL_FD_TABLE_H
#define VIZ_MODEL_FD_TABLE_H

#include "viz/model/fd_slots.h"

struct fd_member {
	struct viz_process *process;
	/* Linked by of_member; those that ended are still among them. */
	struct viz_holding *held;
};

struct fd_table {
	struct fd_slots slots;
	struct fd_member *members;
	size_t member_count;
	size_t threads; /* threads that use it instead of their process's table */
	bool numbered;	/* it is in b->fd_tables */
	struct fd_table *next_spare;
};

/* The cause of a change to a table, copied into the holdings that it begins or ends. */
struct fd_change {
	struct model_builder *b;
	uint64_t at_ns;
	enum holding_cause cause;
	const struct viz_operation *op;
	uint64_t began_ns; /* exec: when the call was entered; 0: not known */
};

/* The process's table, which is created if it has none. */
struct fd_table *fd_table_of(struct model_builder *b, struct viz_process *process);

struct fd_table *fd_table_new(struct model_builder *b, struct viz_process *member);

void fd_table_insert(const struct fd_change *change, struct fd_table *table,
		     const struct viz_fd *fd);
void fd_table_remove(const struct fd_change *change, struct fd_table *table, int32_t fd);

/*
 * Sets the descriptor to `fd`. If it already is that channel with that access, its holding goes on.
 */
void fd_table_set(const struct fd_change *change, struct fd_table *table, const struct viz_fd *fd);

/*
 * Marks the process's end of this descriptor as the last of its kind (PARTING_LAST), as the
 * `descriptors` line of its exit says.
 */
void fd_table_last(const struct fd_table *table, int32_t fd);

/*
 * fork: fd_table_copy() gives the child its own copy; fd_table_join() makes the child a member of
 * the parent's table.
 */
void fd_table_copy(const struct fd_change *change, const struct fd_table *from,
		   struct fd_table *to);
void fd_table_join(const struct fd_change *change, struct fd_table *table,
		   struct viz_process *process);

/*
 * Finds the table that a `descriptors` line is about: a process or thread that the same snapshot
 * lists under an earlier table number becomes a user of that table.
 */
void fd_table_listed(const struct fd_change *change, const struct fd_line *line);

/*
 * The process leaves a shared table and gets one of its own, in which its holdings continue.
 */
void fd_table_leave(struct model_builder *b, struct viz_process *process);

/* Ends what the process still holds by this table and removes it from the members. */
void fd_table_lose(const struct fd_change *change, struct fd_table *table,
		   const struct viz_process *process);

/*
 * At the process's exit, ends what it still holds by its own table, which most of its threads use.
 */
void fd_table_exit(const struct fd_change *change, struct viz_process *process);

/* The table that the thread uses; thread NULL (not known): the process's. */
struct fd_table *fd_table_used(struct model_builder *b, struct viz_process *process,
			       const struct viz_thread *thread);

/*
 * A thread is created: it shares the table of its maker (NULL: that of its process), or with
 * `shares` false gets a copy of it.
 */
void fd_thread_begin(const struct fd_change *change, struct viz_thread *thread,
		     const struct viz_thread *maker, bool shares);
void fd_thread_unshare(const struct fd_change *change, struct viz_thread *thread);
/* The thread was found with a table other than its process's; NULL: one not seen before. */
void fd_thread_listed(struct model_builder *b, struct viz_thread *thread, struct fd_table *table);
void fd_thread_leave(const struct fd_change *change, struct viz_thread *thread);
void fd_thread_end(const struct fd_change *change, struct viz_thread *thread);
/* Leaves the tables of all threads of the process that have one of their own. */
void fd_threads_end(const struct fd_change *change, struct viz_process *process);
bool fd_thread_is_one_of_several(const struct viz_operation *op);

/* Makes `table` the table of a thread that does not share its process's. */
void fd_table_use(struct viz_thread *thread, struct fd_table *table);

#endif
