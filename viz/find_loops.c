// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What is done again and again: asking in vain, tiny transfers, stalls between two writes. */
#include <inttypes.h>

#include "find.h"

enum {
	IN_VAIN_LEAST = 200, /* calls in a row */
	TINY_LEAST = 1000,   /* calls */
	TINY_BYTES = 16,     /* a call, on average */
	STALLS_LEAST = 3,
};

/* What a thread did last. */
struct thread_past {
	const struct viz_operation *first; /* of the calls in vain in a row */
	uint64_t in_vain;
	uint64_t writes; /* in a row, on one TCP socket */
	const struct viz_channel *channel;
};

/* What a process moved through a channel. */
struct traffic {
	const struct viz_process *process;
	const struct viz_channel *channel;
	uint64_t calls, bytes;
	const struct viz_operation *first;
};

struct loops {
	struct diagnosis *d;
	struct map threads;
	struct map traffic;
	struct traffic **list;
	size_t count;
	struct map stalls; /* of a channel: how many, as a struct traffic */
};

static struct thread_past *past_of(struct loops *loops, const struct viz_operation *op)
{
	uint64_t key = (uintptr_t)op->thread;
	struct thread_past *past = map_get_uint(&loops->threads, key);

	if (!past) {
		past = arena_alloc(loops->d->arena, sizeof(*past));
		map_put_uint(loops->d->arena, &loops->threads, key, past);
	}
	return past;
}

/* It asked without waiting, and nothing was there. */
static bool in_vain(const struct viz_operation *op)
{
	int64_t timeout = -1;

	if (has_error(op, "EAGAIN"))
		return !op->began && op->channel;
	return op->role == ROLE_WAIT && op->returned == 0 && viz_has(op, returned) &&
	       viz_operation_argument(op, "timeout", &timeout) && timeout == 0;
}

static void end_run(struct loops *loops, struct thread_past *past, uint64_t end_ns)
{
	struct diagnosis *d = loops->d;
	const struct viz_operation *first = past->first;
	const struct viz_channel *channel = first->channel;
	uint64_t times = past->in_vain;
	struct finding *f;

	if (!channel && first->waits_for_count == 1)
		channel = first->waits_for[0].channel;
	past->in_vain = 0;
	if (times < IN_VAIN_LEAST || end_ns - first->enter_ns > times * MILLISECOND)
		return;
	f = finding_fold(d, FINDING_BUSY_WAIT, first->enter_ns, first->process, channel);
	f->times += times - 1;
	finding_operation(d, f, first);
	finding_say(d, f, "call", "%s", say_call(d, first));
	finding_say(d, f, "long", "%s", say_duration(d, end_ns - f->at_ns));
}

static void watch_vain(struct loops *loops, struct thread_past *past,
		       const struct viz_operation *op)
{
	bool vain = in_vain(op);
	bool same = past->in_vain && past->first->channel == op->channel &&
		    viz_bytes_equal(past->first->syscall, op->syscall);

	if (past->in_vain && !(vain && same))
		end_run(loops, past, op->enter_ns);
	if (!vain)
		return;
	if (!past->in_vain)
		past->first = op;
	past->in_vain++;
}

static struct traffic *traffic_of(struct loops *loops, struct map *map, uint64_t key,
				  const struct viz_operation *op)
{
	struct traffic *traffic = map_get_uint(map, key);

	if (!traffic) {
		traffic = arena_alloc(loops->d->arena, sizeof(*traffic));
		*traffic = (struct traffic){op->process, op->channel, 0, 0, op};
		map_put_uint(loops->d->arena, map, key, traffic);
		if (map == &loops->traffic)
			ARENA_PUSH(loops->d->arena, loops->list, loops->count, traffic);
	}
	return traffic;
}

static void watch_tiny(struct loops *loops, const struct viz_operation *op)
{
	struct traffic *traffic;

	if ((op->role != ROLE_SEND && op->role != ROLE_RECEIVE) || !op->channel ||
	    mechanism_info(op->channel->mechanism)->form != FORM_STREAM ||
	    op->channel->mechanism == MECH_PTY || op->returned <= 0)
		return;
	traffic = traffic_of(loops, &loops->traffic,
			     (uint64_t)op->process->index << 32 | op->channel->index, op);
	traffic->calls++;
	traffic->bytes += (uint64_t)op->returned;
}

/* Two writes or more, then a read that sleeps as long as an acknowledgement is delayed. */
static void watch_stall(struct loops *loops, struct thread_past *past,
			const struct viz_operation *op)
{
	struct finding *f;
	struct traffic *stalls;

	if (!op->channel || op->channel->mechanism != MECH_TCP) {
		return;
	} else if (op->role == ROLE_SEND) {
		past->writes = past->channel == op->channel ? past->writes + 1 : 1;
		past->channel = op->channel;
		return;
	} else if (op->role == ROLE_RECEIVE && past->channel == op->channel && past->writes >= 2 &&
		   op->off_cpu_ns > 35 * MILLISECOND && op->off_cpu_ns < 60 * MILLISECOND) {
		stalls = traffic_of(loops, &loops->stalls, op->channel->index, op);
		if (++stalls->calls >= STALLS_LEAST) {
			f = finding_fold(loops->d, FINDING_DELAYED_ACK, stalls->first->enter_ns,
					 op->process, op->channel);
			f->times = stalls->calls;
			finding_operation(loops->d, f, op);
		}
	}
	past->writes = 0;
}

static void tell_tiny(struct loops *loops)
{
	for (size_t i = 0; i < loops->count; i++) {
		const struct traffic *t = loops->list[i];
		struct finding *f;

		if (t->calls < TINY_LEAST || t->bytes > t->calls * TINY_BYTES)
			continue;
		f = finding_fold(loops->d, FINDING_TINY_TRANSFERS, t->first->enter_ns, t->process,
				 t->channel);
		f->times = t->calls;
		f->bytes = t->bytes;
		finding_operation(loops->d, f, t->first);
		finding_say(loops->d, f, "fewer", "%" PRIu64, t->bytes / 4096 + 1);
	}
}

void find_loops(struct diagnosis *d)
{
	struct loops loops = {.d = d};

	for (size_t i = 0; i < d->model->operation_count; i++) {
		const struct viz_operation *op = d->model->operations[i];
		struct thread_past *past = past_of(&loops, op);

		watch_vain(&loops, past, op);
		watch_tiny(&loops, op);
		watch_stall(&loops, past, op);
	}
	for (size_t i = 0; i < d->model->operation_count; i++) {
		struct thread_past *past = past_of(&loops, d->model->operations[i]);

		if (past->in_vain)
			end_run(&loops, past, d->end_ns);
	}
	tell_tiny(&loops);
}
