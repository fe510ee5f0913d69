// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Pictures for other programs, of many scenes made by chance: each line has the form that the
 * format's grammar wants, whatever the words are, and each message is drawn or counted as left out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/scene_random.h"
#include "viz/format/names.h"
#include "viz/render/common/steps.h"
#include "viz/render/render.h"

enum { SCENES = 200, MERMAID_MOST = 50000 };

/* A text within which nothing has a meaning. */
#define MERMAID_TEXT "([^#;:<>%$&{}@\\]|#[0-9]+;)+"
#define PLANTUML_TEXT "([^<>\"'#%$&{}\\~^*=@|;!+]|<U[+][0-9A-F]{4}>)+"
#define PLANTUML_LINE "(P[0-9]+ |\\[o)-\\[#[0-9A-F]{6}\\]-?>>?(x\\]|o\\]|x? P[0-9]+) : "

/* Languages of sequence diagrams, line by line. */
static const struct grammar {
	render_fn *render;
	const char *first, *last; /* lines; NULL: none */
	const char *line;	  /* what each other one is */
	const char *arrow;	  /* what begins those that are arrows */
	const char *never;	  /* may not be anywhere; NULL: nothing */
} languages[] = {
	{render_mermaid, "sequenceDiagram", NULL,
	 "^    (end|destroy P[0-9]+|loop " MERMAID_TEXT
	 "|(title|(create )?participant P[0-9]+ as|Note over P[0-9]+(,P[0-9]+)?:|"
	 "P[0-9]+(->>|-\\)|--\\)|-->>|-x)P[0-9]+:) " MERMAID_TEXT ")$",
	 "^    P[0-9]+-", NULL},
	{render_plantuml, "@startuml", "@enduml",
	 "^(end|(create|destroy) P[0-9]+|"
	 "(loop |title |queue \"|database \"|participant \"|note over P[0-9]+(, P[0-9]+)? : "
	 "|" PLANTUML_LINE ")" PLANTUML_TEXT "(\" as P[0-9]+)?)$",
	 "^" PLANTUML_LINE, "[["},
};

static char *draw(render_fn *render, const struct scene *scene)
{
	const struct render_options options = {.width = 80, .utf8 = true};
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(render(out, scene, &options), 0);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(strlen(text), len);
	return text;
}

static void no_control_characters(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		assert_true(*p >= 0x20 || *p == '\n' || *p == '\t');
		assert_int_not_equal(*p, 0x7f);
		assert_false(p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0);
		assert_int_not_equal(strncmp((const char *)p, "\xe2\x80\xae", 3), 0);
	}
}

static bool matches(const regex_t *pattern, const char *line)
{
	return regexec(pattern, line, 0, NULL, 0) == 0;
}

static size_t arrows_of(const struct scene *scene, size_t first, size_t end)
{
	size_t count = 0;

	for (size_t i = first; i < end; i++) {
		struct render_step steps[RENDER_STEPS];
		int n = render_steps(scene, &scene->rows[i], steps);

		assert_true(n > 0);
		for (int k = 0; k < n; k++)
			count += steps[k].arrow != RENDER_NOTE && steps[k].arrow < RENDER_LOOP;
		render_steps_free(steps, n);
	}
	return count;
}

static size_t messages_of(const struct scene *scene, size_t first, size_t end)
{
	size_t count = 0;

	for (size_t i = first; i < end; i++)
		count += render_messages(&scene->rows[i]);
	return count;
}

/* Of "… 1,234 rows with 56 messages left out: why"; false: there is no such note. */
static bool read_left_out(const char *text, size_t *rows, size_t *messages)
{
	const char *at = strstr(text, "left out");
	size_t *numbers[] = {rows, messages};

	*rows = *messages = 0;
	if (!at)
		return false;
	while (*at != '\n')
		at--;
	at = strstr(at, "… ") + strlen("… ");
	for (int i = 0; i < 2; i++) {
		for (; *at && (*at < '0' || *at > '9'); at++)
			;
		for (; (*at >= '0' && *at <= '9') || *at == ','; at++)
			if (*at != ',')
				*numbers[i] = *numbers[i] * 10 + (size_t)(*at - '0');
	}
	return true;
}

static size_t check_lines(const struct grammar *language, char *text)
{
	regex_t line, arrow;
	size_t arrows = 0;
	int depth = 0;
	char *save;

	assert_int_equal(regcomp(&line, language->line, REG_EXTENDED | REG_NOSUB), 0);
	assert_int_equal(regcomp(&arrow, language->arrow, REG_EXTENDED | REG_NOSUB), 0);
	assert_string_equal(strtok_r(text, "\n", &save), language->first);
	for (char *at; (at = strtok_r(NULL, "\n", &save));) {
		if (language->last && strcmp(at, language->last) == 0)
			break;
		if (!matches(&line, at))
			fail_msg("not of the language: %s", at);
		assert_false(language->never && strstr(at, language->never));
		arrows += matches(&arrow, at);
		at += strspn(at, " ");
		depth += (strncmp(at, "loop ", 5) == 0) - (strcmp(at, "end") == 0);
		assert_true(depth >= 0);
	}
	assert_int_equal(depth, 0);
	regfree(&line);
	regfree(&arrow);
	return arrows;
}

static void check_diagram(const struct grammar *language, const struct scene *scene)
{
	char *text = draw(language->render, scene);
	size_t rows, messages, shown;

	no_control_characters(text);
	read_left_out(text, &rows, &messages);
	assert_true(rows <= scene->row_count);
	shown = scene->row_count - rows;
	assert_int_equal(messages, messages_of(scene, shown, scene->row_count));
	assert_int_equal(check_lines(language, text), arrows_of(scene, 0, shown));
	free(text);
}

static void words_never_leave_their_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(languages) / sizeof(*languages); i++)
		for (uint64_t seed = 1; seed <= SCENES; seed++) {
			struct scene *scene = random_scene(seed, 1 + seed % 30, seed % 50);

			check_diagram(&languages[i], scene);
			scene_free(scene);
		}
}

static void mermaid_never_gets_too_much(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 10; seed++) {
		struct scene *scene = random_scene(seed, 60, 3000);
		char *text = draw(render_mermaid, scene);
		size_t rows, messages;

		assert_true(strlen(text) < MERMAID_MOST);
		assert_true(read_left_out(text, &rows, &messages));
		assert_true(rows > 0 && messages > 0);
		free(text);
		check_diagram(&languages[0], scene);
		scene_free(scene);
	}
}

/* --- DOT --- */

#define DOT_TEXT "([^\"\\\\&]|\\\\[nl\"\\\\]|&amp;)*"

static size_t messages_of_edge(const char *line)
{
	const char *label = strstr(line, "label=\"");
	const char *at = strstr(label, " message");
	size_t count = 0;

	at = at ? at : strstr(label, " signal");
	assert_non_null(at);
	while (at[-1] == ',' || (at[-1] >= '0' && at[-1] <= '9'))
		at--;
	for (; *at != ' '; at++)
		count = *at == ',' ? count : count * 10 + (size_t)(*at - '0');
	return count;
}

static size_t hops_of(const struct scene *scene)
{
	size_t hops = 0;

	for (size_t i = 0; i < scene->fact_count; i++) {
		const struct scene_message *m = &scene->facts[i];
		bool object = m->object != SCENE_NONE &&
			      mechanism_info(m->mechanism)->addressing == ADDRESSING_INDIRECT;

		hops += 1 + (object && m->to != SCENE_NOWHERE);
	}
	return hops;
}

static size_t check_map(char *text)
{
	regex_t line, edge;
	size_t messages = 0;
	char *save;

	assert_int_equal(regcomp(&line,
				 "^(digraph ipclens \\{|\\}|\t(rankdir=LR|label(loc|just)=[a-z]|"
				 "fontname=\"sans-serif\"|(node|edge) \\[[^]]*\\]|label=\"" DOT_TEXT
				 "\"|n[0-9]+( -> n[0-9]+)? \\[([a-z]+=(\"#[0-9A-F]{6}\"|[a-z]+|"
				 "[0-9.]+), )*label=\"" DOT_TEXT "\"\\]);)$",
				 REG_EXTENDED | REG_NOSUB),
			 0);
	assert_int_equal(regcomp(&edge, "^\tn[0-9]+ -> ", REG_EXTENDED | REG_NOSUB), 0);
	for (char *at = strtok_r(text, "\n", &save); at; at = strtok_r(NULL, "\n", &save)) {
		if (!matches(&line, at))
			fail_msg("not of the language: %s", at);
		if (matches(&edge, at) && !strstr(at, "arrowsize=0")) /* to shared memory */
			messages += messages_of_edge(at);
	}
	regfree(&line);
	regfree(&edge);
	return messages;
}

static void a_map_adds_up_every_message(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SCENES; seed++) {
		struct scene *scene = random_scene(seed, 1 + seed % 30, seed % 130);
		char *text = draw(render_dot, scene);

		no_control_characters(text);
		assert_int_equal(check_map(text), hops_of(scene));
		free(text);
		scene_free(scene);
	}
}

/* --- SVG --- */

/* Tags are ours alone, and have no words of the trace in them: only these, nothing unescaped. */
static void check_markup(const char *text)
{
	static const char *const tags[] = {"svg",  "title", "desc", "style", "defs", "pattern",
					   "path", "rect",  "text", "tspan", "g",    "circle"};
	size_t depth = 0;

	for (const char *p = text; (p = strpbrk(p, "<&")); p++) {
		const char *name = p + 1 + (p[1] == '/');
		bool known = strncmp(p, "&amp;", 5) == 0 || strncmp(p, "&lt;", 4) == 0 ||
			     strncmp(p, "&gt;", 4) == 0;

		for (size_t i = 0; *p == '<' && i < sizeof(tags) / sizeof(*tags); i++)
			known |= strncmp(name, tags[i], strlen(tags[i])) == 0 &&
				 strchr(" />", name[strlen(tags[i])]);
		assert_true(known);
		if (*p == '<' && strchr(p, '>')[-1] != '/')
			depth += p[1] == '/' ? (size_t)-1 : 1;
	}
	assert_int_equal(depth, 0);
}

static size_t count_of(const char *text, const char *word)
{
	size_t count = 0;

	for (; (text = strstr(text, word)); text += strlen(word))
		count++;
	return count;
}

static void svg_has_every_message(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SCENES; seed++) {
		struct scene *scene = random_scene(seed, 1 + seed % 30, seed % 130);
		char *text = draw(render_svg, scene);
		size_t messages = 0;

		for (size_t i = 0; i < scene->row_count; i++)
			messages += scene->rows[i].kind == SCENE_MESSAGE ||
				    scene->rows[i].kind == SCENE_SIGNAL;
		no_control_characters(text);
		check_markup(text);
		assert_int_equal(count_of(text, "<g class=\"msg"), messages);
		assert_int_equal(count_of(text, "<g class=\""), scene->row_count);
		assert_null(strstr(text, "nan"));
		free(text);
		scene_free(scene);
	}
}

static void svg_counts_what_is_too_much(void **state)
{
	struct scene *scene = random_scene(7, 10, 6000);
	char *text = draw(render_svg, scene);
	size_t rows, messages;

	(void)state;
	assert_true(read_left_out(text, &rows, &messages));
	assert_int_equal(rows, 1000);
	assert_int_equal(messages, messages_of(scene, 5000, 6000));
	assert_int_equal(count_of(text, "<g class=\""), 5000);
	free(text);
	scene_free(scene);
}

static void nothing_is_a_diagram_too(void **state)
{
	struct scene *scene = scene_new();
	char *text;

	(void)state;
	text = draw(render_mermaid, scene);
	assert_non_null(strstr(text, "participant P0 as (not traced)"));
	free(text);
	text = draw(render_plantuml, scene);
	assert_non_null(strstr(text, "participant \"(no process)\" as P0"));
	free(text);
	text = draw(render_svg, scene);
	check_markup(text);
	free(text);
	scene_free(scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_never_leave_their_place),
		cmocka_unit_test(mermaid_never_gets_too_much),
		cmocka_unit_test(a_map_adds_up_every_message),
		cmocka_unit_test(svg_has_every_message),
		cmocka_unit_test(svg_counts_what_is_too_much),
		cmocka_unit_test(nothing_is_a_diagram_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
