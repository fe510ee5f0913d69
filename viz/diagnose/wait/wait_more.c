// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Servers that wait to read on the connection of a client which waits for them: for one of the two
 * what was sent there is not all, and for the other it is.
 */
#include "viz/diagnose/wait/wait_more.h"

#include "viz/diagnose/wait/waits.h"

const struct wait *wait_to_read_there(const struct diagnosis *d, const struct viz_channel *end)
{
	for (size_t i = 0; end && i < end->holding_count; i++) {
		const struct viz_process *process = end->holdings[i]->process;

		if (end->holdings[i]->until_ns != VIZ_NEVER)
			continue;
		for (const struct wait *wait = wait_of_process(d->waits, process); wait;
		     wait = wait->next_of_process)
			if (wait->channel == end && wait->operation->role == ROLE_RECEIVE)
				return wait;
	}
	return NULL;
}

/*
 * True if no other thread of the process can be at work on what this one has read: there is none,
 * or all wait for connections.
 */
static bool has_passed_nothing_on(const struct diagnosis *d, const struct wait *wait)
{
	const struct viz_process *process = wait->process;

	for (size_t i = 0; i < process->thread_count; i++) {
		const struct viz_thread *thread = process->threads[i];
		const struct wait *other = wait_of_thread(d->waits, thread);

		if (thread->end_ns == VIZ_NEVER && other != wait &&
		    !(other && other->channel && other->channel->listening))
			return false;
	}
	return true;
}

/* A record of TLS (RFC 8446) with the first message of a handshake. */
static bool begins_tls(const struct viz_operation *op)
{
	return op->payload.len > 2 && op->payload.data[0] == 0x16 && op->payload.data[1] == 0x03;
}

bool tell_waits_for_more(struct diagnosis *d, struct finding *f, const struct viz_message *request)
{
	const struct viz_operation *asked = request ? request->from.operation : NULL;
	const struct wait *wait = NULL;

	if (asked && asked->channel && request->to.process)
		wait = wait_to_read_there(d, wait_peer(d->waits, asked->channel));
	if (!wait || wait->process != request->to.process || !has_passed_nothing_on(d, wait))
		return false;
	finding_wait(d, f, wait);
	finding_set(
		d, f, "chain", "; %s",
		fill_phrase(d, PHRASE_WAITS_FOR_MORE, process_text(d, wait->process), NULL, NULL));
	f->advice = phrase_text(begins_tls(asked) ? PHRASE_CURE_TLS : PHRASE_CURE_ASK_WHOLE,
				d->language);
	return true;
}
