// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Uses the payload in the trace to tell which of several concurrent readers received which bytes.
 */
#include "viz/pair/position/placing.h"

static bool bytes_agree(const struct flow_item *send, const struct flow_item *receive,
			uint64_t begin, uint64_t from, uint64_t to)
{
	struct viz_bytes sent = flow_payload(send, from - send->join.start, to - from);
	struct viz_bytes received = flow_payload(receive, from - begin, to - from);
	size_t len = at_most(sent.len, received.len);

	return !len || memcmp(sent.data, received.data, len) == 0;
}

/*
 * Skips spliced sends, whose pages may have been overwritten since, and ambiguous ones, whose bytes
 * may lie elsewhere.
 */
bool payload_bytes_agree(const struct placing *p, const struct flow_item *receive, uint64_t begin)
{
	uint64_t end = begin + receive->amount;

	for (size_t i = offsets_reaching(p, begin); i < p->sends; i++) {
		const struct flow_item *send = &p->flow->sends.items[i];
		uint64_t from = at_least(begin, send->join.start);
		uint64_t to = at_most(end, send->join.start + send->amount);

		if (from >= to)
			break;
		if (!send->ambiguous && send->op->role == ROLE_SEND &&
		    !bytes_agree(send, receive, begin, from, to))
			return false;
	}
	return true;
}
