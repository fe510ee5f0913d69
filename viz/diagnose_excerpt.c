// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A few rows of the sequence diagram around a finding. */
#include <inttypes.h>
#include <stdlib.h>

#include "find.h"
#include "render.h"
#include "scene_build.h"

enum { ROWS_MOST = 8, PROCESSES_MOST = 6, OPERATIONS_MOST = 200000 };

static void add(struct diagnosis *d, struct filter_list *list, const char *text)
{
	struct viz_bytes copy = arena_bytes(d->arena, text, strlen(text));

	ARENA_PUSH(d->arena, list->items, list->count, (char *)copy.data);
}

/* Its processes; and its channel, unless it is about waiting, where others have their part. */
static struct viz_filter filter_of(struct diagnosis *d, const struct finding *f)
{
	struct viz_filter filter = {0};

	for (size_t i = 0; i < f->process_count && i < PROCESSES_MOST; i++)
		add(d, &filter.pid, say(d, "%" PRIu32, f->processes[i]->pid));
	if (f->channel && f->line_count == 0)
		add(d, &filter.channel, f->channel->id.data);
	return filter;
}

/* Between title and legend: the lanes and the rows. Title, head and end are told elsewhere. */
static void print_rows(FILE *out, const char *text)
{
	const char *line = strchr(text, '\n');

	while (line && line[1] && line[1] != '\n') {
		const char *end = strchr(line + 1, '\n');
		int len = end ? (int)(end - line - 1) : (int)strlen(line + 1);

		fprintf(out, "  %.*s\n", len, line + 1);
		line = end;
	}
}

void diagnosis_print_excerpt(FILE *out, struct diagnosis *d, const struct finding *f,
			     const struct diagnosis_style *style)
{
	struct viz_filter filter = filter_of(d, f);
	const struct scene_request request = {
		.model = d->model, .pairing = d->pairing, .filter = &filter, .max_rows = ROWS_MOST};
	const struct render_options how = {.width = style->width - 2, .utf8 = style->utf8};
	struct scene *scene = NULL;
	char *text = NULL;
	size_t len = 0;
	FILE *memory;

	if (style->width < 60 || d->model->operation_count > OPERATIONS_MOST ||
	    f->process_count == 0 || scene_build(&request, &scene))
		return;
	memory = open_memstream(&text, &len);
	if (memory && scene->row_count > 0 &&
	    !renderer_by_name("text")->render(memory, scene, &how) && !fflush(memory))
		print_rows(out, text);
	if (memory)
		fclose(memory);
	free(text);
	scene_free(scene);
}
