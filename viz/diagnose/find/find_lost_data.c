// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Finds data that was never received, cut, dropped or split. */
#include <inttypes.h>

#include "viz/diagnose/datagram/empty_datagrams.h"
#include "viz/diagnose/datagram/unix_names.h"
#include "viz/diagnose/find/framed_reads.h"
#include "viz/diagnose/find/torn_records.h"

enum { UDP_BYTES_MOST = 65507 }; /* 65,535 less the headers of IPv4 and UDP (udp(7)) */

/* True if all bytes that the trace has of the send are alike: tokens, or a wake-up. */
static bool sends_tokens(const struct viz_operation *op)
{
	for (size_t i = 1; i < op->payload.len; i++)
		if (op->payload.data[i] != op->payload.data[0])
			return false;
	return true;
}

/*
 * True if another process than the sender had a reading end from the send on until it ended, not as
 * standard input: there a here-document of a shell may lie, which it need not read.
 */
static bool another_could_read(const struct viz_message *m)
{
	for (size_t i = 0; i < m->channel->holding_count; i++) {
		const struct viz_holding *holding = m->channel->holdings[i];

		if ((holding->access & ACCESS_READ) && holding->process != m->from.process &&
		    holding->fd != 0 && holding->end == HOLDING_EXIT &&
		    holding->until_ns > m->from.enter_ns)
			return true;
	}
	return false;
}

/*
 * True if the sender, which has a reading end itself, may have one for a purpose: it takes tokens
 * back as a job server does, wakes itself, or lets a command read a here-document.
 * False if it sent data to a process that shared the pipe with it, and nobody ever read there.
 */
static bool keeps_end_on_purpose(const struct viz_message *m, const bool *received)
{
	return !channel_is_pipe(m->channel) || received[m->channel->index] ||
	       sends_tokens(m->from.operation) || !another_could_read(m);
}

/*
 * True if a process could still receive the message, or if the sender reads the channel itself, as
 * a job server does.
 */
static bool may_be_read(const struct diagnosis *d, const struct viz_message *m,
			const bool *received)
{
	const struct viz_channel *channel = m->channel;
	const struct viz_process *sender = m->from.process;

	for (size_t i = 0; i < channel->holding_count; i++) {
		const struct viz_holding *holding = channel->holdings[i];

		if (!(holding->access & ACCESS_READ))
			continue;
		if (holding->until_ns == VIZ_NEVER && !holding->process->ended)
			return true;
		if (holding->process == sender && holding->until_ns > m->from.enter_ns &&
		    channel->mechanism != MECH_POSIX_MQ && channel->mechanism != MECH_SYSV_MSG &&
		    keeps_end_on_purpose(m, received))
			return true;
	}
	return m->fate == FATE_UNREAD &&
	       (!d->model->trailer.present || d->model->trailer.why != END_REASON_FINISHED);
}

/* True if the sender outlived all who could read there, and failed: it tells so itself. */
static bool has_noticed(const struct viz_message *m)
{
	const struct viz_process *sender = m->from.process;

	for (size_t i = 0; i < m->channel->holding_count; i++) {
		const struct viz_process *reader = m->channel->holdings[i]->process;

		if (reader != sender && (!reader->ended || reader->end_ns > sender->end_ns))
			return false;
	}
	return viz_process_failed(sender);
}

static bool ended_well(const struct viz_process *process)
{
	return (process->ended || process->zombie) && process->status_known &&
	       !viz_process_failed(process);
}

/*
 * True if a program that another one started had it as its standard input and ended well, and no
 * other reader failed: a hook of git(1), or a pager, may need none of its input.
 */
static bool was_not_needed(const struct viz_message *m)
{
	bool any = false;

	for (size_t i = 0; i < m->channel->holding_count; i++) {
		const struct viz_holding *holding = m->channel->holdings[i];

		if (!(holding->access & ACCESS_READ) || holding->process == m->from.process)
			continue;
		if (holding->fd == 0 && holding->process->path.data && ended_well(holding->process))
			any = true;
		else if (holding->process->exit_code)
			return false;
	}
	return any && !m->from.process->exit_code;
}

static bool worth_telling(const struct viz_message *m)
{
	switch (m->mechanism) {
	case MECH_PIPE:
	case MECH_FIFO:
	case MECH_POSIX_MQ:
	case MECH_SYSV_MSG:
	case MECH_UNIX_STREAM:
	case MECH_UNIX_DGRAM:
	case MECH_UNIX_SEQPACKET:
	case MECH_TCP:
	case MECH_UDP:
		return m->channel && m->from.process && m->from.operation &&
		       m->match == MATCH_EXACT;
	default:
		return false;
	}
}

static void note_receives(const struct viz_operation *op, bool *received)
{
	if (op->role == ROLE_RECEIVE && op->channel && !viz_operation_failed(op))
		received[op->channel->index] = true;
	for (size_t i = 0; i < op->extra->waits_for_count; i++) {
		const struct viz_wait *wait = &op->extra->waits_for[i];

		if (wait->channel && channel_is_pipe(wait->channel) && viz_wait_has(wait, IN))
			received[wait->channel->index] = true;
	}
}

/* Returns, by channel index, whether anybody received from it, or slept in poll() at a pipe. */
static bool *received_from(struct diagnosis *d)
{
	bool *received = arena_array(d->arena, d->model->channel_count + 1, sizeof(*received));

	for (size_t i = 0; i < d->model->operation_count; i++)
		note_receives(d->model->operations[i], received);
	return received;
}

static void report_unread(struct diagnosis *d, const struct viz_message *m, const bool *received)
{
	bool queue = m->mechanism == MECH_POSIX_MQ || m->mechanism == MECH_SYSV_MSG;
	bool pipe = m->mechanism == MECH_PIPE || m->mechanism == MECH_FIFO;
	bool unheard = m->mechanism == MECH_UNIX_DGRAM && m->channel->created_in_trace &&
		       !received[m->channel->index];
	struct finding *f;

	if (d->incomplete || may_be_read(d, m, received) || (!m->bytes && !queue))
		return;
	if (m->channel->listening) /* its connection was not accepted: never-accepted tells so */
		return;
	f = finding_fold(d, FINDING_UNREAD_DATA, m->from.enter_ns, m->from.process, m->channel);
	f->bytes += m->bytes;
	if (!queue && !unheard &&
	    (!pipe || m->from.operation->fd == 1 || has_noticed(m) || was_not_needed(m)))
		f->severity = SEVERITY_NOTE;
	finding_operation(d, f, m->from.operation);
	if (f->times == 1 && tell_empty_datagram(d, f, m->from.operation))
		f->severity = SEVERITY_WARNING;
	if (queue)
		finding_set(d, f, "bytes", "%s",
			    fill_phrase(d, PHRASE_MESSAGES, format_text(d, "%" PRIu64, f->times),
					amount_text(d, f->bytes), NULL));
}

/* Returns "a message", or how many. */
static const char *messages_text(struct diagnosis *d, uint64_t count)
{
	if (count == 1)
		return phrase_text(PHRASE_OF_A_MESSAGE, d->language);
	return fill_phrase(d, PHRASE_OF_MESSAGES, format_text(d, "%" PRIu64, count), NULL, NULL);
}

static void report_truncated(struct diagnosis *d, const struct viz_message *m)
{
	struct finding *f;

	if (!m->cut || !m->to.process)
		return;
	f = finding_fold(d, FINDING_MESSAGE_TRUNCATED, m->to.enter_ns, m->to.process, m->channel);
	f->bytes += m->cut;
	finding_process(d, f, m->from.process);
	finding_operation(d, f, m->from.operation);
	finding_operation(d, f, m->to.operation);
	finding_set(d, f, "cut", "%s", amount_text(d, f->bytes));
	finding_set(d, f, "messages", "%s", messages_text(d, f->times));
	finding_set(d, f, "why", "%s", phrase_text(PHRASE_CUT_BY_BUFFER, d->language));
}

/* Those that no socket took are left to report_closed_ports(). */
static void report_dropped(struct diagnosis *d, const struct viz_message *m)
{
	struct finding *f;

	if (m->from.operation && m->from.operation->extra->unreached)
		return;
	f = finding_fold(d, FINDING_DATAGRAM_DROPPED, m->from.enter_ns, m->from.process,
			 m->channel);
	finding_operation(d, f, m->from.operation);
	finding_set(d, f, "why", "%s", "");
}

/* True if who takes a receive of this channel for a message may be mistaken. */
static bool may_carry_messages(const struct viz_message *m, const struct torn_records *torn)
{
	return m->mechanism == MECH_TCP || m->mechanism == MECH_UNIX_STREAM ||
	       (channel_is_pipe(m->channel) && torn[m->channel->index].found);
}

static void tell_sizes(struct diagnosis *d, struct finding *f, const struct torn_records *torn)
{
	if (torn->found)
		finding_line(d, f,
			     fill_phrase(d, PHRASE_TORN_RECORDS,
					 format_text(d, "%" PRIu64, torn->written),
					 format_text(d, "%" PRIu64, torn->asked), NULL));
}

/* Reports that the receiver saw other boundaries than the sender made. */
static void report_split(struct diagnosis *d, const struct viz_message *m,
			 const struct torn_records *torn, const struct framed_reads *reads)
{
	struct finding *f;

	if (!may_carry_messages(m, torn) || !m->to.process || (!m->from.offset && !m->to.offset) ||
	    reads_frames(reads, m->to.process, m->channel))
		return;
	f = finding_fold(d, FINDING_SPLIT_STREAM, m->to.enter_ns, m->to.process, m->channel);
	finding_process(d, f, m->from.process);
	if (f->times == 1)
		tell_sizes(d, f, &torn[m->channel->index]);
	if (f->times <= 4) {
		finding_operation(d, f, m->from.operation);
		finding_operation(d, f, m->to.operation);
	}
}

/* True for a receive that has no room for descriptors; they come with the first byte. */
static bool takes_no_descriptors(const struct viz_message *m)
{
	const struct viz_operation *to = m->to.operation;

	return !m->from.offset && (operation_is(to, "read") || operation_is(to, "readv") ||
				   operation_is(to, "recvfrom"));
}

/* Reports descriptors that were sent along and did not arrive (unix(7), SCM_RIGHTS). */
static void report_lost_descriptors(struct diagnosis *d, const struct viz_message *m)
{
	const struct viz_operation *to = m->to.operation;
	struct finding *f;

	if (!to || m->from.operation->extra->passed_fds_count <= to->extra->new_fds_count ||
	    !(to->control_cut || takes_no_descriptors(m)))
		return;
	f = finding_fold(d, FINDING_MESSAGE_TRUNCATED, m->to.enter_ns, m->to.process, m->channel);
	finding_process(d, f, m->from.process);
	finding_operation(d, f, m->from.operation);
	finding_operation(d, f, to);
	finding_set(d, f, "cut", "%s", phrase_text(PHRASE_DESCRIPTORS_PASSED, d->language));
	finding_set(d, f, "messages", "%s", messages_text(d, f->times));
	finding_set(d, f, "why", "%s",
		    to->control_cut
			    ? phrase_text(PHRASE_NO_CONTROL_ROOM, d->language)
			    : fill_phrase(d, PHRASE_NO_CONTROL, call_text(d, to), NULL, NULL));
	f->advice = phrase_text(PHRASE_CURE_CONTROL, d->language);
}

/* For UDP, path MTU discovery refuses datagrams on purpose, but none that no path could carry. */
static bool is_refused_on_purpose(const struct viz_operation *op)
{
	return op->channel->mechanism == MECH_UDP &&
	       !(viz_has(op, requested) && op->requested > UDP_BYTES_MOST);
}

/* Returns, by channel index, when a receive there last took something; 0: none did. */
static const uint64_t *last_received(struct diagnosis *d)
{
	uint64_t *last_ns = arena_array(d->arena, d->model->channel_count + 1, sizeof(*last_ns));

	for (size_t i = 0; i < d->model->operation_count; i++) {
		const struct viz_operation *op = d->model->operations[i];

		if (op->role == ROLE_RECEIVE && op->channel && viz_operation_done(op) &&
		    !viz_operation_failed(op) && !operation_only_looks(op) &&
		    op->exit_ns > last_ns[op->channel->index])
			last_ns[op->channel->index] = op->exit_ns;
	}
	return last_ns;
}

/*
 * Reports messages refused as too large, by either side. One that a receive refuses stays in the
 * queue: who asks again with more room gets it.
 */
static void report_refused(struct diagnosis *d, const struct viz_operation *op,
			   const uint64_t *received_ns)
{
	struct finding *f;

	if (!op->channel || mechanism_info(op->channel->mechanism)->form != FORM_MESSAGE ||
	    is_refused_on_purpose(op) ||
	    !(operation_has_error(op, "E2BIG") || operation_has_error(op, "EMSGSIZE")))
		return;
	if (op->role == ROLE_RECEIVE && received_ns[op->channel->index] > op->exit_ns)
		return;
	f = finding_fold(d, FINDING_MESSAGE_TRUNCATED, op->enter_ns, op->process, op->channel);
	finding_operation(d, f, op);
	finding_set(d, f, "cut", "%s", phrase_text(PHRASE_ALL_OF_IT, d->language));
	finding_set(d, f, "messages", "%s", messages_text(d, 1)); /* the same one each time */
	finding_set(d, f, "why", "%s",
		    fill_phrase(d,
				op->channel->mechanism == MECH_UDP ? PHRASE_UDP_HOLDS
								   : PHRASE_REFUSED_AS_TOO_BIG,
				bytes_text(d, op->error), NULL, NULL));
}

void find_data(struct diagnosis *d)
{
	const bool *received = received_from(d);
	const uint64_t *received_ns = last_received(d);
	const struct torn_records *torn = torn_records(d);
	const struct framed_reads *reads = framed_reads(d);

	for (size_t i = 0; i < d->pairing->message_count; i++) {
		const struct viz_message *m = d->pairing->messages[i];

		if (!worth_telling(m))
			continue;
		report_lost_descriptors(d, m);
		if (m->fate == FATE_UNREAD || m->fate == FATE_DISCARDED)
			report_unread(d, m, received);
		else if (m->fate == FATE_TRUNCATED)
			report_truncated(d, m);
		else if (m->fate == FATE_DROPPED)
			report_dropped(d, m);
		else if (m->fate == FATE_NONE)
			report_split(d, m, torn, reads);
	}
	for (size_t i = 0; i < d->model->operation_count; i++)
		if (viz_operation_failed(d->model->operations[i]))
			report_refused(d, d->model->operations[i], received_ns);
	report_closed_ports(d);
	report_unix_datagrams(d);
}
