// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Collects what happens to objects: a FIFO whose open waits for the other side, shared memory that
 * is attached and detached, and calls that end an object or take its name away.
 */
#include <string.h>

#include "viz/base/safe_text.h"
#include "viz/model/operation_facts.h"
#include "viz/scene/drafts.h"

enum { ACCESS_MODE = 3, NONBLOCK = 04000 }; /* of open(2) */
enum { LONG_NS = 100000000 };

static bool is_removal(const struct viz_operation *op)
{
	if (op->role != ROLE_CONTROL)
		return false;
	if (operation_is(op, "mq_unlink"))
		return true;
	if (operation_is(op, "unlink") || operation_is(op, "unlinkat"))
		return op->channel != NULL; /* others are files */
	return op->channel && operation_removes(op);
}

static bool is_memory(const struct viz_operation *op)
{
	return viz_attaches_memory(op) || viz_detaches_memory(op);
}

/* An open for reading or for writing alone sleeps until somebody opens the other side. */
static bool is_meeting(const struct viz_operation *op)
{
	const struct viz_channel *fifo = op->extra->new_fds_count ? op->extra->new_fds[0].channel
								  : NULL;

	return op->role == ROLE_OPEN && fifo && fifo->mechanism == MECH_FIFO && op->off_cpu_ns &&
	       !(op->flags & NONBLOCK) && (op->flags & ACCESS_MODE) < 2;
}

static bool is_done(const struct viz_operation *op)
{
	return viz_operation_done(op) && !viz_operation_failed(op);
}

/* On the lane of the object if it has one, else of the process. */
static void collect_removal(struct scene_drafts *d, const struct viz_operation *op, int lane)
{
	const struct draft_memory *memory = scene_memory_of(d, op->channel);
	int via = SCENE_NOWHERE;
	struct draft *draft;

	if (memory)
		via = memory->lane;
	else if (d->request->via == SCENE_VIA_CHANNELS && op->channel)
		via = d->channel_lane[op->channel->index];
	draft = scene_draft(d, SCENE_REMOVED, via >= 0 ? via : lane, SCENE_NOWHERE);
	draft->of.operation = op;
	draft->sent_ns = draft->received_ns = op->exit_ns;
}

static void collect_note(struct scene_drafts *d, const struct viz_operation *op, int lane,
			 uint64_t at_ns)
{
	struct draft *draft = scene_draft(d, SCENE_NOTE, lane, SCENE_NOWHERE);

	draft->object = true;
	draft->of.operation = op;
	draft->sent_ns = draft->received_ns = at_ns;
}

bool scene_collect_object(struct scene_drafts *d, const struct viz_operation *op, int lane)
{
	if (!is_done(op))
		return false;
	if (is_removal(op))
		collect_removal(d, op, lane);
	else if (is_memory(op) && scene_memory_of(d, op->channel))
		scene_draft_memory(d, op, lane);
	else if (is_memory(op))
		collect_note(d, op, lane, op->exit_ns);
	else if (is_meeting(op))
		collect_note(d, op, lane, op->enter_ns);
	else
		return false;
	return true;
}

/*
 * Until an open returns, nothing tells what it opens. Files make no call wait so long, and a device
 * has another reason.
 */
static bool waits_long(const struct scene_drafts *d, const struct viz_operation *op)
{
	static const char devices[] = "/dev/";
	uint64_t end_ns = d->request->model->end_ns;

	return !viz_operation_done(op) && !(op->flags & NONBLOCK) && end_ns > op->enter_ns &&
	       end_ns - op->enter_ns >= LONG_NS &&
	       (op->extra->path.len < sizeof(devices) - 1 ||
		memcmp(op->extra->path.data, devices, sizeof(devices) - 1) != 0);
}

/* An unfinished open of a FIFO; its own descriptor is not made yet. */
bool scene_is_fifo_open(const struct scene_drafts *d, const struct viz_operation *op)
{
	const struct viz_model *model = d->request->model;

	if (op->role != ROLE_OPEN || !op->extra->path.len || (op->flags & ACCESS_MODE) >= 2 ||
	    operation_is(op, "connect"))
		return false;
	if (waits_long(d, op))
		return true;
	for (size_t i = 0; i < model->channel_count; i++)
		if (model->channels[i]->mechanism == MECH_FIFO &&
		    viz_bytes_equal(model->channels[i]->name, op->extra->path))
			return true;
	return op->channel && op->channel->mechanism == MECH_FIFO;
}

/* --- texts --- */

static void text_channel(struct scene_drafts *d, const struct viz_operation *op,
			 const struct viz_channel *channel, struct scene_row *row)
{
	if (channel) {
		row->mechanism = channel->mechanism;
		scene_text_owned(d, &row->channel, "%s", scene_channel_name(d->scene, channel));
		scene_append(d->scene, &row->detail, "%s", row->channel);
	} else if (op->extra->path.len) {
		scene_text_owned(d, &row->detail, "%s",
				 scene_harmless(op->extra->path.data, op->extra->path.len));
	}
}

void scene_text_removed(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	const struct viz_operation *op = draft->of.operation;
	bool ends = operation_removes(op);

	row->style = SCENE_CONTROL;
	row->important = true;
	scene_set(d->scene, &row->label, "%.*s", (int)op->syscall.len, op->syscall.data);
	if (ends)
		scene_set(d->scene, &row->label, "%s IPC_RMID", row->label);
	if (scene_is_via(d, row->from))
		scene_text_owned(d, &row->detail, "by %s",
				 scene_actor_name(d, scene_actor_of_operation(d, op)));
	if (ends && scene_is_had(d, op->channel, op->exit_ns))
		scene_append(d->scene, &row->detail, "goes when the last one detaches");
	else
		scene_append(d->scene, &row->detail,
			     ends ? "the object is gone" : "its name is gone");
	text_channel(d, op, op->channel, row);
}

static void text_memory(struct scene_drafts *d, const struct viz_operation *op,
			struct scene_row *row)
{
	char size[SCENE_QUANTITY];
	int64_t length = (int64_t)op->channel->capacity;

	viz_operation_argument(op, "length", &length);
	scene_set(d->scene, &row->label, op->role == ROLE_OPEN ? "attaches" : "detaches");
	if (length > 0)
		scene_set(d->scene, &row->label,
			  op->role == ROLE_OPEN ? "attaches %s" : "detaches %s",
			  scene_say_bytes(d->scene, (uint64_t)length, size));
	scene_append(d->scene, &row->detail, "%.*s", (int)op->syscall.len, op->syscall.data);
	text_channel(d, op, op->channel, row);
}

const char *scene_open_waits(const struct viz_operation *op)
{
	if (op->extra->lease)
		return "open waits for a lease";
	return (op->flags & ACCESS_MODE) == 0 ? "open waits for a writer"
					      : "open waits for a reader";
}

void scene_text_object(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	const struct viz_operation *op = draft->of.operation;
	char waited[SCENE_QUANTITY];

	row->style = SCENE_CONTROL;
	if (op->channel && !is_meeting(op)) {
		text_memory(d, op, row);
		return;
	}
	row->important = true;
	scene_set(d->scene, &row->label, "%s", scene_say(d->scene, scene_open_waits(op)));
	scene_append(d->scene, &row->detail, "for %s",
		     scene_say_duration(d->scene, op->off_cpu_ns, waited));
	text_channel(d, op, op->extra->new_fds[0].channel, row);
}
