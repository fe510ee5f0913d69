// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Lanes of the same name are told apart by what their programs were given: "gcc a.o", "gcc b.o". A
 * script that goes by the name of a program is told by what interprets it: "python3 (bash)".
 */
#include <stdlib.h>
#include <string.h>

#include "viz/base/compare.h"
#include "viz/base/safe_text.h"
#include "viz/scene/drafts.h"

enum { WORD_MOST = 20 };

struct namesakes {
	struct scene_drafts *d;
	const struct viz_process_event **last; /* by process index: its last exec; NULL: none */
	const struct viz_process_event *
		*before; /* by event index: the same process's exec before */
	const struct viz_process_event *
		*inherited; /* by process index: the exec whose copy it was at first; or NULL */
	bool *met;	    /* by process index */
	struct map given;   /* of the lanes of one name, each word of their arguments */
};

/* At its first event, its parent has executed what it is a copy of. */
static void meet(struct namesakes *n, const struct viz_process *process)
{
	const struct viz_process *parent = process->parent;

	if (n->met[process->index])
		return;
	n->met[process->index] = true;
	if (parent)
		n->inherited[process->index] = n->last[parent->index] ? n->last[parent->index]
								      : n->inherited[parent->index];
}

static void find_execs(struct namesakes *n)
{
	const struct viz_model *model = n->d->request->model;

	n->last = arena_array(n->d->arena, model->process_count + 1, sizeof(*n->last));
	n->before = arena_array(n->d->arena, model->process_event_count + 1, sizeof(*n->before));
	n->inherited = arena_array(n->d->arena, model->process_count + 1, sizeof(*n->inherited));
	n->met = arena_array(n->d->arena, model->process_count + 1, sizeof(*n->met));
	for (size_t i = 0; i < model->process_event_count; i++) {
		const struct viz_process_event *event = model->process_events[i];

		meet(n, event->process);
		if (event->event != PROCESS_EVENT_EXEC)
			continue;
		n->before[i] = n->last[event->process->index];
		n->last[event->process->index] = event;
	}
}

static const struct viz_process *process_of(const struct scene_drafts *d, size_t lane)
{
	return d->actors[d->actor_on[lane]].process;
}

/* Counts each word once a lane: `seen` is the lane that counted it last, plus 1. */
struct word {
	size_t lanes, seen;
};

/* The last exec under the name that the lane goes by; NULL: it executed no such program. */
static const struct viz_process_event *exec_of(const struct namesakes *n, size_t lane)
{
	const struct viz_process_event *exec = n->last[process_of(n->d, lane)->index];

	while (exec && !viz_bytes_equal(exec->comm, n->d->names[n->d->actor_on[lane]]))
		exec = n->before[exec->index];
	return exec;
}

static void count_words(struct namesakes *n, size_t lane)
{
	const struct viz_process_event *exec = exec_of(n, lane);

	for (size_t i = 1; exec && i < exec->args_count; i++) {
		struct word *word = (struct word *)map_get(&n->given, exec->args[i]);

		if (!word) {
			word = arena_alloc(n->d->arena, sizeof(*word));
			map_put(n->d->arena, &n->given, exec->args[i], word);
		}
		word->lanes += word->seen != lane + 1;
		word->seen = lane + 1;
	}
}

static bool is_own(const struct namesakes *n, struct viz_bytes argument)
{
	const struct word *word = map_get(&n->given, argument);

	return argument.len && word && word->lanes == 1;
}

static bool is_temporary(struct viz_bytes path)
{
	static const char folder[] = "/tmp/";

	return path.len >= sizeof(folder) - 1 && memcmp(path.data, folder, sizeof(folder) - 1) == 0;
}

/*
 * An argument that no other lane of the name was given: the first of all, as in `git clone`; else
 * the last, as in `gcc -c -o a.o a.c`; an option or a temporary file only if there is no other.
 */
static struct viz_bytes own_word(const struct namesakes *n, size_t lane)
{
	const struct viz_process_event *exec = exec_of(n, lane);
	struct viz_bytes last = {0}, poor = {0};

	for (size_t i = 1; exec && i < exec->args_count; i++) {
		struct viz_bytes argument = exec->args[i];

		if (!is_own(n, argument))
			continue;
		if (argument.data[0] == '-' || is_temporary(argument)) {
			poor = poor.len ? poor : argument;
			continue;
		}
		last = argument;
		if (i == 1)
			break;
	}
	return viz_base_name(last.len ? last : poor);
}

/* What interprets the script that it executed, or that it is a copy of by a fork. */
static struct viz_bytes interpreter(const struct namesakes *n, size_t lane)
{
	const struct viz_process_event *exec = exec_of(n, lane);

	if (!exec)
		exec = n->inherited[process_of(n->d, lane)->index];
	if (exec && exec->args_count > 1 && viz_bytes_equal(exec->args[1], exec->path))
		return viz_base_name(exec->args[0]);
	return (struct viz_bytes){0};
}

static void set_title(struct namesakes *n, size_t lane, const char *before, struct viz_bytes raw,
		      const char *after)
{
	struct scene_lane *l = &n->d->scene->lanes[lane];
	char *word = scene_harmless(raw.data, raw.len);
	size_t len = 0;

	for (size_t shown = 0; word[len]; len++)
		if ((word[len] & 0xc0) != 0x80 && shown++ == WORD_MOST)
			break;
	scene_set(n->d->scene, &l->title, "%s%s%.*s%s%s", l->title, before, (int)len, word,
		  word[len] ? "…" : "", after);
	free(word);
}

static void tell_apart(struct namesakes *n, size_t lane)
{
	struct viz_bytes word = own_word(n, lane);

	if (word.len) {
		set_title(n, lane, " ", word, "");
		return;
	}
	word = interpreter(n, lane);
	if (word.len && !viz_bytes_equal(word, n->d->names[n->d->actor_on[lane]]))
		set_title(n, lane, " (", word, ")");
}

static bool is_process(const struct scene_drafts *d, size_t lane)
{
	return d->scene->lanes[lane].kind == SCENE_LANE_PROCESS;
}

/* --- lanes of the same title --- */

static int by_title(const void *a, const void *b, void *lanes)
{
	const struct scene_lane *all = lanes;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	return strcmp(all[x].title, all[y].title) ?: COMPARE(x, y);
}

/* Lanes sorted[0] to sorted[count - 1], more than one. */
static void settle_title(struct namesakes *n, const size_t *sorted, size_t count)
{
	size_t executed = 0;

	n->given = (struct map){0};
	for (size_t i = 0; i < count; i++) {
		n->d->namesake[sorted[i]] = true;
		executed += is_process(n->d, sorted[i]) && exec_of(n, sorted[i]);
	}
	for (size_t i = 0; i < count && executed > 1; i++)
		if (is_process(n->d, sorted[i]))
			count_words(n, sorted[i]);
	for (size_t i = 0; i < count; i++)
		if (is_process(n->d, sorted[i]))
			tell_apart(n, sorted[i]);
}

static size_t *sort_lanes(struct scene_drafts *d)
{
	size_t count = d->scene->lane_count;
	size_t *sorted = arena_array(d->arena, count + 1, sizeof(*sorted));

	for (size_t i = 0; i < count; i++)
		sorted[i] = i;
	if (count)
		qsort_r(sorted, count, sizeof(*sorted), by_title, d->scene->lanes);
	return sorted;
}

void scene_find_namesakes(struct scene_drafts *d)
{
	struct namesakes n = {.d = d};
	size_t *sorted = sort_lanes(d);
	const struct scene_lane *lanes = d->scene->lanes;
	size_t first = 0;

	find_execs(&n);
	for (size_t i = 1; i <= d->scene->lane_count; i++) {
		if (i < d->scene->lane_count &&
		    strcmp(lanes[sorted[first]].title, lanes[sorted[i]].title) == 0)
			continue;
		if (i - first > 1)
			settle_title(&n, &sorted[first], i - first);
		first = i;
	}
}
