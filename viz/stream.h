/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A trace as a stream of what it tells, while it is read: for whoever adds up, prints or watches,
 * and need not hold the whole trace in memory (viz/model.h and viz/pair.h are for who must).
 *
 * What a sink is given (message, operation, …) is borrowed for the call. What it may keep until
 * `end` has returned: processes, threads, channels, and the strings of an operation or message
 * other than its payload (syscall, error, comm, peer_address, path).
 */
#ifndef VIZ_STREAM_H
#define VIZ_STREAM_H

#include "pair.h"

/* What was skipped: records are missing here, so nobody can tell who received what. */
struct viz_gap {
	enum mechanism mechanism;
	const struct viz_channel *channel;
	uint64_t units;	  /* bytes of a stream, messages of others, that have no certain sender */
	bool bytes;	  /* whether units are bytes */
	uint64_t from_ns; /* nothing was missing up to here */
	uint64_t to_ns;	  /* and from here on all is known again; VIZ_NEVER: it was not */
};

/* Any of these may be NULL; a callback that returns other than 0 ends the reading with that. */
struct viz_sink {
	void *data; /* first argument of each callback */

	/* Once the header is read; what it says of the trace is in model->header. */
	int (*begin)(void *data, const struct viz_model *model);

	/* A completed call, in about the order in which they returned, before its messages. */
	int (*operation)(void *data, const struct viz_operation *operation);

	/* In order of receipt, ids ascending from 1; what nobody received comes last. */
	int (*message)(void *data, const struct viz_message *message);

	int (*gap)(void *data, const struct viz_gap *gap);
	int (*eof)(void *data, const struct viz_eof *eof);
	int (*connection)(void *data, const struct viz_connection *connection);
	int (*signal)(void *data, const struct viz_signal *signal);

	/* While following: nothing has come for a while. */
	int (*idle)(void *data);

	/*
	 * The trace has been read: its processes, channels, losses, trailer and `warning`. The
	 * calls that had not returned (model->operations: those alone) are there too.
	 */
	int (*end)(void *data, const struct viz_model *model);
};

/*
 * Reads the trace `path` ("-" is stdin) and tells the sink. 0, what a callback returned, or -errno
 * as viz_model_read(), with a sentence in `error` (empty where a callback ended the reading).
 */
int viz_stream_read(const char *path, const struct viz_sink *sink, struct viz_error *error);

/*
 * The same of a trace that is still being written: at its end it waits for more, until the trailer
 * has come, or SIGINT or SIGTERM, which end it well.
 */
int viz_stream_follow(const char *path, const struct viz_sink *sink, struct viz_error *error);

/* The same from an open stream, until the trailer has come, or `ends` is readable or hung up. */
int viz_stream_follow_stream(FILE *file, const char *name, int ends, const struct viz_sink *sink,
			     struct viz_error *error);

/* viz_stream_read() from an open stream, which stays open; `name` is for errors. */
int viz_stream_read_stream(FILE *stream, const char *name, const struct viz_sink *sink,
			   struct viz_error *error);

#endif
