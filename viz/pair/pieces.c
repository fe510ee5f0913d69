// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/pair/pieces.h"

#include <stdlib.h>

#include "viz/model/operation_facts.h"

/* The latest messages of a pipe. */
struct piece_pipe {
	struct exchange waiting; /* a piece whose next message is not known; message NULL: none */
	const struct viz_thread *reader; /* of the latest message; NULL: none is known */
	const struct viz_operation *from;
	uint64_t from_end; /* how much of that send was received with it */
	/* The hub of the latest ordinary piece, and how many of its bytes were in such. */
	const struct viz_operation *hub;
	uint64_t covered;
};

/* A hub of which pieces have come to the middle, its first one before all others. */
struct piece_hub {
	struct exchange first;
	uint64_t left_out; /* bytes */
};

/* Most pipes never have a piece. */
static struct piece_pipe *pipe_of(struct pieces *pieces, const struct viz_channel *channel,
				  bool make)
{
	struct piece_pipe *pipe = id_map_get(&pieces->pipes, channel->index);

	if (!pipe && make) {
		pipe = memory_new(sizeof(*pipe));
		id_map_put(&pieces->pipes, channel->index, pipe);
	}
	return pipe;
}

static uint64_t offset_in_hub(const struct exchange *piece)
{
	return piece->hub == piece->message->from.operation ? piece->message->from.offset
							    : piece->message->to.offset;
}

const struct viz_operation *piece_leaf(const struct exchange *piece)
{
	return piece->calls[piece->hub == piece->calls[0]];
}

/* True if the bytes before it in its send were received just before. */
static bool goes_on(const struct piece_pipe *pipe, const struct viz_message *m)
{
	return m->from.offset && m->from.operation == pipe->from &&
	       m->from.offset == pipe->from_end;
}

/* Counts an ordinary piece. True if it is the last one of its hub, and all others were, too. */
static bool completes(struct piece_pipe *pipe, const struct exchange *piece)
{
	if (piece->hub != pipe->hub) {
		pipe->hub = piece->hub;
		pipe->covered = 0;
	}
	if (offset_in_hub(piece) != pipe->covered)
		return false;
	pipe->covered += piece->message->bytes;
	return pipe->covered == operation_stream_bytes(piece->hub) && ordinary_hub(piece->hub);
}

/* Notes an ordinary message as the latest one of its pipe; `hub` NULL: it is a whole one. */
static void note(struct piece_pipe *pipe, struct viz_message *m, const struct viz_operation *hub)
{
	pipe->waiting.message = NULL;
	m->goes_on = goes_on(pipe, m);
	if (hub && pipe->reader == m->to.operation->thread && (m->goes_on || !m->from.offset))
		pipe->waiting = (struct exchange){
			.message = m, .calls = {m->from.operation, m->to.operation}, .hub = hub};
	pipe->reader = m->to.operation->thread;
	pipe->from = m->from.operation;
	pipe->from_end = m->from.offset + m->bytes;
}

bool pieces_next(struct pieces *pieces, struct viz_message *m, bool ordinary,
		 struct exchange *exchange, bool *complete)
{
	const struct viz_operation *hub;
	struct piece_pipe *pipe;
	bool known = false;

	if (!channel_is_pipe(m->channel))
		return false;
	hub = ordinary ? NULL : ordinary_piece(m);
	pipe = pipe_of(pieces, m->channel, hub != NULL);
	if (!pipe)
		return false;
	if (pipe->waiting.message && (ordinary || hub) && m->to.operation->thread == pipe->reader &&
	    (!m->from.offset || goes_on(pipe, m))) {
		*exchange = pipe->waiting;
		*complete = completes(pipe, exchange);
		known = true;
	}
	if (ordinary || hub)
		note(pipe, m, hub);
	else
		*pipe = (struct piece_pipe){.reader = m->to.operation ? m->to.operation->thread
								      : NULL};
	return known;
}

enum piece_end pieces_middle(struct pieces *pieces, const struct exchange *piece,
			     struct exchange *first)
{
	const uint64_t offset = offset_in_hub(piece), key = (uintptr_t)piece->hub;
	const uint64_t all = operation_stream_bytes(piece->hub);
	struct piece_hub *hub = id_map_get(&pieces->hubs, key);
	uint64_t known;

	if (!offset && !hub) {
		hub = memory_new(sizeof(*hub));
		hub->first = *piece;
		id_map_put(&pieces->hubs, key, hub);
		return PIECE_STAYS;
	}
	if (offset && offset + piece->message->bytes < all) {
		if (hub)
			hub->left_out += piece->message->bytes;
		return PIECE_LEAVES;
	}
	if (!hub || !offset)
		return PIECE_STAYS;
	*first = hub->first;
	known = first->message->bytes + hub->left_out + piece->message->bytes;
	id_map_remove(&pieces->hubs, key);
	free(hub);
	return known == all ? PIECE_WAS_LAST : PIECE_STAYS;
}

static void free_all(struct id_map *map)
{
	for (size_t i = 0; i < map->capacity; i++)
		free(map->slots[i].value);
	id_map_free(map);
}

void pieces_free(struct pieces *pieces)
{
	free_all(&pieces->pipes);
	free_all(&pieces->hubs);
}
