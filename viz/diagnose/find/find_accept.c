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

/* What calls to accept there were. */
struct accepts {
	struct refusal *refusals; /* by channel index */
	struct map acceptors;	  /* pairs of a process and a listener where it has accepted */
};

static bool has_accepted(const struct accepts *accepts, const struct viz_holding *listener)
{
	return map_get_uint(&accepts->acceptors,
			    viz_pair_key(listener->process, listener->channel)) != NULL;
}

static bool is_ready_to_accept(const struct diagnosis *d, const struct viz_holding *listener)
{
	for (const struct wait *wait = wait_of_process(d->waits, listener->process); wait;
	     wait = wait->next_of_process)
		if (wait_reads_at(d->waits, wait, listener->channel) || waits_to_accept(wait))
			return true;
	return false;
}

/*
 * How likely it is that this one of several should have accepted: it has done so before, it lives,
 * and is busy elsewhere. The parent of a pool of workers only made the listener.
 */
static int fitness(const struct diagnosis *d, const struct accepts *accepts,
		   const struct viz_holding *listener)
{
	if (!has_accepted(accepts, listener))
		return 1;
	if (listener->process->ended || listener->until_ns != VIZ_NEVER)
		return 2;
	return is_ready_to_accept(d, listener) ? 3 : 4;
}

/*
 * Returns a holding of a listener in the trace that had the connection's address at the time of the
 * connect(2), and in whose queue it may lie, if that is known: of the process that should have
 * accepted there. NULL: there is none.
 */
static const struct viz_holding *listener_of(const struct diagnosis *d,
					     const struct accepts *accepts,
					     const struct viz_connection *c)
{
	const uint64_t at_ns = c->connect->enter_ns;
	const struct viz_bytes address = c->connect->extra->peer_address;
	const bool told =
		wait_listeners_at(d->waits, c->client, address, c->connect->exit_ns).full > 0;
	const struct viz_holding *best = NULL;

	for (size_t i = 0; i < d->model->channel_count; i++) {
		const struct viz_channel *channel = d->model->channels[i];

		if (!wait_listens_for(channel, c->client, address) ||
		    (told && wait_queue_is_empty(d->waits, channel, c->connect->exit_ns)))
			continue;
		for (size_t k = 0; k < channel->holding_count; k++)
			if (channel->holdings[k]->since_ns <= at_ns &&
			    channel->holdings[k]->until_ns > at_ns &&
			    (!best ||
			     fitness(d, accepts, channel->holdings[k]) > fitness(d, accepts, best)))
				best = channel->holdings[k];
	}
	return best;
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

/* accept(2): EMFILE, ENFILE */
static struct accepts list_accepts(struct diagnosis *d)
{
	struct accepts accepts = {
		arena_array(d->arena, d->model->channel_count + 1, sizeof(struct refusal)), {0}};

	for (size_t i = 0; i < d->model->operation_count; i++) {
		const struct viz_operation *op = d->model->operations[i];
		struct refusal *refusal;

		if (!op->channel || !operation_accepts(op))
			continue;
		if (viz_operation_done(op) && op->returned >= 0)
			map_put_uint(d->arena, &accepts.acceptors,
				     viz_pair_key(op->process, op->channel), op->channel);
		refusal = &accepts.refusals[op->channel->index];
		if (operation_has_error(op, "EMFILE") || operation_has_error(op, "ENFILE"))
			*refusal = (struct refusal){op, refusal->times + 1};
	}
	return accepts;
}

static bool has_executed_since(const struct viz_model *model, const struct viz_holding *holding)
{
	for (size_t i = 0; i < model->process_event_count; i++) {
		const struct viz_process_event *event = model->process_events[i];

		if (event->event == PROCESS_EVENT_EXEC && event->process == holding->process &&
		    event->at_ns >= holding->since_ns)
			return true;
	}
	return false;
}

/*
 * True if the listener came to it over fork() and exec(), from one who has closed it since: a
 * program that was started beside, as sleep(1).
 */
static bool is_left_to_program(const struct viz_model *model, const struct accepts *accepts,
			       const struct viz_holding *listener)
{
	const struct viz_process *parent = listener->process->parent;

	return parent && listener->start == HOLDING_FORK && !has_accepted(accepts, listener) &&
	       has_executed_since(model, listener) &&
	       !viz_channel_held(listener->channel, parent, ACCESS_BOTH, VIZ_NEVER - 1);
}

static void advise(struct diagnosis *d, struct finding *f, enum advice_case about,
		   const struct viz_holding *listener)
{
	f->advice = advice_for(d, about, listener->process);
	finding_set(d, f, "culprit", "%s", process_text(d, listener->process));
}

/* Tells what keeps one of several workers. */
static void tell_worker(struct diagnosis *d, struct finding *f, const struct viz_holding *listener)
{
	advise(d, f, ADVICE_WORKER_BUSY, listener);
	finding_chain_of(d, f, listener->process, f->processes[0]);
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

/* True if the only thread of the process waits at a connection to its own listener. */
static bool asks_itself(const struct diagnosis *d, const struct viz_process *client,
			const struct viz_holding *listener)
{
	const struct wait *wait = wait_of_process(d->waits, client);

	while (wait && wait->listener != listener->channel)
		wait = wait->next_of_process;
	return wait && client == listener->process && process_is_lone(client);
}

static struct finding *report(struct diagnosis *d, const struct viz_operation *op,
			      struct viz_bytes address, const struct viz_holding *listener)
{
	struct finding *f = finding_fold(d, FINDING_NEVER_ACCEPTED, op->enter_ns, op->process,
					 listener->channel);

	finding_process(d, f, listener->process);
	finding_operation(d, f, op);
	finding_address(d, f, address);
	finding_set(d, f, "server", "%s", process_text(d, listener->process));
	if (f->times > 1)
		return f;
	finding_set(d, f, "chain", "%s", "");
	if (!is_only_listener(listener))
		return f;
	if (asks_itself(d, op->process, listener))
		advise(d, f, ADVICE_ASKS_ITSELF, listener);
	else
		finding_chain_of(d, f, listener->process, op->process);
	return f;
}

/*
 * True unless the time limit came so soon after the connection that it may have been accepted in a
 * moment; or it is not known that the client has one, and it may be a moment until it has. Who
 * connects to itself, and waits for nobody, is left alone, too.
 */
static bool is_late(const struct diagnosis *d, const struct viz_connection *c,
		    const struct viz_holding *listener)
{
	const bool is_old = d->end_ns - c->connect->exit_ns >= LONG_WAIT_NS;

	if (!connect_goes_on(&d->waits->connects, c->connect))
		return is_old || d->model->trailer.why != END_REASON_TIMEOUT;
	return is_old && listener->until_ns == VIZ_NEVER &&
	       listener->process != c->connect->process &&
	       viz_channel_held(c->client, c->connect->process, ACCESS_BOTH, VIZ_NEVER - 1) &&
	       !wait_queue_is_empty(d->waits, listener->channel, c->connect->exit_ns);
}

static void report_connection(struct diagnosis *d, const struct viz_connection *c,
			      const struct accepts *accepts)
{
	const struct viz_holding *listener;
	struct finding *f;

	if (!c->client || d->incomplete || !wait_lacks_accept(d->waits, c))
		return;
	listener = listener_of(d, accepts, c);
	if (!listener || !is_late(d, c, listener))
		return;
	d->waits->told_unaccepted[c->client->index] = true;
	f = report(d, c->connect, c->connect->extra->peer_address, listener);
	if (f->times > 1)
		return;
	tell_listeners(d, f, c->client, c->connect->extra->peer_address, c->connect->exit_ns);
	tell_refusal(d, f, &accepts->refusals[listener->channel->index]);
	if (is_left_to_program(d->model, accepts, listener))
		advise(d, f, ADVICE_LISTENER_LEFT, listener);
	else if (!is_only_listener(listener) && has_accepted(accepts, listener))
		tell_worker(d, f, listener);
}

/* True if the process has a connection that was accepted at the listener's address. */
static bool serves(const struct viz_model *model, const struct viz_channel *listener,
		   const struct viz_process *process)
{
	for (size_t i = 0; i < model->channel_count; i++) {
		const struct viz_channel *c = model->channels[i];

		if (c != listener && c->mechanism == MECH_TCP && c->peer_address.len &&
		    viz_bytes_equal(c->local_address, listener->local_address) &&
		    viz_channel_held(c, process, ACCESS_BOTH, VIZ_NEVER - 1))
			return true;
	}
	return false;
}

/* True if it looks after its children, and is kept by none of them. */
static bool only_supervises(const struct diagnosis *d, const struct viz_process *process)
{
	const struct wait *wait = wait_of_process(d->waits, process);

	return wait && !wait->next_of_process &&
	       (wait->clock || waits_for_signal(wait->operation)) && !waits_for_time(wait);
}

/*
 * Returns a worker that serves a client of the listener, which its parent holds only for its
 * workers; NULL: there is none. Only looked for in a glance.
 */
static const struct viz_process *worker_of(const struct diagnosis *d, const struct wait *wait)
{
	for (size_t i = 0; i < wait->ender_count; i++) {
		const struct viz_process *process = wait->enders[i];

		if (process->parent && process != wait->process &&
		    wait_is_ended_by(d->waits, wait, process->parent) &&
		    only_supervises(d, process->parent) &&
		    serves(d->model, wait->listener, process))
			return process;
	}
	return NULL;
}

static const struct viz_holding *holding_of_server(const struct diagnosis *d,
						   const struct wait *wait,
						   const struct viz_process *worker)
{
	const struct viz_holding *holding = NULL;

	if (worker)
		return wait_holding(d->waits, wait->listener, worker, ACCESS_BOTH);
	for (size_t i = 0; i < wait->ender_count && !holding; i++)
		holding = wait_holding(d->waits, wait->listener, wait->enders[i], ACCESS_BOTH);
	return holding;
}

bool wait_is_not_accepted(const struct diagnosis *d, const struct wait *wait)
{
	if (!d->waits->whole || !wait->listener || !wait->clock || waits_to_connect(wait))
		return false;
	for (size_t i = 0; i < wait->ender_count; i++)
		if (wait_holding(d->waits, wait->listener, wait->enders[i], ACCESS_BOTH) &&
		    !process_sleeps_elsewhere(d, wait->enders[i], wait->listener))
			return false;
	return !wait->listener->stranger_count;
}

/*
 * A glance sees no connect(2), but it sees that the connection still lies in a listener's backlog.
 */
bool report_unaccepted(struct diagnosis *d, const struct wait *wait)
{
	const struct viz_channel *listener = wait->listener;
	const struct viz_process *worker = NULL;
	const struct viz_holding *holding = NULL;
	struct finding *f;

	if (waits_to_connect(wait) || !listener)
		return false;
	if (!d->waits->whole)
		return d->waits->told_unaccepted[wait->client->index];
	worker = worker_of(d, wait);
	holding = holding_of_server(d, wait, worker);
	if (!holding)
		return false;
	f = report(d, wait->operation,
		   listener->name.len ? listener->name : wait->client->peer_address, holding);
	tell_listeners(d, f, wait->client, wait->client->peer_address, wait->since_ns);
	if (worker && f->times == 1)
		tell_worker(d, f, holding);
	return true;
}

/* The finding never-accepted of the client that waits there; NULL: there is none. */
static struct finding *finding_of_client(const struct diagnosis *d, const struct wait *wait)
{
	for (size_t i = 0; i < d->count; i++)
		if (d->findings[i]->row == finding_row(FINDING_NEVER_ACCEPTED) &&
		    d->findings[i]->channel == wait->listener &&
		    d->findings[i]->processes[0] == wait->process)
			return d->findings[i];
	return NULL;
}

/* Returns the only wait of the circle at a connection that is not accepted; NULL: there is none. */
static const struct wait *only_client(const struct wait_circle *circle)
{
	const struct wait *client = NULL;

	for (size_t i = 0; i < circle->count; i++) {
		if (!circle->waits[i]->listener)
			continue;
		if (client)
			return NULL;
		client = circle->waits[i];
	}
	return client;
}

struct finding *report_unaccepted_circle(struct diagnosis *d, const struct wait_circle *circle,
					 bool *told)
{
	const struct wait *client = only_client(circle);
	struct finding *f = NULL;

	if (client && report_unaccepted(d, client))
		f = finding_of_client(d, client);
	for (size_t i = 0; f && i < circle->count; i++) {
		told[circle->waits[i]->index] = true;
		finding_process(d, f, circle->waits[i]->process);
	}
	if (f)
		f->severity = SEVERITY_ERROR;
	return f;
}

void report_unaccepted_connects(struct diagnosis *d)
{
	const struct accepts accepts = list_accepts(d);

	for (size_t i = 0; i < d->pairing->connection_count; i++)
		report_connection(d, d->pairing->connections[i], &accepts);
}
