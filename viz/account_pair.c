// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Requests and responses: two that take turns. All that goes one way without anything coming back
 * is one turn; a turn of `a` and the answering turn of `b` are a round trip, where the answer was
 * begun after the request (its first part) had arrived.
 */
#include "account_internal.h"

/* One turn in so many may break the rule. */
#define EXCEPTIONS 10

static bool between_two(const struct account_pair *pair)
{
	return pair->a_side == SIDE_PROCESS && pair->b_side == SIDE_PROCESS && pair->a != pair->b;
}

static int way_of(const struct account_pair *pair, const struct viz_message *message)
{
	return message->from.process == pair->a ? 0 : 1;
}

/* The answer, as far as it came, is over: the asker speaks again, or the trace has ended. */
static void end_round(struct account *account, struct pair_row *state)
{
	uint64_t answered_ns = state->ways[1].last_receipt_ns;

	if (!state->asked || state->way != 1 || !state->clean)
		return;
	state->row.round_trips++;
	state->row.asker_slept += state->slept;
	histogram_add(account->arena, &state->row.round_trip, answered_ns - state->asked_ns);
}

/* The asker slept in the receiving call itself, or in poll or the like since it has asked. */
static bool slept_for(const struct pair_row *state, const struct account_route *route,
		      const struct viz_message *message)
{
	const struct end_row *end = (const struct end_row *)route->receiver;

	if (message->to.operation && message->to.operation->off_cpu_ns)
		return true;
	return end && account_wakes_within(&end->wakes, state->asked_ns, message->to.exit_ns);
}

static void change_turn(struct account *account, struct pair_row *state,
			const struct account_route *route, const struct viz_message *message,
			int way)
{
	bool clean = message->from.enter_ns >= state->turn_receipt_ns;

	if (way == 0)
		end_round(account, state);
	state->row.turns += state->turn_receipt_ns != 0;
	if (way == 1) {
		state->asked = state->turn_receipt_ns != 0 && state->clean;
		state->asked_ns = state->turn_began_ns;
		state->slept = slept_for(state, route, message);
	}
	state->way = way;
	state->clean = clean;
	state->turn_began_ns = message->from.enter_ns;
	state->turn_receipt_ns = message->to.exit_ns;
}

static void follow_turns(struct account *account, struct pair_row *state,
			 const struct account_route *route, const struct viz_message *message)
{
	int way = way_of(&state->row, message);
	struct pair_way *other = &state->ways[1 - way];

	if (message->from.enter_ns < other->last_receipt_ns && message->match == MATCH_EXACT) {
		state->row.crossed++;
		if (mechanism_info(message->mechanism)->direction == DIRECTION_TWO_WAY)
			route->channel->crossed++;
	}
	if (way != state->way || !state->turn_receipt_ns)
		change_turn(account, state, route, message, way);
	if (message->to.exit_ns > state->ways[way].last_receipt_ns)
		state->ways[way].last_receipt_ns = message->to.exit_ns;
}

void account_pair_message(struct account *account, struct account_route *route,
			  const struct viz_message *message)
{
	struct account_pair *pair = route->pair;
	struct pair_row *state = (struct pair_row *)pair;

	pair->messages++;
	pair->bytes += message->bytes;
	account_add_message_call(&pair->effort, &state->sends, message, true);
	account_add_message_call(&pair->effort, &state->receives, message, false);
	if (between_two(pair) && !message->signal && message->from.timed && message->to.timed &&
	    message->to.exit_ns != VIZ_NEVER)
		follow_turns(account, state, route, message);
}

/* The calls of an end that moved nothing between the two: each end once, however many routes. */
static void add_around(struct pair_row *state, struct account_end *end)
{
	static const enum call_kind kinds[] = {CALL_LOOK, CALL_EMPTY, CALL_WAIT, CALL_UNFINISHED};
	struct end_row *at = (struct end_row *)end;
	struct account_effort *around = &state->row.around;

	if (!end || at->pair_mark == state->row.index + 1)
		return;
	at->pair_mark = state->row.index + 1;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		around->calls[kinds[i]] += end->effort.calls[kinds[i]];
	around->sleeps += end->effort.sleeps;
	around->slept_ns += end->effort.slept_ns;
}

static bool is_back(const struct account_route *route, const struct account_route *other)
{
	const struct account_channel *channel = route->channel;

	return route->from == other->to && route->to == other->from &&
	       (account_has_two_ends(channel->mechanism) || channel == other->channel);
}

static void see_ways(const struct account_pair *pair, struct account_route *route)
{
	struct account_route *first = pair->routes[0];

	if (route->from != route->to && pair->mechanism != MECH_SIGNAL && is_back(route, first))
		route->channel->both_ways = first->channel->both_ways = true;
	route->channel->round_trips += account_alternates(pair) ? pair->round_trips : 0;
	route->channel->asker_slept += account_alternates(pair) ? pair->asker_slept : 0;
}

void account_pair_finish(struct account *account, struct account_pair *pair)
{
	struct pair_row *state = (struct pair_row *)pair;

	end_round(account, state);
	for (size_t i = 0; i < pair->route_count; i++) {
		add_around(state, pair->routes[i]->sender);
		add_around(state, pair->routes[i]->receiver);
		see_ways(pair, pair->routes[i]);
	}
}

bool account_alternates(const struct account_pair *pair)
{
	return pair->round_trips && pair->crossed <= pair->messages / EXCEPTIONS;
}
