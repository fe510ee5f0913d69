// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Writes a sequence diagram for Markdown, as GitHub, GitLab and others draw it:
 * https://mermaid.js.org. Mermaid refuses texts of more than 50,000 characters (its maxTextSize,
 * which a diagram cannot raise), so a longer one ends early and says what is left out. Names are
 * aliases only; the identifiers are P0, P1, …, and any text that Mermaid might interpret is escaped
 * as in #35;.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "viz/base/memory.h"
#include "viz/render/common/lives.h"
#include "viz/render/common/steps.h"
#include "viz/render/render.h"

/* Sizes in bytes, which are not fewer than characters. */
enum { SIZE_MOST = 48000, NOTES_MOST = 24, NOTE_MOST = 160, LANES_ALWAYS = 40 };

struct mermaid {
	const struct scene *scene;
	bool *used;		   /* [lane]: in the picture; the last are enum scene_outsider */
	size_t first;		   /* first used lane that is there from the top */
	size_t last;		   /* the last one; SIZE_MAX: none */
	size_t size;		   /* bytes chosen so far */
	size_t rows;		   /* rows that are shown */
	struct render_life *lives; /* [lane] */
};

/* Escapes text. The characters left plain have no meaning inside a text, even doubled. */
static void put_escaped(FILE *out, const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789 .,_-/()[]+=!?'\"|";

	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p >= 0x80 || strchr(plain, *p))
			putc(*p, out);
		else
			fprintf(out, "#%d;", *p);
	}
}

/* Writes and frees the text. */
static void put_owned(FILE *out, char *text)
{
	put_escaped(out, text);
	free(text);
}

static void put_note_head(FILE *out, const struct mermaid *m)
{
	if (m->first == m->last)
		fprintf(out, "    Note over P%zu: ", m->first);
	else
		fprintf(out, "    Note over P%zu,P%zu: ", m->first, m->last);
}

static void put_note(struct mermaid *m, FILE *out, const char *text)
{
	size_t len = render_cut(text, NOTE_MOST);

	put_note_head(out, m);
	put_owned(out, memory_format("%.*s%s", (int)len, text, text[len] ? "…" : ""));
	putc('\n', out);
}

static void put_participant_as(struct mermaid *m, FILE *out, const char *before, size_t lane)
{
	fprintf(out, "%sparticipant P%zu as ", before, lane);
	if (lane < m->scene->lane_count)
		put_owned(out, render_lane_name(&m->scene->lanes[lane]));
	else
		fprintf(out, "%s",
			render_outsider(m->scene,
					(enum scene_outsider)(lane - m->scene->lane_count)));
	putc('\n', out);
}

static void put_participant(struct mermaid *m, FILE *out, size_t lane)
{
	put_participant_as(m, out, "    ", lane);
}

/* --- rows --- */

/* Returns the participant of a row's end. Those without a lane come after the others. */
static size_t participant(const struct mermaid *m, int end, enum scene_outsider outsider)
{
	return end < 0 ? m->scene->lane_count + outsider : (size_t)end;
}

static void put_arrow(struct mermaid *m, FILE *out, const struct render_step *step,
		      enum scene_outsider outsider)
{
	static const char *const heads[RENDER_ARROW_COUNT] = {
		[RENDER_DATA] = "->>",	[RENDER_CONTROL] = "-)", [RENDER_NOTIFY] = "--)",
		[RENDER_LATE] = "-->>", [RENDER_LOST] = "-x",
	};
	size_t from = participant(m, step->from, outsider);
	size_t to = step->to == SCENE_NOWHERE ? from : participant(m, step->to, outsider);

	fprintf(out, "    P%zu%sP%zu: ", from, heads[step->arrow], to);
}

static void put_step(struct mermaid *m, FILE *out, const struct render_step *step,
		     enum scene_outsider outsider)
{
	if (step->arrow == RENDER_LOOP_END) {
		fputs("    end\n", out);
		return;
	}
	if (step->arrow == RENDER_LOOP)
		fputs("    loop ", out);
	else if (step->arrow != RENDER_NOTE)
		put_arrow(m, out, step, outsider);
	else if (step->from >= 0)
		fprintf(out, "    Note over P%d: ", step->from);
	else
		put_note_head(out, m);
	put_escaped(out, step->text);
	putc('\n', out);
}

static char *row_text(struct mermaid *m, const struct scene_row *row, size_t *len)
{
	struct render_step steps[RENDER_STEPS];
	int count = render_steps(m->scene, row, steps);
	size_t index = (size_t)(row - m->scene->rows);
	char *text = NULL;
	FILE *out = memory_stream(&text, len);

	if (row->to >= 0 && m->lives[row->to].created == index) {
		fputs("    create", out);
		put_participant_as(m, out, " ", (size_t)row->to);
	}
	for (int i = 0; i < count; i++) {
		if (i == 1 && m->lives[row->from].destroyed == index)
			fprintf(out, "    destroy P%d\n", row->from);
		put_step(m, out, &steps[i], row->outsider);
	}
	memory_stream_end(out);
	render_steps_free(steps, count);
	return text;
}

/* Writes the caption above the rows, or the notes below them. */
static void put_around(struct mermaid *m, FILE *out, size_t caption)
{
	const struct scene *scene = m->scene;

	if (caption) {
		fputs("sequenceDiagram\n    title ", out);
		put_owned(out, render_caption(scene));
		putc('\n', out);
		return;
	}
	for (size_t i = 0; i < scene->note_count && i < NOTES_MOST; i++)
		put_note(m, out, scene->notes[i]);
	if (scene->note_count > NOTES_MOST)
		put_note(m, out, scene_say(scene, "… and more remarks"));
}

/* --- selection by size --- */

static size_t measure(struct mermaid *m, void (*put)(struct mermaid *, FILE *, size_t), size_t what)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = memory_stream(&text, &len);

	put(m, out, what);
	memory_stream_end(out);
	free(text);
	return len;
}

static bool is_created(const struct mermaid *m, size_t lane)
{
	return lane < m->scene->lane_count && m->lives[lane].created != SCENE_NO_ROW;
}

static void use(struct mermaid *m, size_t lane)
{
	if (m->used[lane])
		return;
	m->used[lane] = true;
	m->size += measure(m, put_participant, lane);
	if (is_created(m, lane))
		return; /* a note over it, before it is created, is refused */
	if (lane < m->first)
		m->first = lane;
	if (m->last == SIZE_MAX || lane > m->last)
		m->last = lane;
}

static void use_ends(struct mermaid *m, const struct scene_row *row)
{
	if (row->from != SCENE_NOWHERE)
		use(m, participant(m, row->from, row->outsider));
	if (row->to != SCENE_NOWHERE)
		use(m, participant(m, row->to, row->outsider));
}

/* Chooses rows from the first one on, with the lanes that they touch, until the size limit. */
static void choose(struct mermaid *m)
{
	const struct scene *scene = m->scene;

	m->size = measure(m, put_around, true) + measure(m, put_around, false);
	if (scene->lane_count <= LANES_ALWAYS)
		for (size_t i = 0; i < scene->lane_count; i++)
			use(m, i);
	for (; m->rows < scene->row_count; m->rows++) {
		size_t len = 0;

		use_ends(m, &scene->rows[m->rows]);
		free(row_text(m, &scene->rows[m->rows], &len));
		m->size += len;
		if (m->size > SIZE_MOST)
			break;
	}
	if (m->last == SIZE_MAX)
		use(m, scene->lane_count);
}

/* --- the whole --- */

static void put_left_out(struct mermaid *m, FILE *out)
{
	size_t messages = 0;
	char *text;

	if (m->rows == m->scene->row_count)
		return;
	for (size_t i = m->rows; i < m->scene->row_count; i++)
		messages += render_messages(&m->scene->rows[i]);
	text = render_left_out(m->scene, m->scene->row_count - m->rows, messages,
			       "Mermaid takes 50,000 characters; filters choose others");
	put_note(m, out, text);
	free(text);
}

static void put_lanes_left_out(struct mermaid *m, FILE *out)
{
	char text[80];
	size_t unused = 0;

	for (size_t i = 0; i < m->scene->lane_count; i++)
		unused += !m->used[i];
	if (!unused)
		return;
	snprintf(text, sizeof(text), scene_say(m->scene, "%zu processes of which nothing is shown"),
		 unused);
	put_note(m, out, text);
}

static void put_diagram(struct mermaid *m, FILE *out)
{
	int depth = 0;

	put_around(m, out, true);
	for (size_t i = 0; i < m->scene->lane_count + SCENE_OUTSIDER_COUNT; i++)
		if (m->used[i] && !(is_created(m, i) && m->lives[i].created < m->rows))
			put_participant(m, out, i);
	for (size_t i = 0; i < m->rows; i++) {
		size_t len = 0;
		char *text = row_text(m, &m->scene->rows[i], &len);

		fputs(text, out);
		free(text);
		depth += m->scene->rows[i].kind == SCENE_LOOP;
		depth -= m->scene->rows[i].kind == SCENE_LOOP_END;
	}
	while (depth-- > 0) /* if the diagram ends within a loop */
		fputs("    end\n", out);
	put_left_out(m, out);
	put_lanes_left_out(m, out);
	put_around(m, out, false);
}

int render_mermaid(FILE *out, const struct scene *scene, const struct render_options *options)
{
	struct mermaid m = {.scene = scene, .first = SIZE_MAX, .last = SIZE_MAX};

	(void)options;
	m.lives = render_lives(scene);
	m.used = memory_array(scene->lane_count + SCENE_OUTSIDER_COUNT, sizeof(*m.used));
	choose(&m);
	put_diagram(&m, out);
	free(m.used);
	free(m.lives);
	return ferror(out) ? -EIO : 0;
}
