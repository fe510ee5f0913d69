/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads a trace line by line and passes operations, messages and the like to a sink as soon as they
 * are known, so that the whole trace is never held in memory. It is for callers that add up, print
 * or watch; a caller that needs all at once uses viz/model/model.h and viz/pair/pair.h.
 *
 * The object that a callback of the sink is given (message, operation, …) is valid only during the
 * call. Until `end` has returned, the sink may keep pointers to processes, threads and channels,
 * and the strings of an operation or message other than its payload (syscall, error, comm,
 * peer_address, path).
 */
#ifndef VIZ_PAIR_STREAM_H
#define VIZ_PAIR_STREAM_H

#include "viz/message/sink.h"

/*
 * Reads the trace `path` ("-" is stdin) and calls the sink. Returns 0; or the result of the
 * callback that ended the reading, with an empty `error`; or -errno as viz_model_read() does, with
 * a sentence for the user in `error`.
 */
int viz_stream_read(const char *path, const struct viz_sink *sink, struct viz_error *error);

/*
 * Reads a trace that is still being written. At the end of the file it waits for more lines, until
 * the trailer has come or the process gets SIGINT or SIGTERM, which both end the reading without an
 * error. Both signals are blocked meanwhile. Returns the same values as viz_stream_read().
 */
int viz_stream_follow(const char *path, const struct viz_sink *sink, struct viz_error *error);

/*
 * Opens a trace for reading ("-" is stdin), and closes it. viz_stream_name() is what errors call
 * it.
 * Returns 0, or -errno with a sentence for the user in `error`.
 */
int viz_stream_open(const char *path, FILE **file, struct viz_error *error);
const char *viz_stream_name(const char *path);
void viz_stream_close(FILE *file);

/*
 * Reads a trace that is still being written from an open stream, which stays open, until the
 * trailer has come or the descriptor `ends` is readable or hung up. `name` is for errors. Returns
 * the same values as viz_stream_read().
 */
int viz_stream_follow_stream(FILE *file, const char *name, int ends, const struct viz_sink *sink,
			     struct viz_error *error);

/*
 * As viz_stream_read_stream(), and gives the model, which the caller frees. It has all lists that
 * viz_model_read() makes, but of the operations that have returned only those that the sink took a
 * reference to (viz_operation_use()) and, in `end`, put into model->operations, in any order.
 */
int viz_stream_collect(FILE *stream, const char *name, const struct viz_sink *sink,
		       struct viz_model **model, struct viz_error *error);

/* viz_stream_read() from an open stream, which stays open; `name` is for errors. */
int viz_stream_read_stream(FILE *stream, const char *name, const struct viz_sink *sink,
			   struct viz_error *error);

#endif
