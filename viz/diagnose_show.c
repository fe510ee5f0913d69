// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "diagnose_show.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "diagnose.h"

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

static const struct argp_child children[] = {{&shown_argp, 0, NULL, 0}, {0}};

const struct argp diagnose_argp = {.options = options, .parser = parse, .children = children};

static int print(const struct diagnose_options *o, struct diagnosis *d)
{
	struct term term;
	struct diagnosis_style style = {0};
	char *text = NULL;
	size_t len = 0;
	FILE *memory = open_memstream(&text, &len);
	int err;

	if (!memory)
		return -ENOMEM;
	term_look(&term, STDOUT_FILENO, o->shown.colour);
	style.utf8 = term.utf8 && !o->shown.ascii;
	style.colour = term.colour;
	style.width = term.width;
	err = o->json ? diagnosis_print_json(memory, d) : diagnosis_print(memory, d, &style);
	if (fclose(memory) && !err)
		err = -ENOMEM;
	if (!err)
		err = shown_put(text, len, &term, !o->shown.no_pager && !o->json);
	free(text);
	return err == -EPIPE ? 0 : err; /* a reader that has had enough is no failure */
}

/* Frees the model. */
static int show(struct viz_model *model, const struct diagnose_options *o)
{
	struct viz_pairing *pairing = NULL;
	struct diagnosis *d = NULL;
	int err, status;

	if (model->warning.data)
		fprintf(stderr, "ipclens: %s\n", model->warning.data);
	err = viz_pair(model, &pairing);
	if (!err) {
		d = diagnose_only(model, pairing, o->language, o->pids, o->pid_count);
		err = print(o, d);
	}
	if (err)
		fprintf(stderr, "ipclens: diagnose: %s\n", strerror(-err));
	status = err ? STATUS_USAGE : diagnosis_meets(d, o->fail_on) ? STATUS_FAILURE : STATUS_OK;
	diagnosis_free(d);
	viz_pairing_free(pairing);
	viz_model_free(model);
	return status;
}

/* 1 is the bar's. */
static int complain(const struct viz_error *error)
{
	fprintf(stderr, "ipclens: %s\n", error->text);
	return STATUS_USAGE;
}

int diagnose_show(const char *trace, const struct diagnose_options *o)
{
	struct viz_model *model;
	struct viz_error error;

	return viz_model_read(trace, &model, &error) ? complain(&error) : show(model, o);
}

int diagnose_show_stream(FILE *trace, const char *name, const struct diagnose_options *o)
{
	struct viz_model *model;
	struct viz_error error;

	return viz_model_read_stream(trace, name, &model, &error) ? complain(&error)
								  : show(model, o);
}
