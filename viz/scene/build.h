/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Builds a scene from a model and its messages in three steps: collect drafts (possible rows, with
 * the times between which each happened), place them (one causal order), and write the rows that
 * are kept.
 */
#ifndef VIZ_SCENE_BUILD_H
#define VIZ_SCENE_BUILD_H

#include "viz/message/filter.h"
#include "viz/scene/lane/focus.h"
#include "viz/scene/scene.h"

struct diagnosis;

/* Whether messages pass another lane on their way from lane to lane. */
enum scene_via {
	SCENE_DIRECT,
	SCENE_VIA_KERNEL,   /* the kernel's lane: each message is a copy in and a copy out */
	SCENE_VIA_CHANNELS, /* the channel's lane: the picture of mailboxes */
};

struct scene_request {
	const struct viz_model *model;
	const struct viz_pairing *pairing;
	const struct viz_filter *filter; /* NULL: everything */
	size_t max_rows;		 /* 0: no limit */
	bool unfold;			 /* draw repetitions one by one, without loops */
	enum scene_via via;
	bool group;	/* like processes, or threads, share one lane */
	bool threads;	/* each thread of a process with several has a lane */
	bool facts;	/* fill the scene's objects, facts and calls */
	bool dataset;	/* fill scene->dataset instead of drawing rows */
	bool exchanges; /* of the dataset: fill its exchanges too */
	bool slants;	/* arrows may slant from where they left down to their end */
	enum language language;
	const struct diagnosis *diagnosis; /* its findings become marks; NULL: none */
	struct scene_focus focus;	   /* focus.count 0: everything */
};

/* The caller frees the scene with scene_free(). */
struct scene *scene_build(const struct scene_request *request);

/* True if the filter leaves something out; NULL leaves out nothing. */
bool scene_is_filtered(const struct viz_filter *filter);

#endif
