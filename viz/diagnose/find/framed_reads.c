// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/diagnose/find/framed_reads.h"

#define HEADER_MOST 16 /* bytes; as the fixed part of D-Bus's header, which has the length */

/* What one process asked for on one channel. */
struct asked {
	uint64_t least, most;
	uint64_t rest;	/* of what it asked for last, this many bytes had not come; 0: all had */
	bool by_chance; /* it took what was there, be that more or less than a message */
};

struct framed_reads {
	struct map asked; /* by process and channel */
};

static struct asked *asked_of(struct diagnosis *d, struct framed_reads *reads,
			      const struct viz_operation *op)
{
	const uint64_t key = viz_pair_key(op->process, op->channel);
	struct asked *asked = map_get_uint(&reads->asked, key);

	if (!asked) {
		asked = arena_alloc(d->arena, sizeof(*asked));
		asked->least = UINT64_MAX;
		map_put_uint(d->arena, &reads->asked, key, asked);
	}
	return asked;
}

/* Who asks for a length gets it, or asks for the rest of it next. */
static void add(struct asked *asked, const struct viz_operation *op)
{
	const uint64_t got = (uint64_t)op->returned;

	if (!viz_has(op, requested) || (asked->rest && op->requested != asked->rest)) {
		asked->by_chance = true;
		return;
	}
	if (!asked->rest) {
		asked->least = op->requested < asked->least ? op->requested : asked->least;
		asked->most = op->requested > asked->most ? op->requested : asked->most;
	}
	asked->rest = op->requested > got ? op->requested - got : 0;
}

struct framed_reads *framed_reads(struct diagnosis *d)
{
	struct framed_reads *reads = arena_alloc(d->arena, sizeof(*reads));

	for (size_t i = 0; i < d->model->operation_count; i++) {
		const struct viz_operation *op = d->model->operations[i];

		if (op->role == ROLE_RECEIVE && op->channel && viz_operation_done(op) &&
		    op->returned > 0 && !operation_only_looks(op) &&
		    mechanism_info(op->channel->mechanism)->form == FORM_STREAM)
			add(asked_of(d, reads, op), op);
	}
	return reads;
}

bool reads_frames(const struct framed_reads *reads, const struct viz_process *process,
		  const struct viz_channel *channel)
{
	const struct asked *asked = map_get_uint(&reads->asked, viz_pair_key(process, channel));

	return asked && !asked->by_chance && !asked->rest && asked->least <= HEADER_MOST &&
	       asked->most > asked->least;
}
