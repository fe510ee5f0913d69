// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds programs that read lines ahead, from a pipe or a stream that another program reads after
 * them: head(1) takes a whole buffer for one line, and cannot give the rest back.
 */
#include <string.h>

#include "viz/diagnose/core/finder.h"

enum {
	BUFFER_LEAST = 512, /* who asks for less asks for what it needs */
	BLOCK_LEN = 4096,   /* of the C library's buffer for a pipe */
};

static bool is_stream(const struct viz_channel *channel)
{
	return channel && (channel->mechanism == MECH_PIPE || channel->mechanism == MECH_FIFO ||
			   channel->mechanism == MECH_UNIX_STREAM);
}

static bool is_text(unsigned char byte)
{
	return byte >= ' ' || byte == '\n' || byte == '\t' || byte == '\r';
}

static bool has_lines(struct viz_bytes bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		if (!is_text((unsigned char)bytes.data[i]))
			return false;
	return bytes.len && memchr(bytes.data, '\n', bytes.len);
}

/* Programs that take their input in lines alone, whatever they are told; head(1) but for `-c`. */
static const char *const line_programs[] = {"head", "sed", "grep", "awk", "gawk", "mawk"};

/* True for `-c 4096`, `-qc4K` and `--bytes=4096`: it takes as many bytes as it was told to. */
static bool tells_bytes(struct viz_bytes arg)
{
	const bool dash = arg.len > 1 && arg.data[0] == '-';

	if (dash && arg.data[1] == '-')
		return arg.len > 2 && arg.data[2] == 'b';
	return dash && memchr(arg.data, 'c', arg.len);
}

/*
 * True if the process needs no more than lines. Others may have asked for a number of bytes, and
 * have needed all that they got.
 */
static bool needs_lines(const struct viz_process *process)
{
	bool known = false;

	for (size_t i = 0; i < sizeof(line_programs) / sizeof(*line_programs); i++)
		known |= viz_bytes_equal(process->comm, viz_bytes_of(line_programs[i]));
	if (!known || !process->args_count || process->args_cut)
		return false;
	for (size_t i = 1; i < process->args_count; i++)
		if (viz_bytes_equal(process->comm, viz_bytes_of("head")) &&
		    tells_bytes(process->args[i]))
			return false;
	return true;
}

/* True for those that surely were told how many bytes to take. */
static bool counts_bytes(const struct viz_process *process)
{
	return viz_bytes_equal(process->comm, viz_bytes_of("dd")) ||
	       (viz_bytes_equal(process->comm, viz_bytes_of("head")) && !needs_lines(process));
}

/*
 * True if the read took lines, and more than it needed: it filled its buffer, or took whole blocks
 * of the writer's, and neither ends where a line does, but by chance.
 */
static bool is_ahead(const struct viz_operation *op)
{
	const uint64_t taken = (uint64_t)op->returned;

	return op->role == ROLE_RECEIVE && viz_has(op, requested) &&
	       op->requested >= BUFFER_LEAST &&
	       (taken == op->requested || taken % BLOCK_LEN == 0) && has_lines(op->payload) &&
	       !counts_bytes(op->process);
}

/* True if the process ended by itself, before the call of another one began. */
static bool has_ended_before(const struct viz_process *process, const struct viz_operation *op)
{
	return process->ended && process->status_known && !process->exit_signal &&
	       process->end_ns <= op->enter_ns;
}

static void report(struct diagnosis *d, const struct viz_operation *taken,
		   const struct viz_operation *next)
{
	struct finding *f = finding_fold(d, FINDING_READ_AHEAD, taken->enter_ns, taken->process,
					 taken->channel);

	if (!needs_lines(taken->process))
		f->severity = SEVERITY_NOTE;
	finding_process(d, f, taken->process);
	finding_process(d, f, next->process);
	finding_operation(d, f, taken);
	finding_operation(d, f, next);
	finding_set(d, f, "who", "%s", process_text(d, taken->process));
	finding_set(d, f, "next", "%s", process_text(d, next->process));
	finding_set(d, f, "bytes", "%s", amount_text(d, (uint64_t)taken->returned));
}

void find_read_ahead(struct diagnosis *d)
{
	const struct viz_operation **last = arena_array(d->arena, d->model->channel_count + 1,
							sizeof(*last));

	for (size_t i = 0; i < d->model->operation_count && !d->incomplete; i++) {
		const struct viz_operation *op = d->model->operations[i];
		const struct viz_channel *source = viz_operation_source(op);
		const struct viz_operation *before;

		if (!is_stream(source) || !viz_operation_done(op) || viz_operation_failed(op) ||
		    operation_only_looks(op))
			continue;
		before = last[source->index];
		last[source->index] = op;
		if (before && op->returned > 0 && before->returned > 0 &&
		    before->process != op->process && has_ended_before(before->process, op) &&
		    is_ahead(before))
			report(d, before, op);
	}
}
