// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Sums of folded rows, and the list that folded rows are appended to. */
#include "viz/base/memory.h"
#include "viz/scene/fold.h"

#include <stdlib.h>

#include "viz/protocol/talks.h"

bool scene_draft_is_message(const struct draft *draft)
{
	if (draft->part == SCENE_RECEIVED && draft->kind != SCENE_MESSAGE &&
	    draft->kind != SCENE_SIGNAL)
		return false;
	return (draft->part != SCENE_SENT || draft->headless) && draft->part != SCENE_ENTERS &&
	       (draft->kind == SCENE_MESSAGE || draft->kind == SCENE_SIGNAL ||
		(draft->kind == SCENE_EXIT && scene_detail(draft)->notice));
}

uint64_t scene_draft_messages(const struct draft *draft)
{
	if (scene_detail(draft)->lives)
		return scene_lives_messages(scene_detail(draft)->lives);
	if (!scene_draft_is_message(draft))
		return 0;
	return draft->fold ? draft->fold->messages : 1;
}

/* Latency: from the entry of the send to the return of the receive. */
static void time_message(struct draft_fold *fold, const struct viz_message *m)
{
	const struct viz_end *from = &m->from, *to = &m->to;

	if (!from->timed || !to->timed || to->exit_ns == VIZ_NEVER || to->exit_ns < from->enter_ns)
		return;
	fold->latency_least_ns = fold->latency_most_ns = to->exit_ns - from->enter_ns;
}

static uint64_t words_number(const struct viz_message *m)
{
	const char *protocol;
	char *words = protocol_summary(m, &protocol);
	uint64_t number = words ? scene_text_number(viz_bytes_of(words)) : 0;

	free(words);
	return number;
}

void scene_fold_begin(struct draft_fold *fold, const struct draft *draft)
{
	const struct viz_message *m = draft->kind == SCENE_MESSAGE ? scene_message(draft) : NULL;
	uint64_t bytes = m ? m->bytes : 0;

	*fold = (struct draft_fold){.times_least = 1,
				    .times_most = 1,
				    .total = 1,
				    .messages = scene_draft_is_message(draft),
				    .bytes_least = UINT64_MAX,
				    .latency_least_ns = UINT64_MAX};
	if (draft->kind == SCENE_FAILED || draft->drained)
		fold->total = fold->times_least = fold->times_most = draft->repeated + 1;
	fold->signals = draft->kind != SCENE_MESSAGE ? fold->messages : 0;
	if (!m)
		return;
	fold->channel = m->channel;
	fold->words = words_number(m);
	fold->bytes_least = fold->bytes_most = bytes;
	if ((draft->part == SCENE_SENT && !draft->headless) || draft->part == SCENE_ENTERS)
		return;
	fold->bytes = bytes;
	time_message(fold, m);
}

static void take_less(uint64_t *least, uint64_t other)
{
	if (other < *least)
		*least = other;
}

static void take_more(uint64_t *most, uint64_t other)
{
	if (other > *most)
		*most = other;
}

void scene_fold_add(struct draft_fold *fold, const struct draft_fold *more)
{
	fold->total += more->total;
	fold->messages += more->messages;
	fold->signals += more->signals;
	fold->bytes += more->bytes;
	fold->left += more->left;
	take_less(&fold->bytes_least, more->bytes_least);
	take_more(&fold->bytes_most, more->bytes_most);
	take_less(&fold->latency_least_ns, more->latency_least_ns);
	take_more(&fold->latency_most_ns, more->latency_most_ns);
	fold->other_words |= more->other_words || fold->words != more->words;
	fold->channels |= more->channels || fold->channel != more->channel;
}

struct draft *scene_fold_put(struct fold_rows *out, const struct draft *draft)
{
	out->rows = list_grow(out->rows, out->count, &out->capacity, sizeof(*out->rows));
	out->rows[out->count] = *draft;
	return &out->rows[out->count++];
}

void scene_fold_open(struct fold_rows *out, uint64_t at_ns, const struct draft_fold *fold)
{
	const struct draft draft = {.kind = SCENE_LOOP,
				    .from = SCENE_NOWHERE,
				    .to = SCENE_NOWHERE,
				    .at_ns = at_ns,
				    .fold = fold};

	scene_fold_put(out, &draft);
}

void scene_fold_close(struct fold_rows *out, uint64_t at_ns)
{
	const struct draft draft = {
		.kind = SCENE_LOOP_END, .from = SCENE_NOWHERE, .to = SCENE_NOWHERE, .at_ns = at_ns};

	scene_fold_put(out, &draft);
}

/* A half is lonely if its other half is no longer a row of its own. */
void scene_find_lonely(struct scene_drafts *d)
{
	unsigned char *seen = arena_array(d->arena, d->ties + 1, 1);

	for (size_t i = 0; i < d->count; i++)
		seen[d->rows[i].tie] += d->rows[i].tie && seen[d->rows[i].tie] < 2;
	for (size_t i = 0; i < d->count; i++)
		d->rows[i].lonely = d->rows[i].tie && seen[d->rows[i].tie] < 2;
}
