// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/pair/interrupted_calls.h"

#include "viz/model/operation_facts.h"
#include "viz/pair/idle_runs.h"

/* What it waited for is no signal, and no room or lock: of these the order is told. */
static bool waits_for_others(const struct viz_operation *op)
{
	return (op->role == ROLE_RECEIVE && op->channel) || operation_accepts(op) ||
	       (operation_polls(op) && !operation_awaits_signal(op)) || operation_awaits_child(op);
}

/* Who waits for clients or children may do so as long as these please. */
static bool is_short(const struct viz_operation *op)
{
	return op->off_cpu_ns <= ORDINARY_SLEEP_NS || operation_accepts(op) ||
	       operation_awaits_child(op);
}

bool interrupted_call_is_ordinary(const struct viz_signal *s)
{
	const struct viz_operation *op = s->interrupted;

	return op && s->deliver && s->end && op->process == s->deliver->to &&
	       operation_is_broken_off(op) && waits_for_others(op) && is_short(op) &&
	       !viz_has(op, entered_before) &&
	       (s->restarted || viz_bytes_equal(s->end->interrupted, viz_bytes_of("EINTR")));
}

uint64_t interrupted_call_sort(const struct viz_signal *s)
{
	const struct viz_operation *op = s->interrupted;
	uint64_t hash;

	if (!interrupted_call_is_ordinary(s))
		return 0;
	hash = viz_hash_mix(viz_bytes_hash(op->syscall), (uint64_t)op->fd << 1 | s->restarted);
	return viz_hash_mix(hash, op->channel ? op->channel->index + 1 : 0);
}
