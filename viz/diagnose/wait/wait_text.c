// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Describes waits, and the processes that could end them, in words. */
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "viz/diagnose/wait/waits.h"

static enum access end_of(const struct wait *wait)
{
	return waits_to_send(wait) ? ACCESS_READ : ACCESS_WRITE;
}

/* True for a terminal whose master, which was made in the trace, is no terminal emulator's. */
static bool made_in_trace(const struct diagnosis *d, const struct viz_channel *slave)
{
	const struct viz_channel *master = wait_peer(d->waits, slave);

	return !d->waits->whole && master && master->created_in_trace;
}

/*
 * Returns who, other than a known process, lets such a channel have something; NULL if it is none
 * of those that only the outside serves.
 */
static const char *source_text(struct diagnosis *d, const struct viz_channel *channel)
{
	const char *name = channel_text(d, channel);

	switch (channel->mechanism) {
	case MECH_TIMERFD:
		return phrase_text(PHRASE_THE_CLOCK, d->language);
	case MECH_SIGNALFD:
		return phrase_text(PHRASE_A_SIGNAL, d->language);
	case MECH_INOTIFY:
		return phrase_text(PHRASE_A_FILE, d->language);
	case MECH_PTY:
		return channel->master || made_in_trace(d, channel)
			       ? NULL
			       : fill_phrase(d, PHRASE_A_KEY, name, NULL, NULL);
	case MECH_UDP:
		return fill_phrase(d, PHRASE_WHO_SENDS, name, NULL, NULL);
	case MECH_UNIX_DGRAM:
		return channel->name.len ? fill_phrase(d, PHRASE_WHO_SENDS, name, NULL, NULL)
					 : NULL;
	default:
		break;
	}
	if (!channel->listening || wait_is_removed(d->waits, channel))
		return NULL;
	return fill_phrase(d, PHRASE_WHO_CONNECTS, name, NULL, NULL);
}

/* Returns what could wake an event loop from outside; NULL if nothing of that kind is known. */
static const char *sources_text(struct diagnosis *d, const struct wait *wait)
{
	enum { SHOWN = 4 };
	const struct viz_operation *op = wait->operation;
	const char *names[SHOWN], *text = NULL;
	size_t count = 0;

	for (size_t i = 0; i < op->extra->waits_for_count && count < SHOWN; i++) {
		const struct viz_channel *channel = wait_asked(d->waits, op, i);
		const char *name = channel ? source_text(d, channel) : NULL;
		bool before = !name;

		for (size_t k = 0; k < count; k++)
			before |= name && strcmp(names[k], name) == 0;
		if (before)
			continue;
		names[count++] = name;
		text = joined_text(d, text, ", ", name);
	}
	return text;
}

/*
 * True if it waits at eventfds only: in a glance their holders are known, but not whether the
 * kernel counts there.
 */
static bool waits_at_counters(struct diagnosis *d, const struct wait *wait)
{
	const struct viz_operation *op = wait->operation;

	for (size_t i = 0; i < op->extra->waits_for_count; i++) {
		const struct viz_channel *channel = wait_asked(d->waits, op, i);

		if (!channel || channel->mechanism != MECH_EVENTFD)
			return false;
	}
	return d->waits->whole && !op->extra->waits_cut && wait->channel &&
	       wait->channel->mechanism == MECH_EVENTFD;
}

static bool is_named_semaphore(const struct wait *wait)
{
	return wait->channel && wait->channel->mechanism == MECH_POSIX_SEM &&
	       wait->channel->name.len && wait->operation->role == ROLE_WAIT;
}

/* As others_text(), of what comes without a time limit. */
static const char *comers_text(struct diagnosis *d, const struct wait *wait)
{
	enum { WRITES = 1 };
	const struct viz_operation *op = wait->operation;
	const char *sources = wait->channel && op->role != ROLE_SEND && op->role != ROLE_WAIT
				      ? source_text(d, wait->channel)
				      : sources_text(d, wait);

	if (wait->handles)
		return fill_phrase(d, PHRASE_OWN_HANDLER,
				   viz_process_handled_request(wait->process), NULL, NULL);
	if (wait->by_child)
		return fill_phrase(d, PHRASE_END_OF_CHILD,
				   names_text(d,
					      d->waits->children[wait->process->index]->processes,
					      d->waits->children[wait->process->index]->count),
				   NULL, NULL);
	if (waits_for_signal(op) || operation_is(op, "rt_sigtimedwait"))
		return phrase_text(PHRASE_A_SIGNAL, d->language);
	if (wait_is_disarmed(d, wait))
		return phrase_text(PHRASE_WHO_ARMS, d->language);
	if (waits_to_accept(wait) && wait->channel)
		return fill_phrase(d, PHRASE_WHO_CONNECTS, channel_text(d, wait->channel), NULL,
				   NULL);
	if (waits_for_lease(wait))
		return fill_phrase(d, PHRASE_WHO_HAS_LEASE,
				   format_text(d, "%" PRIu32, op->extra->lease), NULL, NULL);
	if (waits_to_open(wait))
		return fill_phrase(d,
				   op->flags & WRITES ? PHRASE_WHO_OPENS_TO_READ
						      : PHRASE_WHO_OPENS_TO_WRITE,
				   bytes_text(d, op->extra->path), NULL, NULL);
	if (wait->served && wait->channel)
		return fill_phrase(d, PHRASE_WHO_OPENS_TO_WRITE, bytes_text(d, wait->channel->name),
				   NULL, NULL);
	if (wait->channel && wait->channel->mechanism == MECH_POSIX_MQ && wait->channel->name.len)
		return fill_phrase(d, PHRASE_WHO_OPENS, bytes_text(d, wait->channel->name), NULL,
				   NULL);
	if (sources)
		return sources;
	if (waits_at_counters(d, wait))
		return phrase_text(PHRASE_KERNEL_COUNTS, d->language);
	if (is_named_semaphore(wait))
		return fill_phrase(d, PHRASE_WHO_KNOWS_NAME, bytes_text(d, wait->channel->name),
				   NULL, NULL);
	if (d->waits->whole && wait->channel && channel_has_key(wait->channel))
		return fill_phrase(d, PHRASE_WHO_KNOWS_KEY, bytes_text(d, wait->channel->key), NULL,
				   NULL);
	return NULL;
}

bool tells_others(struct diagnosis *d, const struct wait *wait)
{
	return wait->open && !(wait->counted && !waits_at_counters(d, wait));
}

const char *others_text(struct diagnosis *d, const struct wait *wait)
{
	const bool timed = waits_for_time(wait) ||
			   (wait->clock && operation_polls_nothing(wait->operation));
	const char *comers = timed ? NULL : comers_text(d, wait);
	const char *clock = phrase_text(PHRASE_THE_CLOCK, d->language);

	if (!wait->open && !wait->crossed)
		return phrase_text(PHRASE_NOBODY, d->language);
	if (wait->clock)
		return comers && strcmp(comers, clock) != 0 ? joined_text(d, comers, ", ", clock)
							    : clock;
	if (comers)
		return comers;
	return phrase_text(d->waits->whole ? PHRASE_SOMEBODY_ELSE : PHRASE_SOMEBODY, d->language);
}

const char *more_text(struct diagnosis *d, size_t count)
{
	return fill_phrase(d, PHRASE_MORE, format_text(d, "%zu", count), NULL, NULL);
}

const char *names_text(struct diagnosis *d, const struct viz_process **processes, size_t count)
{
	const char *names = NULL;

	for (size_t i = 0; i < count && i <= NAMES_MOST; i++)
		names = joined_text(
			d, names,
			i + 1 < count && i < NAMES_MOST ? ", "
							: phrase_text(PHRASE_AND, d->language),
			i < NAMES_MOST ? process_text(d, processes[i]) : more_text(d, count - i));
	return names;
}

/* Returns "65,536", as the language writes it. */
static const char *grouped_text(struct diagnosis *d, uint64_t number)
{
	char digits[24], grouped[2 * sizeof(digits)];
	size_t len, at = 0;

	len = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, number);
	for (size_t i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			grouped[at++] = ',';
		grouped[at++] = digits[i];
	}
	grouped[at] = '\0';
	return format_text(d, "%s", language_number(d->language, grouped));
}

const char *room_text(struct diagnosis *d, const struct wait *wait)
{
	const struct viz_channel *channel = wait->channel;
	const char *room;
	uint64_t bytes;

	if ((channel->mechanism != MECH_PIPE && channel->mechanism != MECH_FIFO) ||
	    !channel->capacity)
		return "";
	room = grouped_text(d, channel->capacity);
	if (!wait_pipe_fill(d->waits, wait, &bytes))
		return fill_phrase(d, PHRASE_ROOM, room, NULL, NULL);
	return fill_phrase(d, bytes < channel->capacity ? PHRASE_FILL_IN_PAGES : PHRASE_FILL,
			   grouped_text(d, bytes), room, NULL);
}

/* Returns " (fd 1 of unix-stream:[4711])" if it could end a wait for events by that; else NULL. */
static const char *by_event(struct diagnosis *d, const struct wait *wait, size_t n,
			    const struct viz_process *process)
{
	const struct viz_wait *w = &wait->operation->extra->waits_for[n];
	const struct viz_channel *asked = wait_asked(d->waits, wait->operation, n);
	const struct viz_channel *peer = asked ? wait_peer(d->waits, asked) : NULL;
	const bool out = viz_wait_has(w, OUT) || viz_wait_has(w, WRNORM);
	const struct viz_holding *holding;

	if (!asked)
		return NULL;
	if (wait_pidfd_process(d->waits, asked) == process)
		return phrase_text(PHRASE_BY_ITS_END_ALONE, d->language);
	peer = peer ? peer : asked;
	holding = wait_holding(d->waits, peer, process,
			       !out		     ? ACCESS_WRITE
			       : viz_wait_has(w, IN) ? ACCESS_BOTH
						     : ACCESS_READ);
	if (!holding)
		return NULL;
	return fill_phrase(d, PHRASE_FD_OF, format_text(d, "%" PRId32, holding->fd),
			   bytes_text(d, peer->id), NULL);
}

/* Of one that has no descriptor of the wait's first channel: how else it could end the wait. */
static const char *by_other_means(struct diagnosis *d, const struct wait *wait,
				  const struct viz_process *process)
{
	const char *text = NULL;

	if (!operation_polls(wait->operation) || process == wait->process)
		return "";
	for (size_t i = 0; i < wait->operation->extra->waits_for_count && !text; i++)
		text = by_event(d, wait, i, process);
	if (!text && process->parent == wait->process &&
	    viz_process_handles(wait->process, SIGCHLD))
		text = phrase_text(PHRASE_BY_ITS_END, d->language);
	return text ? text : "";
}

/* Returns " (fd 4)", or by what else it could end the wait; an empty string if nothing is known. */
static const char *by_descriptor(struct diagnosis *d, const struct wait *wait,
				 const struct viz_process *process)
{
	const struct viz_holding *holding =
		wait->channel ? wait_holding(d->waits, other_end(d, wait), process, end_of(wait))
			      : NULL;

	return holding ? format_text(d, " (fd %" PRId32 ")", holding->fd)
		       : by_other_means(d, wait, process);
}

const char *enders_text(struct diagnosis *d, const struct wait *wait)
{
	const char *names = NULL;

	for (size_t i = 0; i < wait->ender_count; i++) {
		const char *fd;

		if (i == NAMES_MOST)
			return joined_text(d, names, ", ", more_text(d, wait->ender_count - i));
		fd = by_descriptor(d, wait, wait->enders[i]);

		if (wait->enders[i] == wait->process && !*fd &&
		    (wait->room || wait->process->thread_count < 2))
			continue;
		names = joined_text(
			d, names, ", ",
			format_text(d, "%s%s%s", process_text(d, wait->enders[i]), fd,
				    process_is_stopped(wait->enders[i])
					    ? phrase_text(PHRASE_IS_STOPPED, d->language)
					    : ""));
	}
	return names;
}

const char *opener_text(struct diagnosis *d, const struct wait *wait)
{
	return fill_phrase(d, PHRASE_OPEN_LACKS, process_text(d, wait->process),
			   comers_text(d, wait), NULL);
}

/* True for a wait for nothing but the end of processes. */
static bool waits_at_pidfds(struct diagnosis *d, const struct wait *wait)
{
	const struct viz_operation *op = wait->operation;

	for (size_t i = 0; i < op->extra->waits_for_count; i++) {
		const struct viz_channel *channel = wait_asked(d->waits, op, i);

		if (!channel || channel->mechanism != MECH_PIDFD)
			return false;
	}
	return op->extra->waits_for_count && !op->extra->waits_cut;
}

/* A glance knows no names. */
static const char *leased_text(struct diagnosis *d, const struct wait *wait)
{
	const struct viz_bytes path = wait->operation->extra->path;

	return path.len ? bytes_text(d, path) : phrase_text(PHRASE_LEASED_FILE, d->language);
}

const char *wait_text(struct diagnosis *d, const struct wait *wait)
{
	enum phrase phrase = PHRASE_ONLY_WRITE;
	const char *what = format_text(d, "%s %s", process_text(d, wait->process),
				       call_text(d, wait->operation));
	const char *enders = enders_text(d, wait);

	if (wait->channel)
		what = format_text(d, "%s  %s", what,
				   channel_text(d, wait->client ? wait->client : wait->channel));
	if (tells_others(d, wait))
		enders = joined_text(d, enders, ", ", others_text(d, wait));
	if (wait->crossed)
		return fill_phrase(d, PHRASE_OPENS_CROSSWISE, what, comers_text(d, wait), enders);
	if (!enders)
		return fill_phrase(d, PHRASE_WAITS_FOR_NOBODY, what, NULL, NULL);
	if (waits_at_pidfds(d, wait) && !wait->open)
		return fill_phrase(d, PHRASE_CHILD_MUST_END, what,
				   names_text(d, wait->enders, wait->ender_count), NULL);
	if (waits_for_child(wait))
		return fill_phrase(d, PHRASE_CHILD_MUST_END, what, enders, NULL);
	if (waits_for_exec(wait))
		return fill_phrase(d, PHRASE_CHILD_MUST_EXEC, what, enders, NULL);
	if (waits_for_lease(wait))
		return fill_phrase(d, PHRASE_HAS_LEASE, what, enders, leased_text(d, wait));
	if (wait->listener && waits_to_connect(wait))
		return fill_phrase(d, PHRASE_BACKLOG_FULL, what, channel_text(d, wait->listener),
				   enders_text(d, wait)
					   ?: names_text(d, wait->enders, wait->ender_count));
	if (wait->channel && wait->channel->mechanism == MECH_FILE_LOCK && !wait->open)
		return fill_phrase(d, PHRASE_ONLY_UNLOCK, what, enders,
				   format_text(d, "%zu", wait->ender_count));
	if (wait->listener)
		phrase = PHRASE_ONLY_ACCEPT;
	else if (waits_to_send(wait))
		phrase = PHRASE_ONLY_READ;
	else if (wait->operation->role != ROLE_RECEIVE || reads_from_kernel(wait))
		phrase = PHRASE_ONLY_ANSWER;
	return fill_phrase(d, phrase, what, enders, NULL);
}

void finding_wait(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	finding_process(d, f, wait->process);
	if (!wait->unrecorded)
		finding_operation(d, f, wait->operation);
	finding_line(d, f, wait_text(d, wait));
}
