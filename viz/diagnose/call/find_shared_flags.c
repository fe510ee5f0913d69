// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * O_NONBLOCK belongs to the open file description, which fork() shares: who sets it on its standard
 * streams sets it for its parent and its siblings, too, and their calls fail with EAGAIN (open(2)).
 */
#include <fcntl.h>
#include <unistd.h>

#include "viz/diagnose/core/finder.h"

/* What is known of the calls up to here. */
struct shared_flags {
	struct diagnosis *d;
	struct map set; /* by process and channel: it set the flags there itself */
	const struct viz_operation **setter; /* by channel index: who set O_NONBLOCK last */
	const struct viz_operation **failed; /* by process index: what it has not got over yet */
};

static void note_flags(struct shared_flags *flags, const struct viz_operation *op)
{
	int64_t command = 0, value = 0;

	if (!operation_is(op, "fcntl") || !op->channel || op->returned < 0 ||
	    !viz_operation_argument(op, "cmd", &command) || command != F_SETFL ||
	    !viz_operation_argument(op, "arg", &value))
		return;
	map_put_uint(flags->d->arena, &flags->set, viz_pair_key(op->process, op->channel),
		     (void *)op);
	if (value & O_NONBLOCK)
		flags->setter[op->channel->index] = op;
}

/* Only of plain calls it is the description's flag alone that makes them fail so. */
static bool is_plain(const struct viz_operation *op)
{
	return operation_is(op, "write") || operation_is(op, "writev") ||
	       operation_is(op, "read") || operation_is(op, "readv");
}

static bool fails_unexpectedly(const struct shared_flags *flags, const struct viz_operation *op)
{
	return op->channel && is_plain(op) && op->fd >= STDIN_FILENO && op->fd <= STDERR_FILENO &&
	       operation_has_error(op, "EAGAIN") &&
	       !map_get_uint(&flags->set, viz_pair_key(op->process, op->channel));
}

/* Who waits for the descriptor, or tries again with success, knows of the flag. */
static void note_call(struct shared_flags *flags, const struct viz_operation *op)
{
	const struct viz_operation **failed = &flags->failed[op->process->index];

	if (fails_unexpectedly(flags, op))
		*failed = op;
	else if (*failed && (operation_polls(op) ||
			     (op->channel == (*failed)->channel && op->role == (*failed)->role)))
		*failed = NULL;
}

/* Returns who set the flag, or who else has that end and may have set it; NULL: nobody is known. */
static const char *culprit_text(struct shared_flags *flags, struct finding *f,
				const struct viz_operation *op)
{
	const struct viz_operation *setter = flags->setter[op->channel->index];
	const enum access access = op->role == ROLE_SEND ? ACCESS_WRITE : ACCESS_READ;
	const char *names = NULL;
	size_t count = 0;

	if (setter && setter->process != op->process) {
		finding_process(flags->d, f, setter->process);
		finding_operation(flags->d, f, setter);
		return process_text(flags->d, setter->process);
	}
	for (size_t i = 0; i < op->channel->holding_count; i++) {
		const struct viz_holding *holding = op->channel->holdings[i];

		if (holding->process == op->process || !(holding->access & access) ||
		    holding->since_ns > op->enter_ns || holding->until_ns <= op->enter_ns ||
		    holding->process == op->process->parent)
			continue;
		finding_process(flags->d, f, holding->process);
		names = joined_text(flags->d, names, ", ",
				    process_text(flags->d, holding->process));
		count++;
	}
	return count > 1 ? fill_phrase(flags->d, PHRASE_ONE_OF, names, NULL, NULL) : names;
}

/* True if its process then ended with a failure, and soon: as head(1) and make(1) do. */
static bool was_fatal(const struct viz_operation *op)
{
	enum { SOON = 2000 }; /* milliseconds */
	const struct viz_process *process = op->process;

	return viz_process_failed(process) && !process->exit_signal &&
	       process->end_ns - op->exit_ns < SOON * MILLISECOND;
}

static void report(struct shared_flags *flags, const struct viz_operation *op)
{
	struct diagnosis *d = flags->d;
	struct finding *f = finding_add(d, FINDING_NONBLOCKING_SHARED, op->enter_ns, op->channel);
	const char *culprit;

	finding_process(d, f, op->process);
	finding_operation(d, f, op);
	culprit = culprit_text(flags, f, op);
	finding_set(d, f, "who", "%s", process_text(d, op->process));
	finding_set(d, f, "call", "%s", call_text(d, op));
	finding_set(d, f, "culprit", "%s",
		    culprit ? culprit : phrase_text(PHRASE_SOMEBODY, d->language));
}

void find_shared_flags(struct diagnosis *d)
{
	struct shared_flags flags = {.d = d,
				     .setter = calls_array(d->arena, d->model->channel_count),
				     .failed = calls_array(d->arena, d->model->process_count)};

	for (size_t i = 0; i < d->model->operation_count && !d->incomplete; i++) {
		const struct viz_operation *op = d->model->operations[i];

		if (!viz_operation_done(op) || !viz_has(op, returned))
			continue;
		note_flags(&flags, op);
		note_call(&flags, op);
	}
	for (size_t i = 0; i < d->model->process_count; i++)
		if (flags.failed[i] && was_fatal(flags.failed[i]))
			report(&flags, flags.failed[i]);
}
