// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/diagnose/find/sharing_order.h"

#include "viz/diagnose/core/finder.h"

#define COMPUTES_NS (100 * MILLISECOND)
#define CALLS_MOST 10000 /* calls of a process that are looked at for one answer */

/* Lists of something, one for each process. */
struct lists {
	size_t *first; /* by process index: where its list begins; the next entry ends it */
	const void **items;
};

struct sharing_order {
	const struct viz_model *model;
	struct arena *arena;
	struct lists execs;    /* of struct viz_process_event */
	struct lists children; /* of struct viz_process */
	struct lists calls;    /* of struct viz_operation */
	struct lists objects;  /* of struct viz_channel: each once */
	struct map used;       /* pairs of a process and an object */
	struct map spoke;      /* pairs of processes with a message from one to the other */
	struct map agreed;     /* pairs of processes: &yes or &no, as answered before */
};

static const char yes, no;

static uint64_t pair_key(uint64_t a, uint64_t b)
{
	return a << 32 | b;
}

static uint64_t key_of(const struct viz_process *a, const struct viz_process *b)
{
	return a->index < b->index ? pair_key(a->index, b->index) : pair_key(b->index, a->index);
}

/*
 * Makes lists of `count` things: `owner` gives the process that the i-th one belongs to, NULL:
 * none, and `item` the thing itself.
 */
static struct lists lists_new(struct sharing_order *order, size_t count,
			      const struct viz_process *(*owner)(struct sharing_order *, size_t),
			      const void *(*item)(struct sharing_order *, size_t))
{
	const size_t processes = order->model->process_count;
	size_t *at = arena_array(order->arena, processes + 1, sizeof(*at)), total = 0;
	struct lists lists = {
		.first = arena_array(order->arena, processes + 1, sizeof(*lists.first))};

	for (size_t i = 0; i < count; i++) {
		const struct viz_process *process = owner(order, i);

		if (process)
			at[process->index]++;
	}
	for (size_t i = 0; i <= processes; i++) {
		const size_t length = at[i];

		lists.first[i] = at[i] = total;
		total += length;
	}
	lists.items = arena_array(order->arena, total + 1, sizeof(*lists.items));
	for (size_t i = 0; i < count; i++) {
		const struct viz_process *process = owner(order, i);

		if (process)
			lists.items[at[process->index]++] = item(order, i);
	}
	return lists;
}

static const void *event_item(struct sharing_order *order, size_t i)
{
	return order->model->process_events[i];
}

static const struct viz_process *exec_owner(struct sharing_order *order, size_t i)
{
	const struct viz_process_event *event = order->model->process_events[i];

	return event->event == PROCESS_EVENT_EXEC ? event->process : NULL;
}

static const void *call_item(struct sharing_order *order, size_t i)
{
	return order->model->operations[i];
}

static const struct viz_process *call_owner(struct sharing_order *order, size_t i)
{
	return order->model->operations[i]->process;
}

/* True for objects that order accesses although they move no bytes. */
static bool is_order(const struct viz_channel *channel)
{
	return channel &&
	       (channel->mechanism == MECH_SYSV_SEM || channel->mechanism == MECH_POSIX_SEM ||
		channel->mechanism == MECH_FUTEX || channel->mechanism == MECH_FILE_LOCK ||
		channel->mechanism == MECH_EVENTFD);
}

/* The value is the first call of the process on the object, by which it is listed once. */
static void note_used(struct sharing_order *order, const struct viz_operation *op)
{
	const uint64_t key = is_order(op->channel)
				     ? pair_key(op->process->index, op->channel->index)
				     : 0;

	if (is_order(op->channel) && !map_get_uint(&order->used, key))
		map_put_uint(order->arena, &order->used, key, (void *)op);
}

static const struct viz_process *object_owner(struct sharing_order *order, size_t i)
{
	const struct viz_operation *op = order->model->operations[i];

	return is_order(op->channel) &&
			       map_get_uint(&order->used,
					    pair_key(op->process->index, op->channel->index)) == op
		       ? op->process
		       : NULL;
}

static const void *object_item(struct sharing_order *order, size_t i)
{
	return order->model->operations[i]->channel;
}

uint64_t sharing_lives_until(const struct sharing_order *order, const struct viz_process *process,
			     uint64_t since_ns)
{
	for (size_t i = order->execs.first[process->index];
	     i < order->execs.first[process->index + 1]; i++) {
		const struct viz_process_event *event = order->execs.items[i];

		if (event->at_ns > since_ns)
			return event->at_ns;
	}
	return process->end_ns;
}

static const void *child_item(struct sharing_order *order, size_t i)
{
	return order->model->processes[i];
}

static const struct viz_process *child_owner(struct sharing_order *order, size_t i)
{
	const struct viz_process *child = order->model->processes[i];
	const uint64_t until_ns = sharing_lives_until(order, child, child->start_ns);

	if (!child->parent || child->before_trace ||
	    (until_ns != child->end_ns && until_ns - child->start_ns < COMPUTES_NS))
		return NULL;
	return child->parent;
}

const struct viz_process *const *sharing_children(const struct sharing_order *order,
						  const struct viz_process *process, size_t *count)
{
	const size_t first = order->children.first[process->index];

	*count = order->children.first[process->index + 1] - first;
	return (const struct viz_process *const *)&order->children.items[first];
}

/* True for SIGCHLD, which comes too late to synchronise siblings. */
static bool reports_an_end(const struct viz_message *m)
{
	return m->signal && m->signal->generate && m->signal->generate->origin == ORIGIN_CHILD;
}

static void note_messages(struct sharing_order *order, const struct viz_pairing *pairing)
{
	for (size_t i = 0; i < pairing->message_count; i++) {
		const struct viz_message *m = pairing->messages[i];

		if (!reports_an_end(m) && m->from.process && m->to.process &&
		    m->from.process != m->to.process)
			map_put_uint(order->arena, &order->spoke,
				     key_of(m->from.process, m->to.process), (void *)&yes);
	}
}

struct sharing_order *sharing_order_new(struct diagnosis *d)
{
	const struct viz_model *model = d->model;
	struct sharing_order *order = arena_array(d->arena, 1, sizeof(*order));

	order->model = model;
	order->arena = d->arena;
	for (size_t i = 0; i < model->operation_count; i++)
		note_used(order, model->operations[i]);
	order->execs = lists_new(order, model->process_event_count, exec_owner, event_item);
	order->children = lists_new(order, model->process_count, child_owner, child_item);
	order->calls = lists_new(order, model->operation_count, call_owner, call_item);
	order->objects = lists_new(order, model->operation_count, object_owner, object_item);
	note_messages(order, d->pairing);
	return order;
}

static bool share_object(const struct sharing_order *order, const struct viz_process *a,
			 const struct viz_process *b)
{
	for (size_t i = order->objects.first[a->index]; i < order->objects.first[a->index + 1];
	     i++) {
		const struct viz_channel *object = order->objects.items[i];

		if (map_get_uint(&order->used, pair_key(b->index, object->index)))
			return true;
	}
	return false;
}

bool sharing_agreed(struct sharing_order *order, const struct viz_process *a,
		    const struct viz_process *b)
{
	const uint64_t key = key_of(a, b);
	const void *known = map_get_uint(&order->agreed, key);

	if (!known) {
		known = map_get_uint(&order->spoke, key) || share_object(order, a, b) ? &yes : &no;
		map_put_uint(order->arena, &order->agreed, key, (void *)known);
	}
	return known == &yes;
}

static bool computes(const struct sharing_order *order, const struct viz_process *process,
		     uint64_t from_ns, uint64_t until_ns)
{
	const size_t first = order->calls.first[process->index];
	const size_t end = order->calls.first[process->index + 1];
	uint64_t at_ns = from_ns, outside_ns = 0;

	for (size_t i = first; i < end && outside_ns < COMPUTES_NS; i++) {
		const struct viz_operation *op = order->calls.items[i];

		if (i - first > CALLS_MOST)
			return false;
		if (op->enter_ns >= until_ns)
			break;
		if (op->enter_ns > at_ns)
			outside_ns += op->enter_ns - at_ns;
		if (op->exit_ns > at_ns)
			at_ns = op->exit_ns;
	}
	if (until_ns > at_ns)
		outside_ns += until_ns - at_ns;
	return outside_ns >= COMPUTES_NS && process->thread_count == 1;
}

/* Where calls of a process were left out, it need not have computed. */
bool sharing_both_compute(struct sharing_order *order, const struct viz_process *a,
			  const struct viz_process *b, uint64_t from_ns, uint64_t until_ns)
{
	return from_ns < until_ns && until_ns - from_ns >= COMPUTES_NS && !a->thinned &&
	       !b->thinned && computes(order, a, from_ns, until_ns) &&
	       computes(order, b, from_ns, until_ns);
}
