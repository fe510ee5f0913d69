// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Finds the rows of an account by their keys, and creates them on first use. */
#include "viz/account/rows.h"

/* Keys of maps, cleared before they are filled in. The maps have copies. */
struct end_key {
	const struct viz_process *process;
	const struct account_channel *channel;
};

struct route_key {
	struct party from, to;
	const struct account_channel *channel;
	const struct viz_channel *connection;
};

struct pair_key {
	struct party parties[2];
	enum mechanism mechanism;
	const struct viz_channel *connection;
};

static struct viz_bytes key_of(const void *key, size_t len)
{
	return (struct viz_bytes){key, len};
}

/* Where the channel's row stands, or is to stand. */
static struct channel_row **place_of(struct account *account, const struct viz_channel *channel)
{
	struct fold *fold = account_fold(account);
	const size_t at = channel ? channel->index + 1 : 0;
	size_t count = fold->place_count ? fold->place_count : 64;
	struct channel_row **places;

	if (at < fold->place_count)
		return &fold->places[at];
	while (count <= at)
		count *= 2;
	places = arena_array(account->arena, count, sizeof(struct channel_row *));
	if (fold->place_count)
		memcpy(places, fold->places, fold->place_count * sizeof(struct channel_row *));
	fold->places = places;
	fold->place_count = count;
	return &places[at];
}

struct account_channel *account_channel(struct account *account, const struct viz_channel *channel)
{
	struct channel_row **place = place_of(account, channel), *found = *place;

	if (found)
		return &found->row;
	found = arena_alloc(account->arena, sizeof(*found));
	found->row.index = account->channel_count;
	found->row.channel = channel;
	found->row.mechanism = channel ? channel->mechanism : MECH_SIGNAL;
	*place = found;
	ARENA_PUSH(account->arena, account->channels, account->channel_count, &found->row);
	return &found->row;
}

struct account_end *account_end(struct account *account, const struct viz_process *process,
				struct account_channel *channel)
{
	struct fold *fold = account_fold(account);
	const struct end_key key = {process, channel};
	struct end_row *found = map_get(&fold->ends, key_of(&key, sizeof(key)));

	if (found)
		return &found->row;
	found = arena_alloc(account->arena, sizeof(*found));
	found->row.index = account->end_count;
	found->row.process = process;
	found->row.channel = channel;
	found->row.waits_since_ns = VIZ_NEVER;
	map_put(account->arena, &fold->ends, key_of(&key, sizeof(key)), found);
	ARENA_PUSH(account->arena, account->ends, account->end_count, &found->row);
	return &found->row;
}

/* Also clears the padding, since parties are compared bytewise. */
static void set_party(struct party *party, const struct viz_end *end, bool outside)
{
	memset(party, 0, sizeof(*party));
	party->side = outside ? SIDE_OUTSIDE : SIDE_NOBODY;
	if (!end->known)
		return;
	party->side = end->process ? SIDE_PROCESS : SIDE_OUTSIDE;
	party->process = end->process;
	party->pid = end->pid;
}

static void set_parties(struct party *from, struct party *to, const struct viz_message *message)
{
	set_party(from, &message->from, true);
	set_party(to, &message->to, message->fate == FATE_NONE);
	if (from->side == SIDE_OUTSIDE && !from->pid && message->signal &&
	    message->signal->generate)
		from->side = SIDE_KERNEL;
}

/*
 * Returns the channel that identifies the connection: of two sockets, the one known first. NULL for
 * channels without two ends.
 */
static const struct viz_channel *connection_of(const struct viz_message *message)
{
	const struct viz_channel *sink = account_message_sink(message),
				 *source = account_message_source(message);

	if (!account_has_two_ends(message->mechanism))
		return NULL;
	if (!sink || !source)
		return sink ? sink : source ? source : message->channel;
	return sink->index < source->index ? sink : source;
}

struct account_route *account_route(struct account *account, const struct viz_message *message,
				    struct account_channel *channel)
{
	struct fold *fold = account_fold(account);
	struct route_row *found;
	struct route_key key;

	memset(&key, 0, sizeof(key));
	set_parties(&key.from, &key.to, message);
	key.channel = channel;
	key.connection = connection_of(message);
	found = map_get(&fold->routes, key_of(&key, sizeof(key)));
	if (found)
		return &found->row;
	found = arena_alloc(account->arena, sizeof(*found));
	found->row = (struct account_route){
		.index = account->route_count,
		.from_side = key.from.side,
		.to_side = key.to.side,
		.from = key.from.process,
		.to = key.to.process,
		.from_pid = key.from.pid,
		.to_pid = key.to.pid,
		.channel = channel,
	};
	map_put(account->arena, &fold->routes, key_of(&key, sizeof(key)), found);
	ARENA_PUSH(account->arena, account->routes, account->route_count, &found->row);
	return &found->row;
}

static bool party_before(const struct party *x, const struct party *y)
{
	if (x->side != y->side)
		return x->side < y->side;
	if (x->side == SIDE_PROCESS)
		return x->process->index < y->process->index;
	return x->pid < y->pid;
}

static struct account_pair *new_pair(struct account *account, const struct party *a,
				     const struct party *b, const struct pair_key *key)
{
	struct pair_row *pair = arena_alloc(account->arena, sizeof(*pair));

	pair->row.index = account->pair_count;
	pair->row.a = a->process;
	pair->row.a_side = a->side;
	pair->row.a_pid = a->pid;
	pair->row.b = b->process;
	pair->row.b_side = b->side;
	pair->row.b_pid = b->pid;
	pair->row.mechanism = key->mechanism;
	map_put(account->arena, &account_fold(account)->pairs, key_of(key, sizeof(*key)), pair);
	ARENA_PUSH(account->arena, account->pairs, account->pair_count, &pair->row);
	return &pair->row;
}

struct account_pair *account_pair(struct account *account, const struct viz_message *message)
{
	struct party from, to;
	struct pair_row *found;
	struct pair_key key;
	bool ordered;

	memset(&key, 0, sizeof(key));
	set_parties(&from, &to, message);
	ordered = party_before(&from, &to);
	memcpy(&key.parties[ordered ? 0 : 1], &from, sizeof(from));
	memcpy(&key.parties[ordered ? 1 : 0], &to, sizeof(to));
	key.mechanism = message->mechanism;
	key.connection = connection_of(message);
	found = map_get(&account_fold(account)->pairs, key_of(&key, sizeof(key)));
	return found ? &found->row : new_pair(account, &from, &to, &key);
}
