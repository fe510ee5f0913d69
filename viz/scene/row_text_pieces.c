// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a row says of pieces: which one it is, and the call of which it is one. */
#include <inttypes.h>
#include <stdlib.h>

#include "viz/base/safe_text.h"
#include "viz/scene/fold.h"
#include "viz/scene/pieces.h"

/* "pipe 3 B" is "pipe 3 B 2/4". */
static void number_label(struct scene_drafts *d, const struct draft *draft, enum piece_end end,
			 struct scene_row *row)
{
	const struct piece_call *call = scene_piece_call(draft, end);
	uint32_t number = draft->piece->number[end];

	scene_set(d->scene, &row->label, "%s %" PRIu32 "/%" PRIu32, row->label, number,
		  call->count);
}

static void text_send(struct scene_drafts *d, const struct draft *draft,
		      const struct piece_call *call, struct scene_row *row)
{
	char size[SCENE_QUANTITY], rest[SCENE_QUANTITY];
	char *name = scene_call(scene_message(draft)->from.operation);

	scene_append(d->scene, &row->detail, "%s of %s is taken in %" PRIu32 " pieces", name,
		     scene_say_bytes(d->scene, call->bytes, size), call->count);
	if (call->unread)
		scene_append(d->scene, &row->detail, "%s of it nobody received",
			     scene_say_bytes(d->scene, call->unread, rest));
	row->important = true;
	free(name);
}

static void text_receive(struct scene_drafts *d, const struct draft *draft,
			 const struct piece_call *call, struct scene_row *row)
{
	char *name = scene_call(scene_message(draft)->to.operation);
	char size[SCENE_QUANTITY];

	if (scene_message(draft)->mechanism == MECH_EVENTFD)
		scene_append(d->scene, &row->detail, "%s takes %" PRIu32 " sends at once", name,
			     call->count);
	else
		scene_append(d->scene, &row->detail, "%s takes %s, pieces of %" PRIu32 " sends",
			     name, scene_say_bytes(d->scene, call->bytes, size), call->count);
	row->important = true;
	free(name);
}

/* In a fold the pieces differ, and each has a number of its own. */
void scene_text_piece(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	const struct piece_call *send = scene_piece_call(draft, PIECE_SENT);
	const struct piece_call *receive = scene_piece_call(draft, PIECE_RECEIVED);
	const struct piece_call *whole = scene_whole_call(d, draft);
	bool arrives = draft->part == SCENE_WHOLE || draft->part == SCENE_RECEIVED;

	if (!draft->piece || row->folded)
		return;
	if (!whole)
		number_label(d, draft, send ? PIECE_SENT : PIECE_RECEIVED, row);
	if (send && draft->piece->number[PIECE_SENT] == 1 && !scene_is_via(d, draft->from) &&
	    draft->part != SCENE_RECEIVED)
		text_send(d, draft, send, row);
	if (receive && draft->piece->number[PIECE_RECEIVED] == receive->count && arrives &&
	    !scene_is_via(d, draft->to))
		text_receive(d, draft, receive, row);
}

static void put_number(struct scene *scene, char **slot, uint64_t n, const char *one,
		       const char *many)
{
	char count[SCENE_QUANTITY];

	scene_append(scene, slot, "%s %s", scene_say_count(scene, n, count),
		     scene_say(scene, n == 1 ? one : many));
}

void scene_text_traffic(struct scene *scene, const struct piece_sums *sums, char **slot)
{
	if (!sums->pieces)
		return;
	put_number(scene, slot, sums->sends, "send", "sends");
	put_number(scene, slot, sums->receives, "receive", "receives");
	put_number(scene, slot, sums->messages, "piece", "pieces");
}
