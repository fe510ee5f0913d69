// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/diagnose/graph/failed_requests.h"

#include "viz/diagnose/graph/wait_graph.h"

/* A call to others that was made for a request. */
struct made {
	const struct viz_operation *op;
	struct made *next;
};

/* A connection that a server has accepted. */
struct served {
	struct made *made; /* since its client last asked, the latest first */
	bool asked;	   /* and it has had no answer yet */
};

struct requests {
	struct diagnosis *d;
	struct served **of_channel; /* by channel index; NULL: none of those */
	struct map of_thread;	    /* the served connection that it last received from */
	struct map *failed;	    /* by call */
};

static struct served *served_of(const struct requests *requests, const struct viz_channel *channel)
{
	return channel ? requests->of_channel[channel->index] : NULL;
}

static void list_served(struct requests *requests)
{
	const struct viz_pairing *pairing = requests->d->pairing;

	for (size_t i = 0; i < pairing->connection_count; i++) {
		const struct viz_connection *c = pairing->connections[i];

		if (c->accept && c->server)
			requests->of_channel[c->server->index] = arena_alloc(requests->d->arena,
									     sizeof(struct served));
	}
}

/* "HTTP/1.1 502": the status codes of a server's own failures begin with 5 (RFC 9110). */
static bool is_server_error(struct viz_bytes payload)
{
	return payload.len > 9 && viz_bytes_begin(payload, "HTTP/1.") && payload.data[9] == '5';
}

static void note_asked(struct requests *requests, struct served *served,
		       const struct viz_operation *op)
{
	if (op->returned <= 0) {
		served->asked &= op->returned < 0;
		return;
	}
	served->made = NULL;
	served->asked = true;
	map_put_uint(requests->d->arena, &requests->of_thread, (uintptr_t)op->thread, served);
}

static void settle(struct requests *requests, struct served *served, bool failed)
{
	for (struct made *made = served->made; made && failed; made = made->next)
		map_put_uint(requests->d->arena, requests->failed, (uintptr_t)made->op, requests);
	served->made = NULL;
	served->asked = false;
}

static void note_made(struct requests *requests, const struct viz_operation *op)
{
	struct served *served = map_get_uint(&requests->of_thread, (uintptr_t)op->thread);
	struct made *made;

	if (!served || !served->asked)
		return;
	made = arena_alloc(requests->d->arena, sizeof(*made));
	*made = (struct made){op, served->made};
	served->made = made;
}

static void note(struct requests *requests, const struct viz_operation *op)
{
	const struct viz_channel *sink = viz_operation_sink(op);
	struct served *from = served_of(requests, viz_operation_source(op));
	struct served *to = served_of(requests, sink);
	struct served *closed = op->role == ROLE_CLOSE ? served_of(requests, op->channel) : NULL;

	if (from)
		note_asked(requests, from, op);
	if (to && op->returned > 0)
		settle(requests, to, is_server_error(op->payload));
	else if (closed && op->last)
		settle(requests, closed, closed->asked);
	else if (!to && op->channel && (sink || operation_is(op, "connect")))
		note_made(requests, op);
}

static struct map *find_failed(struct diagnosis *d)
{
	struct requests requests = {
		.d = d,
		.of_channel = arena_array(d->arena, d->model->channel_count + 1,
					  sizeof(*requests.of_channel)),
		.failed = arena_alloc(d->arena, sizeof(*requests.failed)),
	};

	list_served(&requests);
	for (size_t i = 0; d->pairing->connection_count && i < d->model->operation_count; i++)
		if (viz_operation_done(d->model->operations[i]))
			note(&requests, d->model->operations[i]);
	return requests.failed;
}

bool request_failed_after(struct diagnosis *d, const struct viz_operation *op)
{
	if (!d->failed_requests)
		d->failed_requests = find_failed(d);
	return !d->incomplete && map_get_uint(d->failed_requests, (uintptr_t)op);
}
