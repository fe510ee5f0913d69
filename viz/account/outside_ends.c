// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Counts the senders and receivers of a socket that are outside the trace, each once. */
#include "viz/account/rows.h"

#include <stdlib.h>

#include "viz/message/outsiders.h"

struct outside_key {
	const struct account_channel *channel;
	uint64_t receives;
	uint64_t pid; /* 0: it is known by its address, which follows the key */
};

/* True the first time that it is called for this key and address. */
static bool is_new(struct account *account, const struct outside_key *key, struct viz_bytes address)
{
	size_t len = sizeof(*key) + (key->pid ? 0 : address.len);
	struct map *known = &account_fold(account)->outside;
	char *text = memory_new(len);
	const struct viz_bytes bytes = {text, len};
	bool new;

	memcpy(text, key, sizeof(*key));
	if (len > sizeof(*key))
		memcpy(text + sizeof(*key), address.data, address.len);
	new = !map_get(known, bytes);
	if (new)
		map_put(account->arena, known, bytes, account);
	free(text);
	return new;
}

/* Where several outsiders hold a socket, which of them it was is not known: the address counts. */
void account_see_outside(struct account *account, struct account_channel *channel,
			 const struct viz_message *message)
{
	struct outside_key key = {.channel = channel, .receives = message->from.known};
	struct outside outside;

	if (!account_has_two_ends(channel->mechanism) || !outside_of(message, &outside))
		return;
	if (outside.count == 1)
		key.pid = outside.processes[0]->pid;
	if (!is_new(account, &key, outside.address))
		return;
	if (message->from.known)
		channel->receivers_outside++;
	else
		channel->senders_outside++;
	channel->by_address |= !key.pid;
}
