/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The spans of a scene. A request and its response are two: the asker's (CLIENT), from its first
 * send to its last receive, and below it the answerer's (SERVER). What is no part of such a pair is
 * a span for the call that sent it (PRODUCER) and one for the call that received it (CONSUMER),
 * which links to the former. A call that failed is a span (CLIENT if it is a connect). Each
 * message is in each span of its calls, and in no other.
 */
#ifndef VIZ_RENDER_OTLP_SPANS_H
#define VIZ_RENDER_OTLP_SPANS_H

#include "viz/scene/dataset.h"

/* The numbers of Span.SpanKind in opentelemetry/proto/trace/v1/trace.proto. */
enum span_kind {
	SPAN_INTERNAL = 1,
	SPAN_SERVER = 2,
	SPAN_CLIENT = 3,
	SPAN_PRODUCER = 4,
	SPAN_CONSUMER = 5
};

/* Identities, the same for the same trace. Never 0. */
struct span_id {
	uint64_t trace[2];
	uint64_t span;
};

struct span {
	enum span_kind kind;
	int lane;
	uint64_t start_ns, end_ns; /* CLOCK_MONOTONIC; so is all else here */
	struct span_id id;
	uint64_t parent;	  /* SPAN_SERVER: the asker's span; otherwise 0 */
	const uint32_t *messages; /* indices of facts */
	size_t request_count;	  /* of an exchange: the first ones, which are its request */
	size_t count;
	uint32_t call; /* the call that it is of; SCENE_NONE: an exchange, or none */
	uint32_t row;  /* of a failed call: the dataset's row; otherwise SCENE_NONE */
};

struct spans {
	struct span *items; /* by lane, then time */
	size_t count;
	/* By index of the fact: the span that sent it, if it is no part of an exchange. */
	struct span_id *sent_by;
	uint32_t *order[2]; /* the facts that are no part of one, by the call of each side */
};

struct spans spans_find(const struct scene *scene);
void spans_free(struct spans *spans);

/* True for a span of a request and its response. */
static inline bool span_is_exchange(const struct span *span)
{
	return span->request_count != 0;
}

/* True if the span's process sent the message, which is number `i` of it. */
static inline bool span_sent(const struct span *span, size_t i)
{
	return span->kind == SPAN_PRODUCER ||
	       (span_is_exchange(span) && (span->kind == SPAN_CLIENT) == (i < span->request_count));
}

#endif
