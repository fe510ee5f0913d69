// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What is known of a wait beyond who could end it: why that one does not, or why what the wait is
 * for is lost. Each note is a row, and adds its evidence to the finding.
 */
#include <inttypes.h>

#include "viz/diagnose/wait/waits.h"

/*
 * Bytes lie unread in a channel that the call was told of, and is not told of again: epoll(7),
 * EPOLLET.
 */
static bool is_edge_unread(struct diagnosis *d, struct finding *f, const struct wait *wait,
			   const struct viz_channel *channel)
{
	const uint64_t bytes = wait_unread_before(d->waits, channel, wait->operation->enter_ns);

	if (!bytes)
		return false;
	finding_line(d, f,
		     fill_phrase(d, PHRASE_EDGE_UNREAD, amount_text(d, bytes),
				 channel_text(d, channel), process_text(d, wait->process)));
	return true;
}

static bool is_not_set_again(struct diagnosis *d, struct finding *f, const struct wait *wait,
			     const struct viz_channel *channel)
{
	const uint64_t bytes = wait_unread_before(d->waits, channel, VIZ_NEVER);
	const char *line = fill_phrase(d, PHRASE_ONE_SHOT_UNSET, channel_text(d, channel),
				       process_text(d, wait->process), NULL);

	if (!bytes && wait->operation->extra->waits_for_count > 1)
		return false;
	if (bytes)
		line = fill_phrase(d, PHRASE_UNREAD_THERE, line, amount_text(d, bytes), NULL);
	finding_line(d, f, line);
	return true;
}

/* Looks at the channels for which the call waits in this way, a bit of enum poll_event. */
static bool note_asked(struct diagnosis *d, struct finding *f, const struct wait *wait,
		       enum poll_event way,
		       bool (*is_silent)(struct diagnosis *d, struct finding *f,
					 const struct wait *wait,
					 const struct viz_channel *channel))
{
	const struct viz_operation *op = wait->operation;

	for (size_t i = 0; i < op->extra->waits_for_count; i++) {
		const struct viz_channel *channel = wait_asked(d->waits, op, i);

		if (channel && op->extra->waits_for[i].events >> way & 1 &&
		    is_silent(d, f, wait, channel))
			return true;
	}
	return false;
}

static bool note_edge(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	return note_asked(d, f, wait, POLL_EVENT_EDGE, is_edge_unread);
}

/* The call was told of the channel once, and nobody asked again: epoll_ctl(2), EPOLLONESHOT. */
static bool note_one_shot(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	return note_asked(d, f, wait, POLL_EVENT_DISABLED, is_not_set_again);
}

/* It reads a counter once for each write, and one read took what several had written. */
static bool note_counter(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	const struct viz_operation *read = wait_merging_read(d->waits, wait);

	if (!read)
		return false;
	finding_line(d, f,
		     fill_phrase(d, PHRASE_COUNTED_AT_ONCE, process_text(d, read->process),
				 channel_text(d, wait->channel), time_text(d, read->exit_ns)));
	finding_operation(d, f, read);
	return true;
}

/* Several ask on one connection, and another one has read what answers this one. */
static bool note_taken(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	const struct viz_operation *took = wait_taken_by(d->waits, wait);

	if (!took)
		return false;
	finding_line(d, f,
		     fill_phrase(d, PHRASE_ANSWER_TAKEN,
				 format_text(d, "%" PRIu32, took->thread->tid),
				 process_text(d, took->process), time_text(d, took->exit_ns)));
	finding_process(d, f, took->process);
	finding_operation(d, f, took);
	f->explained = true;
	return true;
}

static bool is_told(const struct finding *f, const struct viz_operation *op)
{
	for (size_t i = 0; i < f->operation_count; i++)
		if (f->operations[i] == op)
			return true;
	return false;
}

static bool note_unsaid_end(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	const struct viz_operation *end = wait_unsaid_end(d, wait);

	if (!end && wait_has_read_all(d, wait)) {
		finding_line(d, f,
			     fill_phrase(d, PHRASE_UNSAID_END_SEEN, process_text(d, wait->process),
					 channel_text(d, wait->channel), NULL));
		f->explained |= wait_is_for_unsaid_end(d, wait);
		return true;
	}
	if (!end || is_told(f, end))
		return false;
	finding_line(d, f,
		     fill_phrase(d, PHRASE_UNSAID_END, process_text(d, wait->process),
				 time_text(d, end->exit_ns), channel_text(d, wait->channel)));
	finding_operation(d, f, end);
	f->explained = true;
	return true;
}

/* It, or the one at the other end, does not say that nothing more comes. */
static bool note_half_close(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	const struct viz_channel *channel = wait->channel;

	if (note_unsaid_end(d, f, wait))
		return true;
	if (!channel || mechanism_info(channel->mechanism)->form != FORM_STREAM ||
	    !wait_peer(d->waits, channel))
		return false;
	for (size_t i = 0; i < wait->ender_count; i++)
		for (const struct wait *other = wait_of_process(d->waits, wait->enders[i]); other;
		     other = other->next_of_process)
			if (other->channel == other_end(d, wait) && note_unsaid_end(d, f, other))
				return true;
	return false;
}

static bool note_unset(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	const struct viz_channel *channel = wait_unset_channel(d->waits, wait);

	if (!channel)
		return false;
	finding_line(d, f,
		     fill_phrase(d, PHRASE_UNSET,
				 amount_text(d, wait_unread_before(d->waits, channel, VIZ_NEVER)),
				 channel_text(d, channel), process_text(d, wait->process)));
	f->explained = true;
	return true;
}

static bool note_notified_once(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	const struct viz_channel *queue = wait_notified_once(d->waits, wait);

	if (!queue)
		return false;
	finding_line(d, f,
		     fill_phrase(d, PHRASE_NOTIFIED_ONCE, process_text(d, wait->process),
				 channel_text(d, queue), NULL));
	f->explained = true;
	return true;
}

static bool note_byte_order(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	struct wait_length length;

	if (!wait_takes_wrong_length(d->waits, wait, &length))
		return false;
	finding_line(d, f,
		     fill_phrase(d, PHRASE_WRONG_LENGTH, process_text(d, wait->process),
				 format_text(d, "%" PRIu64, length.taken),
				 format_text(d, "%" PRIu64, length.meant)));
	f->explained = true;
	return true;
}

/* It waits for the rest of what a length says; the sender has sent less than it counted. */
static bool note_promised(struct diagnosis *d, struct finding *f, const struct wait *wait,
			  bool itself)
{
	struct wait_length length;

	if (!wait->circle || !wait_is_promised_more(d->waits, wait, &length) ||
	    length_counts_itself(&length) != itself)
		return false;
	finding_line(d, f,
		     fill_phrase(d, PHRASE_PROMISED, process_text(d, wait->process),
				 amount_text(d, length.taken), amount_text(d, length.meant)));
	f->explained = true;
	return true;
}

static bool note_length_header(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	return note_promised(d, f, wait, true);
}

static bool note_length(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	return note_promised(d, f, wait, false);
}

/* Nobody can send there: it has no name, and is connected to nobody. */
static bool note_unnamed(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	const struct viz_channel *channel = wait->channel;

	if (!channel || channel->mechanism != MECH_UNIX_DGRAM || channel->name.len ||
	    !channel->created_in_trace || channel->peer || channel->peer_address.len ||
	    wait->operation->role != ROLE_RECEIVE)
		return false;
	finding_line(d, f,
		     fill_phrase(d, PHRASE_UNNAMED, channel_text(d, channel),
				 process_text(d, wait->process), NULL));
	f->explained = true;
	return true;
}

/* There is nothing in the set of the epoll instance, perhaps as it could not be added. */
static bool note_empty_set(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	const struct viz_operation *failed;

	if (!wait->stuck || !wait_has_empty_set(wait))
		return false;
	failed = wait_failed_addition(d->waits, wait);
	finding_line(d, f,
		     fill_phrase(d, PHRASE_EMPTY_SET, channel_text(d, wait->operation->channel),
				 NULL, NULL));
	if (failed) {
		finding_line(d, f,
			     fill_phrase(d, PHRASE_NOT_ADDED, process_text(d, failed->process),
					 bytes_text(d, failed->error),
					 time_text(d, failed->exit_ns)));
		finding_operation(d, f, failed);
	}
	f->explained = true;
	return true;
}

/* What a wait, other than for room, is at has no name any more, so that nobody else can come. */
static bool note_removed(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	const struct viz_channel *again;
	const struct viz_operation *op;

	if (!wait->channel || wait->operation->role == ROLE_SEND || is_semaphore(wait->channel) ||
	    !wait_is_removed(d->waits, wait->channel))
		return false;
	again = wait_made_again(d->waits, wait->channel);
	if (!wait->stuck && !again)
		return false;
	op = wait_removal(d->waits, wait->channel);
	if (op) {
		finding_line(d, f,
			     fill_phrase(d, PHRASE_REMOVED_BY, process_text(d, op->process),
					 channel_text(d, wait->channel),
					 time_text(d, op->exit_ns)));
		finding_operation(d, f, op);
	} else {
		finding_line(
			d, f,
			fill_phrase(d, PHRASE_REMOVED, channel_text(d, wait->channel), NULL, NULL));
	}
	if (again)
		finding_line(d, f,
			     fill_phrase(d, PHRASE_MADE_AGAIN, channel_text(d, again),
					 channel_text(d, wait->channel),
					 process_text(d, wait->process)));
	f->explained |= wait->stuck;
	return true;
}

/* The sender, or who posts, may have another object than the one that waits. */
static bool note_other(struct diagnosis *d, struct finding *f, const struct wait *wait,
		       const struct viz_operation *op, enum phrase phrase)
{
	if (!op)
		return false;
	finding_line(d, f,
		     fill_phrase(d, phrase, channel_text(d, wait->channel),
				 process_text(d, op->process), channel_text(d, op->channel)));
	finding_process(d, f, op->process);
	finding_operation(d, f, op);
	return true;
}

static bool note_other_key(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	return note_other(d, f, wait, wait_other_key(d->waits, wait), PHRASE_OTHER_KEY);
}

static bool note_other_name(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	return note_other(d, f, wait, wait_other_name(d->waits, wait), PHRASE_OTHER_NAME);
}

/* A FIFO that it opens was removed meanwhile, for sure where the path is absolute. */
static bool note_removed_path(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	const struct viz_operation *op = wait_path_removal(d->waits, wait);

	if (!op || !waits_to_open(wait))
		return false;
	finding_line(d, f,
		     fill_phrase(d,
				 op->extra->path.data[0] == '/' ? PHRASE_REMOVED_PATH
								: PHRASE_REMOVED_IN_FOLDER,
				 process_text(d, op->process), bytes_text(d, op->extra->path),
				 time_text(d, op->exit_ns)));
	finding_operation(d, f, op);
	return true;
}

static bool note_left_over(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	struct viz_bytes name;
	const struct wait_gone *gone = wait_left_taken(d->waits, wait);
	const char *where;

	if (!wait->channel)
		return false;
	where = channel_text(d, wait->channel);
	if (gone)
		finding_line(d, f,
			     fill_phrase(d, PHRASE_LEFT_TAKEN, where,
					 names_text(d, gone->processes, gone->count), NULL));
	else if (wait_is_left_over(d->waits, wait))
		finding_line(d, f, fill_phrase(d, PHRASE_LEFT_OVER, where, NULL, NULL));
	else
		return false;
	name = wait->channel->name; /* with a slash: sem_overview(7) */
	finding_set(d, f, "file", "/dev/shm/sem.%s", bytes_text(d, viz_bytes_after(name, 1)));
	return true;
}

/*
 * The child of vfork() waits where its parent could act, which sleeps until the child is done. One
 * that runs is about to call exec(), perhaps on a busy machine.
 */
static bool note_vfork(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	if (!waits_for_exec(wait) || !wait->ender_count ||
	    !wait_of_process(d->waits, wait->enders[0]))
		return false;
	finding_line(d, f,
		     fill_phrase(d, PHRASE_VFORK, process_text(d, wait->enders[0]),
				 process_text(d, wait->process), NULL));
	f->explained = true;
	return true;
}

/* True for a signal that lies pending, as the one that it was sent to blocks it. */
static bool is_blocked_by(const struct diagnosis *d, const struct viz_signal *s,
			  const struct wait *wait)
{
	const struct viz_process *to = s->generate ? s->generate->to : NULL;

	return to && s->fate == FATE_PENDING && s->generate->from == wait->process &&
	       d->end_ns - s->generate->at_ns >= LONG_WAIT_NS && !process_is_stopped(to) &&
	       wait_is_ended_by(d->waits, wait, to);
}

static bool is_for_end(const struct wait *wait)
{
	return waits_for_child(wait) || (wait->channel && wait->channel->mechanism == MECH_PIDFD);
}

/* It has sent the one for whose end it waits a signal, which has not been taken. */
static bool note_signal_blocked(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	for (size_t i = 0; is_for_end(wait) && i < d->pairing->signal_count; i++) {
		const struct viz_signal *s = d->pairing->signals[i];

		if (!is_blocked_by(d, s, wait))
			continue;
		finding_line(d, f,
			     fill_phrase(d, PHRASE_SIGNAL_BLOCKED, bytes_text(d, s->name),
					 process_text(d, s->generate->to),
					 time_text(d, s->generate->at_ns)));
		f->explained = true;
		return true;
	}
	return false;
}

static bool note_read_ahead(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	uint64_t lines = 0;
	const struct viz_operation *read = wait_read_ahead(d->waits, wait, &lines);

	if (!read)
		return false;
	finding_line(d, f,
		     fill_phrase(d, PHRASE_READ_AHEAD, process_text(d, wait->process),
				 format_text(d, "%" PRIu64, lines), time_text(d, read->exit_ns)));
	finding_operation(d, f, read);
	return true;
}

static bool note_unheard_send(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	const struct viz_operation *send = wait_unheard_send(d->waits, wait);

	if (!send)
		return false;
	finding_line(d, f,
		     fill_phrase(d, PHRASE_UNHEARD_SEND, process_text(d, send->process),
				 bytes_text(d, send->extra->peer_address),
				 time_text(d, send->exit_ns)));
	finding_operation(d, f, send);
	f->explained = true;
	return true;
}

static bool note_no_group(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	if (!wait_hears_no_group(d->waits, wait))
		return false;
	finding_line(d, f,
		     fill_phrase(d, PHRASE_NO_GROUP, channel_text(d, wait->channel), NULL, NULL));
	f->explained = true;
	return true;
}

static bool note_restart(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	const struct viz_signal *alarm = wait_restarting_signal(d->waits, wait);

	if (!alarm)
		return false;
	finding_line(d, f,
		     fill_phrase(d, PHRASE_RESTARTED, bytes_text(d, alarm->name),
				 process_text(d, wait->process), time_text(d, alarm->end->at_ns)));
	return true;
}

/* Another thread closed the descriptor, to end the call: on Linux that does not wake it. */
static bool note_closed(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	const struct viz_operation *close = wait_closed_by(d->waits, wait);

	if (!close)
		return false;
	finding_line(d, f,
		     fill_phrase(d, PHRASE_CLOSED_BENEATH,
				 format_text(d, "%" PRIu32, close->thread->tid),
				 format_text(d, "%" PRId32, close->fd),
				 time_text(d, close->exit_ns)));
	finding_operation(d, f, close);
	f->explained = true;
	return true;
}

static bool note_closed_socket(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	return wait->channel && channel_is_socket(wait->channel) && note_closed(d, f, wait);
}

/* Bytes lie there, but not such as it waits for. */
static bool note_unfit(struct diagnosis *d, struct finding *f, const struct wait *wait,
		       enum unfit why, enum phrase phrase)
{
	struct wait_unfit found;

	if (wait_find_unfit(d->waits, wait, &found) != why)
		return false;
	finding_line(d, f,
		     fill_phrase(d, phrase, amount_text(d, found.bytes),
				 channel_text(d, found.channel),
				 format_text(d, "%" PRIu64, found.wanted)));
	f->explained = true;
	return true;
}

static bool note_asks_urgent(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	return note_unfit(d, f, wait, UNFIT_ASKED, PHRASE_ASKS_URGENT);
}

static bool note_sent_urgent(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	return note_unfit(d, f, wait, UNFIT_URGENT, PHRASE_SENT_URGENT);
}

static bool note_whole_line(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	return note_unfit(d, f, wait, UNFIT_LINE, PHRASE_WHOLE_LINE);
}

static bool note_low_water(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	return note_unfit(d, f, wait, UNFIT_FEW, PHRASE_LOW_WATER);
}

/* Some bytes have come, and MSG_WAITALL waits for more. */
static bool note_waits_for_all(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	const struct viz_operation *op = wait->operation;
	uint64_t bytes;

	if (!operation_waits_for_all(op) || !viz_has(op, requested))
		return false;
	bytes = wait_unread_before(d->waits, wait->channel, VIZ_NEVER);
	if (!bytes || bytes >= op->requested)
		return false;
	finding_line(d, f,
		     fill_phrase(d, PHRASE_WAITS_FOR_ALL, process_text(d, wait->process),
				 amount_text(d, op->requested), amount_text(d, bytes)));
	return true;
}

static bool note_pending(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	const struct viz_bytes name = wait_pending_signal(d, wait);

	if (!name.len)
		return false;
	finding_line(d, f,
		     fill_phrase(d, PHRASE_SIGNAL_PENDING, bytes_text(d, name),
				 process_text(d, wait->process), call_text(d, wait->operation)));
	f->explained = true;
	return true;
}

static bool note_disarmed(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	if (!wait_is_disarmed(d, wait))
		return false;
	finding_line(d, f,
		     fill_phrase(d, PHRASE_DISARMED, channel_text(d, wait->channel), NULL, NULL));
	f->explained = true;
	return true;
}

/* With a time limit it is a way to sleep. */
static bool note_selects_nothing(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	int64_t asked = 0;

	if (wait->clock || !operation_selects_nothing(wait->operation))
		return false;
	viz_operation_argument(wait->operation, "nfds", &asked);
	finding_line(d, f,
		     fill_phrase(d, PHRASE_SELECTS_NOTHING, call_text(d, wait->operation),
				 format_text(d, "%" PRId64, asked), NULL));
	f->explained = true;
	return true;
}

static bool note_wrong_end(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	const struct viz_channel *channel = wait_for_room_to_read(d->waits, wait);

	if (!channel)
		return false;
	finding_line(
		d, f,
		fill_phrase(d, PHRASE_WRONG_END,
			    format_text(d, "%" PRId32, wait->operation->extra->waits_for[0].fd),
			    channel_text(d, channel), NULL));
	f->explained = true;
	return true;
}

/* The evidence is in wait_text(). */
static bool note_lease(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	(void)d;
	f->explained |= waits_for_lease(wait);
	return waits_for_lease(wait);
}

bool note_left_job(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	const struct viz_operation *op = wait->operation;

	for (size_t i = 0; op->role == ROLE_WAIT && i < op->extra->waits_for_count; i++) {
		const struct viz_channel *channel = wait_asked(d->waits, op, i);
		const struct viz_channel *end = wait_left_end(d->waits, channel, wait->process);
		size_t count;

		if (!end)
			continue;
		finding_line(d, f,
			     fill_phrase(d, PHRASE_LEFT_JOB, process_text(d, wait->process),
					 channel_text(d, channel), writers_text(d, end, &count)));
		return true;
	}
	return false;
}

static bool note_lost_between(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	uint64_t bytes;
	const struct viz_channel *fifo = wait_lost_between(d, wait, &bytes);

	if (!fifo)
		return false;
	finding_line(d, f,
		     fill_phrase(d, PHRASE_LOST_BETWEEN, process_text(d, wait->process),
				 channel_text(d, fifo), amount_text(d, bytes)));
	f->explained = true;
	return true;
}

static bool note_output_unread(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	const struct viz_process *reader;
	const struct viz_process *child = wait_unread_output(d, wait, &reader);

	if (!child)
		return false;
	finding_process(d, f, child);
	if (reader)
		finding_process(d, f, reader);
	finding_line(
		d, f,
		reader ? fill_phrase(d, PHRASE_OUTPUT_UNREAD, process_text(d, reader),
				     process_text(d, child), NULL)
		       : fill_phrase(d, PHRASE_OUTPUT_NOBODY, process_text(d, child), NULL, NULL));
	f->explained = true;
	return true;
}

enum advice_case wait_note(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	static const struct {
		bool (*note)(struct diagnosis *d, struct finding *f, const struct wait *wait);
		enum advice_case about;
	} rows[] = {
		{note_lost_between, ADVICE_FIFO_REOPENED},
		{note_closed_socket, ADVICE_CLOSED_SOCKET},
		{note_closed, ADVICE_CLOSED_PIPE},
		{note_edge, ADVICE_EDGE},
		{note_one_shot, ADVICE_ONE_SHOT},
		{note_taken, ADVICE_ANSWER_TAKEN},
		{note_counter, ADVICE_COUNTER},
		{note_text_length, ADVICE_LENGTH_PROMISED},
		{note_half_close, ADVICE_HALF_CLOSE},
		{note_unset, ADVICE_UNSET},
		{note_notified_once, ADVICE_NOTIFIED_ONCE},
		{note_byte_order, ADVICE_BYTE_ORDER},
		{note_length_header, ADVICE_LENGTH_HEADER},
		{note_length, ADVICE_LENGTH_PROMISED},
		{note_unnamed, ADVICE_UNNAMED},
		{note_empty_set, ADVICE_EMPTY_SET},
		{note_other_key, ADVICE_OTHER_KEY},
		{note_other_name, ADVICE_OTHER_NAME},
		{note_removed, ADVICE_REMOVED},
		{note_removed_path, ADVICE_REMOVED},
		{note_lease, ADVICE_LEASE},
		{note_left_over, ADVICE_LEFT_OVER},
		{note_vfork, ADVICE_VFORK},
		{note_signal_blocked, ADVICE_SIGNAL_BLOCKED},
		{note_read_ahead, ADVICE_READ_AHEAD},
		{note_unheard_send, ADVICE_GROUP_UNJOINED},
		{note_no_group, ADVICE_NO_GROUP},
		{note_asks_urgent, ADVICE_ASKS_URGENT},
		{note_sent_urgent, ADVICE_SENT_URGENT},
		{note_whole_line, ADVICE_WHOLE_LINE},
		{note_low_water, ADVICE_LOW_WATER},
		{note_waits_for_all, ADVICE_WAITS_FOR_ALL},
		{note_restart, ADVICE_RESTARTED},
		{note_pending, ADVICE_PENDING},
		{note_disarmed, ADVICE_DISARMED},
		{note_selects_nothing, ADVICE_SELECTS_NOTHING},
		{note_wrong_end, ADVICE_WRONG_END},
		{note_left_job, ADVICE_LEFT_JOB},
		{note_output_unread, ADVICE_OUTPUT_UNREAD},
		{note_head_unended, ADVICE_HEAD_UNENDED},
		{note_line_unended, ADVICE_LINE_UNENDED},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && !d->incomplete; i++)
		if (rows[i].note(d, f, wait))
			return rows[i].about;
	return ADVICE_NONE;
}
