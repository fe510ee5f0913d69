// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Connections that several threads or processes use at once, each to ask and to read its answer:
 * one of them reads the answer of another as well, which waits for it ever after.
 */
#include "viz/diagnose/wait/waits.h"

#define LOOK_ON (4 * LOOK_BACK) /* so many calls, and messages, after a request are looked at */

/* What a server did at its end of the connection. */
struct answering {
	const struct viz_operation *received; /* the call that received the request */
	const struct viz_operation *next;     /* and the one that received more; NULL: none */
	bool idle;			      /* it had answered all that it had received before */
};

static bool moves_data(const struct viz_operation *op)
{
	return (op->role == ROLE_SEND || op->role == ROLE_RECEIVE) && op->returned > 0;
}

/* The last send of the thread there, if it has received nothing since; NULL: there is none. */
static const struct viz_operation *last_request(const struct wait_graph *graph,
						const struct wait *wait)
{
	const struct viz_operation *own = wait->operation;
	const size_t least = own->index > LOOK_BACK ? own->index - LOOK_BACK : 0;

	for (size_t i = own->index; i-- > least;) {
		const struct viz_operation *op = graph->model->operations[i];

		if (op->channel == wait->channel && op->thread == own->thread && moves_data(op))
			return op->role == ROLE_SEND ? op : NULL;
	}
	return NULL;
}

/* The call that received the first of what was sent; NULL: it is not known for sure. */
static const struct viz_operation *receive_of(const struct wait_graph *graph,
					      const struct viz_operation *sent)
{
	const struct viz_pairing *pairing = graph->pairing;

	for (size_t i = pairing->message_count, looked = 0; i-- > 0 && looked < LOOK_ON; looked++)
		if (pairing->messages[i]->from.operation == sent)
			return pairing->messages[i]->match == MATCH_EXACT
				       ? pairing->messages[i]->to.operation
				       : NULL;
	return NULL;
}

/* Looks at what the server did before it received the request, and when it received more. */
static struct answering find_answering(const struct wait_graph *graph,
				       const struct viz_operation *received)
{
	struct answering answering = {.received = received, .idle = true};
	const size_t least = received->index > LOOK_BACK ? received->index - LOOK_BACK : 0;

	for (size_t i = received->index; i-- > least;) {
		const struct viz_operation *op = graph->model->operations[i];

		if (op->channel != received->channel || !moves_data(op))
			continue;
		answering.idle = op->role == ROLE_SEND;
		break;
	}
	for (size_t i = received->index + 1;
	     i < graph->model->operation_count && i < received->index + LOOK_ON; i++) {
		const struct viz_operation *op = graph->model->operations[i];

		if (op->channel != received->channel || !moves_data(op) || op->role != ROLE_RECEIVE)
			continue;
		answering.next = op;
		break;
	}
	return answering;
}

/* True for what the server sent between the request and the next one, and another one received. */
static bool is_taken(const struct wait *wait, const struct answering *answering,
		     const struct viz_message *m)
{
	const struct viz_operation *to = m->to.operation, *from = m->from.operation;

	return to && from && m->match == MATCH_EXACT && to->channel == wait->channel &&
	       to->thread != wait->operation->thread &&
	       from->enter_ns >= answering->received->exit_ns &&
	       (!answering->next || from->exit_ns <= answering->next->exit_ns);
}

const struct viz_operation *wait_taken_by(const struct wait_graph *graph, const struct wait *wait)
{
	const struct viz_pairing *pairing = graph->pairing;
	const struct viz_operation *asked = NULL, *received;
	struct answering answering;

	if (!graph->whole && wait->operation->role == ROLE_RECEIVE && wait->channel &&
	    channel_is_stream_socket(wait->channel))
		asked = last_request(graph, wait);
	received = asked ? receive_of(graph, asked) : NULL;
	if (!received)
		return NULL;
	answering = find_answering(graph, received);
	for (size_t i = pairing->message_count, looked = 0;
	     answering.idle && i-- > 0 && looked < LOOK_ON; looked++)
		if (is_taken(wait, &answering, pairing->messages[i]))
			return pairing->messages[i]->to.operation;
	return NULL;
}
