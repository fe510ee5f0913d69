// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Finds the rows of an account by their keys, and creates them on first use. */
#include "viz/account/rows.h"

static struct viz_bytes key_of(const void *key, size_t len)
{
	return (struct viz_bytes){key, len};
}

struct account_channel *account_channel(struct account *account, const struct viz_channel *channel)
{
	struct fold *fold = account_fold(account);
	uint64_t key = (uint64_t)(uintptr_t)channel;
	struct channel_row *found = map_get(&fold->channels, key_of(&key, sizeof(key)));

	if (found)
		return &found->row;
	found = arena_alloc(account->arena, sizeof(*found));
	found->key = key;
	found->row.index = account->channel_count;
	found->row.channel = channel;
	found->row.mechanism = channel ? channel->mechanism : MECH_SIGNAL;
	map_put(account->arena, &fold->channels, key_of(&found->key, sizeof(found->key)), found);
	ARENA_PUSH(account->arena, account->channels, account->channel_count, &found->row);
	return &found->row;
}

struct account_end *account_end(struct account *account, const struct viz_process *process,
				struct account_channel *channel)
{
	struct fold *fold = account_fold(account);
	struct end_row wanted = {.key = {process, channel}}, *found;

	found = map_get(&fold->ends, key_of(&wanted.key, sizeof(wanted.key)));
	if (found)
		return &found->row;
	found = arena_alloc(account->arena, sizeof(*found));
	*found = wanted;
	found->row.index = account->end_count;
	found->row.process = process;
	found->row.channel = channel;
	found->row.waits_since_ns = VIZ_NEVER;
	map_put(account->arena, &fold->ends, key_of(&found->key, sizeof(found->key)), found);
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
	struct route_row wanted, *found;

	memset(&wanted, 0, sizeof(wanted));
	set_parties(&wanted.key.from, &wanted.key.to, message);
	wanted.key.channel = channel;
	wanted.key.connection = connection_of(message);
	found = map_get(&fold->routes, key_of(&wanted.key, sizeof(wanted.key)));
	if (found)
		return &found->row;
	found = arena_alloc(account->arena, sizeof(*found));
	memcpy(&found->key, &wanted.key, sizeof(wanted.key));
	found->row = (struct account_route){
		.index = account->route_count,
		.from_side = wanted.key.from.side,
		.to_side = wanted.key.to.side,
		.from = wanted.key.from.process,
		.to = wanted.key.to.process,
		.from_pid = wanted.key.from.pid,
		.to_pid = wanted.key.to.pid,
		.channel = channel,
	};
	map_put(account->arena, &fold->routes, key_of(&found->key, sizeof(found->key)), found);
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
				     const struct party *b, const struct pair_row *wanted)
{
	struct pair_row *pair = arena_alloc(account->arena, sizeof(*pair));

	memcpy(&pair->key, &wanted->key, sizeof(wanted->key));
	pair->row.index = account->pair_count;
	pair->row.a = a->process;
	pair->row.a_side = a->side;
	pair->row.a_pid = a->pid;
	pair->row.b = b->process;
	pair->row.b_side = b->side;
	pair->row.b_pid = b->pid;
	pair->row.mechanism = wanted->key.mechanism;
	map_put(account->arena, &account_fold(account)->pairs,
		key_of(&pair->key, sizeof(pair->key)), pair);
	ARENA_PUSH(account->arena, account->pairs, account->pair_count, &pair->row);
	return &pair->row;
}

struct account_pair *account_pair(struct account *account, const struct viz_message *message)
{
	struct party from, to;
	struct pair_row wanted, *found;
	bool ordered;

	memset(&wanted, 0, sizeof(wanted));
	set_parties(&from, &to, message);
	ordered = party_before(&from, &to);
	memcpy(&wanted.key.parties[ordered ? 0 : 1], &from, sizeof(from));
	memcpy(&wanted.key.parties[ordered ? 1 : 0], &to, sizeof(to));
	wanted.key.mechanism = message->mechanism;
	wanted.key.connection = connection_of(message);
	found = map_get(&account_fold(account)->pairs, key_of(&wanted.key, sizeof(wanted.key)));
	return found ? &found->row : new_pair(account, &from, &to, &wanted);
}
