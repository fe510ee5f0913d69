// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Empty datagrams that the receiver takes for the end: a datagram socket has none, so a receive of
 * 0 bytes got an empty one (recv(2)). That it was no end is known where the sender goes on.
 */
#include "viz/diagnose/datagram/empty_datagrams.h"

/*
 * The last message that was received of those sent by this channel before the call, as far as the
 * last ones tell, which are in order of receipt; or NULL.
 */
static const struct viz_message *last_received(const struct diagnosis *d,
					       const struct viz_operation *sent)
{
	enum { LOOK_AT = 1 << 16 };
	size_t looked = 0;

	for (size_t i = d->pairing->message_count; i-- > 0 && looked < LOOK_AT; looked++) {
		const struct viz_message *m = d->pairing->messages[i];

		if (m->from.operation && m->from.operation->channel == sent->channel &&
		    m->from.operation->index < sent->index && m->to.operation)
			return m;
	}
	return NULL;
}

static bool is_last_receive(const struct diagnosis *d, const struct viz_operation *receive)
{
	for (size_t i = receive->index + 1; i < d->model->operation_count; i++) {
		const struct viz_operation *op = d->model->operations[i];

		if (op->role == ROLE_RECEIVE && op->channel == receive->channel)
			return false;
	}
	return true;
}

bool tell_empty_datagram(struct diagnosis *d, struct finding *f, const struct viz_operation *sent)
{
	const struct viz_message *last;

	if (d->incomplete || !sent->channel || sent->channel->mechanism == MECH_UNIX_SEQPACKET ||
	    mechanism_info(sent->channel->mechanism)->form != FORM_MESSAGE)
		return false;
	last = last_received(d, sent);
	if (!last || last->bytes || last->to.operation->returned != 0 ||
	    !is_last_receive(d, last->to.operation))
		return false;
	finding_process(d, f, last->to.process);
	finding_operation(d, f, last->to.operation);
	finding_line(d, f,
		     fill_phrase(d, PHRASE_EMPTY_TAKEN, process_text(d, last->to.process),
				 time_text(d, last->to.operation->exit_ns), NULL));
	f->advice = phrase_text(PHRASE_NO_END_THERE, d->language);
	return true;
}
