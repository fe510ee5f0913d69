/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Draws a trace in one call: the work of `ipclens view`, and of `ipclens run` when its command has
 * ended. The options are a child parser for argp, which both commands share:
 *
 *	static const struct argp_child children[] = {{&view_argp, 0, "Picture:", 0}, {0}};
 *	... at ARGP_KEY_INIT: state->child_inputs[0] = &view_options;
 */
#ifndef VIZ_CLI_VIEW_H
#define VIZ_CLI_VIEW_H

#include <argp.h>
#include <stdio.h>

#include "viz/base/terminal.h"
#include "viz/cli/focus_options.h"
#include "viz/message/filter.h"
#include "viz/render/render.h"
#include "viz/scene/build.h"

/* The findings that view_draw() prints on `out`, wherever the picture goes. */
enum view_findings {
	VIEW_NO_FINDINGS,
	VIEW_FINDINGS_BRIEF, /* errors and warnings after the picture, a line each */
	VIEW_FINDINGS_ONLY   /* all findings in full, no picture */
};

struct view_options {
	enum view_findings findings;
	enum language language;	   /* of all texts; view_argp sets the environment's */
	enum severity fail_on;	   /* SEVERITY_NONE: never */
	const struct renderer *as; /* NULL: by the ending of `output`, else text */
	const char *output;	   /* NULL: to `out` of view_draw() */
	size_t max_rows;	   /* 0: all */
	int width;		   /* 0: the terminal's */
	enum term_when colour;
	enum scene_via via;
	bool group;
	bool threads;
	struct focus_options focus;
	bool unfold;  /* draw each repetition, no loops */
	bool dissect; /* ask tshark what messages say */
	bool ascii;
	bool no_pager;
	struct viz_filter filter;
};

#define VIEW_OPTIONS_DEFAULT                                                                       \
	{                                                                                          \
		.max_rows = 400                                                                    \
	}

/*
 * Child parser for argp; its input is a struct view_options initialised with VIEW_OPTIONS_DEFAULT.
 */
extern const struct argp view_argp;

/*
 * Reads the trace and draws it to options->output or, without one, to `out`; through a pager if
 * `out` is stdout on a terminal and the picture is longer than the screen. Reports errors on
 * stderr. Returns an exit status (command.h). If the reader of `out` is gone, returns
 * STATUS_FAILURE without a message.
 */
int view_draw(FILE *out, const char *trace, const struct view_options *options);

/*
 * Whether the findings of a trace meet options->fail_on: VIEW_FAILS if they do, VIEW_UNKNOWN if the
 * trace could not be diagnosed.
 */
enum view_verdict { VIEW_UNKNOWN, VIEW_PASSES, VIEW_FAILS };

/*
 * As view_draw(), for an open trace, read from its current position; `name` is used in error
 * messages.
 */
int view_draw_stream(FILE *out, FILE *trace, const char *name, const struct view_options *options,
		     enum view_verdict *verdict);

void view_options_free(struct view_options *options);

#endif
