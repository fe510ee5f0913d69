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

#include "scene_random.h"
#include "viz/render.h"

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

static void check_events(const struct scene *scene, const cJSON *events)
{
	size_t count[128] = {0};
	const cJSON *event;

	cJSON_ArrayForEach(event, events)
	{
		char phase = *phase_of(event);

		count[phase & 0x7f]++;
		if (phase == 'X')
			check_nesting(events, event);
		if (phase == 's' || phase == 'f')
			check_end(events, event);
		if (phase == 'C')
			assert_true(number_of(cJSON_GetObjectItem(event, "args"),
					      "bytes on the way") >= 0);
	}
	assert_int_equal(count['X'], scene->call_count);
	assert_int_equal(count['s'], count['f']);
	assert_int_equal(count['s'] + count['i'], scene->fact_count);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_is_an_arrow_or_an_instant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
