// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds dup2(1, p[1]) where dup2(p[1], 1) was meant: the call succeeds, closes the process's end of
 * the pipe, and leaves its output where it was. A program may give up an end so on purpose; it is
 * told only if nothing ever went through it and somebody waited for that at the other end.
 */
#include <inttypes.h>
#include <unistd.h>

#include "viz/diagnose/call/swapped_dups.h"
#include "viz/diagnose/wait/waits.h"

/* Of the calls on each channel, filled in if there is any call to judge. */
struct channel_use {
	struct map sent, received; /* by process, or an ancestor of it, and channel */
	/* By channel index: the last receive that found the end, or waits; the last send. */
	const struct viz_operation **waited, **fed;
	/* By channel index: the last such call that closed a reading, or a writing end. */
	const struct viz_operation **input_swap, **output_swap;
};

/* A call that gave a standard stream's file to the descriptor that was an end of a channel. */
struct swap {
	const struct viz_operation *op;
	const struct viz_channel *channel; /* the end that it closed */
	int64_t old_fd, new_fd;
	bool reads; /* it was to be the input */
};

static bool is_private(const struct viz_channel *channel)
{
	return channel && channel->created_in_trace &&
	       (channel->mechanism == MECH_PIPE ||
		(channel->mechanism == MECH_UNIX_STREAM && channel->peer && !channel->name.len));
}

/* A shell redirects any descriptor to any other, as its script says. */
static bool is_of_shell(const struct viz_operation *op)
{
	return op->comm.len ? name_is_of_shell(op->comm)
			    : process_is_written_in(op->process, "shell");
}

static bool find_swap(const struct viz_operation *op, struct swap *swap)
{
	const struct viz_fd *end = op->extra->replaced;

	*swap = (struct swap){.op = op};
	if (!op->extra->replaced_count || !is_private(end->channel) ||
	    end->channel == op->channel || op->returned < 0 ||
	    !(operation_is(op, "dup2") || operation_is(op, "dup3")) ||
	    !viz_operation_argument(op, "oldfd", &swap->old_fd) ||
	    !viz_operation_argument(op, "newfd", &swap->new_fd) || is_of_shell(op))
		return false;
	swap->channel = end->channel;
	swap->reads = swap->old_fd == STDIN_FILENO;
	return swap->old_fd >= STDIN_FILENO && swap->old_fd <= STDERR_FILENO &&
	       swap->new_fd > STDERR_FILENO &&
	       (end->access & (swap->reads ? ACCESS_READ : ACCESS_WRITE));
}

/* Notes it of the process and of those that it comes from. */
static void note_user(struct diagnosis *d, struct map *users, const struct viz_process *process,
		      const struct viz_channel *channel)
{
	for (; process && !map_get_uint(users, viz_pair_key(process, channel));
	     process = process->parent)
		map_put_uint(d->arena, users, viz_pair_key(process, channel), users);
}

static void note_call(struct diagnosis *d, struct channel_use *use, const struct viz_operation *op)
{
	const struct viz_channel *sink = viz_operation_sink(op), *source = viz_operation_source(op);
	struct swap swap;

	if (sink) {
		note_user(d, &use->sent, op->process, sink);
		use->fed[sink->index] = op;
	}
	if (source && (!viz_operation_done(op) || operation_is_end(op)))
		use->waited[source->index] = op;
	else if (source && op->returned > 0)
		note_user(d, &use->received, op->process, source);
	if (find_swap(op, &swap))
		(swap.reads ? use->input_swap : use->output_swap)[swap.channel->index] = op;
}

static void note_calls(struct diagnosis *d, struct channel_use *use)
{
	const size_t count = d->model->channel_count;

	use->waited = calls_array(d->arena, count);
	use->fed = calls_array(d->arena, count);
	use->input_swap = calls_array(d->arena, count);
	use->output_swap = calls_array(d->arena, count);
	for (size_t i = 0; i < d->model->operation_count; i++)
		note_call(d, use, d->model->operations[i]);
}

/*
 * The call of another process at the other end that came to nothing, be it the same mistake; NULL:
 * there is none.
 */
static const struct viz_operation *victim_of(const struct channel_use *use, const struct swap *swap)
{
	const struct viz_channel *other = swap->channel->peer ? swap->channel->peer : swap->channel;
	const struct viz_process *process = swap->op->process;
	const struct viz_operation *op = (swap->reads ? use->fed : use->waited)[other->index],
				   *alike = (swap->reads ? use->output_swap
							 : use->input_swap)[other->index];

	if (map_get_uint(swap->reads ? &use->received : &use->sent,
			 viz_pair_key(process, swap->channel)))
		return NULL;
	if (op && op->process != process && op->exit_ns >= swap->op->enter_ns)
		return op;
	return alike && alike->process != process ? alike : NULL;
}

static enum phrase end_phrase(const struct swap *swap)
{
	if (swap->channel->mechanism != MECH_PIPE)
		return PHRASE_REPLACED_END;
	return swap->reads ? PHRASE_REPLACED_READING_END : PHRASE_REPLACED_WRITING_END;
}

static enum phrase victim_phrase(const struct swap *swap, const struct viz_operation *victim)
{
	if (operation_is(victim, "dup2") || operation_is(victim, "dup3"))
		return PHRASE_SWAPPED_AS_WELL;
	if (swap->reads)
		return PHRASE_WROTE_FOR_IT;
	return viz_operation_done(victim) ? PHRASE_FOUND_END_OF_IT : PHRASE_WAITS_FOR_IT;
}

static void report(struct diagnosis *d, const struct swap *swap, const struct viz_operation *victim)
{
	const char *old_fd = format_text(d, "%" PRId64, swap->old_fd),
		   *new_fd = format_text(d, "%" PRId64, swap->new_fd);
	struct finding *f = finding_fold_kind(d, FINDING_MISUSE, 1, swap->op->enter_ns,
					      swap->op->process, swap->channel);

	finding_process(d, f, victim->process);
	finding_operation(d, f, swap->op);
	finding_operation(d, f, victim);
	finding_set(d, f, "call", "%s(%s, %s)", bytes_text(d, swap->op->syscall), old_fd, new_fd);
	finding_set(d, f, "where", "%s", "");
	finding_set(d, f, "outcome", "%s",
		    fill_phrase(d, end_phrase(swap), new_fd, channel_text(d, swap->channel), NULL));
	finding_set(d, f, "why", "%s",
		    fill_phrase(d, swap->reads ? PHRASE_COPY_OF_INPUT : PHRASE_COPY_OF_OUTPUT,
				new_fd, old_fd, NULL));
	finding_line(d, f,
		     fill_phrase(d, victim_phrase(swap, victim), process_text(d, victim->process),
				 call_text(d, victim), NULL));
	f->advice = fill_phrase(d, PHRASE_CURE_SWAPPED_DUP, new_fd, old_fd,
				swap->reads ? "0" : "1");
}

void report_swapped_dups(struct diagnosis *d)
{
	struct channel_use use = {0};
	struct swap swap;

	for (size_t i = 0; i < d->model->operation_count && !d->incomplete; i++) {
		const struct viz_operation *victim;

		if (!find_swap(d->model->operations[i], &swap))
			continue;
		if (!use.fed)
			note_calls(d, &use);
		victim = victim_of(&use, &swap);
		if (victim)
			report(d, &swap, victim);
	}
}
