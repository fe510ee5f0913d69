// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The texts of rows that stand for several: counts, sums and ranges. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "viz/base/safe_text.h"
#include "viz/scene/fold.h"
#include "viz/scene/pieces.h"

enum { TIMES_LEN = 2 * SCENE_QUANTITY + 8 };

/* "3", or "3…5" if the rounds differ. */
static void put_times(const struct scene_drafts *d, const struct draft_fold *fold,
		      char out[TIMES_LEN])
{
	char least[SCENE_QUANTITY], most[SCENE_QUANTITY];

	scene_say_count(d->scene, fold->times_least, least);
	scene_say_count(d->scene, fold->times_most, most);
	snprintf(out, TIMES_LEN, "%s%s%s", least, fold->times_least < fold->times_most ? "…" : "",
		 fold->times_least < fold->times_most ? most : "");
}

void scene_text_size(struct scene_drafts *d, const struct draft *draft, char **slot)
{
	const struct draft_fold *fold = draft->fold;
	char least[SCENE_QUANTITY], most[SCENE_QUANTITY];

	if (fold && fold->bytes_least < fold->bytes_most)
		scene_set(d->scene, slot, "%s…%s",
			  scene_say_bytes(d->scene, fold->bytes_least, least),
			  scene_say_bytes(d->scene, fold->bytes_most, most));
	else
		scene_set(d->scene, slot, "%s",
			  scene_say_bytes(d->scene, scene_draft_bytes(d, draft), least));
}

void scene_text_clocks(struct scene_drafts *d, const struct viz_message *m, struct scene_row *row)
{
	char buf[SCENE_QUANTITY];
	uint64_t wrong_ns;

	if (!viz_clocks_apart(m->from.process, m->to.process, &wrong_ns))
		return;
	if (wrong_ns == VIZ_NEVER)
		scene_append(d->scene, &row->detail, "of two clocks: nobody can tell how wrong");
	else
		scene_set(d->scene, &row->detail, "%s ± %s", row->detail,
			  scene_say_duration(d->scene, wrong_ns, buf));
}

static void text_sums(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	char least[SCENE_QUANTITY], most[SCENE_QUANTITY];
	const struct draft_fold *fold = draft->fold;

	if (fold->bytes)
		scene_append(d->scene, &row->detail, "%s",
			     scene_say_bytes(d->scene, fold->bytes, least));
	if (fold->latency_least_ns == UINT64_MAX)
		return;
	scene_append(d->scene, &row->detail, "latency %s",
		     scene_say_duration(d->scene, fold->latency_least_ns, least));
	if (fold->latency_least_ns < fold->latency_most_ns)
		scene_set(d->scene, &row->detail, "%s…%s", row->detail,
			  scene_say_duration(d->scene, fold->latency_most_ns, most));
	if (draft->kind == SCENE_MESSAGE)
		scene_text_clocks(d, scene_message_brief(draft), row);
}

/* Puts the number of repetitions before the label: "3× pipe 24 B". */
static void text_times(struct scene_drafts *d, const struct draft_fold *fold, char **slot)
{
	char times[TIMES_LEN];

	put_times(d, fold, times);
	if (fold->times_most > 1 && **slot)
		scene_set(d->scene, slot, "%s× %s", times, *slot);
}

void scene_text_folded(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	const struct draft_fold *fold = draft->fold;
	char count[SCENE_QUANTITY];

	text_times(d, fold, &row->label);
	text_times(d, fold, &row->brief);
	row->bytes = fold->bytes;
	row->important |= fold->times_most > 1;
	if (fold->times_most > 1 && fold->times_most < fold->total)
		scene_append(d->scene, &row->detail, "%s in all",
			     scene_say_count(d->scene, fold->total, count));
	text_sums(d, draft, row);
}

static void text_count(struct scene_drafts *d, struct scene_row *row, uint64_t n, const char *one,
		       const char *many)
{
	char count[SCENE_QUANTITY];

	if (n)
		scene_append(d->scene, &row->detail, "%s %s", scene_say_count(d->scene, n, count),
			     scene_say(d->scene, n == 1 ? one : many));
}

void scene_text_loop(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	const struct draft_fold *fold = draft->fold;
	char times[TIMES_LEN];

	row->style = SCENE_CONTROL;
	row->important = true;
	put_times(d, fold, times);
	if (fold->mixed)
		scene_set(d->scene, &row->label, "mixed");
	else
		scene_set(d->scene, &row->label, "×%s", times);
	if (fold->times_least < fold->times_most)
		text_count(d, row, fold->total, "round", "rounds in all");
	text_count(d, row, fold->messages - fold->signals, "message", "messages");
	text_count(d, row, fold->signals, "signal", "signals");
	text_sums(d, draft, row);
	if (fold->mixed)
		scene_append(d->scene, &row->detail,
			     "each arrow stands for many that came in no fixed order");
	scene_append(d->scene, &row->detail, "--unfold shows each");
}

void scene_text_loop_end(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	(void)d;
	(void)draft;
	row->style = SCENE_CONTROL;
}
