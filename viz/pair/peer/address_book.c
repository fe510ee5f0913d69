// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Sockets by address. Texts are "127.0.0.1:80", "[::1]:80", a path, "@abstract". An IPv4 address
 * that is mapped into IPv6 ([::ffff:127.0.0.1]:80) is the IPv4 address; 0.0.0.0 and :: are any
 * address.
 */

#include "viz/pair/peer/address_book.h"
#include <stdlib.h>

#include "viz/base/address.h"
#include "viz/base/sorted_search.h"

#define NEARBY 64 /* sockets of one address that are compared: hostile traces have many */

struct socket_list {
	struct viz_channel **items; /* by at_ns */
	size_t count;
};

struct address_book {
	struct arena *arena;
	struct map by_address; /* mechanism, address: struct socket_list */
	/* Struct pairs: mechanism, network, local, peer; those that other networks reach. */
	struct id_map by_pair, across;
	struct map hosts; /* network, host: some socket of the trace is bound to it */
};

/* The sockets with two addresses. It is freed with the last one of them. */
struct pairs {
	struct viz_bytes key;	     /* behind it */
	struct pairs *next;	     /* with the same hash */
	struct channel_list sockets; /* by at_ns */
};

/* The key of a map, while it is composed. */
struct key {
	char *data;
	size_t len;
};

static void key_add(struct key *key, const void *data, size_t len)
{
	if (len)
		memcpy(key->data + key->len, data, len);
	key->len += len;
}

static void key_add_address(struct key *key, struct viz_bytes address)
{
	static const char mapped[] = "[::ffff:";
	const char *bracket = address.len ? memchr(address.data, ']', address.len) : NULL;

	if (viz_bytes_begin(address, mapped) && bracket) {
		const char *host = address.data + strlen(mapped);

		key_add(key, host, (size_t)(bracket - host));
		key_add(key, bracket + 1, address.len - (size_t)(bracket + 1 - address.data));
	} else {
		key_add(key, address.data, address.len);
	}
	key_add(key, "", 1);
}

/* True if addresses are valid within one network namespace only; so are those of netlink. */
static bool is_internet(enum mechanism mechanism)
{
	return mechanism == MECH_TCP || mechanism == MECH_UDP || mechanism == MECH_NETLINK;
}

static struct key new_key(struct arena *arena, enum mechanism mechanism, size_t room)
{
	struct key key = {arena_alloc(arena, room + 16), 0};
	unsigned char number = (unsigned char)mechanism;

	key_add(&key, &number, 1);
	return key;
}

static struct viz_bytes address_key(struct arena *arena, enum mechanism mechanism,
				    struct viz_bytes address)
{
	struct key key = new_key(arena, mechanism, address.len);

	key_add_address(&key, address);
	return (struct viz_bytes){key.data, key.len};
}

/* The key of two addresses in a network namespace; `network` 0 stands for any namespace. */
static struct viz_bytes pair_key(struct arena *arena, const struct viz_channel *channel,
				 uint64_t network, struct viz_bytes first, struct viz_bytes second)
{
	struct key key = new_key(arena, channel->mechanism, first.len + second.len + 16);

	key_add(&key, &network, sizeof(network));
	key_add_address(&key, first);
	key_add_address(&key, second);
	return (struct viz_bytes){key.data, key.len};
}

static struct viz_bytes host_key(struct arena *arena, const struct viz_channel *channel,
				 struct viz_bytes address)
{
	struct key key = new_key(arena, MECH_NONE, address.len + 16);

	key_add(&key, &channel->network, sizeof(channel->network));
	key_add_address(&key, address_host(address));
	return (struct viz_bytes){key.data, key.len};
}

/*
 * True for an address of this machine; only such an address reaches a socket bound to any address.
 */
static bool is_local(const struct address_book *book, struct arena *scratch,
		     const struct viz_channel *asker, struct viz_bytes address)
{
	return address_is_loopback(address) || address_wildcard_port(address).len ||
	       map_get(&book->hosts, host_key(scratch, asker, address));
}

/* Keeps a list in order of at_ns, to which a socket was added at the end. */
static void move_to_its_place(struct viz_channel **items, size_t count)
{
	struct viz_channel *channel = items[count - 1];
	size_t at = count - 1;

	for (; at > 0 && items[at - 1]->at_ns > channel->at_ns; at--)
		items[at] = items[at - 1];
	items[at] = channel;
}

/* Adds a socket to the list of a key. */
static void enter(struct address_book *book, struct map *map, struct viz_bytes key,
		  struct viz_channel *channel)
{
	struct socket_list *list = map_get(map, key);

	if (!list) {
		list = arena_alloc(book->arena, sizeof(*list));
		map_put(book->arena, map, key, list);
	}
	ARENA_PUSH(book->arena, list->items, list->count, channel);
	move_to_its_place(list->items, list->count);
}

/* --- pairs of addresses ---------------------------------------------------------------------- */

static struct pairs *find_pairs(const struct id_map *map, struct viz_bytes key)
{
	struct pairs *pairs = id_map_get(map, viz_bytes_hash(key));

	while (pairs && !viz_bytes_equal(pairs->key, key))
		pairs = pairs->next;
	return pairs;
}

static struct pairs *make_pairs(struct id_map *map, struct viz_bytes key)
{
	struct pairs *pairs = memory_new(sizeof(*pairs) + key.len);

	memcpy(pairs + 1, key.data, key.len);
	pairs->key = (struct viz_bytes){(const char *)(pairs + 1), key.len};
	pairs->next = id_map_get(map, viz_bytes_hash(key));
	id_map_put(map, viz_bytes_hash(key), pairs);
	return pairs;
}

static void free_pairs(struct pairs *pairs)
{
	free(pairs->sockets.items);
	free(pairs);
}

/* Takes those out that have no socket any more. */
static void remove_pairs(struct id_map *map, struct pairs *pairs)
{
	const uint64_t hash = viz_bytes_hash(pairs->key);
	struct pairs *first = id_map_get(map, hash), *before = first;

	while (before != pairs && before->next != pairs)
		before = before->next;
	if (before != pairs)
		before->next = pairs->next;
	else if (pairs->next)
		id_map_put(map, hash, pairs->next);
	else
		id_map_remove(map, hash);
	free_pairs(pairs);
}

static void add_to_pairs(struct id_map *map, struct viz_bytes key, struct viz_channel *channel)
{
	struct pairs *pairs = find_pairs(map, key);

	if (!pairs)
		pairs = make_pairs(map, key);
	LIST_PUSH(&pairs->sockets, channel);
	move_to_its_place(pairs->sockets.items, pairs->sockets.count);
}

static void take_from_pairs(struct id_map *map, struct viz_bytes key,
			    const struct viz_channel *channel)
{
	struct pairs *pairs = find_pairs(map, key);
	size_t kept = 0;

	if (!pairs)
		return;
	for (size_t i = 0; i < pairs->sockets.count; i++)
		if (pairs->sockets.items[i] != channel)
			pairs->sockets.items[kept++] = pairs->sockets.items[i];
	pairs->sockets.count = kept;
	if (!kept)
		remove_pairs(map, pairs);
}

static void free_map_of_pairs(struct id_map *map)
{
	for (size_t i = 0; i < map->capacity; i++)
		for (struct pairs *pairs = map->slots[i].value, *next; pairs; pairs = next) {
			next = pairs->next;
			free_pairs(pairs);
		}
	id_map_free(map);
}

/* --- entering a socket ----------------------------------------------------------------------- */

/* Senders of datagrams look for their receivers by one address, and clients for listeners. */
static bool is_looked_up(const struct viz_channel *channel)
{
	return pair_policy_of(channel) == POLICY_DATAGRAM || channel->listening;
}

static void enter_own(struct address_book *book, struct arena *scratch, struct viz_channel *channel,
		      struct viz_bytes own)
{
	bool internet = is_internet(channel->mechanism);

	if (internet)
		map_put(book->arena, &book->hosts, host_key(scratch, channel, own), channel);
	if (internet && address_wildcard_port(own).len)
		own = address_wildcard_port(own);
	if (is_looked_up(channel))
		enter(book, &book->by_address, address_key(scratch, channel->mechanism, own),
		      channel);
}

static void enter_pair(struct address_book *book, struct arena *scratch,
		       struct viz_channel *channel, struct viz_bytes own, struct viz_bytes peer)
{
	add_to_pairs(&book->by_pair, pair_key(scratch, channel, channel->network, own, peer),
		     channel);
	if (channel->mechanism == MECH_TCP && channel->network && !address_is_loopback(own))
		add_to_pairs(&book->across, pair_key(scratch, channel, 0, own, peer), channel);
}

void address_book_leave(struct address_book *book, struct arena *scratch,
			const struct viz_channel *channel, const struct addresses *entered)
{
	struct viz_bytes own = entered->own, peer = entered->peer;

	if (!is_internet(channel->mechanism) || !own.len || !peer.len)
		return;
	take_from_pairs(&book->by_pair, pair_key(scratch, channel, channel->network, own, peer),
			channel);
	take_from_pairs(&book->across, pair_key(scratch, channel, 0, own, peer), channel);
}

void address_book_enter(struct address_book *book, struct arena *scratch,
			struct viz_channel *channel, struct addresses *entered)
{
	bool internet = is_internet(channel->mechanism);
	struct viz_bytes own = internet ? channel->local_address : channel->name;
	struct viz_bytes peer = channel->peer_address;
	bool changed = !viz_bytes_equal(own, entered->own);

	if (!own.len)
		return;
	if (changed)
		enter_own(book, scratch, channel, own);
	if (internet && peer.len && (changed || !viz_bytes_equal(peer, entered->peer)))
		enter_pair(book, scratch, channel, own, peer);
	*entered = (struct addresses){own, peer};
}

struct address_book *address_book_new(struct arena *arena)
{
	struct address_book *book = arena_alloc(arena, sizeof(*book));

	book->arena = arena;
	return book;
}

void address_book_free(struct address_book *book)
{
	if (!book)
		return;
	free_map_of_pairs(&book->by_pair);
	free_map_of_pairs(&book->across);
}

/*
 * True if all holders of the socket had closed it before at_ns. A socket without holders in the
 * trace may be held outside, and is not gone.
 */
static bool is_closed(const struct viz_channel *channel, uint64_t at_ns)
{
	bool closed = channel->holding_count > 0;

	for (size_t i = 0; i < channel->holding_count && closed; i++)
		closed = channel->holdings[i]->until_ns < at_ns;
	return closed;
}

static uint64_t birth_of(const void *list, size_t index)
{
	return ((struct viz_channel *const *)list)[index]->at_ns;
}

/* How many sockets of a list were known at at_ns. */
static size_t known_at(struct viz_channel *const *items, size_t count, uint64_t at_ns)
{
	return search_until(items, count, birth_of, at_ns);
}

enum fit { FIT_NONE, FIT_ELSEWHERE, FIT_MAYBE, FIT_CONNECTED };

/*
 * How well a socket fits as the one that the asker sent to. A connected UDP socket takes only what
 * comes from its peer, and is preferred to others (udp(7)). FIT_ELSEWHERE: it is connected to
 * another peer, but may not have been then, since the channel has only its last peer address.
 */
static enum fit fit_of(const struct viz_channel *channel, const struct viz_channel *asker)
{
	struct viz_bytes peer = channel->peer_address, own = asker->local_address;

	if (channel->network != asker->network)
		return FIT_NONE;
	if (!is_internet(asker->mechanism))
		return FIT_CONNECTED;
	if (!peer.len || !own.len)
		return FIT_MAYBE;
	if (viz_bytes_equal(peer, own))
		return FIT_CONNECTED;
	return viz_bytes_equal(address_port(peer), address_port(own)) ? FIT_MAYBE : FIT_ELSEWHERE;
}

/*
 * The socket that fits best at at_ns; of several that fit alike, the latest, and `several` is set.
 */
static struct viz_channel *find_in(const struct map *map, struct viz_bytes key,
				   const struct viz_channel *asker, uint64_t at_ns, bool *several)
{
	const struct socket_list *list = map_get(map, key);
	size_t known = list ? known_at(list->items, list->count, at_ns) : 0;
	struct viz_channel *found = NULL;
	enum fit best = FIT_NONE;

	for (size_t i = known; i > 0 && known - i < NEARBY && best != FIT_CONNECTED; i--) {
		struct viz_channel *channel = list->items[i - 1];
		enum fit fit = fit_of(channel, asker);

		if (fit == FIT_NONE || fit < best || channel == found || is_closed(channel, at_ns))
			continue;
		*several = fit == best;
		found = fit == best ? found : channel;
		best = fit;
	}
	return found;
}

struct viz_channel *address_book_find(const struct address_book *book, struct arena *scratch,
				      const struct viz_channel *asker, struct viz_bytes address,
				      uint64_t at_ns, bool *several)
{
	struct viz_channel *found;
	struct viz_bytes port = address_port(address);

	*several = false;
	if (!address.len)
		return NULL;
	found = find_in(&book->by_address, address_key(scratch, asker->mechanism, address), asker,
			at_ns, several);
	if (!found && is_internet(asker->mechanism) && port.len &&
	    is_local(book, scratch, asker, address))
		found = find_in(&book->by_address, address_key(scratch, asker->mechanism, port),
				asker, at_ns, several);
	return found;
}

static uint64_t end_of(const struct viz_channel *channel)
{
	uint64_t end = 0;

	for (size_t i = 0; i < channel->holding_count; i++)
		if (channel->holdings[i]->until_ns > end)
			end = channel->holdings[i]->until_ns;
	return channel->holding_count ? end : VIZ_NEVER;
}

static const struct channel_list *opposites(const struct address_book *book, struct arena *scratch,
					    const struct viz_channel *channel)
{
	const struct pairs *pairs;

	if (!channel->local_address.len || !channel->peer_address.len)
		return NULL;
	pairs = find_pairs(&book->by_pair, pair_key(scratch, channel, channel->network,
						    channel->peer_address, channel->local_address));
	return pairs ? &pairs->sockets : NULL;
}

bool address_book_overlap(const struct viz_channel *a, const struct viz_channel *b)
{
	return end_of(a) >= b->at_ns && end_of(b) >= a->at_ns;
}

size_t address_book_opposites(const struct address_book *book, struct arena *scratch,
			      const struct viz_channel *channel, struct viz_channel **found,
			      size_t room)
{
	const struct channel_list *list = opposites(book, scratch, channel);
	size_t count = 0;

	for (size_t i = list ? list->count : 0; i > 0 && count < room; i--)
		found[count++] = list->items[i - 1];
	return count;
}

size_t address_book_across(const struct address_book *book, struct arena *scratch,
			   const struct viz_channel *channel, struct viz_channel **found,
			   size_t room)
{
	const struct pairs *pairs = find_pairs(
		&book->across,
		pair_key(scratch, channel, 0, channel->peer_address, channel->local_address));
	const struct channel_list *list = pairs ? &pairs->sockets : NULL;
	size_t known = list ? known_at(list->items, list->count, end_of(channel)) : 0, count = 0;

	for (size_t i = known; i > 0 && known - i < NEARBY && count < room; i--)
		if (list->items[i - 1]->network != channel->network &&
		    end_of(list->items[i - 1]) >= channel->at_ns)
			found[count++] = list->items[i - 1];
	return count;
}

struct elsewhere {
	const struct address_book *book;
	struct arena *scratch;
	const struct viz_channel *asker;
	struct viz_bytes address;
	uint64_t at_ns;
	struct viz_channel *found; /* the last one that was found */
	size_t count;
};

/*
 * Counts the sockets in other namespaces that are bound to `bound`. With `any`, that is a port on
 * any address, and only namespaces count in which a socket is bound to the address sought.
 */
static void look_elsewhere(struct elsewhere *e, struct viz_bytes bound, bool any)
{
	const struct socket_list *list =
		map_get(&e->book->by_address, address_key(e->scratch, e->asker->mechanism, bound));
	size_t known = list ? known_at(list->items, list->count, e->at_ns) : 0;

	for (size_t i = known; i > 0 && known - i < NEARBY; i--) {
		struct viz_channel *channel = list->items[i - 1];

		if (!channel->network || channel->network == e->asker->network ||
		    is_closed(channel, e->at_ns) ||
		    (any && !map_get(&e->book->hosts, host_key(e->scratch, channel, e->address))))
			continue;
		e->found = channel;
		e->count++;
	}
}

struct viz_channel *address_book_elsewhere(const struct address_book *book, struct arena *scratch,
					   const struct viz_channel *asker,
					   struct viz_bytes address, uint64_t at_ns)
{
	struct elsewhere e = {book, scratch, asker, address, at_ns, NULL, 0};
	struct viz_bytes port = address_port(address);

	if (asker->mechanism != MECH_UDP || !asker->network || !port.len ||
	    is_local(book, scratch, asker, address))
		return NULL;
	look_elsewhere(&e, address, false);
	look_elsewhere(&e, port, true);
	return e.count == 1 ? e.found : NULL;
}
