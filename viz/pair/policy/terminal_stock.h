/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Bytes that lay in a pseudo-terminal when tracing found it. Private to viz/pair. */
#ifndef VIZ_PAIR_POLICY_TERMINAL_STOCK_H
#define VIZ_PAIR_POLICY_TERMINAL_STOCK_H

#include "viz/pair/core/context.h"

/*
 * Takes the bytes that lay in `to` off what was read first: their sender is not in the trace. Sets
 * flow->ambiguous where it is not known how many there were, or in which read they are. `line` are
 * the first settings of the line that the trace tells; NULL: none.
 */
void terminal_take_stock(struct pair_context *context, struct flow *flow,
			 const struct pair_route *route, const struct viz_channel *to,
			 const struct viz_line *line);

#endif
