// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The formats that are data, of many scenes made by chance: what their readers ask of a file holds,
 * and each message is there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/scene_random.h"
#include "viz/format/names.h"
#include "viz/render/capture/dissector.h"
#include "viz/render/render.h"

enum { SCENES = 100 };

static char *draw(render_fn *render, const struct scene *scene, size_t *len)
{
	const struct render_options options = {.width = 80, .utf8 = true};
	char *text = NULL;
	FILE *out = open_memstream(&text, len);

	assert_non_null(out);
	assert_int_equal(render(out, scene, &options), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

/* --- trace events --- */

/* In nanoseconds: they are written in microseconds with three decimals. */
static long long time_of(const cJSON *event, const char *key)
{
	return (long long)(cJSON_GetNumberValue(cJSON_GetObjectItem(event, key)) * 1000 + 0.5);
}

static long long number_of(const cJSON *event, const char *key)
{
	return (long long)cJSON_GetNumberValue(cJSON_GetObjectItem(event, key));
}

static const char *phase_of(const cJSON *event)
{
	return cJSON_GetStringValue(cJSON_GetObjectItem(event, "ph"));
}

static bool same_thread(const cJSON *a, const cJSON *b)
{
	return number_of(a, "pid") == number_of(b, "pid") &&
	       number_of(a, "tid") == number_of(b, "tid");
}

/* Two slices of a thread are apart, or one lies in the other. */
static void check_nesting(const cJSON *events, const cJSON *slice)
{
	long long begin = time_of(slice, "ts"), end = begin + time_of(slice, "dur");
	const cJSON *other;

	assert_true(end >= begin);
	cJSON_ArrayForEach(other, events)
	{
		long long from, to;

		if (strcmp(phase_of(other), "X") != 0 || !same_thread(slice, other))
			continue;
		from = time_of(other, "ts");
		to = from + time_of(other, "dur");
		assert_true(to <= begin || from >= end || (from <= begin && to >= end) ||
			    (from >= begin && to <= end));
	}
}

static void check_end(const cJSON *events, const cJSON *end)
{
	long long at = time_of(end, "ts");
	const cJSON *slice;
	bool inside = false;

	cJSON_ArrayForEach(slice, events)
	{
		if (strcmp(phase_of(slice), "X") == 0 && same_thread(slice, end))
			inside |= time_of(slice, "ts") <= at &&
				  at <= time_of(slice, "ts") + time_of(slice, "dur");
	}
	assert_true(inside);
}

/* A counter has one value, of one kind. */
static void check_level(const cJSON *level)
{
	static const char *const kinds[] = {"bytes in it", "messages in it", "bytes on the way",
					    "processes that have it"};
	size_t found = 0;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		found += strcmp(level->string, kinds[i]) == 0;
	assert_int_equal(found, 1);
	assert_true(level->valuedouble >= 0 && !level->next);
}

static void check_events(const struct scene *scene, const cJSON *events)
{
	size_t count[128] = {0}, marks = 0;
	const cJSON *event;

	cJSON_ArrayForEach(event, events)
	{
		char phase = *phase_of(event);

		count[phase & 0x7f]++;
		if (phase == 'i') /* at a thread: no message */
			marks += *cJSON_GetStringValue(cJSON_GetObjectItem(event, "s")) == 't';
		if (phase == 'X')
			check_nesting(events, event);
		if (phase == 's' || phase == 'f')
			check_end(events, event);
		if (phase == 'C')
			check_level(cJSON_GetObjectItem(event, "args")->child);
	}
	assert_int_equal(count['X'], scene->call_count);
	assert_int_equal(count['s'], count['f']);
	assert_int_equal(count['s'] + count['i'] - marks, scene->fact_count);
	assert_int_equal(count['b'], count['e']);
}

static void every_message_is_an_arrow_or_an_instant(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SCENES; seed++) {
		struct scene *scene = random_scene(seed, 1 + seed % 10, seed % 60);
		size_t len;
		char *text = draw(render_trace_event, scene, &len);
		cJSON *whole = cJSON_ParseWithLength(text, len);

		assert_non_null(whole);
		assert_null(strstr(text, "</script>"));
		check_events(scene, cJSON_GetObjectItem(whole, "traceEvents"));
		cJSON_Delete(whole);
		free(text);
		scene_free(scene);
	}
}

/* --- pcapng --- */

enum { SECTION = 0x0a0d0d0a, INTERFACE = 1, NAMES = 4, PACKET = 6 };

static uint32_t u32_at(const char *bytes)
{
	uint32_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

/* Options end with the block; a comment, if there is one, is text. */
static void check_options(const char *at, const char *end)
{
	for (;;) {
		uint16_t code, len;

		assert_true(at + 4 <= end);
		memcpy(&code, at, 2);
		memcpy(&len, at + 2, 2);
		at += 4;
		if (code == 0)
			break;
		for (size_t i = 0; code == 1 && i < len; i++)
			assert_true((unsigned char)at[i] >= 0x20);
		at += (len + 3) / 4 * 4;
	}
	assert_ptr_equal(at, end);
}

static void check_packet(const struct scene *scene, const char *block, const char *end,
			 size_t *bytes)
{
	uint32_t kept = u32_at(block + 20), whole = u32_at(block + 24);

	*bytes += kept;
	assert_true(u32_at(block + 8) <= scene->object_count);
	assert_true(kept <= whole);
	assert_true(block + 28 + kept < end);
	check_options(block + 28 + (kept + 3) / 4 * 4, end);
}

/* Calls `check` for each packet and counts the blocks of each type. */
static void walk_capture(const struct scene *scene, const char *at, size_t len, size_t count[8],
			 void (*check)(const struct scene *, const char *, const char *, size_t *),
			 size_t *bytes)
{
	const char *end = at + len;

	assert_int_equal(u32_at(at), SECTION);
	while (at < end) {
		uint32_t type = u32_at(at), size = u32_at(at + 4);

		assert_true(size % 4 == 0 && size >= 12 && at + size <= end);
		assert_int_equal(u32_at(at + size - 4), size);
		count[type == SECTION ? 0 : type & 7]++;
		if (type == SECTION)
			check_options(at + 24, at + size - 4);
		else if (type == INTERFACE)
			check_options(at + 16, at + size - 4);
		else if (type == PACKET)
			check(scene, at, at + size - 4, bytes);
		at += size;
	}
	assert_int_equal(count[0], 1);
	assert_int_equal(count[NAMES], 1);
}

static void check_capture(const struct scene *scene, const char *at, size_t len)
{
	size_t count[8] = {0}, bytes = 0;

	walk_capture(scene, at, len, count, check_packet, &bytes);
	assert_int_equal(count[INTERFACE], scene->object_count + 1);
	assert_int_equal(count[PACKET], scene->fact_count);
}

static void every_message_is_a_packet(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SCENES; seed++) {
		struct scene *scene = random_scene(seed, 1 + seed % 10, seed % 60);
		size_t len;
		char *bytes = draw(render_pcapng, scene, &len);

		check_capture(scene, bytes, len);
		free(bytes);
		scene_free(scene);
	}
}

/* Adds up what it carries. */
static void check_segment(const struct scene *scene, const char *block, const char *end,
			  size_t *bytes)
{
	const unsigned char *head = (const unsigned char *)block + 28;
	uint32_t kept = u32_at(block + 20);

	(void)scene;
	assert_true(kept >= 40 && kept == u32_at(block + 24));
	assert_int_equal(head[0], 0x45);
	assert_int_equal(head[2] << 8 | head[3], kept);
	assert_int_equal(head[9], 6);
	assert_true((head[20] << 8 | head[21]) != 0 && (head[22] << 8 | head[23]) != 0);
	*bytes += kept - 40;
	check_options(block + 28 + (kept + 3) / 4 * 4, end);
}

static size_t stream_bytes(const struct scene *scene)
{
	size_t bytes = 0;

	for (size_t i = 0; i < scene->fact_count; i++) {
		const struct scene_message *m = &scene->facts[i];

		if (m->object != SCENE_NONE &&
		    mechanism_info(scene->objects[m->object].mechanism)->form == FORM_STREAM)
			bytes += m->payload_len;
	}
	return bytes;
}

static void every_byte_of_a_stream_is_in_a_segment(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SCENES; seed++) {
		struct scene *scene = random_scene(seed, 1 + seed % 10, seed % 60);
		size_t len, count[8] = {0}, moved = 0;
		char *bytes = draw(render_pcapng_tcp, scene, &len);

		walk_capture(scene, bytes, len, count, check_segment, &moved);
		assert_int_equal(moved, stream_bytes(scene));
		free(bytes);
		scene_free(scene);
	}
}

static void check_dissector(const char *bytes, size_t len, const char *wanted)
{
	struct render_dissector d = render_dissector(MECH_TCP, (const unsigned char *)bytes, len);

	assert_string_equal(d.table ? d.table : d.name, wanted);
}

static void payloads_choose_their_dissector(void **state)
{
	(void)state;
	check_dissector("GET / HTTP/1.1\r\n\r\n", 18, "http");
	check_dissector("*1\r\n$4\r\nPING\r\n", 14, "tcp.port");
	check_dissector("+PONG\r\n", 7, "tcp.port");
	check_dissector("+PONG", 5, "data-text-lines");
	check_dissector("l\1\0\1\0\0\0\0\1\0\0\0\0\0\0\0", 16, "wtap_encap");
	check_dissector("Q\0\0\0\15select 1\0", 14, "pgsql");
	check_dissector("Q\0\0\0", 4, "data");
	check_dissector("", 0, "data");
	for (size_t len = 0; len < 40; len++) {
		unsigned char *bytes = malloc(len ? len : 1); /* so that reading beyond is seen */

		assert_non_null(bytes);
		memset(bytes, "*-l$9QG+"[len % 8], len);
		render_dissector(MECH_TCP, bytes, len);
		free(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_is_an_arrow_or_an_instant),
		cmocka_unit_test(every_message_is_a_packet),
		cmocka_unit_test(every_byte_of_a_stream_is_in_a_segment),
		cmocka_unit_test(payloads_choose_their_dissector),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
