// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/diagnose/wait/dbus_calls.h"

#include "viz/base/dbus_header.h"

static bool is_call(const struct viz_operation *op, struct dbus_header *header)
{
	return op->role == ROLE_SEND &&
	       dbus_header_read((const unsigned char *)op->payload.data, op->payload.len, header) &&
	       header->type == DBUS_METHOD_CALL;
}

bool dbus_wants_answer(const struct viz_operation *op)
{
	struct dbus_header header;

	return is_call(op, &header) && !(header.flags & DBUS_NO_REPLY_EXPECTED);
}

/* The bus passes on the serial number of the caller, in the caller's byte order. */
static bool is_same_call(const struct viz_operation *op, const struct viz_operation *other)
{
	struct dbus_header one, two;

	return is_call(op, &one) && is_call(other, &two) && one.little == two.little &&
	       one.serial == two.serial;
}

/*
 * Returns the message by which the one who received this call, the bus, passed it on to the service
 * whose method it is; NULL: it did not, or the trace does not tell.
 */
static const struct viz_message *passed_on(const struct diagnosis *d,
					   const struct viz_message *call)
{
	const struct viz_operation *asked = call ? call->from.operation : NULL;

	if (!asked || !call->to.process || !dbus_wants_answer(asked))
		return NULL;
	for (size_t i = 0; i < d->pairing->message_count; i++) {
		const struct viz_message *m = d->pairing->messages[i];
		const struct viz_operation *op = m->from.operation;

		if (op && m->from.process == call->to.process &&
		    m->from.enter_ns >= call->to.enter_ns && is_same_call(op, asked))
			return m;
	}
	return NULL;
}

const struct viz_message *dbus_tell_service(struct diagnosis *d, struct finding *f,
					    const struct viz_message *call)
{
	const struct viz_message *passed = passed_on(d, call);

	if (!passed || passed->match != MATCH_EXACT || !passed->to.process)
		return call;
	finding_process(d, f, passed->to.process);
	finding_operation(d, f, passed->from.operation);
	finding_set(d, f, "fate", "%s%s", finding_value_of(f, "fate"),
		    fill_phrase(d, PHRASE_CALL_PASSED_ON, process_text(d, passed->to.process), NULL,
				NULL));
	return passed;
}
