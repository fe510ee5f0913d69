// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Tells receives (and accepts) that found nothing because an event loop works so from those that a
 * reader should see. A loop takes until nothing is left, or tries before it waits; then poll,
 * select or epoll tells it of more. So it is one of a loop's if the process lets itself be told of
 * the channel, and
 *   - the thread's attempt before on that channel took something, or
 *   - the thread sleeps in such a wait for it before it tries again.
 * A program that asks again and again without waiting is none. Those of a loop are one remark for
 * each lane and call.
 */
#include <string.h>

#include "viz/model/operation_facts.h"
#include "viz/scene/fold.h"

/* What a thread did last with a channel. Compared byte by byte. */
struct attempt_key {
	const void *who;
	size_t channel;
};

struct attempt {
	const struct viz_operation *last;
};

/* A thread's vain attempts since it last waited. */
struct vain {
	const struct viz_operation **items;
	size_t count;
};

struct loops {
	struct scene_drafts *d;
	struct arena *arena;
	struct map attempts; /* by thread and channel */
	struct map watched;  /* by process and channel */
	struct map vain;     /* by thread */
};

static struct viz_bytes key_of(struct attempt_key *key, const void *who,
			       const struct viz_channel *channel)
{
	memset(key, 0, sizeof(*key));
	key->who = who;
	key->channel = channel->index;
	return (struct viz_bytes){(const char *)key, sizeof(*key)};
}

static const void *thread_of(const struct viz_operation *op)
{
	return op->thread ? (const void *)op->thread : (const void *)op->process;
}

static struct attempt *attempt_of(struct loops *l, const struct viz_operation *op)
{
	struct attempt_key key;
	struct viz_bytes bytes = key_of(&key, thread_of(op), op->channel);
	struct attempt *attempt = map_get(&l->attempts, bytes);

	if (attempt)
		return attempt;
	attempt = arena_alloc(l->arena, sizeof(*attempt));
	map_put(l->arena, &l->attempts, arena_bytes(l->arena, bytes.data, bytes.len), attempt);
	return attempt;
}

static struct vain *vain_of(struct loops *l, const struct viz_operation *op)
{
	struct vain *vain = map_get_uint(&l->vain, (uintptr_t)thread_of(op));

	if (vain)
		return vain;
	vain = arena_alloc(l->arena, sizeof(*vain));
	map_put_uint(l->arena, &l->vain, (uintptr_t)thread_of(op), vain);
	return vain;
}

static bool is_watched(const struct loops *l, const struct viz_operation *op)
{
	struct attempt_key key;

	return map_get(&l->watched, key_of(&key, op->process, op->channel)) != NULL;
}

static void watch(struct loops *l, const struct viz_process *process, const struct viz_wait *waits,
		  size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct attempt_key key;
		struct viz_bytes bytes;

		if (!waits[i].channel)
			continue;
		bytes = key_of(&key, process, waits[i].channel);
		if (!map_get(&l->watched, bytes))
			map_put(l->arena, &l->watched, arena_bytes(l->arena, bytes.data, bytes.len),
				l);
	}
}

/* Those that were not tried again, and that this wait is for, are a loop's. */
static void end_vain(struct loops *l, const struct viz_operation *wait)
{
	struct vain *vain = vain_of(l, wait);

	for (size_t i = 0; i < vain->count; i++)
		if (attempt_of(l, vain->items[i])->last == vain->items[i] &&
		    is_watched(l, vain->items[i]))
			l->d->drained[vain->items[i]->index] = true;
	vain->count = 0;
}

/* It tells of descriptors, and slept: unlike nanosleep, and unlike a wait with a timeout of 0. */
static bool is_told(const struct viz_operation *op)
{
	return operation_polls(op) && (op->off_cpu_ns || !viz_operation_done(op));
}

static bool is_attempt(const struct viz_operation *op)
{
	static const char accept[] = "accept";

	return op->channel && viz_operation_done(op) &&
	       (op->role == ROLE_RECEIVE ||
		(op->role == ROLE_OPEN && op->syscall.len >= sizeof(accept) - 1 &&
		 memcmp(op->syscall.data, accept, sizeof(accept) - 1) == 0));
}

static void see_attempt(struct loops *l, const struct viz_operation *op)
{
	struct attempt *attempt = attempt_of(l, op);
	const struct viz_operation *before = attempt->last;

	attempt->last = op;
	if (!operation_has_error(op, "EAGAIN") || op->off_cpu_ns) /* its time ran out */
		return;
	if (before && !viz_operation_failed(before) && is_watched(l, op)) {
		l->d->drained[op->index] = true;
	} else {
		struct vain *vain = vain_of(l, op);

		ARENA_PUSH(l->arena, vain->items, vain->count, op);
	}
}

/* Of packed calls it matters only that they took something, and when. */
static void see_packed(struct loops *l, const struct viz_operation *op)
{
	static const struct viz_operation took = {.extra = &viz_no_extra};

	if (is_attempt(op))
		attempt_of(l, op)->last = &took;
}

static void see(struct loops *l, const struct viz_operation *op)
{
	watch(l, op->process, op->extra->waits_for, op->extra->waits_for_count);
	watch(l, op->process, op->extra->ready, op->extra->ready_count);
	if (is_attempt(op))
		see_attempt(l, op);
	else if (is_told(op))
		end_vain(l, op);
}

void scene_find_event_loops(struct scene_drafts *d)
{
	const struct viz_model *model = d->request->model;
	struct loops loops = {.d = d, .arena = arena_new()};
	const struct viz_operation *op;
	struct scene_walk walk;

	d->drained = arena_array(d->arena, model->operation_count + 1, sizeof(*d->drained));
	scene_walk_begin(&walk, d);
	while ((op = scene_walk_next(&walk)))
		(walk.is_packed ? see_packed : see)(&loops, op);
	scene_walk_end(&walk);
	arena_free(loops.arena);
}

/* --- one remark for each lane and call --- */

struct drained_key {
	int lane;
	enum mechanism mechanism;
	uint64_t call;
};

bool scene_collect_drained(struct scene_drafts *d, struct scene_failures *failures,
			   const struct viz_operation *op, int lane)
{
	struct drained_key key;
	struct viz_bytes bytes = {(const char *)&key, sizeof(key)};
	size_t *at;
	struct draft *draft;

	if (!d->drained[op->index])
		return false;
	memset(&key, 0, sizeof(key));
	key.lane = lane;
	key.mechanism = op->channel->mechanism;
	key.call = scene_text_number(op->syscall);
	at = map_get(&failures->drained, bytes);
	if (at && !d->request->unfold) {
		d->rows[*at].repeated++;
		d->rows[*at].detail->until_ns = op->exit_ns;
		return true;
	}
	at = arena_alloc(d->arena, sizeof(*at));
	*at = d->count;
	map_put(d->arena, &failures->drained, arena_bytes(d->arena, bytes.data, bytes.len), at);
	draft = scene_draft(d, SCENE_NOTE, lane, SCENE_NOWHERE);
	draft->drained = true;
	draft->of.operation = op;
	draft->sent_ns = draft->received_ns = op->exit_ns;
	scene_set_detail(d, draft)->until_ns = op->exit_ns;
	return true;
}
