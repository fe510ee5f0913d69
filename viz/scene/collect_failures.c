// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Collects calls that failed. A burst of the same failure, while the channel moves nothing, is one
 * row with a count; so are further bursts of a program that tries until it must wait, as each round
 * of an event loop does.
 */
#include <string.h>

#include "viz/model/operation_facts.h"
#include "viz/scene/fold.h"

enum { BURSTS_MOST = 8 }; /* rows of one failure that are drawn each */

/* What two failures must have in common to be one row. Compared byte by byte. */
struct failure_key {
	bool slept; /* its time ran out; else it did not want to wait */
	int lane;
	int32_t fd;
	uint64_t call, error, channel;
};

const char *scene_told_error(const struct viz_operation *op)
{
	static const struct {
		int64_t number;
		const char *name;
	} errors[] = {{101, "ENETUNREACH"},
		      {104, "ECONNRESET"},
		      {110, "ETIMEDOUT"},
		      {111, "ECONNREFUSED"},
		      {113, "EHOSTUNREACH"}};

	if (!viz_bytes_equal(op->extra->option, viz_bytes_of("SO_ERROR")) ||
	    viz_operation_failed(op))
		return NULL;
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		if (op->extra->option_value == errors[i].number)
			return errors[i].name;
	return NULL;
}

struct burst {
	size_t draft;  /* index in the drafts */
	uint64_t last; /* the number of the operation that failed last; 0: none */
	size_t rows;
};

static bool would_wait(const struct viz_operation *op)
{
	return op->error.data &&
	       (strcmp(op->error.data, "EAGAIN") == 0 || strcmp(op->error.data, "ENOMSG") == 0);
}

static struct burst *burst_of(struct scene_drafts *d, struct scene_failures *failures,
			      const struct viz_operation *op, int lane, bool coarse)
{
	bool connected = op->channel && scene_is_connected(op->channel);
	struct failure_key key;
	struct viz_bytes bytes = {(const char *)&key, sizeof(key)};
	struct burst *burst;

	memset(&key, 0, sizeof(key));
	key.lane = lane;
	key.slept = op->off_cpu_ns != 0;
	key.fd = coarse ? -2 : op->fd;
	key.call = scene_text_number(op->syscall);
	key.error = scene_text_number(op->error);
	key.channel = !op->channel ? 0 : coarse && connected ? UINT64_MAX : op->channel->index + 1;
	burst = map_get(&failures->bursts, bytes);
	if (burst)
		return burst;
	burst = arena_alloc(d->arena, sizeof(*burst));
	map_put(d->arena, &failures->bursts, arena_bytes(d->arena, bytes.data, bytes.len), burst);
	return burst;
}

/* An interrupted call returns to its program only after the handler has returned. */
static uint64_t seen_failing_ns(const struct viz_operation *op, const struct viz_message *m)
{
	const struct viz_signal_event *last;

	if (!m)
		return op->exit_ns;
	last = m->signal->end ? m->signal->end : m->signal->deliver;
	return last && last->at_ns > op->exit_ns ? last->at_ns : op->exit_ns;
}

static size_t add_row(struct scene_drafts *d, const struct viz_operation *op, int lane)
{
	const struct viz_message *m = d->interrupter[op->index];
	bool goes_on = operation_may_restart(op) && m && m->signal->restarted;
	struct draft *draft = scene_draft(d, goes_on ? SCENE_NOTE : SCENE_FAILED, lane,
					  SCENE_NOWHERE);
	struct draft_detail *detail;

	draft->of.operation = op;
	draft->sent_ns = draft->received_ns = seen_failing_ns(op, m);
	detail = scene_set_detail(d, draft);
	detail->notice = m;
	detail->until_ns = draft->sent_ns;
	return d->count - 1;
}

static void add_to(struct scene_drafts *d, const struct burst *burst,
		   const struct viz_operation *op)
{
	d->rows[burst->draft].repeated++;
	d->rows[burst->draft].detail->until_ns = op->exit_ns;
}

void scene_collect_failure(struct scene_drafts *d, struct scene_failures *failures,
			   const struct viz_operation *op, int lane)
{
	struct burst *burst, *all;
	uint64_t moved = op->channel ? failures->moved[op->channel->index] : 0;

	if (d->interrupter[op->index]) {
		add_row(d, op, lane);
		return;
	}
	burst = burst_of(d, failures, op, lane, false);
	all = burst_of(d, failures, op, lane, true);
	if (burst->last && moved < burst->last) {
		add_to(d, burst, op);
	} else if (would_wait(op) && all->rows >= BURSTS_MOST && !d->request->unfold) {
		add_to(d, all, op);
		burst->draft = all->draft;
	} else {
		burst->draft = add_row(d, op, lane);
		if (!all->rows++)
			all->draft = burst->draft;
	}
	burst->last = failures->number;
}

void scene_end_burst(struct scene_failures *failures, const struct viz_operation *op)
{
	if (op->channel && (op->role == ROLE_SEND || op->role == ROLE_RECEIVE) &&
	    viz_operation_done(op) && !viz_operation_failed(op))
		failures->moved[op->channel->index] = failures->number;
}
