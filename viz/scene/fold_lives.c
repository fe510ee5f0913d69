// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Short lives: many processes that were made, ran and ended without a message of their own are one
 * row on the lane of who made them. So is what a wrapper did before it became the program that was
 * asked for, as a version manager's shim does, with what those processes told each other.
 *
 * A life is never among them if something of it failed, was found, or still waited at the end, if a
 * signal killed it, or if one of those that it made is drawn.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "viz/base/compare.h"
#include "viz/base/memory.h"
#include "viz/base/safe_text.h"
#include "viz/scene/pieces.h"

enum {
	LIVES_LEAST = 10,  /* fewer are drawn each */
	WRAPPED_LEAST = 4, /* the same of a wrapper's */
	NAMES_MOST = 4,	   /* named in the row */
	STATUS_MOST = 1,   /* a greater exit status is worth a look */
};

struct life {
	int maker; /* lane; SCENE_NOWHERE: its birth is not drawn */
	uint64_t born_ns, ended_ns;
	bool ended;
	bool talks;   /* it sent or received a message */
	bool stays;   /* something of it must be seen */
	bool wrapped; /* it was over before a wrapper became the program that was asked for */
	bool folded;
	int now; /* the number of its lane, once those that are folded are gone */
};

/* What one row stands for: lives whose nearest maker with a lane is the same. */
struct draft_lives {
	size_t count, wrapped;
	uint64_t born_ns, ended_ns;
	uint64_t messages, bytes;
	size_t *lanes;
	char *names; /* "bash, sed, cut, …" */
};

struct lives {
	struct scene_drafts *d;
	struct arena *arena;
	struct life *of;	      /* by lane */
	struct draft_lives **by_lane; /* of the maker; NULL: none */
};

/* --- what is known of each lane --- */

/* The lanes of the processes at both ends, whatever lane the draft passes. */
static void ends_of(const struct scene_drafts *d, const struct draft *draft, int ends[2])
{
	ends[0] = draft->from;
	ends[1] = draft->to;
	if (draft->kind == SCENE_MESSAGE || draft->kind == SCENE_SIGNAL) {
		ends[0] = scene_lane_of_end(d, &scene_message_brief(draft)->from);
		ends[1] = scene_lane_of_end(d, &scene_message_brief(draft)->to);
	} else if (draft->kind == SCENE_EOF) {
		ends[0] = scene_lane_of(d, draft->of.eof->process);
		ends[1] = scene_lane_of_operation(d, draft->of.eof->receive);
	}
}

/*
 * An end of data where there never was any says nothing: who starts a program learns by it that it
 * runs.
 */
static bool is_talk(const struct lives *l, const struct draft *draft)
{
	if (draft->kind == SCENE_EOF)
		return !draft->of.eof->channel || l->d->carried[draft->of.eof->channel->index];
	return draft->kind == SCENE_MESSAGE;
}

/* It can be no part of a row that says no more of it than a count. */
static bool is_special(const struct draft *draft)
{
	switch (draft->kind) {
	case SCENE_FORK:
	case SCENE_EXEC:
	case SCENE_EOF:
		return scene_detail(draft)->thread != NULL;
	case SCENE_MESSAGE:
		return draft->part == SCENE_UNREAD || draft->part == SCENE_DROPPED;
	case SCENE_EXIT:
		return scene_detail(draft)->thread || draft->of.process->exit_signal ||
		       draft->of.process->exit_code > STATUS_MOST;
	default:
		return true;
	}
}

static void note_life(struct lives *l, const struct draft *draft)
{
	struct life *life;

	if (draft->kind == SCENE_FORK && draft->to >= 0) {
		life = &l->of[draft->to];
		life->stays |= life->maker >= 0; /* a lane of several */
		life->maker = draft->from;
		life->born_ns = draft->sent_ns;
	}
	if (draft->kind == SCENE_EXIT && draft->from >= 0) {
		life = &l->of[draft->from];
		life->ended = true;
		life->ended_ns = draft->sent_ns;
	}
}

static void note_draft(struct lives *l, const struct draft *draft)
{
	int ends[2];

	ends_of(l->d, draft, ends);
	note_life(l, draft);
	for (int i = 0; i < 2; i++) {
		/* The end of a child, and its birth, are no matter of its maker's. */
		bool own = i == (draft->kind == SCENE_FORK);

		if (ends[i] < 0 ||
		    ((draft->kind == SCENE_FORK || draft->kind == SCENE_EXIT) && !own))
			continue;
		l->of[ends[i]].talks |= is_talk(l, draft);
		l->of[ends[i]].stays |= is_special(draft);
	}
}

static void begin(struct lives *l)
{
	size_t lanes = l->d->scene->lane_count;

	l->of = arena_array(l->arena, lanes + 1, sizeof(*l->of));
	l->by_lane = arena_array(l->arena, lanes + 1, sizeof(struct draft_lives *));
	for (size_t i = 0; i < lanes; i++)
		l->of[i].maker = SCENE_NOWHERE;
	for (size_t i = 0; i < l->d->count; i++)
		note_draft(l, &l->d->rows[i]);
}

/* --- wrappers --- */

/*
 * By process index: when it executed, as its second program or a later one, the one that was to be
 * traced; 0: never.
 */
static uint64_t *find_wrappers(struct lives *l)
{
	const struct viz_model *model = l->d->request->model;
	uint64_t *until_ns = arena_array(l->arena, model->process_count + 1, sizeof(*until_ns));
	bool *executed = arena_array(l->arena, model->process_count + 1, sizeof(*executed));

	for (size_t i = 0; model->header.command_count && i < model->process_event_count; i++) {
		const struct viz_process_event *event = model->process_events[i];
		size_t index = event->process->index;

		if (event->event != PROCESS_EVENT_EXEC)
			continue;
		if (executed[index] && event->path.data &&
		    viz_bytes_equal(viz_base_name(event->path),
				    viz_base_name(model->header.command[0])))
			until_ns[index] = event->at_ns;
		executed[index] = true;
	}
	return until_ns;
}

static bool is_wrapped(const uint64_t *until_ns, const struct viz_process *process)
{
	for (const struct viz_process *p = process->parent; p; p = p->parent)
		if (process->end_ns < until_ns[p->index])
			return true;
	return false;
}

/* --- which lives are folded --- */

static void propose(struct lives *l)
{
	const uint64_t *until_ns = find_wrappers(l);

	for (size_t i = 0; i < l->d->scene->lane_count; i++) {
		const struct scene_lane *lane = &l->d->scene->lanes[i];
		struct life *life = &l->of[i];

		if (lane->kind != SCENE_LANE_PROCESS || lane->rank != SCENE_RANK_PLAIN ||
		    life->maker < 0 || !life->ended || life->stays)
			continue;
		life->wrapped = l->d->request->via != SCENE_VIA_CHANNELS &&
				is_wrapped(until_ns, l->d->actors[l->d->actor_on[i]].process);
		life->folded = life->wrapped || !life->talks;
	}
}

static bool any_folded(const struct lives *l)
{
	for (size_t i = 0; i < l->d->scene->lane_count; i++)
		if (l->of[i].folded)
			return true;
	return false;
}

/* The nearest maker that is drawn. A process was made before what it makes, so it has one. */
static int drawn_maker(const struct lives *l, int lane)
{
	while (lane >= 0 && l->of[lane].folded)
		lane = l->of[lane].maker;
	return lane;
}

static bool unfold(struct lives *l, int lane)
{
	bool was = lane >= 0 && l->of[lane].folded;

	if (was)
		l->of[lane].folded = false;
	return was;
}

/* Whether an end may be folded where `other` is the other one. */
static bool may_fold(const struct lives *l, int lane, int other)
{
	return other >= 0 && (l->of[other].folded || other == drawn_maker(l, lane));
}

static bool is_folded(const struct lives *l, const struct draft *draft)
{
	int ends[2];

	ends_of(l->d, draft, ends);
	if (draft->kind == SCENE_EXIT)
		return l->of[draft->from].folded;
	return (ends[0] >= 0 && l->of[ends[0]].folded) || (ends[1] >= 0 && l->of[ends[1]].folded);
}

/* True if another piece of the same call is drawn, which may hang on this one. */
static bool is_held(const struct lives *l, const struct draft *draft)
{
	for (enum piece_end end = PIECE_SENT; end <= PIECE_RECEIVED; end++) {
		const struct piece_call *call = scene_piece_call(draft, end);

		for (size_t i = 0; call && i < call->collected; i++)
			if (!is_folded(l, &l->d->rows[call->drafts[i] - 1]))
				return true;
	}
	return false;
}

/* Unfolds lives that made, or talked with, one that is drawn; true if there were any. */
static bool unfold_some(struct lives *l)
{
	bool any = false;

	for (size_t i = 0; i < l->d->count; i++) {
		const struct draft *draft = &l->d->rows[i];
		int ends[2];

		if (draft->kind == SCENE_FORK && draft->to >= 0 && !l->of[draft->to].folded)
			any |= unfold(l, draft->from);
		if (!is_talk(l, draft))
			continue;
		ends_of(l->d, draft, ends);
		for (int k = 0; k < 2; k++)
			if (ends[k] >= 0 && l->of[ends[k]].folded &&
			    (!may_fold(l, ends[k], ends[!k]) ||
			     (l->d->request->via == SCENE_DIRECT && is_held(l, draft))))
				any |= unfold(l, ends[k]);
	}
	return any;
}

/* --- the rows --- */

static void count_lives(struct lives *l)
{
	for (size_t i = 0; i < l->d->scene->lane_count; i++)
		l->by_lane[i] = NULL;
	for (size_t i = 0; i < l->d->scene->lane_count; i++) {
		const struct life *life = &l->of[i];
		struct draft_lives **group = &l->by_lane[life->folded ? drawn_maker(l, (int)i) : 0];

		if (!life->folded)
			continue;
		if (!*group) {
			*group = arena_alloc(l->d->arena, sizeof(**group));
			**group = (struct draft_lives){.born_ns = life->born_ns};
		}
		ARENA_PUSH(l->arena, (*group)->lanes, (*group)->count, i);
		(*group)->wrapped += life->wrapped;
		if (life->born_ns < (*group)->born_ns)
			(*group)->born_ns = life->born_ns;
		if (life->ended_ns > (*group)->ended_ns)
			(*group)->ended_ns = life->ended_ns;
	}
}

/* True if there is other talk to be seen; what a process says to itself is none. */
static bool has_talk(const struct lives *l)
{
	for (size_t i = 0; i < l->d->count; i++) {
		const struct draft *draft = &l->d->rows[i];
		int ends[2];

		ends_of(l->d, draft, ends);
		if ((draft->kind == SCENE_MESSAGE || draft->kind == SCENE_SIGNAL ||
		     draft->kind == SCENE_CONNECT) &&
		    ends[0] != ends[1] && !is_folded(l, draft))
			return true;
	}
	return false;
}

/* Draws each life of which there are too few; true if there were any. */
static bool unfold_groups(struct lives *l)
{
	bool talk = has_talk(l), any = false;

	for (size_t i = 0; i < l->d->scene->lane_count; i++) {
		struct draft_lives *group = l->by_lane[i];

		for (size_t k = 0; group && k < group->count; k++) {
			bool wrapped = l->of[group->lanes[k]].wrapped;

			if (wrapped ? group->wrapped >= WRAPPED_LEAST
				    : talk && group->count - group->wrapped >= LIVES_LEAST)
				continue;
			l->of[group->lanes[k]].folded = false;
			any = true;
		}
	}
	return any;
}

/* True if some are folded. */
static bool choose(struct lives *l)
{
	propose(l);
	do {
		if (!any_folded(l))
			return false;
		while (unfold_some(l))
			continue;
		count_lives(l);
	} while (unfold_groups(l));
	return any_folded(l);
}

static void count_message(struct lives *l, const struct draft *draft)
{
	int ends[2], lane;

	if (draft->kind != SCENE_MESSAGE || draft->part == SCENE_ENTERS)
		return;
	ends_of(l->d, draft, ends);
	lane = drawn_maker(l, ends[l->of[ends[0]].folded ? 0 : 1]);
	l->by_lane[lane]->messages++;
	l->by_lane[lane]->bytes += scene_message(draft)->bytes;
}

struct name {
	struct viz_bytes text;
	size_t count;
};

static int most_first(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	return COMPARE(y->count, x->count);
}

static struct name *name_of(struct name *names, size_t *count, struct viz_bytes text)
{
	for (size_t i = 0; i < *count; i++)
		if (viz_bytes_equal(names[i].text, text))
			return &names[i];
	names[*count] = (struct name){text, 0};
	return &names[(*count)++];
}

static void name_lives(struct lives *l, struct draft_lives *group)
{
	struct name *names = memory_array(group->count + 1, sizeof(*names));
	size_t count = 0, len = 0;
	char *text = NULL;
	FILE *out = memory_stream(&text, &len);

	for (size_t i = 0; i < group->count; i++)
		name_of(names, &count, l->d->names[l->d->actor_on[group->lanes[i]]])->count++;
	if (count)
		qsort(names, count, sizeof(*names), most_first);
	for (size_t i = 0; i < count && i < NAMES_MOST; i++) {
		char *name = scene_harmless(names[i].text.data ? names[i].text.data : "?",
					    names[i].text.data ? names[i].text.len : 1);

		fprintf(out, "%s%s", i ? ", " : "", name);
		free(name);
	}
	fputs(count > NAMES_MOST ? ", …" : "", out);
	memory_stream_end(out);
	group->names = (char *)arena_bytes(l->d->arena, text, len).data;
	free(text);
	free(names);
}

static void add_rows(struct lives *l)
{
	for (size_t i = 0; i < l->d->scene->lane_count; i++) {
		struct draft *draft;

		if (!l->by_lane[i])
			continue;
		name_lives(l, l->by_lane[i]);
		draft = scene_draft(l->d, SCENE_NOTE, l->of[i].now, SCENE_NOWHERE);
		scene_set_detail(l->d, draft)->lives = l->by_lane[i];
		draft->sent_ns = draft->received_ns = l->by_lane[i]->born_ns;
	}
}

/* --- without those lanes --- */

static int now(const struct lives *l, int lane)
{
	return lane < 0 ? lane : l->of[lane].now;
}

static void keep_drafts(struct lives *l)
{
	struct scene_drafts *d = l->d;
	size_t count = 0;

	for (size_t i = 0; i < d->count; i++) {
		struct draft draft = d->rows[i];
		bool gone = is_folded(l, &draft);

		scene_move_piece(&draft, i + 1, gone ? 0 : count + 1);
		if (gone) {
			count_message(l, &draft);
			continue;
		}
		draft.from = now(l, draft.from);
		draft.to = now(l, draft.to);
		draft.order = count;
		d->rows[count++] = draft;
	}
	d->count = count;
}

static void number_lanes(struct lives *l)
{
	struct scene_drafts *d = l->d;
	int next = 0;

	for (size_t i = 0; i < d->scene->lane_count; i++)
		l->of[i].now = l->of[i].folded ? SCENE_NOWHERE : next++;
}

/* Moves everything that is kept by lane. */
static void keep_lanes(struct lives *l)
{
	struct scene_drafts *d = l->d;
	size_t count = 0;

	for (size_t i = 0; i < d->scene->lane_count; i++) {
		if (l->of[i].folded)
			continue;
		d->scene->lanes[count] = d->scene->lanes[i];
		d->actor_on[count] = d->actor_on[i];
		d->lane_end_ns[count] = d->lane_end_ns[i];
		d->namesake[count++] = d->namesake[i];
	}
	d->lives_folded = d->scene->lane_count - count;
	d->scene->lane_count = count;
	for (size_t i = 0; i < d->actor_count; i++)
		d->lane_of[i] = now(l, d->lane_of[i]);
	for (size_t i = 0; i < d->request->model->channel_count; i++)
		d->channel_lane[i] = now(l, d->channel_lane[i]);
	for (size_t i = 0; i <= d->request->model->host_count; i++)
		d->kernel_lanes[i] = now(l, d->kernel_lanes[i]);
	for (size_t i = 0; i < d->scene->mark_count; i++)
		d->scene->marks[i].lane = now(l, d->scene->marks[i].lane);
}

static bool is_asked_for(const struct scene_request *request)
{
	return request->unfold || request->dataset || request->facts || request->threads ||
	       request->focus.count || scene_is_filtered(request->filter);
}

void scene_fold_lives(struct scene_drafts *d)
{
	struct lives l = {.d = d};

	if (is_asked_for(d->request) || d->scene->lane_count < WRAPPED_LEAST)
		return;
	l.arena = arena_new();
	begin(&l);
	if (choose(&l)) {
		number_lanes(&l);
		keep_drafts(&l);
		add_rows(&l);
		keep_lanes(&l);
	}
	arena_free(l.arena);
}

uint64_t scene_lives_messages(const struct draft_lives *lives)
{
	return lives->messages;
}

uint64_t scene_lives_end_ns(const struct draft_lives *lives)
{
	return lives->ended_ns;
}

void scene_text_lives(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	const struct draft_lives *lives = scene_detail(draft)->lives;
	char count[SCENE_QUANTITY], amount[SCENE_QUANTITY];

	row->style = SCENE_CONTROL;
	row->important = true;
	scene_set(d->scene, &row->label, "+ %s short lives",
		  scene_say_count(d->scene, lives->count, count));
	scene_set(d->scene, &row->detail, "%s: fork … exit", lives->names);
	scene_append(d->scene, &row->detail, "in %s",
		     scene_say_duration(d->scene, lives->ended_ns - lives->born_ns, amount));
	if (lives->messages)
		scene_append(d->scene, &row->detail,
			     lives->messages == 1 ? "%s message among them, %s"
						  : "%s messages among them, %s",
			     scene_say_count(d->scene, lives->messages, count),
			     scene_say_bytes(d->scene, lives->bytes, amount));
	else
		scene_append(d->scene, &row->detail, "no message of their own");
	scene_append(d->scene, &row->detail, "--unfold shows each");
}
