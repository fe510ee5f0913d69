// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/cli/view.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <string.h>

#include "viz/base/error.h"
#include "viz/base/progress.h"
#include "viz/cli/command.h"
#include "viz/cli/picture.h"
#include "viz/diagnose/diagnose.h"
#include "viz/dissect/dissect.h"
#include "viz/pair/stream.h"
#include "viz/pair/thinned.h"
#include "viz/protocol/talks.h"

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

/* What was read of a trace: packed (viz/pair/thinned.h), or all as it is. */
struct reading {
	struct viz_model *model;
	struct viz_pairing *pairing; /* NULL: the model is not paired yet */
	struct progress *progress;
};

/* 0, or the status after a message. */
static int pair(struct reading *reading)
{
	int err;

	if (reading->pairing)
		return STATUS_OK;
	progress_stage(reading->progress, "pairing messages");
	err = viz_pair(reading->model, &reading->pairing);
	progress_hide(reading->progress);
	return err ? complain("cannot draw", strerror(-err)) : STATUS_OK;
}

static int draw_reading(FILE *out, struct reading *reading, const struct view_options *options,
			enum view_verdict *verdict)
{
	struct progress *progress = reading->progress;
	struct viz_model *model = reading->model;
	struct dissection *dissection = NULL;
	struct diagnosis *d;
	int status = pair(reading);

	if (status)
		return status;
	if (options->dissect && options->findings != VIEW_FINDINGS_ONLY)
		dissection = dissect_start(model, reading->pairing);
	progress_stage(progress, "looking for faults");
	d = diagnose(model, reading->pairing, options->language); /* while tshark works */
	progress_hide(progress);
	if (options->findings != VIEW_FINDINGS_ONLY)
		status = picture_draw(
			&(struct drawing){out, options, model, reading->pairing, d, progress},
			dissection);
	*verdict = diagnosis_meets(d, options->fail_on) ? VIEW_FAILS : VIEW_PASSES;
	if (!status && options->findings != VIEW_NO_FINDINGS)
		status = report_findings(out, d, options);
	diagnosis_free(d);
	dissect_free(dissection);
	return status;
}

/* Memory of calls that were read and packed lies in small free pieces, which nobody needs now. */
static void give_back_memory(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

static void hear(void *talks, const struct viz_operation *op)
{
	protocol_hear(talks, op);
}

static int read_packed(FILE *trace, const char *name, struct reading *reading,
		       struct viz_error *error)
{
	struct protocol_talks talks = {0};
	const struct viz_packing packing = {VIZ_PACKED_ENDS, hear, &talks};
	struct viz_thinned read;
	int err = viz_packed_read_stream(trace, name, &packing, reading->progress, &read, error);

	protocol_talks_free(&talks);
	if (err)
		return err;
	reading->model = read.model;
	reading->pairing = read.pairing;
	give_back_memory();
	return 0;
}

/* Data formats, a filtered page and tshark need each call and message as it is. */
static int read_trace(FILE *trace, const char *name, const struct view_options *options,
		      struct reading *reading, struct viz_error *error)
{
	if (picture_takes_packed(options) && !options->dissect)
		return read_packed(trace, name, reading, error);
	return viz_model_read_stream(trace, name, reading->progress, &reading->model, error);
}

int view_draw_stream(FILE *out, FILE *trace, const char *name, const struct view_options *options,
		     enum view_verdict *verdict)
{
	struct reading reading = {.progress = progress_new()};
	struct viz_error error;
	int status = STATUS_FAILURE;

	*verdict = VIEW_UNKNOWN;
	if (read_trace(trace, name, options, &reading, &error)) {
		error_tell("ipclens: %s", error.text);
	} else {
		status = draw_reading(out, &reading, options, verdict);
		viz_pairing_free(reading.pairing);
		viz_model_free(reading.model);
	}
	progress_end(reading.progress);
	return status;
}

int view_draw(FILE *out, const char *trace, const struct view_options *options)
{
	enum view_verdict verdict;
	struct viz_error error;
	FILE *file;
	int status;

	if (viz_stream_open(trace, &file, &error)) {
		error_tell("ipclens: %s", error.text);
		return STATUS_FAILURE;
	}
	status = view_draw_stream(out, file, viz_stream_name(trace), options, &verdict);
	viz_stream_close(file);
	return status;
}

void view_options_free(struct view_options *options)
{
	viz_filter_free(&options->filter);
	focus_options_free(&options->focus);
}
