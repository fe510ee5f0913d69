/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The JSON of the page's sections, left open for their columns. */
#ifndef VIZ_PAGE_META_H
#define VIZ_PAGE_META_H

#include "json.h"
#include "render.h"

void page_meta_core(struct json *j, const struct scene *scene,
		    const struct render_options *options);
void page_meta_calls(struct json *j, const struct scene *scene);

#endif
