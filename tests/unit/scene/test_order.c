// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The order of a scene's rows, of conversations made by chance: read downwards, each lane tells
 * what its process did in its own order, and nothing arrives above the row that sent it.
 */
#include "tests/unit/scene_stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PEERS = 5, STEPS = 120 };
enum { OWN_LEAST = 3 }; /* messages to oneself that are drawn as one row */

/* What each process did, in its own order: send or receive of message n (bytes n + 1). */
struct history {
	struct event {
		unsigned message;
		bool sent;
	} events[STEPS * 2];
	size_t count;
};

struct plot {
	uint64_t seed;
	uint64_t now_ns;
	bool frozen; /* a clock that stands still */
	struct history histories[PEERS];
	unsigned from[STEPS], to[STEPS];
	uint64_t sent_ns[STEPS];
	bool open[STEPS];
	unsigned operations;
};

static unsigned chance(struct plot *p, unsigned below)
{
	p->seed = p->seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(p->seed >> 33) % below;
}

static void remember(struct plot *p, unsigned who, unsigned message, bool sent)
{
	struct history *h = &p->histories[who];

	h->events[h->count++] = (struct event){message, sent};
}

static void plot_call(struct stage *s, struct plot *p, unsigned message, bool sends)
{
	char channel[32];

	snprintf(channel, sizeof(channel), "pipe:[%u]", message + 100);
	trace_line(s->trace,
		   "{'type':'operation','id':%u,'syscall':'%s','role':'%s','pid':%u,'tid':%u,"
		   "'channel':'%s','enter_ns':%lu,'exit_ns':%lu,'returned':%u}",
		   ++p->operations, sends ? "write" : "read", sends ? "send" : "receive",
		   (sends ? p->from : p->to)[message] + 10, (sends ? p->from : p->to)[message] + 10,
		   channel, (unsigned long)p->now_ns, (unsigned long)p->now_ns + !p->frozen,
		   message + 1);
	remember(p, (sends ? p->from : p->to)[message], message, sends);
	p->now_ns += p->frozen ? 0 : 2 + chance(p, 50);
}

static void plot_send(struct stage *s, struct plot *p, unsigned message)
{
	char channel[32];

	snprintf(channel, sizeof(channel), "pipe:[%u]", message + 100);
	trace_channel(s->trace, channel, "pipe", "");
	p->from[message] = chance(p, PEERS);
	p->to[message] = chance(p, PEERS);
	p->open[message] = true;
	plot_call(s, p, message, true);
}

/* Any of those under way arrives: late, early, out of order. */
static void plot_receive(struct stage *s, struct plot *p, unsigned sent)
{
	unsigned message = chance(p, sent);

	if (!p->open[message])
		return;
	p->open[message] = false;
	plot_call(s, p, message, false);
}

static void check_event(const struct plot *p, size_t *done, int lane, unsigned message, bool sent)
{
	const struct history *h = &p->histories[lane];

	assert_true(done[lane] < h->count);
	assert_int_equal(h->events[done[lane]].message, message);
	assert_int_equal(h->events[done[lane]].sent, sent);
	done[lane]++;
}

/* Read downwards, each lane tells its process's own order, and nothing arrives before it left. */
static void check_order(const struct plot *p, const struct scene *scene)
{
	size_t done[PEERS] = {0};
	bool left[STEPS] = {false};

	for (size_t i = 0; i < scene->row_count; i++) {
		const struct scene_row *row = &scene->rows[i];
		unsigned message = (unsigned)row->bytes - 1;
		bool self = row->from == row->to && row->part == SCENE_WHOLE;

		assert_int_equal(row->kind, SCENE_MESSAGE);
		if (row->part != SCENE_RECEIVED) {
			left[message] = true;
			if (!self)
				check_event(p, done, row->from, message, true);
		}
		assert_true(left[message]);
		/* Nobody of ours received it: somebody outside may have. */
		if (row->to < 0)
			assert_true(p->open[message]);
		else if (row->part == SCENE_WHOLE || row->part == SCENE_RECEIVED)
			check_event(p, done, row->to, message, false);
	}
}

/* A message to oneself is drawn where it arrives. */
static void forget_own_sends(struct plot *p)
{
	for (unsigned who = 0; who < PEERS; who++) {
		struct history *h = &p->histories[who];
		size_t kept = 0;

		for (size_t i = 0; i < h->count; i++) {
			unsigned message = h->events[i].message;

			if (!h->events[i].sent || p->from[message] != p->to[message] ||
			    p->open[message])
				h->events[kept++] = h->events[i];
		}
		h->count = kept;
	}
}

static bool is_own(const struct plot *p, unsigned message)
{
	return p->from[message] == p->to[message] && !p->open[message];
}

/* Of those that talked much with themselves, that is one row; its bytes are all that they sent. */
static void forget_own_talk(struct plot *p, uint64_t *bytes)
{
	for (unsigned who = 0; who < PEERS; who++) {
		struct history *h = &p->histories[who];
		size_t kept = 0, own = 0;

		for (size_t i = 0; i < h->count; i++)
			own += is_own(p, h->events[i].message);
		for (size_t i = 0; i < h->count && own >= OWN_LEAST; i++)
			if (is_own(p, h->events[i].message))
				bytes[who] += h->events[i].message + 1;
			else
				h->events[kept++] = h->events[i];
		h->count = own >= OWN_LEAST ? kept : h->count;
	}
}

/* Takes the rows of talk with oneself out of the scene. */
static void check_own_talk(const struct scene *scene, struct scene *rest, const uint64_t *bytes)
{
	uint64_t drawn[PEERS] = {0};

	*rest = *scene;
	rest->rows = calloc(scene->row_count + 1, sizeof(*rest->rows));
	rest->row_count = 0;
	for (size_t i = 0; i < scene->row_count; i++)
		if (strstr(scene->rows[i].label, "with itself"))
			drawn[scene->rows[i].from] += scene->rows[i].bytes;
		else
			rest->rows[rest->row_count++] = scene->rows[i];
	for (unsigned who = 0; who < PEERS; who++)
		assert_int_equal(drawn[who], bytes[who]);
}

static void play(struct stage *s, struct plot *p)
{
	unsigned sent = 0;

	for (unsigned i = 0; i < PEERS; i++)
		trace_process(s->trace, 10 + i, "peer");
	for (unsigned step = 0; step < STEPS; step++) {
		if (sent == 0 || chance(p, 2))
			plot_send(s, p, sent++);
		else
			plot_receive(s, p, sent);
	}
	trace_trailer(s->trace, p->now_ns);
}

static size_t plot_and_check(uint64_t seed)
{
	struct stage *s = NULL;
	struct plot p = {.seed = seed, .now_ns = 100};
	uint64_t own_bytes[PEERS] = {0};
	struct scene rest;
	size_t halves = 0;

	stage_set_up((void **)&s);
	play(s, &p);
	forget_own_sends(&p);
	check_order(&p, stage_scene(s, (struct scene_request){.unfold = true}));
	for (size_t i = 0; i < s->scene->row_count; i++)
		halves += s->scene->rows[i].part == SCENE_SENT;
	forget_own_talk(&p, own_bytes);
	check_own_talk(stage_scene(s, (struct scene_request){0}), &rest, own_bytes);
	check_order(&p, &rest);
	free(rest.rows);
	stage_tear_down((void **)&s);
	return halves;
}

static void order_is_true_for_every_lane(void **state)
{
	size_t halves = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 60; seed++)
		halves += plot_and_check(seed);
	assert_true(halves > 0); /* messages did cross */
}

/* Then there is no order to tell, but each message once. */
static void a_clock_that_stands_still(void **state)
{
	struct stage *s = *state;
	struct plot p = {.seed = 5, .now_ns = 100, .frozen = true};
	size_t arrived[STEPS] = {0};
	const struct scene *scene;

	play(s, &p);
	scene = stage_scene(s, (struct scene_request){.unfold = true});
	for (size_t i = 0; i < scene->row_count; i++)
		arrived[scene->rows[i].bytes - 1] += scene->rows[i].part != SCENE_SENT;
	assert_true(scene->messages > 0);
	for (size_t i = 0; i < scene->messages; i++)
		assert_int_equal(arrived[i], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_clock_that_stands_still, stage_set_up,
						stage_tear_down),
		cmocka_unit_test(order_is_true_for_every_lane),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
