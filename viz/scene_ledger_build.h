/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Building a ledger: what its files share. */
#ifndef VIZ_SCENE_LEDGER_BUILD_H
#define VIZ_SCENE_LEDGER_BUILD_H

#include "arena.h"
#include "scene_draft.h"
#include "scene_ledger.h"

struct ledger_build {
	struct scene_drafts *d;
	struct scene_ledger *ledger;
	uint32_t *message_of; /* of a message of the pairing, by index: where it is in the ledger */
	const struct viz_message **paired; /* of a message of the ledger: where it comes from */
	uint32_t *call_of;		   /* of an operation, by index */
	uint32_t *object_of;		   /* of a channel, by index */
	uint32_t row;			   /* that is being added; LEDGER_NONE: none */
	struct map texts, routes, sites, threads, shapes;
};

/* Places of what is added where it is not there yet. Text: harmless; none is 0, as "". */
uint32_t ledger_text(struct ledger_build *b, struct viz_bytes raw);
uint32_t ledger_object(struct ledger_build *b, const struct viz_channel *channel);
uint32_t ledger_route(struct ledger_build *b, const struct ledger_route *route);
uint32_t ledger_shape(struct ledger_build *b, const struct draft *draft);
uint32_t ledger_use_call(struct ledger_build *b, const struct viz_operation *op);

/* LEDGER_NONE where it was not added. */
uint32_t ledger_call(const struct ledger_build *b, const struct viz_operation *op);

void ledger_add_lanes(struct ledger_build *b);
void ledger_add_other_calls(struct ledger_build *b); /* those that slept, and who woke whom */

#endif
