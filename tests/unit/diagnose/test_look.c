// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a look at the machine, which is in the trace itself, adds to its findings. */
#include "tests/unit/trace_text.h"

#include <stdio.h>
#include <string.h>

#include "viz/diagnose/diagnose.h"

#define LOCK "file-lock:[5]"

static void executes_flock(struct trace_text *t)
{
	trace_line(t, "{'type':'process','event':'exec','at_ns':2,'pid':10,'tid':10,'ppid':1,"
		      "'comm':'flock','path':'/usr/bin/flock','args':['flock']}");
}

/* Process 10 waits for a lock when the time limit fires. */
static void waits_for_lock(struct trace_text *t)
{
	executes_flock(t);
	trace_channel(t, LOCK, "file-lock", ",'name':'lock'");
	trace_line(t,
		   "{'type':'operation','id':1,'syscall':'flock','role':'control','pid':10,'fd':3,"
		   "'channel':'%s','enter_ns':3000000,'state':'pending','at_ns':2000000000}",
		   LOCK);
}

static void look_line(struct trace_text *t, const char *line)
{
	trace_line(t, "{'type':'look','line':%s}", line);
}

/* Who has the lock, which no call of the trace tells; 99 sleeps. */
static const char *const look[] = {
	"{'type':'header','format':'ipclens-trace','version':2,'tool':'0','kernel':'6',"
	"'machine':'x86_64','clock':'CLOCK_MONOTONIC','start_ns':2000000100,"
	"'realtime_offset_ns':0,'options':{},'hooks':{}}",
	"{'type':'process','event':'snapshot','at_ns':2000000200,'pid':10,'tid':10,'ppid':1,"
	"'comm':'flock'}",
	"{'type':'process','event':'snapshot','at_ns':2000000200,'pid':99,'tid':99,'ppid':1,"
	"'comm':'holder'}",
	"{'type':'channel','id':'" LOCK "','at_ns':2000000200,'mechanism':'file-lock',"
	"'name':'lock','users':[99]}",
	"{'type':'operation','id':1,'syscall':'flock','role':'control','pid':10,'fd':3,"
	"'channel':'" LOCK "','enter_ns':3000000,'state':'pending','at_ns':2000000300,"
	"'lock':{'kind':'flock','mode':'exclusive'}}",
	"{'type':'operation','id':2,'syscall':'pause','role':'wait','pid':99,'enter_ns':2,"
	"'state':'pending','at_ns':2000000300}",
	"{'type':'trailer','at_ns':2000000300,'why':'glance','operations':0,'signals':0,"
	"'lost':0}",
};

enum { LOOK_LINES = sizeof(look) / sizeof(*look), CALL_OF_10 = 4 };

static void take_look(struct trace_text *t)
{
	for (size_t i = 0; i < LOOK_LINES; i++)
		look_line(t, look[i]);
}

/* The pids of who is in the finding: those of the trace, then the others. */
static size_t shows_who(char *shown, size_t room, const struct finding *f)
{
	size_t len = 0;

	for (size_t i = 0; i < f->process_count; i++)
		len += (size_t)snprintf(shown + len, room - len, " %u", f->processes[i]->pid);
	for (size_t i = 0; i < f->other_count; i++)
		len += (size_t)snprintf(shown + len, room - len, " +%u", f->others[i]->pid);
	return len;
}

/* Findings as "blocked file-lock:[5] 10 +99\n", and the words of the last one. */
static const char *findings(struct trace_text *t, char *text, size_t room)
{
	const struct viz_pairing *pairing;
	struct diagnosis *d;
	size_t len = 0;

	trace_line(t, "{'type':'trailer','at_ns':2000000000,'why':'timeout','operations':0,"
		      "'signals':0,'lost':0}");
	pairing = trace_pair(t);
	d = diagnose(t->model, pairing, LANGUAGE_EN);
	*t->shown = *text = '\0';
	for (size_t i = 0; i < d->count; i++) {
		const struct finding *f = d->findings[i];

		len += (size_t)snprintf(t->shown + len, sizeof(t->shown) - len, "%s%s %s",
					f->severity == SEVERITY_NOTE ? "note: " : "", f->row->name,
					f->channel ? f->channel->id.data : "-");
		len += shows_who(t->shown + len, sizeof(t->shown) - len, f);
		len += (size_t)snprintf(t->shown + len, sizeof(t->shown) - len, "\n");
		assert_int_equal(f->operation_count && f->other_count, 0);
		snprintf(text, room, "%s", f->text);
	}
	diagnosis_free(d);
	return t->shown;
}

static void names_holder(void **state)
{
	struct trace_text *t = *state;
	char text[256];

	waits_for_lock(t);
	take_look(t);
	assert_string_equal(findings(t, text, sizeof(text)), "blocked " LOCK " 10 +99\n");
	assert_non_null(strstr(text, "holder[99]"));
	assert_non_null(strstr(text, "for 2 s")); /* as the trace tells it, until its own end */
}

static void without_look(void **state)
{
	struct trace_text *t = *state;
	char text[256];

	waits_for_lock(t);
	assert_string_equal(findings(t, text, sizeof(text)), "blocked " LOCK " 10\n");
	assert_null(strstr(text, "holder"));
}

/* Without its header the look is none; the trace tells what it knows by itself. */
static void damaged(void **state)
{
	struct trace_text *t = *state;
	char text[256];

	waits_for_lock(t);
	for (size_t i = 1; i < LOOK_LINES; i++)
		look_line(t, look[i]);
	assert_string_equal(findings(t, text, sizeof(text)), "blocked " LOCK " 10\n");
}

/* A look that is in the look is not looked at, however deep. */
static void nested(void **state)
{
	struct trace_text *t = *state;
	char text[256], line[1024];

	waits_for_lock(t);
	look_line(t, look[0]);
	for (size_t i = 0; i < LOOK_LINES; i++) {
		snprintf(line, sizeof(line), "{'type':'look','line':%s}", look[i]);
		look_line(t, line);
	}
	look_line(t, look[LOOK_LINES - 1]);
	assert_string_equal(findings(t, text, sizeof(text)), "blocked " LOCK " 10\n");
}

/* Who ended before the limit is not asked about, whatever has its pid in the look. */
static void of_survivors(void **state)
{
	struct trace_text *t = *state;
	char text[256];

	waits_for_lock(t);
	trace_exit(t, 10, "'exit_code':0", 1999999999);
	take_look(t);
	assert_null(strstr(findings(t, text, sizeof(text)), "99"));
}

/* The look takes long, and finds the process in a call that began after the limit. */
static void take_late_look(struct trace_text *t)
{
	for (size_t i = 0; i < CALL_OF_10; i++)
		look_line(t, look[i]);
	look_line(t, "{'type':'operation','id':1,'syscall':'flock','role':'control','pid':10,"
		     "'fd':3,'channel':'" LOCK "','enter_ns':2000000150,'state':'pending',"
		     "'at_ns':5000000000,'lock':{'kind':'flock','mode':'exclusive'}}");
	look_line(t, look[CALL_OF_10 + 1]);
	look_line(t, "{'type':'trailer','at_ns':5000000000,'why':'glance','operations':0,"
		     "'signals':0,'lost':0}");
}

static void asks_again(void **state)
{
	struct trace_text *t = *state;
	char text[256];

	waits_for_lock(t);
	take_late_look(t);
	assert_string_equal(findings(t, text, sizeof(text)), "blocked " LOCK " 10\n");
	assert_non_null(strstr(text, "for 2 s"));
}

/* Until the limit it waited for nothing. */
static void began_after_limit(void **state)
{
	struct trace_text *t = *state;
	char text[256];

	executes_flock(t);
	take_late_look(t);
	assert_string_equal(findings(t, text, sizeof(text)), "note: blocked - 10 +99\n");
}

static int set_up(void **state)
{
	struct trace_text *t = trace_new();

	trace_command(t, "flock");
	*state = t;
	return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, trace_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(names_holder), TEST(without_look), TEST(damaged),		 TEST(nested),
		TEST(of_survivors), TEST(asks_again),	TEST(began_after_limit),
	};

	return cmocka_run_group_tests_name("a look in a trace", tests, NULL, NULL);
}
