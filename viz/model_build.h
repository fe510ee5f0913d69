/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How the model_*.c files build a model together. Private to them.
 */
#ifndef VIZ_MODEL_BUILD_H
#define VIZ_MODEL_BUILD_H

#include "arena.h"
#include "id_map.h"
#include "model.h"
#include "reader.h"

/* What finds things by name, kept with the model. */
struct model_index {
	struct map processes; /* pid to the latest process with it */
	struct map channels;  /* id */
	struct id_map operations;
};

/* What happens to descriptors, to be gone through in order of time once all lines are read. */
enum fd_event_kind {
	FD_OPERATION,
	FD_FORK,
	FD_THREAD, /* born */
	FD_THREAD_EXIT,
	FD_EXEC,
	FD_EXIT,
	FD_LINE
};

struct fd_event {
	uint64_t at_ns;
	size_t sequence; /* keeps the trace's order among equal times */
	enum fd_event_kind kind;
	struct viz_process *process;
	struct viz_operation *operation; /* FD_OPERATION */
	struct viz_thread *thread;	 /* FD_THREAD, FD_THREAD_EXIT */
	const struct viz_thread *maker;	 /* FD_FORK, FD_THREAD: who called it; NULL: not known */
	bool shares_fds;		 /* the same */
	struct fd_line *line;		 /* FD_LINE */
};

struct fd_events {
	struct fd_event *items;
	size_t count, capacity;
	size_t sequence; /* how many there have been */
};

/* A descriptors line, with those that continued it. */
struct fd_line {
	bool first; /* of a process that was there before */
	struct viz_bytes event;
	uint64_t at_ns;
	struct viz_process *process;
	struct viz_thread *thread; /* who has the table */
	uint64_t table;		   /* its number among those of one snapshot; 0: not known */
	struct viz_fd *items;	   /* its descriptors */
	size_t count, capacity;
	bool cut;
};

struct model_builder {
	struct viz_model *model;
	struct arena *arena;
	struct arena *into; /* where the lists of the current line go */
	bool live;	    /* what is done with is let go, and nothing is collected in the model */
	bool (*more)(void *data); /* reader.h; NULL: the end of the file is the end */
	void *more_data;
	struct viz_operation *operation; /* of the last line, if it was about one */
	struct viz_channel *channel;	 /* the same */
	struct viz_signal_event *signal; /* the same; live: whoever takes it frees it */
	struct reader *reader;
	struct trace_line *line;
	struct map strings; /* interned */
	struct map threads; /* process index and tid */
	struct fd_events fd_events;
	struct fd_line *fd_line; /* to be continued; NULL: none */
	struct map fd_tables;	 /* by the numbers of the first snapshot */
	int err;		 /* the first error of this line, already told */
};

/*
 * Reads the header; whatever comes of it, build_close() is due, and the model is there to be freed.
 * build_next(): 1 another line, 0 the end, -errno with the sentence said.
 */
int build_open(struct model_builder *b, FILE *stream, const char *name, struct viz_error *error);
int build_next(struct model_builder *b);
void build_finish(struct model_builder *b); /* the last line was read */
void build_close(struct model_builder *b);  /* the model stays */

/* model_live.c: operations that live while somebody uses them. No-ops where all is kept. */
struct viz_operation *model_live_operation(struct model_builder *b);
struct viz_operation *viz_operation_use(const struct viz_operation *op); /* NULL is fine */
void viz_operation_drop(const struct viz_operation *op);		 /* NULL is fine */
void model_live_unfinished(struct viz_model *model);
void model_live_free(struct viz_model *model); /* all that is left */
void build_sort_operations(struct viz_model *model);

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

/* model_chunk.c: a number of an object; 0 where there is none. And the operation's chunks. */
uint64_t build_member(const cJSON *object, const char *key);
struct viz_chunk *build_chunks(struct model_builder *b, size_t *count);

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
void build_mapping_line(struct model_builder *b);
void build_operation_line(struct model_builder *b);
void build_positions(struct model_builder *b, struct viz_operation *op);     /* pipes and TCP */
void build_line_settings(struct model_builder *b, struct viz_operation *op); /* terminals */
void build_signal_line(struct model_builder *b);
void build_descriptors_line(struct model_builder *b);

/* When all lines are read. */
void build_finish_signals(struct model_builder *b);
void build_finish_descriptors(struct model_builder *b);

/* Live: who holds what, as far as it happened before that time. */
void build_apply_descriptors(struct model_builder *b, uint64_t until_ns);
void build_free_descriptors(struct model_builder *b);

/* Borrowed until the next one. */
struct fd_event *build_fd_event(struct model_builder *b, enum fd_event_kind kind, uint64_t at_ns,
				struct viz_process *process);

#define VALUE(record, key) build_value(b, FIELD_##record##_##key)

#endif
