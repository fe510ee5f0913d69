// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * An HTML page of invented traffic, to measure pages with: page MESSAGES >FILE. Twenty processes
 * send through pipes, sockets and queues. Says on stderr how long the writing took.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "viz/base/arena.h"
#include "viz/format/names.h"
#include "viz/render/render.h"
#include "viz/scene/dataset.h"

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

static void put_text(struct scene_dataset *dataset, const char *text)
{
	char *copy = (char *)arena_bytes(dataset->arena, text, strlen(text)).data;

	ARENA_PUSH(dataset->arena, dataset->texts, dataset->text_count, copy);
}

static void make_lanes(struct scene *scene)
{
	static const char *const names[] = {"nginx", "postgres", "redis-server", "worker"};
	struct scene_dataset *dataset = scene->dataset;

	dataset->lanes = arena_array(dataset->arena, LANES, sizeof(*dataset->lanes));
	dataset->threads = arena_array(dataset->arena, LANES, sizeof(*dataset->threads));
	for (int i = 0; i < LANES; i++) {
		scene_add_lane(scene, names[i % 4], 1000 + (uint32_t)i);
		dataset->lanes[i] = (struct dataset_lane){.parent = SCENE_NOWHERE,
							  .end_ns = SCENE_NEVER,
							  .before = true,
							  .group = (uint32_t)i};
		dataset->threads[i] = (struct dataset_thread){.lane = i, .tid = 1000 + (uint32_t)i};
	}
	dataset->lane_count = dataset->thread_count = LANES;
}

/* A route, its object, and the two sites of its calls. */
static void make_route(struct scene_dataset *dataset, uint32_t i)
{
	static const enum mechanism mechanisms[] = {MECH_PIPE,	   MECH_UNIX_STREAM, MECH_TCP,
						    MECH_SYSV_MSG, MECH_UDP,	     MECH_FIFO};
	enum mechanism mechanism = mechanisms[i % 6];
	uint32_t from = i % LANES, to = (i * 7 + 3) % LANES;
	char name[32];

	snprintf(name, sizeof(name), "%s:[%u]", mechanism_info(mechanism)->name, 4000 + i);
	put_text(dataset, name);
	dataset->objects[i] = (struct scene_object){.text = (uint32_t)dataset->text_count - 1,
						    .mechanism = mechanism,
						    .capacity = 65536};
	dataset->routes[i] = (struct dataset_route){
		.from = (int)from, .to = (int)to, .mechanism = mechanism, .object = i};
	dataset->sites[i * 2] = (struct dataset_site){
		.thread = from, .syscall = 1, .fd = (int32_t)i + 3, .object = i};
	dataset->sites[i * 2 + 1] = (struct dataset_site){
		.thread = to, .syscall = 2, .fd = (int32_t)i + 4, .object = i};
}

static void make_routes(struct scene_dataset *dataset)
{
	dataset->objects = arena_array(dataset->arena, ROUTES, sizeof(*dataset->objects));
	dataset->routes = arena_array(dataset->arena, ROUTES, sizeof(*dataset->routes));
	dataset->sites = arena_array(dataset->arena, ROUTES * 2, sizeof(*dataset->sites));
	for (uint32_t i = 0; i < ROUTES; i++)
		make_route(dataset, i);
	dataset->object_count = dataset->route_count = ROUTES;
	dataset->site_count = ROUTES * 2;
}

static struct dataset_call make_call(size_t row, uint32_t site, uint64_t enter_ns, uint64_t bytes)
{
	struct dataset_call call = {.site = site,
				    .row = (uint32_t)row,
				    .has_returned = true,
				    .enter_ns = enter_ns,
				    .exit_ns = enter_ns + 400 + chance(2000),
				    .requested = site % 2 ? 4096 : bytes,
				    .returned = (int64_t)bytes,
				    .waker = SCENE_NONE,
				    .woken_by = SCENE_NOWHERE};

	if (site % 2 && chance(2)) {
		call.off_cpu_ns = (call.exit_ns - call.enter_ns) * 3 / 4;
		call.resumed_ns = call.exit_ns - 100;
	}
	return call;
}

static void make_message(struct scene_dataset *dataset, size_t i, uint64_t at_ns, char *texts)
{
	uint32_t route = chance(ROUTES);
	uint64_t bytes = 8 + chance(200);
	char *text = texts + i * TEXT_LEN;
	char line[64];
	int len = snprintf(line, sizeof(line), "GET key:%06u %zu", chance(1000000), i);

	memcpy(text, line, TEXT_LEN);

	dataset->rows[i] = (struct dataset_row){.at_ns = at_ns,
						.message = (uint32_t)i,
						.text_row = SCENE_NONE,
						.mark = SCENE_NONE,
						.call = SCENE_NONE};
	dataset->calls[i * 2] = make_call(i, route * 2, at_ns, bytes);
	dataset->calls[i * 2 + 1] = make_call(i, route * 2 + 1, at_ns + chance(4000), bytes);
	dataset->messages[i] = (struct scene_message){
		.id = i + 1,
		.route = route,
		.bytes = bytes,
		.send = (uint32_t)i * 2,
		.receive = (uint32_t)i * 2 + 1,
		.payload = (unsigned char *)text,
		.payload_len = (size_t)(len < TEXT_LEN ? len : TEXT_LEN),
	};
}

static struct scene *make_scene(size_t count)
{
	struct scene *scene = scene_new();
	struct scene_dataset *dataset = arena_alloc(scene->arena, sizeof(*dataset));
	uint64_t at_ns = 1;
	char *texts;

	dataset->arena = scene->arena;
	scene->dataset = dataset;
	put_text(dataset, "");
	put_text(dataset, "write");
	put_text(dataset, "read");
	make_lanes(scene);
	make_routes(dataset);
	dataset->rows = arena_array(dataset->arena, count, sizeof(*dataset->rows));
	dataset->messages = arena_array(dataset->arena, count, sizeof(*dataset->messages));
	dataset->calls = arena_array(dataset->arena, count * 2, sizeof(*dataset->calls));
	texts = arena_alloc(dataset->arena, count * TEXT_LEN);
	dataset->start_ns = at_ns;
	for (size_t i = 0; i < count; i++) {
		make_message(dataset, i, at_ns, texts);
		at_ns += 1 + chance(STEP_NS);
	}
	dataset->row_count = dataset->message_count = count;
	dataset->call_count = count * 2;
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
