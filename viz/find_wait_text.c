// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What waits wait for, and who could end them: in words. */
#include <inttypes.h>

#include "find_waits.h"

bool waits_for_child(const struct wait *wait)
{
	return is_call(wait->operation, "wait4") || is_call(wait->operation, "waitid");
}

static enum access end_of(const struct wait *wait)
{
	return wait->operation->role == ROLE_SEND ? ACCESS_READ : ACCESS_WRITE;
}

const struct viz_channel *other_end(const struct diagnosis *d, const struct wait *wait)
{
	const struct viz_channel *peer = wait->listener;

	if (!peer)
		peer = wait_peer(d->waits, wait->channel);
	return peer ? peer : wait->channel;
}

bool is_semaphore(const struct viz_channel *channel)
{
	return channel->mechanism == MECH_SYSV_SEM || channel->mechanism == MECH_FUTEX ||
	       channel->mechanism == MECH_POSIX_SEM;
}

/* poll(2) or select(2) of nothing at all. */
static bool polls_nothing(const struct viz_operation *op)
{
	int64_t asked = -1;

	return (is_call(op, "poll") || is_call(op, "ppoll") || is_call(op, "select") ||
		is_call(op, "pselect6")) &&
	       viz_operation_argument(op, "nfds", &asked) && asked == 0;
}

bool waits_for_signal(const struct viz_operation *op)
{
	return op && (is_call(op, "pause") || is_call(op, "rt_sigsuspend") || polls_nothing(op));
}

bool waits_to_open(const struct wait *wait)
{
	return wait->operation->path.len && wait->operation->role == ROLE_OPEN;
}

bool waits_to_accept(const struct wait *wait)
{
	return is_call(wait->operation, "accept") || is_call(wait->operation, "accept4");
}

bool waits_to_connect(const struct wait *wait)
{
	return is_call(wait->operation, "connect");
}

static bool has_key(const struct viz_channel *channel)
{
	return channel->key.len && !viz_bytes_equal(channel->key, viz_bytes_of("0x00000000"));
}

/* At an address: anybody may send there. */
static bool gets_datagrams(const struct wait *wait)
{
	const struct viz_channel *channel = wait->operation->role == ROLE_RECEIVE ? wait->channel
										  : NULL;

	return channel && (channel->mechanism == MECH_UDP ||
			   (channel->mechanism == MECH_UNIX_DGRAM && channel->name.len));
}

const char *say_others(struct diagnosis *d, const struct wait *wait)
{
	enum { WRITES = 1 };
	const struct viz_operation *op = wait->operation;
	const bool whole = d->waits->whole;

	if (waits_for_signal(op))
		return phrase_text(PHRASE_A_SIGNAL, d->language);
	if (waits_to_accept(wait) && wait->channel)
		return say_phrase(d, PHRASE_WHO_CONNECTS, say_channel(d, wait->channel), NULL,
				  NULL);
	if (gets_datagrams(wait))
		return say_phrase(d, PHRASE_WHO_SENDS, say_channel(d, wait->channel), NULL, NULL);
	if (waits_to_open(wait))
		return say_phrase(d,
				  op->flags & WRITES ? PHRASE_WHO_OPENS_TO_READ
						     : PHRASE_WHO_OPENS_TO_WRITE,
				  say_bytes(d, op->path), NULL, NULL);
	if (whole && wait->channel && has_key(wait->channel))
		return say_phrase(d, PHRASE_WHO_KNOWS_KEY, say_bytes(d, wait->channel->key), NULL,
				  NULL);
	return phrase_text(whole ? PHRASE_SOMEBODY_ELSE : PHRASE_SOMEBODY, d->language);
}

const char *say_more(struct diagnosis *d, size_t count)
{
	return say_phrase(d, PHRASE_MORE, say(d, "%zu", count), NULL, NULL);
}

/* " (fd 4)", or nothing where there is no descriptor. */
static const char *by_descriptor(struct diagnosis *d, const struct wait *wait,
				 const struct viz_process *process)
{
	const struct viz_holding *holding =
		wait->channel ? wait_holding(other_end(d, wait), process, end_of(wait)) : NULL;

	return holding ? say(d, " (fd %" PRId32 ")", holding->fd) : "";
}

const char *say_enders(struct diagnosis *d, const struct wait *wait)
{
	const char *names = NULL;

	for (size_t i = 0; i < wait->ender_count; i++) {
		const char *fd;

		if (i == NAMES_MOST)
			return say_join(d, names, ", ", say_more(d, wait->ender_count - i));
		fd = by_descriptor(d, wait, wait->enders[i]);

		if (wait->enders[i] == wait->process && !*fd && wait->process->thread_count < 2)
			continue;
		names = say_join(d, names, ", ",
				 say(d, "%s%s", say_process(d, wait->enders[i]), fd));
	}
	return names;
}

const char *say_wait(struct diagnosis *d, const struct wait *wait)
{
	enum phrase phrase = PHRASE_ONLY_WRITE;
	const char *what = say(d, "%s %s", say_process(d, wait->process),
			       say_call(d, wait->operation));
	const char *enders = say_enders(d, wait);

	if (wait->channel)
		what = say(d, "%s  %s", what, say_channel(d, wait->channel));
	if (wait->open)
		enders = say_join(d, enders, ", ", say_others(d, wait));
	if (!enders)
		return say_phrase(d, PHRASE_WAITS_FOR_NOBODY, what, NULL, NULL);
	if (waits_for_child(wait))
		return say_phrase(d, PHRASE_CHILD_MUST_END, what, enders, NULL);
	if (wait->listener && waits_to_connect(wait))
		return say_phrase(d, PHRASE_BACKLOG_FULL, what, say_channel(d, wait->listener),
				  enders);
	if (wait->listener)
		phrase = PHRASE_ONLY_ACCEPT;
	else if (wait->operation->role == ROLE_SEND)
		phrase = PHRASE_ONLY_READ;
	else if (wait->operation->role != ROLE_RECEIVE)
		phrase = PHRASE_ONLY_ANSWER;
	return say_phrase(d, phrase, what, enders, NULL);
}

void finding_wait(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	finding_process(d, f, wait->process);
	finding_operation(d, f, wait->operation);
	finding_line(d, f, say_wait(d, wait));
}
