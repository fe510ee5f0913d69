// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Calls that failed, or did less than was asked, and what the caller made of it. */
#include <inttypes.h>
#include <signal.h>

#include "find.h"

static bool is_stream(const struct viz_channel *channel)
{
	return channel && mechanism_info(channel->mechanism)->form == FORM_STREAM &&
	       channel->mechanism != MECH_PTY;
}

/* Whatever it sends next there: it may be the rest. */
static bool sends_again(const struct diagnosis *d, const struct viz_operation *op)
{
	const struct viz_operation *next = op;
	bool cut;

	do {
		next = next_call(d, next, &cut);
	} while (next && next->role != ROLE_SEND);
	return next || cut;
}

static void tell_partial(struct diagnosis *d, const struct viz_operation *op)
{
	struct finding *f;

	if (!is_stream(op->channel) || op->returned <= 0 ||
	    (uint64_t)op->returned >= op->requested || !viz_has(op, requested) ||
	    is_call(op, "sendmmsg") || is_call(op, "vmsplice") || sends_again(d, op))
		return;
	f = finding_fold(d, FINDING_PARTIAL_WRITE, op->enter_ns, op->process, op->channel);
	finding_operation(d, f, op);
	finding_say(d, f, "call", "%s", say_call(d, op));
	finding_say(d, f, "asked", "%s", say_amount(d, op->requested));
	finding_say(d, f, "taken", "%s", say_amount(d, (uint64_t)op->returned));
}

/* Some calls are there to be interrupted: pause, sigsuspend, poll, wait for a child. */
static bool should_be_repeated(const struct viz_operation *op)
{
	return op->role == ROLE_SEND || op->role == ROLE_RECEIVE || is_call(op, "accept") ||
	       is_call(op, "accept4") || is_call(op, "semop") || is_call(op, "semtimedop");
}

static bool repeated(const struct diagnosis *d, const struct viz_operation *op, bool *cut)
{
	const struct viz_operation *next = next_call(d, op, cut);

	while (next && !viz_bytes_equal(next->syscall, op->syscall))
		next = next_call(d, next, cut);
	return next != NULL;
}

/* Many a server ends at these, and so leaves what it waited in. */
static bool asks_to_end(int number)
{
	return number == SIGTERM || number == SIGINT || number == SIGHUP || number == SIGQUIT ||
	       number == SIGWINCH;
}

static void tell_interrupted(struct diagnosis *d, const struct viz_operation *op, int number)
{
	struct finding *f;
	bool cut;

	if (!op->channel || !should_be_repeated(op) || repeated(d, op, &cut) || cut)
		return;
	f = finding_fold(d, FINDING_INTERRUPTED_CALL, op->enter_ns, op->process, op->channel);
	if (op->role == ROLE_OPEN || asks_to_end(number))
		f->severity = SEVERITY_NOTE;
	finding_operation(d, f, op);
	finding_say(d, f, "call", "%s", say_call(d, op));
}

/* Of connect and bind: the last that went well of each process, and at each address. */
struct successes {
	struct map of_process;
	struct map of_address;
};

static bool connects_or_binds(const struct viz_operation *op)
{
	return is_call(op, "connect") || is_call(op, "bind");
}

static uint64_t process_key(const struct viz_operation *op)
{
	return (uint64_t)op->process->index << 1 | is_call(op, "bind");
}

static struct map *address_map(struct successes *successes, const struct viz_operation *op)
{
	return &successes[is_call(op, "bind")].of_address;
}

static struct successes *successes_find(struct diagnosis *d)
{
	struct successes *successes = arena_array(d->arena, 2, sizeof(*successes));

	for (size_t i = 0; i < d->model->operation_count; i++) {
		struct viz_operation *op = d->model->operations[i];

		if (op->role != ROLE_OPEN || !viz_operation_done(op) || viz_operation_failed(op) ||
		    !connects_or_binds(op))
			continue;
		map_put_uint(d->arena, &successes->of_process, process_key(op), op);
		if (op->peer_address.len)
			map_put(d->arena, address_map(successes, op), op->peer_address, op);
	}
	return successes;
}

/* Whether the process got what it wanted afterwards, there or elsewhere; or somebody did there. */
static bool succeeded_later(struct successes *successes, const struct viz_operation *op)
{
	const struct viz_operation *own = map_get_uint(&successes->of_process, process_key(op));
	const struct viz_operation *there =
		op->peer_address.len ? map_get(address_map(successes, op), op->peer_address) : NULL;

	return (own && own->index > op->index) || (there && there->index > op->index);
}

static void tell_refused(struct diagnosis *d, struct successes *successes,
			 const struct viz_operation *op)
{
	struct finding *f = finding_fold(d, FINDING_CONNECTION_REFUSED, op->enter_ns, op->process,
					 NULL);

	f->channel = op->channel;
	finding_operation(d, f, op);
	finding_say(d, f, "address", "%s", say_bytes(d, op->peer_address));
	if (f->times == 1 && succeeded_later(successes, op))
		f->severity = SEVERITY_NOTE;
}

/* TCP's ports are not UDP's, and each network namespace has its own. */
static bool is_same_place(const struct viz_channel *a, const struct viz_channel *b)
{
	return !b || (a->mechanism == b->mechanism && a->network == b->network);
}

/* The channels of an address, in the order of the trace. */
struct addressed {
	const struct viz_channel *channel;
	struct addressed *next, *last; /* last: of the first one's list */
};

static void address_add(struct diagnosis *d, struct map *addresses, struct viz_bytes address,
			const struct viz_channel *channel)
{
	struct addressed *added, *first;

	if (!address.len)
		return;
	added = arena_alloc(d->arena, sizeof(*added));
	*added = (struct addressed){.channel = channel, .last = added};
	first = map_get(addresses, address);
	if (!first) {
		map_put(d->arena, addresses, address, added);
		return;
	}
	first->last->next = added;
	first->last = added;
}

/* By local address and by name. */
static struct map addresses_find(struct diagnosis *d)
{
	struct map addresses = {0};

	for (size_t i = 0; i < d->model->channel_count; i++) {
		const struct viz_channel *channel = d->model->channels[i];

		address_add(d, &addresses, channel->local_address, channel);
		address_add(d, &addresses, channel->name, channel);
	}
	return addresses;
}

/* Who in the trace has that address. */
static const struct viz_process *holder_of(const struct map *addresses,
					   const struct viz_operation *op)
{
	const struct addressed *at = map_get(addresses, op->peer_address);

	for (; at; at = at->next) {
		const struct viz_channel *channel = at->channel;

		if (channel == op->channel || !is_same_place(channel, op->channel))
			continue;
		for (size_t k = 0; k < channel->holding_count; k++)
			if (channel->holdings[k]->since_ns <= op->enter_ns &&
			    channel->holdings[k]->until_ns > op->enter_ns)
				return channel->holdings[k]->process;
	}
	return NULL;
}

static void tell_in_use(struct diagnosis *d, struct successes *successes,
			const struct map *addresses, const struct viz_operation *op)
{
	const struct viz_process *holder = op->peer_address.len ? holder_of(addresses, op) : NULL;
	struct finding *f = finding_fold(d, FINDING_ADDRESS_IN_USE, op->enter_ns, op->process,
					 op->channel);

	finding_operation(d, f, op);
	finding_process(d, f, holder);
	finding_say(d, f, "address", "%s", say_bytes(d, op->peer_address));
	finding_say(d, f, "holder", "%s",
		    holder ? say_phrase(d, PHRASE_BOUND_BY, say_process(d, holder), NULL, NULL)
			   : "");
	if (f->times == 1 && succeeded_later(successes, op))
		f->severity = SEVERITY_NOTE;
}

/* What was sent on each channel, by its index, and thrown away by the other end. */
static uint64_t *thrown_away(struct diagnosis *d)
{
	uint64_t *bytes = arena_array(d->arena, d->model->channel_count + 1, sizeof(*bytes));

	for (size_t i = 0; i < d->pairing->message_count; i++) {
		const struct viz_message *m = d->pairing->messages[i];

		if (m->fate == FATE_DISCARDED && m->from.operation && m->from.operation->channel)
			bytes[m->from.operation->channel->index] += m->bytes;
	}
	return bytes;
}

static void tell_reset(struct diagnosis *d, const uint64_t *thrown, const struct viz_operation *op)
{
	uint64_t bytes = op->channel && is_stream(op->channel) ? thrown[op->channel->index] : 0;
	struct finding *f;

	if (!bytes || d->incomplete)
		return;
	f = finding_fold(d, FINDING_RESET_WITH_DATA, op->enter_ns, op->process, op->channel);
	f->bytes = bytes;
	finding_operation(d, f, op);
}

/* The kernel's result is ERESTARTSYS: only the handler's return tells what the caller saw. */
static void find_interrupted(struct diagnosis *d)
{
	for (size_t i = 0; i < d->pairing->signal_count && !d->incomplete; i++) {
		const struct viz_signal *s = d->pairing->signals[i];

		if (s->interrupted && !s->restarted && s->end &&
		    viz_bytes_equal(s->end->interrupted, viz_bytes_of("EINTR")) &&
		    !has_error(s->interrupted, "EINTR") && viz_operation_failed(s->interrupted))
			tell_interrupted(d, s->interrupted, s->number);
	}
}

/* It went on in the end, so it is only a note. */
static void tell_slow(struct diagnosis *d, const struct viz_operation *op)
{
	const char *readers = NULL;
	struct finding *f;

	if (!op->channel || op->off_cpu_ns < 2 * LONG_WAIT_NS || op->channel->mechanism == MECH_PTY)
		return;
	f = finding_fold(d, FINDING_FULL_CHANNEL, op->enter_ns, op->process, op->channel);
	f->severity = SEVERITY_NOTE;
	finding_operation(d, f, op);
	finding_process(d, f, op->woken_by);
	if (op->woken_by)
		readers = say_process(d, op->woken_by);
	finding_say(d, f, "long", "%s", say_duration(d, op->off_cpu_ns));
	finding_say(d, f, "readers", "%s",
		    readers ? readers : phrase_text(PHRASE_SOMEBODY, d->language));
}

void find_calls(struct diagnosis *d)
{
	struct successes *successes = successes_find(d);
	const uint64_t *thrown = thrown_away(d);
	const struct map addresses = addresses_find(d);

	find_interrupted(d);
	for (size_t i = 0; i < d->model->operation_count; i++) {
		const struct viz_operation *op = d->model->operations[i];

		if (!viz_operation_done(op) || !viz_has(op, returned))
			continue;
		if (op->role == ROLE_SEND && op->returned > 0 && !d->incomplete)
			tell_partial(d, op);
		if (op->role == ROLE_SEND)
			tell_slow(d, op);
		if (op->returned >= 0)
			continue;
		if (has_error(op, "EINTR") && !d->incomplete)
			tell_interrupted(d, op, 0);
		else if (has_error(op, "ECONNREFUSED") && is_call(op, "connect"))
			tell_refused(d, successes, op);
		else if (has_error(op, "EADDRINUSE") && is_call(op, "bind"))
			tell_in_use(d, successes, &addresses, op);
		else if (has_error(op, "ECONNRESET"))
			tell_reset(d, thrown, op);
	}
}
