/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the languages of sequence diagrams have in common: a row is one or two steps, each an arrow
 * or a note, with what it says in one line.
 */
#ifndef VIZ_RENDER_SEQUENCE_H
#define VIZ_RENDER_SEQUENCE_H

#include "scene.h"

enum { RENDER_STEPS = 2 };

enum render_arrow {
	RENDER_NOTE, /* no arrow: something at `from`, or where that is no lane, of all */
	RENDER_DATA,
	RENDER_CONTROL,
	RENDER_NOTIFY, /* a signal */
	RENDER_LATE,   /* the arriving half of a message that left further up */
	RENDER_LOST,   /* never received; `to` may be SCENE_NOWHERE */
	RENDER_LOOP,   /* what is up to RENDER_LOOP_END happens often: the text says how often */
	RENDER_LOOP_END,
	RENDER_ARROW_COUNT
};

/* One end at least is a lane, but for a note; the other one may be SCENE_OUTSIDE. */
struct render_step {
	enum render_arrow arrow;
	int from;
	int to;
	char *text; /* one line as of the scene, never ""; for free() */
};

/* The row's steps; how many, or -ENOMEM. */
int render_steps(const struct scene *scene, const struct scene_row *row,
		 struct render_step steps[RENDER_STEPS]);
void render_steps_free(struct render_step *steps, int count);

/* How many messages and signals the row stands for, each counted where it arrives or is lost. */
size_t render_messages(const struct scene_row *row);

/* The bytes of the first `most` characters of a scene's string. */
size_t render_cut(const char *text, size_t most);

/* "ls [1201]", the name cut where it is long; for free(), NULL: out of memory. */
char *render_lane_name(const struct scene_lane *lane);

/* "ipclens · ls | wc · 3 messages (24 B) · 1.5 µs", the same way. */
char *render_caption(const struct scene *scene);

/* "12 rows with 10 messages are not drawn: " and why, the same way. */
char *render_left_out(size_t rows, size_t messages, const char *why);

#endif
