// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The JSON lines of `ipclens messages`, letter by letter, and the filters. */
#include "tests/unit/trace_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/report/messages_json.h"

#define PIPE "pipe:[40211]"

static int set_up(void **state)
{
	struct trace_text *t = trace_new();

	trace_process(t, 800, "sh");
	trace_pipe(t, 800, PIPE);
	trace_fork(t, 800, 801, "ls", 3);
	trace_fork(t, 800, 802, "wc", 4);
	trace_call(t, (struct call){31, "write", "send", 801, 0, 1, PIPE, 10, 12, 24, ""});
	trace_call(t, (struct call){35, "read", "receive", 802, 0, 0, PIPE, 9, 13, 20, ""});
	trace_channel(t, "posix-mq:[2]", "posix-mq", ",'name':'/q'");
	trace_call(t, (struct call){40, "mq_timedsend", "send", 800, 0, 7, "posix-mq:[2]", 20, 21,
				    0, ",'transferred':9,'priority':4"});
	trace_call(t, (struct call){41, "mq_timedreceive", "receive", 801, 0, 7, "posix-mq:[2]", 22,
				    23, 9, ",'priority':4"});
	trace_line(t, "{'type':'signal','event':'generate','at_ns':30,'signal':'SIGUSR1',"
		      "'number':10,'to':{'pid':802,'tid':802},'group':true,'result':'queued',"
		      "'operation':50}");
	trace_call(t, (struct call){50, "kill", "signal", 801, 0, -1, NULL, 29, 31, 0, ""});
	trace_line(t, "{'type':'signal','event':'deliver','at_ns':32,'signal':'SIGUSR1',"
		      "'number':10,'to':{'pid':802,'tid':802},'action':'handler'}");
	*state = t;
	return 0;
}

/* What is printed with the filters of a command line. */
static char *print(struct trace_text *t, int argc, char **argv)
{
	struct viz_filter filter = {0};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	struct messages_printer printer = {.out = out, .filter = &filter};
	struct viz_sink sink = messages_sink(&printer);

	assert_non_null(out);
	assert_int_equal(argp_parse(&filter_argp, argc, argv, 0, NULL, &filter), 0);
	if (!t->pairing)
		trace_pair(t);
	for (size_t i = 0; i < t->pairing->message_count; i++)
		assert_int_equal(sink.message(sink.data, t->pairing->messages[i]), 0);
	assert_int_equal(messages_printer_end(&printer, 0), 0);
	fclose(out);
	viz_filter_free(&filter);
	return text;
}

static void lines(void **state)
{
	char *text = print(*state, 1, (char *[]){(char *)"x", NULL});

	assert_string_equal(
		text,
		"{\"type\":\"message\",\"id\":1,\"mechanism\":\"pipe\",\"channel\":\"pipe:[40211]"
		"\","
		"\"bytes\":20,\"from\":{\"pid\":801,\"tid\":801,\"comm\":\"ls\"},"
		"\"to\":{\"pid\":802,\"tid\":802,\"comm\":\"wc\"},"
		"\"sent\":{\"op\":31,\"syscall\":\"write\",\"fd\":1,\"enter_ns\":10,\"exit_ns\":12,"
		"\"offset\":0},\"received\":{\"op\":35,\"syscall\":\"read\",\"fd\":0,\"enter_ns\":"
		"9,"
		"\"exit_ns\":13,\"offset\":0},\"match\":\"exact\"}\n"
		"{\"type\":\"message\",\"id\":2,\"mechanism\":\"posix-mq\",\"channel\":"
		"\"posix-mq:[2]\",\"bytes\":9,\"priority\":4,\"from\":{\"pid\":800,\"tid\":800,"
		"\"comm\":\"sh\"},\"to\":{\"pid\":801,\"tid\":801,\"comm\":\"ls\"},\"sent\":{"
		"\"op\":40,"
		"\"syscall\":\"mq_timedsend\",\"fd\":7,\"enter_ns\":20,\"exit_ns\":21,\"offset\":0}"
		","
		"\"received\":{\"op\":41,\"syscall\":\"mq_timedreceive\",\"fd\":7,\"enter_ns\":22,"
		"\"exit_ns\":23,\"offset\":0},\"match\":\"exact\"}\n"
		"{\"type\":\"message\",\"id\":3,\"mechanism\":\"signal\",\"signal\":\"SIGUSR1\","
		"\"bytes\":0,\"from\":{\"pid\":801,\"tid\":801,\"comm\":\"ls\"},\"to\":{\"pid\":"
		"802,"
		"\"tid\":802,\"comm\":\"wc\"},\"sent\":{\"op\":50,\"syscall\":\"kill\","
		"\"enter_ns\":29,\"exit_ns\":31},\"received\":{\"enter_ns\":32,\"exit_ns\":null},"
		"\"match\":\"exact\",\"fate\":\"handled\"}\n"
		"{\"type\":\"message\",\"id\":4,\"mechanism\":\"pipe\",\"channel\":\"pipe:[40211]"
		"\","
		"\"bytes\":4,\"from\":{\"pid\":801,\"tid\":801,\"comm\":\"ls\"},\"to\":null,"
		"\"sent\":{\"op\":31,\"syscall\":\"write\",\"fd\":1,\"enter_ns\":10,\"exit_ns\":12,"
		"\"offset\":20},\"received\":null,\"match\":\"exact\",\"fate\":\"unread\"}\n");
	free(text);
}

/* Which messages (by id) go through the filter `option value`. */
static void assert_filtered(struct trace_text *t, const char *option, const char *value,
			    const char *expected)
{
	char *argv[] = {(char *)"x", (char *)option, (char *)value, NULL};
	char *text = print(t, 3, argv);
	char ids[32] = "";

	for (const char *at = text; (at = strstr(at, "\"id\":")); at++)
		strncat(ids, at + 5, 1);
	free(text);
	assert_string_equal(ids, expected);
}

static void filters(void **state)
{
	static const struct {
		const char *option, *value, *ids;
	} cases[] = {
		{"--pid", "802", "13"},
		{"--pid", "800,802", "123"},
		{"--pid", "80", ""},
		{"--comm", "wc", "13"},
		{"--comm", "l*", "1234"},
		{"--comm", "nobody", ""},
		{"--mechanism", "signal,posix-mq", "23"},
		{"--channel", PIPE, "14"},
		{"--channel", "/q", "2"},
		{"--channel", "pipe*", "14"},
		{"--from", "ls", "134"},
		{"--from", "800", "2"},
		{"--to", "wc", "13"},
		{"--to", "801", "2"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_filtered(*state, cases[i].option, cases[i].value, cases[i].ids);
}

static void several_filters(void **state)
{
	char *argv[] = {(char *)"x",	(char *)"--from", (char *)"ls", (char *)"--mechanism",
			(char *)"pipe", (char *)"--to",	  (char *)"wc", NULL};
	char *text = print(*state, 7, argv);

	assert_non_null(strstr(text, "\"id\":1"));
	assert_null(strstr(text, "\"id\":3"));
	assert_null(strstr(text, "\"id\":4"));
	free(text);
}

static void filters_of_one_side(void **state)
{
	struct trace_text *t = *state;
	char *pid = (char *)"802", *name = (char *)"ls";
	struct viz_filter filter = {.pid = {&pid, 1}}, from = {.from = {&name, 1}};
	const struct viz_model *model = trace_model(t);

	assert_true(viz_filter_process(&filter, viz_model_process(model, 802, 9)));
	assert_false(viz_filter_process(&filter, viz_model_process(model, 801, 9)));
	assert_true(viz_filter_process(&from, viz_model_process(model, 801, 9)));
	assert_false(viz_filter_process(&from, viz_model_process(model, 802, 9)));
	assert_true(viz_filter_operation(&filter, viz_model_operation(model, 35)));
	assert_false(viz_filter_operation(&filter, viz_model_operation(model, 31)));
	filter = (struct viz_filter){.any_mechanism = true};
	filter.mechanisms[MECH_PIPE] = true;
	assert_true(viz_filter_channel(&filter, viz_model_channel(model, viz_bytes_of(PIPE))));
	assert_false(viz_filter_operation(&filter, viz_model_operation(model, 40)));
	assert_false(viz_filter_operation(&filter, viz_model_operation(model, 50)));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, trace_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		TEST(lines),
		TEST(filters),
		TEST(several_filters),
		TEST(filters_of_one_side),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
