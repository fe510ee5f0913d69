// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Writes to a full pipe that went in by parts: when room came for each further part. The trace has
 * the buffers that each part filled (turns). A receive that set its first buffer free made the
 * room.
 */
#include "viz/scene/pieces.h"

#include "viz/base/arena.h"
#include "viz/base/safe_text.h"
#include "viz/model/pipe_buffers.h"

#define PAGE_LEN USUAL_PAGE /* is_told() refuses traces with others */

static size_t turn_count(const struct viz_operation *op)
{
	return op && op->extra->turns_count >= 4 && viz_operation_done(op)
		       ? op->extra->turns_count / 2
		       : 0;
}

/*
 * True if the buffers from the first one that the write found to the last one it filled are no more
 * than it needed, so that all of them are its own.
 */
static bool is_all_own(const struct viz_operation *op)
{
	uint64_t own = pipe_least_own(op->requested, (uint64_t)op->returned, op->at_entry.end);
	uint32_t to = (uint32_t)op->extra->turns[op->extra->turns_count - 1];

	return op->at_entry.known && to - op->at_entry.head == pipe_buffers_for(own);
}

/*
 * The first buffer of a part. The trace lacks buffers between two turns if the write did not sleep
 * between them but found room at once, and had to wait for the lock. If nobody else wrote, they are
 * of the later one.
 */
static uint32_t begin_of(const struct viz_operation *op, size_t turn)
{
	if (!is_all_own(op))
		return (uint32_t)op->extra->turns[2 * turn];
	return turn ? (uint32_t)op->extra->turns[2 * turn - 1] : op->at_entry.head;
}

/*
 * The bytes of a part, but for the first one and the last one: these need not fill their buffers.
 */
static uint64_t middle_bytes(const struct viz_operation *op, size_t turn)
{
	return (uint64_t)((uint32_t)op->extra->turns[2 * turn + 1] - begin_of(op, turn)) * PAGE_LEN;
}

/* False if others may have added to its last buffer. */
static bool last_bytes(const struct viz_operation *op, uint64_t *bytes)
{
	size_t last = turn_count(op) - 1;
	uint64_t whole = middle_bytes(op, last);

	if (!op->at_exit.known || op->at_exit.head != (uint32_t)op->extra->turns[2 * last + 1] ||
	    !op->at_exit.end || op->at_exit.end > PAGE_LEN || whole < PAGE_LEN)
		return false;
	*bytes = whole - PAGE_LEN + op->at_exit.end;
	return true;
}

/*
 * False if the first part would have more bytes than fit its buffers and the one before them: the
 * trace lacks a part then.
 */
static bool first_bytes(const struct viz_operation *op, uint64_t others, uint64_t *bytes)
{
	*bytes = (uint64_t)op->returned - others;
	return others < (uint64_t)op->returned && *bytes < middle_bytes(op, 0) + PAGE_LEN;
}

/* The bytes of a part; false: not known. */
static bool part_bytes(const struct viz_operation *op, size_t turn, uint64_t *bytes)
{
	size_t last = turn_count(op) - 1;
	uint64_t others;

	*bytes = middle_bytes(op, turn);
	if (turn == last)
		return last_bytes(op, bytes);
	if (turn)
		return true;
	if (!last_bytes(op, &others))
		return false;
	for (size_t i = 1; i < last; i++)
		others += middle_bytes(op, i);
	return first_bytes(op, others, bytes);
}

/* True if the receive left room for the first buffer of that part. */
static bool makes_room(const struct viz_operation *receive, const struct viz_operation *send,
		       size_t turn)
{
	uint32_t slots = (uint32_t)(send->channel->capacity / PAGE_LEN);

	return receive->at_exit.known &&
	       (int32_t)(receive->at_exit.tail + slots - begin_of(send, turn)) > 0;
}

static void add_room(struct scene_drafts *d, const struct viz_operation *send,
		     const struct viz_operation *receive, size_t turn)
{
	int lane = scene_lane_of_operation(d, send);
	uint64_t ns = receive->woke_ns ? receive->woke_ns : receive->exit_ns;
	struct draft *draft;

	if (lane < 0 || ns <= send->enter_ns || ns >= send->exit_ns)
		return;
	draft = scene_draft(d, SCENE_NOTE, lane, SCENE_NOWHERE);
	scene_set_detail(d, draft)->room = turn;
	draft->of.operation = send;
	draft->sent_ns = draft->received_ns = ns;
}

static bool is_told(const struct scene_drafts *d)
{
	return d->request->model->header.page_len == PAGE_LEN;
}

/* Only where writes and receives are rows of their own, beside a lane that messages pass. */
void scene_collect_room(struct scene_drafts *d)
{
	const struct viz_pairing *pairing = d->request->pairing;
	size_t *seen; /* by operation: parts for which room was seen to come */

	if (d->request->via == SCENE_DIRECT || !is_told(d))
		return;
	seen = arena_array(d->arena, d->request->model->operation_count + 1, sizeof(*seen));
	for (size_t i = 0; i < pairing->message_count; i++) {
		const struct viz_message *m = pairing->messages[i];
		const struct viz_operation *send = m->from.operation;
		size_t *turn = send ? &seen[send->index] : NULL;

		if (!turn_count(send) || !send->channel || !m->to.operation ||
		    !scene_wants_message(d, m))
			continue;
		while (*turn + 1 < turn_count(send) && makes_room(m->to.operation, send, *turn + 1))
			add_room(d, send, m->to.operation, ++*turn);
	}
}

void scene_text_room(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	const struct viz_operation *op = draft->of.operation;
	char size[SCENE_QUANTITY];
	uint64_t bytes;

	row->style = SCENE_COPY;
	row->mechanism = op->channel->mechanism;
	scene_set(d->scene, &row->label, "room");
	if (part_bytes(op, scene_detail(draft)->room, &bytes))
		scene_set(d->scene, &row->label, "room: %s go in",
			  scene_say_bytes(d->scene, bytes, size));
	scene_text_owned(d, &row->detail, "%s waited until then", scene_call(op));
	scene_text_owned(d, &row->channel, "%s", scene_channel_name(d->scene, op->channel));
}

static void text_parts(struct scene_drafts *d, const struct viz_operation *op,
		       struct scene_row *row)
{
	char size[SCENE_QUANTITY];
	uint64_t bytes;

	if (!part_bytes(op, 0, &bytes))
		return;
	scene_append(d->scene, &row->detail, "%s at once, the rest as room comes",
		     scene_say_bytes(d->scene, bytes, size));
	row->important = true;
}

/*
 * Beside the kernel's lane: what lay in the channel when the call returned, as the kernel says. Not
 * told where it was empty before or is so now.
 */
void scene_text_level(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	bool in = scene_is_via(d, draft->to);
	const struct viz_message *m = scene_message(draft);
	const struct viz_operation *op = in ? m->from.operation : m->to.operation;
	bool queue = mechanism_info(m->mechanism)->policy == POLICY_QUEUE;
	char buf[SCENE_QUANTITY];

	if ((!in && !scene_is_via(d, draft->from)) || !op || row->folded)
		return;
	if (in && turn_count(op) && is_told(d))
		text_parts(d, op, row);
	else if (d->request->via != SCENE_VIA_KERNEL || !viz_has(op, queued) ||
		 op->channel != m->channel || !op->queued)
		return;
	else if (queue)
		scene_set(d->scene, &row->label, "%s · holds %s", row->label,
			  scene_say_count(d->scene, op->queued, buf));
	else if (!in || op->queued != scene_draft_bytes(d, draft))
		scene_set(d->scene, &row->label, in ? "%s · holds %s" : "%s · leaves %s",
			  row->label, scene_say_bytes(d->scene, op->queued, buf));
}
