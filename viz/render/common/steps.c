// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/render/common/steps.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/base/memory.h"
#include "viz/base/safe_text.h"

enum { NAME_MOST = 40, COMMAND_MOST = 80, LABEL_MOST = 80, PAYLOAD_MOST = 32, DETAIL_MOST = 120 };

const char *render_outsider(const struct scene *scene, enum scene_outsider outsider)
{
	static const char *const words[SCENE_OUTSIDER_COUNT] = {
		[SCENE_UNTRACED] = "(not traced)",
		[SCENE_THE_KERNEL] = "(kernel)",
		[SCENE_NOBODY] = "(nobody)",
	};

	return scene_say(scene, words[outsider]);
}

size_t render_cut(const char *text, size_t most)
{
	size_t i = 0;

	for (; text[i]; i++)
		if (((unsigned char)text[i] & 0xc0) != 0x80 && most-- == 0)
			break;
	return i;
}

char *render_beside(const struct scene *scene, const struct scene_row *row, size_t most)
{
	bool from = row->from == SCENE_OUTSIDE;
	size_t len = render_cut(row->outside, most);

	if (strcmp(row->outside, scene_say(scene, "the kernel")) == 0)
		return memory_format("%s",
				     scene_say(scene, from ? "from the kernel" : "to the kernel"));
	return memory_format("%s %.*s%s", scene_say(scene, from ? "from" : "to"), (int)len,
			     row->outside, row->outside[len] ? "…" : "");
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

	if (*scene_lane_number(lane, number))
		return memory_format("%.*s%s [%s]", len, lane->title, cut, number);
	/* diagram languages need a non-empty name */
	return *lane->title ? memory_format("%.*s%s", len, lane->title, cut) : memory_format("?");
}

char *render_left_out(const struct scene *scene, size_t rows, size_t messages, const char *why)
{
	char count[SCENE_QUANTITY], of[SCENE_QUANTITY];

	return memory_format(
		scene_say(scene, "… %s %s with %s %s left out: %s"),
		scene_say_count(scene, rows, count), scene_say(scene, rows == 1 ? "row" : "rows"),
		scene_say_count(scene, messages, of),
		scene_say(scene, messages == 1 ? "message" : "messages"), scene_say(scene, why));
}

static void put_caption(FILE *out, const struct scene *scene)
{
	char buf[SCENE_QUANTITY];

	fputs("ipclens", out);
	if (*scene->command) {
		fputs(" · ", out);
		put_cut(out, scene->command, COMMAND_MOST);
	}
	if (*scene->traffic)
		fprintf(out, " · %s", scene->traffic);
	else
		fprintf(out, " · %s %s", scene_say_count(scene, scene->messages, buf),
			scene_say(scene, scene->messages == 1 ? "message" : "messages"));
	if (scene->bytes)
		fprintf(out, " (%s)", scene_say_bytes(scene, scene->bytes, buf));
	if (scene->signals)
		fprintf(out, " · %s %s", scene_say_count(scene, scene->signals, buf),
			scene_say(scene, scene->signals == 1 ? "signal" : "signals"));
	fprintf(out, " · %s", scene_say_duration(scene, scene->duration_ns, buf));
}

char *render_caption(const struct scene *scene)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = memory_stream(&text, &len);

	put_caption(out, scene);
	memory_stream_end(out);
	return text;
}

size_t render_messages(const struct scene_row *row)
{
	if (row->kind == SCENE_EXIT)
		return row->to >= 0;
	if (row->kind == SCENE_LOOP || row->kind == SCENE_LOOP_END)
		return 0;
	if ((row->kind != SCENE_MESSAGE && row->kind != SCENE_SIGNAL) ||
	    (row->part == SCENE_SENT && !row->headless) || row->part == SCENE_ENTERS)
		return 0;
	return row->folded + 1;
}

/* --- what a row says --- */

static const char *kind_word(enum scene_kind kind)
{
	static const char *const words[SCENE_KIND_COUNT] = {
		[SCENE_MESSAGE] = "message", [SCENE_SIGNAL] = "signal", [SCENE_EOF] = "EOF",
		[SCENE_CONNECT] = "connect", [SCENE_FORK] = "fork",	[SCENE_EXEC] = "exec",
		[SCENE_MEMORY] = "memory",   [SCENE_EXIT] = "exit",	[SCENE_IDLE] = "idle",
		[SCENE_FAILED] = "failed",   [SCENE_WAITING] = "waits", [SCENE_NOTE] = "",
		[SCENE_FOUND] = "finding",   [SCENE_LOOP] = "loop",	[SCENE_LOOP_END] = "",
		[SCENE_REMOVED] = "removed",
	};

	return words[kind];
}

/*
 * A piece that hangs on another one of its call, and bears no number: its label tells which it is.
 */
static bool is_hanging(const struct scene_row *row)
{
	return (row->tailless || row->headless) && !row->tie &&
	       (row->part == SCENE_SENT || row->part == SCENE_RECEIVED);
}

static void put_part(FILE *out, const struct scene *scene, const struct scene_row *row)
{
	char number[SCENE_NUMBER];

	if (is_hanging(row))
		return;
	switch (row->part) {
	case SCENE_SENT:
		fprintf(out, scene_say(scene, " leaves (#%u)"), row->tie);
		if (row->to >= 0) {
			fputs(scene_say(scene, " for "), out);
			put_cut(out, scene->lanes[row->to].title, NAME_MOST);
			fprintf(out, " [%s]", scene_lane_number(&scene->lanes[row->to], number));
		}
		break;
	case SCENE_RECEIVED:
		fprintf(out, scene_say(scene, " arrives (#%u)"), row->tie);
		break;
	case SCENE_UNREAD:
		fputs(scene_say(scene, " (never received)"), out);
		break;
	case SCENE_DROPPED:
		fputs(scene_say(scene, " (lost)"), out);
		break;
	default:
		break;
	}
}

static void put_words(FILE *out, const struct scene *scene, const struct scene_row *row)
{
	const char *word = *row->label || *row->detail ? "" : kind_word(row->kind);

	fputs(scene_say(scene, row->kind == SCENE_IDLE && *row->label ? "idle " : word), out);
	put_cut(out, row->label, LABEL_MOST);
	if (row->ambiguous)
		putc('?', out);
	put_part(out, scene, row);
	if (*row->outside) {
		char *beside = render_beside(scene, row, NAME_MOST);

		fprintf(out, " %s", beside);
		free(beside);
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
	FILE *out = memory_stream(&text, &len);

	put_words(out, scene, row);
	if (fflush(out) == 0 && len == 0)
		fputs(scene_say(scene, "remark"), out);
	memory_stream_end(out);
	return text;
}

/* --- steps --- */

static enum render_arrow arrow_of(const struct scene_row *row)
{
	bool lost = row->part == SCENE_UNREAD || row->part == SCENE_DROPPED;

	if (row->kind == SCENE_LOOP)
		return RENDER_LOOP;
	if (row->kind == SCENE_LOOP_END)
		return RENDER_LOOP_END;

	if (row->kind > SCENE_FORK || (row->part == SCENE_SENT && !is_hanging(row)) ||
	    (row->from < 0 && row->to < 0) || row->from == SCENE_NOWHERE ||
	    (row->to == SCENE_NOWHERE && !lost))
		return RENDER_NOTE;
	if (lost)
		return RENDER_LOST;
	if (row->part == SCENE_RECEIVED && !is_hanging(row))
		return RENDER_LATE;
	if (row->style == SCENE_NOTIFY)
		return RENDER_NOTIFY;
	return row->style == SCENE_COPY ? RENDER_DATA : RENDER_CONTROL;
}

static void fill(struct render_step *step, enum render_arrow arrow, const struct scene_row *row,
		 char *text)
{
	*step = (struct render_step){arrow, row->from, row->to, text};
	if (arrow == RENDER_NOTE && step->from < 0)
		step->from = row->to;
}

int render_steps(const struct scene *scene, const struct scene_row *row,
		 struct render_step steps[RENDER_STEPS])
{
	fill(&steps[0], arrow_of(row), row, row_words(scene, row));
	if (row->kind != SCENE_EXIT || row->to < 0)
		return 1;
	fill(&steps[1], RENDER_NOTIFY, row,
	     memory_format("%s",
			   *row->notice_label ? row->notice_label : scene_say(scene, "signal")));
	return 2;
}

void render_steps_free(struct render_step *steps, int count)
{
	for (int i = 0; i < count; i++)
		free(steps[i].text);
}
