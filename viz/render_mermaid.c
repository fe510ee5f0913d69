// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A sequence diagram for Markdown, as GitHub, GitLab and others draw it: https://mermaid.js.org.
 * Mermaid refuses texts of more than 50,000 characters (its maxTextSize, which a diagram cannot
 * raise), so a longer one ends early and says what is left out. Names are only ever aliases: the
 * identifiers are P0, P1, …, and of the text all that Mermaid might read is written as #35; is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "render.h"
#include "render_sequence.h"

/* Sizes in bytes, which are not fewer than characters. */
enum { SIZE_MOST = 48000, NOTES_MOST = 24, NOTE_MOST = 160, LANES_ALWAYS = 40 };

struct mermaid {
	const struct scene *scene;
	bool *used;   /* [lane]: it is in the picture; the last one is what is not traced */
	size_t first; /* of those used */
	size_t last;  /* SIZE_MAX: none */
	size_t size;  /* of what is chosen so far */
	size_t rows;  /* that are shown */
	bool failed;
};

/* What is left as it is has no meaning inside a text, even doubled. */
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

/* Takes the text. */
static void put_owned(struct mermaid *m, FILE *out, char *text)
{
	m->failed |= !text;
	put_escaped(out, text ? text : "");
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
	char *cut = NULL;

	put_note_head(out, m);
	put_owned(m, out,
		  asprintf(&cut, "%.*s%s", (int)len, text, text[len] ? "…" : "") < 0 ? NULL : cut);
	putc('\n', out);
}

static void put_participant(struct mermaid *m, FILE *out, size_t lane)
{
	fprintf(out, "    participant P%zu as ", lane);
	if (lane < m->scene->lane_count)
		put_owned(m, out, render_lane_name(&m->scene->lanes[lane]));
	else
		fputs("(not traced)", out);
	putc('\n', out);
}

/* --- rows --- */

/* What is not traced is one participant behind the others. */
static size_t participant(const struct mermaid *m, int end)
{
	return end < 0 ? m->scene->lane_count : (size_t)end;
}

static void put_arrow(struct mermaid *m, FILE *out, const struct render_step *step)
{
	static const char *const heads[RENDER_ARROW_COUNT] = {
		[RENDER_DATA] = "->>",	[RENDER_CONTROL] = "-)", [RENDER_NOTIFY] = "--)",
		[RENDER_LATE] = "-->>", [RENDER_LOST] = "-x",
	};
	size_t from = participant(m, step->from);
	size_t to = step->to == SCENE_NOWHERE ? from : participant(m, step->to);

	fprintf(out, "    P%zu%sP%zu: ", from, heads[step->arrow], to);
}

static void put_step(struct mermaid *m, FILE *out, const struct render_step *step)
{
	if (step->arrow == RENDER_LOOP_END) {
		fputs("    end\n", out);
		return;
	}
	if (step->arrow == RENDER_LOOP)
		fputs("    loop ", out);
	else if (step->arrow != RENDER_NOTE)
		put_arrow(m, out, step);
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
	char *text = NULL;
	FILE *out = open_memstream(&text, len);

	m->failed |= count < 0 || !out;
	for (int i = 0; out && i < count; i++)
		put_step(m, out, &steps[i]);
	if (out && fclose(out))
		m->failed = true;
	render_steps_free(steps, count);
	return text;
}

/* Around the rows: the caption, or what is missing. */
static void put_around(struct mermaid *m, FILE *out, size_t caption)
{
	const struct scene *scene = m->scene;

	if (caption) {
		fputs("sequenceDiagram\n    title ", out);
		put_owned(m, out, render_caption(scene));
		putc('\n', out);
		return;
	}
	for (size_t i = 0; i < scene->note_count && i < NOTES_MOST; i++)
		put_note(m, out, scene->notes[i]);
	if (scene->note_count > NOTES_MOST)
		put_note(m, out, "… and more remarks");
}

/* --- what there is room for --- */

static size_t measure(struct mermaid *m, void (*put)(struct mermaid *, FILE *, size_t), size_t what)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (out) {
		put(m, out, what);
		fclose(out);
	}
	m->failed |= !text;
	free(text);
	return len;
}

static void use(struct mermaid *m, size_t lane)
{
	if (m->used[lane])
		return;
	m->used[lane] = true;
	if (lane < m->first)
		m->first = lane;
	if (m->last == SIZE_MAX || lane > m->last)
		m->last = lane;
	m->size += measure(m, put_participant, lane);
}

static void use_ends(struct mermaid *m, const struct scene_row *row)
{
	if (row->from != SCENE_NOWHERE)
		use(m, participant(m, row->from));
	if (row->to != SCENE_NOWHERE)
		use(m, participant(m, row->to));
}

/* Rows from the first one on, with the lanes that they touch. */
static void choose(struct mermaid *m)
{
	const struct scene *scene = m->scene;

	m->size = measure(m, put_around, true) + measure(m, put_around, false);
	if (scene->lane_count <= LANES_ALWAYS)
		for (size_t i = 0; i < scene->lane_count; i++)
			use(m, i);
	for (; m->rows < scene->row_count && !m->failed; m->rows++) {
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
	text = render_left_out(m->scene->row_count - m->rows, messages,
			       "Mermaid takes 50,000 characters; filters choose others");
	m->failed |= !text;
	if (text)
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
	snprintf(text, sizeof(text), "%zu processes of which nothing is shown", unused);
	put_note(m, out, text);
}

static void put_diagram(struct mermaid *m, FILE *out)
{
	int depth = 0;

	put_around(m, out, true);
	for (size_t i = 0; i <= m->scene->lane_count; i++)
		if (m->used[i])
			put_participant(m, out, i);
	for (size_t i = 0; i < m->rows; i++) {
		size_t len = 0;
		char *text = row_text(m, &m->scene->rows[i], &len);

		fputs(text ? text : "", out);
		free(text);
		depth += m->scene->rows[i].kind == SCENE_LOOP;
		depth -= m->scene->rows[i].kind == SCENE_LOOP_END;
	}
	while (depth-- > 0) /* it ends within a loop */
		fputs("    end\n", out);
	put_left_out(m, out);
	put_lanes_left_out(m, out);
	put_around(m, out, false);
}

int render_mermaid(FILE *out, const struct scene *scene, const struct render_options *options)
{
	struct mermaid m = {.scene = scene, .first = SIZE_MAX, .last = SIZE_MAX};

	(void)options;
	m.used = calloc(scene->lane_count + 1, sizeof(*m.used));
	if (!m.used)
		return -ENOMEM;
	choose(&m);
	if (!m.failed)
		put_diagram(&m, out);
	free(m.used);
	if (m.failed)
		return -ENOMEM;
	return ferror(out) ? -EIO : 0;
}
