/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A focus: some processes, and those with whom they talk directly (depth 1), those with whom these
 * talk (depth 2), and so on. A message is shown if one of its ends is nearer to the focus than the
 * depth; at depth 0, if both are in the focus. SIGCHLD at a child's end is no talk, and neither is
 * a birth; both are shown between processes that are shown.
 */
#ifndef VIZ_SCENE_LANE_FOCUS_H
#define VIZ_SCENE_LANE_FOCUS_H

#include "viz/message/message.h"

struct diagnosis;
struct finding;
struct scene_request;

struct scene_focus {
	/* What is looked at: a pid, the name of a program, or the id of a finding. */
	const char *const *items;
	size_t count; /* 0: everything is shown */
	size_t depth;
};

/*
 * The first item that names nothing in the trace, or NULL. Findings are only known if the request
 * has a diagnosis.
 */
const char *scene_focus_misses(const struct scene_request *request);

/*
 * By process index, how far from the focus a process is: 0 is in it; SCENE_FAR is not shown. NULL
 * if the request has no focus. For free().
 */
#define SCENE_FAR SIZE_MAX
size_t *scene_focus_distances(const struct scene_request *request);

/*
 * By place in the request's diagnosis, whether a finding concerns the focus: one of its processes
 * is nearer than the depth, at depth 0 all of them are in it; or an item is the finding's id. Not
 * NULL, for free().
 */
bool *scene_focus_findings(const struct scene_request *request);

/* Whether a process is shown at this depth. `distance` NULL: all are. */
bool scene_focus_process(const size_t *distance, size_t depth, const struct viz_process *process);

/* Whether what is between the two is shown. NULL: that end is not known. */
bool scene_focus_pair(const size_t *distance, size_t depth, const struct viz_process *a,
		      const struct viz_process *b);

#endif
