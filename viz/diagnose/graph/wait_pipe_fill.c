// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * How many bytes lie in a pipe on which a write waits. A pipe has a slot for each page that it
 * holds, and a page may be filled in part: so it is full with fewer bytes than its size. A look at
 * the machine finds them; in a trace they follow from where the pipe last stood, since a write
 * that sleeps has filled all free slots.
 */
#include "viz/diagnose/diagnose.h"
#include "viz/diagnose/graph/wait_graph_internal.h"
#include "viz/model/operation_facts.h"

#define PAGE_LEN USUAL_PAGE /* fill_of_trace() refuses traces with others */

static bool is_pipe(const struct viz_channel *channel)
{
	return channel && (channel->mechanism == MECH_PIPE || channel->mechanism == MECH_FIFO);
}

/* True if the pipe stood at `one` later than at `other`. Slots are counted modulo 2^32. */
static bool is_later(const struct viz_position *one, const struct viz_position *other)
{
	if (one->head != other->head)
		return (int32_t)(one->head - other->head) > 0;
	return (int32_t)(one->tail - other->tail) >= 0;
}

static void note_position(struct wait_pipe *pipe, const struct viz_position *position,
			  const struct viz_operation *op)
{
	if (!position->known || (pipe->last && !is_later(position, pipe->last)))
		return;
	pipe->last = position;
	pipe->by = op;
}

void wait_note_pipe(struct wait_graph *graph, const struct viz_operation *op)
{
	const struct viz_channel *sink = viz_operation_sink(op);
	const struct viz_channel *source = viz_operation_source(op);
	const bool done = viz_operation_done(op);

	if (is_pipe(source))
		note_position(&graph->pipes[source->index],
			      done ? operation_pipe_exit(op, false)
				   : operation_pipe_entry(op, false),
			      op);
	if (!is_pipe(sink))
		return;
	graph->pipes[sink->index].spliced |= op->role == ROLE_TRANSFER;
	graph->pipes[sink->index].fillers += !done;
	note_position(&graph->pipes[sink->index],
		      done ? operation_pipe_exit(op, true) : operation_pipe_entry(op, true), op);
}

/*
 * Adds what the write put into the pipe since it stood at its entry: what is no whole page goes
 * behind the last bytes there, if it fits, and the rest in pages (fs/pipe.c, pipe_write). False if
 * that cannot be told.
 */
static bool add_entered(const struct wait_pipe *pipe, const struct viz_operation *op,
			uint32_t free_slots, uint64_t *bytes)
{
	const struct viz_position *at = pipe->last;
	uint64_t part, whole;

	if (!viz_has(op, requested))
		return false;
	part = op->requested % PAGE_LEN;
	whole = (uint64_t)free_slots * PAGE_LEN;
	if (part && at->head != at->tail && !op->packets && at->end + part <= PAGE_LEN) {
		*bytes += part;
		whole += part;
		if (pipe->spliced) /* behind such bytes nothing is put */
			return false;
	}
	*bytes += (uint64_t)free_slots * PAGE_LEN;
	return op->requested > whole;
}

/* The same in a trace, of the one call that waits to write there. */
static bool fill_of_trace(const struct wait_graph *graph, const struct wait *wait, uint64_t *bytes)
{
	const struct wait_pipe *pipe = &graph->pipes[wait->channel->index];
	const uint64_t slots = wait->channel->capacity / PAGE_LEN;
	uint64_t used;

	if (!pipe->last || !pipe->last->has_bytes || pipe->fillers != 1 ||
	    graph->model->header.page_len != PAGE_LEN)
		return false;
	used = pipe->last->head - pipe->last->tail;
	*bytes = pipe->last->bytes;
	if (used > slots)
		return false;
	if (pipe->by == wait->operation)
		return add_entered(pipe, wait->operation, (uint32_t)(slots - used), bytes);
	*bytes += (slots - used) * PAGE_LEN;
	return true;
}

bool wait_pipe_fill(const struct wait_graph *graph, const struct wait *wait, uint64_t *bytes)
{
	const struct viz_operation *op = wait->operation;

	if (!is_pipe(wait->channel) || op->role != ROLE_SEND || !wait->channel->capacity)
		return false;
	if (graph->whole)
		*bytes = op->queued;
	else if (!fill_of_trace(graph, wait, bytes))
		return false;
	return (!graph->whole || viz_has(op, queued)) && *bytes <= wait->channel->capacity;
}
