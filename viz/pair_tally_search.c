// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The search for the orders in which calls on a counter can have acted. A state is how far each
 * thread has come; what the counter holds follows from that. One layer of states for each call that
 * acted. What survives from the first layer to the last is possible, all else is not.
 */
#include <string.h>

#include "pair_tally.h"

#define THREADS_MAX 16
#define STATES_MAX 256	  /* of a layer */
#define STEPS_MAX 1000000 /* of a search */

struct state {
	uint32_t done[THREADS_MAX];
	uint64_t count;
	const struct tally_event *next_take; /* of all ways from here; NULL: there is none */
	bool alive;
	bool several; /* not the same one on all of them */
};

struct step {
	uint32_t from, to;
	struct tally_event *event;
};

struct layer {
	struct state *states;
	size_t count;
	struct step *steps; /* that lead here */
	size_t step_count;
};

struct search {
	struct arena *arena;
	struct tally_event **of[THREADS_MAX];
	size_t counts[THREADS_MAX];
	size_t threads;
	struct layer *layers;
	size_t acts;
	size_t steps;
	bool overflow;
};

static bool sort_threads(struct search *search, struct tally_cluster *cluster)
{
	for (size_t i = 0; i < cluster->count; i++) {
		struct tally_event *event = &cluster->events[i];
		size_t t = 0;

		while (t < search->threads &&
		       search->of[t][0]->item->op->thread != event->item->op->thread)
			t++;
		if (t == THREADS_MAX) {
			search->overflow = true;
			return false;
		}
		search->threads += t == search->threads;
		ARENA_PUSH(search->arena, search->of[t], search->counts[t], event);
		search->acts += event->kind != TALLY_LOOK;
	}
	return true;
}

static struct tally_event *next_of(const struct search *search, const struct state *state,
				   size_t thread)
{
	return state->done[thread] < search->counts[thread]
		       ? search->of[thread][state->done[thread]]
		       : NULL;
}

/* It is the thread's next, no other thread's next was over before, and the count allows it. */
static bool may_follow(const struct search *search, const struct state *state, size_t thread)
{
	const struct tally_event *event = next_of(search, state, thread);

	if (!event || (event->kind != TALLY_ADD && event->count != state->count))
		return false;
	for (size_t t = 0; t < search->threads; t++) {
		const struct tally_event *other = next_of(search, state, t);

		if (t != thread && other && other->hi_ns < event->lo_ns)
			return false;
	}
	return true;
}

/* A look changes nothing: one that may come now need not come later. */
static void take_looks(const struct search *search, struct state *state)
{
	for (size_t t = 0; t < search->threads; t++) {
		const struct tally_event *event = next_of(search, state, t);

		if (!event || event->kind != TALLY_LOOK || !may_follow(search, state, t))
			continue;
		state->done[t]++;
		t = (size_t)-1; /* others may follow now */
	}
}

static bool same_state(const struct search *search, const struct state *a, const struct state *b)
{
	return memcmp(a->done, b->done, search->threads * sizeof(*a->done)) == 0;
}

static bool add_step(struct search *search, struct layer *next, size_t from, size_t thread)
{
	struct state reached = next[-1].states[from];
	struct tally_event *event = next_of(search, &reached, thread);
	struct step step = {.from = (uint32_t)from, .event = event};
	size_t to = 0;

	reached.done[thread]++;
	reached.count = event->kind == TALLY_ADD ? reached.count + event->count : 0;
	take_looks(search, &reached);
	while (to < next->count && !same_state(search, &next->states[to], &reached))
		to++;
	if (to == STATES_MAX || ++search->steps > STEPS_MAX) {
		search->overflow = true;
		return false;
	}
	if (to == next->count)
		ARENA_PUSH(search->arena, next->states, next->count, reached);
	step.to = (uint32_t)to;
	ARENA_PUSH(search->arena, next->steps, next->step_count, step);
	return true;
}

static bool extend(struct search *search, struct layer *next)
{
	for (size_t from = 0; from < next[-1].count; from++)
		for (size_t t = 0; t < search->threads; t++) {
			const struct state *state = &next[-1].states[from];
			const struct tally_event *event = next_of(search, state, t);

			if (event && event->kind != TALLY_LOOK && may_follow(search, state, t) &&
			    !add_step(search, next, from, t))
				return false;
		}
	return next->count > 0;
}

/* All that was to be done has been, looks too. */
static bool is_done(const struct search *search, const struct state *state)
{
	for (size_t t = 0; t < search->threads; t++)
		if (state->done[t] < search->counts[t])
			return false;
	return true;
}

/* Adds to what is known of a state that this step leads on from it. */
static void note_way(struct state *state, const struct tally_event *take, bool several)
{
	state->several |= several || (state->alive && state->next_take != take);
	state->next_take = take;
	state->alive = true;
}

/* From the last layer back: what leads to the end, and which read comes next on the way. */
static bool keep_alive(struct search *search)
{
	struct layer *last = &search->layers[search->acts];

	for (size_t i = 0; i < last->count; i++)
		last->states[i].alive = is_done(search, &last->states[i]);
	for (size_t k = search->acts; k > 0; k--)
		for (size_t i = 0; i < search->layers[k].step_count; i++) {
			const struct step *step = &search->layers[k].steps[i];
			const struct state *to = &search->layers[k].states[step->to];
			struct state *from = &search->layers[k - 1].states[step->from];

			if (!to->alive)
				continue;
			if (step->event->kind == TALLY_TAKE)
				note_way(from, step->event, false);
			else
				note_way(from, to->next_take, to->several);
		}
	return search->layers[0].states[0].alive;
}

/* An addition that different reads can have taken. */
static void note_takers(const struct search *search)
{
	for (size_t k = 1; k <= search->acts; k++)
		for (size_t i = 0; i < search->layers[k].step_count; i++) {
			const struct step *step = &search->layers[k].steps[i];
			const struct state *to = &search->layers[k].states[step->to];
			struct flow_item *taker = to->next_take ? to->next_take->item : NULL;
			struct tally_event *event = step->event;

			if (!to->alive || !search->layers[k - 1].states[step->from].alive)
				continue;
			event->several |= to->several ||
					  (event->item->placed && event->taker != taker);
			event->taker = taker;
			event->item->placed = true;
		}
}

/* The likeliest way: who had to be over first was first. */
static const struct step *best_step(const struct layer *layer, uint32_t from)
{
	const struct step *best = NULL;

	for (size_t i = 0; i < layer->step_count; i++) {
		const struct step *step = &layer->steps[i];

		if (step->from == from && layer->states[step->to].alive &&
		    (!best || step->event->hi_ns < best->event->hi_ns))
			best = step;
	}
	return best;
}

static void follow_path(const struct search *search, struct tally_cluster *cluster)
{
	struct tally_event **open = arena_array(search->arena, search->acts, sizeof(*open));
	size_t open_count = 0;
	uint32_t at = 0;

	for (size_t k = 1; k <= search->acts; k++) {
		const struct step *step = best_step(&search->layers[k], at);

		at = step->to;
		if (step->event->kind == TALLY_ADD) {
			step->event->taker = NULL;
			open[open_count++] = step->event;
			continue;
		}
		while (open_count)
			open[--open_count]->taker = step->event->item;
		ARENA_PUSH(search->arena, cluster->takes, cluster->take_count, step->event->item);
	}
}

static bool lay_layers(struct search *search, const struct tally_cluster *cluster)
{
	struct state first = {.count = cluster->start};

	search->layers = arena_array(search->arena, search->acts + 1, sizeof(*search->layers));
	take_looks(search, &first);
	ARENA_PUSH(search->arena, search->layers[0].states, search->layers[0].count, first);
	for (size_t k = 1; k <= search->acts; k++)
		if (!extend(search, &search->layers[k]))
			return false;
	return keep_alive(search);
}

bool tally_search(struct arena *arena, struct tally_cluster *cluster)
{
	struct search search = {.arena = arena};
	const struct state *begin;
	bool found = sort_threads(&search, cluster) && lay_layers(&search, cluster);

	cluster->overflow = search.overflow;
	if (!found)
		return false;
	begin = &search.layers[0].states[0];
	cluster->first_take = begin->next_take ? begin->next_take->item : NULL;
	cluster->first_several = begin->several;
	note_takers(&search);
	follow_path(&search, cluster);
	return true;
}
