// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Writes a sequence diagram for PlantUML, https://plantuml.com: `plantuml -charset UTF-8 -tsvg`.
 * Names are only used in quotes, the identifiers are P0, P1, …, and any text that PlantUML's markup
 * or preprocessor might interpret is escaped as in <U+0023>.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "viz/base/memory.h"
#include "viz/render/common/lives.h"
#include "viz/render/common/palette.h"
#include "viz/render/common/steps.h"
#include "viz/render/render.h"

enum { NOTE_MOST = 160 };

struct plantuml {
	const struct scene *scene;
	struct render_life *lives; /* [lane] */
	FILE *out;
};

/* Characters of `single` only have a meaning if doubled, as in --this--. */
static bool is_plain(unsigned char c, unsigned char before)
{
	static const char always[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789 ,()?";
	static const char single[] = "-_./[]:";

	return c >= 0x80 || strchr(always, c) || (strchr(single, c) && c != before);
}

static void put_escaped(FILE *out, const char *text)
{
	unsigned char before = 0;

	for (const unsigned char *p = (const unsigned char *)text; *p; before = *p++) {
		if (is_plain(*p, before))
			putc(*p, out);
		else
			fprintf(out, "<U+%04X>", *p);
	}
}

/* Writes and frees the text. */
static void put_owned(struct plantuml *p, char *text)
{
	put_escaped(p->out, text);
	free(text);
}

/* A note needs a participant to be over, so P0 exists even without a process. */
static void put_note_head(struct plantuml *p)
{
	if (p->scene->lane_count < 2)
		fputs("note over P0 : ", p->out);
	else
		fprintf(p->out, "note over P0, P%zu : ", p->scene->lane_count - 1);
}

static const char *participant_word(enum scene_lane_kind kind)
{
	if (kind == SCENE_LANE_MEMORY)
		return "database";
	return kind >= SCENE_LANE_KERNEL ? "queue" : "participant";
}

static void put_participants(struct plantuml *p)
{
	for (size_t i = 0; i < p->scene->lane_count; i++) {
		fprintf(p->out, "%s \"", participant_word(p->scene->lanes[i].kind));
		put_owned(p, render_lane_name(&p->scene->lanes[i]));
		fprintf(p->out, "\" as P%zu\n", i);
	}
	if (!p->scene->lane_count)
		fprintf(p->out, "participant \"%s\" as P0\n", scene_say(p->scene, "(no process)"));
}

/* The arrow's shape depends on its ends: [o-> comes from outside, ->o] goes there. */
static void put_arrow(struct plantuml *p, const struct render_step *step,
		      const struct scene_row *row)
{
	static const struct {
		const char *line, *head;
	} shapes[RENDER_ARROW_COUNT] = {
		[RENDER_DATA] = {"-", ">"},	[RENDER_CONTROL] = {"-", ">>"},
		[RENDER_NOTIFY] = {"--", ">>"}, [RENDER_LATE] = {"--", ">"},
		[RENDER_LOST] = {"-", ">x"},
	};
	const char *colour = render_colours(render_family(row->mechanism))->light;
	const char *line = shapes[step->arrow].line;
	const char *head = shapes[step->arrow].head;

	if (step->from >= 0)
		fprintf(p->out, "P%d %.1s[%s]%s%s", step->from, line, colour, line + 1, head);
	else
		fprintf(p->out, "[o%.1s[%s]%s%s", line, colour, line + 1, head);
	if (step->to >= 0)
		fprintf(p->out, " P%d : ", step->to);
	else
		fprintf(p->out, "%s] : ", step->arrow == RENDER_LOST ? "" : "o");
}

static void put_step(struct plantuml *p, const struct render_step *step,
		     const struct scene_row *row)
{
	if (step->arrow == RENDER_LOOP_END) {
		fputs("end\n", p->out);
		return;
	}
	if (step->arrow == RENDER_LOOP)
		fputs("loop ", p->out);
	else if (step->arrow != RENDER_NOTE)
		put_arrow(p, step, row);
	else if (step->from >= 0)
		fprintf(p->out, "note over P%d : ", step->from);
	else
		put_note_head(p);
	put_escaped(p->out, step->text);
	putc('\n', p->out);
}

static void put_row(struct plantuml *p, const struct scene_row *row)
{
	struct render_step steps[RENDER_STEPS];
	int count = render_steps(p->scene, row, steps);
	size_t index = (size_t)(row - p->scene->rows);

	if (row->to >= 0 && p->lives[row->to].created == index)
		fprintf(p->out, "create P%d\n", row->to);
	for (int i = 0; i < count; i++)
		put_step(p, &steps[i], row);
	render_steps_free(steps, count);
	if (row->from >= 0 && p->lives[row->from].destroyed == index)
		fprintf(p->out, "destroy P%d\n", row->from);
}

static void put_notes(struct plantuml *p)
{
	for (size_t i = 0; i < p->scene->note_count; i++) {
		const char *note = p->scene->notes[i];
		size_t len = render_cut(note, NOTE_MOST);

		put_note_head(p);
		put_owned(p, memory_format("%.*s", (int)len, note));
		fputs(note[len] ? "…\n" : "\n", p->out);
	}
}

int render_plantuml(FILE *out, const struct scene *scene, const struct render_options *options)
{
	struct plantuml p = {.scene = scene, .lives = render_lives(scene), .out = out};

	(void)options;
	fputs("@startuml\ntitle ", out);
	put_owned(&p, render_caption(scene));
	putc('\n', out);
	put_participants(&p);
	for (size_t i = 0; i < scene->row_count; i++)
		put_row(&p, &scene->rows[i]);
	put_notes(&p);
	fputs("@enduml\n", out);
	free(p.lives);
	return ferror(out) ? -EIO : 0;
}
