/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The moments of drafts on lanes, for scene_place.c and scene_order.c. */
#ifndef VIZ_SCENE_PLACE_H
#define VIZ_SCENE_PLACE_H

#include "scene_draft.h"

#define NO_MOMENT SIZE_MAX

/* Where a draft touches a lane. Sorted by lane, then time. */
struct moment {
	int lane;
	bool arrival;	   /* the draft's `to` end */
	uint64_t ns;	   /* when it happened */
	uint64_t drawn_ns; /* where it is drawn */
	size_t draft;
};

struct placing {
	struct scene_drafts *d;
	struct moment *moments;
	size_t count;
	size_t *leaves;	    /* of a draft: its moment on `from`, or NO_MOMENT */
	size_t *arrives;    /* of a draft: its moment on `to`, or NO_MOMENT */
	size_t *by_receipt; /* drafts */
};

/* Makes two rows of a message; both keep their moments. Gives the index of the arriving half. */
size_t scene_split(struct placing *p, size_t draft);

/* Sorts the drafts by at_ns as the lanes' order allows. */
void scene_order(struct placing *p);

#endif
