// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a receiver waits for in vain: it has it already, or does not hear where it is sent. */
#include "viz/base/address.h"
#include "viz/diagnose/wait/waits.h"

enum {
	BUFFER_LEAST = 1024, /* a smaller read is no program's buffer */
};

static bool selects(const struct viz_operation *op)
{
	return operation_polls(op) && !(op->channel && op->channel->mechanism == MECH_EPOLL);
}

static uint64_t count_lines(struct viz_bytes text)
{
	uint64_t lines = 0;

	for (size_t i = 0; i < text.len; i++)
		lines += text.data[i] == '\n';
	return lines;
}

/* Returns the process's last receive from the channel before the wait; NULL: none is near. */
static const struct viz_operation *receive_before(const struct viz_model *model,
						  const struct viz_operation *op,
						  const struct viz_channel *channel)
{
	const size_t last = op->index > LOOK_BACK ? op->index - LOOK_BACK : 0;

	for (size_t i = op->index; i-- > last;) {
		const struct viz_operation *before = model->operations[i];

		if (before->process == op->process && viz_operation_source(before) == channel &&
		    viz_operation_done(before) && before->returned > 0)
			return before;
	}
	return NULL;
}

const struct viz_operation *wait_read_ahead(const struct wait_graph *graph, const struct wait *wait,
					    uint64_t *lines)
{
	const struct viz_operation *op = wait->operation, *read;

	for (size_t i = 0; selects(op) && i < op->extra->waits_for_count; i++) {
		const struct viz_channel *channel = wait_asked(graph, op, i);

		if (!channel || channel->master ||
		    mechanism_info(channel->mechanism)->form != FORM_STREAM)
			continue; /* what holds a terminal takes its text as it comes */
		read = receive_before(graph->model, op, channel);
		if (!read || !viz_has(read, requested) || read->requested < BUFFER_LEAST)
			continue;
		*lines = count_lines(read->payload);
		if (*lines > 1)
			return read;
	}
	return NULL;
}

const struct viz_operation *wait_unheard_send(const struct wait_graph *graph,
					      const struct wait *wait)
{
	const struct viz_channel *channel = wait->channel;

	if (!channel || channel->mechanism != MECH_UDP || wait->operation->role == ROLE_SEND)
		return NULL;
	for (size_t i = graph->model->operation_count; i-- > 0;) {
		const struct viz_operation *op = graph->model->operations[i];

		if (op->role == ROLE_SEND && op->channel && op->channel->mechanism == MECH_UDP &&
		    viz_has(op, delivered) && !op->extra->delivered_count &&
		    address_is_group(op->extra->peer_address) &&
		    viz_bytes_equal(address_port(op->extra->peer_address),
				    address_port(channel->local_address)))
			return op;
	}
	return NULL;
}

bool wait_hears_no_group(const struct wait_graph *graph, const struct wait *wait)
{
	const struct viz_channel *channel = wait->channel;

	if (!channel || channel->mechanism != MECH_NETLINK || graph->whole || channel->groups.len ||
	    !channel->created_in_trace || !channel->local_address.len ||
	    wait->operation->role == ROLE_SEND)
		return false;
	for (size_t i = 0; i < graph->model->operation_count; i++) {
		const struct viz_operation *op = graph->model->operations[i];

		if (viz_operation_sink(op) == channel ||
		    (op->channel == channel && operation_is(op, "setsockopt")))
			return false;
	}
	return true;
}

/* What one of several sockets of a port sends comes from where the client has asked. */
static bool is_of_port(const struct viz_channel *socket, struct viz_bytes address)
{
	return viz_bytes_equal(address_port(socket->local_address), address_port(address));
}

/* True if the server sent it to the client by another socket than it was asked on, in vain. */
static bool answers_elsewhere(const struct viz_operation *op, const struct viz_message *request)
{
	const struct viz_channel *client = request->from.operation->channel;
	const struct viz_bytes to = op->extra->peer_address;

	return op->role == ROLE_SEND && op->process == request->to.process && op->channel &&
	       op->channel->mechanism == MECH_UDP &&
	       op->channel != request->to.operation->channel && viz_operation_done(op) &&
	       op->extra->unreached && operation_reached_nobody(op) &&
	       !is_of_port(op->channel, client->peer_address) &&
	       viz_channel_holder(client, op->enter_ns) &&
	       address_is_same(to, client->local_address);
}

bool tell_answered_elsewhere(struct diagnosis *d, struct finding *f,
			     const struct viz_message *request)
{
	const struct viz_operation *took = request ? request->to.operation : NULL;
	const struct viz_channel *client = took ? request->from.operation->channel : NULL;
	const size_t count = d->model->operation_count;

	if (!client || client->mechanism != MECH_UDP || !client->peer_address.len)
		return false;
	for (size_t i = took->index + 1; i < count && i < took->index + LOOK_BACK; i++) {
		const struct viz_operation *op = d->model->operations[i];

		if (!answers_elsewhere(op, request))
			continue;
		finding_operation(d, f, op);
		finding_line(d, f,
			     fill_phrase(d, PHRASE_ANSWERED_ELSEWHERE, process_text(d, op->process),
					 channel_text(d, op->channel),
					 bytes_text(d, client->peer_address)));
		f->advice = phrase_text(PHRASE_ANSWER_FROM_ASKED, d->language);
		return true;
	}
	return false;
}
