// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/diagnose/find/refused_sends.h"

#include "viz/diagnose/graph/wait_graph.h"

enum {
	RECORD_MOST = 4096, /* PIPE_BUF: a pipe takes so many bytes whole or not at all */
	TOKEN_MOST = 16,    /* in a pipe: a wake-up, of which one is as good as many */
	LATER_LEAST = 10, /* sends after which a process that lives will not repeat an older one */
};

/* What a process has sent later than the call that is looked at. */
struct later {
	const struct viz_operation *next;
	size_t count;
};

struct refusals {
	struct diagnosis *d;
	bool *lost;
	struct map contents; /* sent later: by process and content */
	struct map talks;    /* struct later, by process, channel and destination */
};

static bool is_alike(struct viz_bytes bytes)
{
	for (size_t i = 1; i < bytes.len; i++)
		if (bytes.data[i] != bytes.data[0])
			return false;
	return true;
}

/* What the trace has of the content: its first bytes, or a digest of them; empty: nothing. */
static struct viz_bytes content_of(const struct viz_operation *op)
{
	return op->payload.len ? op->payload : op->extra->digest;
}

/* True if the channel takes each such send whole or not at all. */
static bool is_record(const struct viz_operation *op)
{
	if (op->role != ROLE_SEND || !op->channel || !viz_operation_done(op) ||
	    operation_is_multiple(op))
		return false;
	switch (op->channel->mechanism) {
	case MECH_PIPE:
	case MECH_FIFO:
		return op->requested > TOKEN_MOST && op->requested <= RECORD_MOST &&
		       !is_alike(content_of(op));
	case MECH_UNIX_DGRAM:
	case MECH_UNIX_SEQPACKET:
	case MECH_UDP:
	case MECH_POSIX_MQ:
	case MECH_SYSV_MSG:
		return true;
	default:
		return false;
	}
}

static uint64_t content_key(const struct viz_operation *op)
{
	const uint64_t of = viz_hash_mix(op->process->index, op->requested);

	return viz_hash_mix(of, viz_bytes_hash(content_of(op)));
}

static uint64_t talk_key(const struct viz_operation *op)
{
	const uint64_t of = viz_hash_mix(op->process->index, op->channel->index);

	return viz_hash_mix(of, viz_bytes_hash(op->extra->peer_address));
}

/* True if one begins as the other: the same data, of which more, or less, went this time. */
static bool begins_alike(const struct viz_operation *one, const struct viz_operation *other)
{
	const struct viz_bytes a = content_of(one), b = content_of(other);
	const size_t len = a.len < b.len ? a.len : b.len;

	return memcmp(a.data, b.data, len) == 0;
}

static void note_sent(struct refusals *r, struct viz_operation *op)
{
	const uint64_t key = talk_key(op);
	struct later *later = map_get_uint(&r->talks, key);

	if (!later) {
		later = arena_alloc(r->d->arena, sizeof(*later));
		*later = (struct later){0};
		map_put_uint(r->d->arena, &r->talks, key, later);
	}
	later->next = op;
	later->count++;
	map_put_uint(r->d->arena, &r->contents, content_key(op), op);
}

static bool is_lost(const struct refusals *r, const struct viz_operation *op)
{
	const struct later *later = map_get_uint(&r->talks, talk_key(op));
	const bool done = op->process->ended && !op->process->exit_signal;

	return later && (done || later->count >= LATER_LEAST) && content_of(op).len &&
	       content_of(later->next).len && !begins_alike(op, later->next) &&
	       !map_get_uint(&r->contents, content_key(op));
}

const bool *refused_sends(struct diagnosis *d)
{
	struct refusals r = {.d = d};

	if (d->incomplete)
		return NULL;
	r.lost = arena_array(d->arena, d->model->operation_count + 1, sizeof(*r.lost));
	for (size_t i = d->model->operation_count; i > 0; i--) {
		struct viz_operation *op = d->model->operations[i - 1];

		if (op->role != ROLE_SEND || !op->channel || wait_is_unseen(d->waits, op->channel))
			continue;
		if (is_record(op) && operation_has_error(op, "EAGAIN") && !op->began)
			r.lost[op->index] = is_lost(&r, op);
		else if (!viz_operation_failed(op))
			note_sent(&r, op);
	}
	return r.lost;
}
