// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/pair/idle_runs.h"

#include "viz/model/builder.h"
#include "viz/model/operation_facts.h"

static bool asks_for_process(const struct viz_operation *op)
{
	int64_t signal = -1;

	return operation_is(op, "kill") && op->returned == 0 &&
	       viz_operation_argument(op, "sig", &signal) && signal == 0;
}

static bool receives_nothing(const struct viz_operation *op)
{
	return op->role == ROLE_RECEIVE && op->channel &&
	       (operation_has_error(op, "EAGAIN") || operation_has_error(op, "ENOMSG"));
}

/*
 * A semaphore that is taken, or a futex that has another value already. Whoever waits for a mutex
 * of the C library, with the value 2, has it afterwards.
 */
static bool need_not_wait(const struct viz_operation *op)
{
	enum { CONTENDED = 2 };
	int64_t value = 0;

	return op->role == ROLE_WAIT && op->channel && operation_has_error(op, "EAGAIN") &&
	       (op->channel->mechanism == MECH_SYSV_SEM ||
		(op->channel->mechanism == MECH_FUTEX &&
		 viz_operation_argument(op, "val", &value) && value != CONTENDED));
}

static bool finds_no_room(const struct viz_operation *op)
{
	return op->role == ROLE_SEND && op->channel && operation_has_error(op, "EAGAIN");
}

static bool sleeps(const struct viz_operation *op)
{
	return (operation_is(op, "nanosleep") || operation_is(op, "clock_nanosleep")) &&
	       op->returned == 0;
}

static bool waits_in_vain(const struct viz_operation *op)
{
	return need_not_wait(op) || (operation_polls(op) && op->returned >= 0) || sleeps(op) ||
	       operation_finds_no_child(op);
}

static bool gets_nothing(const struct viz_operation *op)
{
	switch (op->role) {
	case ROLE_RECEIVE:
		return receives_nothing(op);
	case ROLE_SEND:
		return finds_no_room(op);
	case ROLE_WAIT:
		return waits_in_vain(op);
	case ROLE_SIGNAL:
		return asks_for_process(op);
	default:
		return false;
	}
}

bool idle_call(const struct viz_operation *op)
{
	return viz_operation_done(op) && viz_has(op, returned) && gets_nothing(op) &&
	       !viz_has(op, entered_before) && !op->extra->new_fds_count &&
	       !op->extra->passed_fds_count;
}

bool idle_call_is_ordinary(const struct viz_operation *op)
{
	return op->returned <= 0 && op->off_cpu_ns <= ORDINARY_SLEEP_NS &&
	       (operation_polls(op) || sleeps(op) ||
		((receives_nothing(op) || need_not_wait(op) || operation_finds_no_child(op)) &&
		 !op->off_cpu_ns));
}

/* --- likeness -------------------------------------------------------------------------------- */

static bool same_waits(const struct viz_wait *one, const struct viz_wait *other, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (one[i].fd != other[i].fd || one[i].channel != other[i].channel ||
		    one[i].events != other[i].events)
			return false;
	return true;
}

static bool same_changes(const struct viz_operation_extra *one,
			 const struct viz_operation_extra *other)
{
	if (one->sems_count != other->sems_count)
		return false;
	for (size_t i = 0; i < one->sems_count; i++)
		if (one->sems[i].number != other->sems[i].number ||
		    one->sems[i].change != other->sems[i].change ||
		    one->sems[i].flags != other->sems[i].flags)
			return false;
	return true;
}

static bool same_arguments(const struct viz_operation_extra *one,
			   const struct viz_operation_extra *other)
{
	if (one->args_count != other->args_count)
		return false;
	for (size_t i = 0; i < one->args_count; i++)
		if (one->args[i].value != other->args[i].value ||
		    !viz_bytes_equal(one->args[i].name, other->args[i].name))
			return false;
	return true;
}

static bool same_extra(const struct viz_operation_extra *one,
		       const struct viz_operation_extra *other)
{
	return one == other ||
	       (one->waits_for_count == other->waits_for_count &&
		one->ready_count == other->ready_count &&
		one->message_type == other->message_type && one->priority == other->priority &&
		one->waits_cut == other->waits_cut && same_arguments(one, other) &&
		same_changes(one, other) &&
		viz_bytes_equal(one->peer_address, other->peer_address) &&
		viz_bytes_equal(one->digest, other->digest) &&
		same_waits(one->waits_for, other->waits_for, one->waits_for_count) &&
		same_waits(one->ready, other->ready, one->ready_count));
}

/* The rest of a sleep that is one of many takes another time each. */
static bool same_limit(const struct viz_operation *one, const struct viz_operation *other)
{
	return sleeps(one) || (viz_has(one, timeout_ns) == viz_has(other, timeout_ns) &&
			       one->extra->timeout_ns == other->extra->timeout_ns);
}

static bool is_alike(const struct viz_operation *one, const struct viz_operation *other)
{
	return one->role == other->role && one->channel == other->channel && one->fd == other->fd &&
	       one->returned == other->returned && one->flags == other->flags &&
	       one->requested == other->requested && one->began == other->began &&
	       one->to == other->to && viz_bytes_equal(one->payload, other->payload) &&
	       same_limit(one, other) && viz_bytes_equal(one->syscall, other->syscall) &&
	       viz_bytes_equal(one->error, other->error) && same_extra(one->extra, other->extra);
}

/* --- a run ----------------------------------------------------------------------------------- */

/* Which of the kinds the n-th call of the run is of. */
static size_t kind_at(const struct idle_run *run, size_t number)
{
	return run->kinds[1] ? number % 2 : 0;
}

static bool may_alternate(const struct viz_operation *one, const struct viz_operation *other)
{
	return one->role != ROLE_SEND && other->role != ROLE_SEND;
}

void idle_run_begin(struct idle_run *run, const struct viz_operation *first, bool beside)
{
	*run = (struct idle_run){.kinds = {first}, .number = run->number + 1, .beside = beside};
}

bool idle_run_goes_on(struct idle_run *run, const struct viz_operation *next)
{
	if (!run->count || !idle_call(next))
		return false;
	if (is_alike(run->kinds[kind_at(run, run->count)], next))
		return true;
	if (run->count > 1 || !may_alternate(run->kinds[0], next))
		return false;
	run->kinds[1] = next;
	return true;
}

const struct viz_operation *idle_run_add(struct idle_run *run, const struct viz_operation *op,
					 const struct viz_operation **like)
{
	const size_t number = run->count++;
	const struct viz_operation *middle;

	if (number < IDLE_RUN_ENDS) {
		run->first[number] = op;
		return NULL;
	}
	middle = run->last[number % IDLE_RUN_ENDS];
	run->last[number % IDLE_RUN_ENDS] = op;
	*like = middle ? run->kinds[kind_at(run, number - IDLE_RUN_ENDS)] : NULL;
	return middle;
}

void idle_run_count(const struct viz_operation *first, const struct viz_operation *other,
		    const struct viz_operation *left_out)
{
	struct viz_operation *kept = (struct viz_operation *)first;
	struct viz_repeats *repeats = &build_extra(model_live_memory(kept), kept)->repeats;

	repeats->count++;
	repeats->took_ns += left_out->exit_ns - left_out->enter_ns;
	repeats->slept_ns += left_out->off_cpu_ns;
	if (other)
		repeats->by_turns = other;
}
