// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Traces that are damaged, hostile, cut off or from the future. */
#include "trace_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/reader.h"

static int set_up(void **state)
{
	*state = trace_new();
	return 0;
}

static int read_text(struct trace_text *t, struct viz_error *error)
{
	FILE *stream = fmemopen(t->data, t->len ? t->len : 1, "r");
	int err;

	assert_non_null(stream);
	if (!t->len)
		assert_int_equal(fgetc(stream), t->data[0]);
	err = viz_model_read_stream(stream, "test", &t->model, error);
	fclose(stream);
	return err;
}

static void assert_error(struct trace_text *t, const char *expected)
{
	struct viz_error error = {""};

	assert_int_equal(read_text(t, &error), -EBADMSG);
	assert_null(t->model);
	assert_string_equal(error.text, expected);
}

static void empty(void **state)
{
	struct trace_text *t = *state;

	t->len = 0;
	assert_error(t, "test:1: no whole line: no trace, or not yet");
}

static void other_file(void **state)
{
	struct trace_text *t = *state;

	t->len = 0;
	trace_raw(t, "#!/bin/sh\nexit 0\n");
	assert_error(t, "test:1: is not a JSON object");
}

static void no_header(void **state)
{
	struct trace_text *t = *state;

	t->len = 0;
	trace_process(t, 1, "a");
	assert_error(t, "test:1: no header: is this a trace of ipclens?");
}

static void other_format(void **state)
{
	struct trace_text *t = *state;
	char *format = strstr(t->data, "ipclens-trace");

	format[0] = 'I';
	assert_error(t, "test:1: the format is not ipclens-trace");
}

static void newer_version(void **state)
{
	struct trace_text *t = *state;
	char *version = strstr(t->data, "\"version\":1");

	version[10] = '2';
	assert_error(t, "test:1: version 2 of the format; this ipclens reads up to 1");
}

static void second_header(void **state)
{
	trace_header(*state);
	assert_error(*state, "test:2: a second header");
}

static void damaged_in_the_middle(void **state)
{
	struct trace_text *t = *state;

	trace_raw(t, "{\"type\":\"proc\n");
	trace_trailer(t, 9);
	assert_error(t, "test:2: is not a JSON object");
}

static void more_behind_the_object(void **state)
{
	trace_raw(*state, "{\"type\":\"future\"} {}\n");
	assert_error(*state, "test:2: is not a JSON object");
}

static void wrong_types(void **state)
{
	static const struct {
		const char *line, *error;
	} cases[] = {
		{"{'type':'lost','at_ns':1,'where':'ring','count':'many'}",
		 "test:2: \"count\" of a lost line is not a whole number from 0 to 2^53 - 1"},
		{"{'type':'lost','at_ns':-1,'where':'ring','count':1}",
		 "test:2: \"at_ns\" of a lost line is not a whole number from 0 to 2^53 - 1"},
		{"{'type':'lost','at_ns':1.5,'where':'ring','count':1}",
		 "test:2: \"at_ns\" of a lost line is not a whole number from 0 to 2^53 - 1"},
		{"{'type':'lost','at_ns':9007199254740993,'where':'ring','count':1}",
		 "test:2: \"at_ns\" of a lost line is not a whole number from 0 to 2^53 - 1"},
		{"{'type':'lost','at_ns':1e400,'where':'ring','count':1}",
		 "test:2: \"at_ns\" of a lost line is not a whole number from 0 to 2^53 - 1"},
		{"{'type':'lost','at_ns':1,'where':7,'count':1}",
		 "test:2: \"where\" of a lost line is not a string"},
		{"{'type':'lost','at_ns':1,'where':'ring'}",
		 "test:2: a lost line without \"count\""},
		{"{'type':'lost','at_ns':1,'at_ns':1,'where':'ring','count':1}",
		 "test:2: \"at_ns\" occurs twice"},
		{"{'type':7}", "test:2: a line without \"type\""},
		{"{}", "test:2: a line without \"type\""},
		{"[]", "test:2: is not a JSON object"},
		{"{'type':'process','event':'name','at_ns':1,'pid':4294967296,'tid':1,'comm':'a'}",
		 "test:2: \"pid\" is above 2^32"},
		{"{'type':'process','event':'name','at_ns':1,'pid':1,'tid':1,'comm':{'base64':'?'}"
		 "}",
		 "test:2: \"comm\" of a process line is not a string or {\"base64\"}"},
		{"{'type':'signal','event':'return','at_ns':1,'signal':'X','number':1,"
		 "'to':{'pid':1,'tid':1},'code':0.5}",
		 "test:2: \"code\" of a signal line is not a whole number"},
		{"{'type':'operation','id':1,'syscall':'read','role':'receive','pid':1,'tid':1,"
		 "'enter_ns':5,'fd':1e999}",
		 "test:2: \"fd\" of an operation line is not a whole number"},
		{"{'type':'process','event':'exec','at_ns':1,'pid':1,'tid':1,'comm':'a','args':[1]"
		 "}",
		 "test:2: \"args\" of a process line is not a list of strings"},
		{"{'type':'descriptors','event':'exec','at_ns':1,'pid':1,'fds':[{'fd':1}]}",
		 "test:2: \"fds\" of a descriptors line is not a list of objects with fd, channel "
		 "and access"},
		{"{'type':'operation','id':1,'syscall':'read','role':'receive','pid':1,'tid':1,"
		 "'enter_ns':5,'chunks':[{'operation':1,'or':[{'operation':-1}]}]}",
		 "test:2: \"chunks\" of an operation line is not a list of objects with the number "
		 "of an operation"},
		{"{'type':'operation','id':1,'syscall':'read','role':'receive','pid':1,'tid':1,"
		 "'enter_ns':5,'exit_ns':4,'returned':0}",
		 "test:2: \"exit_ns\" is before \"enter_ns\""},
	};
	struct trace_text *t = *state;
	size_t header = t->len;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		t->len = header;
		trace_line(t, "%s", cases[i].line);
		assert_error(t, cases[i].error);
	}
}

static void operation_twice(void **state)
{
	struct trace_text *t = *state;

	trace_call(t, (struct call){7, "read", "receive", 1, 0, 0, NULL, 1, 2, 3, ""});
	trace_call(t, (struct call){7, "read", "receive", 1, 0, 0, NULL, 1, 2, 3, ""});
	assert_error(t, "test:3: this operation's \"id\" was used before");
}

static void line_too_long(void **state)
{
	struct trace_text *t = *state;
	size_t len = READER_LINE_MAX + 100;
	char *text = malloc(len);
	struct viz_error error = {""};
	FILE *stream;

	assert_non_null(text);
	memset(text, ' ', len);
	memcpy(text, t->data, t->len);
	stream = fmemopen(text, len, "r");
	assert_non_null(stream);
	assert_int_equal(viz_model_read_stream(stream, "test", &t->model, &error), 0);
	fclose(stream);
	viz_model_free(t->model);
	t->model = NULL;
	memset(text + t->len, 'x', len - t->len);
	text[t->len - 1] = ' ';
	stream = fmemopen(text, len, "r");
	assert_int_equal(viz_model_read_stream(stream, "test", &t->model, &error), -EBADMSG);
	assert_string_equal(error.text, "test:1: a line of more than 4194304 bytes");
	fclose(stream);
	free(text);
}

static void deeply_nested(void **state)
{
	struct trace_text *t = *state;

	trace_raw(t, "{\"type\":\"x\",\"y\":");
	for (int i = 0; i < 5000; i++)
		trace_raw(t, "[");
	trace_raw(t, "\n");
	assert_error(t, "test:2: is not a JSON object");
}

static void no_such_file(void **state)
{
	struct viz_model *model;
	struct viz_error error;

	(void)state;
	assert_int_equal(viz_model_read("/nonexistent/x", &model, &error), -ENOENT);
	assert_null(model);
	assert_string_equal(error.text, "/nonexistent/x: No such file or directory");
}

static void a_directory(void **state)
{
	struct viz_model *model;
	struct viz_error error;

	(void)state;
	assert_int_equal(viz_model_read("/", &model, &error), -EISDIR);
	assert_string_equal(error.text, "/:1: cannot be read: Is a directory");
}

/* Cut off anywhere, a trace is readable up to its last whole line. */
static void cut_anywhere(void **state)
{
	struct trace_text *t = *state;
	size_t header = t->len, whole;

	trace_process(t, 1, "a");
	trace_process(t, 2, "b");
	whole = t->len;
	trace_trailer(t, 9);
	for (t->len = header; t->len < whole; t->len++) {
		struct viz_error error = {""};

		assert_int_equal(read_text(t, &error), 0);
		assert_in_range(t->model->process_count, 0, 2);
		assert_non_null(t->model->warning.data);
		assert_false(t->model->trailer.present);
		viz_model_free(t->model);
		t->model = NULL;
	}
}

static void cut_in_a_line(void **state)
{
	struct trace_text *t = *state;

	trace_process(t, 1, "a");
	trace_raw(t, "{\"type\":\"proc");
	trace_model(t);
	assert_string_equal(t->model->warning.data,
			    "test is cut off after line 2, in the middle of a line: "
			    "what came later is not known");
}

static void cut_between_lines(void **state)
{
	struct trace_text *t = *state;

	trace_process(t, 1, "a");
	trace_model(t);
	assert_string_equal(t->model->warning.data,
			    "test is cut off after line 2: what came later is not known");
}

static void whole(void **state)
{
	struct trace_text *t = *state;

	trace_trailer(t, 77);
	trace_model(t);
	assert_null(t->model->warning.data);
	assert_int_equal(t->model->end_ns, 77);
	assert_int_equal(t->model->trailer.why, END_REASON_FINISHED);
}

static void line_behind_the_trailer(void **state)
{
	trace_trailer(*state, 7);
	trace_process(*state, 1, "a");
	assert_error(*state, "test:3: a line behind the trailer");
}

/* What a later version may add is skipped: types, keys, words. */
static void from_the_future(void **state)
{
	struct trace_text *t = *state;

	trace_line(t, "{'type':'weather','at_ns':'sunny'}");
	trace_line(t,
		   "{'type':'channel','id':'c','at_ns':1,'mechanism':'telepathy','colour':[{}]}");
	trace_line(t, "{'type':'process','event':'dream','at_ns':1,'pid':1,'tid':1,'comm':'a'}");
	trace_trailer(t, 7);
	trace_model(t);
	assert_int_equal(t->model->skipped_lines, 1);
	assert_int_equal(t->model->channels[0]->mechanism, MECH_NONE);
	assert_int_equal(t->model->process_count, 0);
}

static void any_bytes(void **state)
{
	struct trace_text *t = *state;

	trace_line(t, "{'type':'process','event':'name','at_ns':1,'pid':1,'tid':1,"
		      "'comm':{'base64':'AP8K'}}");
	trace_model(t);
	assert_int_equal(t->model->processes[0]->comm.len, 3);
	assert_memory_equal(t->model->processes[0]->comm.data, "\0\xff\n", 4);
}

static void bad_base64(void **state)
{
	static const char *const bad[] = {"A", "AA", "AAA", "A===", "AA=A", "AAA\xc3\xa9", "===="};
	struct trace_text *t = *state;
	size_t header = t->len;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		t->len = header;
		trace_line(t,
			   "{'type':'process','event':'exec','at_ns':1,'pid':1,'tid':1,'comm':'a',"
			   "'args':[{'base64':'%s'}]}",
			   bad[i]);
		assert_error(t, "test:2: \"args\" holds bad base64");
	}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, trace_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		TEST(empty),
		TEST(other_file),
		TEST(no_header),
		TEST(other_format),
		TEST(newer_version),
		TEST(second_header),
		TEST(damaged_in_the_middle),
		TEST(more_behind_the_object),
		TEST(wrong_types),
		TEST(operation_twice),
		TEST(line_too_long),
		TEST(deeply_nested),
		TEST(no_such_file),
		TEST(a_directory),
		TEST(cut_anywhere),
		TEST(cut_in_a_line),
		TEST(cut_between_lines),
		TEST(whole),
		TEST(line_behind_the_trailer),
		TEST(from_the_future),
		TEST(any_bytes),
		TEST(bad_base64),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
