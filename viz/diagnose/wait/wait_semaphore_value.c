// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* System V semaphores: waits until one is 0, what its value is, and who set it anew (semop(2)). */
#include "viz/diagnose/wait/waits.h"

bool wait_is_for_zero(const struct wait *wait)
{
	const struct viz_operation *op = wait->operation;
	const struct viz_channel *channel = wait->channel;

	if (!channel || channel->mechanism != MECH_SYSV_SEM)
		return false;
	for (size_t i = 0; i < channel->glimpse->zero_waiter_count; i++)
		if (channel->glimpse->zero_waiters[i] == wait->process->pid)
			return true;
	return op->extra->sems_count == 1 && !op->extra->sems[0].change;
}

/* True for semctl(2) with this command, by which values are set. */
static bool sets(const struct viz_operation *op, int64_t command)
{
	int64_t given;

	return operation_is(op, "semctl") && viz_operation_done(op) && op->returned >= 0 &&
	       viz_operation_argument(op, "cmd", &given) && given == command;
}

enum { SETVAL = 16, SETALL = 17 }; /* linux/sem.h */

static bool sets_one(const struct viz_operation *op, uint64_t number)
{
	int64_t given;

	return sets(op, SETVAL) && viz_operation_argument(op, "semnum", &given) &&
	       (uint64_t)given == number;
}

/* Adds what a semop(2) that succeeded changed; false if its process took that back as it ended. */
static bool add_changes(const struct viz_operation *op, uint64_t number, int64_t *value)
{
	enum { UNDO = 0x1000 };

	for (size_t i = 0; i < op->extra->sems_count; i++) {
		const struct viz_sem *sem = &op->extra->sems[i];

		if (sem->number != number || !viz_operation_done(op) || op->returned < 0)
			continue;
		if (sem->flags & UNDO)
			return false;
		*value += sem->change;
	}
	return true;
}

/* What the calls changed that the model does not hold. */
static int64_t left_out(const struct viz_model *model, const struct viz_channel *channel,
			uint64_t number)
{
	for (size_t i = 0; i < model->sem_change_count; i++)
		if (model->sem_changes[i]->channel == channel &&
		    model->sem_changes[i]->number == number)
			return model->sem_changes[i]->change;
	return 0;
}

static bool value_of_trace(const struct diagnosis *d, const struct wait *wait, uint64_t number,
			   int64_t *value)
{
	bool known = false;

	for (size_t i = 0; i < d->model->operation_count; i++) {
		const struct viz_operation *op = d->model->operations[i];

		if (op->channel != wait->channel)
			continue;
		if (sets_one(op, number))
			known = viz_operation_argument(op, "arg", value);
		else if (sets(op, SETALL) || !add_changes(op, number, value))
			return false;
	}
	*value += left_out(d->model, wait->channel, number);
	return known && !d->incomplete && *value >= 0;
}

bool wait_semaphore_value(const struct diagnosis *d, const struct wait *wait, int64_t *value)
{
	const struct viz_operation_extra *extra = wait->operation->extra;

	*value = (int64_t)wait->channel->glimpse->value;
	if (d->waits->whole)
		return wait->channel->glimpse->value_known;
	return extra->sems_count == 1 && value_of_trace(d, wait, extra->sems[0].number, value);
}

const struct viz_operation *wait_set_anew(const struct diagnosis *d, const struct wait *wait,
					  const struct viz_operation *post)
{
	const struct viz_operation_extra *extra = wait->operation->extra;

	for (size_t i = wait->operation->index; post && extra->sems_count && i-- > post->index;) {
		const struct viz_operation *op = d->model->operations[i];

		if (op->channel == wait->channel && op->enter_ns >= post->exit_ns &&
		    (sets_one(op, extra->sems[0].number) || sets(op, SETALL)))
			return op;
	}
	return NULL;
}
