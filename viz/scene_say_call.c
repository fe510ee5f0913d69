// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The words of calls that failed or wait, and who could end the wait. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "scene_draft.h"
#include "scene_text.h"

static void say_object(struct scene_drafts *d, const struct viz_operation *op,
		       struct scene_row *row)
{
	if (op->channel) {
		scene_say_owned(d, &row->channel, "%s", scene_channel_name(op->channel));
		scene_append(d->scene, &row->detail, "%s", row->channel);
	} else if (op->path.len) {
		scene_say_owned(d, &row->detail, "%s", scene_harmless(op->path.data, op->path.len));
	}
	if (op->peer_address.len)
		scene_say_owned(d, &row->detail, "to %s",
				scene_harmless(op->peer_address.data, op->peer_address.len));
}

void scene_say_failed(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	const struct viz_operation *op = draft->of.operation;
	const char *error = op->error.data ? op->error.data : "failed";
	char buf[SCENE_QUANTITY];

	row->style = SCENE_CONTROL;
	row->important = true;
	if (op->error.data && draft->told)
		error = "EINTR"; /* what the program sees of ERESTARTSYS and its kin */
	scene_set(d->scene, &row->label, "%.*s %s", (int)op->syscall.len,
		  op->syscall.data ? op->syscall.data : "", error);
	if (draft->repeated)
		scene_append(d->scene, &row->detail, "%s times",
			     scene_count(draft->repeated + 1, buf));
	if (draft->told)
		scene_append(d->scene, &row->detail, "interrupted by %.*s",
			     (int)draft->told->signal->name.len, draft->told->signal->name.data);
	if (viz_has(op, timeout_ns) && op->off_cpu_ns)
		scene_append(d->scene, &row->detail, "after %s",
			     scene_duration(op->exit_ns - op->enter_ns, buf));
	say_object(d, op, row);
}

/* It was copied to the caller, and is there still: who receives it has an arrow of its own. */
void scene_say_look(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	const struct viz_operation *op = draft->of.operation;
	uint64_t bytes = viz_has(op, transferred) ? op->transferred : (uint64_t)op->returned;
	char size[SCENE_QUANTITY];

	row->style = SCENE_COPY;
	row->mechanism = op->channel->mechanism;
	scene_set(d->scene, &row->label, "looks at %s", scene_bytes(bytes, size));
	if (op->payload.data && op->payload.len)
		scene_say_owned(d, &row->payload, "%s",
				scene_quote(op->payload.data, op->payload.len, bytes));
	scene_say_owned(d, &row->channel, "%s", scene_channel_name(op->channel));
	scene_append(d->scene, &row->detail, "left in %s", row->channel);
}

/* The other end's holders at that time: who could end the wait. */
static void say_holders(struct scene_drafts *d, const struct viz_operation *op, uint64_t at_ns,
			struct scene_row *row)
{
	enum access other = op->role == ROLE_RECEIVE ? ACCESS_WRITE : ACCESS_READ;
	const struct viz_channel *channel = op->channel;
	const char *word = other == ACCESS_WRITE ? "writer" : "reader";
	size_t found = 0;

	if (!channel || (channel->mechanism != MECH_PIPE && channel->mechanism != MECH_FIFO) ||
	    (op->role != ROLE_RECEIVE && op->role != ROLE_SEND))
		return;
	for (size_t i = 0; i < channel->holding_count && found < 4; i++) {
		const struct viz_holding *h = channel->holdings[i];
		char *name;

		if (!(h->access & other) || h->since_ns > at_ns || h->until_ns <= at_ns)
			continue;
		name = scene_comm(d, scene_actor_of(d, h->process, NULL));
		if (!name) {
			d->failed = true;
			return;
		}
		scene_append(d->scene, &row->detail, "%s %s[%" PRIu32 "] fd %" PRId32, word, name,
			     h->process->pid, h->fd);
		found++;
		free(name);
	}
}

/* Until the trace ended. When a call began that tracing found asleep, nobody knows. */
static void say_waited(struct scene_drafts *d, const struct viz_operation *op, uint64_t at_ns,
		       struct scene_row *row)
{
	const char *least = viz_has(op, entered_before) ? "at least " : "";
	char waited[SCENE_QUANTITY];

	if (at_ns <= op->enter_ns)
		return;
	scene_duration(at_ns - op->enter_ns, waited);
	if (*row->detail)
		scene_set(d->scene, &row->detail, "%s for %s%s", row->detail, least, waited);
	else
		scene_set(d->scene, &row->detail, "for %s%s", least, waited);
}

void scene_say_waiting(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	const struct viz_operation *op = draft->of.operation;

	row->style = SCENE_CONTROL;
	row->important = true;
	row->mechanism = op->channel ? op->channel->mechanism : MECH_NONE;
	scene_say_owned(d, &row->label, "waits in %s", scene_call_waits(op));
	say_object(d, op, row);
	say_waited(d, op, draft->at_ns, row);
	say_holders(d, op, draft->at_ns, row);
}
