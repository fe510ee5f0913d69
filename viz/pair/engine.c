// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The pairing engine (viz/pair/core/context.h). Operations, channels and signal events are sorted
 * into the traffic of their channels; pair_settle() runs a round, in which the policy of each busy
 * channel pairs what is complete.
 */
#include "viz/pair/peer/address_book.h"

#include <stdlib.h>

#include "viz/base/sort.h"
#include "viz/model/builder.h"
#include "viz/pair/core/udp_cork.h"
#include "viz/pair/finished.h"
#include "viz/pair/peer/peers.h"
#include "viz/pair/policy/eventfd_events.h"
#include "viz/pair/policy/urgent.h"

/* So many messages wait for older ones of slower channels; with more, the order of receipt ends. */
#define WAITING_MAX 40000

/* With less that waits in a stream each round looks at all of it. */
#define VAIN_LEAST 64

/* After so many looks in vain, the pauses between them grow. */
#define VAIN_TIMES 8

static const struct pair_policy *const policies[POLICY_COUNT] = {
	[POLICY_STREAM] = &pair_stream_policy, [POLICY_DATAGRAM] = &pair_datagram_policy,
	[POLICY_QUEUE] = &pair_queue_policy,   [POLICY_COUNTER] = &pair_counter_policy,
	[POLICY_ACCESS] = &pair_access_policy, [POLICY_WAKE] = &pair_wake_policy,
};

struct pair_context *pair_open(const struct viz_model *model, const struct viz_sink *sink,
			       struct arena *kept)
{
	struct arena *arena = arena_new();
	struct pair_context *context = arena_alloc(arena, sizeof(*context));

	context->policies = policies;
	context->arena = arena;
	context->round = arena_new();
	context->model = model;
	context->sink = sink;
	context->keep = kept;
	context->texts = kept ? kept : arena;
	context->addresses = address_book_new(arena);
	context->signals = pair_signals_new(context);
	return context;
}

/* Operations that are still referenced are not freed here: the model owns them. */
void pair_close(struct pair_context *context)
{
	for (size_t i = 0; i < context->traffic.count; i++)
		if (context->traffic.items[i].traffic)
			finished_free(context->traffic.items[i].traffic);
	free(context->traffic.items);
	free(context->busy.items);
	free(context->resting.items);
	id_map_free(&context->sequences);
	address_book_free(context->addresses);
	address_book_free(context->listeners);
	free(context->recent.items);
	free(context->arrived.items);
	free(context->accepted.items);
	free(context->dropped.items);
	free(context->numbers.items);
	for (size_t i = 0; i < context->eofs.count; i++)
		pair_free(context, context->eofs.items[i]);
	free(context->eofs.items);
	pair_free_messages(context);
	pair_signals_free(context->signals);
	arena_free(context->round);
	arena_free(context->arena);
}

void pair_add_channel(struct pair_context *context, struct viz_channel *channel)
{
	pair_note_network(context, channel);
	address_book_enter(context->addresses, context->round, channel,
			   &pair_traffic(context, channel)->socket.entered);
}

static void note_name(struct channel_traffic *traffic, struct viz_channel *named)
{
	if (!traffic->socket.named)
		traffic->socket.named = named;
}

static void take_side(struct pair_context *context, struct viz_operation *op,
		      struct viz_channel *channel, bool send)
{
	struct arrived arrived = {op->enter_ns, op, NULL, send};
	struct channel_traffic *traffic;

	if (!policies[pair_policy_of(channel)])
		return;
	arrived.traffic = traffic = pair_traffic(context, channel);
	pair_list_busy(context, traffic);
	if (op->exit_ns > traffic->newest_ns)
		traffic->newest_ns = op->exit_ns;
	note_name(traffic, send ? op->to : op->from);
	pair_note_sequence(context, traffic, op);
	if (send)
		traffic->sent = true;
	else
		traffic->received = true;
	if (op->enter_ns < context->settled_ns && !op->began) {
		context->late++; /* earlier and later matches on this side may be wrong */
		traffic->send_ambiguous |= send;
		traffic->receive_ambiguous |= !send;
	}
	LIST_PUSH(&context->arrived, arrived);
}

/*
 * Gives the policies the calls that began before the end of the round. The others would only lie in
 * the way: no round pairs them before it knows all that began before them.
 */
static void take_arrived(struct pair_context *context)
{
	struct arrived_list *list = &context->arrived;
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct arrived *arrived = &list->items[i];
		struct channel_traffic *traffic = arrived->traffic;

		if (i + FETCH_AHEAD < list->count)
			viz_operation_fetch(list->items[i + FETCH_AHEAD].op);

		if (arrived->enter_ns >= context->until_ns)
			list->items[kept++] = *arrived;
		else
			policies[pair_policy_of(traffic->channel)]->take(
				context, traffic, arrived->op, arrived->send);
	}
	list->count = kept;
}

/* Indices of open_at of an operation. */
enum { OPEN_SEND, OPEN_RECEIVE };

static void open_side(struct pair_context *context, struct viz_operation *op,
		      struct viz_channel *channel, bool send)
{
	struct channel_traffic *traffic;
	struct operation_list *list;

	if (!policies[pair_policy_of(channel)])
		return;
	traffic = pair_traffic(context, channel);
	list = send ? &traffic->open_sends : &traffic->open_receives;
	op->open_at[send ? OPEN_SEND : OPEN_RECEIVE] = (uint32_t)list->count;
	LIST_PUSH(list, viz_operation_use(op));
	op->listed = true;
}

/* The last of the list moves to its place. */
static void leave_list(struct operation_list *list, const struct viz_operation *op, int side)
{
	const uint32_t at = op->open_at[side];
	struct viz_operation *last;

	if (at >= list->count || list->items[at] != op)
		return;
	last = (struct viz_operation *)list->items[--list->count];
	list->items[at] = last;
	last->open_at[side] = at;
	viz_operation_drop(op);
}

/* The call has returned: takes it from the open lists that it joined when it began. */
static void close_sides(struct pair_context *context, struct viz_operation *op,
			struct viz_channel *sink, struct viz_channel *source)
{
	if (!op->listed)
		return;
	op->listed = false;
	if (sink)
		leave_list(&pair_traffic(context, sink)->open_sends, op, OPEN_SEND);
	if (source)
		leave_list(&pair_traffic(context, source)->open_receives, op, OPEN_RECEIVE);
}

/*
 * Sets the channels that the operation sends to and receives from, NULL if there is none. Wakes and
 * waits move no bytes, so their role decides the side.
 */
static void find_sides(const struct viz_operation *op, struct viz_channel **sink,
		       struct viz_channel **source)
{
	*sink = viz_operation_sink(op);
	*source = viz_operation_source(op);
	if (*source && operation_only_looks(op))
		*source = NULL;
	if (!op->channel || pair_policy_of(op->channel) != POLICY_WAKE)
		return;
	if (op->role == ROLE_WAIT)
		*source = op->channel;
	else if (op->role == ROLE_WAKE || op->role == ROLE_CONTROL)
		*sink = op->channel;
}

void pair_add_operation(struct pair_context *context, struct viz_operation *op)
{
	struct returned returned = {op->exit_ns, op};
	struct viz_channel *sink, *source;

	find_sides(op, &sink, &source);
	pair_number_add(context, op, sink, source);
	if (!viz_operation_done(op)) {
		pair_report(context, begun, op);
		pair_connection_begin(context, op);
		if (!op->listed && sink)
			open_side(context, op, sink, true);
		if (!op->listed && source)
			open_side(context, op, source, false);
		return;
	}
	viz_operation_use(op);
	LIST_PUSH(&context->recent, returned);
	pair_note_inline(context, op);
	pair_note_resize(context, op);
	pair_note_zerocopy(context, op);
	pair_note_counter(context, op);
	pair_cork_call(context, op);
	pair_note_beginning(context, op);
	if (op->channel && op->channel->mechanism == MECH_PTY)
		LIST_PUSH(&pair_traffic(context, op->channel)->calls, viz_operation_use(op));
	close_sides(context, op, sink, source);
	if (sink)
		take_side(context, op, sink, true);
	if (source)
		take_side(context, op, source, false);
}

void pair_add_signal_event(struct pair_context *context, struct viz_signal_event *event)
{
	pair_signal_line(context->signals, event);
}

static int compare_returns(const void *a, const void *b)
{
	const struct returned *x = a, *y = b;

	if (x->exit_ns != y->exit_ns)
		return x->exit_ns < y->exit_ns ? -1 : 1;
	return (x->op->id > y->op->id) - (x->op->id < y->op->id);
}

/* Passes on the operations that returned before the end of the round, in the order of return. */
static void walk_recent(struct pair_context *context)
{
	struct returned_list *list = &context->recent;
	size_t done = 0;

	sort_nearly(list->items, list->count, sizeof(*list->items), compare_returns);
	for (; done < list->count && list->items[done].exit_ns < context->until_ns; done++) {
		struct viz_operation *op = list->items[done].op;

		if (done + FETCH_AHEAD < list->count)
			viz_operation_fetch(list->items[done + FETCH_AHEAD].op);
		pair_report(context, operation, op);
		pair_signal_call(context->signals, op);
		pair_discard_call(context, op);
		pair_end_call(context, op);
		pair_connection_call(context, op);
		pair_let_go(context, op);
	}
	list->count -= done;
	if (list->count)
		memmove(list->items, list->items + done, list->count * sizeof(*list->items));
}

/* Makes all channels busy, for the last round. */
static void list_all(struct pair_context *context)
{
	for (size_t i = 0; i < context->traffic.count; i++)
		if (context->traffic.items[i].traffic)
			pair_list_busy(context, context->traffic.items[i].traffic);
}

static bool stays_busy(const struct pair_context *context, const struct channel_traffic *traffic)
{
	return traffic->receives.count > 0 || traffic->content.fresh.count > 0 ||
	       (traffic->sends.count > 0 && traffic->channel->mechanism == MECH_UDP) ||
	       traffic->newest_ns >= context->until_ns;
}

/* The other end of a connection; NULL: there is none, or it is not known. */
static const struct channel_traffic *peer_traffic(struct pair_context *context,
						  const struct channel_traffic *traffic)
{
	return traffic->peer ? pair_traffic(context, traffic->peer) : NULL;
}

static void count_waiting(const struct channel_traffic *traffic, struct vain_round *now)
{
	if (!traffic)
		return;
	now->waiting += traffic->sends.count + traffic->receives.count;
	now->open += traffic->open_sends.count + traffic->open_receives.count;
}

/* What waits in a stream and its peer, and how many calls on them have not returned. */
static struct vain_round waiting_in(struct pair_context *context,
				    const struct channel_traffic *traffic)
{
	struct vain_round now = {0};

	count_waiting(traffic, &now);
	count_waiting(peer_traffic(context, traffic), &now);
	return now;
}

/*
 * True if much waits in a stream, the last round paired nothing of it, and little has come since: a
 * call that sleeps all the time would otherwise have everything behind it looked at in each round.
 */
static bool is_in_vain(const struct pair_context *context, const struct channel_traffic *traffic,
		       const struct vain_round *now)
{
	const struct vain_round *vain = &traffic->vain;

	return !pair_is_last(context) && vain->waiting >= VAIN_LEAST && vain->open == now->open &&
	       now->waiting < vain->waiting + vain->waiting / 4 &&
	       context->until_ns <= vain->again_ns;
}

/* When the first receive returns that this round could not settle; VIZ_NEVER: there is none. */
static uint64_t next_return(const struct pair_context *context,
			    const struct channel_traffic *traffic)
{
	uint64_t next_ns = VIZ_NEVER;

	for (size_t i = 0; traffic && i < traffic->receives.count; i++) {
		uint64_t exit_ns = traffic->receives.items[i].exit_ns;

		if (exit_ns >= context->until_ns && exit_ns < next_ns)
			next_ns = exit_ns;
	}
	return next_ns;
}

/*
 * A round settles what returned before its time. So a later one is worth a look once a receive has
 * returned by then; after many looks in vain, once half as much time again has passed, too.
 */
static void note_vain(struct pair_context *context, const struct channel_traffic *traffic,
		      struct vain_round *now)
{
	const uint64_t until_ns = context->until_ns;
	uint64_t own_ns = next_return(context, traffic);
	uint64_t peers_ns = next_return(context, peer_traffic(context, traffic));
	uint64_t pause_ns;

	now->since_ns = traffic->vain.times ? traffic->vain.since_ns : until_ns;
	now->times = traffic->vain.times + 1;
	pause_ns = now->times > VAIN_TIMES ? (until_ns - now->since_ns) / 2 : 0;
	now->again_ns = own_ns < peers_ns ? own_ns : peers_ns;
	if (now->again_ns == VIZ_NEVER || now->again_ns < until_ns + pause_ns)
		now->again_ns = until_ns + pause_ns;
}

static void settle_channel(struct pair_context *context, struct channel_traffic *traffic)
{
	const enum policy policy = pair_policy_of(traffic->channel);
	struct vain_round before, after;

	if (policy != POLICY_STREAM) {
		policies[policy]->settle(context, traffic);
		return;
	}
	before = waiting_in(context, traffic);
	if (is_in_vain(context, traffic, &before))
		return;
	policies[policy]->settle(context, traffic);
	after = waiting_in(context, traffic);
	if (!after.waiting || after.waiting < before.waiting)
		after = (struct vain_round){0};
	else
		note_vain(context, traffic, &after);
	traffic->vain = after;
}

/* Of many channels that were busy once each would keep what it needed in its busiest time. */
static void rest(struct channel_traffic *traffic)
{
	flow_trim(&traffic->sends);
	flow_trim(&traffic->receives);
	flow_trim(&traffic->inbound);
}

static void settle_channels(struct pair_context *context)
{
	struct traffic_list *busy = &context->busy;
	size_t kept = 0;

	for (int evidence = 0; evidence < PEER_EVIDENCES; evidence++)
		for (size_t i = 0; i < busy->count; i++)
			pair_find_peer(context, busy->items[i], (enum peer_evidence)evidence);
	context->directed_ns = context->until_ns;
	for (size_t i = 0; i < busy->count; i++)
		if (pair_policy_of(busy->items[i]->channel) == POLICY_DATAGRAM)
			pair_direct_sends(context, busy->items[i]);
	for (size_t i = 0; i < busy->count; i++)
		settle_channel(context, busy->items[i]);
	for (size_t i = 0; i < busy->count; i++) {
		busy->items[i]->listed = stays_busy(context, busy->items[i]);
		if (busy->items[i]->listed)
			busy->items[kept++] = busy->items[i];
		else
			rest(busy->items[i]);
	}
	busy->count = kept;
}

/*
 * The time before which no receive ends that is still to be paired: messages received earlier can
 * be passed on in order.
 */
static uint64_t oldest_waiting(const struct pair_context *context)
{
	uint64_t oldest_ns = context->until_ns;

	if (context->messages.count > WAITING_MAX)
		return oldest_ns;
	for (size_t i = 0; i < context->busy.count; i++) {
		const struct flow_side *side = &context->busy.items[i]->receives;

		for (size_t k = 0; k < side->count; k++)
			if (side->items[k].exit_ns < oldest_ns)
				oldest_ns = side->items[k].exit_ns;
	}
	return oldest_ns;
}

static void drop_operations(struct pair_context *context)
{
	for (size_t i = 0; i < context->dropped.count; i++) {
		if (i + FETCH_AHEAD < context->dropped.count)
			viz_operation_fetch(context->dropped.items[i + FETCH_AHEAD]);
		viz_operation_drop(context->dropped.items[i]);
	}
	context->dropped.count = 0;
}

void pair_add_line(struct pair_context *context, const struct model_builder *builder)
{
	if (builder->operation)
		pair_add_operation(context, builder->operation);
	else if (builder->signal)
		pair_add_signal_event(context, builder->signal);
	else if (builder->channel)
		pair_add_channel(context, builder->channel);
}

int pair_settle(struct pair_context *context, uint64_t until_ns)
{
	context->until_ns = until_ns;
	context->lost |= viz_model_lacks_records(context->model);
	take_arrived(context);
	pair_number_check(context);
	pair_signal_settle(context->signals);
	walk_recent(context);
	pair_signal_end(context->signals);
	if (pair_is_last(context))
		list_all(context);
	settle_channels(context);
	pair_explain_eofs(context);
	pair_connections(context);
	pair_report_messages(context, oldest_waiting(context));
	finished_put_away(context);
	drop_operations(context);
	if (!context->err && context->sink->settled)
		context->err = context->sink->settled(context->sink->data);
	arena_free(context->round);
	context->round = arena_new();
	context->settled_ns = until_ns;
	return context->err;
}
