// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What calls that still sleep at an epoll instance wait for when the trace ends.
 *
 * Their lines were written when they fell asleep. Since then other threads may have changed the
 * instance by epoll_ctl(2), or may have been told of an event that is told once (EPOLLONESHOT). All
 * who sleep at one instance wait for the same, so they get the list of the one that fell asleep
 * last, with the changes since.
 */
#include "viz/model/builder.h"
#include "viz/model/operation_facts.h"

enum {
	CTL_DEL = 2,	 /* include/uapi/linux/eventpoll.h */
	LIST_MOST = 1024 /* descriptors; a list that outgrows it is cut */
};

static const uint32_t disabled = 1U << POLL_EVENT_ONESHOT | 1U << POLL_EVENT_DISABLED;

/* An epoll instance at which calls sleep. */
struct instance {
	struct viz_operation *last; /* the call that fell asleep last; NULL: none */
	size_t room;		    /* for how many its list has room; 0: the list is not a copy */
};

static bool sleeps_at_epoll(const struct viz_operation *op)
{
	return op->state == STATE_PENDING && op->role == ROLE_WAIT && op->channel &&
	       op->channel->mechanism == MECH_EPOLL;
}

static uint64_t asleep_since(const struct viz_operation *op)
{
	return op->began ? op->began_ns : op->enter_ns;
}

/* The epoll instances by the index of their channel; NULL: no call sleeps at any. */
static struct instance *list_instances(struct model_builder *b)
{
	struct viz_model *model = b->model;
	struct instance *instances = NULL;

	for (size_t i = 0; i < model->operation_count; i++) {
		struct viz_operation *op = model->operations[i], **last;

		if (!sleeps_at_epoll(op))
			continue;
		if (!instances)
			instances = arena_array(b->arena, model->channel_count, sizeof(*instances));
		last = &instances[op->channel->index].last;
		if (!*last || asleep_since(*last) < asleep_since(op))
			*last = op;
	}
	return instances;
}

static struct viz_wait *find_fd(const struct viz_operation *op, int32_t fd)
{
	for (size_t i = 0; i < op->extra->waits_for_count; i++)
		if (op->extra->waits_for[i].fd == fd)
			return &op->extra->waits_for[i];
	return NULL;
}

static void copy_list(struct model_builder *b, struct instance *instance, size_t room)
{
	struct viz_operation_extra *extra = build_extra(b->arena, instance->last);
	struct viz_wait *list = arena_array(b->arena, room, sizeof(*list));

	for (size_t i = 0; i < extra->waits_for_count; i++)
		list[i] = extra->waits_for[i];
	extra->waits_for = list;
	instance->room = room;
}

/* Makes the list one that may be changed. */
static void own_list(struct model_builder *b, struct instance *instance)
{
	if (!instance->room)
		copy_list(b, instance, instance->last->extra->waits_for_count + 1);
}

static void add_wait(struct model_builder *b, struct instance *instance, struct viz_wait added)
{
	struct viz_operation_extra *extra = build_extra(b->arena, instance->last);

	if (extra->waits_for_count >= LIST_MOST) {
		extra->waits_cut = true;
		return;
	}
	if (extra->waits_for_count == instance->room)
		copy_list(b, instance, 2 * instance->room);
	extra->waits_for[extra->waits_for_count++] = added;
}

/* epoll_ctl(2): adds, modifies or deletes a descriptor. */
static void control(struct model_builder *b, struct instance *instance,
		    const struct viz_operation *op)
{
	struct viz_operation_extra *asleep = build_extra(b->arena, instance->last);
	struct viz_wait *found;
	int64_t command = 0;

	if (op->returned != 0 || !op->extra->waits_for_count ||
	    !viz_operation_argument(op, "op", &command))
		return;
	own_list(b, instance);
	found = find_fd(instance->last, op->extra->waits_for[0].fd);
	if (command == CTL_DEL && found)
		*found = asleep->waits_for[--asleep->waits_for_count];
	else if (found)
		*found = op->extra->waits_for[0];
	else if (command != CTL_DEL)
		add_wait(b, instance, op->extra->waits_for[0]);
}

/* EPOLLONESHOT: what was told to one is told to nobody until it is set again. */
static void told(struct model_builder *b, struct instance *instance, const struct viz_operation *op)
{
	for (size_t i = 0; i < op->extra->ready_count; i++) {
		struct viz_wait *found = find_fd(instance->last, op->extra->ready[i].fd);

		if (!found || !viz_wait_has(found, ONESHOT))
			continue;
		own_list(b, instance);
		found = find_fd(instance->last, op->extra->ready[i].fd);
		found->events = disabled;
	}
}

/* Applies what a call that has returned changed since. */
static void apply(struct model_builder *b, struct instance *instance,
		  const struct viz_operation *op)
{
	if (!instance->last || op->exit_ns < asleep_since(instance->last))
		return;
	if (operation_is(op, "epoll_ctl"))
		control(b, instance, op);
	else if (op->role == ROLE_WAIT)
		told(b, instance, op);
}

static void share_list(struct model_builder *b, struct viz_operation *op,
		       const struct viz_operation *last)
{
	struct viz_operation_extra *extra = build_extra(b->arena, op);

	extra->waits_for = last->extra->waits_for;
	extra->waits_for_count = last->extra->waits_for_count;
	extra->waits_cut = last->extra->waits_cut;
}

void build_finish_interest(struct model_builder *b)
{
	struct instance *instances = list_instances(b);
	struct viz_model *model = b->model;

	for (size_t i = 0; instances && i < model->operation_count; i++) {
		const struct viz_operation *op = model->operations[i];

		if (op->channel && viz_operation_done(op))
			apply(b, &instances[op->channel->index], op);
	}
	for (size_t i = 0; instances && i < model->operation_count; i++) {
		struct viz_operation *op = model->operations[i];

		if (sleeps_at_epoll(op))
			share_list(b, op, instances[op->channel->index].last);
	}
}
