/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Stream objects (pipes, FIFOs, stream sockets, terminals) as conversations of two sides, and what
 * went from one to the other: each message, the end of the data, and what is missing between.
 */
#ifndef VIZ_RENDER_STREAMS_H
#define VIZ_RENDER_STREAMS_H

#include "scene.h"

/* Side 0 is who connected, else who wrote first; 1 the other one. */
struct stream_conversation {
	size_t objects[2]; /* of each side; SCENE_NONE: not known, or a pipe's writing end */
	int lanes[2];	   /* who spoke or listened there first; SCENE_OUTSIDE, SCENE_NOWHERE */
	bool from_start;   /* the trace saw it made */
};

struct stream_event {
	size_t conversation;
	int side;			     /* from which it comes */
	uint64_t at_ns;			     /* ascending, also of each direction */
	const struct scene_message *message; /* NULL: none */
	bool ended;			     /* the other side learned that no more comes */
	uint64_t missing;		     /* so many bytes before it are not in the trace */
	bool unsure; /* records were lost: nobody knows whether bytes are missing before it */
	size_t order;
};

struct streams {
	struct stream_conversation *conversations;
	size_t conversation_count;
	struct stream_event *events; /* by time */
	size_t event_count;
	size_t left_out; /* messages of no stream */
};

/* 0 or -ENOMEM; free with streams_free() either way. */
int streams_build(struct streams *streams, const struct scene *scene);
void streams_free(struct streams *streams);

#endif
