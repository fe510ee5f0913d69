/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Callbacks that receive what is found in a trace while it is read. viz/pair/stream.h says how long
 * their arguments stay valid.
 */
#ifndef VIZ_MESSAGE_SINK_H
#define VIZ_MESSAGE_SINK_H

#include "viz/base/progress.h"
#include "viz/message/message.h"

/*
 * A stretch of a channel that was skipped because records are missing, so that its receives could
 * not be matched to sends.
 */
struct viz_gap {
	enum mechanism mechanism;
	const struct viz_channel *channel;
	uint64_t units;	  /* bytes of a stream, or messages, whose sender is not known */
	bool bytes;	  /* units are bytes */
	uint64_t from_ns; /* up to here nothing was missing */
	uint64_t to_ns;	  /* from here on everything is known again; VIZ_NEVER: not again */
};

/* Any callback may be NULL. If one returns other than 0, reading ends with that value. */
struct viz_sink {
	void *data;		   /* the first argument of each callback */
	struct progress *progress; /* says how far the reading is; NULL: nobody looks */

	/* The header was read; it is in model->header. */
	int (*begin)(void *data, const struct viz_model *model);

	/* A call whose line says that it has not returned: as soon as that is read, or again. */
	int (*begun)(void *data, const struct viz_operation *operation);

	/*
	 * A call that has returned. Calls come in about the order of their return, each before its
	 * messages.
	 */
	int (*operation)(void *data, const struct viz_operation *operation);

	/*
	 * In order of receipt, with ids ascending from 1. Messages that were never received come
	 * last, in order of sending; where more than 10,000 would wait for the end, those of which
	 * nothing more will be known come earlier.
	 */
	int (*message)(void *data, const struct viz_message *message);

	int (*gap)(void *data, const struct viz_gap *gap);
	int (*eof)(void *data, const struct viz_eof *eof);
	int (*connection)(void *data, const struct viz_connection *connection);
	int (*signal)(void *data, const struct viz_signal *signal);

	/* A round of pairing has ended: the engine has released the calls that it is done with. */
	int (*settled)(void *data);

	/* Only while a growing trace is followed: nothing new has come for a while. */
	int (*idle)(void *data);

	/*
	 * The whole trace was read. The model has its processes, channels, losses, trailer and
	 * `warning`, and in model->operations only the calls that had not returned.
	 */
	int (*end)(void *data, const struct viz_model *model);
};

#endif
