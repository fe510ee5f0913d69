// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The search for the places of calls whose windows overlap. A state is how far each thread has
 * come, and the place of the next byte; one layer of states for each call placed. What survives
 * from the first layer to the last is possible, all else is not.
 */
#include "pair_place.h"

#include <stdlib.h>

#define THREADS_MAX 16
#define STATES_MAX 64	  /* of a layer: measured are 1 to 25 */
#define STEPS_MAX 1000000 /* of a search */
#define PAGE_LEN 4096
#define SLOT_LEN 8192 /* more than a page, so that its end is not the next one's beginning */

struct state {
	uint32_t taken[THREADS_MAX];
	uint64_t at;
	bool alive;
};

/* One call placed: from a state of a layer to one of the next. */
struct step {
	uint32_t from, to;
	struct flow_item *item;
	struct place_option option;
};

struct layer {
	struct state *states;
	size_t count;
	struct step *steps; /* that lead here */
	size_t step_count;
};

struct search {
	struct arena *arena;
	const struct place_scale *scale;
	const struct place_check *check;
	struct flow_item **of[THREADS_MAX]; /* a thread's calls, in order */
	size_t counts[THREADS_MAX];
	size_t threads;
	struct layer *layers;
	size_t steps;
};

static size_t linear_options(uint64_t at, const struct flow_item *item,
			     struct place_option options[PLACE_OPTIONS])
{
	options[0] = (struct place_option){at, at + item->amount, 0};
	return 1;
}

/* Into the last slot, where the bytes beyond whole pages fit, or into new ones: pipe_write(). */
static size_t pipe_options(uint64_t at, const struct flow_item *item,
			   struct place_option options[PLACE_OPTIONS])
{
	uint64_t len = item->amount, slot = at / SLOT_LEN, end = at % SLOT_LEN;
	uint64_t asked = item->op->requested > len ? item->op->requested : len;
	uint64_t part = asked % PAGE_LEN, pages = (len + PAGE_LEN - 1) / PAGE_LEN;
	size_t count = 0;

	options[count++] = (struct place_option){
		(slot + 1) * SLOT_LEN, (slot + pages) * SLOT_LEN + len - (pages - 1) * PAGE_LEN, 0};
	if (item->turn > 1 || !slot || !part || part > len || end + part > PAGE_LEN)
		return count;
	pages = (len - part + PAGE_LEN - 1) / PAGE_LEN;
	options[count] = (struct place_option){at, at + part, len > part ? part : 0};
	if (pages)
		options[count].after = (slot + pages) * SLOT_LEN + len - part -
				       (pages - 1) * PAGE_LEN;
	return count + 1;
}

const struct place_scale place_linear = {linear_options}, place_pipe = {pipe_options};

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

/* When the first of the other threads' next calls had returned: it was before what began later. */
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

/* A later turn of a write begins a buffer, wherever the one before it ends. */
static bool is_before(const struct search *search, uint64_t at, const struct flow_item *item)
{
	if (search->scale == &place_pipe && item->turn > 1)
		return at / SLOT_LEN < item->lo / SLOT_LEN;
	return at < item->lo;
}

static bool agrees(const struct search *search, const struct flow_item *item, uint64_t from)
{
	return !search->check->agrees || search->check->agrees(search->check->placing, item, from);
}

static bool extend_state(struct search *search, struct layer *next, size_t from)
{
	for (size_t t = 0; t < search->threads; t++) {
		const struct state *state = &(next - 1)->states[from];
		struct place_option options[PLACE_OPTIONS];
		const struct flow_item *item;
		size_t count;

		if (state->taken[t] == search->counts[t])
			continue;
		item = search->of[t][state->taken[t]];
		if (is_before(search, state->at, item) ||
		    item->begin_ns > first_exit(search, state, t))
			continue;
		count = search->scale->options(state->at, item, options);
		for (size_t i = 0; i < count; i++)
			if (options[i].after <= item->hi && agrees(search, item, options[i].from) &&
			    !add_step(search, next, from, t, &options[i]))
				return false;
	}
	return true;
}

/* From the last layer back: what leads to an end that agrees with the last cursor. */
static bool keep_alive(struct search *search, size_t count, uint64_t end)
{
	bool any = false;

	for (size_t i = 0; i < search->layers[count].count; i++) {
		search->layers[count].states[i].alive = search->layers[count].states[i].at == end;
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

/* An item that survives at two places has none for certain. */
static void note_places(const struct search *search, size_t count)
{
	for (size_t k = 1; k <= count; k++)
		for (size_t i = 0; i < search->layers[k].step_count; i++) {
			const struct step *step = &search->layers[k].steps[i];
			struct flow_item *item = step->item;

			if (!search->layers[k].states[step->to].alive ||
			    !search->layers[k - 1].states[step->from].alive)
				continue;
			item->doubt |= item->placed && item->from != step->option.from;
			item->placed = true;
			item->from = step->option.from;
		}
}

/*
 * The likeliest moment. Who writes wakes the reader on his way out: his beginning says more. Who
 * reads wakes others as soon as he has, or else is done soon after.
 */
static uint64_t moment_of(const struct flow_item *item)
{
	const struct viz_operation *op = item->op;
	uint64_t begin_ns = op->resumed_ns ? op->resumed_ns : item->enter_ns;

	if (op->role == ROLE_SEND)
		return begin_ns;
	return op->woke_ns > begin_ns ? op->woke_ns : item->exit_ns;
}

/* Of two that ran through, the one whose middle is. */
static bool is_earlier(const struct flow_item *item, const struct flow_item *than)
{
	uint64_t a = moment_of(item), b = moment_of(than);

	if (item->op->resumed_ns || than->op->resumed_ns || a != item->exit_ns ||
	    b != than->exit_ns)
		return a < b;
	return item->enter_ns + a < than->enter_ns + b;
}

/* The likeliest way: 99 of 100 are right so. */
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
		best->item->from = best->option.from;
		best->item->to = best->option.after;
		best->item->split = best->option.split;
		at = best->to;
	}
}

bool place_cluster(struct arena *arena, const struct place_scale *scale,
		   const struct place_check *check, struct flow_item **items, size_t count)
{
	struct search search = {.arena = arena, .scale = scale, .check = check};
	struct state first = {.at = VIZ_NEVER};
	uint64_t end = 0;

	for (size_t i = 0; i < count; i++) {
		first.at = items[i]->lo < first.at ? items[i]->lo : first.at;
		end = items[i]->hi > end ? items[i]->hi : end;
	}
	if (!sort_threads(&search, items, count))
		return false;
	search.layers = arena_array(arena, count + 1, sizeof(*search.layers));
	ARENA_PUSH(arena, search.layers[0].states, search.layers[0].count, first);
	for (size_t k = 1; k <= count; k++) {
		for (size_t i = 0; i < search.layers[k - 1].count; i++)
			if (!extend_state(&search, &search.layers[k], i))
				return false;
		if (!search.layers[k].count)
			return false;
	}
	if (!keep_alive(&search, count, end))
		return false;
	note_places(&search, count);
	follow_path(&search, count);
	return true;
}
