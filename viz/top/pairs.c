// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Joins the ends of each channel, then the channels that the same processes talk over. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/base/compare.h"
#include "viz/top/peers.h"
#include "viz/top/top.h"

/* An end, and where what it sends or receives lies in between: the same for both sides. */
struct meeting {
	uint64_t address, number;
	uint64_t unknown; /* sent to a receiver that was not found: a place of its own */
	/* Of sockets that know each other by their addresses alone: accept(2) made the receiver. */
	bool accepted;
	const struct top_end *end;
};

void top_counts_add(struct top_counts *to, const struct top_counts *counts)
{
	to->messages += counts->messages;
	to->bytes += counts->bytes;
	to->asleep_ns += counts->asleep_ns;
	for (int i = 0; i < TOP_POWERS; i++) {
		to->sleeps[i] += counts->sleeps[i];
		to->sizes[i] += counts->sizes[i];
	}
}

static bool is_active(const struct top_counts *counts)
{
	return counts->messages || counts->asleep_ns;
}

static bool is_socket(enum mechanism mechanism)
{
	return mechanism >= MECH_UNIX_STREAM && mechanism <= MECH_UDP;
}

/*
 * Two that know each other by their addresses alone meet at both of these, with all that had the
 * same two. Who accepted the connection has the name of its listener.
 */
static struct meeting meeting_at_addresses(const struct top_end *end)
{
	const struct top_object *object = end->object;

	if (end->sends)
		return (struct meeting){object->peer, object->address, 0, !object->named, end};
	return (struct meeting){object->address, object->peer, 0, object->named != 0, end};
}

static struct meeting meeting_of(const struct peers *peers, const struct top_end *end)
{
	const struct top_object *object = end->object, *target;

	if (peers_know_addresses_alone(peers, object))
		return meeting_at_addresses(end);
	if (!end->sends || !is_socket(object->mechanism))
		return (struct meeting){object->address, object->number, 0, false, end};
	target = peers_find(peers, end);
	if (target)
		return (struct meeting){target->address, target->number, 0, false, end};
	return (struct meeting){object->address, object->number, end->to + 1 ? end->to + 1 : 1,
				false, end};
}

static int meeting_compare(const void *left, const void *right)
{
	const struct meeting *a = left, *b = right;
	int order = COMPARE(a->address, b->address);

	if (!order)
		order = COMPARE(a->number, b->number);
	if (!order)
		order = COMPARE(a->unknown, b->unknown);
	if (!order)
		order = COMPARE(a->accepted, b->accepted);
	if (!order)
		order = COMPARE(a->end->sends, b->end->sends);
	return order ? order : COMPARE(a->end->pid, b->end->pid);
}

static bool is_same_place(const struct meeting *a, const struct meeting *b)
{
	return a->address == b->address && a->number == b->number && a->unknown == b->unknown &&
	       a->accepted == b->accepted;
}

/* Those who did something; where nobody did, all. The meetings are in order of their pids. */
static struct top_side side_make(struct arena *arena, const struct meeting *meetings, size_t count,
				 bool sends)
{
	struct top_side side = {0};
	bool any = false;

	for (size_t i = 0; i < count; i++)
		any |= meetings[i].end->sends == sends && is_active(&meetings[i].end->counts);
	for (size_t i = 0; i < count; i++) {
		const struct top_end *end = meetings[i].end;
		struct top_member member = {.pid = end->pid, .counts = end->counts};

		if (end->sends != sends || (any && !is_active(&end->counts)))
			continue;
		memcpy(member.comm, end->comm, sizeof(member.comm));
		if (side.count && side.members[side.count - 1].pid == end->pid)
			top_counts_add(&side.members[side.count - 1].counts, &end->counts);
		else
			ARENA_PUSH(arena, side.members, side.count, member);
	}
	return side;
}

static void side_sum(const struct top_side *side, struct top_counts *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (size_t i = 0; i < side->count; i++)
		top_counts_add(sum, &side->members[i].counts);
}

/* Of a unix socket that of the end which was bound; else the sender's: it says where it leads. */
static const char *channel_name(const struct meeting *meetings, size_t count)
{
	const struct top_object *best = meetings[0].end->object;

	for (size_t i = 0; i < count; i++) {
		const struct top_object *object = meetings[i].end->object;

		if (object->named > best->named || (!best->named && meetings[i].end->sends))
			best = object;
	}
	return best->name;
}

/* Of a unix socket the sender's end tells it, of others the one at which it arrives. */
static bool tells_fill(const struct meeting *meeting)
{
	const struct top_object *object = meeting->end->object;
	bool is_unix = object->mechanism >= MECH_UNIX_STREAM &&
		       object->mechanism <= MECH_UNIX_SEQPACKET;

	if (!object->room || !is_socket(object->mechanism))
		return object->room;
	return is_unix == meeting->end->sends && (is_unix || !meeting->unknown);
}

/* True if more is used of this room than of the other one, if that is known. */
static bool is_fuller(uint64_t used, uint64_t room, uint64_t than_used, uint64_t than_room)
{
	return room &&
	       (!than_room || (double)used / (double)room > (double)than_used / (double)than_room);
}

static void channel_fill(const struct meeting *meetings, size_t count, struct top_pair *pair)
{
	for (size_t i = 0; i < count; i++) {
		const struct top_object *object = meetings[i].end->object;

		if (!tells_fill(&meetings[i]) ||
		    !is_fuller(object->used, object->room, pair->used, pair->room))
			continue;
		pair->used = object->used;
		pair->room = object->room;
	}
}

/* The pair's only channel so far. */
static void channel_keep(struct arena *arena, struct top_pair *pair)
{
	struct top_channel *channel = arena_alloc(arena, sizeof(*channel));

	*channel = (struct top_channel){.name = pair->channel,
					.used = pair->used,
					.room = pair->room,
					.sent = pair->sent,
					.received = pair->received};
	pair->channels = 1;
	pair->first = pair->last = channel;
}

static bool channel_make(struct arena *arena, const struct meeting *meetings, size_t count,
			 struct top_pair *pair)
{
	memset(pair, 0, sizeof(*pair));
	pair->mechanism = meetings[0].end->object->mechanism;
	pair->channel = channel_name(meetings, count);
	pair->from = side_make(arena, meetings, count, true);
	pair->to = side_make(arena, meetings, count, false);
	side_sum(&pair->from, &pair->sent);
	side_sum(&pair->to, &pair->received);
	channel_fill(meetings, count, pair);
	if (!is_active(&pair->sent) && !is_active(&pair->received))
		return false;
	channel_keep(arena, pair);
	return true;
}

static int side_compare(const struct top_side *a, const struct top_side *b)
{
	int order = COMPARE(a->count, b->count);

	for (size_t i = 0; !order && i < a->count; i++)
		order = COMPARE(a->members[i].pid, b->members[i].pid);
	return order;
}

static int parties_compare(const void *left, const void *right)
{
	const struct top_pair *a = left, *b = right;
	int order = COMPARE(a->mechanism, b->mechanism);

	if (!order)
		order = side_compare(&a->from, &b->from);
	return order ? order : side_compare(&a->to, &b->to);
}

static void side_add(struct top_side *to, const struct top_side *side)
{
	for (size_t i = 0; i < to->count; i++)
		top_counts_add(&to->members[i].counts, &side->members[i].counts);
}

/* Adds a pair of the same parties, which has one channel. */
static void pair_add(struct top_pair *to, const struct top_pair *pair)
{
	side_add(&to->from, &pair->from);
	side_add(&to->to, &pair->to);
	top_counts_add(&to->sent, &pair->sent);
	top_counts_add(&to->received, &pair->received);
	to->last->next = pair->first;
	to->last = pair->last;
	to->channels++;
	if (is_fuller(pair->used, pair->room, to->used, to->room)) {
		to->used = pair->used;
		to->room = pair->room;
	}
}

static void pairs_merge(struct top_pairs *pairs)
{
	size_t kept = 0;

	for (size_t i = 0; i < pairs->count; i++) {
		struct top_pair *pair = &pairs->items[i], *last = pairs->items + kept - 1;

		if (!kept || parties_compare(last, pair) != 0) {
			pairs->items[kept++] = *pair;
			continue;
		}
		pair_add(last, pair);
	}
	pairs->count = kept;
}

const struct top_counts *top_moved(const struct top_pair *pair)
{
	return pair->from.count ? &pair->sent : &pair->received;
}

static uint64_t asleep(const struct top_pair *pair)
{
	return pair->sent.asleep_ns + pair->received.asleep_ns;
}

static int busiest_first(const void *left, const void *right)
{
	const struct top_pair *a = left, *b = right;
	int order = COMPARE(top_moved(b)->messages, top_moved(a)->messages);

	if (!order)
		order = COMPARE(asleep(b), asleep(a));
	return order ? order : parties_compare(a, b);
}

static void pairs_sort(struct top_pairs *pairs, int (*compare)(const void *, const void *))
{
	if (pairs->count)
		qsort(pairs->items, pairs->count, sizeof(*pairs->items), compare);
}

static void channels_make(struct arena *arena, const struct meeting *meetings, size_t count,
			  struct top_pairs *pairs)
{
	for (size_t i = 0, end; i < count; i = end) {
		struct top_pair pair;

		for (end = i + 1; end < count && is_same_place(&meetings[i], &meetings[end]); end++)
			;
		if (channel_make(arena, meetings + i, end - i, &pair))
			ARENA_PUSH(arena, pairs->items, pairs->count, pair);
	}
}

struct top_pairs top_join(struct arena *arena, const struct top_end *ends, size_t count)
{
	const struct peers *peers = peers_new(arena, ends, count);
	struct meeting *meetings = arena_array(arena, count ? count : 1, sizeof(*meetings));
	struct top_pairs pairs = {0};

	for (size_t i = 0; i < count; i++)
		meetings[i] = meeting_of(peers, &ends[i]);
	if (count)
		qsort(meetings, count, sizeof(*meetings), meeting_compare);
	channels_make(arena, meetings, count, &pairs);
	pairs_sort(&pairs, parties_compare);
	pairs_merge(&pairs);
	pairs_sort(&pairs, busiest_first);
	return pairs;
}

static int pid_compare(const void *left, const void *right)
{
	const pid_t *a = left, *b = right;

	return COMPARE(*a, *b);
}

static bool is_chosen(const struct top_choice *choice, const struct top_side *side)
{
	for (size_t i = 0; i < side->count; i++) {
		const struct top_member *member = &side->members[i];

		if (choice->pid_count && bsearch(&member->pid, choice->pids, choice->pid_count,
						 sizeof(pid_t), pid_compare))
			return true;
		for (size_t comm = 0; comm < choice->comm_count; comm++)
			if (strncmp(member->comm, choice->comms[comm], TOP_COMM_LEN) == 0)
				return true;
	}
	return false;
}

void top_choose(struct top_pairs *pairs, const struct top_choice *choice)
{
	size_t kept = 0;

	for (size_t i = 0; choice->any && i < pairs->count; i++)
		if (is_chosen(choice, &pairs->items[i].from) ||
		    is_chosen(choice, &pairs->items[i].to))
			pairs->items[kept++] = pairs->items[i];
	if (choice->any)
		pairs->count = kept;
}

const char *top_side_text(const struct top_side *side, bool sends, enum language language,
			  char text[TOP_SIDE_TEXT])
{
	if (side->count == 0)
		snprintf(text, TOP_SIDE_TEXT, "?");
	else if (side->count == 1)
		snprintf(text, TOP_SIDE_TEXT, "%.*s[%d]", TOP_COMM_LEN, side->members->comm,
			 (int)side->members->pid);
	else
		snprintf(text, TOP_SIDE_TEXT,
			 language_say(language, sends ? "%zu senders" : "%zu receivers"),
			 side->count);
	return text;
}
