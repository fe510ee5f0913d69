// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Pieces of one call: of each send one row has the tail, of each receive one row has the head, and
 * no row has a time that no call had.
 */
#include "tests/unit/scene_stage.h"

#include <stdlib.h>
#include <string.h>

enum { CALLS = 24, ROUNDS = 60, MOST = 9 };

#define WRITER 10
#define READER 20

static void begin(struct stage *s)
{
	trace_process(s->trace, WRITER, "left");
	trace_process(s->trace, READER, "right");
	trace_channel(s->trace, TRACE_PIPE, "pipe", "");
}

static const struct scene_row *row_of(const struct scene *scene, size_t index)
{
	assert_true(index < scene->row_count);
	return &scene->rows[index];
}

static bool has_tail(const struct scene_row *row)
{
	return !row->tailless && row->part != SCENE_RECEIVED;
}

static bool has_head(const struct scene_row *row)
{
	return !row->headless && (row->part == SCENE_WHOLE || row->part == SCENE_RECEIVED);
}

static size_t count_rows(const struct scene *scene, bool (*is)(const struct scene_row *))
{
	size_t count = 0;

	for (size_t i = 0; i < scene->row_count; i++)
		count += scene->rows[i].kind == SCENE_MESSAGE && is(&scene->rows[i]);
	return count;
}

/* --- a write that is read in threes --- */

static void a_send_read_in_pieces_has_one_tail(void **state)
{
	struct stage *s = *state;
	const struct scene *scene;

	begin(s);
	trace_put(s->trace, 1, WRITER, 100, 110, 9, "");
	trace_get(s->trace, 2, READER, 200, 210, 3, "");
	trace_get(s->trace, 3, READER, 220, 230, 3, "");
	trace_get(s->trace, 4, READER, 240, 250, 3, "");
	scene = stage_scene(s, (struct scene_request){0});
	assert_int_equal(scene->row_count, 3);
	assert_string_equal(scene->traffic, "1 send, 3 receives, 3 pieces");
	assert_string_equal(row_of(scene, 0)->label, "pipe 3 B 1/3");
	assert_int_equal(count_rows(scene, has_tail), 1);
	assert_int_equal(count_rows(scene, has_head), 3);
	assert_int_equal(row_of(scene, 1)->at_ns,
			 130); /* the receive's end, not a time of its own */
	assert_int_equal(row_of(scene, 2)->at_ns, 150);
	assert_int_equal(row_of(scene, 0)->tail.below, 1);
	assert_int_equal(row_of(scene, 1)->tail.above, 0);
	assert_int_equal(row_of(scene, 2)->tail.above, 1);
	assert_int_equal(row_of(scene, 2)->tail.below, SCENE_NO_ROW);
	assert_non_null(strstr(row_of(scene, 0)->detail, "of 9 B is taken in 3 pieces"));
}

static void writes_read_at_once_have_one_head(void **state)
{
	struct stage *s = *state;
	const struct scene *scene;

	begin(s);
	trace_put(s->trace, 1, WRITER, 100, 110, 2, "");
	trace_put(s->trace, 2, WRITER, 120, 130, 3, "");
	trace_put(s->trace, 3, WRITER, 140, 150, 4, "");
	trace_get(s->trace, 4, READER, 200, 210, 9, "");
	scene = stage_scene(s, (struct scene_request){0});
	assert_int_equal(scene->row_count, 3);
	assert_string_equal(scene->traffic, "3 sends, 1 receive, 3 pieces");
	assert_int_equal(count_rows(scene, has_tail), 3);
	assert_int_equal(count_rows(scene, has_head), 1);
	assert_true(has_head(row_of(scene, 2)));
	assert_int_equal(row_of(scene, 0)->head.below, 1);
	assert_int_equal(row_of(scene, 2)->head.above, 1);
	assert_non_null(strstr(row_of(scene, 2)->detail, "takes 9 B, pieces of 3 sends"));
}

static void pieces_far_apart_bear_one_number(void **state)
{
	struct stage *s = *state;
	const struct scene *scene;

	begin(s);
	trace_channel(s->trace, "pipe:[8]", "pipe", "");
	trace_put(s->trace, 1, WRITER, 100, 110, 6, "");
	trace_get(s->trace, 2, READER, 200, 210, 3, "");
	for (unsigned i = 0; i < 6; i++) {
		trace_call(s->trace, (struct call){.id = 10 + i,
						   .pid = READER,
						   .channel = "pipe:[8]",
						   .syscall = "write",
						   .role = "send",
						   .enter_ns = 300 + 20 * i,
						   .exit_ns = 310 + 20 * i,
						   .returned = 1});
		trace_call(s->trace, (struct call){.id = 20 + i,
						   .pid = WRITER,
						   .channel = "pipe:[8]",
						   .syscall = "read",
						   .role = "receive",
						   .enter_ns = 300 + 20 * i,
						   .exit_ns = 312 + 20 * i,
						   .returned = 1});
	}
	trace_get(s->trace, 3, READER, 900, 910, 3, "");
	scene = stage_scene(s, (struct scene_request){.unfold = true});
	assert_int_equal(row_of(scene, 0)->part, SCENE_SENT);
	assert_int_equal(row_of(scene, 0)->bytes, 6); /* the whole send */
	assert_string_equal(row_of(scene, 0)->label, "pipe 6 B");
	assert_int_equal(row_of(scene, 0)->tie, 1);
	assert_int_equal(row_of(scene, scene->row_count - 1)->tie, 1);
	assert_int_equal(row_of(scene, scene->row_count - 1)->part, SCENE_RECEIVED);
}

/* A brace beside a lane that has ended would be one of whoever lives in its column then. */
static void pieces_read_after_the_sender_ended_bear_a_number(void **state)
{
	struct stage *s = *state;
	const struct scene *scene;

	trace_process(s->trace, READER, "right");
	trace_fork(s->trace, READER, WRITER, "left", 50);
	trace_channel(s->trace, TRACE_PIPE, "pipe", "");
	trace_get(s->trace, 1, READER, 90, 115, 3, "");
	trace_put(s->trace, 2, WRITER, 100, 110, 9, "");
	trace_exit(s->trace, WRITER, "'exit_code':0", 150);
	trace_fork(s->trace, READER, 30, "next", 160);
	trace_get(s->trace, 3, READER, 200, 210, 3, "");
	trace_get(s->trace, 4, READER, 220, 230, 3, "");
	scene = stage_scene(s, (struct scene_request){0});
	assert_int_equal(row_of(scene, 1)->part, SCENE_SENT);
	assert_int_equal(row_of(scene, 1)->tie, 1);
	for (size_t i = 0; i < scene->row_count; i++) {
		assert_int_equal(row_of(scene, i)->tail.below, SCENE_NO_ROW);
		if (scene->rows[i].part == SCENE_RECEIVED)
			assert_int_equal(scene->rows[i].tie, 1);
	}
	assert_int_equal(count_rows(scene, has_tail), 1);
	assert_int_equal(count_rows(scene, has_head), 3);
}

static void pieces_sent_before_the_receiver_was_born_bear_a_number(void **state)
{
	struct stage *s = *state;
	const struct scene *scene;

	trace_process(s->trace, WRITER, "left");
	trace_channel(s->trace, TRACE_PIPE, "pipe", "");
	trace_put(s->trace, 1, WRITER, 100, 110, 2, "");
	trace_fork(s->trace, WRITER, READER, "right", 150);
	trace_put(s->trace, 2, WRITER, 200, 210, 3, "");
	trace_get(s->trace, 3, READER, 220, 230, 5, "");
	scene = stage_scene(s, (struct scene_request){0});
	for (size_t i = 0; i < scene->row_count; i++) {
		assert_int_equal(row_of(scene, i)->head.below, SCENE_NO_ROW);
		if (scene->rows[i].part == SCENE_SENT)
			assert_int_equal(scene->rows[i].tie, 1);
	}
	assert_int_equal(count_rows(scene, has_tail), 2);
	assert_int_equal(count_rows(scene, has_head), 1);
}

static void of_a_call_one_row_passes_the_kernel(void **state)
{
	struct stage *s = *state;
	const struct scene *scene;

	begin(s);
	trace_put(s->trace, 1, WRITER, 100, 110, 9, "");
	trace_get(s->trace, 2, READER, 200, 210, 3, ",'queued':6");
	trace_get(s->trace, 3, READER, 220, 230, 6, ",'queued':0");
	scene = stage_scene(s, (struct scene_request){.via = SCENE_VIA_KERNEL});
	assert_int_equal(scene->row_count, 3);
	assert_string_equal(row_of(scene, 0)->label, "▲ pipe 9 B");
	assert_string_equal(row_of(scene, 1)->label, "▼ pipe 3 B 1/2 · leaves 6 B");
	assert_string_equal(row_of(scene, 2)->label, "▼ pipe 6 B 2/2");
}

/* Between its two turns it found room before it slept, so the trace lacks buffers 2 and 3. */
static void of_a_write_to_a_full_pipe_all_parts_are_told(void **state)
{
	struct stage *s = *state;
	const struct scene *scene;

	begin(s);
	trace_channel(s->trace, TRACE_PIPE, "pipe", ",'capacity':8192");
	trace_put(s->trace, 1, WRITER, 10, 90, 20480,
		  POSITIONS(0, 0, 0, 5, 4, 4096) ",'off_cpu_ns':5,'resumed_ns':80,"
						 "'turns':[0,2,4,5]");
	trace_get(s->trace, 2, READER, 30, 31, 8192, POSITIONS(2, 0, 4096, 2, 2, 4096));
	trace_get(s->trace, 3, READER, 50, 51, 8192, POSITIONS(4, 2, 4096, 4, 4, 4096));
	trace_get(s->trace, 4, READER, 95, 96, 4096, POSITIONS(5, 4, 4096, 5, 5, 4096));
	scene = stage_scene(s, (struct scene_request){.via = SCENE_VIA_KERNEL});
	assert_int_equal(scene->row_count, 5);
	assert_non_null(strstr(row_of(scene, 0)->detail, "8192 B at once"));
	assert_string_equal(row_of(scene, 2)->label, "room: 12 KiB go in");
}

static void what_nobody_received_hangs_on_the_rest(void **state)
{
	struct stage *s = *state;
	const struct scene *scene;

	begin(s);
	trace_put(s->trace, 1, WRITER, 100, 110, 9, "");
	trace_get(s->trace, 2, READER, 200, 210, 3, "");
	scene = stage_scene(s, (struct scene_request){0});
	assert_int_equal(scene->row_count, 2);
	assert_true(has_tail(row_of(scene, 0)));
	assert_true(row_of(scene, 1)->tailless);
	assert_int_equal(row_of(scene, 1)->part, SCENE_UNREAD);
	assert_int_equal(row_of(scene, 1)->tail.above, 0);
	assert_non_null(strstr(row_of(scene, 0)->detail, "6 B of it nobody received"));
}

/* --- streams cut by chance --- */

static unsigned chance(uint64_t *seed, unsigned below)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(*seed >> 33) % below;
}

/* Sends and receives of any lengths, in any order that a pipe allows. */
static void play(struct stage *s, uint64_t *seed, size_t *sends, size_t *receives)
{
	unsigned lying = 0, id = 0;
	uint64_t ns = 100;

	for (*sends = *receives = 0; *sends + *receives < CALLS || lying; ns += 20) {
		unsigned bytes = 1 + chance(seed, MOST);

		if (*sends < CALLS / 2 && (!lying || chance(seed, 2))) {
			trace_put(s->trace, ++id, WRITER, ns, ns + 10, bytes, "");
			lying += bytes;
			++*sends;
			continue;
		}
		if (!lying)
			break;
		bytes = bytes < lying ? bytes : lying;
		trace_get(s->trace, ++id, READER, ns, ns + 10, bytes, "");
		lying -= bytes;
		++*receives;
	}
}

/* Each time is that of a call: its begin, or its end. */
static void check_times(const struct scene *scene)
{
	for (size_t i = 0; i < scene->row_count; i++) {
		uint64_t at = scene->rows[i].at_ns;

		assert_true(at % 20 == 0 || at % 20 == 10);
		if (i)
			assert_true(at >= scene->rows[i - 1].at_ns);
	}
}

static void check_braces(const struct scene *scene)
{
	for (size_t i = 0; i < scene->row_count; i++) {
		const struct scene_row *row = &scene->rows[i];

		if (row->tail.above != SCENE_NO_ROW)
			assert_int_equal(row_of(scene, row->tail.above)->tail.below, i);
		if (row->head.below != SCENE_NO_ROW)
			assert_int_equal(row_of(scene, row->head.below)->head.above, i);
	}
}

static void check_stream(uint64_t seed, bool slants)
{
	void *state;
	struct stage *s;
	const struct scene *scene;
	size_t sends, receives;

	assert_int_equal(stage_set_up(&state), 0);
	s = state;
	begin(s);
	play(s, &seed, &sends, &receives);
	scene = stage_scene(s, (struct scene_request){.unfold = true, .slants = slants});
	assert_int_equal(count_rows(scene, has_tail), sends);
	assert_int_equal(count_rows(scene, has_head), receives);
	check_times(scene);
	check_braces(scene);
	assert_int_equal(stage_tear_down(&state), 0);
}

static void streams_cut_by_chance(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= ROUNDS; seed++)
		check_stream(seed, seed % 2);
}

#define STAGED(test) cmocka_unit_test_setup_teardown(test, stage_set_up, stage_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGED(a_send_read_in_pieces_has_one_tail),
		STAGED(writes_read_at_once_have_one_head),
		STAGED(pieces_far_apart_bear_one_number),
		STAGED(pieces_read_after_the_sender_ended_bear_a_number),
		STAGED(pieces_sent_before_the_receiver_was_born_bear_a_number),
		STAGED(of_a_call_one_row_passes_the_kernel),
		STAGED(of_a_write_to_a_full_pipe_all_parts_are_told),
		STAGED(what_nobody_received_hangs_on_the_rest),
		cmocka_unit_test(streams_cut_by_chance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
