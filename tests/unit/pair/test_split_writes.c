// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Large writes that slept while their pipe was full, and who wrote between their segments. */
#include "tests/unit/trace_text.h"

#include "viz/pair/position/write_segments.h"

static int set_up(void **state)
{
	trace_pipe_set_up(state);
	trace_channel(*state, TRACE_PIPE, "pipe", ",'capacity':8192");
	return 0;
}

static void put(struct trace_text *t, unsigned id, uint32_t pid, uint64_t enter_ns,
		uint64_t exit_ns, int64_t bytes, const char *more)
{
	trace_put(t, id, pid, enter_ns, exit_ns, bytes, more);
}

static void get(struct trace_text *t, unsigned id, uint64_t at_ns, int64_t bytes, const char *more)
{
	trace_get(t, id, 20, at_ns, at_ns + 1, bytes, more);
}

/* The other one's page lies between the second and the third of the writer's. */
static const char *torn(struct trace_text *t, const char *write, const char *other)
{
	put(t, 1102, 10, 10, 90, 12288, write);
	put(t, 1104, 30, 40, 50, 4096, other);
	get(t, 1106, 30, 4096, POSITIONS(2, 0, 4096, 2, 1, 4096));
	get(t, 1108, 60, 8192, POSITIONS(3, 1, 4096, 3, 3, 4096));
	get(t, 1110, 95, 4096, POSITIONS(4, 3, 4096, 4, 4, 4096));
	return trace_messages(t);
}

#define SLEPT POSITIONS(0, 0, 0, 4, 3, 4096) ",'off_cpu_ns':50,'resumed_ns':80"
#define THIRD POSITIONS(2, 1, 4096, 3, 1, 4096)
#define TORN                                                                                       \
	"pipe 10>20 4096 s1102+0 r1106+0 exact\n"                                                  \
	"pipe 10>20 4096 s1102+4096 r1108+0 exact\n"                                               \
	"pipe 30>20 4096 s1104+0 r1108+4096 exact\n"                                               \
	"pipe 10>20 4096 s1102+8192 r1110+0 exact\n"

static void pieces_lie_where_their_segments_were(void **state)
{
	assert_string_equal(torn(*state, SLEPT ",'turns':[0,2,3,4]", THIRD), TORN);
}

/* One of these four buffers is another's, which can only have written the third. */
static void segments_with_somebody_within(void **state)
{
	assert_string_equal(torn(*state, SLEPT ",'turns':[0,2,2,4]", THIRD), TORN);
}

/* The same, and nobody knows which. */
static void segments_with_somebody_anywhere_within(void **state)
{
	const char *told = torn(*state, SLEPT ",'turns':[0,2,2,4]",
				POSITIONS(2, 1, 4096, 4, 3, 4096));

	assert_null(strstr(told, "exact"));
}

/*
 * It had filled the pipe and was about to sleep when room came, and another one got the lock before
 * it. Its first two pages are in no segment.
 */
static void a_segment_that_is_not_reported(void **state)
{
	assert_string_equal(torn(*state,
				 SLEPT ",'at_lock':{'at_ns':55,'head':3,'tail':1,'end':4096,"
				       "'start':0},'turns':[3,3,3,4]",
				 THIRD),
			    TORN);
}

/*
 * Both have written before they waited for the lock. Somewhere between entry and exit each has too
 * many buffers that may be its own, but not among those that lay before its wait.
 */
static void segments_before_waits_for_the_lock(void **state)
{
	struct trace_text *t = *state;

	put(t, 1102, 10, 10, 50, 12288,
	    POSITIONS(0, 0, 0, 4, 3, 4096) ",'off_cpu_ns':20,'resumed_ns':40,'turns':[3,4],"
					   "'turns_unsure':[0,2]");
	put(t, 1104, 30, 11, 90, 12288,
	    POSITIONS(0, 0, 0, 6, 4, 4096) ",'off_cpu_ns':20,'resumed_ns':80,'turns':[4,6],"
					   "'turns_unsure':[2,3]");
	get(t, 1106, 30, 8192, POSITIONS(2, 0, 4096, 2, 2, 4096));
	get(t, 1108, 60, 8192, POSITIONS(4, 2, 4096, 4, 4, 4096));
	get(t, 1110, 95, 8192, POSITIONS(6, 4, 4096, 6, 6, 4096));
	assert_string_equal(trace_messages(t), "pipe 10>20 8192 s1102+0 r1106+0 exact\n"
					       "pipe 30>20 4096 s1104+0 r1108+0 exact\n"
					       "pipe 10>20 4096 s1102+8192 r1108+4096 exact\n"
					       "pipe 30>20 8192 s1104+4096 r1110+0 exact\n");
}

/*
 * Four pages of the second write may lie before its wait for the lock. The first one has what is
 * left if none do: two pages before the third one's, and six behind.
 */
static void doubted_segments_leave_the_others(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, TRACE_PIPE, "pipe", ",'capacity':32768");
	put(t, 1102, 10, 10, 95, 32768,
	    POSITIONS(0, 0, 0, 14, 8, 4096) ",'off_cpu_ns':50,'resumed_ns':80,'turns':[0,2,4,14]");
	put(t, 1104, 40, 13, 18, 8192, POSITIONS(2, 2, 4096, 4, 2, 4096));
	put(t, 1106, 30, 15, 98, 24576,
	    POSITIONS(4, 2, 4096, 16, 8, 4096) ",'off_cpu_ns':20,'resumed_ns':85,"
					       "'turns':[4,4,10,14,14,16],'turns_unsure':[6,10]");
	get(t, 1108, 12, 8192, POSITIONS(2, 0, 4096, 2, 2, 4096));
	get(t, 1110, 50, 24576, POSITIONS(8, 2, 4096, 8, 8, 4096));
	get(t, 1112, 200, 32768, POSITIONS(16, 8, 4096, 16, 16, 4096));
	assert_string_equal(trace_messages(t), "pipe 10>20 8192 s1102+0 r1108+0 ambiguous\n"
					       "pipe 40>20 8192 s1104+0 r1110+0 exact\n"
					       "pipe 10>20 16384 s1102+8192 r1110+8192 ambiguous\n"
					       "pipe 10>20 8192 s1102+24576 r1112+0 ambiguous\n"
					       "pipe 30>20 24576 s1106+0 r1112+8192 ambiguous\n");
}

/* It was about to sleep and ran on: no segment begins before the one before it ends. */
static void a_segment_reported_as_a_part_of_the_next(void **state)
{
	assert_string_equal(torn(*state, SLEPT ",'turns':[0,2,0,4]", THIRD), TORN);
}

/* Buffers 3 and 4 are in segments of both; each has one too many. */
static void segments_that_reach_into_each_other(void **state)
{
	struct trace_text *t = *state;

	put(t, 1102, 10, 10, 90, 12288,
	    POSITIONS(0, 0, 0, 5, 3, 4096) ",'off_cpu_ns':50,'resumed_ns':60,'turns':[0,2,3,5]");
	put(t, 1104, 30, 40, 120, 12288,
	    POSITIONS(2, 1, 4096, 6, 5, 4096) ",'off_cpu_ns':20,'resumed_ns':110,"
					      "'turns':[2,3,3,5,5,6]");
	get(t, 1106, 30, 4096, POSITIONS(2, 0, 4096, 2, 1, 4096));
	get(t, 1108, 50, 8192, POSITIONS(3, 1, 4096, 3, 3, 4096));
	get(t, 1110, 100, 8192, POSITIONS(5, 3, 4096, 5, 5, 4096));
	get(t, 1112, 130, 4096, POSITIONS(6, 5, 4096, 6, 6, 4096));
	assert_string_equal(trace_messages(t), "pipe 10>20 4096 s1102+0 r1106+0 ambiguous\n"
					       "pipe 10>20 4096 s1102+4096 r1108+0 ambiguous\n"
					       "pipe 30>20 4096 s1104+0 r1108+4096 ambiguous\n"
					       "pipe 10>20 4096 s1102+8192 r1110+0 ambiguous\n"
					       "pipe 30>20 4096 s1104+4096 r1110+4096 ambiguous\n"
					       "pipe 30>20 4096 s1104+8192 r1112+0 ambiguous\n");
}

/* The 100 bytes would have fitted into buffer 1, but all of that had been read. */
static void a_buffer_begun_in_an_empty_pipe(void **state)
{
	struct trace_text *t = *state;

	put(t, 1100, 10, 1, 2, 4196, POSITIONS(0, 0, 0, 2, 0, 100));
	get(t, 1101, 3, 4196, POSITIONS(2, 0, 100, 2, 2, 100));
	put(t, 1102, 10, 10, 90, 12288,
	    POSITIONS(2, 2, 100, 6, 5, 4096) ",'off_cpu_ns':50,'resumed_ns':80,'turns':[2,4,4,6]");
	put(t, 1104, 30, 40, 50, 100, POSITIONS(4, 4, 100, 5, 4, 100));
	get(t, 1106, 30, 8192, POSITIONS(4, 2, 4096, 4, 4, 4096));
	get(t, 1108, 95, 4196, POSITIONS(6, 4, 4096, 6, 6, 4096));
	assert_string_equal(trace_messages(t), "pipe 10>20 4196 s1100+0 r1101+0 exact\n"
					       "pipe 10>20 8192 s1102+0 r1106+0 exact\n"
					       "pipe 30>20 100 s1104+0 r1108+0 exact\n"
					       "pipe 10>20 4096 s1102+8192 r1108+100 exact\n");
}

#define ODD_AND_FULL                                                                               \
	POSITIONS(0, 0, 0, 3, 1, 4096) ",'off_cpu_ns':50,'resumed_ns':80,'turns':[0,2,2,3]"

/* Between its entry and its first segment another one began buffer 0. */
static void odd_bytes_in_a_buffer_begun_meanwhile(void **state)
{
	struct trace_text *t = *state;

	put(t, 1102, 10, 10, 90, 8292, ODD_AND_FULL);
	put(t, 1104, 30, 11, 12, 50, POSITIONS(0, 0, 0, 1, 0, 50));
	get(t, 1106, 30, 150, POSITIONS(2, 0, 4096, 2, 1, 4096));
	get(t, 1108, 95, 8192, POSITIONS(3, 1, 4096, 3, 3, 4096));
	assert_string_equal(trace_messages(t), "pipe 30>20 50 s1104+0 r1106+0 exact\n"
					       "pipe 10>20 100 s1102+0 r1106+50 exact\n"
					       "pipe 10>20 8192 s1102+100 r1108+0 exact\n");
}

/* It looks alike if another one fills up the last buffer before the write returns. */
static void odd_bytes_that_somebody_filled_up(void **state)
{
	struct trace_text *t = *state;

	put(t, 1102, 10, 10, 90, 8292, ODD_AND_FULL);
	put(t, 1104, 30, 85, 86, 3996, POSITIONS(3, 1, 100, 3, 1, 4096));
	get(t, 1106, 30, 4096, POSITIONS(2, 0, 4096, 2, 1, 4096));
	get(t, 1108, 95, 8192, POSITIONS(3, 1, 4096, 3, 3, 4096));
	assert_string_equal(trace_messages(t), "pipe 10>20 4096 s1102+0 r1106+0 exact\n"
					       "pipe 10>20 4196 s1102+4096 r1108+0 exact\n"
					       "pipe 30>20 3996 s1104+0 r1108+4196 exact\n");
}

/* Shares the buffers of two writes, each of which has one too many. The first one began first. */
static void share_two(struct segments *first, struct segments *second, uint64_t first_end,
		      uint64_t second_end)
{
	struct arena *arena = arena_new();
	struct segments_share shares[] = {
		{.segments = first, .end = first_end, .begin_ns = 10},
		{.segments = second, .end = second_end, .begin_ns = 20},
	};

	for (size_t i = 0; i < 2; i++) {
		shares[i].excess = 1;
		shares[i].most = segments_buffers(shares[i].segments) - 1;
	}
	segments_share(arena, shares, 2);
	assert_true(first->tentative && second->tentative);
	arena_free(arena);
}

/* The one behind which the other begins has not filled up his last buffer. */
static void segments_that_meet_behind_a_part(void **state)
{
	struct segment ones[] = {{0, 3}}, others[] = {{1, 3}, {3, 4}};
	struct segments first = {.list = ones, .count = 1, .end = 0};
	struct segments second = {.list = others, .count = 2, .end = PAGE_LEN};

	(void)state;
	share_two(&first, &second, 1000, PAGE_LEN);
	assert_int_equal(ones[0].to, 2);
	assert_int_equal(others[0].from, 2);
	assert_int_equal(second.end, 1000);
}

/* The odd bytes might have filled up a buffer, but no other write can have filled any of these. */
static void odd_bytes_and_nothing_common(void **state)
{
	struct trace_text *t = *state;

	put(t, 1102, 10, 10, 90, 8292,
	    POSITIONS(0, 0, 0, 4, 3, 100) ",'off_cpu_ns':50,'resumed_ns':80,'turns':[0,2,3,4]");
	put(t, 1104, 30, 40, 50, 4096, THIRD);
	get(t, 1106, 30, 4096, POSITIONS(2, 0, 4096, 2, 1, 4096));
	get(t, 1108, 60, 8192, POSITIONS(3, 1, 4096, 3, 3, 4096));
	get(t, 1110, 95, 100, POSITIONS(4, 3, 100, 4, 4, 100));
	assert_string_equal(trace_messages(t), "pipe 10>20 4096 s1102+0 r1106+0 exact\n"
					       "pipe 10>20 4096 s1102+4096 r1108+0 exact\n"
					       "pipe 30>20 4096 s1104+0 r1108+4096 exact\n"
					       "pipe 10>20 100 s1102+8192 r1110+0 exact\n");
}

/* The odd bytes are in a buffer found before, and one of the last two is another's. */
static void odd_bytes_and_a_common_buffer(void **state)
{
	struct trace_text *t = *state;

	put(t, 1100, 30, 1, 2, 50, POSITIONS(0, 0, 0, 1, 0, 50));
	put(t, 1102, 10, 10, 90, 8292,
	    POSITIONS(1, 0, 50, 4, 2, 2000) ",'off_cpu_ns':15,'resumed_ns':35,'turns':[1,2,2,4]");
	put(t, 1104, 30, 40, 85, 2000, POSITIONS(2, 2, 4096, 4, 2, 2000));
	get(t, 1106, 30, 4246, POSITIONS(2, 0, 4096, 2, 2, 4096));
	get(t, 1108, 95, 6096, POSITIONS(4, 2, 2000, 4, 4, 2000));
	assert_string_equal(trace_messages(t), "pipe 30>20 50 s1100+0 r1106+0 exact\n"
					       "pipe 10>20 4196 s1102+0 r1106+50 ambiguous\n"
					       "pipe 10>20 4096 s1102+4196 r1108+0 ambiguous\n"
					       "pipe 30>20 2000 s1104+0 r1108+4096 ambiguous\n");
}

/* The one that ran on later wrote before the other, which would have too few buffers otherwise. */
static void segments_that_begin_with_the_same_buffer(void **state)
{
	struct segment ones[] = {{1, 6}}, others[] = {{1, 3}};
	struct segments first = {.list = ones, .count = 1, .end = PAGE_LEN};
	struct segments second = {.list = others, .count = 1, .end = PAGE_LEN};

	(void)state;
	share_two(&first, &second, PAGE_LEN, 1000);
	assert_int_equal(others[0].to, 2);
	assert_int_equal(ones[0].from, 2);
	assert_int_equal(first.end, 1000);
}

/*
 * Of three writes the first has enough without buffer 4, which the second may have filled, too;
 * the second and the third share 9 and 10.
 */
static void one_that_has_enough_without_the_common_buffers(void **state)
{
	struct arena *arena = arena_new();
	struct segment ones[] = {{0, 2}, {4, 5}, {6, 8}}, others[] = {{4, 5}, {9, 12}};
	struct segment thirds[] = {{8, 11}};
	struct segments first = {.list = ones, .count = 3, .end = PAGE_LEN};
	struct segments second = {.list = others, .count = 2, .end = PAGE_LEN};
	struct segments third = {.list = thirds, .count = 1, .end = PAGE_LEN};
	struct segments_share shares[] = {
		{.segments = &second, .excess = 1, .most = 3, .end = PAGE_LEN, .begin_ns = 30},
		{.segments = &first, .excess = 1, .most = 4, .end = PAGE_LEN, .begin_ns = 10},
		{.segments = &third, .excess = 1, .most = 2, .end = PAGE_LEN, .begin_ns = 20},
	};

	(void)state;
	segments_share(arena, shares, 3);
	assert_int_equal(first.count, 2);
	assert_int_equal(first.list[0].to, 2);
	assert_int_equal(first.list[1].from, 6);
	assert_int_equal(segments_buffers(&second), 3);
	assert_int_equal(others[1].from, 10);
	assert_int_equal(thirds[0].to, 10);
	assert_true(first.tentative && second.tentative && third.tentative);
	arena_free(arena);
}

/* The page that another one wrote within its first segment is too full for the odd bytes of it. */
static void odd_bytes_behind_somebody_else(void **state)
{
	struct trace_text *t = *state;

	put(t, 1100, 30, 1, 2, 4096, POSITIONS(0, 0, 0, 1, 0, 4096));
	put(t, 1102, 30, 5, 35, 4096, POSITIONS(1, 0, 4096, 2, 0, 4096));
	put(t, 1104, 10, 10, 90, 10000,
	    POSITIONS(1, 0, 4096, 5, 3, 1808) ",'off_cpu_ns':50,'resumed_ns':80,'turns':[1,3,3,5]");
	get(t, 1106, 60, 12288, POSITIONS(3, 0, 4096, 3, 3, 4096));
	get(t, 1108, 95, 5904, POSITIONS(5, 3, 1808, 5, 5, 1808));
	assert_string_equal(trace_messages(t), "pipe 30>20 4096 s1100+0 r1106+0 exact\n"
					       "pipe 30>20 4096 s1102+0 r1106+4096 exact\n"
					       "pipe 10>20 4096 s1104+0 r1106+8192 exact\n"
					       "pipe 10>20 5904 s1104+4096 r1108+0 exact\n");
}

/* It waited for the lock alone between its segments, so the first is not told. */
static void a_first_segment_without_a_sleep(void **state)
{
	struct trace_text *t = *state;

	put(t, 1100, 10, 1, 2, 3006, POSITIONS(0, 0, 0, 1, 0, 3006));
	put(t, 1102, 10, 10, 50, 5643,
	    POSITIONS(1, 0, 3006, 3, 1, 1547) ",'at_lock':{'at_ns':40,'head':2,'tail':1,'end':4096,"
					      "'start':0},'off_cpu_ns':20,'resumed_ns':38,"
					      "'turns':[2,3]");
	put(t, 1104, 10, 60, 61, 10, POSITIONS(3, 1, 1547, 3, 1, 1557));
	get(t, 1106, 30, 3006, POSITIONS(2, 0, 4096, 2, 1, 4096));
	get(t, 1108, 70, 5653, POSITIONS(3, 1, 1557, 3, 3, 1557));
	assert_string_equal(trace_messages(t), "pipe 10>20 3006 s1100+0 r1106+0 exact\n"
					       "pipe 10>20 5643 s1102+0 r1108+0 exact\n"
					       "pipe 10>20 10 s1104+0 r1108+5643 exact\n");
}

/* The same, and all that it had written before is behind what it found in the last buffer. */
static void a_first_segment_within_a_buffer(void **state)
{
	struct trace_text *t = *state;

	put(t, 1100, 10, 1, 2, 4096, POSITIONS(0, 0, 0, 1, 0, 4096));
	put(t, 1102, 10, 3, 4, 93, POSITIONS(1, 0, 4096, 2, 0, 93));
	put(t, 1104, 10, 10, 50, 5422,
	    POSITIONS(2, 0, 93, 3, 1, 4096) ",'at_lock':{'at_ns':40,'head':2,'tail':1,'end':1419,"
					    "'start':0},'off_cpu_ns':20,'resumed_ns':38,"
					    "'turns':[2,3]");
	get(t, 1106, 30, 4096, POSITIONS(2, 0, 1419, 2, 1, 1419));
	get(t, 1108, 70, 5515, POSITIONS(3, 1, 4096, 3, 3, 4096));
	assert_string_equal(trace_messages(t), "pipe 10>20 4096 s1100+0 r1106+0 exact\n"
					       "pipe 10>20 93 s1102+0 r1108+0 exact\n"
					       "pipe 10>20 5422 s1104+0 r1108+93 exact\n");
}

/* The same, and behind its odd bytes another one wrote before it got the lock again. */
static void somebody_behind_its_odd_bytes(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, TRACE_PIPE, "pipe", ",'capacity':16384");
	put(t, 1100, 30, 1, 2, 12288, POSITIONS(0, 0, 0, 3, 0, 4096));
	put(t, 1102, 30, 3, 4, 93, POSITIONS(3, 0, 4096, 4, 0, 93));
	put(t, 1104, 10, 10, 80, 5422,
	    POSITIONS(4, 0, 93, 6, 2, 4096) ",'at_lock':{'at_ns':60,'head':5,'tail':2,'end':2700,"
					    "'start':0},'off_cpu_ns':20,'resumed_ns':70,"
					    "'turns':[5,6]");
	get(t, 1106, 20, 8192, POSITIONS(4, 0, 1419, 4, 2, 1419));
	put(t, 1108, 30, 25, 61, 2700, POSITIONS(4, 2, 1419, 5, 2, 2700));
	get(t, 1110, 90, 12311, POSITIONS(6, 2, 4096, 6, 6, 4096));
	assert_string_equal(trace_messages(t), "pipe 30>20 8192 s1100+0 r1106+0 exact\n"
					       "pipe 30>20 4096 s1100+8192 r1110+0 exact\n"
					       "pipe 30>20 93 s1102+0 r1110+4096 exact\n"
					       "pipe 30>20 2700 s1108+0 r1110+4189 ambiguous\n"
					       "pipe 10>20 5422 s1104+0 r1110+6889 ambiguous\n");
}

/* Buffer 10 is in segments of both; `first` is what is told of the first one. */
static const char *shared(struct trace_text *t, const char *first)
{
	trace_channel(t, TRACE_PIPE, "pipe", ",'capacity':32768");
	put(t, 1100, 40, 1, 2, 28672, POSITIONS(0, 0, 0, 7, 0, 4096));
	put(t, 1102, 40, 3, 4, 100, POSITIONS(7, 0, 4096, 8, 0, 100));
	put(t, 1104, 10, 10, 80, 11192, first);
	put(t, 1106, 30, 9, 90, 11192,
	    POSITIONS(8, 0, 100, 13, 6, 4096) ",'off_cpu_ns':20,'resumed_ns':50,"
					      "'turns':[8,8,10,13]");
	put(t, 1108, 40, 95, 96, 5, POSITIONS(13, 6, 4096, 14, 6, 5));
	get(t, 1110, 20, 24576, POSITIONS(8, 0, 3100, 8, 6, 3100));
	get(t, 1112, 100, 7196, POSITIONS(14, 6, 5, 14, 8, 5));
	get(t, 1114, 110, 19384, POSITIONS(14, 8, 5, 14, 13, 5));
	return trace_messages(t);
}

#define SHARED_TURNS ",'off_cpu_ns':20,'resumed_ns':30,'turns':[8,8,8,11]"

/* Whose it is, and whose odd bytes fill up buffer 7, is tentative. */
static void a_shared_segment_is_tentative_for_both(void **state)
{
	assert_string_equal(shared(*state, POSITIONS(8, 0, 100, 11, 6, 4000) SHARED_TURNS),
			    "pipe 40>20 24576 s1100+0 r1110+0 exact\n"
			    "pipe 40>20 4096 s1100+24576 r1112+0 exact\n"
			    "pipe 40>20 100 s1102+0 r1112+4096 exact\n"
			    "pipe 10>20 3000 s1104+0 r1112+4196 ambiguous\n"
			    "pipe 10>20 8192 s1104+3000 r1114+0 ambiguous\n"
			    "pipe 30>20 11192 s1106+0 r1114+8192 ambiguous\n"
			    "pipe 40>- 5 s1108+0 - exact unread\n");
}

/* The first one's odd bytes were alone in its last buffer, so they fill up none. */
static void a_shared_segment_and_the_end_at_an_exit(void **state)
{
	assert_string_equal(shared(*state, POSITIONS(8, 0, 100, 11, 6, 3000) SHARED_TURNS),
			    "pipe 40>20 24576 s1100+0 r1110+0 exact\n"
			    "pipe 40>20 4096 s1100+24576 r1112+0 exact\n"
			    "pipe 40>20 100 s1102+0 r1112+4096 exact\n"
			    "pipe 30>20 3000 s1106+0 r1112+4196 exact\n"
			    "pipe 10>20 11192 s1104+0 r1114+0 exact\n"
			    "pipe 30>20 8192 s1106+3000 r1114+11192 exact\n"
			    "pipe 40>- 5 s1108+0 - exact unread\n");
}

/* Nobody came between: what one read took of it is one message. */
static void segments_that_go_on(void **state)
{
	struct trace_text *t = *state;

	put(t, 1102, 10, 10, 90, 12288,
	    POSITIONS(0, 0, 0, 3, 1, 4096) ",'off_cpu_ns':50,'resumed_ns':80,'turns':[0,2,2,3]");
	get(t, 1106, 30, 4096, POSITIONS(2, 0, 4096, 2, 1, 4096));
	get(t, 1108, 95, 8192, POSITIONS(3, 1, 4096, 3, 3, 4096));
	assert_string_equal(trace_messages(t), "pipe 10>20 4096 s1102+0 r1106+0 exact\n"
					       "pipe 10>20 8192 s1102+4096 r1108+0 exact\n");
}

/* What was read of its first page is forgotten when the rest is read. */
static void read_page_by_page_much_later(void **state)
{
	struct trace_text *t = *state;
	const uint64_t ms = 1000000;

	put(t, 1102, 10, 10, 20, 8192, POSITIONS(0, 0, 0, 2, 0, 4096));
	get(t, 1104, 30, 1000,
	    ",'at_entry':{'head':2,'tail':0,'end':4096,'start':0},"
	    "'at_exit':{'head':2,'tail':0,'end':4096,'start':1000}");
	get(t, 1106, 500 * ms, 5000,
	    ",'at_entry':{'head':2,'tail':0,'end':4096,'start':1000},"
	    "'at_exit':{'head':2,'tail':1,'end':4096,'start':1904}");
	get(t, 1108, 501 * ms, 2192,
	    ",'at_entry':{'head':2,'tail':1,'end':4096,'start':1904},"
	    "'at_exit':{'head':2,'tail':2,'end':4096,'start':4096}");
	assert_string_equal(trace_messages(t), "pipe 10>20 1000 s1102+0 r1104+0 exact\n"
					       "pipe 10>20 5000 s1102+1000 r1106+0 exact\n"
					       "pipe 10>20 2192 s1102+6000 r1108+0 exact\n");
}

/* A page within one's segment is that of another, who was done and known before the one was. */
static void a_segment_that_was_known_before(void **state)
{
	struct trace_text *t = *state;
	const uint64_t ms = 1000000;

	trace_line(t,
		   "{'type':'operation','id':1102,'state':'begin','syscall':'write','role':'send',"
		   "'pid':10,'tid':10,'fd':4,'channel':'" TRACE_PIPE "','enter_ns':10000000,"
		   "'at_ns':11000000,'requested':8192}");
	get(t, 1106, 500 * ms, 4096, POSITIONS(2, 0, 4096, 2, 1, 4096));
	put(t, 1104, 30, 20 * ms, 1000 * ms, 8192,
	    POSITIONS(1, 0, 4096, 3, 1, 4096) ",'off_cpu_ns':50,'turns':[1,2,2,3]");
	get(t, 1108, 2000 * ms, 8192, POSITIONS(3, 1, 4096, 3, 3, 4096));
	put(t, 1102, 10, 10 * ms, 3000 * ms, 8192,
	    POSITIONS(0, 0, 0, 4, 3, 4096) ",'off_cpu_ns':50,'turns':[0,1,1,2,3,4]");
	get(t, 1110, 4000 * ms, 4096, POSITIONS(4, 3, 4096, 4, 4, 4096));
	assert_string_equal(trace_messages(t), "pipe 10>20 4096 s1102+0 r1106+0 exact\n"
					       "pipe 30>20 8192 s1104+0 r1108+0 exact\n"
					       "pipe 10>20 4096 s1102+4096 r1110+0 exact\n");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, trace_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pieces_lie_where_their_segments_were),
		TEST(segments_with_somebody_within),
		TEST(segments_with_somebody_anywhere_within),
		TEST(a_segment_that_is_not_reported),
		TEST(segments_before_waits_for_the_lock),
		TEST(doubted_segments_leave_the_others),
		TEST(a_buffer_begun_in_an_empty_pipe),
		TEST(odd_bytes_in_a_buffer_begun_meanwhile),
		TEST(odd_bytes_that_somebody_filled_up),
		TEST(a_segment_reported_as_a_part_of_the_next),
		TEST(segments_that_reach_into_each_other),
		TEST(segments_that_meet_behind_a_part),
		TEST(odd_bytes_and_nothing_common),
		TEST(odd_bytes_and_a_common_buffer),
		TEST(segments_that_begin_with_the_same_buffer),
		TEST(one_that_has_enough_without_the_common_buffers),
		TEST(odd_bytes_behind_somebody_else),
		TEST(a_first_segment_without_a_sleep),
		TEST(a_first_segment_within_a_buffer),
		TEST(somebody_behind_its_odd_bytes),
		TEST(a_shared_segment_is_tentative_for_both),
		TEST(a_shared_segment_and_the_end_at_an_exit),
		TEST(segments_that_go_on),
		TEST(read_page_by_page_much_later),
		TEST(a_segment_that_was_known_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
