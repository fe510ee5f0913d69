// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds clients of HTTP that got an answer whose end never comes, though the server has said all:
 * its thread waits for the next request on the same connection. curl and wget end, or ask
 * again, as soon as an answer is whole; so for them it is not.
 */
#include "viz/diagnose/core/finder.h"
#include "viz/diagnose/wait/wait_more.h"
#include "viz/diagnose/wait/waits.h"

enum { STATUS_AT = 9 }; /* the first digit, in "HTTP/1.1 200" */

/* The last message on a connection that its client has received, by the index of its end. */
struct answered {
	const struct viz_message *last;
	uint64_t asked_ns; /* when the client last sent something there */
	bool more;	   /* something was sent there that nobody has received */
};

static bool is_of_asker(const struct viz_message *m)
{
	return m->mechanism == MECH_TCP && m->match == MATCH_EXACT && m->to.operation &&
	       m->from.operation && m->to.operation->channel &&
	       process_is_written_in(m->to.process, "asker");
}

static void note(struct diagnosis *d, struct answered *answered, const struct viz_message *m)
{
	const struct viz_channel *from = m->from.operation ? m->from.operation->channel : NULL;
	const struct viz_channel *there = from ? wait_peer(d->waits, from) : NULL;

	if (from)
		answered[from->index].asked_ns = m->from.enter_ns;
	if (m->to.process && is_of_asker(m))
		answered[m->to.operation->channel->index].last = m;
	else if (there && !m->to.process)
		answered[there->index].more = true;
}

/*
 * True if this thread was the last to send the head of an answer there, and that is a final one:
 * 1xx only says that one is to come, or another protocol (RFC 9110).
 */
static bool has_answered(const struct diagnosis *d, const struct wait *server)
{
	for (size_t i = server->operation->index; i-- > 0;) {
		const struct viz_operation *op = d->model->operations[i];

		if (op->channel == server->channel && op->role == ROLE_SEND &&
		    op->payload.len > STATUS_AT && viz_bytes_begin(op->payload, "HTTP/1."))
			return op->thread == server->operation->thread &&
			       op->payload.data[STATUS_AT] != '1';
	}
	return false;
}

/* True if the client waits to read there, and for nothing else that others could bring. */
static bool waits_there(const struct diagnosis *d, const struct viz_channel *end,
			const struct wait *wait)
{
	const struct viz_operation *op = wait->operation;

	if (wait->ready || op->extra->waits_cut)
		return false;
	if (op->role == ROLE_RECEIVE)
		return wait->channel == end;
	for (size_t i = 0; i < op->extra->waits_for_count; i++) {
		const struct viz_channel *channel = wait_asked(d->waits, op, i);

		if (channel != end && (!channel || !wait_wakes_itself(d->waits, wait, channel)))
			return false;
	}
	return op->extra->waits_for_count > 0;
}

static bool client_waits_there(const struct diagnosis *d, const struct viz_message *last)
{
	for (const struct wait *wait = wait_of_process(d->waits, last->to.process); wait;
	     wait = wait->next_of_process)
		if (waits_there(d, last->to.operation->channel, wait))
			return true;
	return false;
}

static void report(struct diagnosis *d, const struct viz_message *last, const struct wait *server)
{
	const struct viz_process *client = last->to.process;
	struct finding *f = finding_add(d, FINDING_ANSWER_NOT_ENDED, last->to.exit_ns,
					last->to.operation->channel);

	finding_process(d, f, client);
	finding_wait(d, f, server);
	finding_operation(d, f, last->from.operation);
	finding_operation(d, f, last->to.operation);
	finding_set(d, f, "who", "%s", process_text(d, client));
	finding_set(d, f, "server", "%s", process_text(d, server->process));
	finding_set(d, f, "long", "%s", duration_text(d, d->end_ns - last->to.exit_ns));
}

void find_unended_answers(struct diagnosis *d)
{
	struct answered *answered;

	if (d->incomplete || d->waits->whole || !d->waits->count)
		return;
	answered = arena_array(d->arena, d->model->channel_count + 1, sizeof(*answered));
	for (size_t i = 0; i < d->pairing->message_count; i++)
		note(d, answered, d->pairing->messages[i]);
	for (size_t i = 0; i < d->model->channel_count; i++) {
		const struct viz_message *last = answered[i].last;
		const struct wait *server;

		if (!last || answered[i].more || answered[i].asked_ns > last->to.exit_ns ||
		    d->end_ns - last->to.exit_ns < LONG_WAIT_NS || !client_waits_there(d, last))
			continue;
		server = wait_to_read_there(d, last->from.operation->channel);
		if (server && server->process == last->from.process && !server->clock &&
		    server->since_ns >= last->from.exit_ns && has_answered(d, server))
			report(d, last, server);
	}
}
