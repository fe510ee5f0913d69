// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "render_sequence.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scene_text.h"

enum { NAME_MOST = 40, COMMAND_MOST = 80, LABEL_MOST = 80, PAYLOAD_MOST = 32, DETAIL_MOST = 120 };

size_t render_cut(const char *text, size_t most)
{
	size_t i = 0;

	for (; text[i]; i++)
		if (((unsigned char)text[i] & 0xc0) != 0x80 && most-- == 0)
			break;
	return i;
}

static void put_cut(FILE *out, const char *text, size_t most)
{
	size_t len = render_cut(text, most);

	fprintf(out, "%.*s%s", (int)len, text, text[len] ? "…" : "");
}

char *render_lane_name(const struct scene_lane *lane)
{
	int len = (int)render_cut(lane->title, NAME_MOST);
	char number[SCENE_NUMBER];
	const char *cut = lane->title[len] ? "…" : "";
	char *name;
	int err;

	if (*scene_lane_number(lane, number))
		err = asprintf(&name, "%.*s%s [%s]", len, lane->title, cut, number);
	else
		err = asprintf(&name, "%.*s%s", len, lane->title, cut);
	if (err == 0) { /* nothing has no place in a diagram's language */
		free(name);
		return strdup("?");
	}
	return err < 0 ? NULL : name;
}

char *render_left_out(size_t rows, size_t messages, const char *why)
{
	char count[SCENE_QUANTITY], of[SCENE_QUANTITY];
	char *text;

	if (asprintf(&text, "… %s row%s with %s message%s left out: %s", scene_count(rows, count),
		     rows == 1 ? "" : "s", scene_count(messages, of), messages == 1 ? "" : "s",
		     why) < 0)
		return NULL;
	return text;
}

static void put_caption(FILE *out, const struct scene *scene)
{
	char buf[SCENE_QUANTITY];

	fputs("ipclens", out);
	if (*scene->command) {
		fputs(" · ", out);
		put_cut(out, scene->command, COMMAND_MOST);
	}
	fprintf(out, " · %s message%s", scene_count(scene->messages, buf),
		scene->messages == 1 ? "" : "s");
	if (scene->bytes)
		fprintf(out, " (%s)", scene_bytes(scene->bytes, buf));
	if (scene->signals)
		fprintf(out, " · %s signal%s", scene_count(scene->signals, buf),
			scene->signals == 1 ? "" : "s");
	fprintf(out, " · %s", scene_duration(scene->duration_ns, buf));
}

char *render_caption(const struct scene *scene)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	put_caption(out, scene);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

size_t render_messages(const struct scene_row *row)
{
	if (row->kind == SCENE_EXIT)
		return row->to >= 0;
	if (row->kind == SCENE_LOOP || row->kind == SCENE_LOOP_END)
		return 0;
	if ((row->kind != SCENE_MESSAGE && row->kind != SCENE_SIGNAL) || row->part == SCENE_SENT ||
	    row->part == SCENE_ENTERS)
		return 0;
	return row->folded + 1;
}

/* --- what a row says --- */

static const char *kind_word(enum scene_kind kind)
{
	static const char *const words[SCENE_KIND_COUNT] = {
		[SCENE_MESSAGE] = "message", [SCENE_SIGNAL] = "signal", [SCENE_EOF] = "EOF",
		[SCENE_CONNECT] = "connect", [SCENE_FORK] = "fork",	[SCENE_EXEC] = "exec",
		[SCENE_EXIT] = "exit",	     [SCENE_IDLE] = "idle",	[SCENE_FAILED] = "failed",
		[SCENE_WAITING] = "waits",   [SCENE_NOTE] = "",		[SCENE_FOUND] = "finding",
		[SCENE_LOOP] = "loop",	     [SCENE_LOOP_END] = "",
	};

	return words[kind];
}

static void put_part(FILE *out, const struct scene *scene, const struct scene_row *row)
{
	char number[SCENE_NUMBER];

	switch (row->part) {
	case SCENE_SENT:
		fprintf(out, " leaves (#%u)", row->tie);
		if (row->to >= 0) {
			fputs(" for ", out);
			put_cut(out, scene->lanes[row->to].title, NAME_MOST);
			fprintf(out, " [%s]", scene_lane_number(&scene->lanes[row->to], number));
		}
		break;
	case SCENE_RECEIVED:
		fprintf(out, " arrives (#%u)", row->tie);
		break;
	case SCENE_UNREAD:
		fputs(" (never received)", out);
		break;
	case SCENE_DROPPED:
		fputs(" (lost)", out);
		break;
	default:
		break;
	}
}

static void put_words(FILE *out, const struct scene *scene, const struct scene_row *row)
{
	const char *word = *row->label || *row->detail ? "" : kind_word(row->kind);

	fputs(row->kind == SCENE_IDLE && *row->label ? "idle " : word, out);
	put_cut(out, row->label, LABEL_MOST);
	if (row->ambiguous)
		putc('?', out);
	put_part(out, scene, row);
	if (*row->outside) {
		fputs(row->from == SCENE_OUTSIDE ? " from " : " to ", out);
		put_cut(out, row->outside, NAME_MOST);
	}
	if (*row->payload) {
		putc(' ', out);
		put_cut(out, row->payload, PAYLOAD_MOST);
	}
	if (*row->detail && (row->important || !*row->payload)) {
		fputs(*row->label ? " · " : "", out);
		put_cut(out, row->detail, DETAIL_MOST);
	}
}

static char *row_words(const struct scene *scene, const struct scene_row *row)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	put_words(out, scene, row);
	if (fclose(out) == 0 && len > 0)
		return text;
	free(text);
	return len ? NULL : strdup("remark");
}

/* --- steps --- */

static enum render_arrow arrow_of(const struct scene_row *row)
{
	bool lost = row->part == SCENE_UNREAD || row->part == SCENE_DROPPED;

	if (row->kind == SCENE_LOOP)
		return RENDER_LOOP;
	if (row->kind == SCENE_LOOP_END)
		return RENDER_LOOP_END;

	if (row->kind > SCENE_FORK || row->part == SCENE_SENT || (row->from < 0 && row->to < 0) ||
	    row->from == SCENE_NOWHERE || (row->to == SCENE_NOWHERE && !lost))
		return RENDER_NOTE;
	if (lost)
		return RENDER_LOST;
	if (row->part == SCENE_RECEIVED)
		return RENDER_LATE;
	if (row->style == SCENE_NOTIFY)
		return RENDER_NOTIFY;
	return row->style == SCENE_COPY ? RENDER_DATA : RENDER_CONTROL;
}

static int fill(struct render_step *step, enum render_arrow arrow, const struct scene_row *row,
		char *text)
{
	*step = (struct render_step){arrow, row->from, row->to, text};
	if (arrow == RENDER_NOTE && step->from < 0)
		step->from = row->to;
	return text ? 0 : -ENOMEM;
}

int render_steps(const struct scene *scene, const struct scene_row *row,
		 struct render_step steps[RENDER_STEPS])
{
	if (fill(&steps[0], arrow_of(row), row, row_words(scene, row)))
		return -ENOMEM;
	if (row->kind != SCENE_EXIT || row->to < 0)
		return 1;
	if (fill(&steps[1], RENDER_NOTIFY, row, strdup(*row->told ? row->told : "signal"))) {
		render_steps_free(steps, 1);
		return -ENOMEM;
	}
	return 2;
}

void render_steps_free(struct render_step *steps, int count)
{
	for (int i = 0; i < count; i++)
		free(steps[i].text);
}
