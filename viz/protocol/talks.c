// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which protocol each connection speaks, and the words of its messages. */
#include "viz/protocol/talks.h"

#include <stdio.h>
#include <stdlib.h>

#include "viz/base/memory.h"
#include "viz/base/safe_text.h"
#include "viz/model/operation_facts.h"
#include "viz/protocol/protocol.h"

static const struct protocol *const protocols[] = {
#define PROTOCOL(id, name) &protocol_##id,
#include "viz/protocol/protocols.def"
#undef PROTOCOL
};

enum { PROTOCOLS = sizeof(protocols) / sizeof(*protocols) };

/* In `spoken` of an operation: the number of its protocol from 1 on, and who sent its bytes. */
enum { SPOKEN_BY_ANSWERER = 0x80, SPOKEN_NUMBER = 0x7f };
_Static_assert((int)PROTOCOLS <= (int)SPOKEN_NUMBER, "protocols.def");

/* How this end of a connection came to be. */
enum talk_end { END_UNKNOWN, END_CONNECTED, END_ACCEPTED };

struct protocol_talk {
	unsigned char protocol; /* its number from 1 on; 0: none was found yet */
	unsigned char end;	/* enum talk_end */
	unsigned char state;	/* the protocol's own */
	bool asks;		/* this end, or whoever sends into this pipe, is the asker */
	bool moved;		/* something was moved already */
};

static struct protocol_talk *talk_of(struct protocol_talks *talks,
				     const struct viz_channel *channel)
{
	size_t wanted = channel->index + 1, count = talks->count ? talks->count : 64;
	struct protocol_talk *grown;

	if (wanted <= talks->count)
		return &talks->items[channel->index];
	while (count < wanted)
		count *= 2;
	grown = memory_new(count * sizeof(*grown));
	if (talks->count)
		memcpy(grown, talks->items, talks->count * sizeof(*grown));
	free(talks->items);
	*talks = (struct protocol_talks){grown, count};
	return &grown[channel->index];
}

void protocol_talks_free(struct protocol_talks *talks)
{
	free(talks->items);
	*talks = (struct protocol_talks){0};
}

static bool is_stream(const struct viz_channel *channel)
{
	return channel_is_pipe(channel) || channel->mechanism == MECH_UNIX_STREAM ||
	       channel->mechanism == MECH_TCP;
}

/* The channel that the call moved bytes through, if its words can be told; else NULL. */
static const struct viz_channel *channel_of(const struct viz_operation *op)
{
	if ((op->role != ROLE_SEND && op->role != ROLE_RECEIVE) || !op->channel ||
	    !is_stream(op->channel) || operation_only_looks(op))
		return NULL;
	return operation_stream_bytes(op) ? op->channel : NULL;
}

static struct protocol_view view_of(const struct viz_operation *op)
{
	uint64_t total = operation_stream_bytes(op);

	return (struct protocol_view){
		.data = (const unsigned char *)op->payload.data,
		.len = op->payload.len < total ? op->payload.len : (size_t)total,
		.total = total,
		.mechanism = op->channel->mechanism,
	};
}

/*
 * An accepted socket serves and a connected one asks, so that a greeting of the one who connected,
 * or a request by the one who accepted, opens nothing.
 */
static bool fits_end(const struct protocol_talk *talk)
{
	return talk->end == END_UNKNOWN || talk->asks == (talk->end == END_CONNECTED);
}

/* Finds the protocol that these bytes open. `ours`: this end sent them. */
static void open_talk(struct protocol_talk *talk, const struct protocol_view *view, bool ours)
{
	for (size_t i = 0; i < PROTOCOLS && !talk->protocol; i++) {
		enum protocol_side side = protocols[i]->opens(view, &talk->state);

		if (side == PROTOCOL_UNKNOWN)
			continue;
		talk->asks = ours == (side == PROTOCOL_ASKER);
		if (!fits_end(talk))
			continue;
		talk->protocol = (unsigned char)(i + 1);
		talk->state = 0;
	}
}

static void hear_bytes(struct protocol_talk *talk, const struct viz_operation *op,
		       const struct viz_channel *channel)
{
	struct viz_operation *heard = (struct viz_operation *)op;
	struct protocol_words words = {0};
	struct protocol_view view = view_of(op);
	bool ours = channel_is_pipe(channel) || op->role == ROLE_SEND;
	const struct protocol *protocol;

	view.first = !talk->moved && channel->created_in_trace;
	if (!talk->protocol)
		open_talk(talk, &view, ours);
	if (!talk->protocol)
		return;
	protocol = protocols[talk->protocol - 1];
	view.by = ours == talk->asks ? PROTOCOL_ASKER : PROTOCOL_ANSWERER;
	if ((!protocol->admits || protocol->admits(&view, &talk->state)) &&
	    protocol->says(&view, &words) && words.len)
		heard->spoken = talk->protocol |
				(view.by == PROTOCOL_ANSWERER ? SPOKEN_BY_ANSWERER : 0);
}

/* Notes which sockets were connected and which accepted. */
static void note_ends(struct protocol_talks *talks, const struct viz_operation *op)
{
	if (operation_is(op, "connect") && op->channel)
		talk_of(talks, op->channel)->end = END_CONNECTED;
	if (!operation_is(op, "accept") && !operation_is(op, "accept4"))
		return;
	for (size_t i = 0; i < op->extra->new_fds_count; i++)
		talk_of(talks, op->extra->new_fds[i].channel)->end = END_ACCEPTED;
}

void protocol_hear(struct protocol_talks *talks, const struct viz_operation *op)
{
	const struct viz_channel *channel = channel_of(op);
	struct protocol_talk *talk;

	if (!channel) {
		if (op->role != ROLE_SEND && op->role != ROLE_RECEIVE)
			note_ends(talks, op);
		return;
	}
	talk = talk_of(talks, channel);
	if (op->payload.len)
		hear_bytes(talk, op, channel);
	talk->moved = true;
}

/* --- the calls of a model in the order of their return --- */

/* Calls that have begun, as a heap: the one that returned first is items[0]. */
struct running {
	const struct viz_operation **items;
	size_t count, capacity;
};

static bool returns_before(const struct viz_operation *a, const struct viz_operation *b)
{
	return a->exit_ns != b->exit_ns ? a->exit_ns < b->exit_ns : a->id < b->id;
}

static void running_put(struct running *running, const struct viz_operation *op)
{
	size_t at;

	LIST_PUSH(running, op);
	for (at = running->count - 1; at && returns_before(op, running->items[(at - 1) / 2]);
	     at = (at - 1) / 2)
		running->items[at] = running->items[(at - 1) / 2];
	running->items[at] = op;
}

static const struct viz_operation *running_take(struct running *running)
{
	const struct viz_operation *first = running->items[0];
	const struct viz_operation *last = running->items[--running->count];
	size_t at = 0, child;

	while ((child = 2 * at + 1) < running->count) {
		if (child + 1 < running->count &&
		    returns_before(running->items[child + 1], running->items[child]))
			child++;
		if (!returns_before(running->items[child], last))
			break;
		running->items[at] = running->items[child];
		at = child;
	}
	running->items[at] = last;
	return first;
}

/* The model's calls are in the order of their begin, and few run at one time. */
void protocol_hear_all(const struct viz_model *model)
{
	struct protocol_talks talks = {0};
	struct running running = {0};

	for (size_t i = 0; i < model->operation_count; i++) {
		const struct viz_operation *op = model->operations[i];

		while (running.count && running.items[0]->exit_ns <= op->enter_ns)
			protocol_hear(&talks, running_take(&running));
		if (viz_operation_done(op))
			running_put(&running, op);
	}
	while (running.count)
		protocol_hear(&talks, running_take(&running));
	free(running.items);
	protocol_talks_free(&talks);
}

/* --- the words --- */

/*
 * The call whose first bytes are the message's: its send, or the receive where no send is known.
 * NULL: it begins in the middle of the send, or neither call has words.
 */
static const struct viz_operation *speaker(const struct viz_message *m)
{
	const struct viz_operation *sent = m->from.operation, *received = m->to.operation;

	if (m->signal || m->echo || (sent && m->from.offset))
		return NULL;
	if (sent && sent->spoken)
		return sent;
	return received && received->spoken && !m->to.offset ? received : NULL;
}

/* What a dissector says, where no protocol of ours has words. */
static char *said_words(const struct viz_message *message, const char **protocol)
{
	if (!message->said)
		return NULL;
	*protocol = message->said->protocol;
	return memory_format("%s", message->said->summary);
}

char *protocol_summary(const struct viz_message *message, const char **protocol)
{
	const struct viz_operation *op = speaker(message);
	struct protocol_words words = {0};
	const struct protocol *spoken;
	struct protocol_view view;

	if (!op)
		return said_words(message, protocol);
	spoken = protocols[(op->spoken & SPOKEN_NUMBER) - 1];
	view = view_of(op);
	view.by = op->spoken & SPOKEN_BY_ANSWERER ? PROTOCOL_ANSWERER : PROTOCOL_ASKER;
	if (!spoken->says(&view, &words))
		return said_words(message, protocol);
	if (words.more && !words.cut) {
		protocol_put_text(&words, ", ");
		words.cut = true;
	}
	*protocol = spoken->name;
	return scene_unquoted(words.bytes, words.len, words.len + words.cut);
}
