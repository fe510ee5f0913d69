// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/cli/focus_options.h"

#include <stdlib.h>

#include "viz/base/error.h"
#include "viz/base/memory.h"
#include "viz/cli/command.h"
#include "viz/scene/build.h"

enum focus_key { OPTION_FOCUS = 0x1100, OPTION_DEPTH };

static const struct argp_option options[] = {
	{"focus", OPTION_FOCUS, "PID|NAME|FINDING", 0,
	 "only this process, or those of this finding, and whom it talks with directly", 0},
	{"depth", OPTION_DEPTH, "N", 0,
	 "--focus shows whom they talk with N steps away (1), or with 0 only what is among them",
	 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct focus_options *focus = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		*focus = (struct focus_options){.depth = 1};
		return 0;
	case OPTION_FOCUS:
		focus->items = memory_resize(focus->items, focus->count + 1, sizeof(*focus->items));
		focus->items[focus->count++] = arg;
		return 0;
	case OPTION_DEPTH:
		focus->depth = command_count(state, arg, "depth");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp focus_argp = {.options = options, .parser = parse};

struct scene_focus focus_wanted(const struct focus_options *focus)
{
	return (struct scene_focus){focus->items, focus->count, focus->depth};
}

bool focus_is_there(const struct scene_request *request)
{
	const char *missing = scene_focus_misses(request);

	if (missing)
		error_tell("ipclens: --focus: the trace has no process and no finding '%s'; "
			   "`ipclens stats` names the processes, `ipclens diagnose` the findings",
			   missing);
	return !missing;
}

void focus_options_free(struct focus_options *focus)
{
	free(focus->items);
	*focus = (struct focus_options){0};
}
