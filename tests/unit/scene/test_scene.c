// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* From a trace to a scene: which rows, in which order, on which lanes. */
#include "tests/unit/scene_stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIPE "pipe:[7]"

/* Without a limit each row is drawn. */
static const struct scene *build(struct stage *s, const struct viz_filter *filter, size_t max_rows)
{
	return stage_scene(s, (struct scene_request){.filter = filter,
						     .max_rows = max_rows,
						     .unfold = max_rows == 0});
}

static const struct scene *build_unfolded(struct stage *s, size_t max_rows)
{
	return stage_scene(s, (struct scene_request){.max_rows = max_rows, .unfold = true});
}

static void show_end(char *out, int lane)
{
	static const char *const nowhere[] = {"-", "?"};

	if (lane >= 0)
		sprintf(out, "%d", lane);
	else
		sprintf(out, "%s", nowhere[-1 - lane]);
}

/* Each row as "1>2 pipe 24 B", a half or lost one with its part before: "sent1 1>2 pipe 24 B". */
static const char *rows(struct stage *s)
{
	static const char *const parts[] = {"", "sent", "received", "unread", "dropped"};
	const struct scene *scene = build(s, NULL, 0);
	char *out = s->shown;

	*out = '\0';
	for (size_t i = 0; i < scene->row_count; i++) {
		const struct scene_row *row = &scene->rows[i];
		char from[16], to[16], tie[16] = "";

		show_end(from, row->from);
		show_end(to, row->to);
		if (row->tie)
			sprintf(tie, "%u", row->tie);
		out += sprintf(out, "%s%s%s%s>%s %s%s%s%s\n", parts[row->part], tie,
			       row->part ? " " : "", from, to, row->label,
			       row->ambiguous ? "?" : "", *row->notice_label ? ", " : "",
			       row->notice_label);
		assert_true(out < s->shown + sizeof(s->shown) - 512);
	}
	return s->shown;
}

static const struct scene_row *row_of(const struct scene *scene, const char *label)
{
	for (size_t i = 0; i < scene->row_count; i++)
		if (strcmp(scene->rows[i].label, label) == 0)
			return &scene->rows[i];
	fail_msg("no row %s", label);
	return NULL;
}

/* --- events --- */

static void put(struct stage *s, unsigned id, uint32_t pid, uint64_t enter, uint64_t exit,
		int64_t bytes)
{
	trace_call(s->trace, (struct call){id, "write", "send", pid, 0, 4, PIPE, enter, exit, bytes,
					   ",'payload':'hello'"});
}

static void get(struct stage *s, unsigned id, uint32_t pid, uint64_t enter, uint64_t exit,
		int64_t bytes)
{
	trace_call(s->trace, (struct call){id, "read", "receive", pid, 0, 3, PIPE, enter, exit,
					   bytes, ",'off_cpu_ns':8"});
}

static void execute(struct stage *s, uint32_t pid, const char *comm, uint64_t at_ns)
{
	trace_line(s->trace,
		   "{'type':'process','event':'exec','at_ns':%lu,'pid':%u,'tid':%u,'comm':'%s',"
		   "'path':'/bin/%s','args':['%s','-x']}",
		   (unsigned long)at_ns, pid, pid, comm, comm, comm);
}

/* ended as {'exit_code':0} or {'signal':'SIGTERM'} */
static void leave(struct stage *s, uint32_t pid, const char *comm, const char *ended,
		  uint64_t at_ns)
{
	trace_line(s->trace,
		   "{'type':'process','event':'exit','at_ns':%lu,'pid':%u,'tid':%u,'comm':'%s',"
		   "'last':true,%s}",
		   (unsigned long)at_ns, pid, pid, comm, ended);
}

static void child_signal(struct stage *s, uint32_t pid, uint64_t at_ns)
{
	trace_line(s->trace,
		   "{'type':'signal','event':'generate','at_ns':%lu,'signal':'SIGCHLD','number':17,"
		   "'origin':'child','code':1,'from':{'pid':%u,'tid':%u},'to':{'pid':10,'tid':10},"
		   "'group':true,'result':'ignored'}",
		   (unsigned long)at_ns, pid, pid);
}

/* sh makes a pipe, a writer and a reader. */
static void begin_pipeline(struct stage *s)
{
	trace_process(s->trace, 10, "sh");
	trace_pipe(s->trace, 10, PIPE);
	trace_fork(s->trace, 10, 20, "sh", 1000);
	trace_fork(s->trace, 10, 30, "sh", 1100);
}

static void end_pipeline(struct stage *s)
{
	leave(s, 20, "ls", "'exit_code':0", 9000);
	child_signal(s, 20, 9010);
	leave(s, 30, "wc", "'signal':'SIGTERM'", 9100);
	child_signal(s, 30, 9110);
	leave(s, 10, "sh", "'exit_code':3", 9200);
	trace_trailer(s->trace, 9300);
}

static void a_pipeline(void **state)
{
	struct stage *s = *state;
	const struct scene *scene;

	begin_pipeline(s);
	execute(s, 20, "ls", 1200);
	execute(s, 30, "wc", 1300);
	get(s, 1, 30, 1400, 1520, 24);
	put(s, 2, 20, 1500, 1510, 24);
	end_pipeline(s);
	assert_string_equal(rows(s), "0>1 fork\n"
				     "0>2 fork\n"
				     "1>- exec ls\n"
				     "2>- exec wc\n"
				     "1>2 pipe 24 B\n"
				     "1>0 exit 0, SIGCHLD\n"
				     "2>0 killed SIGTERM, SIGCHLD\n"
				     "0>- exit 3\n");
	scene = s->scene;
	assert_int_equal(scene->lane_count, 3);
	assert_string_equal(scene->lanes[1].title, "ls");
	assert_true(scene->lanes[1].born && scene->lanes[1].ended);
	assert_int_equal(scene->lanes[1].first_row, 0);
	assert_int_equal(scene->lanes[1].last_row, 5);
	assert_false(scene->lanes[0].born);
	assert_int_equal(scene->lanes[0].last_row, 7);
	assert_string_equal(scene->rows[4].payload, "\"hello\"…");
	assert_int_equal(scene->rows[4].style, SCENE_COPY);
	assert_int_equal(scene->messages, 1);
	assert_int_equal(scene->signals, 2);
	assert_int_equal(scene->bytes, 24);
	assert_int_equal(scene->channel_count, 1);
	assert_string_equal(scene->channels[0].route, "ls → wc");
	assert_int_equal(scene->note_count, 0);
}

static void a_blocked_reader_has_a_bar(void **state)
{
	struct stage *s = *state;
	const struct scene *scene;

	begin_pipeline(s);
	trace_call(s->trace, (struct call){1, "read", "receive", 30, 0, 3, PIPE, 1050, 1520, 24,
					   ",'off_cpu_ns':460"});
	put(s, 2, 20, 1500, 1510, 24);
	trace_trailer(s->trace, 2000);
	scene = build(s, NULL, 0);
	assert_int_equal(scene->bar_count, 1);
	assert_int_equal(scene->bars[0].lane, 2);
	assert_int_equal(scene->bars[0].kind, SCENE_BLOCKED);
	assert_int_equal(scene->bars[0].last_row, 2);
	assert_non_null(strstr(row_of(scene, "pipe 24 B")->detail, "sh[30] was blocked 460 ns"));
}

/* The reader is another program by then: one straight arrow would be a lie. */
static void received_after_exec_is_two_rows(void **state)
{
	struct stage *s = *state;

	begin_pipeline(s);
	put(s, 1, 20, 1500, 1510, 24);
	leave(s, 20, "ls", "'exit_code':0", 1600);
	execute(s, 30, "wc", 1700);
	get(s, 2, 30, 1800, 1810, 24);
	trace_trailer(s->trace, 2000);
	assert_string_equal(rows(s), "0>1 fork\n"
				     "0>2 fork\n"
				     "sent1 1>2 pipe 24 B\n"
				     "1>- exit 0\n"
				     "2>- exec wc\n"
				     "received1 1>2 pipe 24 B\n");
	assert_int_equal(s->scene->lanes[1].last_row, 3); /* gone before it arrives */
}

static void unread_is_shown(void **state)
{
	struct stage *s = *state;

	begin_pipeline(s);
	put(s, 1, 20, 1500, 1510, 24);
	trace_trailer(s->trace, 2000);
	assert_non_null(strstr(rows(s), "unread 1>- pipe 24 B\n"));
	assert_true(row_of(s->scene, "pipe 24 B")->important);
}

static void failures_are_folded(void **state)
{
	struct stage *s = *state;

	begin_pipeline(s);
	for (unsigned i = 0; i < 5; i++)
		trace_call(s->trace,
			   (struct call){i + 1, "write", "send", 20, 0, 4, PIPE, 1500 + 10 * i,
					 1501 + 10 * i, -32, ",'error':'EPIPE'"});
	trace_trailer(s->trace, 2000);
	assert_string_equal(rows(s), "0>1 fork\n0>2 fork\n1>- write EPIPE\n");
	assert_non_null(strstr(row_of(s->scene, "write EPIPE")->detail, "5 times"));
}

static void what_waits_is_told(void **state)
{
	struct stage *s = *state;
	const struct scene_row *row;

	begin_pipeline(s);
	trace_line(s->trace,
		   "{'type':'operation','id':5,'syscall':'read','role':'receive','pid':30,"
		   "'tid':30,'fd':3,'channel':'" PIPE "','enter_ns':1500,'state':'begin',"
		   "'at_ns':1501}");
	trace_line(s->trace,
		   "{'type':'operation','id':5,'syscall':'read','role':'receive','pid':30,"
		   "'tid':30,'fd':3,'channel':'" PIPE "','enter_ns':1500,"
		   "'state':'pending','at_ns':4000}");
	trace_trailer(s->trace, 4100);
	row = row_of(build(s, NULL, 0), "waits in read(3)");
	assert_int_equal(row->kind, SCENE_WAITING);
	assert_int_equal(row->from, 2);
	assert_non_null(strstr(row->detail, PIPE " for 2.5 µs"));
	assert_non_null(strstr(row->detail, "writer sh[10] fd 4"));
}

static void strangers_are_outside(void **state)
{
	struct stage *s = *state;

	begin_pipeline(s);
	trace_line(s->trace, "{'type':'signal','event':'generate','at_ns':1500,'signal':'SIGTERM',"
			     "'number':15,'origin':'kill','from':{'pid':777,'tid':777},"
			     "'to':{'pid':20,'tid':20},'group':true,'result':'queued'}");
	trace_line(s->trace, "{'type':'signal','event':'deliver','at_ns':1600,'signal':'SIGTERM',"
			     "'number':15,'to':{'pid':20,'tid':20},'action':'default'}");
	leave(s, 20, "ls", "'signal':'SIGTERM'", 1700);
	trace_trailer(s->trace, 2000);
	assert_non_null(strstr(rows(s), "?>1 SIGTERM\n"));
	assert_string_equal(row_of(s->scene, "SIGTERM")->outside, "pid 777");
}

static void the_tracer_has_no_lane(void **state)
{
	struct stage *s = *state;

	s->trace->len = 0;
	trace_line(s->trace, "{'type':'header','format':'ipclens-trace','version':1,'tool':'0',"
			     "'kernel':'6','machine':'x','clock':'CLOCK_MONOTONIC','start_ns':1,"
			     "'realtime_offset_ns':0,'tracer':9,'command':['sh','-c','a b'],"
			     "'options':{},'hooks':{}}");
	trace_process(s->trace, 10, "sh");
	leave(s, 10, "sh", "'exit_code':0", 2000);
	trace_line(s->trace, "{'type':'signal','event':'generate','at_ns':2010,'signal':'SIGCHLD',"
			     "'number':17,'origin':'child','code':1,'from':{'pid':10,'tid':10},"
			     "'to':{'pid':9,'tid':9},'group':true,'result':'queued'}");
	trace_trailer(s->trace, 3000);
	assert_string_equal(rows(s), "0>- exit 0\n");
	assert_int_equal(s->scene->lane_count, 1);
	assert_string_equal(s->scene->rows[0].detail, ""); /* nothing of the tracer */
	assert_string_equal(s->scene->command, "sh -c 'a b'");
}

static void idle_time_is_a_row(void **state)
{
	struct stage *s = *state;

	begin_pipeline(s);
	put(s, 1, 20, 500001100, 500001200, 24);
	get(s, 2, 30, 500001300, 500001400, 24);
	trace_trailer(s->trace, 500002000);
	assert_string_equal(rows(s), "0>1 fork\n0>2 fork\n->- 500 ms\n1>2 pipe 24 B\n");
}

static void loss_and_a_cut_trace_are_noted(void **state)
{
	struct stage *s = *state;
	const struct scene *scene;

	begin_pipeline(s);
	for (int i = 0; i < 3; i++)
		trace_lost(s->trace, 1500, 4);
	scene = build(s, NULL, 0);
	assert_int_equal(scene->note_count, 3);
	assert_non_null(strstr(scene->notes[0], "12 records were lost (ring)"));
	assert_non_null(strstr(scene->notes[1], "--lossless"));
	assert_non_null(strstr(scene->notes[2], "cut off"));
}

static void put_pause(struct stage *s, unsigned at_ns, unsigned stood_ns)
{
	trace_line(s->trace, "{'type':'pause','at_ns':%u,'stood_ns':%u}", at_ns, stood_ns);
}

/* However short it is, as it is why nothing happens. */
static void a_pause_is_a_row_that_says_so(void **state)
{
	struct stage *s = *state;

	begin_pipeline(s);
	put(s, 1, 20, 2000, 2100, 24);
	get(s, 2, 30, 2200, 2300, 24);
	put_pause(s, 2500, 2000);
	put(s, 3, 20, 5000, 5100, 24);
	get(s, 4, 30, 5200, 5300, 24);
	put_pause(s, 5400, 100);
	put_pause(s, 5600, 300);
	put(s, 5, 20, 7000, 7100, 24);
	get(s, 6, 30, 7200, 7300, 24);
	trace_trailer(s->trace, 9000);
	rows(s);
	assert_int_equal(s->scene->row_count, 7);
	assert_int_equal(s->scene->rows[3].kind, SCENE_IDLE);
	assert_string_equal(s->scene->rows[3].detail, "the command was held for 2 µs (--lossless)");
	assert_string_equal(s->scene->rows[5].detail,
			    "the command was held 2 times, 400 ns in all (--lossless)");
	assert_int_equal(s->scene->pause_count, 3);
	assert_int_equal(s->scene->pauses[1].stood_ns, 100);
	assert_non_null(strstr(s->scene->notes[0], "held 3 times, 2.4 µs in all"));
}

/* Those within a row that stands for many have no place; the note counts them all the same. */
static void pauses_in_a_run_are_a_note(void **state)
{
	struct stage *s = *state;

	begin_pipeline(s);
	for (unsigned i = 0; i < 40; i++) {
		put(s, 2 * i + 1, 20, 2000 + 100 * i, 2010 + 100 * i, 24);
		get(s, 2 * i + 2, 30, 2020 + 100 * i, 2030 + 100 * i, 24);
		put_pause(s, 2040 + 100 * i, 10);
	}
	trace_trailer(s->trace, 9000);
	build(s, NULL, 400);
	for (size_t i = 0; i < s->scene->row_count; i++)
		assert_int_not_equal(s->scene->rows[i].kind, SCENE_IDLE);
	assert_non_null(strstr(s->scene->notes[0], "held 40 times, 400 ns in all"));
}

/* --- leaving out --- */

/* `senders` take turns: the messages of one alone are a run that is folded. */
static void many_messages(struct stage *s, unsigned count, unsigned senders)
{
	begin_pipeline(s);
	for (unsigned i = 0; i < count; i++) {
		put(s, 2 * i + 1, i % senders ? 10 : 20, 2000 + 100 * i, 2010 + 100 * i, 24);
		get(s, 2 * i + 2, 30, 2020 + 100 * i, 2030 + 100 * i, 24);
	}
	trace_trailer(s->trace, 90000);
}

static void the_cap_keeps_both_ends_and_counts(void **state)
{
	struct stage *s = *state;
	const struct scene *scene;
	size_t messages = 0;

	many_messages(s, 100, 2);
	scene = build_unfolded(s, 20);
	assert_int_equal(scene->row_count, 20);
	assert_string_equal(scene->rows[0].label, "fork");
	for (size_t i = 0; i < scene->row_count; i++)
		messages += scene->rows[i].kind == SCENE_MESSAGE;
	assert_int_equal(messages, 17);
	assert_non_null(strstr(scene->rows[14].detail, "83 rows left out, 83 of them messages"));
	assert_int_equal(scene->note_count, 1);
	assert_non_null(strstr(scene->notes[0], "83 rows are left out"));
	for (size_t max = 1; max < 6; max++)
		assert_int_equal(build_unfolded(s, max)->row_count, max);
}

static void a_long_run_is_folded(void **state)
{
	struct stage *s = *state;
	const struct scene_row *row;
	const struct scene *scene;
	size_t messages = 0;

	many_messages(s, 100, 1);
	scene = build(s, NULL, 400);
	row = row_of(scene, "100× pipe 24 B");
	assert_int_equal(row->folded, 99);
	assert_int_equal(row->bytes, 100 * 24);
	for (size_t i = 0; i < scene->row_count; i++)
		if (scene->rows[i].kind == SCENE_MESSAGE)
			messages += scene->rows[i].folded + 1;
	assert_int_equal(messages, 100);
	assert_int_equal(scene->messages, 100);
	assert_int_equal(scene->note_count, 0); /* nothing is left out */
	assert_int_equal(build(s, NULL, 0)->row_count, 2 + 100);
}

static void a_call_that_death_ended_has_no_result(void **state)
{
	struct stage *s = *state;

	begin_pipeline(s);
	trace_call(s->trace, (struct call){5, "read", "receive", 30, 0, 3, PIPE, 1500, 1590, -512,
					   ",'error':'ERESTARTSYS'"});
	trace_line(s->trace, "{'type':'signal','event':'generate','at_ns':1580,'signal':'SIGKILL',"
			     "'number':9,'origin':'kill','from':{'pid':10,'tid':10},"
			     "'to':{'pid':30,'tid':30},'group':true,'result':'queued'}");
	trace_line(s->trace,
		   "{'type':'signal','event':'deliver','at_ns':1600,'signal':'SIGKILL',"
		   "'number':9,'to':{'pid':30,'tid':30},'action':'default','operation':5}");
	leave(s, 30, "wc", "'signal':'SIGKILL'", 1700);
	trace_trailer(s->trace, 2000);
	assert_null(strstr(rows(s), "EINTR"));
	assert_non_null(strstr(s->shown, "killed SIGKILL"));
}

/* `sh -c 'a | b; rm c'`: what spoke was sh. */
static void a_lane_is_called_by_who_spoke(void **state)
{
	struct stage *s = *state;
	const struct scene *scene;

	many_messages(s, 3, 1);
	s->trace->len = (size_t)(strstr(s->trace->data, "{\"type\":\"trailer\"") - s->trace->data);
	trace_line(s->trace, "{'type':'process','event':'exec','at_ns':5000,'pid':30,'tid':30,"
			     "'comm':'rm','path':'/bin/rm'}");
	trace_trailer(s->trace, 90000);
	scene = build(s, NULL, 0);
	assert_string_equal(scene->lanes[2].title, "sh");
}

static void a_missing_terminal_is_no_news(void **state)
{
	struct stage *s = *state;

	begin_pipeline(s);
	trace_line(s->trace,
		   "{'type':'operation','id':5,'syscall':'openat','role':'open','pid':20,"
		   "'tid':20,'enter_ns':1500,'exit_ns':1501,'returned':-6,'error':'ENXIO',"
		   "'path':'/dev/tty'}");
	trace_line(s->trace,
		   "{'type':'operation','id':6,'syscall':'openat','role':'open','pid':20,"
		   "'tid':20,'enter_ns':1600,'exit_ns':1601,'returned':-6,'error':'ENXIO',"
		   "'path':'/tmp/fifo'}");
	trace_trailer(s->trace, 2000);
	assert_string_equal(rows(s), "0>1 fork\n0>2 fork\n1>- openat ENXIO\n");
	assert_non_null(strstr(row_of(s->scene, "openat ENXIO")->detail, "/tmp/fifo"));
}

static void a_filter_leaves_lanes_out(void **state)
{
	struct stage *s = *state;
	char pid[] = "30";
	char *pids[] = {pid};
	struct viz_filter filter = {.pid = {pids, 1}};
	const struct scene *scene;

	trace_process(s->trace, 40, "idle");
	many_messages(s, 3, 1);
	scene = build(s, &filter, 0);
	assert_int_equal(scene->lane_count, 2);
	assert_int_equal(scene->lanes[0].pid, 20);
	assert_int_equal(scene->messages, 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_set_up, stage_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_pipeline),
		TEST(a_blocked_reader_has_a_bar),
		TEST(received_after_exec_is_two_rows),
		TEST(unread_is_shown),
		TEST(failures_are_folded),
		TEST(what_waits_is_told),
		TEST(strangers_are_outside),
		TEST(the_tracer_has_no_lane),
		TEST(idle_time_is_a_row),
		TEST(a_pause_is_a_row_that_says_so),
		TEST(pauses_in_a_run_are_a_note),
		TEST(loss_and_a_cut_trace_are_noted),
		TEST(the_cap_keeps_both_ends_and_counts),
		TEST(a_long_run_is_folded),
		TEST(a_call_that_death_ended_has_no_result),
		TEST(a_lane_is_called_by_who_spoke),
		TEST(a_missing_terminal_is_no_news),
		TEST(a_filter_leaves_lanes_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
