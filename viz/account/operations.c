// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Adds up calls: what they cost, at which end, how long they slept and which process woke them. */
#include "viz/account/rows.h"

/* --- waiting --- */

static struct account_waker *waker_for(struct account *account, struct account_end *end,
				       const struct viz_process *process)
{
	const void *key[2] = {end, process};
	const struct viz_bytes bytes = {(const char *)key, sizeof(key)};
	struct account_waker *waker = map_get(&account_fold(account)->wakers, bytes);

	if (waker)
		return waker;
	waker = arena_alloc(account->arena, sizeof(*waker));
	waker->process = process;
	map_put(account->arena, &account_fold(account)->wakers, bytes, waker);
	ARENA_PUSH(account->arena, end->wakers, end->waker_count, waker);
	return waker;
}

static void add_sleep(struct account *account, struct account_end *end,
		      const struct viz_operation *op)
{
	struct account_waker *waker;

	if (!op->off_cpu_ns)
		return;
	waker = waker_for(account, end, op->woken_by ? op->woken_by : op->extra->child);
	waker->times++;
	waker->slept_ns += op->off_cpu_ns;
}

static void note_wake(struct account *account, const struct viz_operation *op,
		      const struct viz_channel *where)
{
	struct end_row *end;

	if (!where)
		return;
	end = (struct end_row *)account_end(account, op->process, account_channel(account, where));
	account_wakes_add(account->arena, &end->wakes, op->exit_ns);
}

/* Notes a wake-up on each of the channels that were ready. */
static void note_wakes(struct account *account, const struct viz_operation *op)
{
	if (!op->off_cpu_ns)
		return;
	if (op->role == ROLE_RECEIVE)
		note_wake(account, op, op->channel);
	for (size_t i = 0; i < op->extra->ready_count; i++)
		note_wake(account, op, op->extra->ready[i].channel);
}

/* --- byte balance --- */

static void see_size(struct account_channel *channel, uint64_t size)
{
	if (!channel->sends || size < channel->size_min)
		channel->size_min = size;
	if (!channel->sends || size > channel->size_max)
		channel->size_max = size;
	channel->sends++;
}

static void balance_send(struct account *account, const struct viz_operation *op,
			 const struct call_facts *facts)
{
	struct account_channel *channel = account_channel(account, viz_operation_sink(op));

	channel->balance.sent += facts->bytes;
	for (size_t i = 0; i < op->extra->lengths_count; i++)
		see_size(channel, op->extra->lengths[i]);
	if (!op->extra->lengths_count)
		see_size(channel, facts->bytes);
}

static void balance_receive(struct account_channel *channel, const struct call_facts *facts)
{
	channel->balance.received += facts->bytes;
	channel->receives++;
}

static void balance_call(struct account *account, const struct viz_operation *op,
			 const struct call_facts *facts)
{
	if (account_puts_in(op, facts))
		balance_send(account, op, facts);
	if (account_takes_out(op, facts))
		balance_receive(account_channel(account, viz_operation_source(op)), facts);
}

/* --- ends --- */

/*
 * Returns the channel that a wait is counted on: the first that was ready and that the filter lets
 * through, else the first that was ready, the only one waited for, or the call's own.
 */
static const struct viz_channel *wait_channel(const struct account *account,
					      const struct viz_operation *op)
{
	for (size_t i = 0; i < op->extra->ready_count; i++)
		if (op->extra->ready[i].channel &&
		    viz_filter_channel(account->filter, op->extra->ready[i].channel))
			return op->extra->ready[i].channel;
	if (op->extra->ready_count)
		return op->extra->ready[0].channel;
	if (op->extra->waits_for_count == 1)
		return op->extra->waits_for[0].channel;
	return op->channel;
}

static void note_threads(struct account_end *end, const struct viz_operation *op, bool sends)
{
	struct end_row *state = (struct end_row *)end;
	uint32_t *tid = sends ? &state->send_tid : &state->receive_tid;

	if (*tid && *tid != op->thread->tid) {
		if (sends)
			end->channel->threads_send = true;
		else
			end->channel->threads_receive = true;
	}
	*tid = op->thread->tid;
}

/* A call that is counted on a channel is shown only with that channel. */
static bool shows(const struct account *account, const struct viz_operation *op,
		  const struct viz_channel *where)
{
	return viz_filter_operation(account->filter, op) &&
	       (!where || viz_filter_channel(account->filter, where));
}

static void add_at(struct account *account, const struct viz_operation *op,
		   const struct viz_channel *where, const struct call_facts *facts)
{
	struct account_channel *channel = NULL;
	struct account_end *end;

	if (where || op->role == ROLE_SIGNAL)
		channel = account_channel(account, where);
	end = account_end(account, op->process, channel);
	account_add_effort(&end->effort, op, facts);
	add_sleep(account, end, op);
	if (channel)
		account_add_effort(&channel->effort, op, facts);
	if (where && (where == viz_operation_sink(op) || where == viz_operation_source(op)))
		note_threads(end, op, where == viz_operation_sink(op));
	if (!shows(account, op, where))
		return;
	end->shown = true;
	if (channel)
		channel->shown |= facts->kind != CALL_OTHER ||
				  mechanism_info(channel->mechanism)->form == FORM_MEMORY;
}

static void add_total(struct account *account, const struct viz_operation *op,
		      const struct viz_channel *waits_at, const struct call_facts *facts)
{
	uint64_t end_ns = viz_operation_done(op) ? op->exit_ns : op->extra->at_ns;

	if (!shows(account, op, waits_at))
		return;
	account_add_effort(&account->effort, op, facts);
	if (op->enter_ns < account->first_ns)
		account->first_ns = op->enter_ns;
	if (end_ns > account->last_ns)
		account->last_ns = end_ns;
}

/*
 * A transfer counts as a call on both of its channels and as one in total; its sleep counts at its
 * source.
 */
static void add_call(struct account *account, const struct viz_operation *op,
		     const struct call_facts *facts)
{
	bool transfer = op->role == ROLE_TRANSFER;
	bool waits = op->role == ROLE_WAIT || op->role == ROLE_WAKE;
	const struct viz_channel *waits_at = waits ? wait_channel(account, op) : NULL;

	add_total(account, op, waits_at, facts);
	if (!transfer || op->channel)
		add_at(account, op, waits ? waits_at : op->channel, facts);
	if (transfer && op->extra->channel_out) {
		struct viz_operation sink = *op;

		sink.off_cpu_ns = op->channel ? 0 : op->off_cpu_ns;
		add_at(account, &sink, op->extra->channel_out, facts);
	}
}

void account_add_operation(struct account *account, const struct viz_operation *op)
{
	struct call_facts facts = account_call_facts(op);

	balance_call(account, op, &facts);
	account_follow_level(account, op, &facts);
	note_wakes(account, op);
	add_call(account, op, &facts);
}

/* --- the end --- */

static struct viz_operation slept_until_now(const struct viz_operation *op)
{
	struct viz_operation copy = *op;

	copy.off_cpu_ns = op->began && op->extra->at_ns > op->began_ns
				  ? op->extra->at_ns - op->began_ns
				  : 0;
	copy.woken_by = NULL;
	return copy;
}

static void add_unfinished(struct account *account, const struct viz_operation *unfinished)
{
	bool waits = unfinished->role == ROLE_WAIT;
	const struct viz_channel *where = waits ? wait_channel(account, unfinished)
						: unfinished->channel;
	struct viz_operation op = slept_until_now(unfinished);
	struct call_facts facts = account_call_facts(&op);
	struct account_end *end;

	add_call(account, &op, &facts);
	if (!where)
		where = unfinished->extra->channel_out;
	end = account_end(account, op.process, where ? account_channel(account, where) : NULL);
	if (op.began && op.began_ns < end->waits_since_ns)
		end->waits_since_ns = op.began_ns;
}

/* True the first time that it is called for this party, channel and side. */
static bool is_first(struct account *account, struct map *known,
		     const struct account_channel *channel, const struct party *party, bool sends)
{
	struct seen_at {
		const struct account_channel *channel;
		const struct viz_process *process;
		uint64_t pid, side, sends;
	} key = {channel, party->process, party->pid, party->side, sends};
	const struct viz_bytes bytes = {(const char *)&key, sizeof(key)};

	if (map_get(known, bytes))
		return false;
	map_put(account->arena, known, bytes, account);
	return true;
}

/* Of those outside whose number is not known, as many as can be told apart. */
static size_t parties(const struct party *party, size_t outside)
{
	return party->side == SIDE_OUTSIDE && !party->pid && outside > 1 ? outside : 1;
}

/*
 * Counts senders and receivers of channels with two ends by their messages, since a sender into a
 * socket holds the peer, not the socket.
 */
static void count_by_routes(struct account *account)
{
	struct map known = {0};

	for (size_t i = 0; i < account->route_count; i++) {
		const struct account_route *row = account->routes[i];
		const struct party from = {row->from_side, row->from_pid, row->from};
		const struct party to = {row->to_side, row->to_pid, row->to};
		struct account_channel *channel = row->channel;

		if (!account_has_two_ends(channel->mechanism) && channel->mechanism != MECH_SIGNAL)
			continue;
		if (is_first(account, &known, channel, &from, true))
			channel->senders += parties(&from, channel->senders_outside);
		if (to.side != SIDE_NOBODY && is_first(account, &known, channel, &to, false))
			channel->receivers += parties(&to, channel->receivers_outside);
	}
}

static void count_ends(struct account *account)
{
	for (size_t i = 0; i < account->end_count; i++) {
		struct account_end *end = account->ends[i];

		if (!end->channel || account_has_two_ends(end->channel->mechanism))
			continue;
		end->channel->senders += ((struct end_row *)end)->send_tid != 0;
		end->channel->receivers += ((struct end_row *)end)->receive_tid != 0;
	}
	count_by_routes(account);
}

void account_add_balance(struct account_balance *sum, const struct account_balance *balance)
{
	sum->sent += balance->sent;
	sum->received += balance->received;
	sum->out += balance->out;
	sum->unread += balance->unread;
	sum->discarded += balance->discarded;
	sum->dropped += balance->dropped;
	sum->cut += balance->cut;
	sum->to_outside += balance->to_outside;
	sum->unfinished += balance->unfinished;
	sum->in += balance->in;
	sum->from_outside += balance->from_outside;
}

bool account_keeps_balance(const struct account_channel *channel)
{
	enum policy policy = mechanism_info(channel->mechanism)->policy;

	if (channel->mechanism == MECH_PTY) /* line discipline changes the bytes */
		return false;
	return policy == POLICY_STREAM || policy == POLICY_DATAGRAM || policy == POLICY_QUEUE;
}

bool account_balances(const struct account_balance *b)
{
	return b->sent == b->out + b->unread + b->discarded + b->dropped + b->cut + b->to_outside &&
	       b->received == b->in + b->from_outside;
}

void account_finish(struct account *account, const struct viz_model *model)
{
	for (size_t i = 0; i < model->operation_count; i++)
		if (!viz_operation_done(model->operations[i]))
			add_unfinished(account, model->operations[i]);
	count_ends(account);
	for (size_t i = 0; i < account->pair_count; i++)
		account_pair_finish(account, account->pairs[i]);
	for (size_t i = 0; i < account->channel_count; i++)
		if (account->channels[i]->shown && account_keeps_balance(account->channels[i]))
			account_add_balance(&account->balance, &account->channels[i]->balance);
}
