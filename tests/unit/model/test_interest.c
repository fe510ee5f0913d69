// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What sleeping calls at an epoll instance wait for, after others changed the instance. */
#include "tests/unit/between.h"
#include "tests/unit/trace_text.h"

#define ASLEEP_NS 100

static int set_up(void **state)
{
	struct trace_text *t = trace_new();

	trace_process(t, 10, "loop");
	trace_channel(t, "epoll:[1]", "epoll", "");
	*state = t;
	return 0;
}

/* A call that sleeps since ASLEEP_NS, with the list that the instance had then. */
static void sleeper(struct trace_text *t, unsigned id, unsigned began_ns, const char *waits_for)
{
	trace_line(t,
		   "{'type':'operation','id':%u,'syscall':'epoll_wait','role':'wait','pid':10,"
		   "'tid':%u,'fd':5,'channel':'epoll:[1]','enter_ns':%u,'began_ns':%u,"
		   "'state':'pending','at_ns':9000,'waits_for':[%s]}",
		   id, 10 + id, began_ns, began_ns, waits_for);
}

static void control(struct trace_text *t, unsigned id, unsigned at_ns, int command,
		    const char *waits_for, int returned)
{
	char more[256];

	snprintf(more, sizeof(more), ",'channel':'epoll:[1]','args':{'op':%d},'waits_for':[%s]",
		 command, waits_for);
	trace_call(t, (struct call){id, "epoll_ctl", "control", 10, 99, 5, NULL, at_ns, at_ns,
				    returned, more});
}

#define WAITS(fd, events) "{'fd':" #fd ",'events':[" events "]}"

enum { ADD = 1, DEL = 2, MOD = 3 };

/* The descriptors and events of a call, as "3 in,oneshot; 4 out". */
static const char *list_of(struct trace_text *t, unsigned id)
{
	static char text[256];
	const struct viz_operation *op = viz_model_operation(t->model, id);
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < op->extra->waits_for_count; i++) {
		const char *comma = " ";

		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%d", i ? "; " : "",
					op->extra->waits_for[i].fd);
		for (unsigned bit = 0; bit < 32; bit++)
			if (op->extra->waits_for[i].events >> bit & 1) {
				len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s",
							comma, poll_event_name(bit));
				comma = ",";
			}
	}
	return text;
}

static void changed_since(void **state)
{
	struct trace_text *t = *state;

	sleeper(t, 1, ASLEEP_NS, WAITS(3, "'in'") "," WAITS(4, "'in'"));
	control(t, 2, 200, ADD, WAITS(6, "'out'"), 0);
	control(t, 3, 300, DEL, WAITS(3, ""), 0);
	control(t, 4, 400, MOD, WAITS(4, "'in','edge'"), 0);
	trace_model(t);
	assert_string_equal(list_of(t, 1), "6 out; 4 in,edge");
}

static void not_changed_by(void **state)
{
	struct trace_text *t = *state;

	control(t, 2, 50, DEL, WAITS(3, ""), 0); /* before it slept: its list knows */
	sleeper(t, 1, ASLEEP_NS, WAITS(3, "'in'"));
	control(t, 3, 200, DEL, WAITS(3, ""), -2); /* failed */
	control(t, 4, 300, DEL, WAITS(8, ""), 0);  /* of another descriptor */
	trace_model(t);
	assert_string_equal(list_of(t, 1), "3 in");
}

static void told_once(void **state)
{
	struct trace_text *t = *state;
	const char *ready =
		",'channel':'epoll:[1]','ready':[" WAITS(3, "'in'") "," WAITS(4, "'in'") "]";

	sleeper(t, 1, ASLEEP_NS, WAITS(3, "'in','oneshot'") "," WAITS(4, "'in'"));
	trace_call(t, (struct call){2, "epoll_wait", "wait", 10, 99, 5, NULL, 50, 200, 2, ready});
	trace_model(t);
	assert_string_equal(list_of(t, 1), "3 oneshot,disabled; 4 in");
}

static void asked_again(void **state)
{
	struct trace_text *t = *state;

	sleeper(t, 1, ASLEEP_NS, WAITS(3, "'oneshot','disabled'"));
	control(t, 2, 200, MOD, WAITS(3, "'in','oneshot'"), 0);
	trace_model(t);
	assert_string_equal(list_of(t, 1), "3 in,oneshot");
}

/* The list of the one that fell asleep last is the latest. */
static void all_wait_for_the_same(void **state)
{
	struct trace_text *t = *state;

	sleeper(t, 1, ASLEEP_NS, WAITS(3, "'in'"));
	sleeper(t, 2, 300, WAITS(4, "'in'"));
	control(t, 3, 200, ADD, WAITS(7, "'in'"), 0); /* undone unseen: not in the later list */
	trace_model(t);
	assert_string_equal(list_of(t, 1), "4 in");
	assert_string_equal(list_of(t, 2), "4 in");
}

/* More than a list can hold are told to be more. */
static void too_many(void **state)
{
	struct trace_text *t = *state;

	sleeper(t, 1, ASLEEP_NS, WAITS(3, "'in'"));
	for (unsigned i = 0; i < 2000; i++) {
		char one[64];

		snprintf(one, sizeof(one), "{'fd':%u,'events':['in']}", 10 + i);
		control(t, 2 + i, 200 + i, ADD, one, 0);
	}
	trace_model(t);
	assert_true(viz_model_operation(t->model, 1)->extra->waits_cut);
	assert_between(viz_model_operation(t->model, 1)->extra->waits_for_count, 1000, 2000);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, trace_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		TEST(changed_since),
		TEST(not_changed_by),
		TEST(told_once),
		TEST(asked_again),
		TEST(all_wait_for_the_same),
		TEST(too_many),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
