// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds locks that one process takes as A, then B, and another as B, then A: nothing went wrong
 * this time. Locks are semaphores of System V that are used as such, exclusive locks on files, and
 * mutexes that processes share, as far as they were waited for.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "viz/base/compare.h"
#include "viz/diagnose/core/finder.h"

enum { NO_WAIT = 04000, UNDO = 010000 };	/* semop(2) */
enum { LOCK_NO_WAIT = 4 };			/* flock(2) */
enum { SETLK_WAITS = 7, OFD_SETLK_WAITS = 38 }; /* fcntl(2) */
enum { HELD_MOST = 16, ORDERS_MOST = 8 };

/* What tells two locks apart: the object, and the number or the range in it. */
struct lock_key {
	uint64_t channel, kind;
	int64_t offset, length;
};

struct lock {
	size_t index;
	struct lock_key key;
	struct orders *orders; /* of which it is the first lock */
	const struct viz_channel *channel;
	const struct viz_thread *holder; /* NULL: free */
	const struct viz_operation *taken;
	bool undo;    /* the kernel gives it back when its holder ends */
	bool used;    /* it was taken before */
	bool posted;  /* it was given back before it was ever taken */
	bool is_none; /* it counts, signals or is shared: no lock in the sense of this file */
};

/* What happens to a lock: it is taken when a call returns, given back when one begins. */
struct step {
	uint64_t at_ns;
	size_t index;
	const struct viz_operation *op;
	struct lock *lock;
	bool takes;
	bool waits; /* it slept, or would have, until the lock was free */
	bool undo;
};

/* That a process took one lock and then, while it had it, another. */
struct order {
	const struct viz_operation *first, *second;
	uint64_t from_ns, until_ns;	    /* when that was seen first and last */
	const struct lock *held[HELD_MOST]; /* what it had besides, each time */
	size_t held_count;
	bool certain; /* the first one was given back afterwards, so it was not lost in between */
};

/* Of two locks. */
struct orders {
	const struct lock *first, *second;
	struct order items[ORDERS_MOST]; /* of different processes */
	size_t count;
	struct orders *next_of_first, *next;
};

/* The locks that a thread has. */
struct holder {
	struct lock *held[HELD_MOST];
	size_t count;
	bool cut; /* there were more once, so that it is not known what else it has */
};

struct search {
	struct diagnosis *d;
	struct map locks; /* by struct lock_key */
	struct lock **all;
	size_t lock_count;
	struct step *steps;
	size_t step_count;
	struct map orders; /* pairs of locks: struct orders */
	struct orders *all_orders;
	struct map holders; /* by thread: struct holder */
};

static struct lock *lock_of(struct search *search, const struct viz_channel *channel,
			    struct lock_key key)
{
	struct lock *lock;

	key.channel = channel->index;
	lock = map_get(&search->locks, (struct viz_bytes){(const char *)&key, sizeof(key)});
	if (lock)
		return lock;
	lock = arena_array(search->d->arena, 1, sizeof(*lock));
	lock->index = search->lock_count;
	lock->key = key;
	lock->channel = channel;
	map_put(search->d->arena, &search->locks, arena_bytes(search->d->arena, &key, sizeof(key)),
		lock);
	ARENA_PUSH(search->d->arena, search->all, search->lock_count, lock);
	return lock;
}

static void add_step(struct search *search, struct step step)
{
	step.index = search->step_count;
	step.at_ns = step.takes ? step.op->exit_ns : step.op->enter_ns;
	ARENA_PUSH(search->d->arena, search->steps, search->step_count, step);
}

/* Several changes of one call happen at once, so they have no order. */
static void note_sems(struct search *search, const struct viz_operation *op)
{
	for (size_t i = 0; i < op->extra->sems_count; i++) {
		const struct viz_sem *sem = &op->extra->sems[i];
		struct lock *lock = lock_of(search, op->channel,
					    (struct lock_key){.offset = (int64_t)sem->number});

		if (sem->change != 1 && sem->change != -1)
			lock->is_none = true;
		else
			add_step(search, (struct step){.op = op,
						       .lock = lock,
						       .takes = sem->change < 0,
						       .waits = !(sem->flags & NO_WAIT) &&
								op->extra->sems_count == 1 &&
								!viz_has(op, timeout_ns) &&
								!viz_has(op, timed),
						       .undo = (sem->flags & UNDO) != 0});
	}
}

static bool file_lock_waits(const struct viz_operation *op)
{
	int64_t command = 0;

	if (viz_operation_argument(op, "operation", &command))
		return !(command & LOCK_NO_WAIT);
	return viz_operation_argument(op, "cmd", &command) &&
	       (command == SETLK_WAITS || command == OFD_SETLK_WAITS);
}

#define ALL_OF_FILE ((int64_t)UINT64_MAX)

static void note_file_lock(struct search *search, const struct viz_operation *op)
{
	const struct viz_lock *asked = &op->extra->lock;
	struct lock *lock;

	if (asked->mode == LOCK_MODE_NONE)
		return;
	lock = lock_of(search, op->channel,
		       (struct lock_key){.kind = 1 + (uint64_t)asked->kind,
					 .offset = (int64_t)asked->from,
					 .length = (int64_t)(asked->to - asked->from)});
	if (asked->mode == LOCK_MODE_SHARED || !asked->placed)
		lock->is_none = true;
	add_step(search, (struct step){.op = op,
				       .lock = lock,
				       .takes = asked->mode == LOCK_MODE_EXCLUSIVE,
				       .waits = file_lock_waits(op)});
}

/*
 * The mutex of the C library: whoever slept on it with the value 2 has it when the last of these
 * calls returns, and gives it back by waking the next one. Taking a free one makes no call. What
 * wakes several is a barrier or a condition variable.
 */
static void note_mutex(struct search *search, const struct viz_operation *op)
{
	enum { COMMANDS = 127, WAIT = 0, WAKE = 1, CONTENDED = 2 };
	int64_t command = 0, value = 0;
	struct lock *lock;
	bool takes, gives;

	if (!viz_operation_argument(op, "op", &command) ||
	    !viz_operation_argument(op, "val", &value))
		return;
	takes = (command & COMMANDS) == WAIT && value == CONTENDED && !viz_has(op, timeout_ns) &&
		!viz_has(op, timed);
	gives = (command & COMMANDS) == WAKE;
	lock = lock_of(search, op->channel, (struct lock_key){0});
	lock->is_none |= gives && value != 1;
	if (takes || gives)
		add_step(search,
			 (struct step){.op = op, .lock = lock, .takes = takes, .waits = takes});
}

/* A semaphore that is set to more than 1 lets several in. */
static void note_set(struct search *search, const struct viz_operation *op)
{
	enum { SETVAL = 16 };
	int64_t command = 0, number = 0, value = 0;

	if (viz_operation_argument(op, "cmd", &command) && command == SETVAL &&
	    viz_operation_argument(op, "semnum", &number) &&
	    viz_operation_argument(op, "arg", &value) && (int32_t)value > 1)
		lock_of(search, op->channel, (struct lock_key){.offset = number})->is_none = true;
}

static void note(struct search *search, const struct viz_operation *op)
{
	if (!op->channel || !viz_operation_done(op) ||
	    (viz_operation_failed(op) && op->channel->mechanism != MECH_FUTEX))
		return;
	if (operation_is(op, "semctl"))
		note_set(search, op);
	else if (op->channel->mechanism == MECH_SYSV_SEM)
		note_sems(search, op);
	else if (op->channel->mechanism == MECH_FILE_LOCK)
		note_file_lock(search, op);
	else if (op->channel->mechanism == MECH_FUTEX && operation_is(op, "futex"))
		note_mutex(search, op);
}

static int by_time(const void *a, const void *b)
{
	const struct step *x = a, *y = b;

	return COMPARE(x->at_ns, y->at_ns) ?: COMPARE(x->index, y->index);
}

static bool is_sem(const struct lock *lock)
{
	return lock->channel->mechanism == MECH_SYSV_SEM;
}

/*
 * A semaphore is a lock if only its holder gives it back, but for the first time, which may set it
 * up; and if nobody takes it meanwhile.
 */
static void judge(const struct step *step)
{
	struct lock *lock = step->lock;
	const struct viz_process *holder = lock->holder ? lock->holder->process : NULL;

	if (is_sem(lock) && holder && lock->undo && holder->end_ns <= step->at_ns)
		holder = NULL;
	if (is_sem(lock) && step->takes && holder)
		lock->is_none = true;
	if (is_sem(lock) && !step->takes && holder != step->op->process &&
	    (lock->used || lock->posted))
		lock->is_none = true;
	lock->posted |= !step->takes;
	lock->used |= step->takes;
	lock->holder = step->takes ? step->op->thread : NULL;
	lock->undo = step->undo;
}

/* Finds which semaphores are locks, so that the second walk knows. */
static void judge_all(struct search *search)
{
	for (size_t i = 0; i < search->step_count; i++)
		judge(&search->steps[i]);
	for (size_t i = 0; i < search->lock_count; i++)
		search->all[i]->holder = NULL;
}

static uint64_t pair_key(const struct lock *a, const struct lock *b)
{
	return (uint64_t)a->index << 32 | b->index;
}

static struct orders *orders_of(struct search *search, struct lock *first,
				const struct lock *second)
{
	struct orders *orders = map_get_uint(&search->orders, pair_key(first, second));

	if (orders)
		return orders;
	orders = arena_array(search->d->arena, 1, sizeof(*orders));
	orders->first = first;
	orders->second = second;
	orders->next_of_first = first->orders;
	orders->next = search->all_orders;
	first->orders = search->all_orders = orders;
	map_put_uint(search->d->arena, &search->orders, pair_key(first, second), orders);
	return orders;
}

static struct order *order_of(struct orders *orders, const struct viz_process *process)
{
	for (size_t i = 0; i < orders->count; i++)
		if (orders->items[i].first->process == process)
			return &orders->items[i];
	return NULL;
}

static bool has(const struct holder *holder, const struct lock *lock)
{
	for (size_t i = 0; i < holder->count; i++)
		if (holder->held[i] == lock)
			return true;
	return false;
}

/* Keeps of the locks that the process had besides those that it has this time as well. */
static void keep_common(struct order *order, const struct holder *holder)
{
	size_t kept = 0;

	for (size_t i = 0; i < order->held_count; i++)
		if (has(holder, order->held[i]))
			order->held[kept++] = order->held[i];
	order->held_count = kept;
}

/* The thread has `first` and others, and takes one more. */
static void note_order(struct search *search, struct lock *first, const struct step *step,
		       const struct holder *holder)
{
	struct orders *orders = orders_of(search, first, step->lock);
	struct order *order = order_of(orders, step->op->process);

	if (!order && orders->count < ORDERS_MOST) {
		order = &orders->items[orders->count++];
		order->from_ns = step->at_ns;
		for (size_t i = 0; i < holder->count; i++)
			if (holder->held[i] != first && holder->held[i] != step->lock)
				order->held[order->held_count++] = holder->held[i];
	}
	if (!order)
		return;
	keep_common(order, holder);
	order->until_ns = step->at_ns;
	if (order->certain)
		return;
	order->first = first->taken;
	order->second = step->op;
	order->certain = is_sem(first);
}

/* That a file was closed is not seen: only who gives its lock back afterwards had it still. */
static void confirm(const struct step *step)
{
	for (struct orders *orders = step->lock->orders; orders; orders = orders->next_of_first) {
		struct order *order = order_of(orders, step->op->process);

		if (order && order->first == step->lock->taken)
			order->certain = true;
	}
}

static struct holder *holder_of(struct search *search, const struct viz_thread *thread)
{
	struct holder *holder = map_get_uint(&search->holders, (uintptr_t)thread);

	if (!holder) {
		holder = arena_array(search->d->arena, 1, sizeof(*holder));
		map_put_uint(search->d->arena, &search->holders, (uintptr_t)thread, holder);
	}
	return holder;
}

static void give_back(struct search *search, struct lock *lock)
{
	struct holder *holder = lock->holder ? holder_of(search, lock->holder) : NULL;
	size_t kept = 0;

	for (size_t i = 0; holder && i < holder->count; i++)
		if (holder->held[i] != lock)
			holder->held[kept++] = holder->held[i];
	if (holder)
		holder->count = kept;
	lock->holder = NULL;
}

static void take(struct search *search, const struct step *step)
{
	struct holder *holder = holder_of(search, step->op->thread);

	give_back(search, step->lock);
	for (size_t i = 0; i < holder->count && step->waits && !holder->cut; i++)
		note_order(search, holder->held[i], step, holder);
	step->lock->holder = step->op->thread;
	step->lock->taken = step->op;
	if (holder->count == HELD_MOST)
		holder->cut = true;
	else
		holder->held[holder->count++] = step->lock;
}

static void walk(struct search *search)
{
	for (size_t i = 0; i < search->step_count; i++) {
		const struct step *step = &search->steps[i];
		const struct viz_thread *holder = step->lock->holder;

		if (step->lock->is_none)
			continue;
		if (step->takes) {
			take(search, step);
		} else if (holder && holder->process == step->op->process) {
			confirm(step);
			give_back(search, step->lock);
		}
	}
}

static bool have_common(const struct order *a, const struct order *b)
{
	for (size_t i = 0; i < a->held_count; i++)
		for (size_t k = 0; k < b->held_count; k++)
			if (a->held[i] == b->held[k])
				return true;
	return false;
}

/* True if each was seen while the other process lived: one may wait for the other one day. */
static bool may_meet(const struct order *a, const struct order *b)
{
	const struct viz_process *p = a->first->process, *q = b->first->process;

	return p != q && a->certain && b->certain && a->until_ns >= q->start_ns &&
	       a->from_ns < q->end_ns && b->until_ns >= p->start_ns && b->from_ns < p->end_ns &&
	       !have_common(a, b);
}

static const char *lock_text(struct diagnosis *d, const struct lock *lock)
{
	const char *name = channel_text(d, lock->channel);

	if (is_sem(lock))
		return format_text(d, "%s #%" PRId64, name, lock->key.offset);
	if (lock->channel->mechanism == MECH_FILE_LOCK &&
	    (lock->key.offset || lock->key.length != ALL_OF_FILE))
		return format_text(d, "%s @%" PRId64, name, lock->key.offset);
	return name;
}

static void report(struct diagnosis *d, const struct orders *orders, const struct order *one,
		   const struct order *other)
{
	const struct order *both[] = {one, other};
	struct finding *f = finding_add(d, FINDING_LOCK_ORDER, other->from_ns,
					orders->first->channel);

	for (int i = 0; i < 2; i++) {
		finding_process(d, f, both[i]->first->process);
		finding_operation(d, f, both[i]->first);
		finding_operation(d, f, both[i]->second);
	}
	finding_set(d, f, "who", "%s", process_text(d, one->first->process));
	finding_set(d, f, "other", "%s", process_text(d, other->first->process));
	finding_set(d, f, "first", "%s", lock_text(d, orders->first));
	finding_set(d, f, "second", "%s", lock_text(d, orders->second));
}

/* One finding for each two locks, of the first two processes. */
static void report_pair(struct search *search, const struct orders *there)
{
	const struct orders *back = map_get_uint(&search->orders,
						 pair_key(there->second, there->first));

	for (size_t i = 0; back && i < there->count; i++)
		for (size_t k = 0; k < back->count; k++)
			if (may_meet(&there->items[i], &back->items[k])) {
				report(search->d, there, &there->items[i], &back->items[k]);
				return;
			}
}

void find_lock_order(struct diagnosis *d)
{
	struct search search = {.d = d};

	for (size_t i = 0; i < d->model->operation_count && !d->incomplete; i++)
		note(&search, d->model->operations[i]);
	if (search.lock_count < 2 || !search.step_count)
		return;
	qsort(search.steps, search.step_count, sizeof(search.steps[0]), by_time);
	judge_all(&search);
	walk(&search);
	for (const struct orders *orders = search.all_orders; orders; orders = orders->next)
		if (orders->first->index < orders->second->index)
			report_pair(&search, orders);
}
