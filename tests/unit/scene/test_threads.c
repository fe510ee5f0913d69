// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Threads as lanes: who has one, what stands on it, and what is not known of it. */
#include "tests/unit/scene_stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIPE "pipe:[7]"

/* Process 10, and its pipe. */
static int set_up(void **state)
{
	struct stage *s;

	stage_set_up(state);
	s = *state;
	trace_process(s->trace, 10, "srv");
	trace_pipe(s->trace, 10, PIPE);
	return 0;
}

/* Made by another one of process 10; maker 0: the trace does not tell by which. */
static void make(struct stage *s, uint32_t tid, uint32_t maker, const char *comm, uint64_t at_ns)
{
	char by[32] = "";

	if (maker)
		snprintf(by, sizeof(by), ",'maker_tid':%u", maker);
	trace_line(s->trace,
		   "{'type':'process','event':'fork','at_ns':%lu,'pid':10,'tid':%u,'ppid':1%s,"
		   "'comm':'%s','shares_fds':true}",
		   (unsigned long)at_ns, tid, by, comm);
}

static void leave(struct stage *s, uint32_t tid, const char *comm, uint64_t at_ns)
{
	trace_line(s->trace,
		   "{'type':'process','event':'exit','at_ns':%lu,'pid':10,'tid':%u,'comm':'%s'}",
		   (unsigned long)at_ns, tid, comm);
}

static void put(struct stage *s, unsigned id, uint32_t tid, uint64_t at_ns, int64_t bytes)
{
	trace_call(s->trace, (struct call){id, "write", "send", 10, tid, 4, PIPE, at_ns, at_ns + 1,
					   bytes, NULL});
}

/* Of which it slept all. */
static void get(struct stage *s, unsigned id, uint32_t tid, uint64_t enter_ns, uint64_t exit_ns,
		int64_t bytes)
{
	char slept[32];

	snprintf(slept, sizeof(slept), ",'off_cpu_ns':%lu", (unsigned long)(exit_ns - enter_ns));
	trace_call(s->trace, (struct call){id, "read", "receive", 10, tid, 3, PIPE, enter_ns,
					   exit_ns, bytes, slept});
}

static const struct scene *build(struct stage *s, struct scene_request request)
{
	request.unfold = true;
	return stage_scene(s, request);
}

static const struct scene *build_threads(struct stage *s)
{
	return build(s, (struct scene_request){.threads = true});
}

/* "srv 10/10, w 10/11: 0>1 thread, 0>1 pipe 4 B" */
static const char *shown(struct stage *s)
{
	const struct scene *scene = s->scene;
	char number[SCENE_NUMBER];
	char *out = s->shown;

	*out = '\0';
	for (size_t i = 0; i < scene->lane_count; i++)
		out += sprintf(out, "%s%s %s", i ? ", " : "", scene->lanes[i].title,
			       scene_lane_number(&scene->lanes[i], number));
	for (size_t i = 0; i < scene->row_count; i++)
		out += sprintf(out, "%s%d>%d %s", i ? ", " : ": ", scene->rows[i].from,
			       scene->rows[i].to, scene->rows[i].label);
	assert_true(out < s->shown + sizeof(s->shown));
	return s->shown;
}

/* --- tests --- */

/* The first makes 11, which makes 12; 11 hands on to 12, which slept. */
static void put_crew(struct stage *s)
{
	make(s, 11, 10, "srv", 100);
	make(s, 12, 11, "srv", 200);
	put(s, 1, 11, 500, 4);
	get(s, 2, 12, 300, 510, 4);
	put(s, 3, 10, 600, 5);
	get(s, 4, 11, 550, 610, 5);
	leave(s, 12, "w", 700);
	trace_exit(s->trace, 10, "'exit_code':0", 900);
}

static void each_has_a_lane(void **state)
{
	struct stage *s = *state;
	const struct scene *scene;

	put_crew(s);
	scene = build_threads(s);
	assert_string_equal(shown(s), "srv 10/10, srv 10/11, srv 10/12: 0>1 thread, 1>2 thread, "
				      "1>2 pipe 4 B, 0>1 pipe 5 B, 2>-1 exit, 0>-1 exit 0");
	assert_int_equal(scene->process_count, 1);
	assert_int_equal(scene->thread_count, 3);
	assert_true(scene->lanes[1].born && scene->lanes[2].born && !scene->lanes[0].born);
	assert_int_equal(scene->lanes[2].last_row, 4);
	assert_int_equal(scene->lanes[2].kind, SCENE_LANE_THREAD);
}

static void each_sleeps_alone(void **state)
{
	struct stage *s = *state;
	const struct scene *scene;

	put_crew(s);
	scene = build_threads(s);
	assert_int_equal(scene->bar_count, 2);
	assert_int_equal(scene->bars[0].lane, 2);
	assert_int_equal(scene->bars[0].to_ns - scene->bars[0].from_ns, 210);
	assert_int_equal(scene->bars[1].lane, 1);
	scene = build(s, (struct scene_request){.threads = false});
	assert_int_equal(scene->bar_count, 0); /* of one that others share nobody can tell */
	assert_int_equal(scene->lane_count, 1);
	assert_int_equal(scene->lanes[0].tid, 0);
	assert_int_equal(scene->thread_count, 0);
}

/* Two lived when 12 was born: an arrow from one of them might be from the wrong one. */
static void who_made_it_is_not_guessed(void **state)
{
	struct stage *s = *state;

	make(s, 11, 0, "srv", 100);
	make(s, 12, 0, "srv", 200);
	put(s, 1, 10, 300, 4);
	get(s, 2, 12, 310, 320, 4);
	build_threads(s);
	assert_string_equal(shown(s), "srv 10/10, srv 10/11, srv 10/12: 0>1 thread, 0>2 pipe 4 B");
	assert_false(s->scene->lanes[2].born);
	assert_int_equal(s->scene->lanes[2].first_row, 1);
}

static void a_number_is_used_again(void **state)
{
	struct stage *s = *state;

	make(s, 11, 10, "one", 100);
	put(s, 1, 10, 200, 4);
	get(s, 2, 11, 210, 220, 4);
	leave(s, 11, "one", 300);
	make(s, 11, 10, "two", 400);
	put(s, 3, 10, 500, 5);
	get(s, 4, 11, 510, 520, 5);
	leave(s, 11, "two", 600);
	build_threads(s);
	assert_string_equal(shown(s), "srv 10/10, one 10/11, two 10/11: 0>1 thread, 0>1 pipe 4 B, "
				      "1>-1 exit, 0>2 thread, 0>2 pipe 5 B, 2>-1 exit");
}

static void a_filter_holds_for_threads(void **state)
{
	struct stage *s = *state;
	char *channels[] = {(char *)PIPE};
	const struct viz_filter filter = {.channel = {channels, 1}};

	make(s, 11, 10, "idle", 100);
	make(s, 12, 10, "out", 110);
	make(s, 13, 10, "in", 120);
	put(s, 1, 12, 200, 4);
	get(s, 2, 13, 210, 220, 4);
	build(s, (struct scene_request){.threads = true, .filter = &filter});
	assert_string_equal(shown(s), "srv 10/10, out 10/12, in 10/13: 0>1 thread, 0>2 thread, "
				      "1>2 pipe 4 B");
}

/* The first is never one of many: it stands for the process. */
static void like_threads_are_one_lane(void **state)
{
	struct stage *s = *state;

	for (uint32_t tid = 11; tid < 14; tid++) {
		make(s, tid, 10, "worker", tid * 10);
		put(s, tid * 2, 10, tid * 100, 4);
		get(s, tid * 2 + 1, tid, tid * 100 + 10, tid * 100 + 20, 4);
	}
	build(s, (struct scene_request){.threads = true, .group = true});
	assert_int_equal(s->scene->lane_count, 2);
	assert_string_equal(s->scene->lanes[1].title, "worker ×3");
	assert_int_equal(s->scene->lanes[1].messages, 3);
}

/* A bar while all who live are asleep, from the last who fell asleep to the first who woke. */
static void a_group_sleeps_when_all_do(void **state)
{
	struct stage *s = *state;

	for (uint32_t tid = 11; tid < 14; tid++)
		make(s, tid, 10, "worker", tid * 10);
	for (unsigned i = 0; i < 5; i++)
		put(s, i + 1, 10, i < 3 ? 400 + i : 750 + i, 4);
	get(s, 11, 11, 300, 505, 4);
	get(s, 12, 12, 320, 510, 4);
	get(s, 13, 13, 310, 520, 4);
	leave(s, 12, "worker", 600);
	get(s, 14, 11, 700, 800, 4);
	get(s, 15, 13, 710, 790, 4);
	build(s, (struct scene_request){.threads = true, .group = true});
	assert_int_equal(s->scene->bar_count, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(s->scene->bars[i].lane, 1);
		assert_int_equal(s->scene->bars[i].kind, SCENE_BLOCKED);
		assert_int_equal(s->scene->start_ns + s->scene->bars[i].from_ns, i ? 710 : 320);
		assert_int_equal(s->scene->start_ns + s->scene->bars[i].to_ns, i ? 790 : 505);
	}
}

static void a_process_without_threads_is_one(void **state)
{
	struct stage *s = *state;

	trace_fork(s->trace, 10, 20, "wc", 50);
	make(s, 11, 10, "w", 100);
	put(s, 1, 11, 200, 4);
	trace_call(s->trace,
		   (struct call){2, "read", "receive", 20, 0, 3, PIPE, 210, 220, 4, NULL});
	build_threads(s);
	assert_string_equal(shown(s),
			    "srv 10/10, w 10/11, wc 20: 0>2 fork, 0>1 thread, 1>2 pipe 4 B");
	assert_int_equal(s->scene->lanes[2].kind, SCENE_LANE_PROCESS);
}

/* Random traffic among many: each message is drawn between its threads, whatever the order. */
static void no_message_is_on_another_thread(void **state)
{
	struct stage *s = *state;
	uint64_t chance = 42, at_ns = 1000;
	uint32_t from[200], to[200];

	for (uint32_t tid = 11; tid < 18; tid++)
		make(s, tid, 10, "t", tid);
	for (unsigned i = 0; i < 200; i++) {
		chance = chance * 6364136223846793005u + 1442695040888963407u;
		from[i] = 10 + (uint32_t)(chance >> 33) % 8;
		to[i] = 10 + (uint32_t)(chance >> 40) % 8;
		put(s, 2 * i + 1, from[i], at_ns, (int64_t)i + 1);
		get(s, 2 * i + 2, to[i], at_ns - (chance >> 50) % 9, at_ns + 3, (int64_t)i + 1);
		at_ns += 10;
	}
	build_threads(s);
	for (size_t i = 0, seen = 0; i < s->scene->row_count || seen < 200; i++) {
		const struct scene_row *row = &s->scene->rows[i];

		assert_true(i < s->scene->row_count);
		if (row->kind != SCENE_MESSAGE || row->part == SCENE_SENT)
			continue;
		seen++;
		assert_int_equal(s->scene->lanes[row->from].tid, from[row->bytes - 1]);
		assert_int_equal(s->scene->lanes[row->to].tid, to[row->bytes - 1]);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, stage_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(each_has_a_lane),
		TEST(each_sleeps_alone),
		TEST(who_made_it_is_not_guessed),
		TEST(a_number_is_used_again),
		TEST(a_filter_holds_for_threads),
		TEST(like_threads_are_one_lane),
		TEST(a_group_sleeps_when_all_do),
		TEST(a_process_without_threads_is_one),
		TEST(no_message_is_on_another_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
