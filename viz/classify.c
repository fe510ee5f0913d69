// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "classify.h"

#include <inttypes.h>
#include <stdio.h>

#include "scene_text.h"

/* A channel, or both sockets of a connection together. */
struct seen {
	const struct mechanism_info *info;
	struct account_channel sum;
};

#define SAY(target, ...) snprintf((target), sizeof(target), __VA_ARGS__)

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void add_sizes(struct account_channel *sum, const struct account_channel *peer)
{
	if (!peer->sends)
		return;
	if (!sum->sends || peer->size_min < sum->size_min)
		sum->size_min = peer->size_min;
	sum->size_max = larger(sum->size_max, peer->size_max);
	sum->sends += peer->sends;
}

/* Round trips are of both sockets at once. */
static void add_peer(struct account_channel *sum, const struct account_channel *peer)
{
	sum->messages += peer->messages;
	sum->ambiguous += peer->ambiguous;
	sum->senders += peer->senders;
	sum->receivers += peer->receivers;
	sum->books.dropped += peer->books.dropped;
	sum->books.cut += peer->books.cut;
	sum->followed += peer->followed;
	sum->overtaken += peer->overtaken;
	sum->multicast += peer->multicast;
	sum->both_ways |= peer->both_ways;
	sum->crossed += peer->crossed;
	sum->met += peer->met;
	sum->held_sender += peer->held_sender;
	sum->round_trips = larger(sum->round_trips, peer->round_trips);
	sum->asker_slept = larger(sum->asker_slept, peer->asker_slept);
	sum->receives += peer->receives;
	add_sizes(sum, peer);
}

static const char *plural(uint64_t n, const char *one, const char *many)
{
	return n == 1 ? one : many;
}

static bool carries(const struct seen *seen)
{
	return seen->info->form == FORM_STREAM || seen->info->form == FORM_MESSAGE;
}

static void judge_addressing(const struct seen *seen, struct property *p)
{
	bool direct = seen->info->addressing == ADDRESSING_DIRECT;

	SAY(p->value, direct ? "direct" : "indirect");
	if (seen->sum.mechanism == MECH_SIGNAL)
		SAY(p->why, "the sender names the receiving process by its number");
	else if (direct)
		SAY(p->why, "the sender names the receiver's end point: an address, a connection");
	else
		SAY(p->why, "the sender names the channel, not who receives: a %s",
		    seen->info->name);
}

static void judge_form(const struct seen *seen, struct property *p)
{
	uint64_t sends = seen->sum.sends, receives = seen->sum.receives;

	switch (seen->info->form) {
	case FORM_STREAM:
		SAY(p->value, "stream-oriented");
		SAY(p->why, "bytes without borders: %" PRIu64 " %s, %" PRIu64 " %s", sends,
		    plural(sends, "send", "sends"), receives,
		    plural(receives, "receive", "receives"));
		break;
	case FORM_MESSAGE:
		SAY(p->value, "message-oriented");
		SAY(p->why, "borders are kept: %" PRIu64 " %s, each of one send",
		    seen->sum.messages, plural(seen->sum.messages, "message", "messages"));
		break;
	case FORM_MEMORY:
		SAY(p->value, "shared memory");
		SAY(p->why, "processes map the same memory: no call and no copy when they use it");
		break;
	default:
		SAY(p->value, "event without content");
		SAY(p->why, "that it happened is all it says");
	}
}

static void judge_types(const struct seen *seen, struct property *p)
{
	const struct account_channel *c = &seen->sum;
	const char *what = c->mechanism == MECH_POSIX_MQ ? "priorities"
			   : c->mechanism == MECH_SIGNAL ? "signal numbers"
							 : "types";

	if (!carries(seen) && c->mechanism != MECH_SIGNAL)
		return;
	SAY(p->value, seen->info->typed ? "typed" : "untyped");
	if (!seen->info->typed)
		SAY(p->why, "the kernel gives messages no type");
	else if (c->typed && c->type_min == c->type_max)
		SAY(p->why, "%s: only %" PRId64 " was seen", what, c->type_min);
	else if (c->typed)
		SAY(p->why, "%s from %" PRId64 " to %" PRId64 " were seen", what, c->type_min,
		    c->type_max);
	else
		SAY(p->why, "none was seen");
}

static void judge_length(const struct seen *seen, struct property *p)
{
	const struct account_channel *c = &seen->sum;
	char min[SCENE_QUANTITY], max[SCENE_QUANTITY];

	if (!carries(seen) || c->sends < 2) /* one tells nothing */
		return;
	scene_bytes(c->size_min, min);
	scene_bytes(c->size_max, max);
	SAY(p->value, c->size_min == c->size_max ? "fixed length" : "variable length");
	if (c->size_min == c->size_max)
		SAY(p->why, "each of %" PRIu64 " sends had %s", c->sends, min);
	else
		SAY(p->why, "%" PRIu64 " sends had from %s to %s", c->sends, min, max);
}

static void judge_direction(const struct seen *seen, struct property *p)
{
	const struct account_channel *c = &seen->sum;
	bool could = seen->info->direction == DIRECTION_TWO_WAY;

	if (seen->info->form == FORM_MEMORY || !c->messages)
		return;
	if (!c->both_ways) {
		SAY(p->value, could ? "unidirectional in use" : "unidirectional");
		SAY(p->why, could ? "it could carry both directions; data went one way"
			    : c->mechanism == MECH_SIGNAL
				    ? "a signal says nothing back"
				    : "it has one end to write and one to read");
		return;
	}
	SAY(p->value, "bidirectional, %s duplex in use", c->crossed ? "full" : "half");
	if (c->crossed)
		SAY(p->why, "%" PRIu64 " %s sent before one in the other direction had arrived",
		    c->crossed, plural(c->crossed, "message was", "messages were"));
	else
		SAY(p->why, "both sides sent, never at the same time");
}

static void judge_reliability(const struct seen *seen, struct property *p)
{
	const struct account_books *books = &seen->sum.books;
	char lost[SCENE_QUANTITY];

	if (!carries(seen))
		return;
	SAY(p->value, seen->info->reliable ? "reliable" : "unreliable");
	if (books->dropped || books->cut)
		SAY(p->why, "%s were dropped or cut off",
		    scene_bytes(books->dropped + books->cut, lost));
	else if (seen->info->reliable)
		SAY(p->why, "what the kernel has taken it does not drop; nothing was");
	else
		SAY(p->why, "the kernel may drop what it has taken; nothing was seen dropped");
}

static void judge_order(const struct seen *seen, struct property *p)
{
	const struct account_channel *c = &seen->sum;

	if (!c->followed) /* one of each tells nothing */
		return;
	SAY(p->value, c->overtaken ? "order not kept" : "order kept");
	if (c->overtaken)
		SAY(p->why, "%" PRIu64 " %s received after a later one of the same sender",
		    c->overtaken, plural(c->overtaken, "message was", "messages were"));
	else
		SAY(p->why, "%" PRIu64 " %s one of the same sender, and none came before that",
		    c->followed, plural(c->followed, "message followed", "messages followed"));
}

static void judge_cast(const struct seen *seen, struct property *p)
{
	const struct account_channel *c = &seen->sum;
	bool many = c->multicast || c->cast != CAST_ONE;
	int len;

	if (c->messages == c->ambiguous || !(c->receives || many || c->mechanism == MECH_SIGNAL))
		return;
	SAY(p->value, c->cast == CAST_ALL ? "broadcast" : many ? "multicast" : "unicast");
	len = SAY(p->why, "%zu sending %s, %zu receiving", c->senders,
		  plural(c->senders, "process", "processes"), c->receivers);
	if (len < 0 || (size_t)len >= sizeof(p->why))
		return;
	if (c->multicast)
		snprintf(p->why + len, sizeof(p->why) - (size_t)len,
			 "; what one call sent reached another one too, %" PRIu64 " %s",
			 c->multicast, plural(c->multicast, "time", "times"));
	else if (many)
		snprintf(p->why + len, sizeof(p->why) - (size_t)len, "; sent to %s",
			 c->cast == CAST_ALL ? "all" : "a group");
	else if (c->receivers > 1 && seen->info->direction == DIRECTION_ONE_WAY)
		snprintf(p->why + len, sizeof(p->why) - (size_t)len,
			 "; each message to one of them");
}

static void judge_synchrony(const struct seen *seen, struct property *p)
{
	const struct account_channel *c = &seen->sum;

	if (!carries(seen) || !c->met)
		return;
	if (c->held_sender == c->met) {
		SAY(p->value, "synchronous (rendezvous)");
		SAY(p->why, "every sender slept in its call until the receiver came");
		return;
	}
	SAY(p->value, "asynchronous");
	SAY(p->why,
	    "the kernel buffers: the sender waited for the receiver in %" PRIu64 " of %" PRIu64
	    " messages",
	    c->held_sender, c->met);
}

static void judge_purpose(const struct seen *seen, struct property *p)
{
	const struct account_channel *c = &seen->sum;

	if (seen->info->form == FORM_MEMORY)
		return;
	if (!c->messages) {
		SAY(p->value, "synchronisation");
		SAY(p->why, "%" PRIu64 " waits, %" PRIu64 " wakes", c->effort.calls[CALL_WAIT],
		    c->effort.calls[CALL_WAKE]);
	} else if (c->round_trips) {
		SAY(p->value, "%s",
		    c->asker_slept * 2 > c->round_trips ? "synchronous request" : "request");
		SAY(p->why,
		    "%" PRIu64 " %s answered before the next one; in at least %" PRIu64
		    " the asker slept until the response came",
		    c->round_trips, plural(c->round_trips, "request was", "requests were"),
		    c->asker_slept);
	} else if (c->both_ways) {
		SAY(p->value, "asynchronous request, or notifications");
		SAY(p->why, "both send, and do not take turns");
	} else {
		SAY(p->value, "notification");
		SAY(p->why, "no answer came back from those who received");
	}
}

static const struct {
	const char *name;
	void (*judge)(const struct seen *seen, struct property *p);
} rules[] = {
	{"addressing", judge_addressing}, {"format", judge_form},
	{"types", judge_types},		  {"length", judge_length},
	{"direction", judge_direction},	  {"reliability", judge_reliability},
	{"order", judge_order},		  {"receivers", judge_cast},
	{"synchrony", judge_synchrony},	  {"purpose", judge_purpose},
};

_Static_assert(sizeof(rules) / sizeof(*rules) <= PROPERTIES_MAX, "room for all properties");

static bool is_used(const struct seen *seen)
{
	const uint64_t *calls = seen->sum.effort.calls;

	return seen->sum.messages || seen->info->form == FORM_MEMORY ||
	       (seen->info->form == FORM_EVENT && calls[CALL_WAIT] + calls[CALL_WAKE] &&
		seen->info->direction == DIRECTION_TWO_WAY);
}

size_t classify(const struct account_channel *channel, struct property properties[PROPERTIES_MAX])
{
	struct seen seen = {mechanism_info(channel->mechanism), *channel};
	size_t count = 0;

	if (channel->peer)
		add_peer(&seen.sum, channel->peer);
	if (!is_used(&seen))
		return 0;
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		struct property *p = &properties[count];

		*p = (struct property){.name = rules[i].name};
		rules[i].judge(&seen, p);
		count += *p->value != '\0';
	}
	return count;
}
