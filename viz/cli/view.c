// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/cli/view.h"

#include <string.h>

#include "viz/base/error.h"
#include "viz/base/progress.h"
#include "viz/cli/command.h"
#include "viz/cli/picture.h"
#include "viz/diagnose/diagnose.h"
#include "viz/dissect/dissect.h"

static int complain(const char *what, const char *why)
{
	error_tell("ipclens: %s: %s", what, why);
	return STATUS_FAILURE;
}

/* Then something is said in any case. */
static bool ended_by_limit(const struct diagnosis *d)
{
	return d->model->header.command_count && d->model->trailer.why == END_REASON_TIMEOUT;
}

static int report_findings(FILE *out, struct diagnosis *d, const struct view_options *options)
{
	struct diagnosis_style style = {.brief = options->findings == VIEW_FINDINGS_BRIEF,
					.notes = ended_by_limit(d) &&
						 !diagnosis_meets(d, SEVERITY_WARNING)};
	struct term term;
	int err;

	term_look(&term, fileno(out), options->colour);
	style.utf8 = term.utf8 && !options->ascii;
	style.colour = term.colour;
	style.width = options->width ? options->width : term.width;
	err = diagnosis_print(out, d, &style);
	return err || fflush(out) ? STATUS_FAILURE : STATUS_OK;
}

static int draw_model(FILE *out, struct viz_model *model, const struct view_options *options,
		      enum view_verdict *verdict, struct progress *progress)
{
	struct viz_pairing *pairing = NULL;
	struct dissection *dissection = NULL;
	struct diagnosis *d;
	int status = STATUS_OK, err;

	progress_stage(progress, "pairing messages");
	err = viz_pair(model, &pairing);
	progress_hide(progress);
	if (err)
		return complain("cannot draw", strerror(-err));
	if (options->dissect && options->findings != VIEW_FINDINGS_ONLY)
		dissection = dissect_start(model, pairing);
	progress_stage(progress, "looking for faults");
	d = diagnose(model, pairing, options->language); /* while tshark works */
	progress_hide(progress);
	if (options->findings != VIEW_FINDINGS_ONLY)
		status = picture_draw(&(struct drawing){out, options, model, pairing, d, progress},
				      dissection);
	*verdict = diagnosis_meets(d, options->fail_on) ? VIEW_FAILS : VIEW_PASSES;
	if (!status && options->findings != VIEW_NO_FINDINGS)
		status = report_findings(out, d, options);
	diagnosis_free(d);
	dissect_free(dissection);
	viz_pairing_free(pairing);
	return status;
}

int view_draw(FILE *out, const char *trace, const struct view_options *options)
{
	struct progress *progress = progress_new();
	enum view_verdict verdict;
	struct viz_model *model;
	struct viz_error error;
	int status = STATUS_FAILURE;

	if (viz_model_read(trace, progress, &model, &error)) {
		error_tell("ipclens: %s", error.text);
	} else {
		status = draw_model(out, model, options, &verdict, progress);
		viz_model_free(model);
	}
	progress_end(progress);
	return status;
}

int view_draw_stream(FILE *out, FILE *trace, const char *name, const struct view_options *options,
		     enum view_verdict *verdict)
{
	struct progress *progress = progress_new();
	struct viz_model *model;
	struct viz_error error;
	int status = STATUS_FAILURE;

	*verdict = VIEW_UNKNOWN;
	if (viz_model_read_stream(trace, name, progress, &model, &error)) {
		error_tell("ipclens: %s", error.text);
	} else {
		status = draw_model(out, model, options, verdict, progress);
		viz_model_free(model);
	}
	progress_end(progress);
	return status;
}

void view_options_free(struct view_options *options)
{
	viz_filter_free(&options->filter);
	focus_options_free(&options->focus);
}
