// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/account/exchanges.h"

#include <stdlib.h>

#include "viz/base/compare.h"
#include "viz/base/sort.h"
#include "viz/model/unseen.h"

/* Who converse: two sockets or one queue (`by` is MECH_NONE), otherwise two processes. */
struct conversation_key {
	enum mechanism by;
	size_t low, high; /* indices of channels or processes */
};

struct said {
	struct conversation_key key;
	bool back; /* it is sent by the process, or on the socket, that is `high` */
	const struct viz_message *message;
	const struct viz_channel *sent_on, *taken_from;
};

/* What was sent or received on a socket, and the other end is not known. */
struct stray {
	size_t channel;
	uint64_t at_ns;
};

/* The messages from the first one of one way on, before the first one of the other way. */
struct turn {
	const struct said *said;
	size_t count;
	uint64_t began_ns, arrived_ns;
	bool known; /* each message is, and has the two ends of the first one */
};

struct search {
	const struct viz_model *model;
	const struct viz_pairing *pairing;
	struct arena *arena;
	struct said *said;
	size_t said_count;
	struct stray *strays;
	size_t stray_count;
	bool *connects, *accepts; /* by index of the channel */
	uint64_t lost_until_ns;
	struct account_exchanges found;
};

/* --- who said what to whom --- */

static bool by_sockets(enum mechanism mechanism)
{
	return mechanism == MECH_TCP || mechanism == MECH_UDP || mechanism == MECH_UNIX_STREAM ||
	       mechanism == MECH_UNIX_DGRAM || mechanism == MECH_UNIX_SEQPACKET;
}

static bool by_processes(enum mechanism mechanism)
{
	return mechanism == MECH_PIPE || mechanism == MECH_FIFO || mechanism == MECH_POSIX_MQ ||
	       mechanism == MECH_SYSV_MSG;
}

static void add_said(struct search *s, struct said said, size_t from, size_t to)
{
	said.key.low = from < to ? from : to;
	said.key.high = from < to ? to : from;
	said.back = from > to;
	s->said[s->said_count++] = said;
}

static void add_stray(struct search *s, const struct viz_channel *channel, uint64_t at_ns)
{
	if (channel)
		s->strays[s->stray_count++] = (struct stray){channel->index, at_ns};
}

/* False if it is no message between two ends of a kind that processes converse by. */
static bool add_talk(struct search *s, const struct viz_message *m, const struct viz_channel *from,
		     const struct viz_channel *to)
{
	struct said said = {.message = m, .sent_on = from, .taken_from = to};

	if (!m->from.process || !m->to.process || m->from.process == m->to.process)
		return false;
	if (by_sockets(m->mechanism) && from != to) {
		add_said(s, said, from->index, to->index);
		return true;
	}
	if (!by_processes(m->mechanism) || from != to)
		return false;
	said.key.by = m->mechanism;
	add_said(s, said, m->from.process->index, m->to.process->index);
	return true;
}

static void add_message(struct search *s, const struct viz_message *m)
{
	const struct viz_operation *send = m->from.operation, *receive = m->to.operation;
	const struct viz_channel *from = send ? viz_operation_sink(send) : NULL;
	const struct viz_channel *to = receive ? viz_operation_source(receive) : NULL;
	uint64_t at_ns = m->from.timed ? m->from.enter_ns : m->to.exit_ns;

	if (from && to && add_talk(s, m, from, to))
		return;
	add_stray(s, from, at_ns);
	if (m->channel != from)
		add_stray(s, m->channel, at_ns);
}

static int in_order(const void *a, const void *b)
{
	const struct said *x = a, *y = b;

	return COMPARE(x->key.by, y->key.by)
		       ?: COMPARE(x->key.low, y->key.low)
		       ?: COMPARE(x->key.high, y->key.high)
		       ?: COMPARE(x->message->from.enter_ns, y->message->from.enter_ns)
		       ?: COMPARE(x->message->id, y->message->id);
}

static int by_channel_and_time(const void *a, const void *b)
{
	const struct stray *x = a, *y = b;

	return COMPARE(x->channel, y->channel) ?: COMPARE(x->at_ns, y->at_ns);
}

static bool same_key(const struct conversation_key *a, const struct conversation_key *b)
{
	return a->by == b->by && a->low == b->low && a->high == b->high;
}

static void collect(struct search *s)
{
	size_t count = s->pairing->message_count;

	s->said = memory_array(count + 1, sizeof(*s->said));
	s->strays = memory_array(2 * count + 1, sizeof(*s->strays));
	for (size_t i = 0; i < count; i++)
		if (!s->pairing->messages[i]->signal)
			add_message(s, s->pairing->messages[i]);
	sort_nearly(s->said, s->said_count, sizeof(*s->said), in_order);
	sort_nearly(s->strays, s->stray_count, sizeof(*s->strays), by_channel_and_time);
}

static void note_connections(struct search *s)
{
	s->connects = memory_array(s->model->channel_count + 1, sizeof(*s->connects));
	s->accepts = memory_array(s->model->channel_count + 1, sizeof(*s->accepts));
	for (size_t i = 0; i < s->pairing->connection_count; i++) {
		const struct viz_connection *c = s->pairing->connections[i];

		if (c->client)
			s->connects[c->client->index] = true;
		if (c->server)
			s->accepts[c->server->index] = true;
	}
}

/* --- turns --- */

static bool is_known(const struct viz_message *m, const struct viz_message *first)
{
	return m->match == MATCH_EXACT && m->fate == FATE_NONE && !m->copy &&
	       m->to.exit_ns != VIZ_NEVER && m->from.process == first->from.process &&
	       m->to.process == first->to.process;
}

static struct turn turn_at(const struct said *said, size_t most)
{
	struct turn turn = {.said = said, .began_ns = said->message->from.enter_ns, .known = true};

	for (; turn.count < most && said[turn.count].back == said->back; turn.count++) {
		const struct viz_message *m = said[turn.count].message;

		turn.known &= is_known(m, said->message);
		if (m->to.exit_ns > turn.arrived_ns)
			turn.arrived_ns = m->to.exit_ns;
	}
	return turn;
}

/* True if the second one was begun after all of the first one had arrived; NULL: there is none. */
static bool follows(const struct turn *first, const struct turn *second)
{
	return !first || !second || second->began_ns >= first->arrived_ns;
}

static bool is_back(const struct turn *request, const struct turn *response)
{
	const struct viz_message *asked = request->said->message;
	const struct viz_message *answer = response->said->message;

	return answer->from.process == asked->to.process &&
	       answer->to.process == asked->from.process;
}

/* --- what may be missing between a request and its response --- */

static bool has_stray(const struct search *s, const struct viz_channel *channel, uint64_t from_ns,
		      uint64_t to_ns)
{
	size_t low = 0, high = s->stray_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct stray *stray = &s->strays[middle];

		if (stray->channel < channel->index ||
		    (stray->channel == channel->index && stray->at_ns < from_ns))
			low = middle + 1;
		else
			high = middle;
	}
	return low < s->stray_count && s->strays[low].channel == channel->index &&
	       s->strays[low].at_ns <= to_ns;
}

static bool is_unseen(const struct search *s, const struct viz_channel *channel, uint64_t until_ns)
{
	return unseen_channel_ns(s->model, channel) <= until_ns;
}

static bool is_whole(const struct search *s, const struct turn *request,
		     const struct turn *response)
{
	const struct viz_channel *const ends[] = {request->said->sent_on, request->said->taken_from,
						  response->said->sent_on,
						  response->said->taken_from};

	if (request->began_ns < s->lost_until_ns || s->lost_until_ns == VIZ_NEVER)
		return false;
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (is_unseen(s, ends[i], response->arrived_ns) ||
		    has_stray(s, ends[i], request->began_ns, response->arrived_ns))
			return false;
	return true;
}

/* --- conversations --- */

/*
 * Two processes converse by one object each way. It is the same one only if that is a System V
 * queue, whose types tell apart what is for whom.
 */
static bool is_one_object_a_way(const struct said *said, size_t count)
{
	const struct viz_channel *ways[2] = {NULL, NULL};

	if (said->key.by == MECH_NONE)
		return true;
	for (size_t i = 0; i < count; i++) {
		const struct viz_channel **way = &ways[said[i].back];

		if (*way && *way != said[i].sent_on)
			return false;
		*way = said[i].sent_on;
	}
	return ways[0] && ways[1] && (ways[0] != ways[1] || said->key.by == MECH_SYSV_MSG);
}

/*
 * True if the trace has the conversation from its first message on: it saw one of the two sockets
 * made, or one of the two processes born, and lost no record.
 */
static bool is_from_start(const struct search *s, const struct said *first)
{
	const struct viz_message *m = first->message;

	if (s->lost_until_ns)
		return false;
	if (first->key.by == MECH_NONE)
		return first->sent_on->created_in_trace || first->taken_from->created_in_trace;
	return !m->from.process->before_trace || !m->to.process->before_trace;
}

/* Whether it is `high` who asks; false: nobody knows. */
static bool find_asker(const struct search *s, const struct said *first, bool *back)
{
	const struct viz_channel *from = first->sent_on, *to = first->taken_from;

	*back = first->back;
	if (s->connects[from->index] || s->accepts[to->index])
		return true;
	*back = !first->back;
	if (s->connects[to->index] || s->accepts[from->index])
		return true;
	*back = first->back;
	return is_from_start(s, first);
}

static void add_exchange(struct search *s, const struct turn *request, const struct turn *response)
{
	struct account_exchange exchange = {.request_count = request->count,
					    .count = request->count + response->count};

	exchange.messages = arena_array(s->arena, exchange.count, sizeof(*exchange.messages));
	for (size_t i = 0; i < exchange.count; i++)
		exchange.messages[i] = i < request->count
					       ? request->said[i].message
					       : response->said[i - request->count].message;
	ARENA_PUSH(s->arena, s->found.items, s->found.count, exchange);
}

/* `turns`: the one before (NULL: none), the request, the response, the one behind (NULL: none). */
static void look_at(struct search *s, const struct turn *const turns[4], bool asker)
{
	const struct turn *request = turns[1], *response = turns[2];

	if (request->said->back == asker && request->known && response->known &&
	    is_back(request, response) && follows(turns[0], request) &&
	    follows(request, response) && follows(response, turns[3]) &&
	    is_whole(s, request, response))
		add_exchange(s, request, response);
}

static void look_through(struct search *s, const struct said *said, size_t count)
{
	struct turn turns[4] = {{0}};
	size_t at = 0, seen = 0;
	bool asker;

	if (!is_one_object_a_way(said, count) || !find_asker(s, said, &asker))
		return;
	while (seen == 0 || turns[3].count || turns[2].count) {
		for (size_t i = 0; i < 3; i++)
			turns[i] = turns[i + 1];
		turns[3] = at < count ? turn_at(said + at, count - at) : (struct turn){0};
		at += turns[3].count;
		seen++;
		if (turns[1].count && turns[2].count)
			look_at(s,
				(const struct turn *const[]){turns[0].count ? &turns[0] : NULL,
							     &turns[1], &turns[2],
							     turns[3].count ? &turns[3] : NULL},
				asker);
	}
}

struct account_exchanges account_find_exchanges(const struct viz_model *model,
						const struct viz_pairing *pairing,
						struct arena *arena)
{
	struct search s = {.model = model, .pairing = pairing, .arena = arena};

	if (viz_model_lacks_records(model))
		s.lost_until_ns = viz_model_lost_until_ns(model);
	collect(&s);
	note_connections(&s);
	for (size_t i = 0, next; i < s.said_count; i = next) {
		next = i + 1;
		while (next < s.said_count && same_key(&s.said[i].key, &s.said[next].key))
			next++;
		look_through(&s, s.said + i, next - i);
	}
	free(s.said);
	free(s.strays);
	free(s.connects);
	free(s.accepts);
	return s.found;
}
