// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The words of a call that waits: for what. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "scene_draft.h"
#include "scene_text.h"

#define WAITS_SHOWN 4

static const char *purpose(const struct viz_wait *wait)
{
	bool in = viz_wait_has(wait, IN) || viz_wait_has(wait, RDNORM);
	bool out = viz_wait_has(wait, OUT) || viz_wait_has(wait, WRNORM);

	if (in && out)
		return " to read or write";
	if (in)
		return " to read";
	if (out)
		return " to write";
	return viz_wait_has(wait, PRI) ? " for urgent data" : "";
}

static bool put_wait(FILE *out, const struct viz_wait *wait)
{
	char *name = wait->channel ? scene_channel_name(wait->channel) : NULL;

	if (wait->channel && !name)
		return false;
	if (name)
		fprintf(out, "%s%s", name, purpose(wait));
	else
		fprintf(out, "fd %" PRId32 "%s", wait->fd, purpose(wait));
	free(name);
	return true;
}

static bool put_waits(FILE *out, const struct viz_operation *op)
{
	const char *what = "channels";

	for (size_t i = 0; i < op->waits_for_count; i++)
		if (!op->waits_for[i].channel)
			what = "descriptors";
	if (op->waits_for_count == 1)
		what = *what == 'c' ? "channel" : "descriptor";
	fprintf(out, "(%zu%s %s: ", op->waits_for_count, op->waits_cut ? " or more" : "", what);
	for (size_t i = 0; i < op->waits_for_count && i < WAITS_SHOWN; i++) {
		fputs(i ? ", " : "", out);
		if (!put_wait(out, &op->waits_for[i]))
			return false;
	}
	fputs(op->waits_for_count > WAITS_SHOWN || op->waits_cut ? ", …)" : ")", out);
	return true;
}

/* poll(2 channels: pipe:[1] to read, pipe:[2] to write) */
char *scene_call_waits(const struct viz_operation *op)
{
	char *name = scene_harmless(op->syscall.data ? op->syscall.data : "", op->syscall.len);
	char *text = NULL;
	size_t len = 0;
	FILE *out;
	bool good = false;

	if (!op->waits_for_count) {
		free(name);
		return scene_call(op);
	}
	out = open_memstream(&text, &len);
	if (name && out) {
		fputs(name, out);
		good = put_waits(out, op);
	}
	if (out && fclose(out))
		good = false;
	free(name);
	if (good)
		return text;
	free(text);
	return NULL;
}
