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

/* Leaves a shared table; keep: with a copy of it, whose holdings simply go on. */
void fd_table_leave(struct model_builder *b, struct viz_process *process, bool keep);

/* Ends at its exit whatever the process still holds. */
void fd_table_exit(const struct fd_change *change, struct viz_process *process);

#endif
