// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/account/classify.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "viz/base/safe_text.h"
#include "viz/format/names.h"

/* A channel, or the sum of a connection's two sockets. */
struct seen {
	enum language language;
	const struct mechanism_info *info;
	struct account_channel sum;
};

#define SET_TEXT(target, ...) snprintf((target), sizeof(target), __VA_ARGS__)
/* The same, in the reader's language; `seen` is in scope. */
#define SAY(english) language_say(seen->language, english)

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

/* Adds the peer's counts. Round trips were counted for both sockets together. */
static void add_peer(struct account_channel *sum, const struct account_channel *peer)
{
	sum->messages += peer->messages;
	sum->ambiguous += peer->ambiguous;
	sum->senders += peer->senders;
	sum->receivers += peer->receivers;
	sum->by_address |= peer->by_address;
	sum->lost.dropped += peer->lost.dropped;
	sum->lost.cut += peer->lost.cut;
	sum->followed += peer->followed;
	sum->overtaken += peer->overtaken;
	sum->multicast += peer->multicast;
	sum->both_ways |= peer->both_ways;
	sum->crossed += peer->crossed;
	sum->met += peer->met;
	sum->slept_sender += peer->slept_sender;
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

static const char *say_bytes(const struct seen *seen, uint64_t bytes, char text[SCENE_QUANTITY])
{
	scene_bytes(bytes, text);
	return language_number(seen->language, text);
}

static void judge_addressing(const struct seen *seen, struct property *p)
{
	bool direct = seen->info->addressing == ADDRESSING_DIRECT;

	SET_TEXT(p->value, direct ? SAY("direct") : SAY("indirect"));
	if (seen->sum.mechanism == MECH_SIGNAL)
		SET_TEXT(p->why, SAY("the sender names the receiving process by its number"));
	else if (direct)
		SET_TEXT(
			p->why,
			SAY("the sender names the receiver's end point: an address, a connection"));
	else
		SET_TEXT(p->why, SAY("the sender names the channel (%s), not who receives"),
			 seen->info->name);
}

static void judge_form(const struct seen *seen, struct property *p)
{
	uint64_t sends = seen->sum.sends, receives = seen->sum.receives;

	switch (seen->info->form) {
	case FORM_STREAM:
		SET_TEXT(p->value, SAY("stream-oriented"));
		SET_TEXT(p->why, SAY("bytes without borders: %" PRIu64 " %s, %" PRIu64 " %s"),
			 sends, plural(sends, SAY("send"), SAY("sends")), receives,
			 plural(receives, SAY("receive"), SAY("receives")));
		break;
	case FORM_MESSAGE:
		SET_TEXT(p->value, SAY("message-oriented"));
		SET_TEXT(p->why, SAY("borders are kept: %" PRIu64 " %s, each of one send"),
			 seen->sum.messages,
			 plural(seen->sum.messages, SAY("message"), SAY("messages")));
		break;
	case FORM_MEMORY:
		SET_TEXT(p->value, SAY("shared memory"));
		SET_TEXT(
			p->why,
			SAY("processes map the same memory: no call and no copy when they use it"));
		break;
	default:
		SET_TEXT(p->value, SAY("event without content"));
		SET_TEXT(p->why, SAY("that it happened is all it says"));
	}
}

/* "SIGUSR1, SIGCHLD were seen", as many as there is room for. */
static void say_signals(const struct seen *seen, struct property *p)
{
	enum { ROOM = PROPERTY_WHY - 32 };
	int len = 0, left_out = 0, said = 0;
	uint64_t signals = seen->sum.signals;
	char name[16];

	for (int number = 1; number <= 64; number++) {
		if (!(signals >> (number - 1) & 1))
			continue;
		if (len > ROOM) {
			left_out++;
			continue;
		}
		len += snprintf(p->why + len, sizeof(p->why) - (size_t)len, "%s%s",
				said++ ? ", " : "", signal_name(number, name));
	}
	if (left_out)
		len += snprintf(p->why + len, sizeof(p->why) - (size_t)len, SAY(" and %d more"),
				left_out);
	snprintf(p->why + len, sizeof(p->why) - (size_t)len, "%s",
		 plural((uint64_t)said, SAY(" was seen"), SAY(" were seen")));
}

static void judge_types(const struct seen *seen, struct property *p)
{
	const struct account_channel *c = &seen->sum;
	const char *what = c->mechanism == MECH_POSIX_MQ ? SAY("priorities") : SAY("types");

	if (!carries(seen) && c->mechanism != MECH_SIGNAL)
		return;
	SET_TEXT(p->value, seen->info->typed ? SAY("typed") : SAY("untyped"));
	if (!seen->info->typed)
		SET_TEXT(p->why, SAY("the kernel gives messages no type"));
	else if (c->signals)
		say_signals(seen, p);
	else if (c->typed && c->type_min == c->type_max)
		SET_TEXT(p->why, SAY("%s: only %" PRId64 " was seen"), what, c->type_min);
	else if (c->typed)
		SET_TEXT(p->why, SAY("%s from %" PRId64 " to %" PRId64 " were seen"), what,
			 c->type_min, c->type_max);
	else
		SET_TEXT(p->why, SAY("none was seen"));
}

static void judge_length(const struct seen *seen, struct property *p)
{
	const struct account_channel *c = &seen->sum;
	char min[SCENE_QUANTITY], max[SCENE_QUANTITY];

	if (!carries(seen) || c->sends < 2) /* a single send shows nothing */
		return;
	say_bytes(seen, c->size_min, min);
	say_bytes(seen, c->size_max, max);
	SET_TEXT(p->value,
		 c->size_min == c->size_max ? SAY("fixed length") : SAY("variable length"));
	if (c->size_min == c->size_max)
		SET_TEXT(p->why, SAY("each of %" PRIu64 " sends had %s"), c->sends, min);
	else
		SET_TEXT(p->why, SAY("%" PRIu64 " sends had from %s to %s"), c->sends, min, max);
}

static void judge_direction(const struct seen *seen, struct property *p)
{
	const struct account_channel *c = &seen->sum;
	bool could = seen->info->direction == DIRECTION_TWO_WAY;

	if (seen->info->form == FORM_MEMORY || !c->messages)
		return;
	if (!c->both_ways) {
		SET_TEXT(p->value, could ? SAY("unidirectional in use") : SAY("unidirectional"));
		SET_TEXT(p->why, could ? SAY("it could carry both directions; data went one way")
				 : c->mechanism == MECH_SIGNAL
					 ? SAY("a signal says nothing back")
					 : SAY("it has one end to write and one to read"));
		return;
	}
	SET_TEXT(p->value, c->crossed ? SAY("bidirectional, full duplex in use")
				      : SAY("bidirectional, half duplex in use"));
	if (c->crossed)
		SET_TEXT(p->why,
			 SAY("%" PRIu64 " %s sent before one in the other direction had arrived"),
			 c->crossed, plural(c->crossed, SAY("message was"), SAY("messages were")));
	else
		SET_TEXT(p->why, SAY("both sides sent, never at the same time"));
}

static void judge_reliability(const struct seen *seen, struct property *p)
{
	uint64_t bytes = seen->sum.lost.dropped + seen->sum.lost.cut;
	char lost[SCENE_QUANTITY];

	if (!carries(seen))
		return;
	SET_TEXT(p->value, seen->info->reliable ? SAY("reliable") : SAY("unreliable"));
	if (bytes)
		SET_TEXT(p->why, SAY("%s were dropped or cut off"), say_bytes(seen, bytes, lost));
	else if (seen->info->reliable)
		SET_TEXT(p->why, SAY("what the kernel has taken it does not drop; nothing was"));
	else
		SET_TEXT(p->why,
			 SAY("the kernel may drop what it has taken; nothing was seen dropped"));
}

static void judge_order(const struct seen *seen, struct property *p)
{
	const struct account_channel *c = &seen->sum;

	if (!c->followed) /* needs two messages of one sender */
		return;
	SET_TEXT(p->value, c->overtaken ? SAY("order not kept") : SAY("order kept"));
	if (c->overtaken)
		SET_TEXT(p->why,
			 SAY("%" PRIu64 " %s received after a later one of the same sender"),
			 c->overtaken,
			 plural(c->overtaken, SAY("message was"), SAY("messages were")));
	else
		SET_TEXT(p->why,
			 SAY("%" PRIu64 " %s one of the same sender, and none came before that"),
			 c->followed,
			 plural(c->followed, SAY("message followed"), SAY("messages followed")));
}

static void judge_cast(const struct seen *seen, struct property *p)
{
	const struct account_channel *c = &seen->sum;
	bool many = c->multicast || c->cast != CAST_ONE;
	int len;

	if (c->messages == c->ambiguous || !(c->receives || many || c->mechanism == MECH_SIGNAL))
		return;
	SET_TEXT(p->value, c->cast == CAST_ALL ? SAY("broadcast")
			   : many	       ? SAY("multicast")
					       : SAY("unicast"));
	len = SET_TEXT(p->why, SAY("%zu sending %s, %zu receiving"), c->senders,
		       c->by_address ? plural(c->senders, SAY("process or address"),
					      SAY("processes or addresses"))
				     : plural(c->senders, SAY("process"), SAY("processes")),
		       c->receivers);
	if (len < 0 || (size_t)len >= sizeof(p->why))
		return;
	if (c->multicast)
		snprintf(p->why + len, sizeof(p->why) - (size_t)len,
			 plural(c->multicast,
				SAY("; what one call sent reached another one too, %" PRIu64
				    " time"),
				SAY("; what one call sent reached another one too, %" PRIu64
				    " times")),
			 c->multicast);
	else if (many)
		snprintf(p->why + len, sizeof(p->why) - (size_t)len, "%s",
			 c->cast == CAST_ALL ? SAY("; sent to all") : SAY("; sent to a group"));
	else if (c->receivers > 1 && seen->info->direction == DIRECTION_ONE_WAY)
		snprintf(p->why + len, sizeof(p->why) - (size_t)len,
			 SAY("; each message to one of them"));
}

static void judge_synchrony(const struct seen *seen, struct property *p)
{
	const struct account_channel *c = &seen->sum;
	char held[80] = "";

	if (!carries(seen) || !c->met)
		return;
	if (c->held_sender == c->met) {
		SET_TEXT(p->value, SAY("synchronous (rendezvous)"));
		SET_TEXT(p->why, SAY("every sender slept in its call until the receiver came"));
		return;
	}
	SET_TEXT(p->value, SAY("asynchronous"));
	if (c->held_sender)
		SET_TEXT(held, SAY(", in %" PRIu64 " of these until the message was received"),
			 c->held_sender);
	SET_TEXT(p->why,
		 SAY("the kernel buffers: the sender slept in %" PRIu64 " of %" PRIu64 " %s%s"),
		 c->slept_sender, c->met, plural(c->met, SAY("message"), SAY("messages")), held);
}

static void judge_purpose(const struct seen *seen, struct property *p)
{
	const struct account_channel *c = &seen->sum;

	if (seen->info->form == FORM_MEMORY)
		return;
	if (!c->messages) {
		SET_TEXT(p->value, SAY("synchronisation"));
		SET_TEXT(p->why, SAY("%" PRIu64 " waits, %" PRIu64 " wakes"),
			 c->effort.calls[CALL_WAIT], c->effort.calls[CALL_WAKE]);
	} else if (c->round_trips) {
		SET_TEXT(p->value, c->asker_slept * 2 > c->round_trips ? SAY("synchronous request")
								       : SAY("request"));
		SET_TEXT(p->why,
			 SAY("%" PRIu64 " %s answered before the next one; in at least %" PRIu64
			     " the asker slept until the response came"),
			 c->round_trips,
			 plural(c->round_trips, SAY("request was"), SAY("requests were")),
			 c->asker_slept);
	} else if (c->both_ways) {
		SET_TEXT(p->value, SAY("asynchronous request, or notifications"));
		SET_TEXT(p->why, SAY("both send, and do not take turns"));
	} else {
		SET_TEXT(p->value, SAY("notification"));
		SET_TEXT(p->why, SAY("no answer came back from those who received"));
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

size_t classify(const struct account_channel *channel, enum language language,
		struct property properties[PROPERTIES_MAX])
{
	struct seen seen = {language, mechanism_info(channel->mechanism), *channel};
	size_t count = 0;

	if (channel->peer)
		add_peer(&seen.sum, channel->peer);
	if (!is_used(&seen))
		return 0;
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		struct property *p = &properties[count];

		*p = (struct property){.name = language_say(language, rules[i].name)};
		rules[i].judge(&seen, p);
		count += *p->value != '\0';
	}
	return count;
}
