// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Semaphores and futexes: a message is a wait that slept, and the call that the kernel reports to
 * have ended its sleep. A sleep whose waker is unknown, or acted on another object (a signal), and
 * a post for which nothing slept, are no messages.
 */
#include "viz/model/builder.h"
#include "viz/pair/core/context.h"

static bool has_slept(const struct viz_operation *op)
{
	return op->role == ROLE_WAIT && op->returned >= 0 && op->off_cpu_ns && op->waker;
}

/* A semop may take and give at once, so every call may wake others. */
static void take(struct pair_context *context, struct channel_traffic *traffic,
		 struct viz_operation *op, bool send)
{
	struct flow_item item = pair_item(op);

	(void)context;
	(void)send;
	if (op->returned < 0)
		return;
	pair_side_add(&traffic->sends, &item);
	if (has_slept(op))
		pair_side_add(&traffic->receives, &item);
}

/*
 * The call that ended a sleep; NULL if it is not in the trace, or, with *later, if it may still
 * come or return.
 */
static const struct viz_operation *find_waker(const struct pair_context *context,
					      const struct viz_operation *wait, bool *later)
{
	const struct viz_operation *waker = viz_model_operation(context->model, wait->waker);

	*later = false;
	if (!waker) {
		*later = !pair_is_last(context) && wait->exit_ns >= context->until_ns;
		return NULL;
	}
	if (waker->channel != wait->channel || waker->process != wait->woken_by ||
	    waker->enter_ns > wait->exit_ns)
		return NULL;
	*later = !viz_operation_done(waker) && !pair_is_last(context);
	return *later ? NULL : waker;
}

static void join(struct pair_context *context, const struct channel_traffic *traffic,
		 const struct viz_operation *waker, const struct flow_item *wait)
{
	struct pair_route route = {.mechanism = traffic->channel->mechanism,
				   .channel = traffic->channel};
	struct flow_item wake = pair_item(waker);

	pair_add_whole(context, &route, &wake, wait);
}

static void join_waits(struct pair_context *context, struct channel_traffic *traffic)
{
	struct flow_side *waits = &traffic->receives;
	size_t kept = 0;

	for (size_t i = 0; i < waits->count; i++) {
		struct flow_item item = waits->items[i];
		bool later;
		const struct viz_operation *waker = find_waker(context, item.op, &later);

		if (later) {
			waits->items[kept++] = item;
			continue;
		}
		if (waker)
			join(context, traffic, waker, &item);
		pair_let_go(context, item.op);
	}
	waits->count = kept;
}

/* When the first of the waits began whose end, or whose waker, is still to come. */
static uint64_t first_wait(const struct channel_traffic *traffic)
{
	uint64_t first_ns = pair_first_enter(&traffic->open_receives);

	for (size_t i = 0; i < traffic->receives.count; i++)
		if (traffic->receives.items[i].enter_ns < first_ns)
			first_ns = traffic->receives.items[i].enter_ns;
	return first_ns;
}

/*
 * True if a later record may report that this call woke a wait: one that was asleep when it
 * returned.
 */
static bool is_needed(const struct pair_context *context, uint64_t first_wait_ns,
		      const struct flow_item *wake)
{
	return !pair_is_last(context) &&
	       (wake->exit_ns >= context->until_ns || first_wait_ns < wake->exit_ns);
}

static void settle(struct pair_context *context, struct channel_traffic *traffic)
{
	struct flow_side *wakes = &traffic->sends;
	uint64_t first_wait_ns;
	size_t kept = 0;

	join_waits(context, traffic);
	first_wait_ns = first_wait(traffic);
	for (size_t i = 0; i < wakes->count; i++)
		if (is_needed(context, first_wait_ns, &wakes->items[i]))
			wakes->items[kept++] = wakes->items[i];
		else
			pair_let_go(context, wakes->items[i].op);
	wakes->count = kept;
}

const struct pair_policy pair_wake_policy = {take, settle};
