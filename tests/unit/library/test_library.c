// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The library: what a program is handed of a trace, as viz/library/viz.h promises it. */
#include "tests/unit/trace_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "viz/library/viz.h"

#define MS UINT64_C(1000000)

static struct ipclens_trace *open_text(struct trace_text *t, const char *language)
{
	struct ipclens_options options = {.language = language};
	FILE *stream = fmemopen(t->data, t->len, "r");
	struct ipclens_trace *trace = NULL;
	struct ipclens_error error;

	assert_non_null(stream);
	if (ipclens_open_stream(stream, "test", &options, &trace, &error))
		fail_msg("%s", error.text);
	fclose(stream);
	return trace;
}

static struct ipclens_about about_of(const struct ipclens_trace *trace)
{
	struct ipclens_about about;

	ipclens_get_about(trace, &about);
	return about;
}

/* What the model knows of one message, by index, arrives as it is. */
static void hands_out_a_message(void **state)
{
	struct trace_text *t = *state;
	struct ipclens_trace *trace;
	struct ipclens_message message;
	struct ipclens_operation operation;
	struct ipclens_process process;
	struct ipclens_channel channel;

	trace_put(t, 1, 10, 10 * MS, 11 * MS, 5, ",'payload':'hello'");
	trace_get(t, 2, 20, 20 * MS, 21 * MS, 3, "");
	trace_get(t, 3, 20, 30 * MS, 31 * MS, 2, "");
	trace_trailer(t, 40 * MS);
	trace = open_text(t, NULL);
	assert_int_equal(about_of(trace).message_count, 2);
	assert_int_equal(about_of(trace).ambiguous_count, 0);
	assert_true(ipclens_get_message(trace, 1, &message));
	assert_int_equal(message.id, 2);
	assert_string_equal(message.mechanism, "pipe");
	assert_int_equal(message.bytes_len, 2);
	assert_int_equal(message.from.offset_len, 3);
	assert_int_equal(message.from.payload_len, 2);
	assert_memory_equal(message.from.payload, "lo", 2);
	assert_int_equal(message.match, IPCLENS_MATCH_EXACT);
	assert_null(message.fate);
	assert_int_equal(message.from.pid, 10);
	assert_int_equal(message.to.enter_ns, 30 * MS);
	assert_true(ipclens_get_process(trace, message.to.process, &process));
	assert_int_equal(process.pid, 20);
	assert_true(ipclens_get_operation(trace, message.to.operation, &operation));
	assert_int_equal(operation.id, 3);
	assert_int_equal(operation.returned, 2);
	assert_string_equal(operation.syscall.text, "read");
	assert_true(ipclens_get_channel(trace, message.channel, &channel));
	assert_string_equal(channel.id.text, TRACE_PIPE);
	ipclens_close(trace);
}

/* Beyond the end a struct has nothing in it, and its texts may be printed all the same. */
static void nothing_beyond_the_end(void **state)
{
	struct ipclens_trace *trace = open_text(*state, NULL);
	struct ipclens_message message;
	struct ipclens_process process;
	struct ipclens_finding finding;

	assert_false(ipclens_get_message(trace, 0, &message));
	assert_false(message.from.known);
	assert_int_equal(message.channel, IPCLENS_NONE);
	assert_string_equal(message.signal.text, "");
	assert_string_equal(message.outside_address.text, "");
	assert_false(ipclens_get_process(trace, IPCLENS_NONE, &process));
	assert_int_equal(process.pid, 0);
	assert_int_equal(process.parent, IPCLENS_NONE);
	assert_string_equal(process.comm.text, "");
	assert_null(process.comm.bytes);
	assert_false(ipclens_get_finding(trace, about_of(trace).finding_count, &finding));
	assert_string_equal(finding.text, "");
	ipclens_close(trace);
	ipclens_close(NULL);
}

/* A program chooses its name: what is printed of it is harmless, what it was can be had too. */
static void names_are_harmless(void **state)
{
	struct trace_text *t = trace_new();
	struct ipclens_trace *trace;
	struct ipclens_process process;

	(void)state;
	trace_process(t, 10, "a\\u001b[31mb");
	trace_process(t, 20, "gr\xc3\xbc\xc3\x9f");
	trace_process(t, 30, "a\\u202eb");
	trace = open_text(t, NULL);
	assert_true(ipclens_get_process(trace, 0, &process));
	assert_string_equal(process.comm.text, "a\\x1b[31mb");
	assert_int_equal(process.comm.text_len, strlen(process.comm.text));
	assert_string_equal(process.comm.bytes, "a\x1b[31mb");
	assert_int_equal(process.comm.bytes_len, 7);
	assert_true(ipclens_get_process(trace, 1, &process));
	assert_string_equal(process.comm.text, "gr\xc3\xbc\xc3\x9f");
	assert_true(ipclens_get_process(trace, 2, &process));
	assert_string_equal(process.comm.text, "a\\u202eb");
	ipclens_close(trace);
	trace_free(t);
}

static void put_at(struct trace_text *t, unsigned id, uint64_t at_ns, unsigned slot)
{
	char more[200];

	snprintf(more, sizeof(more),
		 ",'at_entry':{'head':%u,'tail':%u,'end':10,'start':0,'bytes':0},"
		 "'at_exit':{'head':%u,'tail':%u,'end':10,'start':0,'bytes':10}",
		 slot, slot, slot + 1, slot);
	trace_put(t, id, 10, at_ns, at_ns + 1, 10, more);
}

static void get_at(struct trace_text *t, unsigned id, uint64_t at_ns, unsigned slot)
{
	char more[200];

	snprintf(more, sizeof(more),
		 ",'at_entry':{'head':%u,'tail':%u,'end':10,'start':0,'bytes':10},"
		 "'at_exit':{'head':%u,'tail':%u,'end':10,'start':10,'bytes':0}",
		 slot + 1, slot, slot + 1, slot + 1);
	trace_get(t, id, 20, at_ns, at_ns + 1, 10, more);
}

/* A read is missing: that is announced, with the channel and how much it is about. */
static void gaps_are_announced(void **state)
{
	struct trace_text *t = *state;
	struct ipclens_trace *trace;
	struct ipclens_channel channel;
	struct ipclens_gap gap;

	put_at(t, 1, 10 * MS, 0);
	get_at(t, 2, 20 * MS, 0);
	put_at(t, 3, 30 * MS, 1);
	put_at(t, 5, 50 * MS, 2);
	get_at(t, 6, 60 * MS, 2);
	trace = open_text(t, NULL);
	assert_int_equal(about_of(trace).gap_count, 1);
	assert_true(ipclens_get_gap(trace, 0, &gap));
	assert_int_equal(gap.bytes_len, 10);
	assert_int_equal(gap.messages, 0);
	assert_true(ipclens_get_channel(trace, gap.channel, &channel));
	assert_string_equal(channel.id.text, TRACE_PIPE);
	ipclens_close(trace);
}

/* A trace that was cut off is read, and says so; a whole one has nothing to say. */
static void cut_trace_warns(void **state)
{
	struct trace_text *t = *state;
	struct ipclens_trace *trace = open_text(t, NULL);

	assert_non_null(strstr(about_of(trace).warning, "test is cut off after line"));
	assert_false(about_of(trace).complete);
	ipclens_close(trace);
	trace_put(t, 1, 10, 10 * MS, 11 * MS, 5, "");
	trace_line(t,
		   "{'type':'trailer','at_ns':%" PRIu64 ",'why':'finished','operations':2,"
		   "'signals':0,'lost':0}",
		   20 * MS);
	trace = open_text(t, NULL);
	assert_null(about_of(trace).warning);
	assert_true(about_of(trace).complete);
	ipclens_close(trace);
}

/* A line that is wrong is left out; the messages of the others are there. */
static void wrong_line_warns(void **state)
{
	struct trace_text *t = *state;
	struct ipclens_trace *trace;

	trace_raw(t, "{}\n");
	trace_put(t, 1, 10, 10 * MS, 11 * MS, 5, "");
	trace = open_text(t, NULL);
	assert_non_null(strstr(about_of(trace).warning, "a line without \"type\""));
	assert_false(about_of(trace).complete);
	assert_int_equal(about_of(trace).message_count, 1);
	ipclens_close(trace);
}

/* A finding's processes and operations are indices into the trace. */
static void findings_in_both_languages(void **state)
{
	struct trace_text *t = trace_new();
	struct ipclens_trace *english, *german;
	struct ipclens_finding one, other;
	struct ipclens_operation operation;
	struct ipclens_process process;

	(void)state;
	trace_process(t, 10, "wc");
	trace_pipe(t, 10, TRACE_PIPE);
	trace_line(t, "{'type':'operation','id':1,'syscall':'read','role':'receive','pid':10,"
		      "'tid':10,'fd':3,'channel':'" TRACE_PIPE "','enter_ns':1000000,"
		      "'state':'pending','at_ns':2000000000}");
	trace_line(t, "{'type':'trailer','at_ns':2000000000,'why':'timeout','operations':1,"
		      "'signals':0,'lost':0}");
	english = open_text(t, NULL);
	german = open_text(t, "de");
	assert_true(ipclens_get_finding(english, 0, &one));
	assert_true(ipclens_get_finding(german, 0, &other));
	assert_string_equal(one.id, "blocked");
	assert_string_equal(other.id, one.id);
	assert_int_equal(one.text_len, strlen(one.text));
	assert_string_not_equal(one.text, other.text);
	assert_int_equal(one.severity, IPCLENS_SEVERITY_NOTE);
	assert_true(one.process_count > 0);
	assert_int_equal(one.operation_count, 1);
	assert_true(ipclens_get_operation(english, one.operations[0], &operation));
	assert_int_equal(operation.id, 1);
	assert_false(operation.returned_known);
	assert_int_equal(operation.exit_ns, IPCLENS_NEVER);
	assert_true(ipclens_get_process(english, one.processes[0], &process));
	assert_int_equal(process.pid, 10);
	ipclens_close(english);
	ipclens_close(german);
	trace_free(t);
}

static int open_bytes(const char *text, const struct ipclens_options *options,
		      struct ipclens_error *error)
{
	FILE *stream = fmemopen((void *)text, strlen(text), "r");
	struct ipclens_trace *trace = (void *)error; /* not NULL: it shall become that */
	int err;

	assert_non_null(stream);
	err = ipclens_open_stream(stream, "lab.ndjson", options, &trace, error);
	fclose(stream);
	assert_null(trace);
	return err;
}

/* Each error is a sentence that names file and line, in words and as a number. */
static void errors_name_file_and_line(void **state)
{
	static const struct ipclens_options wrong = {.language = "tlh"};
	struct trace_text *t = *state;
	struct ipclens_trace *trace;
	struct ipclens_error error;

	assert_int_equal(open_bytes("nonsense\n", NULL, &error), -EBADMSG);
	assert_string_equal(error.text, "lab.ndjson:1: is not a JSON object");
	assert_int_equal(error.line, 1);
	assert_int_equal(open_bytes(t->data, &wrong, &error), -EINVAL);
	assert_int_equal(error.line, 0);
	assert_non_null(strstr(error.text, "tlh"));
	assert_int_equal(ipclens_open("/no/such/trace", NULL, &trace, &error), -ENOENT);
	assert_null(trace);
	assert_int_equal(error.line, 0);
	assert_string_equal(error.text, "/no/such/trace: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, trace_pipe_set_up, trace_tear_down)
		TEST(hands_out_a_message),
		TEST(nothing_beyond_the_end),
		TEST(gaps_are_announced),
		TEST(cut_trace_warns),
		TEST(wrong_line_warns),

		TEST(errors_name_file_and_line),
#undef TEST
		cmocka_unit_test(names_are_harmless),
		cmocka_unit_test(findings_in_both_languages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
