/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where everything of a text picture stands: time, lanes, details. Lanes that do not fit share one
 * slot at the right, "…3 more"; the busiest keep their own.
 */
#ifndef VIZ_TEXT_LAYOUT_H
#define VIZ_TEXT_LAYOUT_H

#include "scene.h"
#include "text_canvas.h"

struct text_slot {
	int column;   /* of the lifeline */
	int box_left; /* of the box that names it */
	int box_width;
	int lane; /* -1: the slot that the others share */
	int need; /* columns from here to the next slot (or the end) that all labels would like */
};

struct text_layout {
	int time_width;
	int end;    /* first column behind the lanes' last gap */
	int detail; /* column where details begin; 0: they go below their arrow */
	bool tall;  /* boxes have the pid below the name */
	bool lines; /* too narrow for lanes: one line a row */
	size_t slot_count;
	struct text_slot *slots;
	int *slot_of;	/* of a lane */
	size_t grouped; /* lanes in the shared slot */
};

/* 0 or -ENOMEM; text_layout_free() in either case. */
int text_layout_make(struct text_layout *layout, const struct scene *scene,
		     const struct text_canvas *canvas);
void text_layout_free(struct text_layout *layout);

/* The slot of a row's end; -1 where it is no lane. */
static inline int text_slot_of(const struct text_layout *layout, int lane)
{
	return lane < 0 ? -1 : layout->slot_of[lane];
}

/* Both ends are in the shared slot: nothing to be seen. */
bool text_row_hidden(const struct text_layout *layout, const struct scene_row *row);

/*
 * A channel's lane is known by its number: "pipe:[77]" is `kind` "pipe" and `number` "[77]", a name
 * stands for the kind, "fifo:[77] /tmp/x" is "/tmp/x" and "[77]". Cut where they are long.
 */
#define TEXT_WORD 64
struct text_channel {
	char kind[TEXT_WORD];
	char number[TEXT_WORD];
};
struct text_channel text_channel_words(const char *title);

#endif
