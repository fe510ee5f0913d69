// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/message/message.h"

struct viz_bytes viz_message_payload(const struct viz_message *m)
{
	struct viz_bytes sent = m->from.payload, received = m->to.payload;

	if (!sent.data || (received.data && received.len > sent.len))
		return received;
	return sent;
}
