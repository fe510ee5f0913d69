// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Records that a pipe's reader tears apart, and byte streams, of which nothing may be said. */
#include "tests/unit/trace_text.h"

#include <stdio.h>
#include <string.h>

#include "viz/diagnose/diagnose.h"

/* Writes of process 10 into the pipe, and then reads of process 20. */
struct traffic {
	unsigned writes, written;    /* how many, and the bytes of each */
	unsigned last_written;	     /* bytes of one more; 0: there is none */
	unsigned asked, first_asked; /* by each read; by the first one, 0: as by each */
	const char *record, *part;   /* what was kept of each write and each read; NULL: nothing */
};

static unsigned call_in(struct trace_text *t, unsigned id, bool sends, unsigned requested,
			unsigned moved, const char *payload)
{
	char more[300];

	snprintf(more, sizeof(more), ",'requested':%u%s%s", requested, payload ? ",'payload':" : "",
		 payload ? payload : "");
	(sends ? trace_put : trace_get)(t, id, sends ? 10 : 20, 10 * id, 10 * id + 1, moved, more);
	return id + 1;
}

static void pass(struct trace_text *t, const struct traffic *traffic)
{
	unsigned left = traffic->writes * traffic->written + traffic->last_written, id = 1;
	unsigned asked = traffic->first_asked ? traffic->first_asked : traffic->asked, moved;

	for (unsigned i = 0; i < traffic->writes; i++)
		id = call_in(t, id, true, traffic->written, traffic->written, traffic->record);
	if (traffic->last_written)
		id = call_in(t, id, true, traffic->last_written, traffic->last_written, "'rest'");
	for (; left; left -= moved, asked = traffic->asked) {
		moved = asked < left ? asked : left;
		id = call_in(t, id, false, asked, moved, traffic->part);
	}
	trace_ends(t, 9000, "finished", id); /* and the one that made the pipe */
}

/* What is said of the pipe: the finding's evidence, "" if nothing is. */
static const char *told(struct trace_text *t, struct traffic traffic)
{
	const struct viz_pairing *pairing;
	struct diagnosis *d;

	pass(t, &traffic);
	pairing = trace_pair(t);
	d = diagnose(t->model, pairing, LANGUAGE_EN);
	*t->shown = '\0';
	for (size_t i = 0; i < d->count; i++)
		if (strcmp(d->findings[i]->row->name, "split-stream") == 0)
			snprintf(t->shown, sizeof(t->shown), "%s", d->findings[i]->lines[0]);
	diagnosis_free(d);
	return t->shown;
}

#define SIX_BY_EIGHT "each write has 6 bytes, each read asks for 8"

static void reads_ask_for_more(void **state)
{
	const struct traffic traffic = {
		.writes = 12, .written = 6, .asked = 8, .record = "'record'"};

	assert_string_equal(told(*state, traffic), SIX_BY_EIGHT);
}

static void reads_ask_for_less(void **state)
{
	const struct traffic traffic = {
		.writes = 12, .written = 8, .asked = 6, .record = "'a record'"};

	assert_string_equal(told(*state, traffic), "each write has 8 bytes, each read asks for 6");
}

/* What was kept of the writes is cut, but the reads tell what a record ends with. */
static void end_is_seen_by_reader(void **state)
{
	const struct traffic traffic = {
		.writes = 12, .written = 6, .asked = 8, .record = "'rr'", .part = "'rrrrrrrr'"};

	assert_string_equal(told(*state, traffic), SIX_BY_EIGHT);
}

/* Two reads only have a part of a record. */
static void too_few(void **state)
{
	const struct traffic traffic = {
		.writes = 3, .written = 6, .asked = 8, .record = "'record'"};

	assert_string_equal(told(*state, traffic), "");
}

static void whole_records(void **state)
{
	const struct traffic traffic = {
		.writes = 12, .written = 6, .asked = 6, .record = "'record'"};

	assert_string_equal(told(*state, traffic), "");
}

static void several_whole_records(void **state)
{
	const struct traffic traffic = {
		.writes = 12, .written = 6, .asked = 12, .record = "'record'"};

	assert_string_equal(told(*state, traffic), "");
}

static void fields_of_a_record(void **state)
{
	const struct traffic traffic = {
		.writes = 12, .written = 6, .asked = 3, .record = "'record'"};

	assert_string_equal(told(*state, traffic), "");
}

static void room_for_two(void **state)
{
	const struct traffic traffic = {
		.writes = 60, .written = 6, .asked = 20, .record = "'record'"};

	assert_string_equal(told(*state, traffic), "");
}

#define MANY "'rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr'" /* 32, the end of the last record among them */

static void buffer_of_reader(void **state)
{
	const struct traffic traffic = {
		.writes = 12, .written = 600, .asked = 512, .record = MANY, .part = MANY};

	assert_string_equal(told(*state, traffic), "");
}

/* A program that copies a stream in blocks writes less at its end. */
static void last_is_shorter(void **state)
{
	const struct traffic traffic = {
		.writes = 12, .written = 6, .last_written = 4, .asked = 8, .record = "'record'"};

	assert_string_equal(told(*state, traffic), "");
}

static void reads_differ(void **state)
{
	const struct traffic traffic = {
		.writes = 12, .written = 6, .first_asked = 4, .asked = 8, .record = "'record'"};

	assert_string_equal(told(*state, traffic), "");
}

static void lines(void **state)
{
	const struct traffic traffic = {
		.writes = 12, .written = 6, .asked = 8, .record = "'recor\\n'"};

	assert_string_equal(told(*state, traffic), "");
}

static void lines_seen_by_reader(void **state)
{
	const struct traffic traffic = {.writes = 12,
					.written = 6,
					.asked = 8,
					.record = "'\\n\\n'",
					.part = "'\\n\\n\\n\\n\\n\\n\\n\\n'"};

	assert_string_equal(told(*state, traffic), "");
}

static void ends_not_known(void **state)
{
	const struct traffic traffic = {.writes = 12, .written = 6, .asked = 8};

	assert_string_equal(told(*state, traffic), "");
}

/* The bytes 0 6, then "reco". */
static void length_first(void **state)
{
	const struct traffic traffic = {
		.writes = 12, .written = 6, .asked = 8, .record = "{'base64':'AAZyZWNv'}"};

	assert_string_equal(told(*state, traffic), "");
}

/* 2 0 0 0, and "re". */
static void length_of_the_rest(void **state)
{
	const struct traffic traffic = {
		.writes = 12, .written = 6, .asked = 8, .record = "{'base64':'AgAAAHJl'}"};

	assert_string_equal(told(*state, traffic), "");
}

/* 1 0 6 0, and "re". */
static void length_behind_type(void **state)
{
	const struct traffic traffic = {
		.writes = 12, .written = 6, .asked = 8, .record = "{'base64':'AQAGAHJl'}"};

	assert_string_equal(told(*state, traffic), "");
}

static void fifo(void **state)
{
	reads_ask_for_more(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, trace_pipe_set_up, trace_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_ask_for_more),
		TEST(reads_ask_for_less),
		TEST(end_is_seen_by_reader),
		TEST(too_few),
		TEST(whole_records),
		TEST(several_whole_records),
		TEST(fields_of_a_record),
		TEST(room_for_two),
		TEST(buffer_of_reader),
		TEST(last_is_shorter),
		TEST(reads_differ),
		TEST(lines),
		TEST(lines_seen_by_reader),
		TEST(ends_not_known),
		TEST(length_first),
		TEST(length_of_the_rest),
		TEST(length_behind_type),
		cmocka_unit_test_setup_teardown(fifo, trace_fifo_set_up, trace_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
