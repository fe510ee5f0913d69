// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds the holders of a channel that could end a wait: processes with a descriptor of it, or that
 * could receive one from a message.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "viz/base/address.h"
#include "viz/base/compare.h"
#include "viz/base/sorted_search.h"
#include "viz/diagnose/core/finder.h"
#include "viz/diagnose/graph/wait_graph_internal.h"
#include "viz/model/unseen.h"

static bool is_holding(const struct viz_holding *holding, enum access access)
{
	return (holding->access & access) && holding->until_ns == VIZ_NEVER &&
	       !holding->process->ended;
}

/* The holdings of a channel that have not ended, by process, then in order of since_ns. */
struct wait_live {
	const struct viz_holding **list;
	size_t count;
};

static int compare(const void *a, const void *b)
{
	const struct viz_holding *const *x = a, *const *y = b;

	return COMPARE((*x)->process->index, (*y)->process->index)
		       ?: COMPARE((*x)->index, (*y)->index);
}

static const struct wait_live *live_of(const struct wait_graph *graph,
				       const struct viz_channel *channel)
{
	struct wait_live *live = graph->live[channel->index];

	if (live)
		return live;
	live = graph->live[channel->index] = arena_alloc(graph->arena, sizeof(*live));
	for (size_t i = 0; i < channel->holding_count; i++)
		if (is_holding(channel->holdings[i], ACCESS_BOTH))
			ARENA_PUSH(graph->arena, live->list, live->count, channel->holdings[i]);
	if (live->count)
		qsort(live->list, live->count, sizeof(*live->list), compare);
	return live;
}

static uint64_t process_of(const void *list, size_t index)
{
	return ((const struct viz_holding *const *)list)[index]->process->index;
}

const struct viz_holding *wait_holding(const struct wait_graph *graph,
				       const struct viz_channel *channel,
				       const struct viz_process *process, enum access access)
{
	const struct wait_live *live = live_of(graph, channel);
	size_t i = search_before(live->list, live->count, process_of, process->index);

	for (; i < live->count && live->list[i]->process == process; i++)
		if (live->list[i]->access & access)
			return live->list[i];
	return NULL;
}

/*
 * Adds the processes that could receive the end from a message. An end already received is among
 * its receiver's descriptors.
 */
static bool add_receivers(struct wait_graph *graph, struct wait *wait,
			  const struct viz_channel *channel, enum access access)
{
	bool any = false;

	for (const struct wait_flight *flight = graph->flights[channel->index]; flight;
	     flight = flight->next) {
		const struct viz_channel *socket = flight->socket;

		if (!(flight->access & access))
			continue;
		if (!socket) {
			wait->open |= !flight->message || !flight->message->to.process;
			continue;
		}
		for (size_t k = 0; k < socket->holding_count; k++)
			if (is_holding(socket->holdings[k], ACCESS_BOTH)) {
				wait_add_ender(graph, wait, socket->holdings[k]->process);
				any = true;
			}
	}
	return any;
}

/* The processes that hold this end, which all waits for it share. */
static struct wait_set *holders_of(struct wait_graph *graph, const struct viz_channel *channel,
				   enum access access)
{
	const uint64_t key = (uint64_t)channel->index << 8 | access;
	struct wait_set *set = map_get_uint(&graph->holders, key);
	struct wait all = wait_set_begin(graph);
	bool any = false;

	if (set)
		return set;
	for (size_t i = 0; i < channel->holding_count; i++)
		if (is_holding(channel->holdings[i], access)) {
			wait_add_ender(graph, &all, channel->holdings[i]->process);
			any = true;
		}
	set = wait_set_new(graph, &all);
	set->any = any;
	map_put_uint(graph->arena, &graph->holders, key, set);
	return set;
}

const struct wait_set *wait_holders(struct wait_graph *graph, const struct viz_channel *channel,
				    enum access access)
{
	return holders_of(graph, channel, access);
}

bool wait_is_held(const struct viz_channel *channel)
{
	for (size_t i = 0; i < channel->holding_count; i++)
		if (is_holding(channel->holdings[i], ACCESS_BOTH))
			return true;
	return false;
}

void wait_add_holders(struct wait_graph *graph, struct wait *wait,
		      const struct viz_channel *channel, enum access access)
{
	bool any = add_receivers(graph, wait, channel, access);
	struct wait_set *set = holders_of(graph, channel, access);

	wait->open |= wait_held_outside(channel, access);
	wait_share(graph, wait, set);
	wait->open |= !any && !set->any;
}

const struct viz_channel *wait_asked(const struct wait_graph *graph, const struct viz_operation *op,
				     size_t n)
{
	const struct viz_wait *w = &op->extra->waits_for[n];

	return w->channel ? w->channel
			  : map_get_uint(&graph->held, wait_fd_key(op->process, w->fd));
}

/* --- the other ends of sockets --- */

static void note_connection(struct wait_graph *graph, const struct viz_channel *channel,
			    const struct viz_connection *connection)
{
	if (channel && !graph->connected[channel->index])
		graph->connected[channel->index] = connection;
}

/*
 * The addresses of a TCP socket, as the other end has them the other way round; one that listens
 * with IPv6 may have a client with IPv4.
 */
static struct viz_bytes tcp_key(struct arena *arena, const struct viz_channel *channel,
				struct viz_bytes first, struct viz_bytes second)
{
	char *text = arena_alloc(arena, first.len + second.len + 32);
	size_t len = (size_t)snprintf(text, 32, "%" PRIu64 " ", channel->network);

	len += address_plain(first, text + len);
	text[len++] = ' ';
	len += address_plain(second, text + len);
	return (struct viz_bytes){text, len};
}

/* Notes the other end of each TCP connection by its addresses, if the whole machine is known. */
static void note_opposites(struct wait_graph *graph)
{
	const struct viz_model *model = graph->model;
	struct arena *arena = arena_new();
	struct map ends = {0};

	graph->opposites = arena_array(graph->arena, model->channel_count + 1,
				       sizeof(*graph->opposites));
	for (size_t i = 0; i < model->channel_count; i++) {
		struct viz_channel *c = model->channels[i];
		struct viz_bytes key;

		if (c->mechanism != MECH_TCP)
			continue;
		key = tcp_key(arena, c, c->local_address, c->peer_address);
		if (!map_get(&ends, key))
			map_put(arena, &ends, key, c);
	}
	for (size_t i = 0; i < model->channel_count; i++) {
		const struct viz_channel *c = model->channels[i];

		if (c->mechanism == MECH_TCP && c->peer_address.len)
			graph->opposites[i] = map_get(
				&ends, tcp_key(arena, c, c->peer_address, c->local_address));
	}
	arena_free(arena);
}

void wait_note_ends(struct wait_graph *graph)
{
	const struct viz_pairing *pairing = graph->pairing;
	const struct viz_model *model = graph->model;

	graph->live = arena_array(graph->arena, model->channel_count + 1,
				  sizeof(struct wait_live *));
	graph->connected = arena_array(graph->arena, model->channel_count + 1,
				       sizeof(*graph->connected));
	graph->connects = connect_results(graph->arena, model);
	for (size_t i = 0; i < pairing->connection_count; i++) {
		note_connection(graph, pairing->connections[i]->client, pairing->connections[i]);
		note_connection(graph, pairing->connections[i]->server, pairing->connections[i]);
	}
	for (size_t i = 0; i < model->channel_count; i++)
		if (model->channels[i]->listening)
			ARENA_PUSH(graph->arena, graph->listeners, graph->listener_count,
				   model->channels[i]);
	if (graph->whole)
		note_opposites(graph);
}

const struct viz_channel *wait_peer(const struct wait_graph *graph,
				    const struct viz_channel *channel)
{
	const struct viz_connection *c = graph->connected[channel->index];

	if (channel->peer)
		return channel->peer;
	if (c)
		return c->client == channel ? c->server : c->client;
	return graph->opposites ? graph->opposites[channel->index] : NULL;
}

bool wait_is_unseen(const struct wait_graph *graph, const struct viz_channel *channel)
{
	if (!channel || !graph->model->unseen_count)
		return false;
	return unseen_channel_ns(graph->model, channel) != VIZ_NEVER ||
	       unseen_channel_ns(graph->model, wait_peer(graph, channel)) != VIZ_NEVER;
}

/* True if something outside the trace holds this end: a process or a message in flight. */
bool wait_held_outside(const struct viz_channel *channel, enum access access)
{
	for (size_t i = 0; i < channel->stranger_count; i++)
		if (channel->strangers[i].access & access)
			return true;
	return false;
}

static bool is_end(const struct wait_graph *graph, const struct wait *wait,
		   const struct viz_wait *w, const struct viz_channel *channel, enum access access)
{
	const struct viz_holding *holding = wait_holding(graph, channel, wait->process, access);

	return channel_is_pipe(channel) && holding && holding->fd == w->fd &&
	       holding->access == access;
}

bool wait_is_reading_end(const struct wait_graph *graph, const struct wait *wait,
			 const struct viz_wait *w, const struct viz_channel *channel)
{
	return is_end(graph, wait, w, channel, ACCESS_READ);
}

bool wait_is_writing_end(const struct wait_graph *graph, const struct wait *wait,
			 const struct viz_wait *w, const struct viz_channel *channel)
{
	return is_end(graph, wait, w, channel, ACCESS_WRITE);
}
