/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * State and functions that the files of viz/model share while they build a model from the lines of
 * a trace. Private to this folder, except for viz/pair, which reads a trace as a stream with
 * build_open() and its like, and takes references to operations.
 */
#ifndef VIZ_MODEL_BUILDER_H
#define VIZ_MODEL_BUILDER_H

#include "viz/base/arena.h"
#include "viz/base/id_map.h"
#include "viz/base/json.h"
#include "viz/model/model.h"
#include "viz/reader/reader.h"

/* Indices that look objects up by id; they live as long as the model. */
struct model_index {
	struct map processes; /* pid to the latest process that has it */
	struct map channels;  /* channel id */
	struct map hosts;     /* name of a machine */
	struct id_map operations;
	/* signals.c: the capacity of model->signal_events, and of those how many are NULL. */
	size_t event_capacity, events_forgotten;
	struct viz_signal_event *spare_events; /* forgotten ones, linked by `kept` */
};

/*
 * Events that change descriptor tables. They are collected while lines are read and applied in
 * order of time.
 */
enum fd_event_kind {
	FD_OPERATION,
	FD_FORK,
	FD_THREAD, /* a thread was created */
	FD_THREAD_EXIT,
	FD_EXEC,
	FD_EXIT,
	FD_LINE
};

/* One for each operation, so it is small. */
struct fd_event {
	uint64_t at_ns;
	uint64_t sequence : 48; /* keeps the trace's order among events of equal time */
	enum fd_event_kind kind : 8;
	/* FD_FORK, FD_THREAD: child and maker use one table; else the child has a copy. */
	bool shares_fds : 1;
	union {
		struct viz_operation *operation; /* FD_OPERATION */
		struct viz_process *process;	 /* any other */
	};
	union {
		struct viz_thread *thread; /* FD_THREAD, FD_THREAD_EXIT */
		struct fd_line *line;	   /* FD_LINE */
	};
	/* FD_FORK, FD_THREAD: the thread that made it; NULL: not known. */
	const struct viz_thread *maker;
};

struct fd_events {
	struct fd_event *items;
	size_t count, capacity;
	uint64_t sequence; /* events added so far; gives each its `sequence` */
};

/* A `descriptors` line, merged with the lines that continue it. */
struct fd_line {
	bool first; /* the first snapshot of a process that existed before the trace */
	struct viz_bytes event;
	uint64_t at_ns;
	struct viz_process *process;
	struct viz_thread *thread; /* the thread whose table it is */
	uint64_t table;		   /* the number of the table within one snapshot; 0: not known */
	uint64_t began_ns;	   /* exec: when the call was entered; 0: not known */
	struct viz_fd *items;	   /* the descriptors that it lists */
	size_t count, capacity;
	bool cut;
};

enum { BUILD_ARGS_FEW = 4 };

struct model_builder {
	struct viz_model *model;
	struct arena *arena;
	struct arena *into; /* the arena that lists of the current line are allocated from */
	/*
	 * Streaming: an operation is freed after its last use, and events are not collected in the
	 * model, unless `collects` is set, too.
	 */
	bool live;
	bool collects;
	bool forgets_closes; /* streaming: holdings need not name the call that ended them */
	/* See struct line_source; NULL: the end of the file is the end of the trace. */
	bool (*more)(void *data);
	void *more_data;
	struct progress *progress;	  /* of the reading; NULL: nobody looks */
	struct viz_operation *operation;  /* the one that the last line was about; NULL: none */
	struct viz_operation *known;	  /* of the last operation line's id; NULL: none before */
	struct viz_operation_extra extra; /* of that operation, while it is built */
	struct viz_argument few_args[BUILD_ARGS_FEW]; /* where extra.args are then, if few */
	struct viz_channel *channel; /* the one that the last line was about; NULL: none */
	/* Of the last line; NULL: none. live: the caller frees it. */
	struct viz_signal_event *signal;
	struct reader *reader;
	struct trace_line *line;
	struct map strings;	  /* interned strings */
	struct map shared_extras; /* by their arguments, extras.c */
	struct map threads;	  /* keyed by process index and tid */
	struct fd_events fd_events;
	struct fd_line *fd_line;	  /* the line that the next one may continue; NULL: none */
	struct map fd_tables;		  /* keyed by the table numbers of the first snapshot */
	struct fd_table *spare_fd_tables; /* of processes that have ended */
	size_t inherited; /* holdings that no call, but a fork or a shared table began */
	struct json look; /* the lines of the look */
	bool foreign;	  /* a second header was read: the lines are another trace's */
};

/*
 * build_open() reads the header. 0, or -errno with the sentence in `error`; in either case the
 * caller must call build_close() and later viz_model_free(b->model).
 * build_next() gives 1 for another line, 0 at the end, -errno with the sentence set.
 */
int build_open(struct model_builder *b, FILE *stream, const char *name, struct viz_error *error);
int build_next(struct model_builder *b);
void build_finish(struct model_builder *b); /* call it after the last line */
/*
 * Sorts and links what was collected. build_finish() does so for a whole model; with `live` and
 * `collects` it is called once model->operations is complete.
 */
void build_finish_lists(struct model_builder *b);
void build_close(struct model_builder *b); /* frees all but the model */

/*
 * operation_refs.c: reference counts of operations in streaming mode. They do nothing for
 * operations that live as long as the model.
 */
struct viz_operation *model_live_operation(struct model_builder *b);
struct arena *model_live_memory(struct viz_operation *op);		 /* of what belongs to it */
struct viz_operation *viz_operation_use(const struct viz_operation *op); /* op may be NULL */
void viz_operation_drop(const struct viz_operation *op);		 /* op may be NULL */
void model_live_unfinished(struct viz_model *model);
void model_live_free(struct viz_model *model); /* viz_model_free() calls it */
void build_sort_operations(struct viz_model *model);

/* True if lines other than operations become lists of the model. */
static inline bool build_collects(const struct model_builder *b)
{
	return !b->live || b->collects;
}

/* Values of the current line's field; an absent field gives 0, false or {NULL, 0}. */
static inline const struct trace_value *build_value(const struct model_builder *b, enum field field)
{
	return &b->line->values[field];
}

uint32_t build_u32(const struct model_builder *b, enum field field); /* of kind U32 */
uint64_t build_time(struct model_builder *b, enum field field);
struct viz_bytes build_string(struct model_builder *b, enum field field); /* interned */
struct viz_bytes build_bytes(struct model_builder *b, enum field field);  /* copied into b->into */
struct viz_bytes *build_list(struct model_builder *b, enum field field, size_t *count);
bool build_list_has(const struct model_builder *b, enum field field, const char *word);
uint64_t *build_uints(struct model_builder *b, enum field field, size_t *count);
struct viz_fd *build_fds(struct model_builder *b, enum field field, size_t *count);
struct viz_wait *build_waits(struct model_builder *b, enum field field, size_t *count);
struct viz_channel *build_channel(struct model_builder *b, struct viz_bytes id);
struct viz_bytes build_intern(struct model_builder *b, struct viz_bytes bytes);

/*
 * chunks.c: build_member() gives a numeric member of an object, 0 if it has none; build_chunks()
 * gives the operation's chunks.
 */
uint64_t build_member(const struct json_node *object, const char *key);
struct viz_chunk *build_chunks(struct model_builder *b, size_t *count);
/* Call it after build_chunks(). */
void build_parts(struct model_builder *b, struct viz_operation *op);

/*
 * processes.c: build_process() gives the latest process with this pid and creates it if there is
 * none; build_known_process() and build_known_thread() give NULL instead.
 */
struct viz_process *build_process(struct model_builder *b, uint32_t pid, uint64_t at_ns);
/* Notes that the process has a handler for the signal from now on, or has none any more. */
void build_note_action(struct viz_process *process, int signal, bool handler);
struct viz_process *build_known_process(const struct model_builder *b, uint32_t pid);
struct viz_thread *build_thread(struct model_builder *b, struct viz_process *process, uint32_t tid,
				uint64_t at_ns);
struct viz_thread *build_known_thread(const struct model_builder *b,
				      const struct viz_process *process, uint32_t tid);

/* 0; -EBADMSG, with the sentence set: the operation line contradicts itself or an earlier one. */
int build_check_operation(struct model_builder *b);

/* Each adds one line of its type to the model. */
void build_process_line(struct model_builder *b);
void build_host_line(struct model_builder *b);
/* Takes over which machine the process of a line is of. */
void build_process_host(struct model_builder *b, struct viz_process *process);
void build_locks(struct model_builder *b);
void build_thread_line(struct model_builder *b); /* thread_states.c */
void build_note_lease_wait(struct viz_operation *op);
void build_channel_line(struct model_builder *b);
void build_mapping_line(struct model_builder *b);
void build_operation_line(struct model_builder *b);
/*
 * extras.c: build_extra() gives what the operation has of its own, made in `arena` if it has
 * nothing yet. build_args() reads arguments into b->extra, and build_keep_extra() gives the place
 * where that stays; `before` is what the operation had until now. `only_args`: the line tells no
 * other rare fact.
 */
struct viz_operation_extra *build_extra(struct arena *arena, struct viz_operation *op);
void build_args(struct model_builder *b);
const struct viz_operation_extra *build_keep_extra(struct model_builder *b,
						   const struct viz_operation_extra *before,
						   bool only_args);
/*
 * positions.c: of pipes, TCP, eventfds; and those that few have, of which b->extra is the place.
 */
void build_positions(struct model_builder *b, struct viz_operation *op);
void build_rare_positions(struct model_builder *b, const struct viz_operation *op);
void build_left_out(struct model_builder *b, struct viz_operation *op);	     /* left_out.c */
void build_line_settings(struct model_builder *b, struct viz_operation *op); /* terminals */
void build_signal_line(struct model_builder *b);
/* Streaming: takes a collected event out of the model, to which nothing may point any more. */
void model_forget_signal_event(struct viz_model *model, const struct viz_signal_event *kept);
/* "pid" or "tid" of a thread object; 0 if it is absent or no 32-bit number. */
uint32_t build_thread_member(const struct json_node *thread, const char *key);
void build_descriptors_line(struct model_builder *b);

/* To be called after the last line. */
void build_finish_parents(struct model_builder *b);
void build_finish_signals(struct model_builder *b);
void build_finish_interest(struct model_builder *b); /* of sorted operations */
void build_finish_descriptors(struct model_builder *b);

/* Streaming: applies the collected events that are earlier than until_ns. */
void build_apply_descriptors(struct model_builder *b, uint64_t until_ns);
void build_free_descriptors(struct model_builder *b);

/* Appends an event; the pointer is valid until the next call. */
struct fd_event *build_fd_event(struct model_builder *b, enum fd_event_kind kind, uint64_t at_ns,
				struct viz_process *process);

#define VALUE(record, key) build_value(b, FIELD_##record##_##key)

#endif
