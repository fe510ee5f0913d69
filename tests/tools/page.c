// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * An HTML page of invented traffic, to measure pages with: page MESSAGES >FILE. Twenty processes
 * send through pipes, sockets and queues. Says on stderr how long the writing took.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "viz/arena.h"
#include "viz/lang/names.h"
#include "viz/render.h"
#include "viz/scene_ledger.h"

enum { LANES = 20, ROUTES = 60, TEXT_LEN = 24, STEP_NS = 3000 };

static uint64_t state = 88172645463325252;

/* xorshift64: the same traffic each time. */
static uint32_t chance(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32) % below;
}

static void put_text(struct scene_ledger *ledger, const char *text)
{
	ARENA_PUSH(ledger->arena, ledger->texts, ledger->text_count, strdup(text));
}

static void make_lanes(struct scene *scene)
{
	static const char *const names[] = {"nginx", "postgres", "redis-server", "worker"};
	struct scene_ledger *ledger = scene->ledger;

	ledger->lanes = arena_array(ledger->arena, LANES, sizeof(*ledger->lanes));
	ledger->threads = arena_array(ledger->arena, LANES, sizeof(*ledger->threads));
	for (int i = 0; i < LANES; i++) {
		scene_add_lane(scene, names[i % 4], 1000 + (uint32_t)i);
		ledger->lanes[i] = (struct ledger_lane){.parent = SCENE_NOWHERE,
							.end_ns = SCENE_NEVER,
							.before = true,
							.group = (uint32_t)i};
		ledger->threads[i] = (struct ledger_thread){.lane = i, .tid = 1000 + (uint32_t)i};
	}
	ledger->lane_count = ledger->thread_count = LANES;
}

/* A route, its object, and the two sites of its calls. */
static void make_route(struct scene_ledger *ledger, uint32_t i)
{
	static const enum mechanism mechanisms[] = {MECH_PIPE,	   MECH_UNIX_STREAM, MECH_TCP,
						    MECH_SYSV_MSG, MECH_UDP,	     MECH_FIFO};
	enum mechanism mechanism = mechanisms[i % 6];
	uint32_t from = i % LANES, to = (i * 7 + 3) % LANES;
	char name[32];

	snprintf(name, sizeof(name), "%s:[%u]", mechanism_info(mechanism)->name, 4000 + i);
	put_text(ledger, name);
	ledger->objects[i] = (struct ledger_object){.name = (uint32_t)ledger->text_count - 1,
						    .mechanism = mechanism,
						    .capacity = 65536};
	ledger->routes[i] = (struct ledger_route){
		.from = (int)from, .to = (int)to, .mechanism = mechanism, .object = i};
	ledger->sites[i * 2] = (struct ledger_site){
		.thread = from, .syscall = 1, .fd = (int32_t)i + 3, .object = i};
	ledger->sites[i * 2 + 1] =
		(struct ledger_site){.thread = to, .syscall = 2, .fd = (int32_t)i + 4, .object = i};
}

static void make_routes(struct scene_ledger *ledger)
{
	ledger->objects = arena_array(ledger->arena, ROUTES, sizeof(*ledger->objects));
	ledger->routes = arena_array(ledger->arena, ROUTES, sizeof(*ledger->routes));
	ledger->sites = arena_array(ledger->arena, ROUTES * 2, sizeof(*ledger->sites));
	for (uint32_t i = 0; i < ROUTES; i++)
		make_route(ledger, i);
	ledger->object_count = ledger->route_count = ROUTES;
	ledger->site_count = ROUTES * 2;
}

static struct ledger_call make_call(size_t row, uint32_t site, uint64_t enter_ns, uint64_t bytes)
{
	struct ledger_call call = {.site = site,
				   .row = (uint32_t)row,
				   .told = true,
				   .enter_ns = enter_ns,
				   .exit_ns = enter_ns + 400 + chance(2000),
				   .requested = site % 2 ? 4096 : bytes,
				   .returned = (int64_t)bytes,
				   .waker = LEDGER_NONE,
				   .woken_by = SCENE_NOWHERE};

	if (site % 2 && chance(2)) {
		call.off_cpu_ns = (call.exit_ns - call.enter_ns) * 3 / 4;
		call.resumed_ns = call.exit_ns - 100;
	}
	return call;
}

static void make_message(struct scene_ledger *ledger, size_t i, uint64_t at_ns, char *texts)
{
	uint32_t route = chance(ROUTES);
	uint64_t bytes = 8 + chance(200);
	char *text = texts + i * TEXT_LEN;
	char line[64];
	int len = snprintf(line, sizeof(line), "GET key:%06u %zu", chance(1000000), i);

	memcpy(text, line, TEXT_LEN);

	ledger->rows[i] = (struct ledger_row){.at_ns = at_ns,
					      .message = (uint32_t)i,
					      .said = LEDGER_NONE,
					      .mark = LEDGER_NONE,
					      .call = LEDGER_NONE};
	ledger->calls[i * 2] = make_call(i, route * 2, at_ns, bytes);
	ledger->calls[i * 2 + 1] = make_call(i, route * 2 + 1, at_ns + chance(4000), bytes);
	ledger->messages[i] = (struct ledger_message){
		.id = i + 1,
		.route = route,
		.bytes = bytes,
		.send = (uint32_t)i * 2,
		.receive = (uint32_t)i * 2 + 1,
		.raised_ns = SCENE_NEVER,
		.delivered_ns = SCENE_NEVER,
		.returned_ns = SCENE_NEVER,
		.payload = {text, (size_t)(len < TEXT_LEN ? len : TEXT_LEN)},
	};
}

static struct scene *make_scene(size_t count)
{
	struct scene *scene = scene_new();
	struct scene_ledger *ledger = memory_new(sizeof(*ledger));
	uint64_t at_ns = 1;
	char *texts;

	ledger->arena = arena_new();
	scene->ledger = ledger;
	put_text(ledger, "");
	put_text(ledger, "write");
	put_text(ledger, "read");
	make_lanes(scene);
	make_routes(ledger);
	ledger->rows = arena_array(ledger->arena, count, sizeof(*ledger->rows));
	ledger->messages = arena_array(ledger->arena, count, sizeof(*ledger->messages));
	ledger->calls = arena_array(ledger->arena, count * 2, sizeof(*ledger->calls));
	texts = arena_alloc(ledger->arena, count * TEXT_LEN);
	ledger->start_ns = at_ns;
	for (size_t i = 0; i < count; i++) {
		make_message(ledger, i, at_ns, texts);
		at_ns += 1 + chance(STEP_NS);
	}
	ledger->row_count = ledger->message_count = count;
	ledger->call_count = count * 2;
	return scene;
}

int main(int argc, char **argv)
{
	size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
	struct scene *scene = make_scene(count);
	struct render_options options = {.width = 80};
	struct timespec begin, end;
	int err;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
	err = render_html(stdout, scene, &options);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	fprintf(stderr, "%zu messages, %ld bytes, written in %.2f s\n", count, ftell(stdout),
		(double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9);
	scene_free(scene);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
