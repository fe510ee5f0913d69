// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Finds ends that were closed while a process was still writing. */
#include "viz/diagnose/core/finder.h"

/* Returns the last reading end that was closed before that time, or NULL. */
static const struct viz_holding *last_reader(const struct viz_channel *channel, uint64_t before_ns)
{
	const struct viz_holding *last = NULL;

	for (size_t i = 0; i < channel->holding_count; i++) {
		const struct viz_holding *holding = channel->holdings[i];

		if ((holding->access & ACCESS_READ) && holding->until_ns <= before_ns &&
		    (!last || last->until_ns < holding->until_ns))
			last = holding;
	}
	return last;
}

static bool had_enough(const struct viz_holding *reader)
{
	return viz_process_succeeded(reader->process) || reader->process->exit_signal == 13;
}

/*
 * True if a reader of the pipe as stdin had enough: the shell that made the pipe may close its own
 * end after the reader has ended.
 */
static bool input_had_enough(const struct viz_channel *channel, uint64_t before_ns)
{
	for (size_t i = 0; i < channel->holding_count; i++) {
		const struct viz_holding *holding = channel->holdings[i];

		if ((holding->access & ACCESS_READ) && holding->fd == 0 &&
		    holding->until_ns <= before_ns && had_enough(holding))
			return true;
	}
	return false;
}

/*
 * In a pipeline a reader that has read enough just ends, which is how the writer is meant to learn
 * of it.
 */
static enum severity severity_of(const struct viz_operation *op, const struct viz_holding *reader)
{
	if (op->channel->mechanism != MECH_PIPE && op->channel->mechanism != MECH_FIFO)
		return op->process->exit_signal == 13 ? SEVERITY_WARNING : SEVERITY_NOTE;
	if (op->fd == 1 && ((reader && reader->end == HOLDING_EXIT && had_enough(reader)) ||
			    input_had_enough(op->channel, op->exit_ns)))
		return SEVERITY_NOTE;
	return op->process->exit_signal == 13 ? SEVERITY_ERROR : SEVERITY_WARNING;
}

static void report_broken(struct diagnosis *d, const struct viz_operation *op)
{
	const struct viz_channel *there = op->channel->peer ? op->channel->peer : op->channel;
	const struct viz_holding *reader = last_reader(there, op->exit_ns);
	struct finding *f = finding_add(d, FINDING_BROKEN_PIPE, op->enter_ns, op->channel);

	f->severity = severity_of(op, reader);
	finding_process(d, f, op->process);
	finding_operation(d, f, op);
	finding_set(d, f, "who", "%s", process_text(d, op->process));
	if (reader) {
		finding_process(d, f, reader->process);
		finding_operation(d, f, reader->end_op);
		finding_set(d, f, "closer", "%s",
			    fill_phrase(d,
					reader->end == HOLDING_EXIT ? PHRASE_ENDED_AT
								    : PHRASE_CLOSED_AT,
					process_text(d, reader->process),
					time_text(d, reader->until_ns), NULL));
	} else {
		finding_set(d, f, "closer", "%s", phrase_text(PHRASE_NOBODY_HELD, d->language));
	}
}

/*
 * Returns whether this writer and channel were reported before, and notes them, so that a writer
 * that ignores EPIPE is reported once per channel.
 */
static bool reported_before(struct diagnosis *d, struct map *reported,
			    const struct viz_operation *op)
{
	const uint64_t key = (uint64_t)op->process->index << 32 | op->channel->index;

	if (map_get_uint(reported, key))
		return true;
	map_put_uint(d->arena, reported, key, d);
	return false;
}

void find_ends(struct diagnosis *d)
{
	struct map reported = {0};

	for (size_t i = 0; i < d->model->operation_count; i++) {
		const struct viz_operation *op = d->model->operations[i];

		if (op->role == ROLE_SEND && op->channel && operation_has_error(op, "EPIPE") &&
		    !reported_before(d, &reported, op))
			report_broken(d, op);
	}
}
