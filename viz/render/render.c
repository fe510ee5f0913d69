// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/render/render.h"

#include <string.h>

static const struct renderer table[] = {
#define RENDERER(id, name, ending, needs, help) {name, ending, RENDER_##needs, help, render_##id},
#include "viz/render/renderers.def"
#undef RENDERER
};

const struct renderer *renderers(size_t *count)
{
	*count = sizeof(table) / sizeof(*table);
	return table;
}

const struct renderer *renderer_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

const struct renderer *renderer_by_path(const char *path)
{
	const char *dot = strrchr(path, '.');

	if (!dot || strchr(dot, '/'))
		return NULL;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (strcmp(table[i].ending, dot + 1) == 0)
			return &table[i];
	return NULL;
}
