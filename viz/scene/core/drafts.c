// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Adds drafts to the list, and splits one into its sent and its received half. */
#include "viz/scene/drafts.h"
#include <stdlib.h>

#include "viz/base/memory.h"

struct draft *scene_draft(struct scene_drafts *d, enum scene_kind kind, int from, int to)
{
	struct draft *draft;

	d->rows = list_grow(d->rows, d->count, &d->capacity, sizeof(*d->rows));
	draft = &d->rows[d->count];
	*draft =
		(struct draft){.kind = kind, .from = from, .to = to, .order = (uint32_t)d->count++};
	return draft;
}

void scene_drop_drafts(struct scene_drafts *d)
{
	free(d->rows);
	d->rows = NULL;
	d->count = d->capacity = 0;
}

struct draft_detail *scene_set_detail(struct scene_drafts *d, struct draft *draft)
{
	if (!draft->detail)
		draft->detail = arena_alloc(d->arena, sizeof(*draft->detail));
	return draft->detail;
}

size_t scene_split(struct scene_drafts *d, size_t index)
{
	struct draft whole = d->rows[index];
	struct draft *half = scene_draft(d, whole.kind, whole.from, whole.to);
	uint32_t order = half->order;

	*half = whole;
	half->order = order;
	half->part = SCENE_RECEIVED;
	half->tie = ++d->ties;
	half->at_ns = whole.received_ns;
	d->rows[index].part = SCENE_SENT;
	d->rows[index].tie = d->ties;
	d->rows[index].at_ns = whole.sent_ns;
	return order;
}

void scene_text_owned(struct scene_drafts *d, char **slot, const char *format, char *text)
{
	scene_append(d->scene, slot, format, text);
	free(text);
}
