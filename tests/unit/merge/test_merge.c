// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Traces of several machines become one: what is joined, what is renamed, what is refused. */
#include "tests/unit/between.h"
#include "tests/unit/trace_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "viz/base/arena.h"
#include "viz/merge/merge.h"

#define SECOND INT64_C(1000000000)

/* A client and a server, each in a trace of its own, and what is made of them. */
struct both {
	struct trace_text one, other, merged;
	char names[2][32];
	struct merge merge;
	struct viz_error error;
	char *text;
	size_t len;
};

static int set_up(void **state)
{
	struct both *b = calloc(1, sizeof(*b));

	*state = b;
	for (int i = 0; b && i < 2; i++) {
		strcpy(b->names[i], "/tmp/ipclens-unit-XXXXXX");
		close(mkstemp(b->names[i]));
	}
	return b ? 0 : -1;
}

static int tear_down(void **state)
{
	struct both *b = *state;

	unlink(b->names[0]);
	unlink(b->names[1]);
	viz_pairing_free(b->merged.pairing);
	viz_model_free(b->merged.model);
	free(b->text);
	free(b);
	return 0;
}

static void head(struct trace_text *t, const char *boot, uint64_t start_ns, int64_t wall_ns,
		 unsigned tracer)
{
	trace_line(t,
		   "{'type':'header','format':'ipclens-trace','version':1,'tool':'0','kernel':'6',"
		   "'machine':'x86_64','host':'%s','boot_id':'%s','clock':'CLOCK_MONOTONIC',"
		   "'start_ns':%llu,'tracer':%u,'realtime_offset_ns':%lld,'processors':2,"
		   "'options':{},'hooks':{'sys_enter':true}}",
		   boot, boot, (unsigned long long)start_ns, tracer, (long long)wall_ns);
}

#define STANDS(when, written, copied)                                                              \
	",'" when "':{'write_seq':" #written ",'copied_seq':" #copied ",'rcv_nxt':" #copied        \
	",'snd_una':" #written "}"

/* 10 connects, asks 4 bytes at 1,000 and has an answer of 6 at 9,000. */
static void client(struct trace_text *t)
{
	trace_process(t, 10, "curl");
	trace_channel(t, "tcp:[1]", "tcp",
		      ",'local_address':'10.0.0.1:4000','peer_address':'10.0.0.2:80','network':5");
	trace_call(t, (struct call){1, "connect", "open", 10, 0, 3, "tcp:[1]", 100, 900, 0,
				    STANDS("at_exit", 5001, 7001)});
	trace_call(t, (struct call){3, "write", "send", 10, 0, 3, "tcp:[1]", 1000, 1100, 4,
				    STANDS("at_entry", 5001, 7001) STANDS("at_exit", 5005, 7001)});
	trace_call(t, (struct call){5, "read", "receive", 10, 0, 3, "tcp:[1]", 1200, 9000, 6,
				    STANDS("at_entry", 5005, 7001) STANDS("at_exit", 5005, 7007)});
	trace_trailer(t, 9500);
}

/* 10 of the other machine accepts; its clock is `shift` ahead. */
static void server(struct trace_text *t, uint64_t shift, bool answers)
{
	trace_process(t, 10, "python3");
	trace_channel(t, "tcp:[1]", "tcp", ",'local_address':'10.0.0.2:80','listening':true");
	trace_channel(t, "tcp:[2]", "tcp",
		      ",'local_address':'10.0.0.2:80','peer_address':'10.0.0.1:4000','network':5");
	trace_call(t, (struct call){2, "accept4", "open", 10, 0, 3, "tcp:[1]", shift + 50,
				    shift + 1500, 4,
				    STANDS("at_exit", 7001, 5001) ",'new_fds':[{'fd':4,'channel':"
								  "'tcp:[2]','access':'both'}]"});
	trace_call(t, (struct call){4, "read", "receive", 10, 0, 4, "tcp:[2]", shift + 2000,
				    shift + 3000, 4,
				    STANDS("at_entry", 7001, 5001) STANDS("at_exit", 7001, 5005)});
	if (answers)
		trace_call(t, (struct call){6, "write", "send", 10, 0, 4, "tcp:[2]", shift + 7000,
					    shift + 7100, 6,
					    STANDS("at_entry", 7001, 5005)
						    STANDS("at_exit", 7007, 5005)});
	trace_trailer(t, shift + 9600);
}

static void put(const char *name, const struct trace_text *t)
{
	FILE *file = fopen(name, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(t->data, 1, t->len, file), t->len);
	assert_int_equal(fclose(file), 0);
}

static int merge(struct both *b)
{
	char *paths[] = {b->names[0], b->names[1]};
	FILE *out = open_memstream(&b->text, &b->len);
	int err;

	put(b->names[0], &b->one);
	put(b->names[1], &b->other);
	err = merge_read(&b->merge, paths, 2, NULL, &b->error);
	if (!err)
		err = merge_write(&b->merge, out, NULL, &b->error);
	fclose(out);
	return err;
}

static const char *messages(struct both *b)
{
	trace_raw(&b->merged, b->text);
	return trace_messages(&b->merged);
}

static void two_machines(struct both *b, bool answers)
{
	head(&b->one, "web", 1, 0, 7);
	client(&b->one);
	head(&b->other, "db", 3 * SECOND + 1, -3 * SECOND, 7);
	server(&b->other, 3 * SECOND, answers);
	assert_int_equal(merge(b), 0);
	assert_int_equal(b->merge.hosts.count, 2);
	assert_int_equal(b->merge.connections, 1);
}

/* A string must stay one, whatever bytes a damaged trace has in it. */
static void texts_stay_strings(void **state)
{
	struct both *b = *state;
	char *tool;

	head(&b->one, "web", 1, 0, 7);
	tool = strstr(b->one.data, "\"tool\":\"0\"");
	assert_non_null(tool);
	tool[strlen("\"tool\":\"")] = (char)0xd1;
	client(&b->one);
	head(&b->other, "db", 3 * SECOND + 1, -3 * SECOND, 7);
	server(&b->other, 3 * SECOND, true);
	assert_int_equal(merge(b), 0);
	assert_non_null(strstr(b->text, "\"tool\":\"?\""));
	assert_string_equal(messages(b), "tcp 10>10000010 4 s5+0 r10+0 exact\n"
					 "tcp 10000010>10 6 s14+0 r9+0 exact\n");
	merge_free(&b->merge);
}

static void connections_get_both_ends(void **state)
{
	struct both *b = *state;

	two_machines(b, true);
	assert_string_equal(messages(b), "tcp 10>10000010 4 s5+0 r10+0 exact\n"
					 "tcp 10000010>10 6 s14+0 r9+0 exact\n");
	merge_free(&b->merge);
}

/* The connect came to be accepted, 1,400 later; the answer was received 2,000 later. */
static void clocks_come_together(void **state)
{
	struct both *b = *state;
	const struct merge_host *db;
	int64_t wrong;

	two_machines(b, true);
	db = b->merge.hosts.items[1];
	wrong = merge_host_time(db, 3 * (uint64_t)SECOND);
	assert_int_equal(db->tie, CLOCK_TIE_BOTH_WAYS);
	assert_between(wrong < 0 ? -wrong : wrong, 0, db->uncertainty_ns);
	assert_non_null(strstr(b->text, "\"clock\":\"both-ways\",\"offset_ns\":-2999"));
	merge_free(&b->merge);
}

static void one_way_is_said(void **state)
{
	struct both *b = *state;

	two_machines(b, false);
	assert_int_equal(b->merge.hosts.items[1]->tie, CLOCK_TIE_ONE_WAY);
	assert_non_null(strstr(b->text, "\"clock\":\"one-way\",\"offset_ns\":-3000000000,"));
	assert_null(strstr(b->text, "uncertainty_ns"));
	merge_free(&b->merge);
}

static void strangers_are_merged_by_the_wall(void **state)
{
	struct both *b = *state;

	head(&b->one, "web", 1, 0, 7);
	client(&b->one);
	head(&b->other, "db", 1, -3 * SECOND, 7);
	trace_process(&b->other, 10, "sleep");
	trace_trailer(&b->other, 3 * (uint64_t)SECOND + 100);
	assert_int_equal(merge(b), 0);
	assert_int_equal(b->merge.connections, 0);
	assert_int_equal(b->merge.hosts.items[1]->tie, CLOCK_TIE_WALL);
	/* Its start, 1, is 3 s before the other's, so all times are lifted. */
	assert_non_null(strstr(b->text, "\"start_ns\":1,\"realtime_offset_ns\":-3000000000"));
	merge_free(&b->merge);
}

static void names_tell_the_machine(void **state)
{
	struct both *b = *state;

	two_machines(b, true);
	assert_non_null(strstr(b->text, "\"pid\":10000010,\"tid\":10000010,\"comm\":\"python3\","
					"\"host\":\"db\",\"host_pid\":10}"));
	assert_non_null(strstr(b->text, "\"channel\":\"tcp:[2]@db\""));
	assert_non_null(strstr(b->text, "\"network\":4294967301"));
	assert_non_null(strstr(b->text, "\"network\":8589934597"));
	merge_free(&b->merge);
}

/* Of one machine, only the numbers of calls change. */
static void one_machine_keeps_its_names(void **state)
{
	struct both *b = *state;
	struct trace_text *t = &b->other;

	head(&b->one, "web", 1, 0, 7);
	trace_process(&b->one, 10, "ls");
	trace_channel(&b->one, "pipe:[1]", "pipe", ",'outside':{'pid':20,'comm':'wc'}");
	trace_call(&b->one, (struct call){1, "write", "send", 10, 0, 1, "pipe:[1]", 10, 20, 5, ""});
	trace_trailer(&b->one, 100);
	head(t, "web", 1, 0, 8);
	trace_process(t, 20, "wc");
	trace_channel(t, "pipe:[1]", "pipe", "");
	trace_call(t, (struct call){1, "read", "receive", 20, 0, 0, "pipe:[1]", 15, 30, 5, ""});
	trace_trailer(t, 90);
	assert_int_equal(merge(b), 0);
	assert_int_equal(b->merge.hosts.count, 1);
	assert_null(strstr(b->text, "outside"));
	assert_null(strstr(b->text, "host_pid"));
	assert_non_null(strstr(messages(b), "pipe 10>20 5 s1+0 r3+0"));
	merge_free(&b->merge);
}

static void damage_is_announced(void **state)
{
	struct both *b = *state;

	head(&b->one, "web", 1, 0, 7);
	trace_raw(&b->one, "{\"type\":\"operation\",\"id\":-1}\nnonsense\n");
	trace_line(&b->one, "{'type':'signal','event':'return','at_ns':5,'signal':'SIGHUP',"
			    "'number':1,'to':{'pid':99999999,'tid':1}}");
	client(&b->one);
	head(&b->other, "db", 1, 0, 7);
	server(&b->other, 0, true);
	assert_int_equal(merge(b), 0);
	assert_int_equal(b->merge.traces[0].wrong, 2);
	assert_int_equal(b->merge.unfitting, 1);
	assert_non_null(strstr(b->text, "\"where\":\"damaged\",\"count\":2"));
	assert_non_null(strstr(b->text, "\"lost\":2"));
	merge_free(&b->merge);
}

/* What no reader knows stays, but cannot break the line. */
static void unknown_keys_stay(void **state)
{
	struct both *b = *state;

	head(&b->one, "web", 1, 0, 7);
	trace_raw(&b->one, "{\"type\":\"lost\",\"at_ns\":4,\"where\":\"ring\",\"count\":1,"
			   "\"new\":[1,{\"at_ns\":-2.5}],\"a\\\"b\":1}\n");
	trace_trailer(&b->one, 9);
	head(&b->other, "db", 1, 0, 7);
	trace_trailer(&b->other, 9);
	assert_int_equal(merge(b), 0);
	assert_non_null(strstr(b->text, "\"count\":1,\"new\":[1,{\"at_ns\":-2}]}\n"));
	merge_free(&b->merge);
}

static void refused(struct both *b, const char *why)
{
	assert_true(merge(b) < 0);
	assert_non_null(strstr(b->error.text, why));
	merge_free(&b->merge);
}

static void copies_are_refused(void **state)
{
	struct both *b = *state;

	head(&b->one, "web", 1, 0, 7);
	head(&b->other, "web", 1, 0, 7);
	refused(b, "are the same trace");
}

static void a_process_in_both_is_refused(void **state)
{
	struct both *b = *state;

	head(&b->one, "web", 1, 0, 7);
	client(&b->one);
	head(&b->other, "web", 1, 0, 8);
	server(&b->other, 0, true);
	refused(b, "both hold the calls of process 10");
}

static void merged_ones_are_refused(void **state)
{
	struct both *b = *state;

	two_machines(b, true);
	merge_free(&b->merge);
	memset(&b->one, 0, sizeof(b->one));
	trace_raw(&b->one, b->text);
	free(b->text);
	b->text = NULL;
	refused(b, "was made by merge");
}

static void no_traces_are_refused(void **state)
{
	struct both *b = *state;

	trace_raw(&b->one, "hello\n");
	head(&b->other, "db", 1, 0, 7);
	refused(b, "1: is not a JSON object");
}

/* A new key of 32 bits is a process, or it is listed here. */
static void no_process_is_forgotten(void **state)
{
	static const enum field others[] = {FIELD_header_tracer,     FIELD_host_pid_base,
					    FIELD_process_host_pid,  FIELD_process_exit_code,
					    FIELD_descriptors_table, FIELD_operation_priority,
					    FIELD_trailer_exit_code};
	static const bool listed[FIELD_COUNT] = {
#define MEANING(record, key, meaning) [FIELD_##record##_##key] = true,
#define INSIDE(...)
#include "viz/merge/keys.def"
#undef MEANING
#undef INSIDE
	};

	(void)state;
	for (enum field field = 0; field < FIELD_COUNT; field++) {
		bool known = listed[field];

		for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
			known |= others[i] == field;
		if (field_info(field)->kind == KIND_U32 && !known)
			fail_msg("%s of %s: is it a process? viz/merge/keys.def",
				 field_info(field)->key, record_name(field_info(field)->record));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(connections_get_both_ends, set_up, tear_down),
		cmocka_unit_test_setup_teardown(texts_stay_strings, set_up, tear_down),
		cmocka_unit_test_setup_teardown(clocks_come_together, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_way_is_said, set_up, tear_down),
		cmocka_unit_test_setup_teardown(strangers_are_merged_by_the_wall, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(names_tell_the_machine, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_machine_keeps_its_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(damage_is_announced, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unknown_keys_stay, set_up, tear_down),
		cmocka_unit_test_setup_teardown(copies_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_process_in_both_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(merged_ones_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_traces_are_refused, set_up, tear_down),
		cmocka_unit_test(no_process_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
