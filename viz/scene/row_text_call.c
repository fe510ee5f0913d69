// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The texts of calls that failed, looked or wait, and of the processes that could end the wait. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/base/safe_text.h"
#include "viz/model/operation_facts.h"
#include "viz/scene/drafts.h"
#include "viz/scene/end_holders.h"

static void text_object(struct scene_drafts *d, const struct viz_operation *op,
			struct scene_row *row)
{
	if (op->channel) {
		scene_text_owned(d, &row->channel, "%s", scene_channel_name(d->scene, op->channel));
		scene_append(d->scene, &row->detail, "%s", row->channel);
	} else if (op->extra->path.len) {
		scene_text_owned(d, &row->detail, "%s",
				 scene_harmless(op->extra->path.data, op->extra->path.len));
	}
	if (op->extra->peer_address.len)
		scene_text_owned(
			d, &row->detail, "to %s",
			scene_harmless(op->extra->peer_address.data, op->extra->peer_address.len));
}

/* The error of a connect(2) that went on by itself is asked for later. */
static void text_told(struct scene_drafts *d, const struct viz_operation *op, struct scene_row *row)
{
	scene_set(d->scene, &row->label, "connect %s", scene_told_error(op));
	scene_append(d->scene, &row->detail, "told by getsockopt SO_ERROR");
}

/* What the call met: nothing to take, no room, nobody. */
static const char *state_word(const struct viz_operation *op)
{
	if (!op->error.data || viz_has(op, timeout_ns))
		return NULL;
	if (strcmp(op->error.data, "ENOMSG") == 0)
		return viz_has(op, queued) && op->queued ? "none of that type" : "empty";
	if (strcmp(op->error.data, "EAGAIN") != 0)
		return NULL;
	if (op->role == ROLE_OPEN)
		return operation_is(op, "connect") ? "its backlog is full" : "nobody connects";
	if (op->role == ROLE_WAIT)
		return "it would have to wait";
	return op->role == ROLE_RECEIVE ? "empty" : op->role == ROLE_SEND ? "no room" : NULL;
}

static void text_state(struct scene_drafts *d, const struct viz_operation *op,
		       struct scene_row *row)
{
	const char *word = state_word(op);
	char buf[SCENE_QUANTITY];

	if (!word)
		return;
	scene_set(d->scene, &row->label, "%s: %s", row->label, scene_say(d->scene, word));
	row->important = false;
	if (!viz_has(op, queued) || !op->queued || !op->channel)
		return;
	if (mechanism_info(op->channel->mechanism)->form == FORM_STREAM)
		scene_append(d->scene, &row->detail, "%s lie in it",
			     scene_say_bytes(d->scene, op->queued, buf));
	else
		scene_append(d->scene, &row->detail,
			     op->queued == 1 ? "%s message in it" : "%s messages in it",
			     scene_say_count(d->scene, op->queued, buf));
}

static void text_repeated(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	char times[SCENE_QUANTITY], span[SCENE_QUANTITY];

	if (draft->repeated)
		scene_append(d->scene, &row->detail, "%s times in %s",
			     scene_say_count(d->scene, draft->repeated + 1, times),
			     scene_say_duration(d->scene,
						scene_detail(draft)->until_ns - draft->sent_ns,
						span));
}

void scene_text_failed(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	const struct viz_operation *op = draft->of.operation;
	const struct viz_message *notice = scene_detail(draft)->notice;
	const char *error = op->error.data ? op->error.data : scene_say(d->scene, "failed");
	char buf[SCENE_QUANTITY];

	row->style = SCENE_CONTROL;
	row->important = true;
	if (op->error.data && notice)
		error = "EINTR"; /* the program sees ERESTARTSYS and the like as EINTR */
	scene_set(d->scene, &row->label, "%.*s %s", (int)op->syscall.len,
		  op->syscall.data ? op->syscall.data : "", error);
	if (scene_told_error(op))
		text_told(d, op, row);
	text_state(d, op, row);
	text_repeated(d, draft, row);
	row->important |= draft->repeated > 0;
	if (notice)
		scene_append(d->scene, &row->detail, "interrupted by %.*s",
			     (int)notice->signal->name.len, notice->signal->name.data);
	if (viz_has(op, timeout_ns) && op->off_cpu_ns)
		scene_append(d->scene, &row->detail, "after %s",
			     scene_say_duration(d->scene, op->exit_ns - op->enter_ns, buf));
	text_object(d, op, row);
}

void scene_text_drained(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	const struct viz_operation *op = draft->of.operation;
	char buf[SCENE_QUANTITY];

	row->style = SCENE_CONTROL;
	row->mechanism = op->channel->mechanism;
	scene_set(d->scene, &row->label, "%.*s EAGAIN: %s", (int)op->syscall.len, op->syscall.data,
		  scene_say(d->scene, op->role == ROLE_OPEN ? "nobody connects" : "empty"));
	if (draft->repeated) {
		scene_set(d->scene, &row->label, "%s× %s",
			  scene_say_count(d->scene, draft->repeated + 1, buf), row->label);
		scene_append(d->scene, &row->detail, "in %s",
			     scene_say_duration(d->scene,
						scene_detail(draft)->until_ns - draft->sent_ns,
						buf));
	}
	scene_append(d->scene, &row->detail, "then it waits for more, as event loops do");
	if (!draft->repeated)
		text_object(d, op, row);
}

/* The call copied data and left it in the channel; its receipt has an arrow of its own. */
void scene_text_look(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	const struct viz_operation *op = draft->of.operation;
	uint64_t bytes = viz_has(op, transferred) ? op->extra->transferred : (uint64_t)op->returned;
	char size[SCENE_QUANTITY];

	row->style = SCENE_COPY;
	row->mechanism = op->channel->mechanism;
	scene_set(d->scene, &row->label, "looks at %s", scene_say_bytes(d->scene, bytes, size));
	if (op->payload.data && op->payload.len)
		scene_text_owned(d, &row->payload, "%s",
				 scene_quote(op->payload.data, op->payload.len, bytes));
	scene_text_owned(d, &row->channel, "%s", scene_channel_name(d->scene, op->channel));
	scene_append(d->scene, &row->detail, "left in %s", row->channel);
}

static const struct end_holders *holders_of(struct scene_drafts *d,
					    const struct viz_channel *channel, enum access access)
{
	struct end_holders ***all = &d->holders[access == ACCESS_WRITE];

	if (!*all)
		*all = arena_array(d->arena, d->request->model->channel_count + 1, sizeof(**all));
	if (!(*all)[channel->index])
		(*all)[channel->index] = end_holders_new(d->arena, channel, access);
	return (*all)[channel->index];
}

/* Names the holders of the other end at that time, which could end the wait. */
static void text_holders(struct scene_drafts *d, const struct viz_operation *op, uint64_t at_ns,
			 struct scene_row *row)
{
	enum { NAMED_MOST = 4 };
	enum access other = op->role == ROLE_RECEIVE ? ACCESS_WRITE : ACCESS_READ;
	const struct viz_channel *channel = op->channel;
	const char *word = other == ACCESS_WRITE ? "writer" : "reader";
	const struct end_holders *holders;
	size_t next = 0;

	if (!channel || (channel->mechanism != MECH_PIPE && channel->mechanism != MECH_FIFO) ||
	    (op->role != ROLE_RECEIVE && op->role != ROLE_SEND))
		return;
	holders = holders_of(d, channel, other);
	for (size_t found = 0; found < NAMED_MOST; found++) {
		const struct viz_holding *h = end_holders_at(holders, at_ns, &next);
		char number[VIZ_NUMBER];
		char *name;

		if (!h)
			return;
		name = scene_comm(d, scene_actor_of(d, h->process, NULL));
		scene_append(d->scene, &row->detail, "%s %s[%s] fd %" PRId32,
			     scene_say(d->scene, word), name,
			     viz_process_number(h->process, number), h->fd);
		free(name);
	}
}

/* How long it has waited at at_ns. If it was asleep before tracing began, that is a lower bound. */
static void text_waited(struct scene_drafts *d, const struct viz_operation *op, uint64_t at_ns,
			struct scene_row *row)
{
	bool least = viz_has(op, entered_before);
	char waited[SCENE_QUANTITY];

	if (at_ns <= op->enter_ns)
		return;
	scene_say_duration(d->scene, at_ns - op->enter_ns, waited);
	if (*row->detail)
		scene_set(d->scene, &row->detail, least ? "%s for at least %s" : "%s for %s",
			  row->detail, waited);
	else
		scene_set(d->scene, &row->detail, "%s%s",
			  scene_say(d->scene, least ? "for at least " : "for "), waited);
}

void scene_text_waiting(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	const struct viz_operation *op = draft->of.operation;

	row->style = SCENE_CONTROL;
	row->important = true;
	row->mechanism = op->channel ? op->channel->mechanism : MECH_NONE;
	if (scene_is_fifo_open(d, op))
		scene_set(d->scene, &row->label, "%s", scene_say(d->scene, scene_open_waits(op)));
	else
		scene_text_owned(d, &row->label, "waits in %s", scene_call_waits(d->scene, op));
	text_object(d, op, row);
	text_waited(d, op, draft->at_ns, row);
	text_holders(d, op, draft->at_ns, row);
}
