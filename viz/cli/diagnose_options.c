// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/cli/diagnose_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "viz/base/error.h"
#include "viz/base/memory.h"
#include "viz/base/progress.h"
#include "viz/cli/command.h"
#include "viz/diagnose/diagnose.h"
#include "viz/pair/stream.h"
#include "viz/pair/thinned.h"
#include "viz/scene/build.h"

enum diagnose_key { OPTION_JSON = 0x1000, OPTION_FAIL_ON, OPTION_LANG };

static const struct argp_option options[] = {
	{"json", OPTION_JSON, NULL, 0, "print a JSON line for each finding, then a summary", 0},
	COMMAND_OPTION_FAIL_ON(OPTION_FAIL_ON),
	COMMAND_OPTION_LANG(OPTION_LANG),
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct diagnose_options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		*o = (struct diagnose_options){.language = language_of_environment()};
		state->child_inputs[0] = &o->shown;
		state->child_inputs[1] = &o->focus;
		return 0;
	case OPTION_JSON:
		o->json = true;
		return 0;
	case OPTION_FAIL_ON:
		o->fail_on = command_severity(state, arg);
		return 0;
	case OPTION_LANG:
		o->language = command_language(state, arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = {
	{&shown_argp, 0, NULL, 0}, {&focus_argp, 0, NULL, 0}, {0}};

const struct argp diagnose_argp = {.options = options, .parser = parse, .children = children};

static int print(const struct diagnose_options *o, struct diagnosis *d)
{
	struct term term;
	struct diagnosis_style style = {0};
	char *text = NULL;
	size_t len = 0;
	FILE *memory = memory_stream(&text, &len);
	int err;

	term_look(&term, STDOUT_FILENO, o->shown.colour);
	style.utf8 = term.utf8 && !o->shown.ascii;
	style.colour = term.colour;
	style.width = term.width;
	err = o->json ? diagnosis_print_json(memory, d) : diagnosis_print(memory, d, &style);
	memory_stream_end(memory);
	if (!err)
		err = shown_put(text, len, &term, !o->shown.no_pager && !o->json);
	free(text);
	return err == -EPIPE ? 0 : err; /* a reader that stops early is no failure */
}

/* Keeps the findings that concern what --focus names; false if it names nothing. */
static bool look_at(struct diagnosis *d, const struct focus_options *focus)
{
	const struct scene_request request = {.model = d->model,
					      .pairing = d->pairing,
					      .diagnosis = d,
					      .focus = focus_wanted(focus)};
	bool *wanted;

	if (!focus->count)
		return true;
	if (!focus_is_there(&request))
		return false;
	wanted = scene_focus_findings(&request);
	diagnosis_keep(d, wanted);
	free(wanted);
	return true;
}

/* STATUS_FAILURE is reserved for --fail-on. */
static int complain(const char *text)
{
	error_tell("ipclens: %s", text);
	return STATUS_USAGE;
}

/* Diagnoses the model. */
static int show(const struct viz_model *model, const struct viz_pairing *pairing,
		const struct diagnose_options *o, struct progress *progress)
{
	struct diagnosis *d;
	int err = 0, status = STATUS_USAGE;
	bool there;

	if (model->warning[o->language].data)
		error_tell("ipclens: %s", model->warning[o->language].data);
	progress_stage(progress, "looking for faults");
	d = diagnose_only(model, pairing, o->language, o->pids, o->pid_count);
	progress_hide(progress);
	there = look_at(d, &o->focus);
	if (there)
		err = print(o, d);
	if (err)
		error_tell("ipclens: diagnose: %s", strerror(-err));
	if (there && !err)
		status = diagnosis_meets(d, o->fail_on) ? STATUS_FAILURE : STATUS_OK;
	diagnosis_free(d);
	return status;
}

int diagnose_show_stream(FILE *trace, const char *name, const struct diagnose_options *o)
{
	struct progress *progress = progress_new();
	struct viz_thinned thinned;
	struct viz_error error;
	int status;

	if (viz_thinned_read_stream(trace, name, VIZ_THINNED_ENDS, progress, &thinned, &error)) {
		status = complain(error.text);
	} else {
		status = show(thinned.model, thinned.pairing, o, progress);
		viz_thinned_free(&thinned);
	}
	progress_end(progress);
	return status;
}

int diagnose_show(const char *trace, const struct diagnose_options *o)
{
	struct viz_error error;
	FILE *file;
	int status;

	if (viz_stream_open(trace, &file, &error))
		return complain(error.text);
	status = diagnose_show_stream(file, viz_stream_name(trace), o);
	viz_stream_close(file);
	return status;
}
