// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/scene/pieces.h"

#include <stdlib.h>

#include "viz/base/arena.h"
#include "viz/base/memory.h"

enum {
#define BOUND(name, number) name = (number),
#include "viz/scene/fold_limits.def"
#undef BOUND
};

/* --- which calls have several --- */

static const struct viz_end *end_of(const struct viz_message *m, enum piece_end end)
{
	return end == PIECE_SENT ? &m->from : &m->to;
}

/*
 * The call of that end whose piece the message may be; NULL: it is no piece. What reaches several
 * receivers whole, and what sendmmsg(2) and recvmmsg(2) pass beside it, are messages of their own;
 * a packed one has calls of its own.
 */
static const struct viz_operation *piece_operation(const struct viz_message *m, enum piece_end end)
{
	if (m->packed || m->signal || m->echo ||
	    mechanism_info(m->mechanism)->policy == POLICY_WAKE || (end == PIECE_SENT && m->copy) ||
	    end_of(m, end)->message)
		return NULL;
	return end_of(m, end)->operation;
}

static bool is_drawn(const struct scene_drafts *d, const struct viz_message *m)
{
	int from, to;

	if (m->signal || !scene_wants_message(d, m))
		return false;
	scene_message_lanes(d, m, &from, &to);
	return from >= 0 || to >= 0;
}

static void count_piece(struct scene_drafts *d, const struct viz_message *m, enum piece_end end,
			uint32_t *counts)
{
	const struct viz_operation *op = piece_operation(m, end);
	struct piece_call **call = op ? &d->pieces[end][op->index] : NULL;

	if (!op || ++counts[op->index] < 2)
		return;
	if (!*call)
		*call = arena_alloc(d->arena, sizeof(**call));
	(*call)->count = counts[op->index];
}

static void find_end(struct scene_drafts *d, enum piece_end end)
{
	const struct viz_pairing *pairing = d->request->pairing;
	size_t operations = d->request->model->operation_count;
	uint32_t *counts = memory_array(operations + 1, sizeof(*counts));

	d->pieces[end] = arena_array(d->arena, operations + 1, sizeof(*d->pieces[end]));
	for (size_t i = 0; i < pairing->message_count; i++)
		if (is_drawn(d, pairing->messages[i]))
			count_piece(d, pairing->messages[i], end, counts);
	free(counts);
}

void scene_find_pieces(struct scene_drafts *d)
{
	find_end(d, PIECE_SENT);
	find_end(d, PIECE_RECEIVED);
}

/* --- one draft --- */

static struct piece_call *call_of(const struct draft *draft, enum piece_end end)
{
	return draft->piece ? draft->piece->call[end] : NULL;
}

void scene_move_piece(const struct draft *draft, size_t from, size_t to)
{
	for (enum piece_end end = PIECE_SENT; draft->piece && end <= PIECE_RECEIVED; end++) {
		struct piece_call *call = draft->piece->call[end];
		size_t *at = call ? &call->drafts[draft->piece->number[end] - 1] : NULL;

		if (at && *at == from)
			*at = to;
	}
}

const struct piece_call *scene_piece_call(const struct draft *draft, enum piece_end end)
{
	return call_of(draft, end);
}

static void number_piece(struct scene_drafts *d, struct scene_piece *piece,
			 const struct viz_message *m, enum piece_end end, size_t draft)
{
	const struct viz_operation *op = piece_operation(m, end);
	struct piece_call *call = op ? d->pieces[end][op->index] : NULL;

	if (!call)
		return;
	if (!call->drafts)
		call->drafts = arena_array(d->arena, call->count, sizeof(*call->drafts));
	call->drafts[call->collected++] = draft + 1;
	call->bytes += m->bytes;
	call->unread += end == PIECE_SENT && m->to.operation == NULL ? m->bytes : 0;
	piece->call[end] = call;
	piece->number[end] = call->collected;
}

static bool is_first(const struct scene_piece *piece)
{
	return !piece->call[PIECE_SENT] || piece->number[PIECE_SENT] == 1;
}

static bool is_last(const struct scene_piece *piece)
{
	return !piece->call[PIECE_RECEIVED] ||
	       piece->number[PIECE_RECEIVED] == piece->call[PIECE_RECEIVED]->count;
}

/* What a process sends to itself is drawn as loops, which hang on nothing. */
void scene_note_piece(struct scene_drafts *d, struct draft *draft)
{
	const struct viz_message *m = scene_message(draft);
	struct scene_piece *piece, found = {0};

	if (m->signal)
		return;
	number_piece(d, &found, m, PIECE_SENT, d->count - 1);
	number_piece(d, &found, m, PIECE_RECEIVED, d->count - 1);
	if (!found.call[PIECE_SENT] && !found.call[PIECE_RECEIVED])
		return;
	piece = arena_alloc(d->arena, sizeof(*piece));
	*piece = found;
	draft->piece = piece;
	draft->tailless = draft->from != draft->to && !is_first(piece);
	draft->headless = draft->from != draft->to && !is_last(piece);
	if (draft->tailless && draft->headless)
		found.call[PIECE_RECEIVED]->between = true;
	if (draft->part == SCENE_WHOLE && (draft->tailless || draft->headless))
		draft->part = draft->tailless ? SCENE_RECEIVED : SCENE_SENT;
}

const struct piece_call *scene_whole_call(const struct scene_drafts *d, const struct draft *draft)
{
	const struct piece_call *receive = call_of(draft, PIECE_RECEIVED);
	bool in = scene_is_via(d, draft->to), out = scene_is_via(d, draft->from);

	if (in || (draft->part == SCENE_SENT && draft->tie && !draft->headless))
		return call_of(draft, PIECE_SENT);
	if (out)
		return receive;
	if (draft->part == SCENE_RECEIVED && draft->tie && !draft->tailless && receive &&
	    !receive->between)
		return receive;
	return NULL;
}

uint64_t scene_draft_bytes(const struct scene_drafts *d, const struct draft *draft)
{
	const struct piece_call *call = scene_whole_call(d, draft);

	/* Of an eventfd, each is a number, and the bytes of all of them are no sum. */
	if (!call || scene_message(draft)->mechanism == MECH_EVENTFD)
		return scene_message(draft)->bytes;
	return call->bytes;
}

/* --- sums --- */

/* 1 if the message is the first that is counted of its call; a copy is no send of its own. */
static unsigned first_of(const struct scene_drafts *d, const struct viz_message *m,
			 enum piece_end end, enum piece_scope scope, bool *pieces)
{
	const struct viz_operation *op = piece_operation(m, end);
	struct piece_call *call = op ? d->pieces[end][op->index] : NULL;

	if (!call)
		return end == PIECE_SENT ? !m->copy : m->to.known;
	*pieces = true;
	if (call->counted[scope])
		return 0;
	call->counted[scope] = true;
	return 1;
}

void scene_sum_piece(const struct scene_drafts *d, struct piece_sums *sums,
		     const struct viz_message *m, enum piece_scope scope)
{
	sums->messages++;
	sums->sends += first_of(d, m, PIECE_SENT, scope, &sums->pieces);
	sums->receives += first_of(d, m, PIECE_RECEIVED, scope, &sums->pieces);
}

/* --- braces --- */

/* True if a loop begins or ends between two rows: a brace would run out of its frame. */
static bool is_framed(const struct scene *scene, size_t above, size_t below)
{
	for (size_t i = above + 1; i < below; i++)
		if (scene->rows[i].kind == SCENE_LOOP || scene->rows[i].kind == SCENE_LOOP_END)
			return true;
	return false;
}

static struct scene_brace *brace_of(struct scene_row *row, enum piece_end end)
{
	return end == PIECE_SENT ? &row->tail : &row->head;
}

static void link_end(struct scene_drafts *d, struct piece_call *call, enum piece_end end)
{
	size_t most = (d->request->slants ? SLANT_MOST : BRACE_MOST) + 1;
	struct scene *scene = d->scene;
	size_t below = scene->row_count - 1, above = call->row - 1;

	if (call->row && below - above <= most && !is_framed(scene, above, below)) {
		brace_of(&scene->rows[above], end)->below = below;
		brace_of(&scene->rows[below], end)->above = above;
	}
	call->row = scene->row_count;
}

/* Called when the draft's row has just been written. An end that bears a number needs no brace. */
void scene_link_piece(struct scene_drafts *d, const struct draft *draft)
{
	struct piece_call *send = call_of(draft, PIECE_SENT);
	struct piece_call *receive = call_of(draft, PIECE_RECEIVED);

	if (!draft->piece || draft->from == draft->to || draft->from < 0 ||
	    scene_is_via(d, draft->from) || scene_is_via(d, draft->to))
		return;
	if (send && !(draft->part == SCENE_RECEIVED && draft->tie))
		link_end(d, send, PIECE_SENT);
	if (receive && !(draft->part == SCENE_SENT && draft->tie))
		link_end(d, receive, PIECE_RECEIVED);
}
