// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Datagrams of AF_UNIX that are refused as nobody has the socket they are for. The call tells, but
 * who does not look loses them. Who sends again to that name with success loses none.
 */
#include "viz/diagnose/datagram/empty_datagrams.h"
#include "viz/diagnose/datagram/unix_names.h"

struct sends {
	struct diagnosis *d;
	struct map *sent; /* by process index: the last success of a send to each address */
	const struct viz_operation **connected; /* by channel index: the last connect(2) */
	bool *refused;				/* by channel index: a send was, since then */
	struct map first;			/* by name: a call that was refused there */
};

static bool is_datagram_socket(const struct viz_operation *op)
{
	return op->channel && op->channel->mechanism == MECH_UNIX_DGRAM && viz_operation_done(op) &&
	       viz_has(op, returned);
}

static struct viz_bytes address_of(const struct sends *sends, const struct viz_operation *op)
{
	const struct viz_operation *connect = sends->connected[op->channel->index];

	if (op->extra->peer_address.len || !connect)
		return op->extra->peer_address;
	return connect->extra->peer_address;
}

static void note_connect(const struct sends *sends, const struct viz_operation *op)
{
	if (!operation_is(op, "connect") || op->returned != 0)
		return;
	sends->connected[op->channel->index] = op;
	sends->refused[op->channel->index] = false;
}

static void note_sent(const struct sends *sends, struct viz_operation *op)
{
	const struct viz_bytes address = address_of(sends, op);

	if (op->role == ROLE_SEND && op->returned >= 0 && address.len)
		map_put(sends->d->arena, &sends->sent[op->process->index], address, op);
}

/* True if the call failed as nobody has the socket; after that it is connected to none. */
static bool is_refused(const struct sends *sends, const struct viz_operation *op)
{
	bool *refused = &sends->refused[op->channel->index];

	if (op->role != ROLE_SEND || op->returned >= 0)
		return false;
	if (operation_has_error(op, "ENOTCONN"))
		return *refused && !op->extra->peer_address.len;
	*refused |= operation_has_error(op, "ECONNREFUSED");
	return operation_has_error(op, "ECONNREFUSED") || operation_has_error(op, "ENOENT");
}

static bool is_sent_later(const struct sends *sends, const struct viz_operation *op,
			  struct viz_bytes address)
{
	const struct viz_operation *sent = map_get(&sends->sent[op->process->index], address);

	return sent && sent->index > op->index;
}

/* Returns who has bound the name anew since the sender was connected to it; NULL: nobody. */
static const struct viz_process *bound_anew(const struct sends *sends,
					    const struct viz_operation *op)
{
	const struct viz_operation *connect = sends->connected[op->channel->index];
	const struct viz_channel *now =
		connect && !op->extra->peer_address.len
			? unix_socket_named(sends->d, connect->extra->peer_address, op->enter_ns)
			: NULL;

	if (!now || !now->holding_count || now->holdings[0]->since_ns < connect->exit_ns)
		return NULL;
	return viz_channel_holder(now, op->enter_ns);
}

static void tell_why(const struct sends *sends, struct finding *f, const struct viz_operation *op,
		     struct viz_bytes address)
{
	struct diagnosis *d = sends->d;
	const struct viz_process *anew = bound_anew(sends, op);

	finding_set(d, f, "why", "%s",
		    fill_phrase(d, PHRASE_NOBODY_HAS_NAME, bytes_text(d, address),
				bytes_text(d, op->error), NULL));
	f->advice = phrase_text(anew ? PHRASE_CONNECT_AGAIN : PHRASE_START_UNIX_RECEIVER,
				d->language);
	if (anew) {
		finding_process(d, f, anew);
		finding_line(d, f,
			     fill_phrase(d, PHRASE_BOUND_ANEW, process_text(d, anew),
					 bytes_text(d, address), process_text(d, op->process)));
	}
	tell_similar_name(d, f, op, address);
	tell_empty_datagram(d, f, op);
}

/* A number for each name and error: the first call that was refused there, and how. */
static uint64_t number_of(struct sends *sends, struct viz_bytes address, struct viz_operation *op)
{
	const struct viz_operation *first = map_get(&sends->first, address);

	if (!first)
		map_put(sends->d->arena, &sends->first, address, op);
	return 2 * (first ? first->index + 1 : op->index + 1) + operation_has_error(op, "ENOENT");
}

/* Reports it, once for each process and name, whichever sockets it opened for that. */
static void report(struct sends *sends, struct viz_operation *op)
{
	const struct viz_bytes address = address_of(sends, op);
	struct finding *f;

	if (!address.len || is_sent_later(sends, op, address))
		return;
	f = finding_fold_kind(sends->d, FINDING_DATAGRAM_DROPPED, number_of(sends, address, op),
			      op->enter_ns, op->process, NULL);
	if (f->times <= 4)
		finding_operation(sends->d, f, op);
	if (f->times > 1)
		return;
	f->channel = op->channel;
	finding_set(sends->d, f, "channel", "%s", channel_text(sends->d, op->channel));
	if (operation_has_error(op, "ENOENT") && viz_process_succeeded(op->process))
		f->severity = SEVERITY_NOTE; /* it may send to whoever is there */
	tell_why(sends, f, op, address);
}

void report_unix_datagrams(struct diagnosis *d)
{
	struct sends sends = {
		.d = d,
		.sent = arena_array(d->arena, d->model->process_count + 1, sizeof(struct map)),
		.connected = calls_array(d->arena, d->model->channel_count),
		.refused = arena_array(d->arena, d->model->channel_count + 1, sizeof(bool)),
	};

	for (size_t i = 0; i < d->model->operation_count && !d->incomplete; i++)
		if (is_datagram_socket(d->model->operations[i])) {
			note_connect(&sends, d->model->operations[i]);
			note_sent(&sends, d->model->operations[i]);
		}
	for (size_t i = 0; i < d->model->operation_count && !d->incomplete; i++) {
		struct viz_operation *op = d->model->operations[i];

		if (!is_datagram_socket(op))
			continue;
		note_connect(&sends, op);
		if (is_refused(&sends, op))
			report(&sends, op);
	}
}
