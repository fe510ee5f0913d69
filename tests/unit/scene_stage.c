// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tests/unit/scene_stage.h"

#include <stdlib.h>

int stage_set_up(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->trace = trace_new();
	*state = s;
	return 0;
}

int stage_tear_down(void **state)
{
	struct stage *s = *state;

	scene_free(s->scene);
	trace_free(s->trace);
	free(s);
	return 0;
}

const struct scene *stage_draw(struct trace_text *trace, struct scene **scene,
			       struct scene_request request)
{
	if (!trace->pairing)
		trace_pair(trace);
	request.model = trace->model;
	request.pairing = trace->pairing;
	scene_free(*scene);
	*scene = scene_build(&request);
	return *scene;
}

const struct scene *stage_scene(struct stage *s, struct scene_request request)
{
	return stage_draw(s->trace, &s->scene, request);
}
