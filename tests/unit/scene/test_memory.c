// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The notes on shared memory: who had it, told in a time that grows as the trace does. */
#include "tests/unit/scene_stage.h"

#include <string.h>

#define MEMORY "sysv-shm:7"

static void attach(struct stage *s, uint32_t pid, uint64_t at_ns, bool attaches)
{
	static unsigned id = 100;

	trace_call(s->trace,
		   (struct call){++id, attaches ? "shmat" : "shmdt", attaches ? "open" : "close",
				 pid, 0, -1, MEMORY, at_ns, at_ns + 1, 0, NULL});
}

static const char *note_of(struct stage *s)
{
	const struct scene *scene = stage_scene(s, (struct scene_request){0});

	for (size_t i = 0; i < scene->note_count; i++)
		if (strstr(scene->notes[i], "shared memory"))
			return scene->notes[i];
	return "";
}

static void begin(struct stage *s)
{
	trace_process(s->trace, 10, "boss");
	trace_channel(s->trace, MEMORY, "sysv-shm", ",'capacity':4096");
}

static void exec(struct stage *s, uint32_t pid, const char *comm, uint64_t at_ns)
{
	trace_line(s->trace,
		   "{'type':'process','event':'exec','at_ns':%lu,'pid':%u,'tid':%u,'ppid':10,"
		   "'comm':'%s'}",
		   (unsigned long)at_ns, pid, pid, comm);
}

static void children_have_what_their_parent_has(void **state)
{
	struct stage *s = *state;

	begin(s);
	trace_fork(s->trace, 10, 11, "before", 10);
	attach(s, 10, 20, true);
	trace_fork(s->trace, 10, 12, "child", 30);
	trace_fork(s->trace, 12, 13, "grandchild", 40);
	trace_fork(s->trace, 10, 14, "execer", 50);
	exec(s, 14, "other", 55);
	trace_fork(s->trace, 14, 15, "ofother", 58);
	attach(s, 10, 60, false);
	trace_fork(s->trace, 10, 16, "after", 70);
	attach(s, 11, 80, true);
	trace_trailer(s->trace, 100);
	assert_string_equal(note_of(s),
			    "shared memory " MEMORY ", 4096 B: boss from 11 ns for 40 ns, "
			    "child (by fork) from 20 ns on, grandchild (by fork) from 30 ns on, "
			    "before from 71 ns on");
}

static void a_crowd_is_cut(void **state)
{
	struct stage *s = *state;

	begin(s);
	attach(s, 10, 20, true);
	for (uint32_t i = 0; i < 10; i++)
		trace_fork(s->trace, 10, 11 + i, "child", 30 + i);
	trace_trailer(s->trace, 100);
	assert_non_null(strstr(note_of(s), "child[15] (by fork) from 14 ns on, 5 more"));
	assert_null(strstr(note_of(s), "child[16]"));
}

/*
 * Pieces of memory that each child has by fork; as many children and one more. Followed are 131,072
 * uses and 16 a line: those of the parent and of the first 176 children.
 */
enum { MANY = 1024 };

static void what_is_left_out_is_counted(void **state)
{
	struct stage *s = *state;
	const struct scene *scene;
	const char *told = "";
	char memory[32];

	trace_process(s->trace, 10, "boss");
	for (uint32_t i = 0; i < MANY; i++) {
		snprintf(memory, sizeof(memory), "sysv-shm:%u", i);
		trace_channel(s->trace, memory, "sysv-shm", ",'capacity':4096");
		trace_call(s->trace, (struct call){1000 + i, "shmat", "open", 10, 0, -1, memory,
						   20 + i, 20 + i, 0, NULL});
	}
	for (uint32_t i = 0; i <= MANY; i++)
		trace_fork(s->trace, 10, 11 + i, "child", 2000 + i);
	trace_trailer(s->trace, 9000);
	scene = stage_scene(s, (struct scene_request){0});
	for (size_t i = 0; i < scene->note_count; i++)
		if (strstr(scene->notes[i], "more uses"))
			told = scene->notes[i];
	assert_string_equal(told, "869,376 more uses of shared memory by children are not told");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(children_have_what_their_parent_has, stage_set_up,
						stage_tear_down),
		cmocka_unit_test_setup_teardown(a_crowd_is_cut, stage_set_up, stage_tear_down),
		cmocka_unit_test_setup_teardown(what_is_left_out_is_counted, stage_set_up,
						stage_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
