/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Receives that found nothing: those of an event loop are one remark, those of a program that asks
 * again and again are failures. Each row of a trace is a letter:
 *   R  a receive that takes something     E  one that finds nothing (EAGAIN)
 *   W  epoll_wait that sleeps and is told of the channel
 *   O  epoll_wait that sleeps and is told of another channel
 *   0  epoll_wait that does not sleep, as with a timeout of 0
 *   C  epoll_ctl adds the channel         L  a receive whose limit ran out (it slept)
 */
#include "tests/unit/scene_stage.h"

#include <stdio.h>
#include <string.h>

#define SOCKET "unix-dgram:[7]"
#define OTHER "unix-dgram:[8]"

static const struct kind {
	char letter;
	const char *syscall, *role;
	int64_t returned;
	const char *more;
} kinds[] = {
	{'R', "recvfrom", "receive", 4, ""},
	{'E', "recvfrom", "receive", -11, ",'error':'EAGAIN'"},
	{'L', "recvfrom", "receive", -11, ",'error':'EAGAIN','off_cpu_ns':3,'timeout_ns':3"},
	{'W', "epoll_wait", "wait", 1,
	 ",'off_cpu_ns':3,'ready':[{'fd':5,'channel':'" SOCKET "','events':['in']}]"},
	{'O', "epoll_wait", "wait", 1,
	 ",'off_cpu_ns':3,'ready':[{'fd':6,'channel':'" OTHER "','events':['in']}]"},
	{'0', "epoll_wait", "wait", 0, ""},
	{'C', "epoll_ctl", "control", 0,
	 ",'waits_for':[{'fd':5,'channel':'" SOCKET "','events':['in']}]"},
};

static const struct kind *kind_of(char letter)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (kinds[i].letter == letter)
			return &kinds[i];
	fail_msg("no kind %c", letter);
	return NULL;
}

static void add_calls(struct stage *s, const char *letters)
{
	trace_process(s->trace, 10, "loop");
	trace_channel(s->trace, SOCKET, "unix-dgram", "");
	trace_channel(s->trace, OTHER, "unix-dgram", "");
	for (unsigned i = 0; letters[i]; i++) {
		const struct kind *kind = kind_of(letters[i]);
		bool receives = kind->role[0] == 'r';

		trace_call(s->trace,
			   (struct call){i + 1, kind->syscall, kind->role, 10, 0, receives ? 5 : 9,
					 receives ? SOCKET : NULL, 100 + 10 * i, 105 + 10 * i,
					 kind->returned, kind->more});
	}
	trace_trailer(s->trace, 9000);
}

/* "loop 3, failed 2": how many receives that found nothing are a loop's, and how many not. */
static void count(struct stage *s, struct scene_request request, char shown[64])
{
	const struct scene *scene = stage_scene(s, request);
	unsigned loop = 0, failed = 0;

	for (size_t i = 0; i < scene->row_count; i++) {
		const struct scene_row *row = &scene->rows[i];
		unsigned times = 1;

		if (!strstr(row->label, "EAGAIN"))
			continue;
		if (row->kind == SCENE_FAILED)
			sscanf(row->detail, "%u times", &times);
		else
			sscanf(row->label, "%u×", &times);
		*(row->kind == SCENE_FAILED ? &failed : &loop) += times;
	}
	snprintf(shown, 64, "loop %u, failed %u", loop, failed);
}

static const struct example {
	const char *letters, *shown;
} examples[] = {
	/* Until nothing is left, each time that it was told of more. */
	{"CWREWREWRRE", "loop 3, failed 0"},
	/* The first tries, then it waits for more of the same. */
	{"CEWRCEWR", "loop 2, failed 0"},
	{"EWREWR", "loop 2, failed 0"},
	/* Told of something else, but it lets itself be told of this too. */
	{"CEOEOWR", "loop 2, failed 0"},
	{"EOEO", "loop 0, failed 2"},
	/* Asked again and again. */
	{"EEEEEREEE", "loop 0, failed 8"},
	{"CEEEEW", "loop 1, failed 3"},
	/* A wait that is none. */
	{"CE0E0E0E0", "loop 0, failed 4"},
	/* Never watched. */
	{"RERERE", "loop 0, failed 3"},
	/* A limit ran out. */
	{"CWRLLW", "loop 0, failed 2"},
	/* It has not waited again when the trace ends. */
	{"CWREE", "loop 1, failed 1"},
};

static void loops_are_told_from_busy_asking(void **state)
{
	for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++) {
		char shown[64];

		stage_set_up(state);
		add_calls(*state, examples[i].letters);
		count(*state, (struct scene_request){0}, shown);
		if (strcmp(shown, examples[i].shown) != 0)
			fail_msg("%s: %s", examples[i].letters, shown);
		stage_tear_down(state);
	}
}

static void a_loop_is_one_remark_and_each_unfolded(void **state)
{
	struct stage *s = *state;
	size_t folded = 0, unfolded = 0;
	const struct scene *scene;

	add_calls(s, "CWREWREWREWREWRE");
	scene = stage_scene(s, (struct scene_request){0});
	for (size_t i = 0; i < scene->row_count; i++)
		folded += strstr(scene->rows[i].label, "EAGAIN") != NULL;
	assert_int_equal(folded, 1);
	scene = stage_scene(s, (struct scene_request){.unfold = true});
	for (size_t i = 0; i < scene->row_count; i++)
		unfolded += strstr(scene->rows[i].label, "EAGAIN") != NULL;
	assert_int_equal(unfolded, 5);
	assert_int_equal(scene->lanes[0].rank, SCENE_RANK_PLAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loops_are_told_from_busy_asking),
		cmocka_unit_test_setup_teardown(a_loop_is_one_remark_and_each_unfolded,
						stage_set_up, stage_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
