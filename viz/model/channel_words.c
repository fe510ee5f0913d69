// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/model/channel_words.h"

#include <stdio.h>

static struct viz_bytes memory_of(const struct viz_channel *futex, const char *inode)
{
	const struct viz_channel *memory = futex->memory;

	if (memory && memory->name.len)
		return memory->name;
	return memory ? memory->id : viz_bytes_of(inode);
}

/* All of the id was read, its bracket too. */
static bool ends(const char *id, int len)
{
	return len > 0 && !id[len];
}

struct viz_bytes channel_words(const struct viz_channel *channel, bool german,
			       char words[CHANNEL_WORDS])
{
	char id[64], mechanism[32], inode[24];
	unsigned long long number, offset;
	struct viz_bytes memory;
	int len = 0;

	if (channel->id.len >= sizeof(id))
		return channel->id;
	snprintf(id, sizeof(id), "%.*s", (int)channel->id.len, channel->id.data);
	if (sscanf(id, "%31[a-z-]:[~%20llu]%n", mechanism, &number, &len) == 2 && ends(id, len)) {
		snprintf(words, CHANNEL_WORDS, "%s %s %llu", mechanism,
			 german ? "Verbindung" : "connection", number);
	} else if (sscanf(id, "futex:[%20llu+%20llu]%n", &number, &offset, &len) == 2 &&
		   ends(id, len)) {
		snprintf(inode, sizeof(inode), "inode %llu", number);
		memory = memory_of(channel, inode);
		snprintf(words, CHANNEL_WORDS, "futex %s %llu %s %.*s",
			 german ? "an Byte" : "at byte", offset, german ? "von" : "of",
			 (int)memory.len, memory.data);
	} else {
		return channel->id;
	}
	return viz_bytes_of(words);
}
