/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How people are told of a channel whose id or key would not say much. */
#ifndef VIZ_MODEL_CHANNEL_WORDS_H
#define VIZ_MODEL_CHANNEL_WORDS_H

#include "viz/model/model.h"

#define CHANNEL_PRIVATE "IPC_PRIVATE"

enum { CHANNEL_WORDS = 256 };

/* True if the object was made with IPC_PRIVATE: it has no name, and no key that finds it. */
static inline bool channel_is_private(const struct viz_channel *channel)
{
	return !channel->name.len && viz_bytes_equal(channel->key, viz_bytes_of("0x00000000"));
}

/*
 * What stands for the id in texts: the id itself, but "unix-stream connection 1" for a socket that
 * its server had not accepted (unix-stream:[~1]), and "futex at byte 40 of /dev/shm/x" for
 * futex:[131+40]. As harmless, or not, as the trace; `words` is used where it is not the id.
 */
struct viz_bytes channel_words(const struct viz_channel *channel, bool german,
			       char words[CHANNEL_WORDS]);

#endif
