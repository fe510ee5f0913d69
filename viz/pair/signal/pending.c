// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Pending signals. Each thread has a queue of its own, and each process one that any of its threads
 * may take from. Signals of one number are taken first in, first out, a thread's own first.
 * Generation and delivery are recorded under the kernel's own lock, so their order is exact.
 */

#include "viz/pair/signal/pending.h"

#define SENT_MEANWHILE_NS 1000000 /* a signal is recorded a moment after it has become pending */

/*
 * The key has the index of the process, because a pid may be used again; a process outside the
 * trace has its pid, with the top bit set.
 */
struct pending *signal_pending_of(struct signal_context *context, struct map *map,
				  const struct viz_signal_event *event, uint32_t tid)
{
	uint64_t process = event->to ? event->to->index : (uint64_t)1 << 63 | event->to_pid;
	uint64_t words[2] = {process, (uint64_t)tid << 32 | (uint32_t)event->number};
	struct viz_bytes key = {(const char *)words, sizeof(words)};
	struct pending *pending;

	if (map == &context->handlers)
		words[1] = tid;
	pending = map_get(map, key);
	if (!pending) {
		pending = arena_alloc(context->pair->arena, sizeof(*pending));
		map_put(context->pair->arena, map, key, pending);
		LIST_PUSH(&context->all, pending);
	}
	return pending;
}

struct pending *signal_queue(struct signal_context *context, const struct viz_signal_event *event,
			     uint32_t tid)
{
	struct pending *pending = signal_pending_of(context, &context->queues, event, tid);

	if (pending->found.count)
		signal_found_settle(context, pending);
	return pending;
}

struct viz_signal *signal_queue_take(struct pending *pending)
{
	if (pending->taken == pending->count)
		return NULL;
	if (pending->ambiguous)
		pending->items[pending->taken]->match = MATCH_AMBIGUOUS;
	if (pending->taken + 1 == pending->count)
		pending->ambiguous = false;
	return pending->items[pending->taken++];
}

struct target *signal_target(struct signal_context *context, const struct viz_process *process)
{
	while (context->targets.count <= process->index)
		LIST_PUSH(&context->targets, (struct target){0});
	return &context->targets.items[process->index];
}

struct viz_signal *signal_new(struct signal_context *context, const struct viz_signal_event *event)
{
	struct viz_signal *signal = pair_new(context->pair, sizeof(*signal));

	signal->index = context->count++;
	signal->number = event->number;
	signal->name = event->name;
	signal->match = context->pair->lost ? MATCH_AMBIGUOUS : MATCH_EXACT;
	signal->fate = FATE_PENDING;
	LIST_PUSH(&context->signals, signal);
	return signal;
}

struct viz_signal *signal_take_pending(struct signal_context *context,
				       const struct viz_signal_event *event)
{
	struct viz_signal *signal = signal_queue_take(signal_queue(context, event, event->to_tid));

	if (!signal)
		signal = signal_queue_take(signal_queue(context, event, 0));
	return signal;
}

static void forget_before(struct pending *pending, uint64_t before_ns)
{
	while (pending->taken < pending->count &&
	       pending->items[pending->taken]->generate->at_ns < before_ns)
		signal_queue_take(pending)->fate = FATE_NONE;
}

void signal_forget_same(struct signal_context *context, const struct viz_signal_event *event,
			uint64_t before_ns)
{
	forget_before(signal_queue(context, event, event->to_tid), before_ns);
	forget_before(signal_queue(context, event, 0), before_ns);
}

void signal_forget_lower(struct signal_context *context, const struct viz_signal_event *event,
			 uint64_t before_ns)
{
	struct viz_signal_event like = *event;

	signal_queue(context, event, 0)->waited_for = true;
	for (like.number = 1; like.number < event->number; like.number++) {
		struct pending *pending = signal_queue(context, &like, 0);

		if (pending->waited_for)
			forget_before(pending, before_ns);
	}
}

bool signal_may_be(const struct viz_signal_event *sent, const struct viz_siginfo *taken)
{
	uint32_t sender = sent->has_sender ? sent->sender_pid : sent->from_pid;

	if (sent->result == SIGNAL_RESULT_LOST) /* its siginfo was lost */
		return true;
	if (sent->has_code && sent->code != taken->code)
		return false;
	if (sent->has_value && taken->has_value && sent->value != taken->value)
		return false;
	return !sender || !taken->pid || sender == taken->pid;
}

/* How many of the signals with a generate event were pending when the kernel's list was read. */
static size_t count_known(const struct pending *pending, uint64_t at_ns)
{
	size_t known = 0;

	while (pending->taken + known < pending->count &&
	       pending->items[pending->taken + known]->generate->at_ns < at_ns)
		known++;
	return known;
}

/*
 * True if the last entry of the list may be the signal whose generate event came right after it.
 * The signal of a call that began when the entry had been read already is another one.
 */
static bool may_be_twice(const struct pending *pending, size_t known)
{
	const struct viz_signal_event *last = pending->found.items[pending->found.count - 1];
	const struct viz_siginfo reported = {.known = true,
					     .code = last->code,
					     .has_value = last->has_value,
					     .value = last->value,
					     .pid = last->sender_pid};
	const struct viz_signal *first_since;
	const struct viz_signal_event *next;

	if (pending->taken + known == pending->count)
		return false;
	first_since = pending->items[pending->taken + known];
	if (first_since->raised_by && first_since->raised_by->enter_ns > last->at_ns)
		return false;
	next = first_since->generate;
	return next->at_ns < last->at_ns + SENT_MEANWHILE_NS &&
	       (!last->has_code || signal_may_be(next, &reported));
}

static void put_first(struct pending *pending, struct viz_signal *signal, size_t index)
{
	LIST_PUSH(pending, signal);
	memmove(pending->items + index + 1, pending->items + index,
		(pending->count - 1 - index) * sizeof(*pending->items));
	pending->items[index] = signal;
}

void signal_found_settle(struct signal_context *context, struct pending *pending)
{
	struct event_list *found = &pending->found;
	size_t known = count_known(pending, found->items[found->count - 1]->at_ns);
	size_t old = found->count > known ? found->count - known : 0;

	pending->ambiguous |= may_be_twice(pending, known);
	for (size_t i = 0; i < found->count; i++) {
		struct viz_signal *signal;

		if (i >= old) {
			pair_free(context->pair, found->items[i]);
			continue;
		}
		signal = signal_new(context, found->items[i]);
		signal->generate = found->items[i];
		put_first(pending, signal, pending->taken + i);
	}
	found->count = 0;
}

/* --- signals that were sent before their target was traced ------------------------------------ */

/*
 * The target takes them first. They are told apart from later ones by what the target was told with
 * each (siginfo), and by the kernel's list of pending signals when the target was found.
 */
struct viz_signal *signal_take_named(struct signal_context *context,
				     const struct viz_signal_event *event,
				     const struct viz_siginfo *taken)
{
	const uint32_t queues[] = {event->to_tid, 0};

	for (size_t q = 0; q < 2; q++) {
		struct pending *pending = signal_queue(context, event, queues[q]);
		size_t i = pending->taken;

		while (i < pending->count && !signal_may_be(pending->items[i]->generate, taken))
			i++;
		if (i == pending->count)
			continue;
		while (pending->taken < i)
			signal_queue_take(pending)->fate = FATE_NONE;
		return signal_queue_take(pending);
	}
	return NULL;
}

static struct viz_signal *take_next(struct signal_context *context,
				    const struct viz_signal_event *event,
				    const struct viz_siginfo *taken)
{
	const uint32_t queues[] = {event->to_tid, 0};

	for (size_t q = 0; q < 2; q++) {
		struct pending *pending = signal_queue(context, event, queues[q]);

		if (pending->taken < pending->count &&
		    signal_may_be(pending->items[pending->taken]->generate, taken))
			return signal_queue_take(pending);
	}
	return NULL;
}

struct viz_signal *signal_take_reported(struct signal_context *context,
					const struct viz_signal_event *event,
					const struct viz_siginfo *taken)
{
	struct viz_signal *signal;

	if (!taken->known || !event->to || !event->to->before_trace)
		return signal_take_pending(context, event);
	signal = take_next(context, event, taken);
	return signal ? signal : signal_take_named(context, event, taken);
}
