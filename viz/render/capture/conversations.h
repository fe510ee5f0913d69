/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Turns stream objects (pipes, FIFOs, stream sockets, terminals) into conversations between two
 * sides: each message, the end of the data, and the missing bytes in between.
 */
#ifndef VIZ_RENDER_CAPTURE_CONVERSATIONS_H
#define VIZ_RENDER_CAPTURE_CONVERSATIONS_H

#include "viz/scene/scene.h"

/* Side 0 is the one that connected, else the one that wrote first; side 1 is the other one. */
struct stream_conversation {
	size_t objects[2]; /* by side; SCENE_NONE: not known, or a pipe's writing end */
	int lanes[2];	   /* first user of the side; SCENE_OUTSIDE, SCENE_NOWHERE */
	bool from_start;   /* its creation is in the trace */
};

struct stream_event {
	size_t conversation;
	int side;			     /* the sending side */
	uint64_t at_ns;			     /* ascending, also per direction */
	const struct scene_message *message; /* NULL: none */
	bool ended;			     /* the other side saw the end of file */
	uint64_t missing;		     /* bytes before it that the trace lacks */
	bool may_miss_bytes;		     /* records were lost: bytes may be missing before it */
	size_t order;
};

struct streams {
	struct stream_conversation *conversations;
	size_t conversation_count;
	struct stream_event *events; /* by time */
	size_t event_count;
	size_t left_out; /* messages that belong to no stream */
};

/* For streams_free(). */
void streams_build(struct streams *streams, const struct scene *scene);
void streams_free(struct streams *streams);

#endif
