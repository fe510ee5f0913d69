// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Short lives without a message are one row, and nothing that matters is among them. */
#include "tests/unit/scene_stage.h"

#include "viz/diagnose/diagnose.h"

#include <stdio.h>
#include <string.h>

enum { ROOT = 10, PEER = 11, FIRST = 100, LIVES_MOST = 30, SEEDS = 300 };

static void executes(struct stage *s, uint32_t pid, const char *comm, const char *path,
		     uint64_t at_ns)
{
	trace_line(s->trace,
		   "{'type':'process','event':'exec','at_ns':%lu,'pid':%u,'tid':%u,'ppid':1,"
		   "'comm':'%s','path':'%s','args':['%s']}",
		   (unsigned long)at_ns, pid, pid, comm, path, path);
}

/* The command is `prog`, which is process 10; it has a pipe and a peer to talk with. */
static void begins(struct stage *s)
{
	trace_command(s->trace, "prog");
	trace_fork(s->trace, 9, ROOT, "sh", 2);
	executes(s, ROOT, "prog", "/shim/prog", 3);
	trace_pipe(s->trace, ROOT, TRACE_PIPE);
	trace_fork(s->trace, ROOT, PEER, "peer", 10);
}

static void talks(struct stage *s, unsigned id, uint32_t from, uint32_t to, uint64_t at_ns)
{
	trace_put(s->trace, id, from, at_ns, at_ns + 1, 5, "");
	trace_get(s->trace, id + 1, to, at_ns + 2, at_ns + 3, 5, "");
}

static void lives(struct stage *s, uint32_t pid, const char *comm)
{
	uint64_t at_ns = 1000 + pid * 10;

	trace_fork(s->trace, ROOT, pid, "prog", at_ns);
	executes(s, pid, comm, comm, at_ns + 1);
	trace_line(s->trace,
		   "{'type':'process','event':'exit','at_ns':%lu,'pid':%u,'tid':%u,'comm':'%s',"
		   "'last':true,'exit_code':0}",
		   (unsigned long)at_ns + 5, pid, pid, comm);
}

static const struct scene *draw(struct stage *s, struct scene_request request)
{
	const struct scene *scene;

	if (!s->trace->pairing)
		trace_pair(s->trace);
	request.diagnosis = diagnose(s->trace->model, s->trace->pairing, LANGUAGE_EN);
	scene = stage_scene(s, request);
	diagnosis_free((struct diagnosis *)request.diagnosis);
	return scene;
}

static bool has_lane(const struct scene *scene, uint32_t pid)
{
	for (size_t i = 0; i < scene->lane_count; i++)
		if (scene->lanes[i].pid == pid)
			return true;
	return false;
}

/* The rows that stand for lives; gives the last of them, NULL: none. */
static const struct scene_row *row_of_lives(const struct scene *scene)
{
	const struct scene_row *found = NULL;

	for (size_t i = 0; i < scene->row_count; i++)
		if (strstr(scene->rows[i].label, "short lives"))
			found = &scene->rows[i];
	return found;
}

static void put_twelve(struct stage *s)
{
	begins(s);
	for (uint32_t i = 0; i < 12; i++)
		lives(s, FIRST + i, i < 7 ? "bash" : i < 10 ? "sed" : "cut");
	talks(s, 1, ROOT, PEER, 5000);
	trace_trailer(s->trace, 9000);
}

static void many_are_one_row(void **state)
{
	struct stage *s = *state;
	const struct scene *scene;
	const struct scene_row *row;

	put_twelve(s);
	scene = draw(s, (struct scene_request){0});
	assert_int_equal(scene->lane_count, 2);
	assert_true(has_lane(scene, ROOT) && has_lane(scene, PEER));
	assert_int_equal(scene->process_count, 14);
	row = row_of_lives(scene);
	assert_non_null(row);
	assert_string_equal(row->label, "+ 12 short lives");
	assert_non_null(strstr(row->detail, "bash, sed, cut: fork … exit"));
	assert_non_null(strstr(row->detail, "no message of their own"));
	assert_int_equal(scene->lanes[row->from].pid, ROOT);
}

static void few_are_drawn_each(void **state)
{
	struct stage *s = *state;
	const struct scene *scene;

	begins(s);
	for (uint32_t i = 0; i < 9; i++)
		lives(s, FIRST + i, "sed");
	talks(s, 1, ROOT, PEER, 5000);
	trace_trailer(s->trace, 9000);
	scene = draw(s, (struct scene_request){0});
	assert_int_equal(scene->lane_count, 11);
	assert_null(row_of_lives(scene));
}

static void without_other_talk_they_are_the_picture(void **state)
{
	struct stage *s = *state;

	begins(s);
	for (uint32_t i = 0; i < 20; i++)
		lives(s, FIRST + i, "sed");
	trace_trailer(s->trace, 9000);
	assert_int_equal(draw(s, (struct scene_request){0})->lane_count, 22);
}

static void each_is_shown_to_who_asks(void **state)
{
	struct stage *s = *state;
	const char *item = "sed";
	struct viz_filter filter = {.any_mechanism = true};

	put_twelve(s);
	assert_int_equal(draw(s, (struct scene_request){.unfold = true})->lane_count, 14);
	assert_int_equal(draw(s, (struct scene_request){.focus = {&item, 1, 1}})->lane_count, 3);
	assert_int_equal(draw(s, (struct scene_request){.facts = true})->lane_count, 14);
	filter.mechanisms[MECH_PIPE] = true;
	assert_int_equal(draw(s, (struct scene_request){.filter = &filter})->lane_count, 2);
}

/* Its lives talk with it and with each other; the program that it becomes makes one that talks. */
static void what_a_wrapper_did_is_one_row(void **state)
{
	struct stage *s = *state;
	const struct scene *scene;
	const struct scene_row *row;

	begins(s);
	for (uint32_t i = 0; i < 5; i++) {
		uint64_t at_ns = 100 + i * 10;

		trace_fork(s->trace, ROOT, FIRST + i, "prog", at_ns);
		talks(s, 10 + 2 * i, FIRST + i, ROOT, at_ns + 1);
		trace_exit(s->trace, FIRST + i, "'exit_code':1", at_ns + 9);
	}
	executes(s, ROOT, "prog", "/real/prog", 500);
	lives(s, 200, "sed");
	talks(s, 1, ROOT, PEER, 5000);
	trace_trailer(s->trace, 9000);
	scene = draw(s, (struct scene_request){0});
	assert_int_equal(scene->lane_count, 3);
	assert_true(has_lane(scene, 200));
	row = row_of_lives(scene);
	assert_non_null(row);
	assert_string_equal(row->label, "+ 5 short lives");
	assert_non_null(strstr(row->detail, "5 messages among them, 25 B"));
	assert_int_equal(scene->messages, 6);
}

/* --- nothing that matters is ever among them --- */

enum deed {
	TALKS = 1,
	FAILS = 2,
	IS_KILLED = 4,
	WAITS = 8,
	EXITS_2 = 16,
	HAS_CHILD = 32,
	DEEDS = 6
};

static void lives_by_chance(struct stage *s, uint32_t pid, unsigned deeds)
{
	uint64_t at_ns = 1000 + pid * 20;

	trace_fork(s->trace, ROOT, pid, "prog", at_ns);
	if (deeds & TALKS)
		talks(s, pid * 10 + 2000, pid, PEER, at_ns + 1);
	if (deeds & FAILS)
		trace_line(s->trace,
			   "{'type':'operation','id':%u,'syscall':'connect','role':'open',"
			   "'pid':%u,'tid':%u,'fd':3,'enter_ns':%lu,'exit_ns':%lu,'returned':-111,"
			   "'error':'ECONNREFUSED'}",
			   pid * 10 + 2000 + 2, pid, pid, (unsigned long)at_ns + 5,
			   (unsigned long)at_ns + 6);
	if (deeds & HAS_CHILD) { /* which talks */
		trace_fork(s->trace, pid, pid + 1000, "prog", at_ns + 7);
		talks(s, pid * 10 + 2000 + 4, pid + 1000, PEER, at_ns + 8);
		trace_exit(s->trace, pid + 1000, "'exit_code':0", at_ns + 14);
	}
	if (deeds & WAITS)
		trace_line(s->trace,
			   "{'type':'operation','id':%u,'syscall':'read','role':'receive','pid':%u,"
			   "'tid':%u,'fd':3,'channel':'" TRACE_PIPE "','enter_ns':%lu,"
			   "'state':'pending','at_ns':8999}",
			   pid * 10 + 2000 + 6, pid, pid, (unsigned long)at_ns + 15);
	else
		trace_exit(s->trace, pid,
			   deeds & IS_KILLED ? "'signal':'SIGKILL'"
			   : deeds & EXITS_2 ? "'exit_code':2"
					     : "'exit_code':0",
			   at_ns + 16);
}

static unsigned next(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(*state >> 40);
}

static void what_matters_has_a_lane(struct stage *s, uint64_t seed)
{
	unsigned deeds[LIVES_MOST], count = 1 + next(&seed) % LIVES_MOST, plain = 0;
	const struct scene *scene;

	begins(s);
	talks(s, 1, ROOT, PEER, 500);
	for (unsigned i = 0; i < count; i++) {
		deeds[i] = next(&seed) % 3 ? 0 : 1U << next(&seed) % DEEDS;
		plain += !deeds[i];
		lives_by_chance(s, FIRST + i, deeds[i]);
	}
	trace_trailer(s->trace, 9000);
	scene = draw(s, (struct scene_request){0});
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(has_lane(scene, FIRST + i), deeds[i] || plain < 10);
	assert_int_equal(scene->process_count, scene->lane_count + (plain < 10 ? 0 : plain));
	assert_int_equal(row_of_lives(scene) != NULL, plain >= 10);
}

static void nothing_that_matters_is_folded(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		void *stage = NULL;

		assert_int_equal(stage_set_up(&stage), 0);
		what_matters_has_a_lane(stage, seed);
		assert_int_equal(stage_tear_down(&stage), 0);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_set_up, stage_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(many_are_one_row),
		TEST(few_are_drawn_each),
		TEST(without_other_talk_they_are_the_picture),
		TEST(each_is_shown_to_who_asks),
		TEST(what_a_wrapper_did_is_one_row),
		cmocka_unit_test(nothing_that_matters_is_folded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
