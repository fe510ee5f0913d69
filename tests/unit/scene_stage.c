// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "scene_stage.h"

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

const struct scene *stage_scene(struct stage *s, struct scene_request request)
{
	if (!s->trace->pairing)
		trace_pair(s->trace);
	request.model = s->trace->model;
	request.pairing = s->trace->pairing;
	scene_free(s->scene);
	assert_int_equal(scene_build(&request, &s->scene), 0);
	return s->scene;
}
