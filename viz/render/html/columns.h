/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Writes a scene's dataset into a page, in three sections, in the order in which the page needs
 * them: "core" for the first picture, "calls" for the details on a click, "payload" for the bytes.
 * viz/render/html/page/store.js documents the columns.
 */
#ifndef VIZ_RENDER_HTML_COLUMNS_H
#define VIZ_RENDER_HTML_COLUMNS_H

#include <stdio.h>

#include "viz/render/render.h"

/* Return 0 or -errno. */
int page_put_core(FILE *out, const struct scene *scene, const struct render_options *options);
int page_put_calls(FILE *out, const struct scene *scene);
int page_put_payload(FILE *out, const struct scene *scene);

#endif
