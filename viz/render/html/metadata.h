/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Writes the JSON of the page's sections; the object is left open for their columns. */
#ifndef VIZ_RENDER_HTML_METADATA_H
#define VIZ_RENDER_HTML_METADATA_H

#include "viz/base/json.h"
#include "viz/render/render.h"

void page_meta_core(struct json *j, const struct scene *scene,
		    const struct render_options *options);
void page_meta_calls(struct json *j, const struct scene *scene);

#endif
