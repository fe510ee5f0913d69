// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Traces that are damaged, hostile, cut off or from the future. */
#include "tests/unit/between.h"
#include "tests/unit/trace_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/reader/reader.h"

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
	err = viz_model_read_stream(stream, "test", NULL, &t->model, error);
	fclose(stream);
	return err;
}

static void assert_error(struct trace_text *t, const char *expected)
{
	struct viz_error error = {0};

	assert_int_equal(read_text(t, &error), -EBADMSG);
	assert_null(t->model);
	assert_string_equal(error.text, expected);
}

/* The line is left out, which the trace's warning tells, and the rest is read. */
static void assert_left_out(struct trace_text *t, const char *expected)
{
	struct viz_error error = {0};

	assert_int_equal(read_text(t, &error), 0);
	assert_string_equal(error.text, "");
	assert_int_equal(t->model->wrong_lines, 1);
	assert_true(viz_model_lacks_records(t->model));
	assert_non_null(t->model->warning[LANGUAGE_EN].data);
	assert_memory_equal(t->model->warning[LANGUAGE_EN].data, expected, strlen(expected));
	assert_non_null(strstr(t->model->warning[LANGUAGE_EN].data, "; 1 such line is left out"));
	viz_model_free(t->model);
	t->model = NULL;
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

static void empty_line(void **state)
{
	struct trace_text *t = *state;

	t->len = 0;
	trace_raw(t, "\n");
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

	version[10] = '3';
	assert_error(t, "test:1: version 3 of the format; this ipclens reads up to 2");
}

static void second_header(void **state)
{
	trace_header(*state);
	assert_left_out(*state, "test:2: a second header begins another trace");
}

static void damaged_in_the_middle(void **state)
{
	struct trace_text *t = *state;

	trace_raw(t, "{\"type\":\"proc\n");
	trace_trailer(t, 9);
	assert_left_out(t, "test:2: is not a JSON object");
}

static void more_behind_the_object(void **state)
{
	trace_raw(*state, "{\"type\":\"future\"} {}\n");
	assert_left_out(*state, "test:2: is not a JSON object");
}

static const struct wrong_line {
	const char *line, *error;
} wrong_lines[] = {
	{"{'type':'lost','at_ns':1,'where':'ring','count':'many'}",
	 "test:2: \"count\" of a lost line is not a whole number from 0 to 2^64 - 1"},
	{"{'type':'lost','at_ns':-1,'where':'ring','count':1}",
	 "test:2: \"at_ns\" of a lost line is not a time from 0 to 2^63 - 1"},
	{"{'type':'lost','at_ns':1.5,'where':'ring','count':1}",
	 "test:2: \"at_ns\" of a lost line is not a time from 0 to 2^63 - 1"},
	{"{'type':'lost','at_ns':18446744073709551616,'where':'ring','count':1}",
	 "test:2: \"at_ns\" of a lost line is not a time from 0 to 2^63 - 1"},
	{"{'type':'lost','at_ns':9223372036854775808,'where':'ring','count':1}",
	 "test:2: \"at_ns\" of a lost line is not a time from 0 to 2^63 - 1"},
	{"{'type':'lost','at_ns':1e400,'where':'ring','count':1}",
	 "test:2: \"at_ns\" of a lost line is not a time from 0 to 2^63 - 1"},
	{"{'type':'lost','at_ns':1,'where':7,'count':1}",
	 "test:2: \"where\" of a lost line is not a string"},
	{"{'type':'lost','at_ns':1,'where':'ring'}", "test:2: a lost line without \"count\""},
	{"{'type':'lost','at_ns':1,'at_ns':1,'where':'ring','count':1}",
	 "test:2: \"at_ns\" occurs twice"},
	{"{'type':7}", "test:2: a line without \"type\""},
	{"{}", "test:2: a line without \"type\""},
	{"[]", "test:2: is not a JSON object"},
	{"{'type':'process','event':'name','at_ns':1,'pid':4294967296,'tid':1,'comm':'a'}",
	 "test:2: \"pid\" of a process line is not a whole number from 0 to 2^32 - 1"},
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
	{"{'type':'signal','event':'return','at_ns':1,'signal':'X','number':1,"
	 "'to':{'pid':1,'tid':4294967296}}",
	 "test:2: \"to\" of a signal line is not an object with pid and tid"},
	{"{'type':'descriptors','event':'exec','at_ns':1,'pid':1,'fds':"
	 "[{'fd':2147483648,'channel':'c','access':'both'}]}",
	 "test:2: \"fds\" of a descriptors line is not a list of objects with fd, channel "
	 "and access"},
};

static void wrong_types(void **state)
{
	struct trace_text *t = *state;
	size_t header = t->len;

	for (size_t i = 0; i < sizeof(wrong_lines) / sizeof(*wrong_lines); i++) {
		t->len = header;
		trace_line(t, "%s", wrong_lines[i].line);
		assert_left_out(t, wrong_lines[i].error);
	}
}

static void operation_twice(void **state)
{
	struct trace_text *t = *state;

	trace_call(t, (struct call){7, "read", "receive", 1, 0, 0, NULL, 1, 2, 3, ""});
	trace_call(t, (struct call){7, "read", "receive", 1, 0, 0, NULL, 1, 2, 3, ""});
	assert_left_out(t, "test:3: this operation's \"id\" was used before");
}

static void line_too_long(void **state)
{
	struct trace_text *t = *state;
	size_t len = READER_LINE_MAX + 100;
	char *text = malloc(len);
	struct viz_error error = {0};
	FILE *stream;

	assert_non_null(text);
	memset(text, ' ', len);
	memcpy(text, t->data, t->len);
	stream = fmemopen(text, len, "r");
	assert_non_null(stream);
	assert_int_equal(viz_model_read_stream(stream, "test", NULL, &t->model, &error), 0);
	fclose(stream);
	viz_model_free(t->model);
	t->model = NULL;
	memset(text + t->len, 'x', len - t->len);
	text[t->len - 1] = ' ';
	stream = fmemopen(text, len, "r");
	assert_int_equal(viz_model_read_stream(stream, "test", NULL, &t->model, &error), -EBADMSG);
	assert_string_equal(error.text, "test:1: a line of more than 4194304 bytes");
	fclose(stream);
	free(text);
}

/* What stands before and behind such a line is read. */
static void long_line_in_the_middle(void **state)
{
	struct trace_text *t = *state;
	char *text = malloc(READER_LINE_MAX + sizeof(t->data));
	size_t before, len;
	FILE *stream;

	assert_non_null(text);
	trace_process(t, 1, "a");
	before = t->len;
	trace_process(t, 2, "b");
	trace_trailer(t, 9);
	memcpy(text, t->data, before);
	memset(text + before, ' ', READER_LINE_MAX + 1);
	len = before + READER_LINE_MAX + 1;
	text[len++] = '\n';
	memcpy(text + len, t->data + before, t->len - before);
	stream = fmemopen(text, len + t->len - before, "r");
	assert_non_null(stream);
	assert_int_equal(
		viz_model_read_stream(stream, "test", NULL, &t->model, &(struct viz_error){0}), 0);
	fclose(stream);
	free(text);
	assert_int_equal(t->model->process_count, 2);
	assert_int_equal(t->model->wrong_lines, 1);
	assert_true(t->model->trailer.present);
	assert_string_equal(t->model->warning[LANGUAGE_EN].data,
			    "test:3: a line of more than 4194304 bytes; 1 such line is left out, "
			    "and what it told is not known");
}

/* Text of so many letters, for free(). */
static char *letters(size_t len)
{
	char *text = malloc(len + 1);

	assert_non_null(text);
	memset(text, 'n', len);
	text[len] = '\0';
	return text;
}

/* `space`: a blank that the scanner of lines does not know, so that cJSON reads it. */
static void name_of(struct trace_text *t, size_t len, const char *space)
{
	char *name = letters(len);

	trace_raw(t, "{\"type\":\"channel\",\"id\":\"p\",\"at_ns\":1,\"mechanism\":\"fifo\",");
	trace_raw(t, space);
	trace_raw(t, "\"name\":\"");
	trace_raw(t, name);
	trace_raw(t, "\"}\n");
	trace_trailer(t, 9);
	free(name);
}

static void name_too_long(void **state)
{
	static const char *const spaces[] = {"", " "};

	(void)state;
	for (size_t i = 0; i < sizeof(spaces) / sizeof(*spaces); i++) {
		struct trace_text *longest = trace_new(), *longer = trace_new();

		name_of(longest, READER_NAME_MAX, spaces[i]);
		assert_int_equal(trace_model(longest)->wrong_lines, 0);
		name_of(longer, READER_NAME_MAX + 1, spaces[i]);
		assert_left_out(longer, "test:2: \"name\" of more than 4352 bytes");
		trace_free(longest);
		trace_free(longer);
	}
}

/* What a program sent is no name, and may be long. */
static void payload_is_long(void **state)
{
	struct trace_text *t = *state;
	char *payload = letters(2 * READER_NAME_MAX);

	trace_process(t, 10, "a");
	trace_pipe(t, 10, TRACE_PIPE);
	trace_raw(t, "{\"type\":\"operation\",\"id\":9,\"syscall\":\"write\",\"role\":\"send\","
		     "\"pid\":10,\"tid\":10,\"fd\":4,\"channel\":\"" TRACE_PIPE "\","
		     "\"enter_ns\":5,\"exit_ns\":6,\"returned\":9000,\"payload\":\"");
	trace_raw(t, payload);
	trace_raw(t, "\"}\n");
	free(payload);
	assert_int_equal(trace_model(t)->wrong_lines, 0);
	assert_int_equal(t->model->operation_count, 2);
}

/* Nothing of the second trace is mixed into the first. */
static void another_trace_behind(void **state)
{
	struct trace_text *t = *state;

	trace_process(t, 1, "a");
	trace_header(t);
	trace_process(t, 2, "b");
	trace_trailer(t, 9);
	trace_model(t);
	assert_int_equal(t->model->process_count, 1);
	assert_false(t->model->trailer.present);
	assert_string_equal(t->model->warning[LANGUAGE_EN].data,
			    "test:3: a second header begins another trace; 3 such lines are left "
			    "out, and what they told is not known; test is cut off after line 5: "
			    "what came later is not known");
}

static void deeply_nested(void **state)
{
	struct trace_text *t = *state;

	trace_raw(t, "{\"type\":\"x\",\"y\":");
	for (int i = 0; i < 5000; i++)
		trace_raw(t, "[");
	trace_raw(t, "\n");
	assert_left_out(t, "test:2: is not a JSON object");
}

static void no_such_file(void **state)
{
	struct viz_model *model;
	struct viz_error error;

	(void)state;
	assert_int_equal(viz_model_read("/nonexistent/x", NULL, &model, &error), -ENOENT);
	assert_null(model);
	assert_string_equal(error.text, "/nonexistent/x: No such file or directory");
}

static void a_directory(void **state)
{
	struct viz_model *model;
	struct viz_error error;

	(void)state;
	assert_int_equal(viz_model_read("/", NULL, &model, &error), -EISDIR);
	assert_string_equal(error.text, "/:1: cannot be read: Is a directory");
}

/* A monotonic clock passes 2^53 ns after 104 days, and doubles round it from there on. */
static void numbers_are_exact(void **state)
{
	static const struct {
		const char *written;
		uint64_t number;
	} cases[] = {
		{"0", 0},
		{"9007199254740991", 9007199254740991},
		{"9007199254740993", 9007199254740993},
		{"9999999999999999999", 9999999999999999999U},
		{"10000000000000000000", 10000000000000000000U},
		{"18446744073709551615", UINT64_MAX},
	};
	struct trace_text *t = *state;
	size_t header = t->len;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		t->len = header;
		trace_line(t, "{'type':'lost','at_ns':1,'where':'ring','count':%s}",
			   cases[i].written);
		trace_model(t);
		assert_true(t->model->lost_total == cases[i].number);
		viz_model_free(t->model);
		t->model = NULL;
	}
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
		struct viz_error error = {0};

		assert_int_equal(read_text(t, &error), 0);
		assert_between(t->model->process_count, 0, 2);
		assert_non_null(t->model->warning[LANGUAGE_EN].data);
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
	assert_string_equal(t->model->warning[LANGUAGE_EN].data,
			    "test is cut off after line 2, in the middle of a line: "
			    "what came later is not known");
}

static void cut_between_lines(void **state)
{
	struct trace_text *t = *state;

	trace_process(t, 1, "a");
	trace_model(t);
	assert_string_equal(t->model->warning[LANGUAGE_EN].data,
			    "test is cut off after line 2: what came later is not known");
}

static void whole(void **state)
{
	struct trace_text *t = *state;

	trace_trailer(t, 77);
	trace_model(t);
	assert_null(t->model->warning[LANGUAGE_EN].data);
	assert_int_equal(t->model->end_ns, 77);
	assert_int_equal(t->model->trailer.why, END_REASON_FINISHED);
}

static void line_behind_the_trailer(void **state)
{
	trace_trailer(*state, 7);
	trace_process(*state, 1, "a");
	assert_left_out(*state, "test:3: a line behind the trailer");
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
		assert_left_out(t, "test:2: \"args\" of a process line is not a list of strings");
	}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, trace_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		TEST(empty),
		TEST(other_file),
		TEST(empty_line),
		TEST(no_header),
		TEST(other_format),
		TEST(newer_version),
		TEST(second_header),
		TEST(damaged_in_the_middle),
		TEST(more_behind_the_object),
		TEST(wrong_types),
		TEST(operation_twice),
		TEST(line_too_long),
		TEST(long_line_in_the_middle),
		TEST(another_trace_behind),
		TEST(name_too_long),
		TEST(payload_is_long),
		TEST(deeply_nested),
		TEST(no_such_file),
		TEST(a_directory),
		TEST(numbers_are_exact),
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
