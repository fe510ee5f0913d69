/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From a trace to a picture in one call: what `ipclens view` does, and `ipclens run` when its
 * command has ended. The options are a child parser, so that both commands take the same:
 *
 *	static const struct argp_child children[] = {{&view_argp, 0, "Picture:", 0}, {0}};
 *	... at ARGP_KEY_INIT: state->child_inputs[0] = &view_options;
 */
#ifndef VIZ_VIEW_H
#define VIZ_VIEW_H

#include <argp.h>
#include <stdio.h>

#include "filter.h"
#include "render.h"
#include "scene_build.h"
#include "term.h"

/* What else view_draw() tells, on `out` wherever the picture goes. */
enum view_findings {
	VIEW_NO_FINDINGS,
	VIEW_FINDINGS_BRIEF, /* after the picture, errors and warnings, a line each */
	VIEW_FINDINGS_ONLY   /* whole, and no picture */
};

struct view_options {
	enum view_findings findings;
	enum language language;	   /* of findings; view_argp begins with the environment's */
	enum severity fail_on;	   /* SEVERITY_NONE: no bar */
	const struct renderer *as; /* NULL: as the ending of `output` says, else text */
	const char *output;	   /* NULL: where the caller says */
	size_t max_rows;	   /* 0: all */
	int width;		   /* 0: the terminal's */
	enum term_when colour;
	enum scene_via via;
	bool group;
	bool threads;
	bool unfold; /* each of what repeats */
	bool ascii;
	bool no_pager;
	struct viz_filter filter;
};

#define VIEW_OPTIONS_DEFAULT                                                                       \
	{                                                                                          \
		.max_rows = 400                                                                    \
	}

/* Takes a struct view_options as input, initialised with VIEW_OPTIONS_DEFAULT. */
extern const struct argp view_argp;

/*
 * Reads the trace and draws it to options->output or, without one, to `out`; to a terminal's
 * stdout through a pager where it is longer than the screen. Says on stderr what went wrong. Gives
 * an exit status: enum in command.h. A reader of `out` that is gone is no error to speak of, but
 * STATUS_FAILURE.
 */
int view_draw(FILE *out, const char *trace, const struct view_options *options);

/* How the findings of a trace stand to options->fail_on. */
enum view_verdict { VIEW_UNKNOWN, VIEW_PASSES, VIEW_FAILS };

/* The same of an open trace, read from where it stands; `name` is for errors. */
int view_draw_stream(FILE *out, FILE *trace, const char *name, const struct view_options *options,
		     enum view_verdict *verdict);

void view_options_free(struct view_options *options);

#endif
