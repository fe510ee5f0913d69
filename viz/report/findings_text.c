// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Prints findings for the terminal, with the rows of the sequence diagram around the first ones. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "viz/base/memory.h"
#include "viz/diagnose/core/finder.h"
#include "viz/diagnose/diagnose.h"
#include "viz/render/render.h"
#include "viz/scene/build.h"

/* --- the few rows of the sequence diagram around a finding --- */

enum { ROWS_MOST = 8, PROCESSES_MOST = 6, OPERATIONS_MOST = 200000, CAPTION_INDENT_MOST = 8 };

static void add(struct diagnosis *d, struct filter_list *list, const char *text)
{
	struct viz_bytes copy = arena_bytes(d->arena, text, strlen(text));

	ARENA_PUSH(d->arena, list->items, list->count, (char *)copy.data);
}

/*
 * Selects the finding's processes and its channel. Findings about waits have no channel filter,
 * since the other waits matter, too.
 */
static struct viz_filter filter_of(struct diagnosis *d, const struct finding *f)
{
	struct viz_filter filter = {0};

	for (size_t i = 0; i < f->process_count && i < PROCESSES_MOST; i++)
		add(d, &filter.pid, format_text(d, "%" PRIu32, f->processes[i]->pid));
	if (f->channel && f->line_count == 0)
		add(d, &filter.channel, f->channel->id.data);
	return filter;
}

/* Prints the part between title and legend: lanes and rows. The rest is reported elsewhere. */
static void print_rows(FILE *out, const char *text)
{
	const char *line = strchr(text, '\n');

	while (line && strspn(line + 1, " ") < CAPTION_INDENT_MOST) /* the title's other lines */
		line = strchr(line + 1, '\n');
	while (line && line[1] && line[1] != '\n') {
		const char *end = strchr(line + 1, '\n');
		int len = end ? (int)(end - line - 1) : (int)strlen(line + 1);

		fprintf(out, "  %.*s\n", len, line + 1);
		line = end;
	}
}

/* Prints nothing if `style->width` is below 60 columns or the trace is too long. */
static void print_excerpt(FILE *out, struct diagnosis *d, const struct finding *f,
			  const struct diagnosis_style *style)
{
	struct viz_filter filter = filter_of(d, f);
	struct scene_request request = {
		.model = d->model, .pairing = d->pairing, .filter = &filter, .max_rows = ROWS_MOST};
	const struct render_options how = {.width = style->width - 2, .utf8 = style->utf8};
	struct scene *scene;
	char *text = NULL;
	size_t len = 0;
	FILE *memory;

	if (style->width < 60 || f->process_count == 0 ||
	    d->model->operation_count + d->model->ordinary_calls > OPERATIONS_MOST)
		return;
	/* What is said within a circle explains it; their children and parents do not. */
	if (f->row == finding_row(FINDING_DEADLOCK) && f->process_count <= PROCESSES_MOST)
		request.focus = (struct scene_focus){(const char *const *)filter.pid.items,
						     filter.pid.count, 0};
	scene = scene_build(&request);
	memory = memory_stream(&text, &len);
	if (scene->row_count > 0)
		renderer_by_name("text")->render(memory, scene, &how);
	memory_stream_end(memory);
	if (scene->row_count > 0)
		print_rows(out, text);
	free(text);
	scene_free(scene);
}

/* --- the findings --- */

#define EXCERPTS_MOST 5 /* at most this many excerpts are printed */
#define RESET "\033[0m"

static const char *mark_of(enum severity severity, bool utf8)
{
	if (severity == SEVERITY_ERROR)
		return utf8 ? "✗" : "x";
	return severity == SEVERITY_WARNING ? "!" : utf8 ? "·" : "-";
}

static const char *colour_of(enum severity severity)
{
	static const char *const colours[] = {"", "\033[36m", "\033[33m", "\033[1;31m"};

	return colours[severity];
}

static void print_finding(FILE *out, struct diagnosis *d, const struct finding *f,
			  const struct diagnosis_style *style)
{
	fprintf(out, "%s%s %s%s  %s\n", style->colour ? colour_of(f->severity) : "",
		mark_of(f->severity, style->utf8), f->row->name, style->colour ? RESET : "",
		f->text);
	if (style->brief)
		return;
	for (size_t i = 0; i < f->line_count; i++)
		fprintf(out, "    %s\n", f->lines[i]);
	fprintf(out, "  %s %s; %s\n", style->utf8 ? "→" : "->", f->advice,
		fill_phrase(d, PHRASE_SEE_EXPLAIN, f->row->name, NULL, NULL));
}

/* Where a focus leaves findings out, nothing is said of all that there is. */
static void print_sums(FILE *out, struct diagnosis *d)
{
	if (d->count == 0 && !d->left_out)
		fprintf(out, "%s\n", phrase_text(PHRASE_NOTHING_FOUND, d->language));
	else
		fprintf(out, "%s\n",
			fill_phrase(d, PHRASE_COUNTS,
				    format_text(d, "%zu", d->severities[SEVERITY_ERROR]),
				    format_text(d, "%zu", d->severities[SEVERITY_WARNING]),
				    format_text(d, "%zu", d->severities[SEVERITY_NOTE])));
	if (d->left_out)
		fprintf(out, "%s\n",
			fill_phrase(d, PHRASE_LEFT_OUT, format_text(d, "%zu", d->left_out), NULL,
				    NULL));
}

int diagnosis_print(FILE *out, struct diagnosis *d, const struct diagnosis_style *style)
{
	for (size_t i = 0; i < d->count; i++) {
		if (style->brief && !style->notes && d->findings[i]->severity == SEVERITY_NOTE)
			continue;
		print_finding(out, d, d->findings[i], style);
		if (!style->brief && i < EXCERPTS_MOST && d->findings[i]->severity > SEVERITY_NOTE)
			print_excerpt(out, d, d->findings[i], style);
	}
	if (!style->brief)
		print_sums(out, d);
	if (d->incomplete && !style->brief)
		fprintf(out, "%s\n", phrase_text(PHRASE_INCOMPLETE, d->language));
	if (d->model->lost_in_ring && !style->brief)
		fprintf(out, "%s\n", phrase_text(PHRASE_LOSSLESS, d->language));
	return ferror(out) ? -EIO : 0;
}
