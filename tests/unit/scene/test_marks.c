// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What diagnose found, in the scene: at its place, on its lane, whatever is left out around it. */
#include "tests/unit/trace_text.h"

#include <stdio.h>
#include <string.h>

#include "viz/diagnose/diagnose.h"
#include "viz/scene/build.h"

#define PIPE "pipe:[7]"

enum { WRITES = 100 };

/* sh[10] writes to wc[20], which ends; the next write breaks. */
static int set_up(void **state)
{
	struct trace_text *t = trace_new();
	unsigned id = 2000;

	trace_process(t, 10, "sh");
	trace_pipe(t, 10, PIPE);
	trace_fork(t, 10, 20, "wc", 1000);
	trace_close(t, id++, 10, 3, PIPE, 1100, "");
	for (unsigned i = 0; i < WRITES; i++) {
		trace_call(t, (struct call){id++, "write", "send", 10, 0, 4, PIPE, 2000 + 20 * i,
					    2001 + 20 * i, 1 + i % 7, NULL});
		trace_call(t, (struct call){id++, "read", "receive", 20, 0, 3, PIPE, 2010 + 20 * i,
					    2011 + 20 * i, 1 + i % 7, NULL});
	}
	trace_exit(t, 20, "'exit_code':0", 8000);
	trace_call(t, (struct call){id++, "write", "send", 10, 0, 4, PIPE, 8100, 8101, -32,
				    ",'error':'EPIPE'"});
	trace_line(t, "{'type':'signal','event':'generate','at_ns':8100,'signal':'SIGPIPE',"
		      "'number':13,'origin':'fault','to':{'pid':10,'tid':10},'result':'queued'}");
	trace_line(t, "{'type':'signal','event':'deliver','at_ns':8102,'signal':'SIGPIPE',"
		      "'number':13,'to':{'pid':10,'tid':10},'action':'default'}");
	trace_exit(t, 10, "'signal':'SIGPIPE'", 8200);
	trace_trailer(t, 9000);
	*state = t;
	return 0;
}

/* `at_ns`: as if all that was found had been then; 0: when it was. */
static struct scene *build_at(struct trace_text *t, const struct viz_filter *filter,
			      size_t max_rows, uint64_t at_ns)
{
	const struct viz_pairing *pairing = t->pairing ? t->pairing : trace_pair(t);
	struct diagnosis *d = diagnose(t->model, pairing, LANGUAGE_EN);
	const struct scene_request request = {.model = t->model,
					      .pairing = pairing,
					      .filter = filter,
					      .max_rows = max_rows,
					      .diagnosis = d};
	struct scene *scene;

	for (size_t i = 0; at_ns && i < d->count; i++)
		d->findings[i]->at_ns = at_ns;
	scene = scene_build(&request);
	diagnosis_free(d); /* the scene has all that it needs */
	return scene;
}

static struct scene *build(struct trace_text *t, const struct viz_filter *filter, size_t max_rows)
{
	return build_at(t, filter, max_rows, 0);
}

static const struct scene_mark *mark_of(const struct scene *scene, const char *id)
{
	for (size_t i = 0; i < scene->mark_count; i++)
		if (strcmp(scene->marks[i].id, id) == 0)
			return &scene->marks[i];
	return NULL;
}

static void a_finding_is_a_row_at_its_place(void **state)
{
	struct scene *scene = build(*state, NULL, 0);
	const struct scene_mark *mark = mark_of(scene, "broken-pipe");
	const struct scene_row *row;

	assert_non_null(mark);
	assert_int_equal(mark->severity, SEVERITY_ERROR);
	assert_int_equal(mark->lane, 0);
	assert_string_equal(mark->channel, PIPE);
	assert_true(mark->at_ns >= 8100 && mark->at_ns <= 8102);
	row = &scene->rows[mark->row];
	assert_int_equal(row->kind, SCENE_FOUND);
	assert_int_equal(row->severity, SEVERITY_ERROR);
	assert_int_equal(row->from, 0);
	assert_string_equal(row->label, "broken-pipe");
	assert_string_equal(row->detail, mark->text);
	assert_true(row->important);
	/* Behind the reader's end, before the writer's. */
	assert_int_equal(scene->rows[mark->row - 1].kind, SCENE_EXIT);
	assert_true(mark->row < scene->lanes[0].last_row);
	scene_free(scene);
}

/* Who ended has no mark below the end, who was born none above the birth. */
static void a_finding_is_within_the_life_of_its_process(void **state)
{
	struct scene *scene = build_at(*state, NULL, 0, 8900); /* when both are gone */
	const struct scene_mark *mark = mark_of(scene, "broken-pipe");

	assert_int_equal(scene->rows[mark->row].kind, SCENE_FOUND);
	assert_true(mark->row < scene->lanes[0].last_row);
	assert_int_equal(scene->rows[scene->lanes[0].last_row].kind, SCENE_EXIT);
	assert_int_equal(scene->rows[scene->lanes[0].last_row].at_ns, 8200 - scene->start_ns);
	scene_free(scene);
}

/* The one whose pipe nobody reads, born at 1000. */
static void a_finding_is_not_before_its_process(void **state)
{
	struct trace_text *t = *state;
	struct scene *scene;
	const struct scene_mark *mark;

	trace_free(t);
	*state = t = trace_new();
	trace_process(t, 10, "sh");
	trace_pipe(t, 10, PIPE);
	trace_fork(t, 10, 20, "wc", 1000);
	trace_close(t, 1, 10, 3, PIPE, 1100, "");
	trace_close(t, 2, 20, 3, PIPE, 1200, "");
	trace_call(t, (struct call){3, "write", "send", 20, 0, 4, PIPE, 1300, 1301, -32,
				    ",'error':'EPIPE'"});
	trace_exit(t, 20, "'exit_code':1", 1400);
	trace_trailer(t, 9000);
	scene = build_at(t, NULL, 0, 500);
	mark = mark_of(scene, "broken-pipe");
	assert_non_null(mark);
	assert_int_equal(mark->lane, 1);
	assert_int_equal(scene->rows[mark->row].kind, SCENE_FOUND);
	assert_true(mark->row > scene->lanes[1].first_row);
	assert_int_equal(scene->rows[scene->lanes[1].first_row].kind, SCENE_FORK);
	scene_free(scene);
}

/* A filter takes away what came first: what is left is still when it was. */
static void a_filter_leaves_the_clock_as_it_is(void **state)
{
	char *pids[] = {(char *)"10"}, *channels[] = {(char *)PIPE};
	const struct viz_filter filter = {.pid = {pids, 1}, .channel = {channels, 1}};
	struct scene *whole = build(*state, NULL, 0), *part = build(*state, &filter, 0);
	const struct scene_row *a = &whole->rows[mark_of(whole, "broken-pipe")->row];
	const struct scene_row *b = &part->rows[mark_of(part, "broken-pipe")->row];

	assert_true(part->rows[0].at_ns > 0);
	assert_int_equal(whole->start_ns, part->start_ns);
	assert_int_equal(a->at_ns, b->at_ns);
	scene_free(whole);
	scene_free(part);
}

/* Messages drawn, and those of "… 7 rows left out, 5 of them messages". */
static size_t messages_of(const struct scene *scene)
{
	size_t count = 0;

	for (size_t i = 0; i < scene->row_count; i++) {
		const struct scene_row *row = &scene->rows[i];
		const char *left_out = strstr(row->detail, "left out, ");
		unsigned long more = 0;

		if (left_out)
			assert_int_equal(sscanf(left_out, "left out, %lu", &more), 1);
		count += row->kind == SCENE_MESSAGE ? row->folded + 1 : more;
	}
	return count;
}

static void what_is_left_out_hides_no_finding(void **state)
{
	for (size_t max = 16; max < 100; max += 7) {
		struct scene *scene = build(*state, NULL, max);
		const struct scene_mark *mark = mark_of(scene, "broken-pipe");

		assert_true(scene->row_count <= max);
		assert_int_equal(scene->rows[mark->row].kind, SCENE_FOUND);
		assert_int_equal(messages_of(scene), WRITES);
		scene_free(scene);
	}
}

static void a_filter_holds_for_findings(void **state)
{
	char *channels[] = {(char *)"pipe:[8]"};
	const struct viz_filter filter = {.channel = {channels, 1}};
	struct scene *scene = build(*state, &filter, 0);

	assert_null(mark_of(scene, "broken-pipe"));
	scene_free(scene);
}

static void a_note_points_at_a_row_and_is_none(void **state)
{
	struct scene *scene = build(*state, NULL, 0);

	for (size_t i = 0; i < scene->mark_count; i++)
		if (scene->marks[i].severity == SEVERITY_NOTE) {
			assert_true(scene->marks[i].row < scene->row_count);
			assert_int_not_equal(scene->rows[scene->marks[i].row].kind, SCENE_FOUND);
		}
	for (size_t i = 0; i < scene->row_count; i++)
		if (scene->rows[i].kind == SCENE_FOUND)
			assert_int_not_equal(scene->rows[i].severity, SEVERITY_NOTE);
	scene_free(scene);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, trace_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_finding_is_a_row_at_its_place),
		TEST(a_finding_is_within_the_life_of_its_process),
		TEST(a_finding_is_not_before_its_process),
		TEST(a_filter_leaves_the_clock_as_it_is),
		TEST(what_is_left_out_hides_no_finding),
		TEST(a_filter_holds_for_findings),
		TEST(a_note_points_at_a_row_and_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
