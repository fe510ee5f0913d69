// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The search for the places of calls whose windows overlap: a linearizability check, as in
 * Porcupine or Knossos. A state says how many of its calls each thread has done, and where the next
 * free place is. Layer k has the states that k placed calls can lead to. What lies on a path from
 * the first layer to a valid state of the last one is possible, all else is not. The search for the
 * orders of calls on a counter (viz/pair/policy/eventfd_interleave.c) is the same algorithm, and
 * says why it is another file.
 */
#include "viz/pair/position/interleave.h"

#include <stdlib.h>

#include "viz/pair/position/packet_places.h"
#include "viz/pair/position/placing.h"
#include "viz/pair/position/spliced.h"

#define THREADS_MAX 16
#define STATES_MAX 64	  /* per layer; 1 to 25 were measured */
#define STEPS_MAX 1000000 /* per search */

struct state {
	uint32_t taken[THREADS_MAX];
	uint64_t at;
	uint64_t bytes; /* of all calls taken */
	bool alive;
};

/* One call placed: leads from a state of a layer to a state of the next one. */
struct step {
	uint32_t from, to;
	struct flow_item *item;
	struct place_option option;
};

struct layer {
	struct state *states;
	size_t count;
	struct step *steps; /* from the layer before to this one */
	size_t step_count;
};

struct search {
	struct arena *arena;
	const struct place_scale *scale;
	const struct place_check *check;
	struct spliced_marks marks;
	struct flow_item **of[THREADS_MAX]; /* a thread's calls, in order */
	size_t counts[THREADS_MAX];
	size_t threads;
	struct layer *layers;
	size_t steps;
};

static bool same_state(const struct search *search, const struct state *a, const struct state *b)
{
	return a->at == b->at &&
	       memcmp(a->taken, b->taken, search->threads * sizeof(*a->taken)) == 0;
}

static int compare_enters(const void *a, const void *b)
{
	const struct flow_item *x = *(struct flow_item *const *)a;
	const struct flow_item *y = *(struct flow_item *const *)b;

	if (x->enter_ns != y->enter_ns)
		return x->enter_ns < y->enter_ns ? -1 : 1;
	if (x->message != y->message)
		return x->message < y->message ? -1 : 1;
	return (x->local > y->local) - (x->local < y->local);
}

static bool sort_threads(struct search *search, struct flow_item **items, size_t count)
{
	qsort(items, count, sizeof(*items), compare_enters);
	for (size_t i = 0; i < count; i++) {
		size_t t = 0;

		while (t < search->threads && search->of[t][0]->op->thread != items[i]->op->thread)
			t++;
		if (t == THREADS_MAX)
			return false;
		search->threads += t == search->threads;
		ARENA_PUSH(search->arena, search->of[t], search->counts[t], items[i]);
	}
	return true;
}

/*
 * The earliest return among the next calls of all threads except `but`: a call that begins later
 * cannot precede that call.
 */
static uint64_t first_exit(const struct search *search, const struct state *state, size_t but)
{
	uint64_t first_ns = VIZ_NEVER;

	for (size_t t = 0; t < search->threads; t++)
		if (t != but && state->taken[t] < search->counts[t] &&
		    search->of[t][state->taken[t]]->exit_ns < first_ns)
			first_ns = search->of[t][state->taken[t]]->exit_ns;
	return first_ns;
}

static bool add_step(struct search *search, struct layer *next, size_t from, size_t thread,
		     const struct place_option *option)
{
	const struct layer *layer = next - 1;
	const struct state *state = &layer->states[from];
	struct step step = {.from = (uint32_t)from,
			    .item = search->of[thread][state->taken[thread]],
			    .option = *option};
	struct state reached = *state;
	size_t to = 0;

	reached.taken[thread]++;
	reached.at = option->after;
	reached.bytes += step.item->amount;
	while (to < next->count && !same_state(search, &next->states[to], &reached))
		to++;
	if (to == STATES_MAX || ++search->steps > STEPS_MAX)
		return false;
	if (to == next->count)
		ARENA_PUSH(search->arena, next->states, next->count, reached);
	step.to = (uint32_t)to;
	ARENA_PUSH(search->arena, next->steps, next->step_count, step);
	return true;
}

static const struct window *window_of(const struct search *search, const struct flow_item *item)
{
	return placing_window(search->check->placing, item);
}

/*
 * True if the next free place is before the item's window. It does not matter where in the last
 * buffer that place is if the item begins a new one.
 */
static bool is_before(const struct search *search, uint64_t at, const struct flow_item *item)
{
	uint64_t lo = window_of(search, item)->lo;

	if (search->scale == &place_pipe && placing_begins_buffer(item))
		return at / SLOT_LEN < lo / SLOT_LEN;
	return at < lo;
}

static bool agrees(const struct search *search, const struct flow_item *item, uint64_t from)
{
	return !search->check->agrees || search->check->agrees(search->check->placing, item, from);
}

static size_t list_options(const struct search *search, uint64_t at, const struct flow_item *item,
			   struct place_option options[SPLICED_OPTIONS])
{
	const struct placing *placing = search->check->placing;

	if (search->scale == &place_pipe && spliced_is(item))
		return spliced_options(&search->marks, at, item, options);
	if (placing->flow->packets)
		return packets_options(placing, at, item, options);
	return search->scale->options(at, item, options);
}

static bool extend_state(struct search *search, struct layer *next, size_t from)
{
	for (size_t t = 0; t < search->threads; t++) {
		const struct state *state = &(next - 1)->states[from];
		struct place_option options[SPLICED_OPTIONS];
		const struct flow_item *item;
		size_t count;

		if (state->taken[t] == search->counts[t])
			continue;
		item = search->of[t][state->taken[t]];
		if (is_before(search, state->at, item) ||
		    item->place.begin_ns > first_exit(search, state, t))
			continue;
		count = list_options(search, state->at, item, options);
		if (count > SPLICED_OPTIONS)
			return false;
		for (size_t i = 0; i < count; i++)
			if (options[i].after <= window_of(search, item)->hi &&
			    agrees(search, item, options[i].from) &&
			    !add_step(search, next, from, t, &options[i]))
				return false;
	}
	return true;
}

/*
 * Marks the states from which a path leads to a valid state of the last layer: one whose next free
 * place is the end of the last window, or any if that end is `loose`. False if there is none.
 */
static bool keep_alive(struct search *search, size_t count, uint64_t end, bool loose)
{
	bool any = false;

	for (size_t i = 0; i < search->layers[count].count; i++) {
		search->layers[count].states[i].alive = search->layers[count].states[i].at == end ||
							loose;
		any |= search->layers[count].states[i].alive;
	}
	for (size_t k = count; k > 0; k--)
		for (size_t i = 0; i < search->layers[k].step_count; i++) {
			const struct step *step = &search->layers[k].steps[i];

			if (search->layers[k].states[step->to].alive)
				search->layers[k - 1].states[step->from].alive = true;
		}
	return any;
}

/*
 * Notes how many bytes lie before a send; false if that differs from what another step said. Its
 * place may be the same all the same: what lies before it in a buffer is no part of that.
 */
static bool same_bytes_before(const struct search *search, struct flow_item *item, uint64_t bytes)
{
	bool same = !item->place.placed || item->join.start == bytes;

	if (search->check->placing->coordinates != PLACES)
		return true; /* join.start is the place */
	item->join.start = bytes;
	return same;
}

/*
 * Marks the items of all possible steps as placed; an item with two possible places is ambiguous.
 */
static void note_places(const struct search *search, size_t count)
{
	for (size_t k = 1; k <= count; k++)
		for (size_t i = 0; i < search->layers[k].step_count; i++) {
			const struct step *step = &search->layers[k].steps[i];
			struct flow_item *item = step->item;
			uint64_t *begin = placing_begin(search->check->placing, item);

			if (!search->layers[k].states[step->to].alive ||
			    !search->layers[k - 1].states[step->from].alive)
				continue;
			item->ambiguous |= !same_bytes_before(
				search, item, search->layers[k - 1].states[step->from].bytes);
			item->ambiguous |= item->place.placed && *begin != step->option.from;
			item->place.placed = true;
			*begin = step->option.from;
		}
}

/*
 * The most likely time (ns) at which the call moved its bytes. A write wakes the reader when it is
 * about to return, so its beginning is the better estimate. A read wakes a writer as soon as it has
 * read, or else returns soon after.
 */
static uint64_t moment_of(const struct flow_item *item)
{
	const struct viz_operation *op = item->op;
	uint64_t begin_ns = op->resumed_ns ? op->resumed_ns : item->enter_ns;

	if (op->role == ROLE_SEND)
		return begin_ns;
	return op->woke_ns > begin_ns ? op->woke_ns : item->exit_ns;
}

/*
 * Compares two calls by that time; two receives that neither slept nor woke another thread are
 * compared by the middle between entry and exit.
 */
static bool is_earlier(const struct flow_item *item, const struct flow_item *than)
{
	uint64_t a = moment_of(item), b = moment_of(than);

	if (item->op->resumed_ns || than->op->resumed_ns || a != item->exit_ns ||
	    b != than->exit_ns)
		return a < b;
	return item->enter_ns + a < than->enter_ns + b;
}

/*
 * Gives each item its place on the likeliest of the possible paths; 99 of 100 such choices are
 * right.
 */
static void follow_path(const struct search *search, size_t count)
{
	uint32_t at = 0;

	for (size_t k = 1; k <= count; k++) {
		const struct layer *layer = &search->layers[k];
		const struct step *best = NULL;

		for (size_t i = 0; i < layer->step_count; i++) {
			const struct step *step = &layer->steps[i];

			if (step->from == at && layer->states[step->to].alive &&
			    (!best || is_earlier(step->item, best->item)))
				best = step;
		}
		if (!best)
			return;
		placing_put(search->check->placing, best->item, &best->option);
		at = best->to;
	}
}

bool place_cluster(struct arena *arena, const struct place_scale *scale,
		   const struct place_check *check, struct flow_item **items, size_t count)
{
	struct search search = {.arena = arena, .scale = scale, .check = check};
	struct state first = {.at = VIZ_NEVER};
	uint64_t end = 0;
	bool loose = false;

	for (size_t i = 0; i < count; i++) {
		const struct window *window = window_of(&search, items[i]);

		first.at = at_most(window->lo, first.at);
		if (window->hi >= end)
			loose = items[i]->place.loose && (loose || window->hi > end);
		end = at_least(window->hi, end);
	}
	if (!sort_threads(&search, items, count))
		return false;
	if (scale == &place_pipe)
		search.marks = spliced_marks_of(check->placing, items, count);
	search.layers = arena_array(arena, count + 1, sizeof(*search.layers));
	ARENA_PUSH(arena, search.layers[0].states, search.layers[0].count, first);
	for (size_t k = 1; k <= count; k++) {
		for (size_t i = 0; i < search.layers[k - 1].count; i++)
			if (!extend_state(&search, &search.layers[k], i))
				return false;
		if (!search.layers[k].count)
			return false;
	}
	if (!keep_alive(&search, count, end, loose))
		return false;
	note_places(&search, count);
	follow_path(&search, count);
	return true;
}
