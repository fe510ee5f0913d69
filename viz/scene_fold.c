// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Hundreds of messages from one process to another through one channel, with nothing between them,
 * tell no more than a few do: the first ones and the last one stay, one row stands for the others.
 */
#include "scene_draft.h"

enum {
	RUN_LEAST = 20, /* a shorter run is drawn as it is */
	RUN_HEAD = 4,	/* of which stay at its begin, and one at its end */
};

static bool is_plain(const struct draft *draft)
{
	return draft->kind == SCENE_MESSAGE && draft->part == SCENE_WHOLE &&
	       draft->of.message->fate == FATE_NONE;
}

/* Whether both would be the same arrow but for bytes and time. */
static bool is_alike(const struct draft *draft, const struct draft *other)
{
	const struct viz_message *m = draft->of.message, *n = other->of.message;

	return is_plain(other) && draft->from == other->from && draft->to == other->to &&
	       m->channel == n->channel && m->mechanism == n->mechanism && m->match == n->match &&
	       m->typed == n->typed && m->type == n->type;
}

static size_t run_length(const struct scene_drafts *d, size_t first)
{
	size_t end = first + 1;

	if (!is_plain(&d->rows[first]))
		return 1;
	while (end < d->count && is_alike(&d->rows[first], &d->rows[end]))
		end++;
	return end - first;
}

/* One draft of `count`, where the last of them is. */
static struct draft fold(const struct draft *run, size_t count)
{
	struct draft folded = run[count - 1];

	folded.folded = count - 1;
	for (size_t i = 0; i < count; i++)
		folded.folded_bytes += run[i].of.message->bytes;
	return folded;
}

void scene_fold(struct scene_drafts *d)
{
	size_t kept = 0;

	for (size_t i = 0; i < d->count;) {
		size_t run = run_length(d, i);
		size_t head = run < RUN_LEAST ? run : RUN_HEAD;

		for (size_t k = 0; k < head; k++)
			d->rows[kept++] = d->rows[i + k];
		if (head < run) {
			d->rows[kept++] = fold(&d->rows[i + head], run - head - 1);
			d->rows[kept++] = d->rows[i + run - 1];
		}
		i += run;
	}
	d->count = kept;
}
