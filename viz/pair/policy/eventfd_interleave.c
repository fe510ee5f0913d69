// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The search for the orders in which calls on a counter can have acted: a linearizability check, as
 * in Porcupine or Knossos. A state says how many of its events each thread has done; what the
 * counter holds follows from that. Layer k has the states that k calls can lead to. What lies on a
 * path from the first layer to a complete state of the last one is possible, all else is not.
 *
 * The search for places (viz/pair/position/interleave.c) is the same algorithm. The two stay apart
 * because they share little but the loop over the layers: there a call can be laid in several ways,
 * a state is known by its place, and what is asked is where each call lies; here samples are done
 * on the way, and what is asked of a state is the next read behind it.
 */
#include <string.h>

#include "viz/pair/policy/eventfd_events.h"

#define THREADS_MAX 16
#define STATES_MAX 256	  /* per layer */
#define STEPS_MAX 1000000 /* per search */

struct state {
	uint32_t done[THREADS_MAX];
	uint64_t count;
	/* The next read on the paths from here; NULL: there is none. */
	const struct count_event *next_take;
	bool alive;
	bool several; /* the paths differ in that */
};

struct step {
	uint32_t from, to;
	struct count_event *event;
};

struct layer {
	struct state *states;
	size_t count;
	struct step *steps; /* from the layer before to this one */
	size_t step_count;
};

struct search {
	struct arena *arena;
	struct count_event **of[THREADS_MAX];
	size_t counts[THREADS_MAX];
	size_t threads;
	struct layer *layers;
	size_t acts;
	size_t steps;
	bool overflow;
};

static bool sort_threads(struct search *search, struct count_cluster *cluster)
{
	for (size_t i = 0; i < cluster->count; i++) {
		struct count_event *event = &cluster->events[i];
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
		search->acts += event->kind != COUNT_LOOK;
	}
	return true;
}

static struct count_event *next_of(const struct search *search, const struct state *state,
				   size_t thread)
{
	return state->done[thread] < search->counts[thread]
		       ? search->of[thread][state->done[thread]]
		       : NULL;
}

/*
 * True if the thread's next event can come next: no other thread's next event was over before it
 * began, and the count agrees with it.
 */
static bool may_follow(const struct search *search, const struct state *state, size_t thread)
{
	const struct count_event *event = next_of(search, state, thread);

	if (!event || (event->kind != COUNT_ADD && event->count != state->count))
		return false;
	for (size_t t = 0; t < search->threads; t++) {
		const struct count_event *other = next_of(search, state, t);

		if (t != thread && other && other->hi_ns < event->lo_ns)
			return false;
	}
	return true;
}

/* Does all samples that can come now: a sample changes nothing, so none has to be tried later. */
static void take_looks(const struct search *search, struct state *state)
{
	for (size_t t = 0; t < search->threads; t++) {
		const struct count_event *event = next_of(search, state, t);

		if (!event || event->kind != COUNT_LOOK || !may_follow(search, state, t))
			continue;
		state->done[t]++;
		t = (size_t)-1; /* start again: others may follow now */
	}
}

static bool same_state(const struct search *search, const struct state *a, const struct state *b)
{
	return memcmp(a->done, b->done, search->threads * sizeof(*a->done)) == 0;
}

static bool add_step(struct search *search, struct layer *next, size_t from, size_t thread)
{
	struct state reached = next[-1].states[from];
	struct count_event *event = next_of(search, &reached, thread);
	struct step step = {.from = (uint32_t)from, .event = event};
	size_t to = 0;

	reached.done[thread]++;
	reached.count = event->kind == COUNT_ADD ? reached.count + event->count : 0;
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
			const struct count_event *event = next_of(search, state, t);

			if (event && event->kind != COUNT_LOOK && may_follow(search, state, t) &&
			    !add_step(search, next, from, t))
				return false;
		}
	return next->count > 0;
}

/* True if all events are done, samples included. */
static bool is_done(const struct search *search, const struct state *state)
{
	for (size_t t = 0; t < search->threads; t++)
		if (state->done[t] < search->counts[t])
			return false;
	return true;
}

/* Adds to a state that a possible step leads on from it to that next read. */
static void note_way(struct state *state, const struct count_event *take, bool several)
{
	state->several |= several || (state->alive && state->next_take != take);
	state->next_take = take;
	state->alive = true;
}

/*
 * From the last layer back: marks the states from which a path leads to a complete state, and the
 * next read on these paths. False if there is none.
 */
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
			if (step->event->kind == COUNT_TAKE)
				note_way(from, step->event, false);
			else
				note_way(from, to->next_take, to->several);
		}
	return search->layers[0].states[0].alive;
}

/*
 * Sets the reads that can have taken each addition, and `several` where there are different ones.
 */
static void note_takers(const struct search *search)
{
	for (size_t k = 1; k <= search->acts; k++)
		for (size_t i = 0; i < search->layers[k].step_count; i++) {
			const struct step *step = &search->layers[k].steps[i];
			const struct state *to = &search->layers[k].states[step->to];
			struct flow_item *taker = to->next_take ? to->next_take->item : NULL;
			struct count_event *event = step->event;

			if (!to->alive || !search->layers[k - 1].states[step->from].alive)
				continue;
			event->several |= to->several || (event->noted && event->taker != taker);
			event->taker = taker;
			event->noted = true;
		}
}

/* The likeliest step: the event whose time is over first. */
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

static void follow_path(const struct search *search, struct count_cluster *cluster)
{
	struct count_event **open = arena_array(search->arena, search->acts, sizeof(*open));
	size_t open_count = 0;
	uint32_t at = 0;

	for (size_t k = 1; k <= search->acts; k++) {
		const struct step *step = best_step(&search->layers[k], at);

		at = step->to;
		if (step->event->kind == COUNT_ADD) {
			step->event->taker = NULL;
			open[open_count++] = step->event;
			continue;
		}
		while (open_count)
			open[--open_count]->taker = step->event->item;
		ARENA_PUSH(search->arena, cluster->takes, cluster->take_count, step->event->item);
	}
}

static bool lay_layers(struct search *search, const struct count_cluster *cluster)
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

bool count_search(struct arena *arena, struct count_cluster *cluster)
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
