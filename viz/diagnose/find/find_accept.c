// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Finds connections that are never accepted. */
#include <inttypes.h>

#include "viz/diagnose/core/finder.h"
#include "viz/diagnose/find/find_waits.h"
#include "viz/diagnose/wait/waits.h"

/* The calls that failed to accept on a listener for want of a descriptor. */
struct refusal {
	const struct viz_operation *last;
	uint64_t times;
};

/*
 * Returns a holding of a listener in the trace that had the connection's address at the time of the
 * connect(2), and in whose queue it may lie, if that is known of any; or NULL.
 */
static const struct viz_holding *listener_of(const struct diagnosis *d,
					     const struct viz_connection *c)
{
	const uint64_t at_ns = c->connect->enter_ns;
	const struct viz_bytes address = c->connect->extra->peer_address;
	const bool told =
		wait_listeners_at(d->waits, c->client, address, c->connect->exit_ns).full > 0;

	for (size_t i = 0; i < d->model->channel_count; i++) {
		const struct viz_channel *channel = d->model->channels[i];

		if (!wait_listens_for(channel, c->client, address) ||
		    (told && wait_queue_is_empty(d->waits, channel, c->connect->exit_ns)))
			continue;
		for (size_t k = 0; k < channel->holding_count; k++)
			if (channel->holdings[k]->since_ns <= at_ns &&
			    channel->holdings[k]->until_ns > at_ns)
				return channel->holdings[k];
	}
	return NULL;
}

/* Of a pool of workers it is not known which one should have accepted. */
static bool is_only_listener(const struct viz_holding *listener)
{
	const struct viz_channel *channel = listener->channel;

	for (size_t i = 0; i < channel->holding_count; i++)
		if (channel->holdings[i]->until_ns == VIZ_NEVER &&
		    channel->holdings[i]->process != listener->process)
			return false;
	return true;
}

/* Returns the refusals of each channel, by its index. accept(2): EMFILE, ENFILE */
static struct refusal *list_refusals(struct diagnosis *d)
{
	struct refusal *refusals = arena_array(d->arena, d->model->channel_count + 1,
					       sizeof(*refusals));

	for (size_t i = 0; i < d->model->operation_count; i++) {
		const struct viz_operation *op = d->model->operations[i];
		struct refusal *refusal;

		if (!op->channel || !operation_accepts(op))
			continue;
		refusal = &refusals[op->channel->index];
		if (operation_has_error(op, "EMFILE") || operation_has_error(op, "ENFILE"))
			*refusal = (struct refusal){op, refusal->times + 1};
	}
	return refusals;
}

static void tell_refusal(struct diagnosis *d, struct finding *f, const struct refusal *refusal)
{
	if (!refusal->last)
		return;
	finding_line(d, f,
		     fill_phrase(d, PHRASE_NO_DESCRIPTOR_LEFT,
				 process_text(d, refusal->last->process),
				 bytes_text(d, refusal->last->error),
				 format_text(d, "%" PRIu64, refusal->times)));
	finding_operation(d, f, refusal->last);
}

/* Where several sockets listen at the address: in whose queue the connection lies. */
static void tell_listeners(struct diagnosis *d, struct finding *f, const struct viz_channel *client,
			   struct viz_bytes address, uint64_t since_ns)
{
	const struct wait_listeners at = wait_listeners_at(d->waits, client, address, since_ns);

	if (client->mechanism != MECH_TCP || at.all < 2 || !at.full)
		return;
	finding_line(d, f,
		     fill_phrase(d, at.full == 1 ? PHRASE_IN_QUEUE_OF : PHRASE_IN_SOME_QUEUE,
				 format_text(d, "%zu", at.all), bytes_text(d, address),
				 channel_text(d, at.first)));
}

static struct finding *report(struct diagnosis *d, const struct viz_operation *op,
			      struct viz_bytes address, const struct viz_holding *listener)
{
	struct finding *f = finding_fold(d, FINDING_NEVER_ACCEPTED, op->enter_ns, op->process,
					 listener->channel);

	finding_process(d, f, listener->process);
	finding_operation(d, f, op);
	finding_set(d, f, "address", "%s", bytes_text(d, address));
	finding_set(d, f, "server", "%s", process_text(d, listener->process));
	if (f->times > 1)
		return f;
	finding_set(d, f, "chain", "%s", "");
	if (is_only_listener(listener))
		finding_chain_of(d, f, listener->process, op->process);
	return f;
}

static void report_connection(struct diagnosis *d, const struct viz_connection *c,
			      const struct refusal *refusals)
{
	const struct viz_holding *listener;
	struct finding *f;

	if (!c->connect || !c->client || c->accept || !viz_operation_done(c->connect) ||
	    !connect_succeeded(&d->waits->connects, c->connect) || d->incomplete)
		return;
	listener = listener_of(d, c);
	if (!listener)
		return;
	f = report(d, c->connect, c->connect->extra->peer_address, listener);
	if (f->times > 1)
		return;
	tell_listeners(d, f, c->client, c->connect->extra->peer_address, c->connect->exit_ns);
	tell_refusal(d, f, &refusals[listener->channel->index]);
}

/*
 * A glance sees no connect(2), but it sees that the connection still lies in a listener's backlog.
 */
bool report_unaccepted(struct diagnosis *d, const struct wait *wait)
{
	const struct viz_channel *listener = d->waits->whole ? wait->listener : NULL;
	struct finding *f;

	if (waits_to_connect(wait))
		return false;
	for (size_t i = 0; listener && i < wait->ender_count; i++) {
		const struct viz_holding *holding = wait_holding(d->waits, listener,
								 wait->enders[i], ACCESS_BOTH);

		if (!holding)
			continue;
		f = report(d, wait->operation,
			   listener->name.len ? listener->name : wait->channel->peer_address,
			   holding);
		tell_listeners(d, f, wait->channel, wait->channel->peer_address, wait->since_ns);
		return true;
	}
	return false;
}

void find_accept(struct diagnosis *d)
{
	const struct refusal *refusals = list_refusals(d);

	for (size_t i = 0; i < d->pairing->connection_count; i++)
		report_connection(d, d->pairing->connections[i], refusals);
}
