// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Shared memory on its lane: calls that attach and detach it, and who has it without a call, as it
 * was made by one who had it. Each row tells who has the memory after it.
 */
#include <stdlib.h>

#include "viz/base/safe_text.h"
#include "viz/scene/drafts.h"

enum {
	HEIRS_MOST = 6,	 /* of more children that have it by birth only the box below tells */
	NAMED_MOST = 3,	 /* names of those that have it after a row */
	TOLD_MOST = 100, /* of more uses no row tells who has it then */
};

void scene_draft_memory(struct scene_drafts *d, const struct viz_operation *op, int lane)
{
	struct draft *draft = scene_draft(d, SCENE_MEMORY, lane,
					  scene_memory_of(d, op->channel)->lane);

	draft->of.operation = op;
	draft->sent_ns = draft->received_ns = op->exit_ns;
}

static void add_use(struct scene_drafts *d, const struct draft_memory *memory,
		    const struct viz_memory_use *use, uint64_t at_ns)
{
	int lane = scene_lane_of(d, use->process);
	struct draft *draft;

	if (lane < 0)
		return;
	draft = scene_draft(d, SCENE_MEMORY, lane, memory->lane);
	scene_set_detail(d, draft)->use = use;
	draft->sent_ns = draft->received_ns = at_ns;
}

static size_t count_heirs(const struct draft_memory *memory)
{
	size_t heirs = 0;

	for (size_t i = 0; i < memory->use_count; i++)
		heirs += memory->uses[i].came == CAME_BY_FORK;
	return heirs;
}

static void collect(struct scene_drafts *d, const struct draft_memory *memory)
{
	bool heirs = count_heirs(memory) <= HEIRS_MOST || d->request->unfold;

	for (size_t i = 0; i < memory->use_count; i++) {
		const struct viz_memory_use *use = &memory->uses[i];

		if (use->came == CAME_BEFORE)
			add_use(d, memory, use, use->since_ns);
		else if (use->came == CAME_BY_FORK && heirs)
			add_use(d, memory, use, use->since_ns + 1); /* behind its birth */
	}
}

void scene_collect_memory(struct scene_drafts *d)
{
	for (size_t i = 0; i < d->memory_count; i++)
		if (d->memories[i].lane >= 0)
			collect(d, &d->memories[i]);
}

bool scene_is_had(const struct scene_drafts *d, const struct viz_channel *channel, uint64_t at_ns)
{
	size_t at = channel ? d->memory_at[channel->index] : 0;

	for (size_t i = 0; at && i < d->memories[at - 1].use_count; i++) {
		const struct viz_memory_use *use = &d->memories[at - 1].uses[i];

		if (use->since_ns <= at_ns && at_ns < use->until_ns)
			return true;
	}
	return false;
}

/* --- texts --- */

static void name_haver(struct scene_drafts *d, const struct viz_memory_use *use, char **text)
{
	scene_text_owned(d, text, "%s", scene_actor_name(d, scene_actor_of(d, use->process, NULL)));
}

/* "then boss, worker have it". */
static void text_havers(struct scene_drafts *d, const struct draft_memory *memory, uint64_t at_ns,
			struct scene_row *row)
{
	char *names = "";
	size_t count = 0;
	char more[SCENE_QUANTITY];

	if (memory->use_count > TOLD_MOST)
		return;
	for (size_t i = 0; i < memory->use_count; i++) {
		const struct viz_memory_use *use = &memory->uses[i];

		if (use->since_ns <= at_ns && at_ns < use->until_ns && count++ < NAMED_MOST)
			name_haver(d, use, &names);
	}
	if (count > NAMED_MOST)
		scene_append(d->scene, &names, "%s more",
			     scene_say_count(d->scene, count - NAMED_MOST, more));
	if (!count)
		scene_append(d->scene, &row->detail, "then nobody has it");
	else
		scene_append(d->scene, &row->detail,
			     count == 1 ? "then %s has it" : "then %s have it", names);
}

static void text_call(struct scene_drafts *d, const struct viz_operation *op, struct scene_row *row)
{
	char size[SCENE_QUANTITY];
	int64_t length = 0;

	scene_set(d->scene, &row->label, viz_attaches_memory(op) ? "attaches" : "detaches");
	if (viz_operation_argument(op, "length", &length) && length > 0 &&
	    (uint64_t)length != op->channel->capacity)
		scene_append(d->scene, &row->detail, "%s of it",
			     scene_say_bytes(d->scene, (uint64_t)length, size));
	scene_append(d->scene, &row->detail, "%.*s", (int)op->syscall.len, op->syscall.data);
}

void scene_text_memory(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	const struct viz_memory_use *use = scene_detail(draft)->use;
	const struct viz_channel *channel = use ? use->memory : draft->of.operation->channel;

	row->style = SCENE_CONTROL;
	row->mechanism = channel->mechanism;
	scene_text_owned(d, &row->channel, "%s", scene_channel_name(d->scene, channel));
	if (!use)
		text_call(d, draft->of.operation, row);
	else
		scene_set(d->scene, &row->label,
			  use->came == CAME_BEFORE ? "had it before" : "has it by fork");
	text_havers(d, &d->memories[d->memory_at[channel->index] - 1], draft->sent_ns, row);
	scene_append(d->scene, &row->detail, "%s", row->channel);
}
