// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Folding: what repeats is a loop, what has no order is drawn as such, and whatever is folded or
 * left out, messages and bytes add up, and nothing that went wrong is among what went well.
 */
#include "tests/unit/between.h"
#include "tests/unit/scene_stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/render/common/steps.h"

enum { LANES = 4, SEEDS = 60, DEPTH_MOST = 8 };

struct workload {
	struct trace_text *trace;
	struct scene *scene;
	uint64_t state;
	uint64_t now_ns;
	unsigned id;
	uint64_t sent, bytes;
	char shown[8192];
};

static uint64_t next(struct workload *s, uint64_t below)
{
	s->state ^= s->state << 13;
	s->state ^= s->state >> 7;
	s->state ^= s->state << 17;
	return s->state % below;
}

/* A pipe from each process to each: a descriptor of its own that all have inherited. */
static void begin(struct workload *s, uint64_t seed)
{
	*s = (struct workload){.trace = trace_new(), .state = seed * 2654435761u + 1, .id = 1000};
	trace_process(s->trace, 10, "boss");
	for (int i = 0; i < LANES * LANES; i++) {
		char id[32];

		snprintf(id, sizeof(id), "pipe:[%d]", 100 + i);
		trace_channel(s->trace, id, "pipe", "");
		trace_line(s->trace,
			   "{'type':'operation','id':%u,'syscall':'pipe2','role':'open','pid':10,"
			   "'tid':10,'enter_ns':%d,'exit_ns':%d,'returned':0,'new_fds':["
			   "{'fd':%d,'channel':'%s','access':'read'},"
			   "{'fd':%d,'channel':'%s','access':'write'}]}",
			   ++s->id, i + 1, i + 2, 100 + 2 * i, id, 101 + 2 * i, id);
	}
	for (unsigned i = 1; i < LANES; i++)
		trace_fork(s->trace, 10, 10 + i, "worker", 100 + i);
	s->now_ns = 1000;
}

static void end(struct workload *s)
{
	scene_free(s->scene);
	trace_free(s->trace);
}

static void call(struct workload *s, const char *name, const char *role, unsigned lane,
		 unsigned way, int64_t bytes)
{
	char id[32];

	snprintf(id, sizeof(id), "pipe:[%u]", 100 + way);
	trace_call(s->trace, (struct call){++s->id, name, role, 10 + lane, 0,
					   (int)(100 + 2 * way + (*name == 'w')), id,
					   s->now_ns + 10, s->now_ns + 20, bytes, NULL});
	s->now_ns += 20;
}

static void put(struct workload *s, unsigned from, unsigned to, int64_t bytes)
{
	call(s, "write", "send", from, from * LANES + to, bytes);
	s->sent++;
	s->bytes += (uint64_t)bytes;
}

static void get(struct workload *s, unsigned from, unsigned to, int64_t bytes)
{
	call(s, "read", "receive", to, from * LANES + to, bytes);
}

static void talk(struct workload *s, unsigned from, unsigned to, int64_t bytes)
{
	put(s, from, to, bytes);
	get(s, from, to, bytes);
}

static const struct scene *build_scene(struct workload *s, struct scene_request request)
{
	if (!s->trace->pairing)
		trace_trailer(s->trace, s->now_ns + 1000);
	return stage_draw(s->trace, &s->scene, request);
}

static const struct scene *build(struct workload *s, size_t max_rows, bool unfold)
{
	return build_scene(s, (struct scene_request){.max_rows = max_rows, .unfold = unfold});
}

/* "0>1 pipe 8 B", those in loops indented. */
static const char *rows(struct workload *s)
{
	const struct scene *scene = build(s, 0, false);
	char *out = s->shown;
	int depth = 0;

	*out = '\0';
	for (size_t i = 0; i < scene->row_count; i++) {
		const struct scene_row *row = &scene->rows[i];

		depth -= row->kind == SCENE_LOOP_END;
		if (row->kind == SCENE_FORK || row->kind == SCENE_LOOP_END)
			continue;
		out += sprintf(out, "%*s", depth, "");
		if (row->kind != SCENE_LOOP)
			out += sprintf(out, "%d>%d ", row->from, row->to);
		out += sprintf(out, "%s\n", row->label);
		depth += row->kind == SCENE_LOOP;
		assert_true(out < s->shown + sizeof(s->shown) - 256);
	}
	assert_int_equal(depth, 0);
	return s->shown;
}

static const char *detail_of(const struct scene *scene, enum scene_kind kind)
{
	for (size_t i = 0; i < scene->row_count; i++)
		if (scene->rows[i].kind == kind)
			return scene->rows[i].detail;
	return "";
}

static void an_exchange_is_a_loop(void **state)
{
	struct workload s;

	(void)state;
	begin(&s, 1);
	for (int64_t i = 0; i < 300; i++) {
		talk(&s, 0, 1, 8);
		talk(&s, 1, 0, 1 + i % 5);
	}
	assert_string_equal(rows(&s), "×300\n"
				      " 0>1 pipe 8 B\n"
				      " 1>0 pipe 1 B…5 B\n");
	assert_string_equal(detail_of(s.scene, SCENE_LOOP),
			    "600 messages, 3300 B, latency 30 ns, --unfold shows each");
	assert_int_equal(s.scene->messages, 600);
	assert_int_equal(build(&s, 0, true)->row_count, LANES - 1 + 600);
	end(&s);
}

static void loops_have_loops(void **state)
{
	struct workload s;

	(void)state;
	begin(&s, 1);
	for (int i = 0; i < 40; i++) {
		talk(&s, 0, 1, 8);
		for (int k = 0; k < 3 + i % 2; k++) {
			talk(&s, 1, 2, 4);
			talk(&s, 2, 1, 4);
		}
		for (int k = 0; k <= i % 3; k++)
			talk(&s, 1, 0, 2);
	}
	assert_string_equal(rows(&s), "×40\n"
				      " 0>1 pipe 8 B\n"
				      " ×3…4\n"
				      "  1>2 pipe 4 B\n"
				      "  2>1 pipe 4 B\n"
				      " 1>0 1…3× pipe 2 B\n");
	end(&s);
}

static void few_are_drawn_as_they_are(void **state)
{
	struct workload s;

	(void)state;
	begin(&s, 1);
	for (int i = 0; i < 9; i++) {
		talk(&s, 0, 1, 8);
		talk(&s, 1, 0, 8);
	}
	build(&s, 0, false);
	assert_int_equal(s.scene->row_count, LANES - 1 + 18);
	assert_string_equal(detail_of(s.scene, SCENE_LOOP), "");
	end(&s);
}

/* --- what adds up --- */

static void random_traffic(struct workload *s, size_t count)
{
	while (s->sent < count) {
		unsigned from = (unsigned)next(s, LANES), to = (unsigned)next(s, LANES);

		switch (next(s, 12)) {
		case 0: /* a stretch with an order */
			for (uint64_t i = next(s, 40); i > 0; i--) {
				talk(s, from, to, 8);
				talk(s, to, from, (int64_t)(1 + next(s, 9)));
			}
			break;
		case 1: /* two on the way at once */
			put(s, from, to, 5);
			put(s, from, to, 6);
			get(s, from, to, 5);
			get(s, from, to, 6);
			break;
		case 2: /* they cross: rows in halves */
			put(s, from, to, 3);
			put(s, to, from, 3);
			get(s, from, to, 3);
			get(s, to, from, 3);
			break;
		default:
			talk(s, from, to, (int64_t)(1 + next(s, 100)));
		}
	}
	if (next(s, 2))
		put(s, 0, 1, 7); /* and nobody reads it */
}

/* Of "… 7 rows left out, 5 of them messages". */
static uint64_t left_out(const struct scene_row *row)
{
	const char *words = strstr(row->detail, "left out, ");
	char digits[32];
	size_t len = 0;

	for (words += words ? strlen("left out, ") : 0; words && len < sizeof(digits) - 1; words++)
		if (*words >= '0' && *words <= '9')
			digits[len++] = *words;
		else if (*words != ',')
			break;
	digits[len] = '\0';
	return strtoull(digits, NULL, 10);
}

static void check_sums(const struct workload *s, bool whole)
{
	const struct scene *scene = s->scene;
	uint64_t messages = 0, bytes = 0;
	int depth = 0;

	for (size_t i = 0; i < scene->row_count; i++) {
		const struct scene_row *row = &scene->rows[i];

		messages += render_messages(row) + left_out(row);
		if (render_messages(row))
			bytes += row->bytes;
		depth += (row->kind == SCENE_LOOP) - (row->kind == SCENE_LOOP_END);
		assert_between(depth, 0, DEPTH_MOST);
		if (i)
			assert_true(row->at_ns >= scene->rows[i - 1].at_ns);
	}
	assert_int_equal(depth, 0);
	assert_int_equal(messages, s->sent);
	assert_int_equal(scene->messages, s->sent);
	if (whole)
		assert_int_equal(bytes, s->bytes);
}

static void everything_is_drawn_or_counted(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct workload s;

		begin(&s, seed);
		random_traffic(&s, seed * 20);
		build(&s, 0, false);
		check_sums(&s, true);
		build(&s, 0, true);
		check_sums(&s, true);
		assert_true(s.scene->row_count >= s.sent);
		for (size_t max = 1; max < 200; max += 13) {
			build(&s, max, seed % 2);
			check_sums(&s, false);
			assert_true(s.scene->row_count <= max);
		}
		end(&s);
	}
}

static void lanes_between_hide_nothing(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct scene_request request = {.unfold = seed % 2,
						.group = seed % 3 == 0,
						.via = seed % 4 ? SCENE_VIA_KERNEL
								: SCENE_VIA_CHANNELS};
		struct workload s;
		size_t on_the_way = 0;

		begin(&s, seed);
		random_traffic(&s, seed * 20);
		build_scene(&s, request);
		check_sums(&s, request.unfold); /* kinds left out are counted, not added up */
		for (size_t i = 0; request.unfold && i < s.scene->row_count; i++) {
			const struct scene_row *row = &s.scene->rows[i];

			on_the_way += row->part == SCENE_ENTERS || row->part == SCENE_UNREAD;
			if (row->kind == SCENE_MESSAGE && row->part == SCENE_WHOLE)
				assert_true(on_the_way-- > 0);
			assert_true(row->part != SCENE_SENT && row->part != SCENE_RECEIVED);
		}
		end(&s);
	}
}

static const char *lanes(struct workload *s, struct scene_request request)
{
	const struct scene *scene = build_scene(s, request);
	char *out = s->shown;

	*out = '\0';
	for (size_t i = 0; i < scene->lane_count; i++)
		out += sprintf(out, "%s%s", i ? " | " : "", scene->lanes[i].title);
	return s->shown;
}

static void lanes_are_what_was_asked_for(void **state)
{
	const struct scene *scene;
	struct workload s;

	(void)state;
	begin(&s, 1);
	talk(&s, 0, 1, 8);
	talk(&s, 0, 2, 8);
	talk(&s, 3, 0, 8);
	assert_string_equal(lanes(&s, (struct scene_request){.via = SCENE_VIA_KERNEL}),
			    "boss | worker | kernel | worker | worker");
	assert_string_equal(lanes(&s, (struct scene_request){.via = SCENE_VIA_CHANNELS}),
			    "boss | pipe:[101] | pipe:[102] | pipe:[112] | worker | worker | "
			    "worker");
	assert_string_equal(lanes(&s, (struct scene_request){.group = true}),
			    "boss | worker ×2 | worker");
	scene = s.scene;
	assert_int_equal(scene->lanes[1].kind, SCENE_LANE_GROUP);
	assert_int_equal(scene->process_count, 4);
	end(&s);
}

/* Into the kernel at its sending, out of it at its receipt. */
static void a_message_is_copied_twice(void **state)
{
	struct scene_request request = {.via = SCENE_VIA_KERNEL};
	const struct scene *scene;
	struct workload s;

	(void)state;
	begin(&s, 1);
	talk(&s, 0, 3, 8);
	put(&s, 3, 0, 9);
	scene = build_scene(&s, request);
	assert_int_equal(scene->row_count, LANES - 1 + 3);
	assert_string_equal(scene->rows[3].label, "▲ pipe 8 B");
	assert_int_equal(scene->rows[3].to, 2);
	assert_string_equal(scene->rows[4].label, "▼ pipe 8 B");
	assert_int_equal(scene->rows[4].from, 2);
	assert_string_equal(scene->rows[5].label, "▲ pipe 9 B");
	assert_int_equal(scene->rows[5].part, SCENE_UNREAD);
	assert_int_equal(scene->rows[5].to, 2);
	end(&s);
}

/* From one of the first `lanes` lanes to another one. */
static void talk_at_random(struct workload *s, unsigned lanes, int64_t bytes)
{
	unsigned from = (unsigned)next(s, lanes);

	talk(s, from, (from + 1 + (unsigned)next(s, lanes - 1)) % lanes, bytes);
}

static void chaos_is_one_page(void **state)
{
	struct workload s;

	(void)state;
	begin(&s, 5);
	while (s.sent < 1000)
		talk_at_random(&s, LANES, (int64_t)(1 + next(&s, 9)));
	build(&s, 400, false);
	check_sums(&s, true);
	assert_true(s.scene->row_count < 30);
	assert_string_equal(s.scene->rows[LANES - 1].label, "mixed");
	assert_non_null(strstr(detail_of(s.scene, SCENE_LOOP), "1,000 messages"));
	end(&s);
}

/* Rows of `count` messages among three of the lanes, in no order. */
static size_t rows_of_three(size_t count)
{
	struct workload s;
	size_t drawn;

	begin(&s, 6);
	while (s.sent < count)
		talk_at_random(&s, 3, 8);
	build(&s, 0, false);
	check_sums(&s, true);
	drawn = s.scene->row_count;
	end(&s);
	return drawn;
}

static void many_rows_of_few_kinds_are_one_page(void **state)
{
	(void)state;
	assert_int_equal(rows_of_three(190), LANES - 1 + 190);
	assert_between(rows_of_three(260), LANES, LANES + 20);
}

/* Rows of talk with oneself; *last is the last one. */
static size_t own_rows(const struct scene *scene, const struct scene_row **last)
{
	size_t count = 0;

	for (size_t i = 0; i < scene->row_count; i++)
		if (strstr(scene->rows[i].label, "with itself")) {
			*last = &scene->rows[i];
			count++;
		}
	return count;
}

/* It does not take part in what the others do: their loop stays a loop. */
static void talk_with_oneself_is_one_row(void **state)
{
	const struct scene_row *own = NULL;
	struct workload s;

	(void)state;
	begin(&s, 1);
	for (int i = 0; i < 50; i++) {
		talk(&s, 0, 1, 8);
		talk(&s, 2, 2, 1 + i % 2);
	}
	put(&s, 3, 3, 5); /* nobody takes it, which is worth a row */
	talk(&s, 1, 1, 1);
	talk(&s, 1, 1, 1); /* too few to be folded */
	build(&s, 0, false);
	check_sums(&s, true);
	assert_int_equal(own_rows(s.scene, &own), 1);
	assert_string_equal(own->label, "50× pipe with itself");
	assert_int_equal(own->bytes, 75);
	assert_int_equal(s.scene->row_count, LANES - 1 + 2 + 1 + 1 + 2);
	build(&s, 0, true);
	assert_int_equal(own_rows(s.scene, &own), 0);
	check_sums(&s, true);
	end(&s);
}

/* Rows of others, as they stand. */
static const char *other_rows(struct workload *s, bool unfold)
{
	const struct scene *scene = build(s, 0, unfold);
	char *out = s->shown;

	*out = '\0';
	for (size_t i = 0; i < scene->row_count; i++) {
		const struct scene_row *row = &scene->rows[i];

		if (row->from != 2 || row->to != 2)
			out += sprintf(out, "%d>%d %d %s\n", row->from, row->to, row->part,
				       row->label);
		assert_true(out < s->shown + sizeof(s->shown) - 256);
	}
	return s->shown;
}

/* Pieces of calls know their neighbours, wherever talk with oneself went between them. */
static void pieces_stay_beside_each_other(void **state)
{
	struct workload s;
	char unfolded[sizeof(s.shown)];

	(void)state;
	begin(&s, 1);
	for (int i = 0; i < 4; i++) { /* too few for a loop */
		talk(&s, 2, 2, 1);
		put(&s, 0, 1, 10);
		get(&s, 0, 1, 4);
		put(&s, 2, 2, 6);
		put(&s, 0, 1, 3);
		get(&s, 2, 2, 3);
		get(&s, 0, 1, 9); /* the rest of the first, and all of the second */
		get(&s, 2, 2, 3);
		talk(&s, 3, 0, 2);
	}
	strcpy(unfolded, other_rows(&s, true));
	assert_string_equal(other_rows(&s, false), unfolded);
	assert_non_null(strstr(unfolded, "2/2"));
	end(&s);
}

static void chaos_with_oneself_is_one_page(void **state)
{
	const struct scene_row *own = NULL;
	struct workload s;

	(void)state;
	begin(&s, 5);
	while (s.sent < 1000)
		talk(&s, (unsigned)next(&s, LANES), (unsigned)next(&s, LANES),
		     (int64_t)(1 + next(&s, 9)));
	build(&s, 400, false);
	check_sums(&s, true);
	assert_int_equal(own_rows(s.scene, &own), LANES);
	assert_true(s.scene->row_count < 40);
	end(&s);
}

static void what_fails_is_not_among_what_does_not(void **state)
{
	struct workload s;

	(void)state;
	begin(&s, 1);
	for (int i = 0; i < 100; i++) {
		talk(&s, 0, 1, 8);
		if (i == 50)
			trace_call(s.trace, (struct call){++s.id, "write", "send", 10, 0, 103,
							  "pipe:[101]", s.now_ns + 1, s.now_ns + 2,
							  -32, ",'error':'EPIPE'"});
	}
	assert_string_equal(rows(&s), "0>1 51× pipe 8 B\n"
				      "0>-1 write EPIPE\n"
				      "0>1 49× pipe 8 B\n");
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_exchange_is_a_loop),
		cmocka_unit_test(loops_have_loops),
		cmocka_unit_test(few_are_drawn_as_they_are),
		cmocka_unit_test(everything_is_drawn_or_counted),
		cmocka_unit_test(lanes_between_hide_nothing),
		cmocka_unit_test(lanes_are_what_was_asked_for),
		cmocka_unit_test(a_message_is_copied_twice),
		cmocka_unit_test(chaos_is_one_page),
		cmocka_unit_test(many_rows_of_few_kinds_are_one_page),
		cmocka_unit_test(talk_with_oneself_is_one_row),
		cmocka_unit_test(pieces_stay_beside_each_other),
		cmocka_unit_test(chaos_with_oneself_is_one_page),
		cmocka_unit_test(what_fails_is_not_among_what_does_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
