// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Waits at a System V queue that no message, or no room, can end: of which type, and how large. */
#include "viz/diagnose/datagram/queue_waits.h"

#include <inttypes.h>

#include "viz/diagnose/wait/waits.h"

/* Returns the message types in the queue, seen sent in the trace or found by a glance. */
static const char *types_text(struct diagnosis *d, struct finding *f,
			      const struct viz_channel *channel)
{
	enum { SHOWN = 5 };
	const char *types = NULL;

	for (size_t i = 0; i < channel->glimpse->types_count && i < SHOWN; i++)
		types = joined_text(d, types, ", ",
				    format_text(d, "%" PRIu64, channel->glimpse->types[i]));
	for (const struct wait_unread *unread = d->waits->unread[channel->index]; unread;
	     unread = unread->next) {
		const struct viz_message *m = unread->message;

		if (f->operation_count <= SHOWN)
			types = joined_text(d, types, ", ", format_text(d, "%" PRId64, m->type));
		finding_operation(d, f, m->from.operation);
	}
	return types;
}

/*
 * Returns the wanted type as text. In msgrcv(2) a negative type asks for the lowest one up to its
 * absolute value, and MSG_EXCEPT for any other type.
 */
static const char *wanted_text(struct diagnosis *d, const struct viz_operation *op)
{
	enum { EXCEPT = 020000 };
	int64_t wanted = 0;

	viz_operation_argument(op, "msgtyp", &wanted);
	if (wanted < 0)
		return fill_phrase(d, PHRASE_TYPE_AT_MOST,
				   format_text(d, "%" PRIu64, 0 - (uint64_t)wanted), NULL, NULL);
	if (wanted > 0 && (op->flags & EXCEPT))
		return fill_phrase(d, PHRASE_TYPE_OTHER, format_text(d, "%" PRId64, wanted), NULL,
				   NULL);
	return format_text(d, "%" PRId64, wanted);
}

bool report_type(struct diagnosis *d, const struct wait *wait)
{
	struct finding *f;

	if (!operation_is(wait->operation, "msgrcv") || !wait->channel || wait->ready ||
	    (!d->waits->unread[wait->channel->index] && !wait->channel->glimpse->types_count))
		return false;
	f = finding_add(d, FINDING_TYPE_NEVER_SENT, wait->since_ns, wait->channel);
	finding_wait(d, f, wait);
	finding_set(d, f, "types", "%s", types_text(d, f, wait->channel));
	finding_set(d, f, "who", "%s", process_text(d, wait->process));
	finding_set(d, f, "wanted", "%s", wanted_text(d, wait->operation));
	return true;
}

bool report_never_fits(struct diagnosis *d, const struct wait *wait)
{
	struct finding *f;

	if (!wait_never_fits(wait))
		return false;
	f = finding_add(d, FINDING_NEVER_FITS, wait->since_ns, wait->channel);
	finding_wait(d, f, wait);
	finding_set(d, f, "who", "%s", process_text(d, wait->process));
	finding_set(d, f, "bytes", "%s", amount_text(d, wait->operation->requested));
	finding_set(d, f, "room", "%s", amount_text(d, wait->channel->capacity));
	return true;
}
