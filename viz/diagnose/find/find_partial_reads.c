// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds dd(1) that was told to copy a number of blocks from a pipe, and copied less: a read takes
 * what is there, and dd counts it as a block all the same. The rest stays with the writer.
 */
#include <ctype.h>
#include <inttypes.h>
#include <unistd.h>

#include "viz/diagnose/core/finder.h"

/* What a dd has read from its input. */
struct copier {
	const struct viz_operation *first; /* the first read that brought less than a block */
	uint64_t reads, partial;
	uint64_t asked, taken; /* bytes */
	uint64_t received;     /* by all readers of its input, until its last read */
	bool ended;	       /* a read found the end of the input */
};

/* True for `count=10B`, which is bytes, as against `count=10kB`. */
static bool counts_single_bytes(struct viz_bytes arg)
{
	return arg.len > 1 && arg.data[arg.len - 1] == 'B' &&
	       isdigit((unsigned char)arg.data[arg.len - 2]);
}

/* True for a dd that counts blocks, be they whole or not. */
static bool counts_blocks(const struct viz_process *process)
{
	bool counts = false;

	if (!process || process->args_cut || !viz_bytes_equal(process->comm, viz_bytes_of("dd")))
		return false;
	for (size_t i = 1; i < process->args_count; i++) {
		const struct viz_bytes arg = process->args[i];

		if (viz_bytes_begin(arg, "count="))
			counts = !counts_single_bytes(arg);
		else if (viz_bytes_begin(arg, "iflag=") &&
			 (viz_bytes_contain(arg, viz_bytes_of("fullblock")) ||
			  viz_bytes_contain(arg, viz_bytes_of("count_bytes"))))
			return false;
	}
	return counts;
}

/* A terminal gives a line at a time, and who reads there wants it so. */
static bool is_stream(const struct viz_channel *channel)
{
	return channel_is_pipe(channel) || (channel && channel->mechanism == MECH_UNIX_STREAM);
}

static void add_read(struct copier *copier, const struct viz_operation *op)
{
	copier->ended |= operation_is_end(op);
	if (!viz_has(op, requested) || op->returned <= 0)
		return;
	copier->reads++;
	copier->asked += op->requested;
	copier->taken += (uint64_t)op->returned;
	if ((uint64_t)op->returned == op->requested)
		return;
	copier->partial++;
	if (!copier->first)
		copier->first = op;
}

/* True if the write failed since nobody read any more, or has not ended: it had more to say. */
static bool had_more(const struct viz_operation *op)
{
	return !viz_operation_done(op) || operation_has_error(op, "EPIPE");
}

/* True for a read of dd itself: a shell may have read there before it became dd. */
static bool reads_block(const struct viz_operation *op)
{
	return op->role == ROLE_RECEIVE && op->fd == STDIN_FILENO && operation_is(op, "read") &&
	       viz_operation_done(op) && is_stream(op->channel) && counts_blocks(op->process) &&
	       viz_bytes_equal(op->comm, op->process->comm);
}

/* Bytes that all senders gave to a channel, and that all readers have taken so far. */
struct moved {
	uint64_t sent, received;
};

static void add(const struct viz_operation *op, struct copier *copiers, struct moved *moved)
{
	const struct viz_channel *sink = viz_operation_sink(op);
	const struct viz_channel *source = viz_operation_source(op);

	if (source)
		moved[source->index].received += operation_stream_bytes(op);
	if (sink)
		moved[sink->index].sent += had_more(op) ? op->requested
							: operation_stream_bytes(op);
	if (source && reads_block(op)) {
		add_read(&copiers[op->process->index], op);
		copiers[op->process->index].received = moved[source->index].received;
	}
}

/*
 * Adds what the model does not hold of what went through channels, as if it had been before all
 * else: a write may be missing whose bytes a read took that is there.
 */
static void add_moved(const struct diagnosis *d, struct moved *moved)
{
	for (size_t i = 0; i < d->model->ordinary_count; i++) {
		const struct viz_ordinary *ordinary = d->model->ordinary[i];
		struct moved *there = &moved[ordinary->channel->index];

		*(ordinary->receives ? &there->received : &there->sent) += ordinary->bytes;
	}
}

/* Adds the reads that the model does not hold. */
static void add_ordinary(const struct diagnosis *d, struct copier *copiers)
{
	for (size_t i = 0; i < d->model->ordinary_count; i++) {
		const struct viz_ordinary *ordinary = d->model->ordinary[i];
		struct copier *copier = &copiers[ordinary->process->index];

		if (!ordinary->receives || !copier->first ||
		    copier->first->channel != ordinary->channel)
			continue;
		copier->reads += ordinary->calls;
		copier->partial += ordinary->shorter;
		copier->asked += ordinary->requested;
		copier->taken += ordinary->bytes;
	}
}

static void report(struct diagnosis *d, const struct copier *copier)
{
	const struct viz_operation *first = copier->first;
	struct finding *f = finding_add(d, FINDING_PARTIAL_READ, first->enter_ns, first->channel);

	/* `dd count=1` may be meant to take what is there. */
	if (copier->reads == 1)
		f->severity = SEVERITY_NOTE;
	finding_process(d, f, first->process);
	finding_operation(d, f, first);
	finding_set(d, f, "who", "%s", process_text(d, first->process));
	finding_set(d, f, "taken", "%s", amount_text(d, copier->taken));
	finding_set(d, f, "asked", "%s", amount_text(d, copier->asked));
	finding_set(d, f, "times", "%" PRIu64, copier->partial);
	finding_set(d, f, "reads", "%" PRIu64, copier->reads);
}

/* Who stops before the end of the input has copied all blocks that it was told to. */
static bool lacks(const struct copier *copier, const struct moved *moved)
{
	const struct viz_process *process = copier->first ? copier->first->process : NULL;

	return process && !copier->ended && viz_process_succeeded(process) &&
	       moved[copier->first->channel->index].sent > copier->received;
}

void find_partial_reads(struct diagnosis *d)
{
	struct copier *copiers = arena_array(d->arena, d->model->process_count + 1,
					     sizeof(*copiers));
	struct moved *moved = arena_array(d->arena, d->model->channel_count + 1, sizeof(*moved));
	size_t known = 0;

	for (size_t i = 0; i < d->model->process_count; i++)
		known += counts_blocks(d->model->processes[i]);
	if (known)
		add_moved(d, moved);
	for (size_t i = 0; known && i < d->model->operation_count && !d->incomplete; i++)
		add(d->model->operations[i], copiers, moved);
	if (known)
		add_ordinary(d, copiers);
	for (size_t i = 0; known && i < d->model->process_count; i++)
		if (lacks(&copiers[i], moved))
			report(d, &copiers[i]);
}
