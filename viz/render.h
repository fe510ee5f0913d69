/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Renderers: how a scene becomes a picture. They are listed in renderers.def, one row and one file
 * each, and know the scene and nothing else.
 */
#ifndef VIZ_RENDER_H
#define VIZ_RENDER_H

#include <stdio.h>

#include "scene.h"

/* What the place where the picture goes allows. */
struct render_options {
	int width;	 /* columns, at least 1 */
	int screen_rows; /* repeat the head so often; 0: never */
	bool utf8;
	bool colour; /* SGR escapes */
	bool plain;  /* no drawing: one line a row */
	/* What a picture begins with whose reader may choose (RENDER_LEDGER). */
	bool kernel;
	bool channels;
	bool group;
	bool unfold;
};

/* Draws; 0 or -errno (also of writing). */
typedef int render_fn(FILE *out, const struct scene *scene, const struct render_options *options);

enum render_needs { RENDER_DRAWING, RENDER_FACTS, RENDER_BINARY, RENDER_LEDGER };

struct renderer {
	const char *name;
	const char *ending; /* of file names, without the dot */
	enum render_needs needs;
	const char *help;
	render_fn *render;
};

/* NULL where there is no such. */
const struct renderer *renderer_by_name(const char *name);

/* By the ending of a file's name; NULL where none fits. */
const struct renderer *renderer_by_path(const char *path);

/* The table, `*count` rows. */
const struct renderer *renderers(size_t *count);

#define RENDERER(id, name, ending, needs, help) render_fn render_##id;
#include "renderers.def"
#undef RENDERER

#endif
