/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Puts a picture where it belongs: into a file, on a terminal, into a pager. While tshark works,
 * the picture is there without its words, and then once more with them; a pipe gets only the last.
 */
#ifndef VIZ_CLI_PICTURE_H
#define VIZ_CLI_PICTURE_H

#include "viz/base/progress.h"
#include "viz/cli/view.h"
#include "viz/diagnose/diagnose.h"
#include "viz/dissect/dissect.h"

/* What is to be drawn. */
struct drawing {
	FILE *out; /* unless options->output says where */
	const struct view_options *options;
	const struct viz_model *model;
	const struct viz_pairing *pairing;
	const struct diagnosis *diagnosis;
	struct progress *progress;
};

/*
 * Draws it, with the words of `dissection` where that is not NULL. Returns an exit status
 * (command.h), after a message.
 */
int picture_draw(const struct drawing *drawing, struct dissection *dissection);

/*
 * True if it can be drawn of packed messages (viz/pair/thinned.h): text, formats with lanes and
 * rows, and a page of all.
 */
bool picture_takes_packed(const struct view_options *options);

#endif
