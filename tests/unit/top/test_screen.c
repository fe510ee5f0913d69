// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The full-screen table without a terminal: keys and intervals in, lines out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/between.h"
#include "viz/top/screen.h"

#define PAIRS 40
#define LINE_LEN 512

struct stage {
	struct top_screen *screen;
	struct top_pair pairs[PAIRS];
	struct top_member members[2 * PAIRS];
	struct top_channel channels[PAIRS];
	size_t count;
	char lines[64][LINE_LEN]; /* of the page */
	enum top_style styles[64];
	int rows, cursor_row, cursor_column;
};

static int set_up(void **state)
{
	const struct top_look look = {.utf8 = true, .language = LANGUAGE_EN};
	struct stage *stage = calloc(1, sizeof(*stage));

	stage->screen = top_screen_new(&look);
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;

	top_screen_free(stage->screen);
	free(stage);
	return 0;
}

static struct top_side side(struct stage *stage, const char *comm, pid_t pid)
{
	static size_t next;
	struct top_member *member = &stage->members[next++ % (2 * PAIRS)];

	*member = (struct top_member){.pid = pid};
	snprintf(member->comm, sizeof(member->comm), "%s", comm);
	return (struct top_side){member, 1};
}

/* Adds from[pid] > to[pid + 1], with so many messages of ten bytes. */
static struct top_pair *pair(struct stage *stage, const char *from, const char *to, pid_t pid,
			     uint64_t messages)
{
	struct top_channel *channel = &stage->channels[stage->count];
	struct top_pair *made = &stage->pairs[stage->count++];

	made->mechanism = MECH_PIPE;
	made->from = side(stage, from, pid);
	made->to = side(stage, to, pid + 1);
	made->sent.messages = made->received.messages = messages;
	made->sent.bytes = made->received.bytes = 10 * messages;
	made->sent.sizes[3] = messages;
	*channel = (struct top_channel){
		.name = "pipe:[7]", .sent = made->sent, .received = made->received};
	made->channel = channel->name;
	made->channels = 1;
	made->first = made->last = channel;
	return made;
}

static void show(struct stage *stage)
{
	const struct top_pairs pairs = {stage->pairs, stage->count};
	const struct top_interval interval = {.from_ns = 1000000000, .to_ns = 2000000000};

	top_screen_show(stage->screen, &pairs, &interval);
}

static void type(struct stage *stage, const char *characters)
{
	for (; *characters; characters++)
		assert_int_equal(top_screen_key(stage->screen, (unsigned char)*characters),
				 TOP_GO_ON);
}

static enum top_ask key(struct stage *stage, uint32_t code)
{
	return top_screen_key(stage->screen, code);
}

static int columns_of(const char *text)
{
	int columns = 0;

	for (; *text; text++)
		columns += ((unsigned char)*text & 0xc0) != 0x80;
	return columns;
}

static void line_write(char line[LINE_LEN], const struct top_line *of)
{
	line[0] = 0;
	for (size_t i = 0; i < of->count; i++) {
		while (columns_of(line) < of->runs[i].column)
			strcat(line, " ");
		strcat(line, of->runs[i].text);
	}
}

static void draw(struct stage *stage)
{
	struct arena *arena = arena_new();
	struct top_page page;

	top_screen_draw(stage->screen, arena, &page);
	assert_between(page.count, 1, 64);
	stage->rows = (int)page.count;
	stage->cursor_row = page.cursor_row;
	stage->cursor_column = page.cursor_column;
	for (size_t i = 0; i < page.count; i++) {
		line_write(stage->lines[i], &page.lines[i]);
		stage->styles[i] = page.lines[i].style;
	}
	arena_free(arena);
}

/* The names of the senders that the table shows, with * before the selected one. */
static const char *senders(struct stage *stage)
{
	static char text[1024];

	draw(stage);
	text[0] = 0;
	for (int i = 2; i < stage->rows - 1 && stage->lines[i][0]; i++) {
		if (stage->styles[i] == TOP_SELECTED)
			strcat(text, "*");
		strncat(text, stage->lines[i], strcspn(stage->lines[i], "["));
		strcat(text, " ");
	}
	return text;
}

static void three(struct stage *stage)
{
	struct top_pair *full = pair(stage, "bob", "zoe", 20, 50);

	full->used = 4;
	full->room = 16;
	pair(stage, "amy", "yan", 10, 300)->received.asleep_ns = 500000000;
	pair(stage, "cat", "xia", 30, 4)->sent.bytes = 99999;
	show(stage);
}

static void sorts_by_each_column(void **state)
{
	struct stage *stage = *state;

	three(stage);
	assert_string_equal(senders(stage), "*amy bob cat ");
	type(stage, "1");
	assert_string_equal(senders(stage), "*amy bob cat ");
	type(stage, "r");
	assert_string_equal(senders(stage), "*cat bob amy ");
	type(stage, "2");
	assert_string_equal(senders(stage), "*cat amy bob ");
	type(stage, "5");
	assert_string_equal(senders(stage), "*cat amy bob ");
	assert_non_null(strstr(stage->lines[0], "sorted by bytes per second"));
	type(stage, "7");
	assert_string_equal(senders(stage), "*amy bob cat ");
	type(stage, ">"); /* only of bob's it is known, and that comes first in either order */
	assert_string_equal(senders(stage), "*bob amy cat ");
	type(stage, "r");
	assert_string_equal(senders(stage), "*bob amy cat ");
	assert_non_null(strstr(stage->lines[0], "how full the channel is, least first"));
	key(stage, TOP_KEY_RIGHT);
	key(stage, TOP_KEY_RIGHT);
	assert_non_null((draw(stage), strstr(stage->lines[0], "sorted by sender")));
	type(stage, "<");
	assert_non_null((draw(stage), strstr(stage->lines[0], "sorted by channel")));
}

static void filters_as_typed(void **state)
{
	struct stage *stage = *state;

	three(stage);
	type(stage, "/");
	draw(stage);
	assert_int_equal(stage->cursor_row, 23);
	type(stage, "Z");
	assert_string_equal(senders(stage), "*bob ");
	type(stage, "q"); /* a letter, and no end */
	assert_string_equal(senders(stage), "No pair matches the filter. ");
	key(stage, TOP_KEY_BACKSPACE);
	assert_string_equal(senders(stage), "*bob ");
	key(stage, TOP_KEY_ENTER);
	assert_non_null((draw(stage), strstr(stage->lines[0], "1 of 3 pairs")));
	assert_non_null(strstr(stage->lines[0], "filter: Z"));
	assert_int_equal(stage->cursor_row, -1);
	key(stage, TOP_KEY_HOME);
	show(stage);
	assert_string_equal(senders(stage), "*bob ");
	key(stage, TOP_KEY_ESCAPE);
	assert_string_equal(senders(stage), "amy *bob cat ");
	type(stage, "/pipe:[7");
	assert_string_equal(senders(stage), "amy *bob cat ");
	type(stage, "\xff"); /* it is a character of two bytes as UTF-8 */
	key(stage, TOP_KEY_BACKSPACE);
	key(stage, 0x202e); /* an invisible one is not taken */
	key(stage, 7);
	assert_string_equal(senders(stage), "amy *bob cat ");
	assert_string_equal(stage->lines[23], "filter: pipe:[7");
}

static void selection_stays_with_its_pair(void **state)
{
	struct stage *stage = *state;

	three(stage);
	key(stage, TOP_KEY_DOWN);
	assert_string_equal(senders(stage), "amy *bob cat ");
	stage->pairs[0].sent.messages = 1; /* bob is last now */
	show(stage);
	assert_string_equal(senders(stage), "amy cat *bob ");
	stage->pairs[0] = stage->pairs[2];
	stage->count = 2; /* bob has gone: the row in his place */
	show(stage);
	assert_string_equal(senders(stage), "amy *cat ");
	stage->count = 0;
	show(stage);
	assert_string_equal(senders(stage), "Nobody has sent or received anything. ");
	assert_int_equal(key(stage, TOP_KEY_ENTER), TOP_GO_ON);
	assert_int_equal(key(stage, 'd'), TOP_GO_ON);
	assert_string_equal(senders(stage), "Nobody has sent or received anything. ");
}

static void scrolls(void **state)
{
	struct stage *stage = *state;
	char name[16];

	for (int i = 0; i < PAIRS; i++) {
		snprintf(name, sizeof(name), "n%02d", i);
		pair(stage, name, "to", 10 + 2 * i, (uint64_t)(100 - i));
	}
	top_screen_resize(stage->screen, 8, 80);
	show(stage);
	assert_string_equal(senders(stage), "*n00 n01 n02 n03 n04 ");
	key(stage, TOP_KEY_PAGE_DOWN);
	assert_string_equal(senders(stage), "n01 n02 n03 n04 *n05 ");
	key(stage, TOP_KEY_END);
	assert_string_equal(senders(stage), "n35 n36 n37 n38 *n39 ");
	top_screen_resize(stage->screen, 6, 80);
	assert_string_equal(senders(stage), "n37 n38 *n39 ");
	top_screen_resize(stage->screen, 10, 80);
	assert_string_equal(senders(stage), "n33 n34 n35 n36 n37 n38 *n39 ");
	type(stage, "g");
	assert_string_equal(senders(stage), "*n00 n01 n02 n03 n04 n05 n06 ");
	key(stage, TOP_KEY_UP);
	assert_string_equal(senders(stage), "*n00 n01 n02 n03 n04 n05 n06 ");
}

static void row_has_all_columns(void **state)
{
	struct stage *stage = *state;

	three(stage);
	draw(stage);
	assert_string_equal(stage->lines[1], "FROM           TO             MECH     MSG/S BYTES/S "
					     "WAIT WAIT FULL CHANNEL");
	assert_string_equal(stage->lines[2], "amy[10]        yan[11]        pipe       300    3000 "
					     "  0%  50%    - pipe:[7]");
	assert_string_equal(stage->lines[3], "bob[20]        zoe[21]        pipe        50     500 "
					     "  0%   0%  25% pipe:[7]");
}

/* Nothing is wider than the terminal, whatever its size and whatever a process is called. */
static void fits_any_terminal(void **state)
{
	struct stage *stage = *state;
	static const char *const keys[] = {"", "?", "\n", "d", "/abc"};

	pair(stage, "a\x1b[2J\xe2\x80\xae z\n", "\xf0\x9f\x98\x80\xe6\xbc\xa2\xe5\xad\x97", 4194303,
	     9);
	for (int width = 1; width < 200; width += 7) {
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
			top_screen_resize(stage->screen, width % 30 + 1, width);
			show(stage);
			type(stage, keys[i]);
			draw(stage);
			assert_between(stage->rows, 1, width % 30 + 1);
			for (int row = 0; row < stage->rows; row++) {
				assert_between(columns_of(stage->lines[row]), 0, width);
				assert_null(strpbrk(stage->lines[row], "\x1b\n"));
				assert_null(strstr(stage->lines[row], "\xe2\x80\xae"));
			}
			key(stage, TOP_KEY_ESCAPE);
			key(stage, TOP_KEY_ESCAPE);
		}
	}
}

static const char *line_with(struct stage *stage, const char *part)
{
	draw(stage);
	for (int i = 0; i < stage->rows; i++)
		if (strstr(stage->lines[i], part))
			return stage->lines[i];
	fail_msg("no line has: %s", part);
	return NULL;
}

static void opens_a_pair(void **state)
{
	struct stage *stage = *state;
	struct top_pair *opened;

	three(stage);
	opened = &stage->pairs[1];
	opened->received.sleeps[10] = 7;
	opened->channel = opened->first->name = "pipe:[8]";
	key(stage, TOP_KEY_ENTER);
	line_with(stage, "amy[10] → yan[11]  pipe");
	line_with(stage, "1 s: sent 300 (3000 B), received 300 (3000 B)");
	line_with(stage, "300    3000     300      0%      0%       -  pipe:[8]");
	line_with(stage, "8 B    300 ██");
	show(stage); /* sums grow, rates do not */
	line_with(stage, "2 s: sent 600 (6000 B), received 600 (6000 B)");
	line_with(stage, "300    3000     300 ");
	line_with(stage, "8 B    600 ██");
	line_with(stage, "1 ms     14 ██");
	stage->count = 1; /* without it */
	show(stage);
	line_with(stage, "3 s: sent 600 (6000 B)");
	line_with(stage, "Nothing happened in this interval.");
	assert_int_equal(key(stage, 'q'), TOP_GO_ON);
	assert_string_equal(senders(stage), "*bob ");
	assert_int_equal(key(stage, 'q'), TOP_QUIT);
}

static void traces_a_pair(void **state)
{
	struct stage *stage = *state;
	const struct top_trace *trace = top_screen_trace(stage->screen);

	three(stage);
	key(stage, TOP_KEY_DOWN);
	type(stage, "d");
	assert_string_equal(line_with(stage, "seconds"), "trace bob[20] and zoe[21], seconds [5]:");
	assert_int_equal(key(stage, TOP_KEY_ENTER), TOP_TRACE);
	assert_int_equal(trace->seconds, 5);
	assert_int_equal(trace->count, 2);
	assert_int_equal(trace->pids[0], 20);
	assert_int_equal(trace->pids[1], 21);
	key(stage, TOP_KEY_ENTER);
	type(stage, "d1x2");
	assert_int_equal(key(stage, TOP_KEY_ENTER), TOP_TRACE);
	assert_int_equal(trace->seconds, 12);
	type(stage, "d0\n");
	line_with(stage, "A trace takes 1 to 3600 seconds.");
	type(stage, "d");
	key(stage, TOP_KEY_ESCAPE);
	line_with(stage, "bob[20] → zoe[21]");
}

/* What was not counted takes a line, and the row of a pair moves up. */
static void tells_gaps(void **state)
{
	struct stage *stage = *state;
	const struct top_pairs pairs = {stage->pairs, 3};
	const struct top_interval interval = {
		.from_ns = 1, .to_ns = 1000000001, .gaps = {.uncounted = 1000, .foreign = 1}};

	three(stage);
	top_screen_resize(stage->screen, 6, 80);
	top_screen_show(stage->screen, &pairs, &interval);
	assert_int_equal(key(stage, ' '), TOP_NOW);
	key(stage, TOP_KEY_END);
	draw(stage);
	assert_non_null(strstr(stage->lines[2], "bob"));
	assert_int_equal(stage->styles[3], TOP_SELECTED);
	assert_string_equal(stage->lines[4], "1,001 calls were not counted so far");
}

/* The pairs beyond the limit are summed in a line; one that is open is still followed. */
static void tells_what_is_left_out(void **state)
{
	struct stage *stage = *state;
	const struct top_interval one = {.from_ns = 1, .to_ns = 1000000001, .pairs_most = 1};
	const struct top_interval two = {.from_ns = 1, .to_ns = 1000000001, .pairs_most = 2};
	const struct top_pairs pairs = {stage->pairs, 3};

	for (int i = 0; i < 3; i++)
		pair(stage, "amy", "zoe", 10 * (i + 1), (uint64_t)(3000 - 1000 * i));
	top_screen_show(stage->screen, &pairs, &two);
	line_with(stage, "2 pairs, sorted");
	line_with(stage, "1 more pairs: 1,000 messages, 9.8 KiB");
	key(stage, TOP_KEY_END);
	key(stage, TOP_KEY_ENTER);
	top_screen_show(stage->screen, &pairs, &one);
	line_with(stage, "sent 4,000 (");
	key(stage, TOP_KEY_ESCAPE);
	line_with(stage, "1 pairs, sorted");
	line_with(stage, "2 more pairs: 3,000 messages, 29.3 KiB");
}

static void helps(void **state)
{
	struct stage *stage = *state;

	three(stage);
	type(stage, "?");
	line_with(stage, "who sends and receives");
	for (int i = 0; i < stage->rows; i++)
		assert_null(strstr(stage->lines[i], "…"));
	assert_int_equal(key(stage, 'q'), TOP_GO_ON);
	assert_string_equal(senders(stage), "*amy bob cat ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sorts_by_each_column, set_up, tear_down),
		cmocka_unit_test_setup_teardown(filters_as_typed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(selection_stays_with_its_pair, set_up, tear_down),
		cmocka_unit_test_setup_teardown(scrolls, set_up, tear_down),
		cmocka_unit_test_setup_teardown(row_has_all_columns, set_up, tear_down),
		cmocka_unit_test_setup_teardown(fits_any_terminal, set_up, tear_down),
		cmocka_unit_test_setup_teardown(opens_a_pair, set_up, tear_down),
		cmocka_unit_test_setup_teardown(traces_a_pair, set_up, tear_down),
		cmocka_unit_test_setup_teardown(tells_gaps, set_up, tear_down),
		cmocka_unit_test_setup_teardown(tells_what_is_left_out, set_up, tear_down),
		cmocka_unit_test_setup_teardown(helps, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
