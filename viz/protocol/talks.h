/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The application's words in a message: "GET /hallo", "SET name". Which protocol a connection
 * speaks, and which of its ends asks, is recognised from its calls, in the order of their return;
 * then each message has words if its bytes fit. The protocols are in protocols.def.
 */
#ifndef VIZ_PROTOCOL_TALKS_H
#define VIZ_PROTOCOL_TALKS_H

#include "viz/message/message.h"

struct protocol_talk; /* what was heard on one channel */

/* What was heard so far; zeroed: nothing. */
struct protocol_talks {
	struct protocol_talk *items; /* by index of the channel */
	size_t count;
};

/* Notes in the call what protocol it speaks. Calls come in the order of their return. */
void protocol_hear(struct protocol_talks *talks, const struct viz_operation *op);
void protocol_talks_free(struct protocol_talks *talks);

/* protocol_hear() of all calls of a model. */
void protocol_hear_all(const struct viz_model *model);

/*
 * The words of a message whose calls were heard: harmless text (safe_text.h), with … if it is cut,
 * which the caller frees; `*protocol` is the name of what it speaks. Where no
 * protocol of protocols.def has words, they are those in message->said. NULL: it has none.
 */
char *protocol_summary(const struct viz_message *message, const char **protocol);

#endif
