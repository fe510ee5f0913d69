/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who is at the end of a message that is outside the trace, as far as the trace can name it. */
#ifndef VIZ_OUTSIDE_H
#define VIZ_OUTSIDE_H

#include "pair.h"

#define OUTSIDE_MAX 8

struct outside {
	/* Met at the other end of its channel; if none was, those that held it at the end. */
	const struct viz_outsider *processes[OUTSIDE_MAX];
	size_t count;
	struct viz_bytes address; /* data may be NULL */
};

/* false where nothing is known, or there is no such end: a message unread, a signal, an echo. */
bool outside_of(const struct viz_message *message, struct outside *outside);

/* Whether a socket, of TCP too, is bound where `own`, of the same network, sees that address. */
bool outside_is_at(const struct viz_channel *socket, struct viz_bytes address,
		   const struct viz_channel *own);

#endif
