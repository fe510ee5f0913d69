// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a thinned trace leaves out where sends and receives are not of the same size. */
#include "tests/unit/pair/thinning.h"

enum { WRITES = 40, PIECES = 10, WRITE_NS = 200, WRITE = 2000, READ = 4000 };

static uint64_t begin_of(unsigned write)
{
	return AT_NS + (uint64_t)WRITE_NS * write;
}

static unsigned read_id(unsigned write, unsigned piece)
{
	return READ + write * PIECES + piece;
}

static void write_once(struct trace_text *t, unsigned write, unsigned pid, unsigned bytes,
		       const char *more)
{
	trace_put(t, WRITE + write, pid, begin_of(write), begin_of(write) + 5, bytes, more);
}

static void read_bytes(struct trace_text *t, unsigned write, unsigned first, unsigned count)
{
	for (unsigned i = first; i < first + count; i++)
		trace_get(t, read_id(write, i), 20, begin_of(write) + 10 + 10 * i,
			  begin_of(write) + 15 + 10 * i, 1, ",'requested':1");
}

static bool has(const struct viz_thinned *thinned, unsigned id)
{
	return viz_model_operation(thinned->model, id) != NULL;
}

static struct viz_thinned finish(struct trace_text *t)
{
	trace_trailer(t, begin_of(WRITES));
	return thin(t, ENDS);
}

static void a_write_read_byte_by_byte_is_left_out(void **state)
{
	struct trace_text *t = *state;
	struct viz_thinned thinned;

	for (unsigned i = 0; i < WRITES; i++) {
		write_once(t, i, 10, PIECES, ",'requested':10");
		read_bytes(t, i, 0, PIECES);
	}
	thinned = finish(t);
	assert_true(has(&thinned, WRITE) && has(&thinned, WRITE + WRITES - 1));
	assert_true(has(&thinned, read_id(0, 0)) && has(&thinned, read_id(WRITES - 1, PIECES - 1)));
	for (unsigned i = AROUND + 1; i < WRITES - AROUND - 1; i++) {
		assert_false(has(&thinned, WRITE + i));
		for (unsigned k = 0; k < PIECES; k++)
			assert_false(has(&thinned, read_id(i, k)));
	}
	assert_int_equal(thinned.model->ordinary_count, 2);
	viz_thinned_free(&thinned);
}

static void many_writes_that_one_read_takes_are_left_out(void **state)
{
	struct trace_text *t = *state;
	struct viz_thinned thinned;
	enum { READS = WRITES / 4 };

	for (unsigned i = 0; i < WRITES * 4; i++) {
		write_once(t, i, 10, 2, ",'requested':2");
		if (i % 4 == 3)
			trace_get(t, READ + i, 20, begin_of(i) + 10, begin_of(i) + 15, 8,
				  ",'requested':4096");
	}
	trace_trailer(t, begin_of(WRITES * 4));
	thinned = thin(t, ENDS);
	for (unsigned i = WRITES; i < 3 * WRITES; i++) {
		assert_false(has(&thinned, WRITE + i));
		assert_false(has(&thinned, READ + i));
	}
	assert_true(has(&thinned, READ + WRITES * 4 - 1));
	viz_thinned_free(&thinned);
}

/* A write that slept stays, with what is first and last of it. */
static void a_slow_write_keeps_its_ends(void **state)
{
	struct trace_text *t = *state;
	struct viz_thinned thinned;
	const unsigned slow = WRITES / 2;

	for (unsigned i = 0; i < WRITES; i++) {
		write_once(t, i, 10, PIECES,
			   i == slow ? ",'requested':10,'off_cpu_ns':2" : ",'requested':10");
		read_bytes(t, i, 0, PIECES);
	}
	thinned = finish(t);
	assert_true(has(&thinned, WRITE + slow));
	for (unsigned k = 0; k < PIECES; k++)
		assert_int_equal(has(&thinned, read_id(slow, k)), !k || k == PIECES - 1);
	viz_thinned_free(&thinned);
}

/* The rest of a write says that it goes on, so that nobody takes it for cut off by another one. */
static void what_goes_on_says_so(void **state)
{
	struct trace_text *t = *state;
	struct viz_thinned thinned;
	size_t rests = 0;

	for (unsigned i = 0; i < WRITES; i++) {
		write_once(t, i, i % 2 ? 30 : 10, PIECES, ",'requested':10");
		read_bytes(t, i, 0, PIECES);
	}
	thinned = finish(t);
	for (size_t i = 0; i < thinned.pairing->message_count; i++) {
		const struct viz_message *m = thinned.pairing->messages[i];

		if (!m->from.offset)
			continue;
		assert_true(m->goes_on);
		rests++;
	}
	assert_true(rests && thinned.model->ordinary_calls);
	viz_thinned_free(&thinned);
}

/* Of records that are torn each part is counted. */
static void torn_records_stay(void **state)
{
	struct trace_text *t = *state;
	struct viz_thinned thinned;

	for (unsigned i = 0; i < WRITES; i++) {
		write_once(t, i, 10, PIECES, ",'requested':10");
		trace_get(t, read_id(i, 0), 20, begin_of(i) + 10, begin_of(i) + 15, 6,
			  ",'requested':6");
		trace_get(t, read_id(i, 1), 20, begin_of(i) + 20, begin_of(i) + 25, 4,
			  ",'requested':6");
	}
	thinned = finish(t);
	assert_int_equal(thinned.model->ordinary_calls, 0);
	viz_thinned_free(&thinned);
}

/* Where another thread reads, what it leaves to the first one is told. */
static void turns_of_readers_stay(void **state)
{
	struct trace_text *t = *state;
	struct viz_thinned thinned;
	const unsigned turn = WRITES / 2;

	for (unsigned i = 0; i < WRITES; i++) {
		write_once(t, i, 10, PIECES, ",'requested':10");
		read_bytes(t, i, 0, PIECES / 2);
		if (i != turn) {
			read_bytes(t, i, PIECES / 2, PIECES / 2);
			continue;
		}
		for (unsigned k = PIECES / 2; k < PIECES; k++)
			trace_get(t, read_id(i, k), 30, begin_of(i) + 10 + 10 * k,
				  begin_of(i) + 15 + 10 * k, 1, ",'requested':1");
	}
	thinned = finish(t);
	assert_true(has(&thinned, WRITE + turn));
	for (unsigned k = PIECES / 2 - 1; k < PIECES; k++)
		assert_true(has(&thinned, read_id(turn, k)));
	assert_true(has(&thinned, read_id(turn + 1, 0)));
	viz_thinned_free(&thinned);
}

/* Shells set which signals they block between the bytes that they read. */
static void masks_between_pieces_are_left_out(void **state)
{
	struct trace_text *t = *state;
	struct viz_thinned thinned;
	enum { MASK = 3000 };

	for (unsigned i = 0; i < WRITES; i++) {
		write_once(t, i, 10, PIECES, ",'requested':10");
		read_bytes(t, i, 0, PIECES);
		trace_call(t, (struct call){MASK + i, "rt_sigprocmask", "control", 20, 0, -1, NULL,
					    begin_of(i) + 150, begin_of(i) + 151, 0,
					    ",'args':{'how':0}"});
	}
	thinned = finish(t);
	assert_false(has(&thinned, MASK + WRITES / 2));
	assert_false(has(&thinned, WRITE + WRITES / 2));
	assert_true(has(&thinned, MASK + WRITES - 1));
	viz_thinned_free(&thinned);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, trace_pipe_set_up, trace_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_write_read_byte_by_byte_is_left_out),
		TEST(many_writes_that_one_read_takes_are_left_out),
		TEST(a_slow_write_keeps_its_ends),
		TEST(what_goes_on_says_so),
		TEST(torn_records_stay),
		TEST(turns_of_readers_stay),
		TEST(masks_between_pieces_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
