// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The text picture, of many scenes made by chance and in all widths: nothing is wider than it may
 * be, no lifeline drifts, no control character leaves, every arrow that is told is drawn.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "tests/unit/scene_random.h"
#include "viz/render/render.h"
#include "viz/render/text/layout.h"

enum { SCENES = 400, WIDTH_MOST = 256, CONTINUED = 1 };

static char *draw(const struct scene *scene, const struct render_options *options)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(render_text(out, scene, options), 0);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(strlen(text), len);
	return text;
}

/* One line as what stands in each column: 0 beyond its end. */
struct line {
	wchar_t cells[WIDTH_MOST + 1];
	int width;
};

/* The line that begins at `text`; gives where the next one does, NULL at the end. */
static const char *read_line(const char *text, struct line *line)
{
	mbstate_t state = {0};

	memset(line, 0, sizeof(*line));
	while (*text && *text != '\n') {
		wchar_t c;
		size_t n = mbrtowc(&c, text, 4, &state);
		int width;

		assert_true(n > 0 && n <= 4);
		width = wcwidth(c);
		assert_true(width >= 0); /* negative: a control character */
		assert_true(line->width + width <= WIDTH_MOST);
		if (width > 0)
			line->cells[line->width] = c;
		if (width == 2)
			line->cells[line->width + 1] = CONTINUED;
		line->width += width;
		text += n;
	}
	return *text ? text + 1 : NULL;
}

static void no_control_characters(const char *text, bool colour)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		assert_true(*p >= 0x20 || *p == '\n' || (colour && *p == 0x1b));
		assert_int_not_equal(*p, 0x7f);
		assert_false(p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0);
		assert_false(memcmp(p, "\xe2\x80\xae", strnlen((const char *)p, 3)) == 0 && p[2]);
	}
}

static void no_wider_than(const char *text, int width)
{
	struct line line;

	for (; text && *text; text = read_line(text, &line)) {
		read_line(text, &line);
		assert_true(line.width <= width);
	}
}

/* Of SGR escapes only, which is all that colour may add. */
static void strip_colour(char *text)
{
	char *out = text;

	for (const char *p = text; *p;) {
		if (*p != 0x1b) {
			*out++ = *p++;
			continue;
		}
		assert_int_equal(p[1], '[');
		p += 2 + strspn(p + 2, "0123456789;");
		assert_int_equal(*p++, 'm');
	}
	*out = '\0';
}

/* --- lanes and arrows --- */

static bool is_one_of(wchar_t c, const wchar_t *set)
{
	return c && wcschr(set, c);
}

static const wchar_t *lane_glyphs(bool utf8)
{
	return utf8 ? L"│┃┊░▒┬╳◆◇✗⊗!┿┝┥┼├┤" : L"|:#%H+X@*!0";
}

static int count_heads(const struct line *line, int end, bool utf8)
{
	int count = 0;

	for (int i = 0; i < end; i++)
		count += is_one_of(line->cells[i], utf8 ? L"▶◀▷◁" : L"<>");
	return count;
}

static int heads_expected(const struct scene_row *row)
{
	if (row->from == SCENE_NOWHERE || (row->to == SCENE_NOWHERE && row->part == SCENE_WHOLE))
		return 0;
	return !row->headless && (row->part == SCENE_WHOLE || row->part == SCENE_RECEIVED ||
				  row->part == SCENE_ENTERS);
}

static bool lives(const struct scene_lane *lane, size_t row, bool below)
{
	return row >= lane->first_row && row <= lane->last_row &&
	       !(below && lane->ended && row == lane->last_row);
}

struct check {
	const struct scene *scene;
	const struct render_options *options;
	struct text_layout layout;
	size_t row; /* next to come */
	size_t messages;
};

static bool is_box(const struct check *c, wint_t cell)
{
	return is_one_of(cell, c->options->utf8 ? L"╭╮╰╯─┬│╔╗╚╝═╤║" : L"+-|=");
}

/* A lane's line, unless a box is there: of a lane that comes in this row or the next. */
static void lanes_in_place(const struct check *c, const struct line *line, size_t row, bool below)
{
	for (size_t i = 0; i < c->layout.slot_count; i++) {
		const struct text_slot *slot = &c->layout.slots[i];
		int lane = text_lane_at(&c->layout, c->scene, i, row);
		wint_t cell = line->cells[slot->column];

		if (!slot->shared && (lane < 0 || !lives(&c->scene->lanes[lane], row, below)))
			continue;
		if (!slot->shared && c->scene->lanes[lane].first_row >= row)
			continue;
		if (below && text_lane_at(&c->layout, c->scene, i, c->row) != lane)
			continue;
		assert_true(is_one_of(cell, lane_glyphs(c->options->utf8)) || is_box(c, cell));
	}
}

/* A brace's side, two columns from its lane, or what crosses it; nothing else may stand there. */
static void side_in_place(const struct check *c, const struct line *line,
			  const struct scene_row *row, bool tail)
{
	int from = c->layout.slots[c->layout.slot_of[row->from]].column;
	int to = c->layout.slots[c->layout.slot_of[row->to]].column;
	int column = tail ? from : to;

	if (from == to)
		return; /* both are in the shared slot */
	column += (from < to) == tail ? 2 : -2;
	assert_true(is_one_of(line->cells[column], c->options->utf8 ? L"┃┿┼" : L"|"));
}

/* What hangs together does so through all lines between, whatever else is drawn there. */
static void braces_in_place(const struct check *c, const struct line *line, size_t row, bool below)
{
	for (size_t i = 0; i < row + below; i++) {
		const struct scene_row *r = &c->scene->rows[i];

		if (r->tail.below != SCENE_NO_ROW && r->tail.below > row)
			side_in_place(c, line, r, true);
		if (r->head.below != SCENE_NO_ROW && r->head.below > row)
			side_in_place(c, line, r, false);
	}
}

static bool begins_row(const struct check *c, const struct line *line)
{
	int i = 0;

	while (line->cells[i] == (c->options->utf8 ? L'│' : L'|')) /* of loops */
		i++;
	for (; i < c->layout.time_width; i++)
		if (line->cells[i] && line->cells[i] != L' ')
			return true;
	return false;
}

static void skip_hidden(struct check *c)
{
	while (c->row < c->scene->row_count && text_row_hidden(&c->layout, &c->scene->rows[c->row]))
		c->row++;
}

static void check_row_line(struct check *c, const struct line *line)
{
	if (!begins_row(c, line)) {
		if (c->row == 0) /* it is the box of who is born in the first row */
			return;
		lanes_in_place(c, line, c->row - 1, true);
		braces_in_place(c, line, c->row - 1, true);
		return;
	}
	skip_hidden(c);
	assert_true(c->row < c->scene->row_count);
	lanes_in_place(c, line, c->row, false);
	braces_in_place(c, line, c->row, false);
	/* Labels are hostile, too: in ASCII they may hold < and >. */
	if (c->options->utf8)
		assert_int_equal(
			count_heads(line, c->layout.detail ? c->layout.detail : c->options->width,
				    true),
			heads_expected(&c->scene->rows[c->row]));
	c->row++;
}

static bool has_lower_edge(const struct check *c, const struct line *line)
{
	for (int i = c->layout.time_width; i < line->width; i++)
		if (is_one_of(line->cells[i], c->options->utf8 ? L"╰╚" : L"+"))
			return true;
	return false;
}

/* The rows stand between the boxes' lower edge and the first empty line. */
static void check_rows(struct check *c, const char *text)
{
	struct line line = {0};
	bool inside = false;

	while (text) {
		text = read_line(text, &line);
		if (inside && line.width == 0)
			break;
		if (inside)
			check_row_line(c, &line);
		if (!inside)
			inside = has_lower_edge(c, &line) && begins_row(c, &line);
	}
	skip_hidden(c);
	assert_true(inside);
	assert_int_equal(c->row, c->scene->row_count);
}

static void lay_out(struct check *c)
{
	struct text_canvas canvas;

	text_canvas_begin(&canvas, stdout, c->options->width, c->options->utf8, false);
	text_layout_make(&c->layout, c->scene, &canvas);
	text_canvas_end(&canvas);
}

static void check_picture(const struct scene *scene, const struct render_options *options)
{
	struct check c = {.scene = scene, .options = options};
	char *text = draw(scene, options);

	no_control_characters(text, false);
	no_wider_than(text, options->width);
	lay_out(&c);
	if (!c.layout.lines && !options->plain && scene->row_count)
		check_rows(&c, text);
	text_layout_free(&c.layout);
	free(text);
}

static void pictures_are_aligned(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SCENES; seed++) {
		struct scene *scene = random_scene(seed, 1 + seed % 30, seed % 50);
		struct render_options options = {.width = 40 + (int)(seed * 7 % 161),
						 .utf8 = seed % 4 != 0};

		check_picture(scene, &options);
		scene_free(scene);
	}
}

static void braces_run_through(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SCENES; seed++) {
		struct scene *scene = random_scene_of_pieces(seed, 1 + seed % 12, 30 + seed % 50);
		struct render_options options = {.width = 70 + (int)(seed * 7 % 131),
						 .utf8 = seed % 4 != 0};

		check_picture(scene, &options);
		scene_free(scene);
	}
}

static void narrow_is_one_line_a_row(void **state)
{
	(void)state;
	for (int width = 20; width < 60; width++) {
		struct scene *scene = random_scene((uint64_t)width, 5, 20);
		struct render_options options = {.width = width, .utf8 = true};
		struct render_options dumb = {.width = 100, .utf8 = true, .plain = true};

		check_picture(scene, &options);
		check_picture(scene, &dumb);
		scene_free(scene);
	}
}

static void colour_adds_nothing_else(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 50; seed++) {
		struct scene *scene = random_scene(seed, 6, 30);
		struct render_options options = {.width = 60 + (int)seed * 2, .utf8 = true};
		char *plain = draw(scene, &options);
		char *coloured;

		options.colour = true;
		coloured = draw(scene, &options);
		no_control_characters(coloured, true);
		assert_non_null(strstr(coloured, "\x1b["));
		strip_colour(coloured);
		assert_string_equal(coloured, plain);
		free(plain);
		free(coloured);
		scene_free(scene);
	}
}

static void ascii_is_ascii(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 50; seed++) {
		struct scene *scene = random_scene(seed, 8, 30);
		struct render_options options = {.width = 50 + (int)seed * 3};
		char *text = draw(scene, &options);

		for (const char *p = text; *p; p++)
			assert_true(*p == '\n' || (*p >= ' ' && *p <= '~'));
		free(text);
		scene_free(scene);
	}
}

static size_t count_of(const char *text, const char *word)
{
	size_t count = 0;

	for (; (text = strstr(text, word)); text += strlen(word))
		count++;
	return count;
}

/* --- a picture of which everything is known --- */

static struct scene_row *known_row(struct scene *scene, enum scene_kind kind, int from, int to,
				   const char *label)
{
	struct scene_row *row = scene_add_row(scene, kind, from, to);

	row->style = kind == SCENE_MESSAGE ? SCENE_COPY : SCENE_CONTROL;
	row->at_ns = (scene->row_count - 1) * 1500;
	scene_set(scene, &row->label, "%s", label);
	return row;
}

static struct scene *known_scene(size_t messages)
{
	struct scene *scene = scene_new();
	struct scene_lane *lane = scene_add_lane(scene, "ls", 1201);

	lane->messages = messages;
	lane = scene_add_lane(scene, "wc", 1202);
	lane->messages = messages;
	scene_set(scene, &scene->command, "ls | wc");
	for (size_t i = 0; i < messages; i++)
		known_row(scene, SCENE_MESSAGE, 0, 1, "pipe 24 B");
	return scene;
}

/* The end of each one's number is to be seen, however narrow the boxes. */
static void no_two_channels_look_the_same(void **state)
{
	static const char *const kinds[] = {"pipe", "unix-seqpacket", "sysv-msg"};
	static const char *const names[] = {"", " /run/user/1000/a-long-name-of-a-socket", ""};

	(void)state;
	for (int width = 80; width < 180; width++) {
		struct scene *scene = known_scene(1);
		struct render_options options = {.width = width, .utf8 = true};
		const char *kind = kinds[width % 3], *name = names[width / 3 % 3];
		char *text, number[16];

		for (int i = 0; i < 3; i++) {
			snprintf(number, sizeof(number), "%d", 12063803 + i);
			scene_add_lane(scene, "", 0)->kind = SCENE_LANE_CHANNEL;
			scene_set(scene, &scene->lanes[2 + i].title, "%s:[%s]%s", kind, number,
				  name);
			known_row(scene, SCENE_MESSAGE, 0, 2 + i, "24 B");
		}
		text = draw(scene, &options);
		for (int i = 0; i < 3; i++) {
			snprintf(number, sizeof(number), "%d]", (12063803 + i) % 10000);
			assert_int_equal(count_of(text, number), 1);
		}
		free(text);
		scene_free(scene);
	}
}

static void a_whole_picture(void **state)
{
	struct scene *scene = known_scene(1);
	struct render_options options = {.width = 80, .utf8 = true};
	struct scene_row *row = &scene->rows[0];
	char *text;

	(void)state;
	scene_set(scene, &row->payload, "\"a\"");
	row = known_row(scene, SCENE_EXIT, 1, 0, "exit 0");
	scene_set(scene, &row->notice_label, "SIGCHLD");
	row->style = SCENE_NOTIFY;
	scene->lanes[1].ended = true;
	scene->lanes[1].last_row = 1;
	scene->process_count = 2;
	scene->messages = 1;
	scene->bytes = 24;
	scene->duration_ns = 1500;
	text = draw(scene, &options);
	assert_string_equal(text, "ipclens · ls | wc · 2 processes · 1 message (24 B) · 1.5 µs\n"
				  "            ╭─────────╮      ╭─────────╮\n"
				  "            │ ls 1201 │      │ wc 1202 │\n"
				  "        µs  ╰────┬────╯      ╰────┬────╯\n"
				  "       0.0       ┝━━ pipe 24 B ━━▶│           \"a\"\n"
				  "       1.5       │◁┄┄┄ SIGCHLD ┄┄┄╳ exit 0\n"
				  "\n"
				  "  ━▶ data  ┄▷ signal  ╳ exit\n");
	free(text);
	scene_free(scene);
}

static void the_head_comes_again(void **state)
{
	struct scene *scene = known_scene(100);
	struct render_options options = {.width = 80, .utf8 = true, .screen_rows = 25};
	char *text = draw(scene, &options);

	(void)state;
	assert_int_equal(count_of(text, "│ ls 1201 │"), 5);
	free(text);
	options.screen_rows = 0;
	text = draw(scene, &options);
	assert_int_equal(count_of(text, "│ ls 1201 │"), 1);
	free(text);
	scene_free(scene);
}

static void lanes_that_do_not_fit_are_announced(void **state)
{
	struct scene *scene = scene_new();
	struct render_options options = {.width = 80, .utf8 = true};
	char *text;

	(void)state;
	for (uint32_t i = 0; i < 20; i++)
		scene_add_lane(scene, "worker", 100 + i)->messages = i < 2 ? 10 : 1;
	known_row(scene, SCENE_MESSAGE, 0, 1, "busy");
	known_row(scene, SCENE_MESSAGE, 0, 19, "to one of many");
	known_row(scene, SCENE_MESSAGE, 18, 19, "not to be seen");
	text = draw(scene, &options);
	assert_non_null(strstr(text, "│ …16    │"));
	assert_non_null(strstr(text, "worker[119]"));
	assert_null(strstr(text, "not to be seen"));
	assert_non_null(strstr(text, "1 row (1 message) among"));
	free(text);
	scene_free(scene);
}

static void a_long_payload_is_cut(void **state)
{
	struct scene *scene = known_scene(1);
	struct render_options options = {.width = 100, .utf8 = true};
	char payload[300] = "\"";
	char *text;

	(void)state;
	memset(payload + 1, 'x', sizeof(payload) - 2);
	scene_set(scene, &scene->rows[0].payload, "%s", payload);
	scene_set(scene, &scene->rows[0].detail, "latency 1 µs");
	text = draw(scene, &options);
	assert_non_null(strstr(text, "xxx…  latency 1 µs\n"));
	free(text);
	scene_free(scene);
}

static void writing_errors_are_told(void **state)
{
	struct scene *scene = known_scene(2000);
	struct render_options options = {.width = 80, .utf8 = true};
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(full);
	assert_int_not_equal(render_text(full, scene, &options), 0);
	fclose(full);
	scene_free(scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_two_channels_look_the_same),
		cmocka_unit_test(a_whole_picture),
		cmocka_unit_test(pictures_are_aligned),
		cmocka_unit_test(braces_run_through),
		cmocka_unit_test(narrow_is_one_line_a_row),
		cmocka_unit_test(colour_adds_nothing_else),
		cmocka_unit_test(ascii_is_ascii),
		cmocka_unit_test(the_head_comes_again),
		cmocka_unit_test(lanes_that_do_not_fit_are_announced),
		cmocka_unit_test(a_long_payload_is_cut),
		cmocka_unit_test(writing_errors_are_told),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
