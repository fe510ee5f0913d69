// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/pair/short_channels.h"

#include <errno.h>
#include <stdlib.h>

#include "viz/model/operation_facts.h"
#include "viz/pair/core/context.h"

enum {
	CALLS_MOST = 64, /* that are in no exchange */
	EOFS_MOST = 8,	 /* who finds the end again and again is in a loop */
	/* Rounds that it may be in use after a descriptor was closed: a child has another. */
	ROUNDS_MOST = 4,
};

static bool may_be_short(const struct viz_channel *channel)
{
	return channel->created_in_trace && !channel->found &&
	       (channel_is_pipe(channel) || channel_is_stream_socket(channel));
}

static struct short_channel *find(const struct short_channels *channels,
				  const struct viz_channel *channel)
{
	return channel ? id_map_get(&channels->by_channel, channel->index) : NULL;
}

/* What waits in the list of thinned.c has a pointer to the channel that it is of. */
static void free_one(struct short_channel *s)
{
	if (!s)
		return;
	s->let_go = s->pending;
	if (s->let_go)
		return;
	free(s->calls.items);
	free(s->messages.items);
	free(s->alone.items);
	free(s->eofs.items);
	free(s);
}

/* The channel that a call is of: epoll_ctl(2) is of the one that it adds or removes. */
static const struct viz_channel *channel_of(const struct viz_operation *op)
{
	if (!operation_is(op, "epoll_ctl"))
		return op->channel;
	return op->extra->waits_for_count == 1 ? op->extra->waits_for[0].channel : NULL;
}

static void make(struct short_channels *channels, const struct viz_channel *channel,
		 const struct viz_operation *maker)
{
	struct short_channel *s = find(channels, channel);

	if (!s) {
		s = memory_new(sizeof(*s));
		s->channel = channel;
		id_map_put(&channels->by_channel, channel->index, s);
	} else if (s->calls.count) { /* the other descriptor of a pipe */
		return;
	}
	LIST_PUSH(&s->calls, maker);
	s->count++;
	s->ordinary++;
}

/* A call that makes channels: socket(2), accept(2), pipe(2). */
static void made_by(struct short_channels *channels, const struct viz_operation *op)
{
	for (size_t i = 0; i < op->extra->new_fds_count; i++) {
		const struct viz_channel *channel = op->extra->new_fds[i].channel;

		if (channel && may_be_short(channel))
			make(channels, channel, op);
	}
}

/* How many calls are under way on the channel. */
static uintptr_t open_calls(const struct short_channels *channels,
			    const struct viz_channel *channel)
{
	return (uintptr_t)id_map_get(&channels->open, channel->index);
}

static void set_open_calls(struct short_channels *channels, const struct viz_channel *channel,
			   uintptr_t count)
{
	if (count)
		id_map_put(&channels->open, channel->index,
			   (void *)count); /* NOLINT(performance-no-int-to-ptr): no pointer */
	else
		id_map_remove(&channels->open, channel->index);
}

/* This is told as soon as the line is read: the call that made the channel comes later. */
void short_channels_begin(struct short_channels *channels, const struct viz_operation *op)
{
	if (!op->channel || id_map_get(&channels->begun, op->id))
		return;
	id_map_put(&channels->begun, op->id, op->channel);
	set_open_calls(channels, op->channel, open_calls(channels, op->channel) + 1);
}

static void end_call(struct short_channels *channels, const struct viz_operation *op)
{
	const struct viz_channel *channel = id_map_get(&channels->begun, op->id);

	if (!channel)
		return;
	id_map_remove(&channels->begun, op->id);
	set_open_calls(channels, channel, open_calls(channels, channel) - 1);
}

static void note_close(struct short_channels *channels, struct short_channel *s)
{
	if (!s->rounds) {
		s->rounds = 1;
		LIST_PUSH(&channels->closing, (struct viz_channel *)s->channel);
	}
}

/* An accept(2) may wait for clients as long as they please. */
static bool is_quick(const struct viz_operation *op)
{
	return op->off_cpu_ns <= ORDINARY_SLEEP_NS || operation_accepts(op);
}

static bool is_plain(const struct viz_operation *op)
{
	const bool moves = op->role == ROLE_SEND || op->role == ROLE_RECEIVE ||
			   op->role == ROLE_TRANSFER || op->role == ROLE_WAIT;

	return viz_operation_done(op) && !moves && is_quick(op) &&
	       (op->returned >= 0 || (operation_is(op, "connect") && op->returned == -EINPROGRESS));
}

/* --- exchanges ------------------------------------------------------------------------------- */

static void add_exchange(const struct short_channels *channels, struct short_channel *s,
			 const struct exchange *exchange, struct exchange *middle)
{
	struct short_exchanges *list = exchange->message ? &s->messages : &s->alone;
	struct exchange *oldest;

	s->ordinary += exchange->calls[1] ? 2 : 1;
	if (list->count < 2 * channels->ends) {
		LIST_PUSH(list, *exchange);
		return;
	}
	oldest = &list->items[channels->ends + list->next];
	*middle = *oldest;
	middle->of = s;
	s->pending++;
	*oldest = *exchange;
	list->next = (list->next + 1) % channels->ends;
}

void short_channel_left(struct short_channel *s, bool out)
{
	s->pending--;
	s->left += out;
	s->stays |= !out;
	if (s->let_go)
		free_one(s);
}

/* The item of that number, in the order in which they came. */
static const struct exchange *item_of(const struct short_exchanges *list, size_t number)
{
	const size_t half = list->count / 2;

	if (!list->next || !half || number < half)
		return &list->items[number];
	return &list->items[half + (number - half + list->next) % half];
}

size_t short_channel_exchanges(const struct short_channel *s)
{
	return s->messages.count + s->alone.count;
}

const struct exchange *short_channel_exchange(const struct short_channel *s, size_t number)
{
	return number < s->messages.count ? item_of(&s->messages, number)
					  : item_of(&s->alone, number - s->messages.count);
}

/* --- what is told of it ---------------------------------------------------------------------- */

bool short_channels_call(struct short_channels *channels, const struct viz_operation *op,
			 struct exchange *middle)
{
	const bool plain = is_plain(op);
	struct short_channel *s;

	end_call(channels, op);
	if (plain && op->role == ROLE_OPEN && op->extra->new_fds_count) {
		made_by(channels, op);
		return true;
	}
	s = find(channels, channel_of(op));
	if (!s)
		return false;
	s->count++;
	if (plain && ordinary_change(op)) {
		add_exchange(channels, s, &(struct exchange){.calls = {op}}, middle);
	} else if (plain) {
		LIST_PUSH(&s->calls, op);
		s->ordinary++;
	}
	if (op->role == ROLE_CLOSE)
		note_close(channels, s);
	return plain;
}

/* True of a channel with a call, its last one, that none has which may be left out. */
static bool is_none(const struct short_channel *s, const struct viz_operation *op)
{
	return s->calls.count > CALLS_MOST || op->role == ROLE_TRANSFER || op->role == ROLE_WAIT ||
	       (viz_operation_failed(op) && !idle_call(op) && !is_plain(op));
}

/* Makes the two the ends of one connection. */
static void join(struct short_channel *one, struct short_channel *other)
{
	if (one != other && !one->peer && !other->peer) {
		one->peer = other;
		other->peer = one;
	}
}

bool short_channels_add(struct short_channels *channels, const struct exchange *exchange,
			struct exchange *middle)
{
	const struct viz_message *m = exchange->message;
	struct short_channel *s = find(channels, m ? m->channel : exchange->calls[0]->channel);
	struct short_channel *from;

	if (!s)
		return false;
	if (m) {
		from = find(channels, m->from.operation->channel);
		if (!from)
			return false;
		join(s, from);
		s->bytes += m->bytes;
		if (m->to.exit_ns > s->latest_ns)
			s->latest_ns = m->to.exit_ns;
	}
	add_exchange(channels, s, exchange, middle);
	return true;
}

bool short_channels_eof(struct short_channels *channels, struct viz_eof *eof)
{
	struct short_channel *s = find(channels, eof->channel);

	if (!s || s->eofs.count == EOFS_MOST || eof->match != MATCH_EXACT || !eof->process ||
	    !is_quick(eof->receive))
		return false;
	LIST_PUSH(&s->eofs, eof);
	s->ordinary++;
	note_close(channels, s);
	return true;
}

void short_channels_connection(struct short_channels *channels, struct viz_connection *connection)
{
	struct short_channel *client = find(channels, connection->client);
	struct short_channel *server = find(channels, connection->server);

	if (!client || !server || !connection->connect || !connection->accept)
		return;
	join(client, server);
	server->connection = connection;
}

/* --- what is over ---------------------------------------------------------------------------- */

static struct short_channel *take_out(struct short_channels *channels, struct short_channel *s)
{
	id_map_remove(&channels->by_channel, s->channel->index);
	if (s->peer)
		id_map_remove(&channels->by_channel, s->peer->channel->index);
	return s;
}

struct short_channel *short_channels_give_up(struct short_channels *channels,
					     const struct viz_channel *channel)
{
	struct short_channel *s = find(channels, channel);

	return s ? take_out(channels, s) : NULL;
}

struct short_channel *short_channels_leave(struct short_channels *channels,
					   const struct viz_operation *op)
{
	const struct short_channel *s = find(channels, channel_of(op));

	return s && is_none(s, op) ? short_channels_give_up(channels, s->channel) : NULL;
}

static bool has_call(const struct short_channel *s, const struct viz_operation *op)
{
	for (size_t i = 0; s && i < s->calls.count; i++)
		if (s->calls.items[i] == op)
			return true;
	return false;
}

static bool is_own(const struct short_channel *s, const struct viz_operation *op)
{
	return !op || has_call(s, op) || has_call(s->peer, op);
}

/* True if no descriptor of it is left, and none was known to be held otherwise. */
static bool is_closed(const struct short_channels *channels, const struct short_channel *s)
{
	const struct viz_channel *channel = s->channel;

	for (size_t i = 0; i < channel->holding_count; i++)
		if (channel->holdings[i]->until_ns == VIZ_NEVER)
			return false;
	return !open_calls(channels, channel);
}

/* True if a message of the process is known: one in the middle may be none. */
static bool has_sent(const struct short_channel *s, const struct viz_process *process)
{
	for (size_t i = 0; i < s->messages.count; i++)
		if (s->messages.items[i].message->from.process == process)
			return true;
	return false;
}

/* True of a writing end that a process inherited and never used: of that it may be told. */
static bool is_kept_for_nothing(const struct short_channel *s, const struct viz_holding *holding)
{
	return channel_is_pipe(s->channel) && holding->start == HOLDING_FORK &&
	       holding->end == HOLDING_EXIT && holding->access == ACCESS_WRITE &&
	       !has_sent(s, holding->process);
}

/* True if each of its descriptors came and went by a call of its own, by fork, exec or an end. */
static bool holdings_are_plain(const struct short_channel *s)
{
	const struct viz_channel *channel = s->channel;

	for (size_t i = 0; i < channel->holding_count; i++) {
		const struct viz_holding *holding = channel->holdings[i];

		if (holding->start == HOLDING_UNKNOWN || is_kept_for_nothing(s, holding) ||
		    !is_own(s, holding->start_op) || !is_own(s, holding->end_op))
			return false;
	}
	return channel->holding_count && !channel->outsider_count && !channel->stranger_count;
}

static bool ends_are_own(const struct short_channel *s)
{
	for (size_t i = 0; i < s->eofs.count; i++)
		if (!is_own(s, s->eofs.items[i]->closed_by))
			return false;
	return true;
}

/* True if it found the end where the answer to what it had sent could have come. */
static bool lacks_answer(const struct short_channel *s)
{
	return s->peer && s->eofs.count && s->peer->latest_ns > s->latest_ns;
}

static bool is_ordinary(const struct short_channel *s)
{
	const size_t ordinary = s->ordinary + (s->peer ? s->peer->ordinary : 0);

	if ((!channel_is_pipe(s->channel) && !s->peer) || lacks_answer(s) ||
	    (s->peer && lacks_answer(s->peer)))
		return false;
	return ordinary == short_channel_calls(s) && holdings_are_plain(s) && ends_are_own(s) &&
	       (!s->peer || (holdings_are_plain(s->peer) && ends_are_own(s->peer)));
}

static bool is_over(const struct short_channels *channels, const struct short_channel *s)
{
	return is_closed(channels, s) && (!s->peer || is_closed(channels, s->peer));
}

/* Looks at the next one that is closing; NULL: it stays for the next round, or is no more. */
static struct short_channel *look(struct short_channels *channels, bool *ordinary)
{
	const struct viz_channel *channel = channels->closing.items[channels->looked++];
	struct short_channel *s = find(channels, channel);
	const bool over = s && is_over(channels, s);

	if (s && !over && s->rounds++ < ROUNDS_MOST) {
		channels->closing.items[channels->kept++] = (struct viz_channel *)channel;
		return NULL;
	}
	*ordinary = over && is_ordinary(s);
	return s ? take_out(channels, s) : NULL;
}

struct short_channel *short_channels_over(struct short_channels *channels, bool *ordinary)
{
	while (channels->looked < channels->closing.count) {
		struct short_channel *s = look(channels, ordinary);

		if (s)
			return s;
	}
	channels->closing.count = channels->kept;
	channels->looked = channels->kept = 0;
	return NULL;
}

/* --- facts of one ---------------------------------------------------------------------------- */

uint64_t short_channel_bytes(const struct short_channel *s)
{
	return s->bytes + (s->peer ? s->peer->bytes : 0);
}

size_t short_channel_calls(const struct short_channel *s)
{
	return s->count + (s->peer ? s->peer->count : 0);
}

static uint32_t of_holdings(const struct viz_channel *channel, const struct viz_operation *op)
{
	uint32_t count = 0;

	for (size_t i = 0; i < channel->holding_count; i++)
		count += (channel->holdings[i]->start_op == op) +
			 (channel->holdings[i]->end_op == op);
	return count;
}

static uint32_t of_one(const struct short_channel *s, const struct viz_operation *op)
{
	uint32_t count = of_holdings(s->channel, op);

	for (size_t i = 0; i < s->eofs.count; i++)
		count += (s->eofs.items[i]->receive == op) + (s->eofs.items[i]->closed_by == op);
	if (s->connection)
		count += (s->connection->connect == op) + (s->connection->accept == op);
	return count;
}

uint32_t short_channel_references(const struct short_channel *s, const struct viz_operation *op)
{
	return of_one(s, op) + (s->peer ? of_one(s->peer, op) : 0);
}

/* One call can have made both sockets of a connection. */
static void list_plain(const struct short_channel *s, struct short_calls *all)
{
	for (size_t i = 0; i < s->calls.count; i++) {
		const struct viz_operation *op = s->calls.items[i];
		bool listed = false;

		for (size_t k = 0; k < all->count && op->role == ROLE_OPEN; k++)
			listed |= all->items[k] == op;
		if (!listed)
			LIST_PUSH(all, op);
	}
}

static void list_moving(const struct short_channel *s, struct short_calls *all)
{
	for (size_t i = 0; i < s->eofs.count; i++)
		LIST_PUSH(all, s->eofs.items[i]->receive);
	for (size_t i = 0; i < short_channel_exchanges(s); i++) {
		const struct exchange *exchange = short_channel_exchange(s, i);

		for (size_t k = 0; k < 2 && exchange->calls[k]; k++)
			LIST_PUSH(all, exchange->calls[k]);
	}
}

void short_channel_list_plain(const struct short_channel *s, struct short_calls *all)
{
	list_plain(s, all);
	if (s->peer)
		list_plain(s->peer, all);
}

void short_channel_list(const struct short_channel *s, struct short_calls *all)
{
	short_channel_list_plain(s, all);
	list_moving(s, all);
	if (s->peer)
		list_moving(s->peer, all);
}

static bool is_part(const struct short_channel *s)
{
	return s->left || s->pending || s->stays;
}

bool short_channel_lacks_some(const struct short_channel *s)
{
	return is_part(s) || (s->peer && is_part(s->peer));
}

void short_channel_free_both(struct short_channel *s)
{
	free_one(s ? s->peer : NULL);
	free_one(s);
}

void short_channels_free(struct short_channels *channels)
{
	const struct id_map *map = &channels->by_channel;

	for (size_t i = 0; i < map->capacity; i++)
		if (map->slots[i].value)
			free_one(map->slots[i].value);
	id_map_free(&channels->by_channel);
	id_map_free(&channels->open);
	id_map_free(&channels->begun);
	free(channels->closing.items);
}
