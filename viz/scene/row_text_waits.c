// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The text of a waiting call: its name, and what it waits for. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "viz/base/memory.h"
#include "viz/base/safe_text.h"
#include "viz/scene/drafts.h"

#define WAITS_SHOWN 4

static const char *purpose(const struct viz_wait *wait)
{
	bool in = viz_wait_has(wait, IN) || viz_wait_has(wait, RDNORM);
	bool out = viz_wait_has(wait, OUT) || viz_wait_has(wait, WRNORM);

	if (viz_wait_has(wait, DISABLED))
		return " (told once, not asked again)";
	if (in && out)
		return " to read or write";
	if (in)
		return " to read";
	if (out)
		return " to write";
	return viz_wait_has(wait, PRI) ? " for urgent data" : "";
}

static void put_wait(const struct scene *scene, FILE *out, const struct viz_wait *wait)
{
	char *name = wait->channel ? scene_channel_name(scene, wait->channel) : NULL;

	if (name)
		fprintf(out, "%s%s", name, scene_say(scene, purpose(wait)));
	else
		fprintf(out, "fd %" PRId32 "%s", wait->fd, scene_say(scene, purpose(wait)));
	free(name);
}

static void put_waits(const struct scene *scene, FILE *out, const struct viz_operation *op)
{
	const char *what = "channels";

	for (size_t i = 0; i < op->extra->waits_for_count; i++)
		if (!op->extra->waits_for[i].channel)
			what = "descriptors";
	if (op->extra->waits_for_count == 1)
		what = *what == 'c' ? "channel" : "descriptor";
	fprintf(out, "(%zu%s %s: ", op->extra->waits_for_count,
		op->extra->waits_cut ? scene_say(scene, " or more") : "", scene_say(scene, what));
	for (size_t i = 0; i < op->extra->waits_for_count && i < WAITS_SHOWN; i++) {
		fputs(i ? ", " : "", out);
		put_wait(scene, out, &op->extra->waits_for[i]);
	}
	fputs(op->extra->waits_for_count > WAITS_SHOWN || op->extra->waits_cut ? ", …)" : ")", out);
}

/*
 * "poll(2 channels: pipe:[1] to read, pipe:[2] to write)"; calls without such a list: scene_call().
 */
char *scene_call_waits(const struct scene *scene, const struct viz_operation *op)
{
	char *name, *text = NULL;
	size_t len = 0;
	FILE *out;

	if (!op->extra->waits_for_count)
		return scene_call(op);
	name = scene_harmless(op->syscall.data ? op->syscall.data : "", op->syscall.len);
	out = memory_stream(&text, &len);
	fputs(name, out);
	put_waits(scene, out, op);
	memory_stream_end(out);
	free(name);
	return text;
}
