/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which calls of a server to others, as a proxy makes them, were followed by a failure of the
 * request that it served: its client got an error of HTTP, or no answer before the end.
 */
#ifndef VIZ_DIAGNOSE_GRAPH_FAILED_REQUESTS_H
#define VIZ_DIAGNOSE_GRAPH_FAILED_REQUESTS_H

#include "viz/diagnose/core/finder.h"

/*
 * True for a connect(2), or a send on a connection of its own, between a request and such a failure
 * of it. False also where the trace does not tell: payloads are left out, or encrypted.
 */
bool request_failed_after(struct diagnosis *d, const struct viz_operation *op);

#endif
