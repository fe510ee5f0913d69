// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/merge/survey.h"

#include <stdlib.h>

#define POINTS_MOST 2048	 /* of one direction; then every second one is left out */
#define BUFFERED_MOST (1U << 25) /* more than two sockets hold between them */

/*
 * Sent: the byte at `place` was sent at `ns` or later. Received: all bytes before `place` had been
 * received by `ns`. Both stay true where points between them are left out.
 */
struct point {
	uint64_t place; /* sequence number, counted on beyond 2^32 */
	uint64_t ns;
};

struct points {
	struct point *items;
	size_t count, capacity;
	uint64_t last;	     /* place of the last one that came; 0: none came */
	size_t step, passed; /* only each `step`-th is kept; `passed` came since */
};

struct numbers {
	bool told;  /* the trace has both */
	bool known; /* and they are those of a connection */
	uint32_t write, copied;
};

struct tcp_socket {
	struct viz_bytes local, peer; /* addresses */
	struct numbers first;	      /* where it stood when it was first seen */
	bool born;		      /* the connection was made in the trace */
	bool again;		      /* and more than one was */
	struct points sent, received;
	struct tcp_socket *next; /* of the survey */
};

struct survey {
	struct arena *arena;
	struct map by_id;      /* id of the channel */
	struct map by_numbers; /* first numbers, as text of 8 bytes */
	struct map by_address; /* local and peer address; the value `several` where two had them */
	struct tcp_socket *all;
	struct tcp_socket several;
};

struct survey *survey_new(void)
{
	struct survey *survey = memory_new(sizeof(*survey));

	survey->arena = arena_new();
	return survey;
}

void survey_free(struct survey *survey)
{
	if (!survey)
		return;
	for (struct tcp_socket *socket = survey->all; socket; socket = socket->next) {
		free(socket->sent.items);
		free(socket->received.items);
	}
	arena_free(survey->arena);
	free(survey);
}

/* --- points --- */

static void thin_out(struct points *points)
{
	size_t kept = 0;

	for (size_t i = 0; i < points->count; i += 2)
		points->items[kept++] = points->items[i];
	points->count = kept;
	points->step *= 2;
}

/* Only what goes forward is kept: calls of several threads may end in another order. */
static void add_point(struct points *points, uint32_t number, uint64_t ns)
{
	uint64_t place = points->last ? points->last +
						(uint64_t)(int32_t)(number - (uint32_t)points->last)
				      : ((uint64_t)1 << 32) + number;

	if (points->last && (int64_t)(place - points->last) <= 0)
		return;
	points->last = place;
	points->step += !points->step;
	if (points->passed++ % points->step)
		return;
	if (points->count == POINTS_MOST)
		thin_out(points);
	LIST_PUSH(points, ((struct point){place, ns}));
}

/* --- what the lines say --- */

static struct tcp_socket *socket_of(struct survey *survey, struct viz_bytes id)
{
	return id.data ? map_get(&survey->by_id, id) : NULL;
}

static struct viz_bytes address_key(struct arena *arena, struct viz_bytes own,
				    struct viz_bytes other)
{
	char *key = arena_alloc(arena, own.len + other.len + 2);

	memcpy(key, own.data, own.len);
	memcpy(key + own.len + 1, other.data, other.len);
	return (struct viz_bytes){key, own.len + other.len + 1};
}

static void enter_addresses(struct survey *survey, struct tcp_socket *socket)
{
	struct viz_bytes key = address_key(survey->arena, socket->local, socket->peer);
	bool taken = map_get(&survey->by_address, key) != NULL;

	map_put(survey->arena, &survey->by_address, key, taken ? &survey->several : socket);
}

static void take_channel(struct survey *survey, const struct trace_input *input)
{
	struct viz_bytes id = INPUT_VALUE(input, channel, id)->bytes;
	struct viz_bytes local = INPUT_VALUE(input, channel, local_address)->bytes;
	struct viz_bytes peer = INPUT_VALUE(input, channel, peer_address)->bytes;
	struct tcp_socket *socket = socket_of(survey, id);

	if (INPUT_VALUE(input, channel, mechanism)->number != MECH_TCP)
		return;
	if (!socket) {
		socket = arena_alloc(survey->arena, sizeof(*socket));
		socket->next = survey->all;
		survey->all = socket;
		map_put(survey->arena, &survey->by_id, id, socket);
	}
	if (!local.len || !peer.len ||
	    (viz_bytes_equal(socket->local, local) && viz_bytes_equal(socket->peer, peer)))
		return;
	socket->local = arena_bytes(survey->arena, local.data, local.len);
	socket->peer = arena_bytes(survey->arena, peer.data, peer.len);
	enter_addresses(survey, socket);
}

/* A number that is left out is the one that `number` has already, if that was `told` before. */
static bool number_of(const struct trace_value *value, const char *key, bool told, uint32_t *number)
{
	const struct json_node *node = value->present ? json_member(value->json, key) : NULL;
	uint64_t wide;

	if (!node)
		return value->present && told;
	if (!reader_uint(node, &wide) || wide > UINT32_MAX)
		return false;
	*number = (uint32_t)wide;
	return true;
}

/* Before a socket is connected its numbers are 0. `before`: at_entry of the same line, or NULL. */
static struct numbers numbers_of(const struct trace_value *value, const struct numbers *before)
{
	struct numbers n = before ? *before : (struct numbers){0};
	const bool told = n.told;

	n.told = number_of(value, "write_seq", told, &n.write) &&
		 number_of(value, "copied_seq", told, &n.copied);
	n.known = n.told && n.write && n.copied;
	return n;
}

static struct viz_bytes numbers_key(const struct numbers *n, bool mirrored, uint32_t words[2])
{
	words[0] = mirrored ? n->copied : n->write;
	words[1] = mirrored ? n->write : n->copied;
	return (struct viz_bytes){(const char *)words, 2 * sizeof(*words)};
}

static void note_first(struct survey *survey, struct tcp_socket *socket, struct numbers n)
{
	uint32_t words[2];

	if (socket->first.known || !n.known)
		return;
	socket->first = n;
	map_put(survey->arena, &survey->by_numbers, numbers_key(&n, false, words), socket);
}

/* A connection is made: connect(2) sent a number of its own, which accept(2) shows was received. */
static void take_beginning(struct survey *survey, struct tcp_socket *socket,
			   const struct trace_input *input, bool connects)
{
	struct numbers entry = numbers_of(INPUT_VALUE(input, operation, at_entry), NULL);
	struct numbers n = numbers_of(INPUT_VALUE(input, operation, at_exit), &entry);

	if (!n.known)
		return;
	socket->again |= socket->first.known &&
			 (socket->first.write != n.write || socket->first.copied != n.copied);
	socket->born = true;
	note_first(survey, socket, n);
	if (connects)
		add_point(&socket->sent, n.write - 1,
			  INPUT_VALUE(input, operation, enter_ns)->number);
	else
		add_point(&socket->received, n.copied,
			  INPUT_VALUE(input, operation, exit_ns)->number);
}

static struct viz_bytes accepted_of(const struct trace_input *input)
{
	const struct trace_value *fds = INPUT_VALUE(input, operation, new_fds);
	const struct json_node *first = fds->present ? json_first(fds->json) : NULL;

	return json_string(json_member(first, "channel"));
}

static void take_transfer(struct survey *survey, struct tcp_socket *socket,
			  const struct trace_input *input, enum role role)
{
	struct numbers entry = numbers_of(INPUT_VALUE(input, operation, at_entry), NULL);
	struct numbers leave = numbers_of(INPUT_VALUE(input, operation, at_exit), &entry);

	note_first(survey, socket, entry);
	if (INPUT_VALUE(input, operation, returned)->integer <= 0)
		return;
	if (role == ROLE_SEND && entry.known)
		add_point(&socket->sent, entry.write,
			  INPUT_VALUE(input, operation, enter_ns)->number);
	if (role == ROLE_RECEIVE && leave.known)
		add_point(&socket->received, leave.copied,
			  INPUT_VALUE(input, operation, exit_ns)->number);
}

static void take_operation(struct survey *survey, const struct trace_input *input)
{
	enum role role = (enum role)INPUT_VALUE(input, operation, role)->number;
	struct tcp_socket *accepted, *socket;

	if (!INPUT_VALUE(input, operation, exit_ns)->present ||
	    INPUT_VALUE(input, operation, entered_before)->present)
		return;
	socket = socket_of(survey, INPUT_VALUE(input, operation, channel)->bytes);
	if (role == ROLE_SEND || role == ROLE_RECEIVE) {
		if (socket)
			take_transfer(survey, socket, input, role);
		return;
	}
	if (role != ROLE_OPEN || !INPUT_VALUE(input, operation, at_exit)->present)
		return;
	accepted = socket_of(survey, accepted_of(input));
	if (accepted)
		take_beginning(survey, accepted, input, false);
	else if (socket)
		take_beginning(survey, socket, input, true);
}

void survey_take(struct survey *survey, const struct trace_input *input)
{
	if (input->line->record == RECORD_channel)
		take_channel(survey, input);
	else if (input->line->record == RECORD_operation)
		take_operation(survey, input);
}

/* --- connections --- */

static bool is_near(uint32_t a, uint32_t b)
{
	return a - b + BUFFERED_MOST < 2 * BUFFERED_MOST;
}

static bool may_be_ends(const struct tcp_socket *a, const struct tcp_socket *b)
{
	if (a->again || b->again || (a->born && b->born) || !a->first.known || !b->first.known)
		return false;
	return is_near(a->first.write, b->first.copied) && is_near(b->first.write, a->first.copied);
}

/* The other end of a socket in another trace; NULL: it has none there, or that cannot be told. */
static struct tcp_socket *other_end(const struct survey *survey, const struct tcp_socket *socket,
				    struct arena *scratch)
{
	struct tcp_socket *other = NULL;
	uint32_t words[2];

	if (socket->again || !socket->first.known)
		return NULL;
	other = map_get(&survey->by_numbers, numbers_key(&socket->first, true, words));
	if (other)
		return other->again ? NULL : other;
	if (!socket->local.len)
		return NULL;
	other = map_get(&survey->by_address, address_key(scratch, socket->peer, socket->local));
	return other && other != &survey->several && may_be_ends(socket, other) ? other : NULL;
}

typedef void enter_fn(struct clock_bounds *bounds, uint64_t sent_ns, uint64_t received_ns);

/* Both ends count on beyond 2^32 from where they began; `by` is what the receiver's lack. */
static void join(const struct points *sent, const struct points *received,
		 struct clock_bounds *bounds, enter_fn *enter)
{
	uint64_t by;
	size_t at = 0;

	if (!sent->count || !received->count)
		return;
	by = sent->items[0].place +
	     (uint64_t)(int32_t)((uint32_t)received->items[0].place -
				 (uint32_t)sent->items[0].place) -
	     received->items[0].place;
	for (size_t i = 0; i < received->count; i++) {
		uint64_t last = received->items[i].place + by - 1;

		while (at + 1 < sent->count && sent->items[at + 1].place <= last)
			at++;
		if (sent->items[at].place <= last)
			enter(bounds, sent->items[at].ns, received->items[i].ns);
	}
}

size_t survey_meet(const struct survey *base, const struct survey *clock,
		   struct clock_bounds *bounds)
{
	struct arena *scratch = arena_new();
	size_t count = 0;

	for (const struct tcp_socket *socket = base->all; socket; socket = socket->next) {
		const struct tcp_socket *other = other_end(clock, socket, scratch);

		if (!other)
			continue;
		count++;
		if (!bounds)
			continue;
		join(&socket->sent, &other->received, bounds, clock_bounds_least);
		join(&other->sent, &socket->received, bounds, clock_bounds_most);
	}
	arena_free(scratch);
	return count;
}
