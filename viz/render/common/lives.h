/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a diagram language may create and destroy a participant: at the arrow of its birth and at
 * that of its end, if nothing else tells of it before or after, and outside of loops.
 */
#ifndef VIZ_RENDER_COMMON_LIVES_H
#define VIZ_RENDER_COMMON_LIVES_H

#include "viz/scene/scene.h"

struct render_life {
	size_t created; /* row of the arrow that makes it; SCENE_NO_ROW: it is there from the top */
	size_t destroyed; /* row after whose arrow it is gone; SCENE_NO_ROW: never */
};

/* By lane, for free(). */
struct render_life *render_lives(const struct scene *scene);

#endif
