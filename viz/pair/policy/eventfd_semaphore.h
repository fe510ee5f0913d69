/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An eventfd in semaphore mode gives one unit to each read, so it can be matched as a stream of
 * units. If no call acted while the count was sampled, the sample must equal what the calls before
 * it added minus what they took. If it does not, there are calls that are not in the trace: from
 * there on units have their places by the samples, and every match is ambiguous.
 *
 * None of these matches is ever exact, but they are right: with 1 of 100 records lost, 98 of 100
 * units were given to the read that took them (truthgen, stage eventfd-semaphore). Matched in order
 * after the first missing call, 35 of 100 were. Private to viz/pair.
 */
#ifndef VIZ_PAIR_POLICY_EVENTFD_SEMAPHORE_H
#define VIZ_PAIR_POLICY_EVENTFD_SEMAPHORE_H

#include "viz/pair/core/context.h"

/*
 * Matches a flow by the sampled counts. Returns false, and has matched nothing, if the calls in the
 * trace explain all samples, or if there is none: the flow can be matched in order then.
 */
bool pair_semaphore(struct pair_context *context, struct channel_traffic *traffic,
		    struct flow *flow, const struct pair_route *route);

#endif
