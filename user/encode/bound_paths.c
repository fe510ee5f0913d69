// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/encode/bound_paths.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct path {
	uint64_t base;
	size_t len;
	char id[64];
	char text[];
};

static int compare(const void *a, const void *b)
{
	const struct path *x = a, *y = b;

	if (x->base != y->base)
		return x->base < y->base ? -1 : 1;
	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return memcmp(x->text, y->text, x->len);
}

static struct path *path_new(uint64_t base, const void *text, size_t len)
{
	struct path *path = calloc(1, sizeof(*path) + len + 1);

	if (!path)
		return NULL;
	path->base = base;
	path->len = len;
	memcpy(path->text, text, len);
	return path;
}

void paths_free(struct paths *paths)
{
	tdestroy(paths->by_path, free);
	free(paths->taken);
	*paths = (struct paths){0};
}

void paths_note(struct paths *paths, uint64_t base, const void *text, size_t len, const char *id)
{
	struct path *path = len ? path_new(base, text, len) : NULL, **found;

	if (!path)
		return;
	found = tsearch(path, &paths->by_path, compare);
	if (found)
		snprintf((*found)->id, sizeof((*found)->id), "%s", id);
	if (!found || *found != path)
		free(path);
}

const char *paths_find(const struct paths *paths, uint64_t base, const void *text, size_t len)
{
	struct path *path = path_new(base, text, len), **found;
	const char *id;

	if (!path)
		return NULL;
	found = tfind(path, (void *const *)&paths->by_path, compare);
	id = found ? (*found)->id : NULL;
	free(path);
	return id;
}

const char *paths_take(struct paths *paths, uint64_t base, const void *text, size_t len)
{
	struct path *path = path_new(base, text, len), **found;

	if (!path)
		return NULL;
	found = tfind(path, &paths->by_path, compare);
	free(paths->taken);
	paths->taken = found ? *found : NULL;
	tdelete(path, &paths->by_path, compare);
	free(path);
	return paths->taken ? paths->taken->id : NULL;
}

/* The last component of a path. */
struct ending {
	const char *text;
	size_t len;
	bool found;
};

static struct ending last_name(const char *text, size_t len)
{
	size_t at = len;

	while (at > 0 && text[at - 1] != '/')
		at--;
	return (struct ending){.text = text + at, .len = len - at};
}

static void visit(const void *node, VISIT visited, void *closure)
{
	const struct path *path = *(const struct path *const *)node;
	struct ending *wanted = closure, name = last_name(path->text, path->len);

	if (visited == postorder || visited == leaf)
		wanted->found |= name.len == wanted->len &&
				 memcmp(name.text, wanted->text, name.len) == 0;
}

bool paths_alike(const struct paths *paths, const void *text, size_t len)
{
	struct ending wanted = last_name(text, len);

	twalk_r(paths->by_path, visit, &wanted);
	return wanted.found;
}
