// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/diagnose/call/near_listener.h"

enum { LISTENERS_MOST = 16 }; /* of one port that are looked at */

/* What follows the last colon of an address; empty: it has no port. */
static struct viz_bytes port_of(struct viz_bytes address)
{
	for (size_t i = address.len; i > 0; i--)
		if (address.data[i - 1] == ':')
			return (struct viz_bytes){address.data + i, address.len - i};
	return (struct viz_bytes){NULL, 0};
}

/*
 * True if the listener would have had the connection, had it listened already: it has this address,
 * or all of the machine's.
 */
static bool serves(const struct viz_channel *listener, struct viz_bytes address)
{
	return viz_bytes_equal(listener->local_address, address) ||
	       viz_bytes_begin(listener->local_address, "0.0.0.0:") ||
	       viz_bytes_begin(listener->local_address, "[::]:");
}

/* The listeners of one port, the latest first. */
struct listener {
	const struct viz_channel *channel;
	struct listener *next;
};

struct map listeners_by_port(struct diagnosis *d)
{
	struct map listeners = {0};

	for (size_t i = 0; i < d->model->channel_count; i++) {
		const struct viz_channel *channel = d->model->channels[i];
		const struct viz_bytes port = port_of(channel->local_address);
		struct listener *listener;

		if (channel->mechanism != MECH_TCP || !channel->listening || !port.len)
			continue;
		listener = arena_alloc(d->arena, sizeof(*listener));
		*listener = (struct listener){channel, map_get(&listeners, port)};
		map_put(d->arena, &listeners, port, listener);
	}
	return listeners;
}

bool is_listened_at(const struct map *listeners, const struct viz_channel *client)
{
	const struct listener *listener = map_get(listeners, port_of(client->peer_address));

	for (int i = 0; listener && i < LISTENERS_MOST; i++, listener = listener->next)
		if (listener->channel->network == client->network &&
		    serves(listener->channel, client->peer_address))
			return true;
	return false;
}

/* Tells of the first of these that would not have had the connection; false: there is none. */
static bool tell_listener(struct diagnosis *d, const struct listener *listener, struct finding *f,
			  const struct viz_operation *connect, enum phrase phrase)
{
	for (int i = 0; listener && i < LISTENERS_MOST; i++, listener = listener->next) {
		const struct viz_channel *channel = listener->channel;
		const struct viz_process *holder = viz_channel_holder(channel, connect->enter_ns);

		if (!holder || !connect->channel || channel->network != connect->channel->network ||
		    serves(channel, connect->extra->peer_address))
			continue;
		finding_process(d, f, holder);
		finding_line(d, f,
			     fill_phrase(d, phrase, process_text(d, holder),
					 bytes_text(d, channel->local_address), NULL));
		return true;
	}
	return false;
}

/* Returns the port whose bytes are in the other order, as it is without htons(3). */
static struct viz_bytes swapped_port(struct diagnosis *d, struct viz_bytes port)
{
	unsigned long number = 0;

	for (size_t i = 0; i < port.len; i++)
		number = number * 10 + (unsigned long)(port.data[i] - '0');
	return viz_bytes_of(format_text(d, "%lu", (number & 0xff) << 8 | (number >> 8 & 0xff)));
}

void tell_near_listener(struct diagnosis *d, const struct map *listeners, struct finding *f,
			const struct viz_operation *connect)
{
	const struct viz_bytes port = port_of(connect->extra->peer_address);

	if (!port.len)
		return;
	if (tell_listener(d, map_get(listeners, port), f, connect, PHRASE_LISTENS_ELSEWHERE))
		f->advice = phrase_text(PHRASE_CURE_ELSEWHERE, d->language);
	else
		tell_listener(d, map_get(listeners, swapped_port(d, port)), f, connect,
			      PHRASE_LISTENS_SWAPPED);
}
