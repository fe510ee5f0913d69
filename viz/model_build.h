/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How the model_*.c files build a model together. Private to them.
 */
#ifndef VIZ_MODEL_BUILD_H
#define VIZ_MODEL_BUILD_H

#include "arena.h"
#include "model.h"
#include "reader.h"

/* What finds things by name, kept with the model. */
struct model_index {
	struct map processes; /* pid to the latest process with it */
	struct map channels;  /* id */
	struct map operations;
};

/* What happens to descriptors, to be gone through in order of time once all lines are read. */
enum fd_event_kind { FD_OPERATION, FD_FORK, FD_EXEC, FD_EXIT, FD_LINE };

struct fd_event {
	uint64_t at_ns;
	size_t sequence; /* keeps the trace's order among equal times */
	enum fd_event_kind kind;
	struct viz_process *process;
	struct viz_operation *operation; /* FD_OPERATION */
	bool shares_fds;		 /* FD_FORK */
	struct fd_line *line;		 /* FD_LINE */
};

/* A descriptors line, with those that continued it. */
struct fd_line {
	bool first; /* of a process that was there before */
	struct viz_bytes event;
	uint64_t at_ns;
	struct viz_process *process;
	struct viz_fd *fds;
	size_t count;
	bool more; /* the next one continues it */
	bool cut;
};

struct model_builder {
	struct viz_model *model;
	struct arena *arena;
	struct reader *reader;
	const struct trace_line *line;
	struct map strings; /* interned */
	struct map threads; /* process index and tid */
	struct fd_event **fd_events;
	size_t fd_event_count;
	struct fd_line *fd_line; /* to be continued; NULL: none */
	int err;		 /* the first error of this line, already told */
};

/* A field of the current line: 0, false, {NULL, 0} where it has none. */
const struct trace_value *build_value(const struct model_builder *b, enum field field);
uint32_t build_u32(struct model_builder *b, enum field field); /* too large: an error */
uint64_t build_time(struct model_builder *b, enum field field);
struct viz_bytes build_string(struct model_builder *b, enum field field); /* interned */
struct viz_bytes build_bytes(struct model_builder *b, enum field field);  /* a copy */
struct viz_bytes *build_list(struct model_builder *b, enum field field, size_t *count);
uint64_t *build_uints(struct model_builder *b, enum field field, size_t *count);
struct viz_fd *build_fds(struct model_builder *b, enum field field, size_t *count);
struct viz_wait *build_waits(struct model_builder *b, enum field field, size_t *count);
struct viz_channel *build_channel(struct model_builder *b, struct viz_bytes id);
struct viz_bytes build_intern(struct model_builder *b, struct viz_bytes bytes);

/* model_process.c: the one that has this pid now, made if need be. */
struct viz_process *build_process(struct model_builder *b, uint32_t pid, uint64_t at_ns);
struct viz_process *build_known_process(const struct model_builder *b, uint32_t pid);
struct viz_thread *build_thread(struct model_builder *b, struct viz_process *process, uint32_t tid,
				uint64_t at_ns);
struct viz_thread *build_known_thread(const struct model_builder *b,
				      const struct viz_process *process, uint32_t tid);

/* One line each; errors go to b->err. */
void build_process_line(struct model_builder *b);
void build_channel_line(struct model_builder *b);
void build_operation_line(struct model_builder *b);
void build_line_settings(struct model_builder *b, struct viz_operation *op); /* terminals */
void build_signal_line(struct model_builder *b);
void build_descriptors_line(struct model_builder *b);

/* When all lines are read. */
void build_finish_operations(struct model_builder *b);
void build_finish_signals(struct model_builder *b);
void build_finish_descriptors(struct model_builder *b);

struct fd_event *build_fd_event(struct model_builder *b, enum fd_event_kind kind, uint64_t at_ns,
				struct viz_process *process);

#define VALUE(record, key) build_value(b, FIELD_##record##_##key)

#endif
