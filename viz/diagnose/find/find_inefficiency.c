// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Finds inefficient repetition: polling in vain, tiny transfers, stalls between two writes. */
#include <inttypes.h>

#include "viz/diagnose/find/refused_sends.h"
#include "viz/diagnose/find/stale_events.h"
#include "viz/diagnose/find/vain_calls.h"
#include "viz/diagnose/graph/wait_graph.h"

enum {
	IN_VAIN_LEAST = 200, /* calls in a row */
	TINY_LEAST = 1000,   /* calls */
	TINY_BYTES = 16,     /* per call on average */
	STALLS_LEAST = 3,
};

/* A call that a loop makes in vain, and how. */
struct vain_call {
	const struct viz_operation *op; /* NULL: none */
	const struct vain_kind *kind;
};

/* The recent calls of a thread. */
struct thread_past {
	struct vain_call first;		  /* of the current run of calls in vain */
	struct vain_call second;	  /* another one that is made by turns */
	const struct viz_operation *last; /* the latest one that is like the first */
	uint64_t in_vain;
	struct { /* of the run: sends whose data is lost, though others were sent later */
		uint64_t count;
		const struct viz_operation *first, *last;
	} lost;
	uint64_t writes; /* in a row, on one TCP socket */
	const struct viz_channel *channel;
};

/* The calls and bytes that a process moved through a channel. */
struct traffic {
	const struct viz_process *process;
	const struct viz_channel *channel;
	uint64_t calls, bytes;
	const struct viz_operation *first;
};

struct loops {
	struct diagnosis *d;
	struct map threads;
	struct thread_past **pasts; /* all in `threads` */
	size_t past_count;
	struct map traffic;
	struct traffic **list;
	size_t count;
	struct map stalls;   /* stalls of each channel, as a struct traffic */
	uint64_t *taken_ns;  /* by channel index: when somebody last took something there */
	struct map sent;     /* the last send of each process and kind that moved on or waited */
	const bool *refused; /* refused_sends() */
};

static struct thread_past *past_of(struct loops *loops, const struct viz_operation *op)
{
	uint64_t key = (uintptr_t)op->thread;
	struct thread_past *past = map_get_uint(&loops->threads, key);

	if (!past) {
		past = arena_alloc(loops->d->arena, sizeof(*past));
		map_put_uint(loops->d->arena, &loops->threads, key, past);
		ARENA_PUSH(loops->d->arena, loops->pasts, loops->past_count, past);
	}
	return past;
}

/* True if each send is a message of its own: one that fails is lost if nobody repeats it. */
static bool sends_messages(const struct viz_operation *op)
{
	return op->role == ROLE_SEND && op->channel &&
	       (op->channel->mechanism == MECH_UNIX_DGRAM ||
		op->channel->mechanism == MECH_UNIX_SEQPACKET ||
		op->channel->mechanism == MECH_UDP || op->channel->mechanism == MECH_POSIX_MQ ||
		op->channel->mechanism == MECH_SYSV_MSG);
}

/* Sends of one process and one kind: perhaps it sends again on another socket. */
static uint64_t sender_key(const struct viz_operation *op)
{
	return (uint64_t)op->process->index << 8 | (uint64_t)op->channel->mechanism;
}

/* A send that waited for room has tried again, even if none came in time. */
static void note_sent(struct loops *loops, struct viz_operation *op)
{
	if (sends_messages(op) && (!viz_operation_failed(op) || op->began))
		map_put_uint(loops->d->arena, &loops->sent, sender_key(op), op);
}

/* True if the process has ended by itself, and sent nothing of the kind any more. */
static bool is_given_up(const struct loops *loops, const struct viz_operation *last)
{
	const struct viz_operation *sent;

	if (!sends_messages(last) || !last->process->ended || last->process->exit_signal ||
	    loops->d->incomplete)
		return false;
	sent = map_get_uint(&loops->sent, sender_key(last));
	return !sent || sent->index < last->index;
}

static void report_given_up(struct loops *loops, const struct viz_operation *first,
			    const struct viz_operation *last, uint64_t times)
{
	struct finding *f = finding_fold(loops->d, FINDING_SEND_GIVEN_UP, first->enter_ns,
					 first->process, first->channel);

	f->times += times - 1;
	finding_operation(loops->d, f, first);
	finding_operation(loops->d, f, last);
	finding_set(loops->d, f, "call", "%s", call_text(loops->d, first));
}

/* Returns how many calls of the run are no waiting, as they gave up what they were to send. */
static uint64_t report_lost(struct loops *loops, const struct thread_past *past)
{
	if (is_given_up(loops, past->last)) {
		report_given_up(loops, past->first.op, past->last, past->in_vain);
		return past->in_vain;
	}
	if (past->lost.count)
		report_given_up(loops, past->lost.first, past->lost.last, past->lost.count);
	return past->lost.count;
}

/* True of calls that are not about a process, and of two about the same one. */
static bool about_same_process(const struct viz_operation *one, const struct viz_operation *other)
{
	int64_t pid = 0, other_pid = 0;

	viz_operation_argument(one, "pid", &pid);
	viz_operation_argument(other, "pid", &other_pid);
	return pid == other_pid;
}

static bool is_like(const struct vain_call *one, const struct vain_call *other)
{
	return one->kind == other->kind && one->op->channel == other->op->channel &&
	       viz_bytes_equal(one->op->syscall, other->op->syscall) &&
	       about_same_process(one->op, other->op);
}

static uint64_t least_ns(const struct vain_call *call)
{
	return call->op ? vain_least_ns(call->kind) : 0;
}

static uint64_t run_least_ns(const struct thread_past *past)
{
	return least_ns(&past->first) > least_ns(&past->second) ? least_ns(&past->first)
								: least_ns(&past->second);
}

/* The channel that the call was told of, or asked; NULL: it is not known. */
static const struct viz_channel *told_channel(const struct vain_call *call)
{
	const struct viz_operation *op = call->op;

	return op->extra->ready_count ? op->extra->ready[0].channel : op->channel;
}

/* A call that has not returned may have taken something, too. */
static void note_taken(struct loops *loops, const struct viz_operation *op)
{
	const struct viz_channel *source = viz_operation_source(op);

	if (source && !viz_operation_failed(op) && !operation_only_looks(op))
		loops->taken_ns[source->index] = op->exit_ns;
}

/* True if the run of such calls, from `since_ns` on, has what its kind needs to be a fault. */
static bool is_proved(const struct loops *loops, const struct vain_call *call, uint64_t since_ns)
{
	if (!call->op)
		return true;
	switch (vain_proof_of(call->kind)) {
	case PROOF_UNTAKEN:
		return loops->taken_ns[told_channel(call)->index] < since_ns;
	case PROOF_STALE:
		return stale_channel(loops->d, call->op) != NULL;
	case PROOF_NONE:
		break;
	}
	return true;
}

/* True if what the call was told of may have been done in a way that the trace does not show. */
static bool may_be_seen_to(const struct diagnosis *d, const struct vain_call *call)
{
	const struct viz_channel *channel;

	if (!least_ns(call))
		return false;
	channel = told_channel(call);
	return d->incomplete || wait_is_unseen(d->waits, channel ? channel : call->op->channel);
}

static void end_run(struct loops *loops, struct thread_past *past, uint64_t end_ns)
{
	struct diagnosis *d = loops->d;
	const struct viz_operation *first = past->first.op;
	const struct viz_channel *channel = first->channel;
	const uint64_t times = past->in_vain - report_lost(loops, past);
	struct finding *f;

	if (!channel && first->extra->waits_for_count == 1)
		channel = first->extra->waits_for[0].channel;
	past->in_vain = past->lost.count = 0;
	if (times < IN_VAIN_LEAST || end_ns - first->enter_ns > times * MILLISECOND ||
	    end_ns - first->enter_ns < run_least_ns(past) || may_be_seen_to(d, &past->first) ||
	    may_be_seen_to(d, &past->second) || !is_proved(loops, &past->first, first->enter_ns) ||
	    !is_proved(loops, &past->second, first->enter_ns))
		return;
	f = finding_fold(d, FINDING_BUSY_WAIT, first->enter_ns, first->process, channel);
	f->times += times - 1;
	finding_operation(d, f, first);
	finding_set(d, f, "call", "%s", call_text(d, first));
	finding_set(d, f, "long", "%s", duration_text(d, end_ns - f->at_ns));
	f->advice = vain_remedy(d, past->second.op ? past->second.kind : past->first.kind);
	if (vain_proof_of(past->first.kind) == PROOF_STALE)
		tell_stale(d, f, first, stale_channel(d, first));
}

/* A loop calls by turns, as poll() and then read(). What is sent is counted for itself. */
static bool goes_on(struct thread_past *past, const struct vain_call *call)
{
	if (!call->kind || !past->in_vain)
		return false;
	if (is_like(&past->first, call))
		return true;
	if (call->op->role == ROLE_SEND || past->first.op->role == ROLE_SEND)
		return false;
	if (!past->second.op)
		past->second = *call;
	return is_like(&past->second, call);
}

/* The call and those that were left out behind it: none where it went on by turns with others. */
static uint64_t times_in_vain(const struct viz_operation *op)
{
	const struct viz_repeats *repeats = &op->extra->repeats;

	return repeats->by_turns && !vain_kind_of(repeats->by_turns) ? 1 : 1 + repeats->count;
}

static void count_lost(struct thread_past *past, const struct viz_operation *op)
{
	if (!past->lost.count)
		past->lost.first = op;
	past->lost.count += times_in_vain(op);
	past->lost.last = op;
}

static void watch_vain(struct loops *loops, struct thread_past *past,
		       const struct viz_operation *op)
{
	const struct vain_call call = {op, vain_kind_of(op)};

	if (past->in_vain && op->after_gap)
		end_run(loops, past, op->enter_ns);
	if (past->in_vain && vain_is_between(past->first.kind, op))
		return;
	if (past->in_vain && !goes_on(past, &call))
		end_run(loops, past, op->enter_ns);
	if (!call.kind)
		return;
	if (!past->in_vain) {
		past->first = call;
		past->second = (struct vain_call){0};
	}
	if (!is_like(&past->first, &call))
		return;
	past->last = op;
	past->in_vain += times_in_vain(op);
	if (loops->refused && loops->refused[op->index])
		count_lost(past, op);
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
	    op->channel->mechanism == MECH_PTY || op->returned <= 0 || operation_only_looks(op))
		return;
	traffic = traffic_of(loops, &loops->traffic, viz_pair_key(op->process, op->channel), op);
	traffic->calls++;
	traffic->bytes += (uint64_t)op->returned;
}

/* Counts reads that follow two or more writes and sleep as long as a delayed acknowledgement. */
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

/* Adds the calls that the model does not hold; others of the same process and channel are there. */
static void add_ordinary(struct loops *loops)
{
	for (size_t i = 0; i < loops->d->model->ordinary_count; i++) {
		const struct viz_ordinary *ordinary = loops->d->model->ordinary[i];
		struct traffic *traffic = map_get_uint(
			&loops->traffic, viz_pair_key(ordinary->process, ordinary->channel));

		if (!traffic)
			continue;
		traffic->calls += ordinary->calls;
		traffic->bytes += ordinary->bytes;
	}
}

static void report_tiny(struct loops *loops)
{
	add_ordinary(loops);
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
		finding_set(loops->d, f, "fewer", "%" PRIu64, t->bytes / 4096 + 1);
	}
}

void find_loops(struct diagnosis *d)
{
	struct loops loops = {.d = d,
			      .taken_ns = arena_array(d->arena, d->model->channel_count + 1,
						      sizeof(*loops.taken_ns)),
			      .refused = refused_sends(d)};

	for (size_t i = 0; i < d->model->operation_count; i++)
		note_sent(&loops, d->model->operations[i]);
	for (size_t i = 0; i < d->model->operation_count; i++) {
		const struct viz_operation *op = d->model->operations[i];
		struct thread_past *past = past_of(&loops, op);

		note_taken(&loops, op);
		watch_vain(&loops, past, op);
		watch_tiny(&loops, op);
		watch_stall(&loops, past, op);
	}
	for (size_t i = 0; i < loops.past_count; i++)
		if (loops.pasts[i]->in_vain)
			end_run(&loops, loops.pasts[i], d->end_ns);
	report_tiny(&loops);
}
