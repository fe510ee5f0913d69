// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tests/unit/scene_random.h"

#include <stdlib.h>
#include <string.h>

#include "viz/base/arena.h"

struct chance {
	uint64_t state;
	struct scene *scene;
	bool alive[64];
	size_t alive_count;
	size_t rows;
	bool pieces;
	unsigned ties;
	int depth; /* of loops */
};

static uint64_t next(struct chance *c, uint64_t below)
{
	c->state ^= c->state << 13;
	c->state ^= c->state >> 7;
	c->state ^= c->state << 17;
	return c->state % below;
}

/*
 * What a hostile program may put into a name or a payload. No arrow heads: the tests count those.
 */
static const char *const words[] = {
	"a",
	"pipe 24 B",
	"\x1b[2J",
	"\x1b]0;x\a",
	"日本語",
	"\xff\xfe",
	"\xe2\x80\xae",
	"e\xcc\x81",
	"\n",
	"\r",
	"\t",
	("\xc2\x9b"
	 "31m"),
	"\xe2\x80\x8b",
	"\x7f",
	"😀",
	"\"quoted\"",
	"%s%n",
	"│",
	"<script>",
	"\xcc\x81\xcc\x82",
	" ",
	"abcdefghijklmnopqrstuvwxyz0123456789",
	"#1;",
	"%%{init}%%",
	"$$x$$",
	"</script>",
	"]]>&amp;",
	"--__//**~~",
	"[[x]]",
	"!include x",
	"\\",
	"' /'",
};

static void random_text(struct chance *c, char *out, size_t words_most)
{
	size_t count = next(c, words_most + 1);

	*out = '\0';
	for (size_t i = 0; i < count; i++)
		out = stpcpy(out, words[next(c, sizeof(words) / sizeof(*words))]);
}

static void set_random(struct chance *c, char **slot, size_t words_most)
{
	char text[1024];

	random_text(c, text, words_most);
	scene_set(c->scene, slot, "%s", text);
}

static int some_lane(struct chance *c)
{
	size_t wanted = next(c, c->alive_count);

	for (int i = 0;; i++)
		if (c->alive[i] && wanted-- == 0)
			return i;
}

static void add_lane(struct chance *c, size_t row, bool born)
{
	char title[1024];
	struct scene_lane *lane;

	random_text(c, title, 3);
	lane = scene_add_lane(c->scene, title, (uint32_t)next(c, 4194304));
	lane->kind = (enum scene_lane_kind)(
		c->scene->lane_count > 1 ? next(c, SCENE_LANE_MEMORY + 1) : 0);
	lane->ns_pid = next(c, 4) ? 0 : (uint32_t)next(c, 4194304);
	if (lane->kind > SCENE_LANE_THREAD)
		lane->pid = lane->ns_pid = 0;
	if (lane->kind == SCENE_LANE_THREAD)
		lane->tid = (uint32_t)next(c, 4194304);
	lane->first_row = row;
	lane->born = born;
	lane->messages = next(c, 100);
	c->alive[c->scene->lane_count - 1] = true;
	c->alive_count++;
}

static struct scene_row *add_row(struct chance *c, enum scene_kind kind, int from, int to)
{
	struct scene_row *row = scene_add_row(c->scene, kind, from, to);

	row->at_ns = (uint64_t)c->scene->row_count * next(c, 1000000);
	row->style = (enum scene_style)next(c, 3);
	row->mechanism = (enum mechanism)next(c, MECH_COUNT);
	row->ambiguous = next(c, 5) == 0;
	row->important = next(c, 2);
	set_random(c, &row->label, 4);
	set_random(c, &row->payload, 12);
	set_random(c, &row->detail, 8);
	return row;
}

static void add_fork(struct chance *c)
{
	int parent = some_lane(c);

	add_lane(c, c->scene->row_count, true);
	add_row(c, SCENE_FORK, parent, (int)c->scene->lane_count - 1);
}

static void add_exit(struct chance *c)
{
	int lane = some_lane(c);
	int to = next(c, 2) ? some_lane(c) : SCENE_NOWHERE;
	struct scene_row *row = add_row(c, SCENE_EXIT, lane, to == lane ? SCENE_NOWHERE : to);

	if (row->to >= 0)
		scene_set(c->scene, &row->notice_label, "SIGCHLD");
	c->scene->lanes[lane].ended = true;
	c->scene->lanes[lane].last_row = c->scene->row_count - 1;
	c->alive[lane] = false;
	c->alive_count--;
}

static void add_message(struct chance *c)
{
	static const enum scene_kind kinds[] = {SCENE_MESSAGE, SCENE_SIGNAL, SCENE_EOF,
						SCENE_CONNECT, SCENE_MEMORY};
	int from = next(c, 8) ? some_lane(c) : SCENE_OUTSIDE;
	int to = next(c, 8) || from < 0 ? some_lane(c) : SCENE_OUTSIDE;
	struct scene_row *row = add_row(c, kinds[next(c, 5)], from, to);

	if (row->kind > SCENE_SIGNAL || from < 0 || to < 0)
		return;
	row->part = (enum scene_part)next(c, 6);
	if (row->part == SCENE_SENT || row->part == SCENE_RECEIVED)
		row->tie = ++c->ties;
	if ((row->part == SCENE_UNREAD || row->part == SCENE_DROPPED) && next(c, 2))
		row->to = SCENE_NOWHERE;
}

static void add_mark(struct chance *c);

enum { PIECES_ROWS = 20 }; /* most rows of a call's pieces, with what is between them */

/* A send that several receives took, or a receive that took several sends, by a brace. */
static void add_pieces(struct chance *c)
{
	int from = some_lane(c), to = some_lane(c);
	bool sent = next(c, 2);
	size_t above = SCENE_NO_ROW;

	if (from == to || c->scene->row_count + PIECES_ROWS + (size_t)c->depth > c->rows)
		return;
	for (uint64_t left = 2 + next(c, 3); left > 0; left--) {
		struct scene_row *row = add_row(c, SCENE_MESSAGE, from, to);
		size_t at = c->scene->row_count - 1;

		row->style = SCENE_COPY;
		row->tailless = sent && above != SCENE_NO_ROW;
		row->headless = !sent && left > 1;
		(sent ? &row->tail : &row->head)->above = above;
		if (above != SCENE_NO_ROW)
			(sent ? &c->scene->rows[above].tail : &c->scene->rows[above].head)->below =
				at;
		above = at;
		for (uint64_t between = left > 1 ? next(c, 4) : 0; between > 0; between--)
			(next(c, 2) ? add_message : add_mark)(c);
	}
}

static void add_mark(struct chance *c)
{
	static const enum scene_kind kinds[] = {SCENE_EXEC, SCENE_FAILED, SCENE_WAITING,
						SCENE_NOTE, SCENE_FOUND,  SCENE_REMOVED};
	struct scene_row *row = add_row(c, kinds[next(c, 6)], some_lane(c), SCENE_NOWHERE);

	if (row->kind == SCENE_FOUND)
		row->severity = next(c, 2) ? SEVERITY_ERROR : SEVERITY_WARNING;
}

static void end_loop(struct chance *c)
{
	set_random(c, &add_row(c, SCENE_LOOP_END, SCENE_NOWHERE, SCENE_NOWHERE)->label, 0);
	c->depth--;
}

static void add_loop(struct chance *c)
{
	if (c->depth && next(c, 2)) {
		end_loop(c);
	} else {
		add_row(c, SCENE_LOOP, SCENE_NOWHERE, SCENE_NOWHERE);
		c->depth++;
	}
}

static void add_something(struct chance *c, size_t lanes)
{
	uint64_t what = next(c, 20);

	if (what < 3 && c->scene->lane_count < lanes)
		add_fork(c);
	else if (what < 5 && c->alive_count > 1)
		add_exit(c);
	else if (what < 8)
		add_mark(c);
	else if (what < 9)
		add_row(c, SCENE_IDLE, SCENE_NOWHERE, SCENE_NOWHERE);
	else if (what < 11)
		add_loop(c);
	else if (what < 13 && c->pieces)
		add_pieces(c);
	else
		add_message(c);
}

/* In the order of their first rows, as a scene's bars are. */
static void add_bars(struct chance *c)
{
	struct scene *scene = c->scene;

	for (size_t row = 0; row < scene->row_count; row++) {
		int index = (int)next(c, scene->lane_count);
		const struct scene_lane *lane = &scene->lanes[index];
		size_t last = lane->last_row < scene->row_count ? lane->last_row
								: scene->row_count - 1;
		struct scene_bar *bar;

		if (next(c, 3) || row < lane->first_row || row > last)
			continue;
		bar = scene_add_bar(scene, index,
				    (enum scene_bar_kind)next(c, SCENE_BAR_KIND_COUNT));
		bar->first_row = row;
		bar->last_row = row + next(c, last - row + 1);
	}
}

/* --- facts --- */

/* Only processes call; the first lane is one. */
static int random_caller(struct chance *c)
{
	int lane = (int)next(c, c->scene->lane_count);

	return c->scene->lanes[lane].pid ? lane : 0;
}

static void add_call(struct chance *c)
{
	int lane = random_caller(c);
	uint32_t tid = c->scene->lanes[lane].pid + (uint32_t)next(c, 2);
	struct scene_call *call = scene_add_call(c->scene, lane, tid);

	call->enter_ns = next(c, 1000000);
	call->exit_ns = call->enter_ns + next(c, 100000);
	call->moved = next(c, 60);
	if (c->scene->object_count && next(c, 3) == 0) {
		call->level_of = next(c, c->scene->object_count);
		call->level = next(c, 70000);
	}
	set_random(c, &call->name, 3);
	set_random(c, &call->result, 2);
}

static void set_payload(struct chance *c, struct scene_message *message)
{
	unsigned char *payload;

	message->payload_len = next(c, 40);
	payload = arena_alloc(c->scene->arena, message->payload_len + 1);
	for (size_t i = 0; i < message->payload_len; i++)
		payload[i] = (unsigned char)next(c, 256);
	message->payload = payload;
	message->bytes = message->payload_len + next(c, 3);
}

static void add_fact(struct chance *c)
{
	int lanes = (int)c->scene->lane_count;
	int from = next(c, 5) ? (int)next(c, (uint64_t)lanes) : SCENE_OUTSIDE;
	int to = next(c, 5) || from < 0 ? (int)next(c, (uint64_t)lanes) : SCENE_NOWHERE;
	struct scene_message *message = scene_add_message(c->scene, from, to);

	message->mechanism = (enum mechanism)next(c, MECH_COUNT);
	message->part = to < 0 ? SCENE_UNREAD : SCENE_WHOLE;
	if (c->scene->object_count && next(c, 3)) {
		message->object = next(c, c->scene->object_count);
		message->mechanism = c->scene->objects[message->object].mechanism;
	}
	message->send = from < 0 ? SCENE_NONE : next(c, c->scene->call_count);
	message->receive = to < 0 ? SCENE_NONE : next(c, c->scene->call_count);
	message->sent_ns = next(c, 4) ? next(c, 1000000) : SCENE_NEVER;
	message->received_ns = to < 0 ? SCENE_NEVER : next(c, 1000000);
	message->outward = next(c, 4) == 0;
	message->send_offset = next(c, 50);
	message->receive_offset = next(c, 50);
	set_random(c, &message->label, 2);
	set_payload(c, message);
}

static void add_memory(struct chance *c)
{
	struct scene_memory *memory = scene_add_memory(c->scene, MECH_SHARED_MMAP);

	set_random(c, &memory->name, 4);
	memory->bytes = next(c, 3) * 4096;
	for (size_t i = next(c, 6); i > 0; i--) {
		struct scene_haver *haver = scene_add_haver(c->scene, memory);

		haver->lane = next(c, 5) ? random_caller(c) : SCENE_NOWHERE;
		haver->since_ns = next(c, 100000);
		haver->until_ns = haver->since_ns + next(c, 100000);
		haver->ended = next(c, 2);
		set_random(c, &haver->name, 3);
		set_random(c, &haver->how, 1);
	}
}

static void add_facts(struct chance *c, size_t count)
{
	for (size_t i = next(c, 6); i > 0; i--) {
		struct scene_object *object = scene_add_object(c->scene,
							       (enum mechanism)next(c, MECH_COUNT));

		set_random(c, &object->name, 4);
		object->side = (enum scene_side)next(c, 3);
		object->from_start = next(c, 2);
		object->port = (uint16_t)next(c, 3);
		object->ended_ns = next(c, 2) ? next(c, 1000000) : SCENE_NEVER;
	}
	for (size_t i = 1; i < c->scene->object_count; i += 2) {
		c->scene->objects[i].peer = next(c, c->scene->object_count);
		c->scene->objects[i - 1].peer = next(c, 2) ? i : SCENE_NONE;
	}
	c->scene->incomplete = next(c, 4) == 0;
	for (size_t i = 0; i < count; i++)
		add_call(c);
	for (size_t i = 0; i < count; i++)
		add_fact(c);
	for (size_t i = next(c, 3); i > 0; i--)
		add_memory(c);
}

static struct scene *make(struct chance c, size_t lanes, size_t rows)
{
	size_t first;

	if (!c.scene)
		abort();
	first = 1 + next(&c, lanes);
	for (size_t i = 0; i < first; i++)
		add_lane(&c, 0, false);
	while (c.scene->row_count + (size_t)c.depth < rows)
		add_something(&c, lanes);
	while (c.depth)
		end_loop(&c);
	add_bars(&c);
	add_facts(&c, rows);
	set_random(&c, &c.scene->command, 20);
	for (size_t i = next(&c, 4); i > 0; i--) {
		struct scene_channel *channel = scene_add_channel(c.scene, MECH_PIPE);

		set_random(&c, &channel->name, 8);
		set_random(&c, &channel->route, 8);
	}
	scene_add_note(c.scene, "something \x1b[31m is missing, and this line is longer than most");
	return c.scene;
}

static struct chance begin(uint64_t seed, size_t rows, bool pieces)
{
	return (struct chance){.state = seed * 2654435761u + 1,
			       .scene = scene_new(),
			       .rows = rows,
			       .pieces = pieces};
}

struct scene *random_scene(uint64_t seed, size_t lanes, size_t rows)
{
	return make(begin(seed, rows, false), lanes, rows);
}

struct scene *random_scene_of_pieces(uint64_t seed, size_t lanes, size_t rows)
{
	return make(begin(seed, rows, true), lanes, rows);
}
