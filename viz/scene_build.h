/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From a model and its messages to a scene. In three steps: collect drafts (what could be a row,
 * with the times between which it happened), place them (one causal order), then write the rows
 * that are kept.
 */
#ifndef VIZ_SCENE_BUILD_H
#define VIZ_SCENE_BUILD_H

#include "filter.h"
#include "scene.h"

struct diagnosis;

/* What a message passes on its way from lane to lane. */
enum scene_via {
	SCENE_DIRECT,
	SCENE_VIA_KERNEL,   /* one lane: each message is a copy into it and one out of it */
	SCENE_VIA_CHANNELS, /* a lane for each channel: the picture of mailboxes */
};

struct scene_request {
	const struct viz_model *model;
	const struct viz_pairing *pairing;
	const struct viz_filter *filter; /* NULL: everything */
	size_t max_rows;		 /* 0: all */
	bool unfold;			 /* draw what repeats each time */
	enum scene_via via;
	bool group;			   /* like processes, or threads, are one lane */
	bool threads;			   /* of a process that has several, each has a lane */
	bool facts;			   /* with objects, messages and calls */
	bool ledger;			   /* everything, and no picture */
	const struct diagnosis *diagnosis; /* its findings are marks; NULL: none */
};

/* 0 and a scene for scene_free(), or -ENOMEM. */
int scene_build(const struct scene_request *request, struct scene **scene);

#endif
