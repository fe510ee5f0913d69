// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Calls that fail and are no IPC: when a search in vain is told, and a program that could not be
 * executed.
 */
#include "tests/unit/trace_text.h"

#include <string.h>

#include "viz/diagnose/diagnose.h"

#define MS UINT64_C(1000000)
#define END (3000 * MS)

/* 10 looks for the path ten times, from 100 ms on, until that time. */
static void seeks(struct trace_text *t, const char *path, const char *error, uint64_t until_ns)
{
	trace_line(t,
		   "{'type':'failed','at_ns':%llu,'pid':10,'tid':10,'syscall':'newfstatat',"
		   "'error':'%s','path':'%s','since_ns':%llu,'tries':10}",
		   (unsigned long long)until_ns, error, path, (unsigned long long)(100 * MS));
}

static void sleeps(struct trace_text *t, uint64_t until_ns)
{
	trace_call(t, (struct call){.id = 1,
				    .syscall = "clock_nanosleep",
				    .role = "wait",
				    .pid = 10,
				    .fd = -1,
				    .enter_ns = 100 * MS,
				    .exit_ns = until_ns,
				    .more = ""});
}

static const char *told_at_end(struct trace_text *t, const char *name, unsigned operations)
{
	trace_ends(t, END, "timeout", operations);
	return trace_severity(t, name, NULL);
}

static void until_the_end(void **state)
{
	seeks(*state, "ready", "ENOENT", END - 100 * MS);
	sleeps(*state, END - 100 * MS);
	assert_string_equal(told_at_end(*state, "never-made", 1), "warning");
}

static void pauses_seldom(void **state)
{
	seeks(*state, "ready", "ENOENT", END - 100 * MS);
	sleeps(*state, 1000 * MS);
	assert_string_equal(told_at_end(*state, "never-made", 1), "note");
}

static void found_at_last(void **state)
{
	seeks(*state, "ready", "ENOENT", 1500 * MS);
	sleeps(*state, END - 100 * MS);
	assert_string_equal(told_at_end(*state, "never-made", 1), "");
}

static void of_the_system(void **state)
{
	seeks(*state, "/etc/localtime", "ENOENT", END - 100 * MS);
	sleeps(*state, END - 100 * MS);
	assert_string_equal(told_at_end(*state, "never-made", 1), "");
}

static void moves_meanwhile(void **state)
{
	trace_channel(*state, "pipe:[9]", "pipe", "");
	seeks(*state, "ready", "ENOENT", END - 100 * MS);
	sleeps(*state, END - 100 * MS);
	trace_call(*state, (struct call){.id = 2,
					 .syscall = "write",
					 .role = "send",
					 .pid = 10,
					 .fd = 5,
					 .channel = "pipe:[9]",
					 .enter_ns = 200 * MS,
					 .exit_ns = 200 * MS + 1,
					 .returned = 1,
					 .more = ""});
	assert_string_equal(told_at_end(*state, "never-made", 2), "");
}

static void ends_with(struct trace_text *t, const char *status, const char *severity)
{
	seeks(t, "ready", "ENOENT", 1500 * MS);
	sleeps(t, 1500 * MS);
	trace_exit(t, 10, status, 1501 * MS);
	assert_string_equal(told_at_end(t, "never-made", 1), severity);
}

static void gives_up(void **state)
{
	ends_with(*state, "'exit_code':3", "warning");
}

static void goes_without(void **state)
{
	ends_with(*state, "'exit_code':0", "");
}

static void folder_is_there(void **state)
{
	seeks(*state, "lock", "EEXIST", END - 100 * MS);
	sleeps(*state, END - 100 * MS);
	assert_string_equal(told_at_end(*state, "lock-file", 1), "warning");
}

/* As a cache that is made where there is none, by a program that works. */
static void folder_is_there_while_it_works(void **state)
{
	seeks(*state, "cache", "EEXIST", END - 100 * MS);
	sleeps(*state, 1000 * MS);
	assert_string_equal(told_at_end(*state, "lock-file", 1), "");
}

/* The times of a trace that nobody wrote may be any. */
static void contradicts_itself(void **state)
{
	seeks(*state, "ready", "ENOENT", 1);
	assert_string_equal(told_at_end(*state, "never-made", 0), "");
}

/* --- programs --------------------------------------------------------------------------------- */

static void fails_to_execute(struct trace_text *t, uint32_t pid, const char *path)
{
	trace_line(t,
		   "{'type':'failed','at_ns':%llu,'pid':%u,'tid':%u,'syscall':'execve',"
		   "'error':'ENOENT','path':'%s'}",
		   (unsigned long long)(200 * MS), pid, pid, path);
}

static void lives_on(void **state)
{
	trace_fork(*state, 10, 40, "sh", 100 * MS);
	fails_to_execute(*state, 40, "/bin/no-such");
	assert_string_equal(told_at_end(*state, "exec-failed", 0), "warning");
}

static void child_ends(struct trace_text *t, const char *status, const char *severity)
{
	trace_fork(t, 10, 40, "sh", 100 * MS);
	fails_to_execute(t, 40, "/bin/no-such");
	trace_exit(t, 40, status, 201 * MS);
	assert_string_equal(told_at_end(t, "exec-failed", 0), severity);
}

static void ends_in_silence(void **state)
{
	child_ends(*state, "'exit_code':1", "note");
}

static void ends_as_shells_do(void **state)
{
	child_ends(*state, "'exit_code':127", "");
}

static void found_in_another_folder(void **state)
{
	trace_fork(*state, 10, 40, "sh", 100 * MS);
	fails_to_execute(*state, 40, "/bin/ls");
	trace_line(*state,
		   "{'type':'process','event':'exec','at_ns':%llu,'pid':40,'tid':40,'ppid':10,"
		   "'comm':'ls','path':'/usr/bin/ls','args':['ls']}",
		   (unsigned long long)(201 * MS));
	assert_string_equal(told_at_end(*state, "exec-failed", 0), "");
}

/* Not a child of the trace: it goes on in code of its own. */
static void tries_itself(void **state)
{
	fails_to_execute(*state, 10, "/bin/no-such");
	assert_string_equal(told_at_end(*state, "exec-failed", 0), "");
}

/* The name as it was typed, of which execvp(3) asks in each folder of PATH; else the path. */
static void expect_named(struct trace_text *t, const char *words)
{
	const struct viz_pairing *pairing;
	struct diagnosis *d;

	trace_ends(t, END, "timeout", 0);
	pairing = trace_pair(t);
	d = diagnose(t->model, pairing, LANGUAGE_EN);
	assert_int_equal(d->count, 1);
	assert_non_null(strstr(d->findings[0]->text, words));
	diagnosis_free(d);
}

static void sought_in_folders(void **state)
{
	trace_fork(*state, 10, 40, "sh", 100 * MS);
	fails_to_execute(*state, 40, "/usr/bin/no-such");
	fails_to_execute(*state, 40, "/bin/no-such");
	expect_named(*state,
		     "could not execute no-such: there is no such program (ENOENT); it went");
}

static void sought_once(void **state)
{
	trace_fork(*state, 10, 40, "sh", 100 * MS);
	fails_to_execute(*state, 40, "./no-such");
	trace_exit(*state, 40, "'exit_code':1", 201 * MS);
	expect_named(*state,
		     "could not execute ./no-such: there is no such program (ENOENT); it ended");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(until_the_end, trace_three_set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(pauses_seldom, trace_three_set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(found_at_last, trace_three_set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(of_the_system, trace_three_set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(moves_meanwhile, trace_three_set_up,
						trace_tear_down),
		cmocka_unit_test_setup_teardown(gives_up, trace_three_set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(goes_without, trace_three_set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(folder_is_there, trace_three_set_up,
						trace_tear_down),
		cmocka_unit_test_setup_teardown(folder_is_there_while_it_works, trace_three_set_up,
						trace_tear_down),
		cmocka_unit_test_setup_teardown(contradicts_itself, trace_three_set_up,
						trace_tear_down),
		cmocka_unit_test_setup_teardown(lives_on, trace_three_set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(ends_in_silence, trace_three_set_up,
						trace_tear_down),
		cmocka_unit_test_setup_teardown(ends_as_shells_do, trace_three_set_up,
						trace_tear_down),
		cmocka_unit_test_setup_teardown(found_in_another_folder, trace_three_set_up,
						trace_tear_down),
		cmocka_unit_test_setup_teardown(tries_itself, trace_three_set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(sought_in_folders, trace_three_set_up,
						trace_tear_down),
		cmocka_unit_test_setup_teardown(sought_once, trace_three_set_up, trace_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
