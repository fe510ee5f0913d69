// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Draws the parts above and below the rows: caption, names of lanes, legend, channels, notes. */
#include "viz/base/memory.h"
#include "viz/render/text/picture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/base/safe_text.h"

void text_paragraph(struct text_page *page, int indent, enum text_colour colour, const char *text)
{
	struct text_canvas *canvas = &page->canvas;
	int column = 0;

	do {
		int room = canvas->width - column;
		int len = text_break(canvas, text, room > 0 ? room : 1);
		char *line = strndup(text, (size_t)len);

		if (line)
			text_put(canvas, column, room, line, colour);
		free(line);
		text_flush(canvas);
		text += len;
		text += strspn(text, " ");
		column = indent < canvas->width / 2 ? indent : 0;
	} while (*text);
}

/* A paragraph that is written as to a file. */
struct paragraph {
	FILE *out;
	char *text;
	size_t len;
};

static FILE *open_paragraph(struct paragraph *p)
{
	*p = (struct paragraph){0};
	p->out = memory_stream(&p->text, &p->len);
	return p->out;
}

static void close_paragraph(struct paragraph *p, struct text_page *page, int indent,
			    enum text_colour colour)
{
	memory_stream_end(p->out);
	text_paragraph(page, indent, colour, p->text);
	free(p->text);
}

static void put_count(const struct scene *scene, FILE *out, uint64_t n, const char *one,
		      const char *many)
{
	char buf[SCENE_QUANTITY];

	fprintf(out, " · %s %s", scene_say_count(scene, n, buf),
		scene_say(scene, n == 1 ? one : many));
}

void text_head(struct text_page *page)
{
	const struct scene *scene = page->scene;
	char buf[SCENE_QUANTITY];
	struct paragraph p;
	FILE *out = open_paragraph(&p);

	fputs("ipclens", out);
	if (*scene->command)
		fprintf(out, " · %s", scene->command);
	put_count(scene, out, scene->process_count, "process", "processes");
	if (scene->thread_count)
		put_count(scene, out, scene->thread_count, "thread", "threads");
	if (scene->channel_total)
		put_count(scene, out, scene->channel_total, "channel", "channels");
	if (*scene->traffic)
		fprintf(out, " · %s", scene->traffic);
	else
		put_count(scene, out, scene->messages, "message", "messages");
	if (scene->bytes)
		fprintf(out, " (%s)", scene_say_bytes(scene, scene->bytes, buf));
	if (scene->signals)
		put_count(scene, out, scene->signals, "signal", "signals");
	fprintf(out, " · %s", scene_say_duration(scene, scene->duration_ns, buf));
	close_paragraph(&p, page, 2, TEXT_BOLD);
}

static const struct {
	const char *utf8, *ascii, *meaning;
} legend[] = {
#define LEGEND(id, utf8, ascii, meaning) [LEGEND_##id] = {utf8, ascii, meaning},
#include "viz/render/text/legend.def"
#undef LEGEND
};

/* Prints the legend; entries are not broken. */
static void put_legend(struct text_page *page)
{
	struct text_canvas *canvas = &page->canvas;
	int column = 0;

	for (int i = 0; i < LEGEND_COUNT; i++) {
		char entry[96];

		if (!(page->legend >> i & 1))
			continue;
		snprintf(entry, sizeof(entry), "  %s %s",
			 canvas->utf8 ? legend[i].utf8 : legend[i].ascii,
			 scene_say(page->scene, legend[i].meaning));
		if (column && column + text_width(canvas, entry) > canvas->width) {
			text_flush(canvas);
			column = 0;
		}
		column += text_put(canvas, column, canvas->width, entry, TEXT_DIM);
	}
	if (column)
		text_flush(canvas);
}

static void put_channel(struct text_page *page, const struct scene_channel *channel)
{
	const struct scene *scene = page->scene;
	const struct scene_row as_row = {.mechanism = channel->mechanism};
	char buf[SCENE_QUANTITY];
	struct paragraph p;
	FILE *out = open_paragraph(&p);

	fprintf(out, "  %s  %s", channel->name, channel->route);
	if (*channel->traffic)
		fprintf(out, "  %s", channel->traffic);
	else
		fprintf(out, "  %s %s", scene_say_count(scene, channel->messages, buf),
			scene_say(scene, channel->messages == 1 ? "message" : "messages"));
	if (channel->bytes)
		fprintf(out, "  %s", scene_say_bytes(scene, channel->bytes, buf));
	if (*channel->latency)
		fprintf(out, "  %s", channel->latency);
	close_paragraph(&p, page, 4, text_row_colour(&as_row));
}

static void put_hidden(struct text_page *page)
{
	const struct scene *scene = page->scene;
	char text[192];

	if (!page->hidden)
		return;
	snprintf(text, sizeof(text),
		 scene_say(scene, "  … %zu %s (%zu %s) among the %zu lanes that did not fit: not "
				  "drawn; a wider --width or --focus shows more"),
		 page->hidden, scene_say(scene, page->hidden == 1 ? "row" : "rows"),
		 page->hidden_messages,
		 scene_say(scene, page->hidden_messages == 1 ? "message" : "messages"),
		 page->layout.grouped);
	text_paragraph(page, 4, TEXT_YELLOW, text);
}

void text_foot(struct text_page *page)
{
	const struct scene *scene = page->scene;

	text_flush(&page->canvas);
	put_legend(page);
	for (size_t i = 0; i < scene->channel_count; i++)
		put_channel(page, &scene->channels[i]);
	put_hidden(page);
	for (size_t i = 0; i < scene->note_count; i++) {
		struct paragraph p;
		FILE *out = open_paragraph(&p);

		fprintf(out, "  ! %s", scene->notes[i]);
		close_paragraph(&p, page, 4, TEXT_YELLOW);
	}
}
