// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Recognises requests and responses between two processes that alternate. A turn is all that goes
 * one way before something comes back; a turn of `a` and the answering turn of `b` are a round trip
 * if the answer was begun after the request (its first part) had arrived.
 */
#include "viz/account/rows.h"

/* One message in this many may break the alternation. */
#define EXCEPTIONS 10

/* More sends than this, one way, are a stream where the other side spoke only once. */
#define ANSWER_SENDS 8

static bool between_two(const struct account_pair *pair)
{
	return pair->a_side == SIDE_PROCESS && pair->b_side == SIDE_PROCESS && pair->a != pair->b;
}

static int way_of(const struct account_pair *pair, const struct viz_message *message)
{
	return message->from.process == pair->a ? 0 : 1;
}

/* Counts a round trip when the response is over: the asker sends again, or the trace has ended. */
static void end_round(struct account *account, struct pair_row *state)
{
	uint64_t answered_ns = state->ways[1].last_receipt_ns;

	if (!state->asked || state->way != 1 || !state->clean)
		return;
	state->row.round_trips++;
	state->row.asker_slept += state->slept;
	histogram_add(account->arena, &state->row.round_trip, answered_ns - state->asked_ns);
}

/* True if the asker slept in the receiving call itself, or in a poll or the like since it asked. */
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
	state->turn_sends = 0;
	state->turn_last_send = UINT64_MAX;
}

/* Counts the calls that send in a turn; one that is read in several pieces counts once. */
static void count_turn_sends(struct pair_row *state, const struct viz_message *message)
{
	uint64_t send = message->from.operation ? message->from.operation->id : 0;

	state->turn_sends += send != state->turn_last_send;
	state->turn_last_send = send;
	if (state->turn_sends > state->longest_turn)
		state->longest_turn = state->turn_sends;
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
	count_turn_sends(state, message);
	if (message->to.exit_ns > state->ways[way].last_receipt_ns)
		state->ways[way].last_receipt_ns = message->to.exit_ns;
}

void account_pair_message(struct account *account, struct account_route *route,
			  const struct viz_message *message)
{
	struct account_pair *pair = route->pair;
	struct pair_row *state = (struct pair_row *)pair;

	pair->messages++;
	account_count_traffic(&pair->traffic, message);
	pair->bytes += message->bytes;
	account_add_message_call(account->arena, &pair->effort, &state->sends, message, true);
	account_add_message_call(account->arena, &pair->effort, &state->receives, message, false);
	if (between_two(pair) && !message->signal && message->from.timed && message->to.timed &&
	    message->to.exit_ns != VIZ_NEVER)
		follow_turns(account, state, route, message);
}

/*
 * Adds the calls of an end that moved no data between the two; each end once, however many routes
 * it has.
 */
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

/*
 * One exchange alone is no evidence of turns if one side's part was a stream: "ready", then data
 * one way, or data and then "done", take as long as the data comes.
 */
static void forget_stream(struct pair_row *state)
{
	if (state->row.round_trips != 1 || state->longest_turn <= ANSWER_SENDS)
		return;
	state->row.round_trips = state->row.asker_slept = 0;
	state->row.round_trip = (struct histogram){0};
}

void account_pair_finish(struct account *account, struct account_pair *pair)
{
	struct pair_row *state = (struct pair_row *)pair;

	end_round(account, state);
	forget_stream(state);
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
