// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/pair/left_out.h"

#include "viz/model/operation_facts.h"

static struct viz_ordinary *totals_of(struct left_out *l, const struct viz_operation *op)
{
	const bool receives = op->role == ROLE_RECEIVE;
	const uint64_t key = (uint64_t)op->process->index << 32 |
			     (uint64_t)op->channel->index << 1 | receives;
	struct viz_ordinary *totals = map_get_uint(&l->totals, key);

	if (!totals) {
		totals = arena_alloc(l->model->arena, sizeof(*totals));
		totals->process = op->process;
		totals->channel = op->channel;
		totals->receives = receives;
		map_put_uint(l->arena, &l->totals, key, totals);
		ARENA_PUSH(l->model->arena, l->model->ordinary, l->model->ordinary_count, totals);
	}
	return totals;
}

void left_out_count(struct left_out *l, const struct viz_operation *op)
{
	l->model->ordinary_calls++;
	op->process->thinned = true;
	op->process->lacks_receives |= op->role == ROLE_RECEIVE;
}

void left_out_add(struct left_out *l, const struct viz_operation *op)
{
	struct viz_ordinary *totals = totals_of(l, op);

	totals->calls++;
	totals->bytes += operation_stream_bytes(op);
	if (op->role != ROLE_RECEIVE || !viz_has(op, requested))
		return;
	totals->requested += op->requested;
	totals->shorter += (uint64_t)op->returned < op->requested;
}

void left_out_sender(const struct viz_operation *op)
{
	const struct viz_channel *channel = op->role == ROLE_SEND ? op->channel : NULL;

	for (size_t i = 0; channel && i < channel->holding_count; i++)
		channel->holdings[i]->sent |= channel->holdings[i]->process == op->process;
}
