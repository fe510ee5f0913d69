/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Shared by the sequence diagram languages: turns a row into one or two steps, each an arrow or a
 * note with one line of text.
 */
#ifndef VIZ_RENDER_COMMON_STEPS_H
#define VIZ_RENDER_COMMON_STEPS_H

#include "viz/scene/scene.h"

enum { RENDER_STEPS = 2 };

enum render_arrow {
	RENDER_NOTE, /* no arrow: a note at `from`, or across all if it is no lane */
	RENDER_DATA,
	RENDER_CONTROL,
	RENDER_NOTIFY, /* a signal */
	RENDER_LATE,   /* the arriving half of a message that was sent further up */
	RENDER_LOST,   /* never received; `to` may be SCENE_NOWHERE */
	RENDER_LOOP,   /* repeated up to RENDER_LOOP_END; the text says how often */
	RENDER_LOOP_END,
	RENDER_ARROW_COUNT
};

/* Except in notes, at least one end is a lane; the other may be SCENE_OUTSIDE. */
struct render_step {
	enum render_arrow arrow;
	int from;
	int to;
	char *text; /* one line, never empty; for free() */
};

/* Fills in the row's steps, for render_steps_free(), and returns their number. */
int render_steps(const struct scene *scene, const struct scene_row *row,
		 struct render_step steps[RENDER_STEPS]);
void render_steps_free(struct render_step *steps, int count);

/*
 * Returns how many messages and signals the row stands for, each counted where it arrives or is
 * lost.
 */
size_t render_messages(const struct scene_row *row);

/* Returns "(not traced)", "(kernel)" or "(nobody)", in the scene's language. */
const char *render_outsider(const struct scene *scene, enum scene_outsider outsider);

/*
 * Returns "from ls[12]" or "to the kernel": the end of a row that is SCENE_OUTSIDE and has a name,
 * of which at most so many characters. The caller releases it with free().
 */
char *render_beside(const struct scene *scene, const struct scene_row *row, size_t most);

/* Returns the bytes of the first `most` characters of a scene's string. */
size_t render_cut(const char *text, size_t most);

/* Returns "ls [1201]", a long name cut. The caller releases it with free(). */
char *render_lane_name(const struct scene_lane *lane);

/* Returns "ipclens · ls | wc · 3 messages (24 B) · 1.5 µs", for free(). */
char *render_caption(const struct scene *scene);

/* Returns "… 12 rows with 10 messages left out: " and `why`, for free(). */
char *render_left_out(const struct scene *scene, size_t rows, size_t messages, const char *why);

#endif
