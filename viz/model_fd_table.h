/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A table of descriptors, which one process has or several share. Its changes leave holdings in
 * the model. Private to model_descriptors.c.
 */
#ifndef VIZ_MODEL_FD_TABLE_H
#define VIZ_MODEL_FD_TABLE_H

#include "model_build.h"

struct fd_slot {
	int32_t fd;
	struct viz_channel *channel;
	enum access access;
	struct viz_holding **holdings; /* one for each member of the table */
};

struct fd_table {
	struct fd_slot *slots; /* by fd */
	size_t count;
	size_t capacity;
	struct viz_process **members;
	size_t member_count;
	size_t threads; /* that use it and not their process's */
};

/* Why a table changes: what its holdings will say. */
struct fd_change {
	struct model_builder *b;
	uint64_t at_ns;
	enum holding_cause cause;
	const struct viz_operation *op;
};

/* The process's table, made if need be. */
struct fd_table *fd_table_of(struct model_builder *b, struct viz_process *process);

struct fd_table *fd_table_new(struct model_builder *b, struct viz_process *member);

struct fd_slot *fd_table_find(const struct fd_table *table, int32_t fd); /* NULL: not open */
void fd_table_insert(const struct fd_change *change, struct fd_table *table,
		     const struct viz_fd *fd);
void fd_table_remove(const struct fd_change *change, struct fd_table *table, int32_t fd);

/* A descriptor is now this, whatever it was; what it is already goes on. */
void fd_table_set(const struct fd_change *change, struct fd_table *table, const struct viz_fd *fd);

/* fork: the child's own copy, or the parent's table with a member more. */
void fd_table_copy(const struct fd_change *change, const struct fd_table *from,
		   struct fd_table *to);
void fd_table_join(const struct fd_change *change, struct fd_table *table,
		   struct viz_process *process);

/* A line tells what is in a table: whose it is, where others that were listed may have it too. */
void fd_table_listed(const struct fd_change *change, const struct fd_line *line);

/* Leaves a shared table; keep: with a copy of it, whose holdings simply go on. */
void fd_table_leave(struct model_builder *b, struct viz_process *process, bool keep);

/* Ends whatever the process still holds by this table, and has it no longer as a member. */
void fd_table_lose(const struct fd_change *change, struct fd_table *table,
		   const struct viz_process *process);

/* Ends at its exit whatever the process still holds by the table of most of its threads. */
void fd_table_exit(const struct fd_change *change, struct viz_process *process);

/* The table that a thread uses; thread NULL: one that nothing is known of. */
struct fd_table *fd_table_used(struct model_builder *b, struct viz_process *process,
			       const struct viz_thread *thread);

/* A thread is born, to share its maker's table (NULL: its process's) or with a copy of it. */
void fd_thread_begin(const struct fd_change *change, struct viz_thread *thread,
		     const struct viz_thread *maker, bool shares);
void fd_thread_unshare(const struct fd_change *change, struct viz_thread *thread);
/* It was found with another table than its process; NULL: one that nothing is known of yet. */
void fd_thread_listed(struct model_builder *b, struct viz_thread *thread, struct fd_table *table);
void fd_thread_leave(const struct fd_change *change, struct viz_thread *thread);
void fd_thread_end(const struct fd_change *change, struct viz_thread *thread);
/* Of all threads of a process that have one. */
void fd_threads_end(const struct fd_change *change, struct viz_process *process);
bool fd_thread_is_one_of_several(const struct viz_operation *op);

#endif
