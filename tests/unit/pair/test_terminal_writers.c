// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Writes to a pseudo-terminal that wait for one another, or whose bytes tell their order. */
#include "tests/unit/trace_text.h"

#define MASTER "pty:[1:master]"
#define SLAVE "pty:[1]"
#define LINE                                                                                       \
	",'at_entry':{'input':0,'output':4,'local':2608},"                                         \
	"'at_exit':{'input':0,'output':4,'local':2608}"

#define COOKED                                                                                     \
	",'at_entry':{'input':1280,'output':5,'local':35387},"                                     \
	"'at_exit':{'input':1280,'output':5,'local':35387}"

static int set_up(void **state)
{
	struct trace_text *t = trace_new();

	trace_process(t, 10, "reader");
	trace_fork(t, 10, 20, "one", 5);
	trace_fork(t, 10, 30, "other", 6);
	trace_channel(t, SLAVE, "pty", ",'end':'slave'");
	trace_channel(t, MASTER, "pty", ",'end':'master','peer':'" SLAVE "'");
	trace_channel(t, SLAVE, "pty", ",'end':'slave','peer':'" MASTER "'");
	trace_line(t, "{'type':'operation','id':1000,'syscall':'openat','role':'open','pid':10,"
		      "'tid':10,'enter_ns':2,'exit_ns':3,'returned':3,"
		      "'new_fds':[{'fd':3,'channel':'" MASTER "','access':'both'}]}");
	*state = t;
	return 0;
}

static void put(struct trace_text *t, unsigned id, uint32_t pid, uint64_t enter_ns,
		uint64_t exit_ns, const char *more)
{
	trace_call(t, (struct call){id, "write", "send", pid, 0, 4, SLAVE, enter_ns, exit_ns, 4,
				    more});
}

static void get(struct trace_text *t, unsigned id, uint64_t enter_ns, uint64_t exit_ns)
{
	trace_call(t, (struct call){id, "read", "receive", 10, 0, 3, MASTER, enter_ns, exit_ns, 4,
				    LINE});
}

/* The second one waited until the first had put all it had, and ran only behind the third. */
static void the_lock_was_given(void **state)
{
	struct trace_text *t = *state;

	put(t, 1101, 20, 10, 20, LINE);
	put(t, 1105, 20, 21, 25, LINE);
	put(t, 1103, 30, 12, 50,
	    LINE ",'off_cpu_ns':20,'resumed_ns':40,"
		 "'woken_by':{'pid':20,'tid':20,'operation':1101,'at_ns':18}");
	get(t, 1112, 60, 61);
	get(t, 1114, 62, 63);
	get(t, 1116, 64, 65);
	assert_string_equal(trace_messages(t), "pty 20>10 4 s1101+0 r1112+0 exact\n"
					       "pty 20>10 4 s1105+0 r1114+0 exact\n"
					       "pty 30>10 4 s1103+0 r1116+0 exact\n");
}

/* The first one lost its processor behind its wake-up. */
static void the_giver_returned_late(void **state)
{
	struct trace_text *t = *state;

	put(t, 1103, 30, 12, 50,
	    LINE ",'off_cpu_ns':20,'resumed_ns':40,"
		 "'woken_by':{'pid':20,'tid':20,'operation':1101,'at_ns':18}");
	put(t, 1101, 20, 10, 55, LINE);
	get(t, 1112, 60, 61);
	get(t, 1114, 62, 63);
	assert_string_equal(trace_messages(t), "pty 20>10 4 s1101+0 r1112+0 exact\n"
					       "pty 30>10 4 s1103+0 r1114+0 exact\n");
}

/* A reader made room: some of it may have gone before. */
static void there_was_no_room(void **state)
{
	struct trace_text *t = *state;

	put(t, 1101, 20, 10, 20, LINE);
	put(t, 1103, 30, 12, 50,
	    LINE ",'off_cpu_ns':20,'resumed_ns':40,"
		 "'woken_by':{'pid':10,'tid':10,'operation':1110,'at_ns':18}");
	get(t, 1112, 60, 61);
	get(t, 1114, 62, 63);
	assert_string_equal(trace_messages(t), "pty 20>10 4 s1101+0 r1112+0 ambiguous\n"
					       "pty 30>10 4 s1103+0 r1114+0 ambiguous\n");
}

static void get_text(struct trace_text *t, unsigned id, uint64_t enter_ns, const char *text)
{
	char more[256];

	snprintf(more, sizeof(more), LINE ",'payload':'%s'", text);
	trace_call(t, (struct call){id, "read", "receive", 10, 0, 3, MASTER, enter_ns, enter_ns + 1,
				    (int64_t)strlen(text), more});
}

/* The second one ended first, and nothing but the bytes tells that it came second. */
static void the_bytes_tell(void **state)
{
	struct trace_text *t = *state;

	put(t, 1103, 30, 12, 20, LINE ",'payload':'bbbb'");
	put(t, 1101, 20, 10, 30, LINE ",'payload':'aaaa'");
	get_text(t, 1112, 60, "aaaab");
	get_text(t, 1114, 62, "bbb");
	assert_string_equal(trace_messages(t), "pty 20>10 4 s1101+0 r1112+0 exact\n"
					       "pty 30>10 1 s1103+0 r1112+4 exact\n"
					       "pty 30>10 3 s1103+1 r1114+0 exact\n");
}

/* Two threads wrote the same: only the third one's place is known. */
static void equal_bytes_tell_nothing(void **state)
{
	struct trace_text *t = *state;

	put(t, 1103, 30, 12, 20, LINE ",'payload':'aaaa'");
	put(t, 1105, 30, 21, 25, LINE ",'payload':'cccc'");
	put(t, 1101, 20, 10, 30, LINE ",'payload':'aaaa'");
	get_text(t, 1112, 60, "aaaaaaaacccc");
	assert_string_equal(trace_messages(t), "pty 20>10 4 s1101+0 r1112+0 ambiguous\n"
					       "pty 30>10 4 s1103+0 r1112+4 ambiguous\n"
					       "pty 30>10 4 s1105+0 r1112+8 exact\n");
}

/* Something else came through, or the memory changed while it was written. */
static void no_order_fits(void **state)
{
	struct trace_text *t = *state;

	put(t, 1103, 30, 12, 20, LINE ",'payload':'bbbb'");
	put(t, 1101, 20, 10, 30, LINE ",'payload':'aaaa'");
	get_text(t, 1112, 60, "aaaacccc");
	assert_string_equal(trace_messages(t), "pty 30>10 4 s1103+0 r1112+0 ambiguous\n"
					       "pty 20>10 4 s1101+0 r1112+4 ambiguous\n");
}

/* A pattern of --redact saw both in what was read, and one alone in what was written. */
static void blanked_bytes_tell_nothing(void **state)
{
	struct trace_text *t = *state;

	put(t, 1103, 30, 12, 20, LINE ",'payload':'****'");
	put(t, 1101, 20, 10, 30, LINE ",'payload':'aaaa'");
	get_text(t, 1112, 60, "********");
	assert_string_equal(trace_messages(t), "pty 20>10 4 s1101+0 r1112+0 ambiguous\n"
					       "pty 30>10 4 s1103+0 r1112+4 ambiguous\n");
}

/* What a key with a meaning of its own echoes, or discards, is not known: only from then on. */
static void a_key_is_pressed(void **state)
{
	struct trace_text *t = *state;

	put(t, 1101, 20, 10, 12, COOKED ",'payload':'aaaa'");
	get_text(t, 1112, 20, "aaaa");
	trace_call(t, (struct call){1114, "write", "send", 10, 0, 3, MASTER, 30, 31, 1,
				    COOKED ",'payload':'\\u0004'"});
	put(t, 1103, 30, 40, 41, COOKED ",'payload':'bbbb'");
	get_text(t, 1116, 50, "bbbb");
	assert_string_equal(trace_messages(t), "pty 20>10 4 s1101+0 r1112+0 exact\n"
					       "pty 30>10 4 s1103+0 r1116+0 ambiguous\n"
					       "pty 10>- 1 s1114+0 - exact unread\n");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, trace_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_lock_was_given),	  TEST(the_giver_returned_late),
		TEST(there_was_no_room),	  TEST(the_bytes_tell),
		TEST(equal_bytes_tell_nothing),	  TEST(no_order_fits),
		TEST(blanked_bytes_tell_nothing), TEST(a_key_is_pressed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
