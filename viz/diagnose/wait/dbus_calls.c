// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The header of a message is in the specification of D-Bus, "Message Protocol". */
#include "viz/diagnose/wait/dbus_calls.h"

enum {
	HEADER_LEN = 16,
	TYPE_AT = 1,
	FLAGS_AT = 2,
	VERSION_AT = 3,
	SERIAL_AT = 8,
	METHOD_CALL = 1,
	NO_REPLY_EXPECTED = 1,
	VERSION = 1,
};

static bool is_call(const struct viz_operation *op)
{
	const struct viz_bytes bytes = op->payload;

	return op->role == ROLE_SEND && bytes.len >= HEADER_LEN &&
	       (bytes.data[0] == 'l' || bytes.data[0] == 'B') &&
	       bytes.data[TYPE_AT] == METHOD_CALL && bytes.data[VERSION_AT] == VERSION;
}

bool dbus_wants_answer(const struct viz_operation *op)
{
	return is_call(op) && !(op->payload.data[FLAGS_AT] & NO_REPLY_EXPECTED);
}

/* The bus passes on the serial number of the caller, in the caller's byte order. */
static bool is_same_call(const struct viz_operation *op, const struct viz_operation *other)
{
	return op->payload.data[0] == other->payload.data[0] &&
	       memcmp(op->payload.data + SERIAL_AT, other->payload.data + SERIAL_AT,
		      sizeof(uint32_t)) == 0;
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
		    m->from.enter_ns >= call->to.enter_ns && is_call(op) && is_same_call(op, asked))
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
