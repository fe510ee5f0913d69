// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds HTTP requests whose client waited between head and body: for "100 Continue" (RFC 9110,
 * 10.1.1), which the server does not send.
 */
#include "viz/diagnose/core/finder.h"

/* The head of a request, and how long its sender waited in vain since. */
struct head {
	const struct viz_operation *sent; /* NULL: none, or it was answered */
	uint64_t waited_ns;
};

static bool has_body(const struct viz_operation *op)
{
	return viz_bytes_begin(op->payload, "POST ") || viz_bytes_begin(op->payload, "PUT ");
}

static void report(struct diagnosis *d, const struct head *head, const struct viz_operation *body)
{
	const struct viz_operation *sent = head->sent;
	struct finding *f = finding_fold(d, FINDING_AWAITED_CONTINUE, sent->enter_ns, sent->process,
					 sent->channel);

	finding_operation(d, f, sent);
	finding_operation(d, f, body);
	if (f->times == 1)
		finding_set(d, f, "long", "%s", duration_text(d, head->waited_ns));
}

static void note_send(struct diagnosis *d, struct head *head, const struct viz_operation *op)
{
	if (head->sent && head->sent->process == op->process && head->waited_ns >= LONG_WAIT_NS)
		report(d, head, op);
	*head = (struct head){has_body(op) ? op : NULL, 0};
}

/* A poll(2) whose time is over. */
static void note_poll(struct head *heads, const struct viz_operation *op)
{
	for (size_t i = 0; i < op->extra->waits_for_count; i++) {
		const struct viz_channel *channel = op->extra->waits_for[i].channel;
		struct head *head = channel ? &heads[channel->index] : NULL;

		if (head && head->sent && head->sent->process == op->process &&
		    viz_wait_has(&op->extra->waits_for[i], IN))
			head->waited_ns += op->exit_ns - op->enter_ns + op->extra->repeats.took_ns;
	}
}

void find_awaited_continue(struct diagnosis *d)
{
	struct head *heads = arena_array(d->arena, d->model->channel_count + 1, sizeof(*heads));

	for (size_t i = 0; i < d->model->operation_count && !d->incomplete; i++) {
		const struct viz_operation *op = d->model->operations[i];

		if (!viz_operation_done(op) || op->returned < 0)
			continue;
		if (operation_polls(op) && op->returned == 0)
			note_poll(heads, op);
		if (!op->channel || op->channel->mechanism != MECH_TCP || op->returned <= 0)
			continue;
		if (op->role == ROLE_SEND)
			note_send(d, &heads[op->channel->index], op);
		else if (op->role == ROLE_RECEIVE)
			heads[op->channel->index].sent = NULL;
	}
}
