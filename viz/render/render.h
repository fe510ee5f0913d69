/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Renderers, which turn a scene into a picture. They are listed in renderers.def, one row and one
 * file each, and only know the scene.
 */
#ifndef VIZ_RENDER_RENDER_H
#define VIZ_RENDER_RENDER_H

#include <stdio.h>

#include "viz/scene/scene.h"

/* Properties of the output that the picture is written to. */
struct render_options {
	int width;	 /* columns, at least 1 */
	int screen_rows; /* height of the screen, for repeating the head; 0: never */
	bool utf8;
	bool colour; /* SGR escapes */
	bool plain;  /* no drawing: one line per row */
	/* The initial view of interactive pictures (RENDER_DATASET). */
	bool kernel;
	bool channels;
	bool group;
	bool unfold;
};

/* Draws the scene. Returns 0 or -errno, also of writing. */
typedef int render_fn(FILE *out, const struct scene *scene, const struct render_options *options);

enum render_needs {
	RENDER_DRAWING,
	RENDER_SLANTS,
	RENDER_FACTS,
	RENDER_EXCHANGES,
	RENDER_BINARY,
	RENDER_DATASET
};

struct renderer {
	const char *name;
	const char *ending; /* file name extension, without the dot */
	enum render_needs needs;
	const char *help;
	render_fn *render;
};

/* Returns NULL if there is no such renderer. */
const struct renderer *renderer_by_name(const char *name);

/* Returns the renderer for the extension of a file name; NULL if none fits. */
const struct renderer *renderer_by_path(const char *path);

/* Returns the table, which has `*count` rows. */
const struct renderer *renderers(size_t *count);

#define RENDERER(id, name, ending, needs, help) render_fn render_##id;
#include "viz/render/renderers.def"
#undef RENDERER

#endif
