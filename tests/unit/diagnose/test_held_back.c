// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A request that the kernel holds back by its sender's choice: when that is told. */
#include "tests/unit/trace_text.h"

#include <stdio.h>
#include <string.h>

#include "viz/diagnose/diagnose.h"

#define MS UINT64_C(1000000)
#define CLIENT "tcp:[3]"
#define SERVER "tcp:[4]"
#define MORE ",'flags':32768"
#define CORK(on) ",'option':{'level':'IPPROTO_TCP','name':'TCP_CORK','value':" #on "}"

/* 10 asks 20, which is at the other end. */
static int set_up(void **state)
{
	trace_three_set_up(state);
	trace_channel(*state, CLIENT, "tcp", ",'peer':'" SERVER "'");
	trace_channel(*state, SERVER, "tcp", "");
	return 0;
}

/* How many calls of 10 and 20 a trace has, which are numbered so. */
struct talk {
	struct trace_text *t;
	unsigned calls;
	uint64_t at_ns; /* when the latest request was sent */
};

static void act(struct talk *talk, uint32_t pid, struct call call)
{
	call.id = ++talk->calls;
	call.pid = pid;
	call.fd = 5;
	call.channel = pid == 10 ? CLIENT : SERVER;
	trace_call(talk->t, call);
}

static void sends(struct talk *talk, uint32_t pid, uint64_t at_ns, const char *more)
{
	act(talk, pid,
	    (struct call){.syscall = "sendto",
			  .role = "send",
			  .enter_ns = at_ns,
			  .exit_ns = at_ns + 1,
			  .returned = 5,
			  .more = more});
}

static void hears(struct talk *talk, uint32_t pid, uint64_t at_ns, uint64_t slept_ns)
{
	char more[64];

	snprintf(more, sizeof(more), ",'off_cpu_ns':%llu", (unsigned long long)slept_ns);
	act(talk, pid,
	    (struct call){.syscall = "recvfrom",
			  .role = "receive",
			  .enter_ns = at_ns,
			  .exit_ns = at_ns + slept_ns + 2,
			  .returned = 5,
			  .more = more});
}

static void sets(struct talk *talk, uint64_t at_ns, const char *option)
{
	act(talk, 10,
	    (struct call){.syscall = "setsockopt",
			  .role = "control",
			  .enter_ns = at_ns,
			  .exit_ns = at_ns + 1,
			  .more = option});
}

/* 10 sends its request, which 20 gets so much later, and waits for the answer. */
static void asks(struct talk *talk, const char *more, uint64_t held_ns)
{
	const uint64_t at_ns = talk->at_ns += 1000 * MS;

	sends(talk, 10, at_ns, more);
	hears(talk, 20, at_ns - 5, held_ns + 5);
	sends(talk, 20, at_ns + held_ns + 10, "");
	hears(talk, 10, at_ns + 5, held_ns + 20);
}

/* 10 announces more, and 20 has the first part, after a sleep that began so much later. */
static void announces(struct talk *talk, int64_t later_ns, uint64_t slept_ns)
{
	talk->at_ns += 1000 * MS;
	sends(talk, 10, talk->at_ns, MORE);
	hears(talk, 20, talk->at_ns + (uint64_t)later_ns, slept_ns);
}

/* "warning 3", the number being that of cases, "note 1", or "" if nothing is told. */
static const char *told(struct talk *talk)
{
	struct trace_text *t = talk->t;
	uint64_t times = 0;
	const char *severity;

	trace_ends(t, talk->at_ns + 1000 * MS, "finished", talk->calls);
	severity = trace_severity(t, "held-back", &times);
	if (!times)
		return "";
	snprintf(t->shown, sizeof(t->shown), "%s %u", severity, (unsigned)times);
	return t->shown;
}

static void each_announces_more(void **state)
{
	struct talk talk = {.t = *state};

	for (int i = 0; i < 3; i++)
		asks(&talk, MORE, 200 * MS);
	assert_string_equal(told(&talk), "warning 3");
}

static void seldom(void **state)
{
	struct talk talk = {.t = *state};

	asks(&talk, MORE, 200 * MS);
	asks(&talk, "", 1 * MS);
	asks(&talk, MORE, 150 * MS);
	assert_string_equal(told(&talk), "note 2");
}

static void corked(void **state)
{
	struct talk talk = {.t = *state};

	sets(&talk, 10 * MS, CORK(1));
	for (int i = 0; i < 4; i++)
		asks(&talk, "", 200 * MS);
	assert_string_equal(told(&talk), "warning 4");
}

/* The server is slow, or the network is; nothing was announced. */
static void cork_is_pulled(void **state)
{
	struct talk talk = {.t = *state};

	sets(&talk, 10 * MS, CORK(1));
	sets(&talk, 20 * MS, CORK(0));
	for (int i = 0; i < 4; i++)
		asks(&talk, "", 200 * MS);
	assert_string_equal(told(&talk), "");
}

static void shortly(void **state)
{
	struct talk talk = {.t = *state};

	for (int i = 0; i < 4; i++)
		asks(&talk, MORE, 140 * MS);
	assert_string_equal(told(&talk), "");
}

/* It computes what it announced, and the kernel sends the first part meanwhile. */
static void more_follows(void **state)
{
	struct talk talk = {.t = *state};

	for (int i = 0; i < 4; i++) {
		announces(&talk, -5, 200 * MS);
		sends(&talk, 10, talk.at_ns + 300 * MS, "");
		hears(&talk, 20, talk.at_ns + 250 * MS, 50 * MS);
		sends(&talk, 20, talk.at_ns + 310 * MS, "");
		hears(&talk, 10, talk.at_ns + 301 * MS, 10 * MS);
	}
	assert_string_equal(told(&talk), "");
}

/* It has the option cleared by another thread while one waits: the kernel sends at once. */
static void cork_is_pulled_late(void **state)
{
	struct talk talk = {.t = *state};

	sets(&talk, 10 * MS, CORK(1));
	for (int i = 0; i < 4; i++) {
		asks(&talk, "", 200 * MS);
		sets(&talk, talk.at_ns + 199 * MS, CORK(0));
		sets(&talk, talk.at_ns + 300 * MS, CORK(1));
	}
	assert_string_equal(told(&talk), "");
}

/* The receiver was not asleep for it: it came when it asked. */
static void receiver_is_late(void **state)
{
	struct talk talk = {.t = *state};

	for (int i = 0; i < 4; i++) {
		announces(&talk, 300 * MS, 0);
		sends(&talk, 20, talk.at_ns + 310 * MS, "");
		hears(&talk, 10, talk.at_ns + 5, 310 * MS);
	}
	assert_string_equal(told(&talk), "");
}

/* What 10 hears was sent before 20 had the request: it is no answer. */
static void comes_on_its_own(void **state)
{
	struct talk talk = {.t = *state};

	for (int i = 0; i < 4; i++) {
		talk.at_ns += 1000 * MS;
		sends(&talk, 10, talk.at_ns, MORE);
		sends(&talk, 20, talk.at_ns + 100 * MS, "");
		hears(&talk, 20, talk.at_ns - 5, 200 * MS);
		hears(&talk, 10, talk.at_ns + 5, 250 * MS);
	}
	assert_string_equal(told(&talk), "");
}

/* The thread that sent the request does not wait: another one reads what comes. */
static void another_thread_hears(void **state)
{
	struct talk talk = {.t = *state};

	for (int i = 0; i < 4; i++) {
		announces(&talk, -5, 200 * MS);
		sends(&talk, 20, talk.at_ns + 210 * MS, "");
		act(&talk, 10,
		    (struct call){.syscall = "recvfrom",
				  .role = "receive",
				  .tid = 11,
				  .enter_ns = talk.at_ns + 5,
				  .exit_ns = talk.at_ns + 220 * MS,
				  .returned = 5,
				  .more = ",'off_cpu_ns':210000000"});
	}
	assert_string_equal(told(&talk), "");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, trace_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_announces_more),  TEST(seldom),	    TEST(corked),
		TEST(cork_is_pulled),	    TEST(shortly),	    TEST(more_follows),
		TEST(cork_is_pulled_late),  TEST(receiver_is_late), TEST(comes_on_its_own),
		TEST(another_thread_hears),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
