// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Of which case a circle of waits is, by what its processes wait for, so that the advice fits. Each
 * case is a row.
 */
#include "viz/diagnose/wait/waits.h"

enum { STDOUT = 1, STDERR = 2 };

/* Returns who has to act, NULL: the circle is not of this case. */
typedef const struct viz_process *case_fn(struct diagnosis *d, struct finding *f,
					  const struct wait_circle *circle);
/* True if two waits of the circle are of the case: then whose the second one is has to act. */
typedef bool pair_fn(const struct diagnosis *d, const struct wait_circle *circle,
		     const struct wait *one, const struct wait *other);

/* True if it is for a lock: of a file, a mutex, or, which may be none, a semaphore. */
static bool is_for_some_lock(const struct wait *wait)
{
	return wait->channel && (wait->channel->mechanism == MECH_FILE_LOCK ||
				 (is_semaphore(wait->channel) && !wait_is_for_zero(wait)));
}

static bool is_for_semaphore(const struct wait *wait)
{
	return wait->channel && is_semaphore(wait->channel) && !wait_is_mutex(wait->operation);
}

static bool is_by_descendant(const struct wait *wait, const struct wait *other)
{
	return wait->process != other->process &&
	       viz_process_descends(wait->process, other->process);
}

/* True if it writes its standard output, which the process of `parent` alone should read. */
static bool writes_to_parent(const struct diagnosis *d, const struct wait *wait,
			     const struct wait *parent)
{
	const int fd = wait->operation->fd;

	return wait->operation->role == ROLE_SEND && (fd == STDOUT || fd == STDERR) &&
	       is_by_descendant(wait, parent) && wait_is_ended_by(d->waits, wait, parent->process);
}

/* True if it writes to `child` for the process of `parent`: by itself, or by a child of its own. */
static bool feeds_for(const struct diagnosis *d, const struct wait *wait, const struct wait *child,
		      const struct wait *parent)
{
	return wait != child && wait->operation->role == ROLE_SEND &&
	       wait_is_ended_by(d->waits, wait, child->process) &&
	       (wait == parent || (waits_for_child(parent) && is_by_descendant(wait, parent)));
}

static bool is_fed(const struct diagnosis *d, const struct wait_circle *circle,
		   const struct wait *child, const struct wait *parent)
{
	for (size_t i = 0; i < circle->count; i++)
		if (feeds_for(d, circle->waits[i], child, parent))
			return true;
	return false;
}

/* Calls `is` for all pairs of waits; returns the process of the second one of the first match. */
static const struct viz_process *second_of_pair(const struct diagnosis *d,
						const struct wait_circle *circle, pair_fn *is)
{
	enum { LOOK_AT = 64 };

	for (size_t i = 0; i < circle->count && i < LOOK_AT; i++)
		for (size_t k = 0; k < circle->count && k < LOOK_AT; k++)
			if (i != k && is(d, circle, circle->waits[i], circle->waits[k]))
				return circle->waits[k]->process;
	return NULL;
}

/* The pipes to and from a child are full: who feeds it reads its output only afterwards. */
static bool is_both_full(const struct diagnosis *d, const struct wait_circle *circle,
			 const struct wait *child, const struct wait *parent)
{
	return writes_to_parent(d, child, parent) && is_fed(d, circle, child, parent);
}

/* True if it reads one channel, and `writer`, a descendant of it, another that it does not read. */
static bool is_other_unread(const struct diagnosis *d, const struct wait_circle *circle,
			    const struct wait *writer, const struct wait *reader)
{
	(void)circle;
	return reader->operation->role == ROLE_RECEIVE && writes_to_parent(d, writer, reader);
}

/*
 * True if the process waits for a child at a lock that it shares with one that writes what the
 * process could read: of several that put something into a queue one writes at a time.
 */
static bool is_joined_early(const struct diagnosis *d, const struct wait_circle *circle,
			    const struct wait *writer, const struct wait *parent)
{
	if (writer->operation->role != ROLE_SEND || !waits_for_child(parent) ||
	    !is_by_descendant(writer, parent) ||
	    !wait_is_ended_by(d->waits, writer, parent->process))
		return false;
	for (size_t i = 0; i < circle->count; i++)
		if (is_for_semaphore(circle->waits[i]) &&
		    wait_is_ended_by(d->waits, parent, circle->waits[i]->process) &&
		    wait_is_ended_by(d->waits, circle->waits[i], writer->process))
			return true;
	return false;
}

static const struct viz_process *find_all_send(struct diagnosis *d, struct finding *f,
					       const struct wait_circle *circle)
{
	(void)d;
	(void)f;
	for (size_t i = 0; i < circle->count; i++)
		if (circle->waits[i]->operation->role != ROLE_SEND)
			return NULL;
	return circle->waits[0]->process;
}

/*
 * Which semaphores of a set are waited for a glance does not tell: then they are only known to be
 * the same where there is but one.
 */
static bool is_same_semaphore(const struct viz_channel *set, const struct viz_operation_extra *one,
			      const struct viz_operation_extra *other)
{
	if (set->capacity == 1)
		return true;
	return one->sems_count && other->sems_count && one->sems[0].number == other->sems[0].number;
}

/* True if both wait for the same lock, or the same part of it. */
static bool is_same_lock(const struct wait *one, const struct wait *other)
{
	const struct viz_operation_extra *a = one->operation->extra, *b = other->operation->extra;

	if (one->channel != other->channel)
		return false;
	if (one->channel->mechanism == MECH_SYSV_SEM)
		return is_same_semaphore(one->channel, a, b);
	return a->lock.from == b->lock.from && a->lock.to == b->lock.to;
}

/*
 * Returns the first of two or more waits for different locks, where all others are for locks or for
 * children, which may wait for them; NULL: it is not so. `certain` if none is for a semaphore.
 */
static const struct wait *find_two_locks(const struct wait_circle *circle, bool *certain)
{
	const struct wait *first = NULL;
	bool two = false;

	*certain = true;
	for (size_t i = 0; i < circle->count; i++) {
		const struct wait *wait = circle->waits[i];

		if (!is_for_some_lock(wait) && !waits_for_child(wait))
			return NULL;
		if (waits_for_child(wait))
			continue;
		*certain &= !is_for_semaphore(wait);
		two |= first && !is_same_lock(first, wait);
		first = first ? first : wait;
	}
	return two ? first : NULL;
}

static const struct viz_process *find_lock_circle(struct diagnosis *d, struct finding *f,
						  const struct wait_circle *circle)
{
	bool certain;
	const struct wait *first = find_two_locks(circle, &certain);

	(void)d;
	(void)f;
	return first && certain ? first->process : NULL;
}

static const struct viz_process *find_semaphore_circle(struct diagnosis *d, struct finding *f,
						       const struct wait_circle *circle)
{
	bool certain;
	const struct wait *first = find_two_locks(circle, &certain);

	(void)d;
	(void)f;
	return first ? first->process : NULL;
}

/* They all wait for one semaphore, which no other process could post. */
static const struct viz_process *find_one_semaphore(struct diagnosis *d, struct finding *f,
						    const struct wait_circle *circle)
{
	const struct wait *first = circle->waits[0];

	(void)d;
	(void)f;
	for (size_t i = 0; i < circle->count; i++)
		if (!is_for_semaphore(circle->waits[i]) || wait_is_for_zero(circle->waits[i]) ||
		    !is_same_lock(first, circle->waits[i]))
			return NULL;
	return first->process;
}

/* One that used a semaphore which is waited for was killed. */
static const struct viz_process *find_killed_user(struct diagnosis *d, struct finding *f,
						  const struct wait_circle *circle)
{
	for (size_t i = 0; i < circle->count; i++)
		if (is_for_semaphore(circle->waits[i]) && tell_killed_users(d, f, circle->waits[i]))
			return circle->waits[i]->process;
	return NULL;
}

/* True if it reads the master of the terminal from which `reader` waits for what is typed. */
static bool is_prompted(const struct diagnosis *d, const struct wait_circle *circle,
			const struct wait *reader, const struct wait *master)
{
	(void)circle;
	return reader->operation->role != ROLE_SEND && reader->channel && master->channel &&
	       reader->channel->mechanism == MECH_PTY && !reader->channel->master &&
	       master->channel->mechanism == MECH_PTY && master->channel->master &&
	       wait_is_ended_by(d->waits, reader, master->process);
}

/* Who waits for a child, and that one, or whom it waits for, waits at a semaphore. */
static const struct viz_process *find_kept_semaphore(struct diagnosis *d, struct finding *f,
						     const struct wait_circle *circle)
{
	const struct viz_process *parent = NULL;
	bool semaphore = false;

	(void)d;
	(void)f;
	for (size_t i = 0; i < circle->count; i++) {
		semaphore |= is_for_semaphore(circle->waits[i]);
		if (waits_for_child(circle->waits[i]))
			parent = circle->waits[i]->process;
	}
	return semaphore ? parent : NULL;
}

/* A stream, where who receives waits for what somebody has yet to write. */
static bool receives_stream(const struct wait *wait)
{
	const struct viz_channel *channel = wait->channel;

	return channel && mechanism_info(channel->mechanism)->form == FORM_STREAM &&
	       channel->mechanism != MECH_PTY &&
	       (wait->operation->role == ROLE_RECEIVE ||
		(operation_polls(wait->operation) && !wait->room));
}

static const struct viz_process *find_all_receive(struct diagnosis *d, struct finding *f,
						  const struct wait_circle *circle)
{
	(void)d;
	(void)f;
	for (size_t i = 0; i < circle->count; i++)
		if (!receives_stream(circle->waits[i]))
			return NULL;
	return circle->waits[0]->process;
}

/* True if the parent waits for children, and the child for what the parent could write to it. */
static bool is_joined_reader(const struct diagnosis *d, const struct wait_circle *circle,
			     const struct wait *child, const struct wait *parent)
{
	(void)circle;
	return receives_stream(child) && waits_for_child(parent) &&
	       is_by_descendant(child, parent) &&
	       wait_is_ended_by(d->waits, child, parent->process);
}

/* Who has a lock waits for a child that asks for it. */
static bool is_locked_out(const struct diagnosis *d, const struct wait_circle *circle,
			  const struct wait *child, const struct wait *parent)
{
	(void)circle;
	return child->channel && child->channel->mechanism == MECH_FILE_LOCK &&
	       waits_for_child(parent) && is_by_descendant(child, parent) &&
	       wait_is_ended_by(d->waits, child, parent->process);
}

enum advice_case circle_case(struct diagnosis *d, struct finding *f,
			     const struct wait_circle *circle, const struct viz_process **to_act)
{
	static const struct {
		enum advice_case about;
		pair_fn *is_pair; /* NULL: `find` tells */
		case_fn *find;
	} rows[] = {
		{ADVICE_QUEUE_JOINED, is_joined_early, NULL},
		{ADVICE_BOTH_FULL, is_both_full, NULL},
		{ADVICE_OTHER_UNREAD, is_other_unread, NULL},
		{ADVICE_ALL_SEND, NULL, find_all_send},
		{ADVICE_LOCK_ORDER, NULL, find_lock_circle},
		{ADVICE_LOCKED_OUT, is_locked_out, NULL},
		{ADVICE_SEMAPHORE_KEPT, NULL, find_killed_user},
		{ADVICE_SEMAPHORE_ORDER, NULL, find_semaphore_circle},
		{ADVICE_SEMAPHORE_UNPOSTED, NULL, find_one_semaphore},
		{ADVICE_PROMPT, is_prompted, NULL},
		{ADVICE_SEMAPHORE_KEPT, NULL, find_kept_semaphore},
		{ADVICE_JOINED_READER, is_joined_reader, NULL},
		{ADVICE_ALL_RECEIVE, NULL, find_all_receive},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		*to_act = rows[i].is_pair ? second_of_pair(d, circle, rows[i].is_pair)
					  : rows[i].find(d, f, circle);
		if (*to_act)
			return rows[i].about;
	}
	return ADVICE_NONE;
}
