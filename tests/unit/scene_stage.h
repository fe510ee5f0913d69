/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A trace written by hand and the scene that comes of it, for tests. */
#ifndef TESTS_SCENE_STAGE_H
#define TESTS_SCENE_STAGE_H

#include "tests/unit/trace_text.h"

#include "viz/scene/build.h"

struct stage {
	struct trace_text *trace;
	struct scene *scene;
	char shown[16384]; /* for a test's own words */
};

/* For cmocka. */
int stage_set_up(void **state);
int stage_tear_down(void **state);

/* What was written, paired the first time; the scene that was there before is freed. */
const struct scene *stage_draw(struct trace_text *trace, struct scene **scene,
			       struct scene_request request);

/* The same of a stage, whose the scene is. */
const struct scene *stage_scene(struct stage *s, struct scene_request request);

#endif
