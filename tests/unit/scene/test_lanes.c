// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which lanes matter, and what a picture is of that looks at one process only. */
#include "tests/unit/scene_stage.h"

#include "viz/diagnose/diagnose.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct scene *build(struct stage *s, struct scene_request request)
{
	struct diagnosis *d;
	const struct scene *scene;

	if (!s->trace->pairing)
		trace_pair(s->trace);
	d = diagnose(s->trace->model, s->trace->pairing, LANGUAGE_EN);
	request.unfold = true;
	request.diagnosis = d;
	scene = stage_scene(s, request);
	diagnosis_free(d);
	return scene;
}

static void executes(struct stage *s, uint32_t pid, const char *comm, uint64_t at_ns)
{
	trace_line(s->trace,
		   "{'type':'process','event':'exec','at_ns':%lu,'pid':%u,'tid':%u,'ppid':1,"
		   "'comm':'%s','path':'/usr/bin/%s','args':['%s']}",
		   (unsigned long)at_ns, pid, pid, comm, comm, comm);
}

static const struct scene_lane *lane_of(const struct scene *scene, uint32_t pid)
{
	for (size_t i = 0; i < scene->lane_count; i++)
		if (scene->lanes[i].pid == pid)
			return &scene->lanes[i];
	return NULL;
}

/* 10 is the traced shell, 12 the program of that name behind it; 13 waits, 14 was refused. */
static void what_matters_has_a_higher_rank(void **state)
{
	struct stage *s = *state;
	const struct scene *scene;

	trace_command(s->trace, "prog");
	trace_fork(s->trace, 9, 10, "sh", 100);
	executes(s, 10, "sh", 110);
	for (uint32_t pid = 11; pid <= 14; pid++)
		trace_fork(s->trace, 10, pid, "sh", 100 + pid);
	executes(s, 12, "prog", 200);
	trace_channel(s->trace, "pipe:[7]", "pipe", "");
	trace_line(s->trace, "{'type':'operation','id':1,'syscall':'read','role':'receive',"
			     "'pid':13,'tid':13,'comm':'sh','fd':3,'channel':'pipe:[7]',"
			     "'enter_ns':300,'state':'pending','at_ns':900}");
	trace_line(s->trace, "{'type':'operation','id':2,'syscall':'connect','role':'connect',"
			     "'pid':14,'tid':14,'comm':'sh','fd':3,'enter_ns':310,'exit_ns':320,"
			     "'returned':-111,'error':'ECONNREFUSED'}");
	trace_trailer(s->trace, 1000);
	scene = build(s, (struct scene_request){0});
	assert_int_equal(lane_of(scene, 10)->rank, SCENE_RANK_COMMAND);
	assert_int_equal(lane_of(scene, 11)->rank, SCENE_RANK_PLAIN);
	assert_int_equal(lane_of(scene, 12)->rank, SCENE_RANK_COMMAND);
	assert_true(lane_of(scene, 13)->rank >= SCENE_RANK_WAITS);
	assert_true(lane_of(scene, 14)->rank >= SCENE_RANK_FAILED);
}

/* --- names --- */

/* Executes `path` with two arguments. */
static void runs(struct stage *s, uint32_t pid, const char *comm, const char *path, const char *one,
		 const char *two, uint64_t at_ns)
{
	trace_line(s->trace,
		   "{'type':'process','event':'exec','at_ns':%lu,'pid':%u,'tid':%u,'ppid':10,"
		   "'comm':'%s','path':'%s','args':['%s','%s','%s']}",
		   (unsigned long)at_ns, pid, pid, comm, path, comm, one, two);
}

static void says(struct stage *s, unsigned id, uint32_t from, const char *as, uint32_t to,
		 const char *to_as, uint64_t at_ns, int bytes)
{
	trace_line(s->trace,
		   "{'type':'operation','id':%u,'syscall':'write','role':'send','pid':%u,'tid':%u,"
		   "'comm':'%s','fd':4,'channel':'pipe:[7]','enter_ns':%lu,'exit_ns':%lu,"
		   "'requested':%d,'returned':%d}",
		   id, from, from, as, (unsigned long)at_ns, (unsigned long)at_ns + 1, bytes,
		   bytes);
	trace_line(s->trace,
		   "{'type':'operation','id':%u,'syscall':'read','role':'receive','pid':%u,"
		   "'tid':%u,'comm':'%s','fd':3,'channel':'pipe:[7]','enter_ns':%lu,"
		   "'exit_ns':%lu,'requested':%d,'returned':%d}",
		   id + 1, to, to, to_as, (unsigned long)at_ns + 2, (unsigned long)at_ns + 3, bytes,
		   bytes);
}

static const char *title(struct stage *s, uint32_t pid)
{
	return lane_of(build(s, (struct scene_request){0}), pid)->title;
}

static void a_helper_that_becomes_cat_is_cat(void **state)
{
	struct stage *s = *state;

	trace_process(s->trace, 10, "java");
	trace_pipe(s->trace, 10, TRACE_PIPE);
	trace_fork(s->trace, 10, 20, "java", 100);
	runs(s, 20, "jspawnhelper", "/j", "a", "b", 110);
	says(s, 1, 10, "java", 20, "jspawnhelper", 200, 100);
	says(s, 3, 10, "java", 20, "jspawnhelper", 210, 100);
	runs(s, 20, "cat", "/bin/cat", "a", "b", 300);
	says(s, 5, 10, "java", 20, "cat", 310, 6);
	trace_exit(s->trace, 20, "'exit_code':0", 320);
	assert_string_equal(title(s, 20), "cat");
}

static void a_shell_that_ends_as_rm_is_no_rm(void **state)
{
	struct stage *s = *state;

	trace_process(s->trace, 10, "top");
	trace_fork(s->trace, 10, 20, "top", 100);
	runs(s, 20, "bash", "/bin/bash", "-c", "a", 110);
	trace_fork(s->trace, 20, 30, "bash", 200);
	trace_exit(s->trace, 30, "'exit_code':0", 300);
	runs(s, 20, "rm", "/bin/rm", "-f", "x", 400);
	trace_exit(s->trace, 20, "'exit_code':0", 450);
	assert_string_equal(title(s, 20), "bash");
}

static void a_wrapper_is_what_it_becomes(void **state)
{
	struct stage *s = *state;

	trace_process(s->trace, 10, "top");
	trace_pipe(s->trace, 10, TRACE_PIPE);
	trace_fork(s->trace, 10, 20, "top", 100);
	runs(s, 20, "bash", "/bin/bash", "-c", "a", 110);
	for (unsigned i = 0; i < 6; i++)
		trace_fork(s->trace, 20, 30 + i, "bash", 200 + i);
	says(s, 1, 30, "bash", 20, "bash", 300, 2);
	runs(s, 20, "python3", "/bin/python3", "-c", "a", 400);
	says(s, 3, 20, "python3", 10, "top", 500, 60000);
	trace_exit(s->trace, 20, "'exit_code':0", 5000);
	assert_string_equal(title(s, 20), "python3");
}

static void namesakes_are_told_apart(void **state)
{
	struct stage *s = *state;

	trace_process(s->trace, 10, "make");
	for (uint32_t pid = 20; pid < 24; pid++)
		trace_fork(s->trace, 10, pid, "make", 100 + pid);
	runs(s, 20, "gcc", "/bin/gcc", "-c", "/src/a.c", 200);
	runs(s, 21, "gcc", "/bin/gcc", "-c", "b.c", 201);
	runs(s, 22, "gcc", "/bin/gcc", "-c", "--all-of-the-many-warnings", 202);
	runs(s, 23, "as", "/bin/as", "a", "b", 203);
	assert_string_equal(title(s, 20), "gcc a.c");
	assert_string_equal(title(s, 21), "gcc b.c");
	assert_string_equal(title(s, 22), "gcc --all-of-the-many-wa…");
	assert_string_equal(title(s, 23), "as");
	assert_string_equal(title(s, 10), "make");
}

static void copies_by_fork_were_given_the_same(void **state)
{
	struct stage *s = *state;

	trace_process(s->trace, 10, "top");
	trace_fork(s->trace, 10, 20, "top", 100);
	runs(s, 20, "srv", "/bin/srv", "8080", "x", 110);
	trace_fork(s->trace, 20, 21, "srv", 200);
	assert_string_equal(title(s, 20), "srv");
	assert_string_equal(title(s, 21), "srv");
}

/* 20 is a script called python3, 21 a copy of it by fork; then it becomes python3. */
static void a_script_is_told_by_its_interpreter(void **state)
{
	struct stage *s = *state;

	trace_process(s->trace, 10, "top");
	trace_fork(s->trace, 10, 20, "top", 100);
	trace_line(s->trace,
		   "{'type':'process','event':'exec','at_ns':110,'pid':20,'tid':20,'ppid':10,"
		   "'comm':'python3','path':'/shim/python3','args':['/bin/bash','/shim/python3',"
		   "'copy.py']}");
	trace_fork(s->trace, 20, 21, "python3", 200);
	runs(s, 20, "python3", "/bin/python3", "copy.py", "", 300);
	assert_string_equal(title(s, 20), "python3");
	assert_string_equal(title(s, 21), "python3 (bash)");
}

/* --- focus --- */

/* 10 made 20, 30 and 40; 20 writes to 30, 30 to 40, each by a pipe. 50 stands aside. */
static void put_chain(struct stage *s)
{
	trace_process(s->trace, 10, "head");
	trace_pipe(s->trace, 10, TRACE_PIPE);
	trace_fork(s->trace, 10, 20, "a", 100);
	trace_fork(s->trace, 10, 30, "b", 110);
	trace_fork(s->trace, 10, 40, "c", 120);
	trace_fork(s->trace, 10, 50, "d", 130);
	trace_put(s->trace, 1, 20, 200, 210, 5, "");
	trace_get(s->trace, 2, 30, 205, 215, 5, "");
	trace_channel(s->trace, "fifo:[8]", "fifo", "");
	trace_call(s->trace,
		   (struct call){3, "write", "send", 30, 0, 7, "fifo:[8]", 300, 310, 6, ""});
	trace_call(s->trace,
		   (struct call){4, "read", "receive", 40, 0, 7, "fifo:[8]", 305, 315, 6, ""});
	trace_exit(s->trace, 50, "'exit_code':0", 400);
	trace_trailer(s->trace, 1000);
}

/* "20 30: 2 messages" */
static const char *shown(struct stage *s, const char *item, size_t depth)
{
	const struct scene *scene;
	struct scene_request request = {.focus = {&item, 1, depth}};
	size_t messages = 0;
	char *out = s->shown;

	scene = build(s, request);
	for (size_t i = 0; i < scene->lane_count; i++)
		out += sprintf(out, "%s%u", i ? " " : "", scene->lanes[i].pid);
	for (size_t i = 0; i < scene->row_count; i++)
		messages += scene->rows[i].kind == SCENE_MESSAGE;
	sprintf(out, ": %zu", messages);
	return s->shown;
}

static void a_focus_shows_whom_it_talks_with(void **state)
{
	struct stage *s = *state;

	put_chain(s);
	assert_string_equal(shown(s, "20", 1), "20 30: 1");
	assert_string_equal(shown(s, "20", 2), "20 30 40: 2");
	assert_string_equal(shown(s, "20", 9), "20 30 40: 2");
	assert_string_equal(shown(s, "a", 1), "20 30: 1");
	assert_string_equal(shown(s, "b", 1), "20 30 40: 2");
	assert_string_equal(shown(s, "[ac]", 1), "20 30 40: 2");
	assert_string_equal(shown(s, "50", 1), "50: 0");
}

static void depth_0_shows_what_is_among_them(void **state)
{
	struct stage *s = *state;

	put_chain(s);
	assert_string_equal(shown(s, "20", 0), "20: 0");
	assert_string_equal(shown(s, "[ab]", 0), "20 30: 1");
}

static void what_names_nothing_is_told(void **state)
{
	struct stage *s = *state;
	const char *items[] = {"20", "deadlock"};
	struct scene_request request = {.focus = {items, 2, 1}};

	put_chain(s);
	trace_pair(s->trace);
	request.model = s->trace->model;
	request.pairing = s->trace->pairing;
	assert_string_equal(scene_focus_misses(&request), "deadlock");
	request.focus.count = 1;
	assert_null(scene_focus_misses(&request));
}

/* "20 50": whom the findings are about that are kept; 20 talks with 30, and 50 with nobody. */
static const char *kept(struct stage *s, const char *item, size_t depth)
{
	struct diagnosis *d = diagnose(s->trace->model, s->trace->pairing, LANGUAGE_EN);
	struct scene_request request = {.model = s->trace->model,
					.pairing = s->trace->pairing,
					.diagnosis = d,
					.focus = {&item, 1, depth}};
	bool *wanted = scene_focus_findings(&request);
	size_t before = d->count;
	char *out = s->shown;

	*out = '\0';
	diagnosis_keep(d, wanted);
	assert_int_equal(d->count + d->left_out, before);
	assert_int_equal(diagnosis_meets(d, SEVERITY_NOTE), d->count > 0);
	for (size_t i = 0; i < d->count; i++)
		out += sprintf(out, "%s%u", i ? " " : "", d->findings[i]->processes[0]->pid);
	free(wanted);
	diagnosis_free(d);
	return s->shown;
}

static void a_focus_keeps_the_findings_that_concern_it(void **state)
{
	struct stage *s = *state;

	trace_process(s->trace, 10, "head");
	trace_pipe(s->trace, 10, TRACE_PIPE);
	trace_fork(s->trace, 10, 20, "a", 100);
	trace_fork(s->trace, 10, 30, "b", 110);
	trace_fork(s->trace, 10, 50, "d", 130);
	trace_put(s->trace, 1, 20, 200, 210, 5, "");
	trace_get(s->trace, 2, 30, 205, 215, 5, "");
	trace_exit(s->trace, 20, "'signal':'SIGSEGV'", 300);
	trace_exit(s->trace, 50, "'signal':'SIGSEGV'", 400);
	trace_trailer(s->trace, 1000);
	trace_pair(s->trace);
	assert_string_equal(kept(s, "killed-by-signal", 1), "20 50");
	assert_string_equal(kept(s, "20", 1), "20");
	assert_string_equal(kept(s, "20", 0), "20");
	assert_string_equal(kept(s, "50", 9), "50");
	assert_string_equal(kept(s, "b", 1), "");
	assert_string_equal(kept(s, "b", 2), "20");
}

/* 20 is number 1 in a namespace of its own; 30 has no other number. */
static void a_process_has_the_number_of_its_namespace_too(void **state)
{
	struct stage *s = *state;
	const struct scene *scene;
	char number[SCENE_NUMBER], name[VIZ_NUMBER];

	trace_process(s->trace, 10, "head");
	trace_line(s->trace, "{'type':'process','event':'fork','at_ns':100,'pid':20,'tid':20,"
			     "'ppid':10,'ns_pid':1,'comm':'init'}");
	trace_fork(s->trace, 10, 30, "b", 110);
	trace_trailer(s->trace, 1000);
	scene = build(s, (struct scene_request){0});
	assert_string_equal(scene_lane_number(lane_of(scene, 20), number), "20 ns:1");
	assert_string_equal(scene_lane_number(lane_of(scene, 30), number), "30");
	assert_string_equal(viz_process_number(s->trace->model->processes[1], name), "20 ns:1");
	assert_string_equal(shown(s, "1", 1), "20: 0");
	assert_string_equal(shown(s, "20", 1), "20: 0");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_set_up, stage_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_matters_has_a_higher_rank),
		TEST(a_helper_that_becomes_cat_is_cat),
		TEST(a_shell_that_ends_as_rm_is_no_rm),
		TEST(a_wrapper_is_what_it_becomes),
		TEST(namesakes_are_told_apart),
		TEST(copies_by_fork_were_given_the_same),
		TEST(a_script_is_told_by_its_interpreter),
		TEST(a_focus_shows_whom_it_talks_with),
		TEST(depth_0_shows_what_is_among_them),
		TEST(what_names_nothing_is_told),
		TEST(a_focus_keeps_the_findings_that_concern_it),
		TEST(a_process_has_the_number_of_its_namespace_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
