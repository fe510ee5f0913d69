/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The layout of a text picture: columns of time, lanes, details. Lanes that do not fit share one
 * slot at the right, "…3 more"; the lanes that matter most keep their own.
 */
#ifndef VIZ_RENDER_TEXT_LAYOUT_H
#define VIZ_RENDER_TEXT_LAYOUT_H

#include "viz/base/canvas.h"
#include "viz/scene/scene.h"

struct text_slot {
	int column; /* column of the lifeline */
	int need;   /* columns up to the next slot (or the end) that all labels want */
	bool shared;
	size_t *lanes; /* those that live there, one after the other; none in the shared slot */
	size_t lane_count;
};

/* The box with a lane's name. */
struct text_box {
	int left;
	int width;
	bool tall; /* the pid is on a line of its own */
};

struct text_layout {
	int time_width;
	int first_width; /* of the first box */
	int end;	 /* first column after the last gap */
	int detail;	 /* column where details begin; 0: they are below their arrow */
	bool tall;	 /* boxes at the top have the pid below the name */
	bool lines;	 /* too narrow for lanes: one line per row */
	size_t slot_count;
	struct text_slot *slots;
	struct text_box *boxes; /* by slot: of the boxes that text_place_boxes() placed */
	int *slot_of;		/* by lane */
	size_t *in_slots;	/* the lists of lanes of all slots */
	size_t grouped;		/* lanes in the shared slot */
};

/* Computes the layout, for text_layout_free(). */
void text_layout_make(struct text_layout *layout, const struct scene *scene,
		      const struct text_canvas *canvas);
void text_layout_free(struct text_layout *layout);

/* True if a lane has its head at the top of the picture: it was not born in the first row. */
static inline bool text_lives_at_top(const struct scene *scene, size_t lane)
{
	return scene->lanes[lane].first_row == 0 && !scene->lanes[lane].born;
}

/*
 * The lane that lives or lived last in a slot by this row; -1: none yet, or it is the shared slot.
 */
int text_lane_at(const struct text_layout *layout, const struct scene *scene, size_t slot,
		 size_t row);

/* By slot: which have a box on some lines, and between them a line only; `lines` NULL: none. */
struct text_shown {
	const bool *boxes, *lines;
	bool tall;
};

/*
 * Places boxes that stand side by side, in layout->boxes; each may reach half into the gap to the
 * next one. False if one had to be narrowed.
 */
bool text_place_boxes(struct text_layout *layout, const struct scene *scene,
		      const struct text_canvas *canvas, size_t row, const struct text_shown *what);

/*
 * The width of a box like "│ ls 1201 │"; a tall box has the pid on its own line. lane -1: "…3
 * more".
 */
int text_box_width(const struct scene *scene, const struct text_canvas *canvas, int lane,
		   bool tall);

/* Returns the slot of a row's end; -1 if it is no lane. */
static inline int text_slot_of(const struct text_layout *layout, int lane)
{
	return lane < 0 ? -1 : layout->slot_of[lane];
}

/* True if both ends are in the shared slot, so that nothing can be drawn but what must be told. */
bool text_row_hidden(const struct text_layout *layout, const struct scene_row *row);

/*
 * Splits the title of a channel's lane into kind and number: "pipe:[77]" is "pipe" and "[77]". A
 * name replaces the kind: "fifo:[77] /tmp/x" is "/tmp/x" and "[77]". Long words are cut.
 */
#define TEXT_WORD 64
struct text_channel {
	char kind[TEXT_WORD];
	char number[TEXT_WORD];
};
struct text_channel text_channel_words(const char *title);

#endif
