// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* ipclens diagnose: what went wrong in a trace. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "command.h"
#include "diagnose.h"
#include "term.h"

enum diagnose_key {
	OPTION_JSON = 0x1000,
	OPTION_FAIL_ON,
	OPTION_LANG,
	OPTION_ASCII,
	OPTION_COLOR,
	OPTION_NO_PAGER
};

struct diagnose_options {
	const char *trace;
	bool json, ascii, no_pager;
	enum severity fail_on; /* SEVERITY_NONE: never */
	enum language language;
	enum term_when colour;
};

static const struct argp_option options[] = {
	{"json", OPTION_JSON, NULL, 0, "print a JSON line for each finding, then a summary", 0},
	{"fail-on", OPTION_FAIL_ON, "SEVERITY", 0,
	 "exit with status 1 where a finding is at least error, warning or note", 0},
	{"lang", OPTION_LANG, "LANGUAGE", 0, "en or de (German where LANG is)", 0},
	{"ascii", OPTION_ASCII, NULL, 0, "mark findings with ASCII characters", 0},
	{"color", OPTION_COLOR, "WHEN", 0, "auto, always or never (auto; see also NO_COLOR)", 0},
	{"colour", OPTION_COLOR, NULL, OPTION_ALIAS, NULL, 0},
	{"no-pager", OPTION_NO_PAGER, NULL, 0, "no pager, even if it is longer than the screen", 0},
	{0},
};

static const char about[] =
	"Says what went wrong in a trace, worst first: who waits for what, held by whom, since "
	"when, and what to change. TRACE is a file or - (stdin); without it, ipclens.ndjson."
	"\v"
	"Examples:\n"
	"  ipclens diagnose lab.ndjson\n"
	"  ipclens diagnose --fail-on warning lab.ndjson || echo 'not yet'\n"
	"  ipclens diagnose --json lab.ndjson | jq -r 'select(.severity == \"error\").text'\n"
	"  ipclens explain deadlock";

static void parse_words(int key, const char *text, struct argp_state *state)
{
	struct diagnose_options *o = state->input;

	if (key == OPTION_FAIL_ON) {
		o->fail_on = severity_by_name(text);
		if (!o->fail_on)
			argp_error(state, "--fail-on wants error, warning or note, not '%s'", text);
	} else if (key == OPTION_LANG) {
		if (!language_by_name(text, &o->language))
			argp_error(state, "--lang wants en or de, not '%s'", text);
	} else if (!term_parse_when(text, &o->colour)) {
		argp_error(state, "--color wants auto, always or never, not '%s'", text);
	}
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct diagnose_options *o = state->input;

	switch (key) {
	case OPTION_JSON:
		o->json = true;
		return 0;
	case OPTION_FAIL_ON:
	case OPTION_LANG:
	case OPTION_COLOR:
		parse_words(key, arg, state);
		return 0;
	case OPTION_ASCII:
		o->ascii = true;
		return 0;
	case OPTION_NO_PAGER:
		o->no_pager = true;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num > 0)
			argp_error(state, "one trace, please: '%s' is another", arg);
		o->trace = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static bool meets_bar(const struct diagnosis *d, enum severity bar)
{
	for (int i = bar; bar && i < SEVERITY_COUNT; i++)
		if (d->severities[i])
			return true;
	return false;
}

static int put(const char *text, size_t len, const struct term *term, bool pager)
{
	size_t lines = 0;

	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	if (pager && term->tty && term->rows > 0 && lines >= (size_t)term->rows &&
	    term_page(text, len))
		return 0;
	return fwrite(text, 1, len, stdout) == len && fflush(stdout) == 0 ? 0 : -errno;
}

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
	term_look(&term, STDOUT_FILENO, o->colour);
	style.utf8 = term.utf8 && !o->ascii;
	style.colour = term.colour;
	style.width = term.width;
	err = o->json ? diagnosis_print_json(memory, d) : diagnosis_print(memory, d, &style);
	if (fclose(memory) && !err)
		err = -ENOMEM;
	if (!err)
		err = put(text, len, &term, !o->no_pager && !o->json);
	free(text);
	return err == -EPIPE ? 0 : err; /* a reader that has had enough is no failure */
}

static int diagnose_trace(const struct diagnose_options *o)
{
	struct viz_pairing *pairing = NULL;
	struct diagnosis *d = NULL;
	struct viz_model *model;
	struct viz_error error;
	int err, status;

	if (viz_model_read(o->trace, &model, &error)) {
		fprintf(stderr, "ipclens: %s\n", error.text);
		return STATUS_USAGE; /* 1 is the bar's */
	}
	if (model->warning.data)
		fprintf(stderr, "ipclens: %s\n", model->warning.data);
	err = viz_pair(model, &pairing);
	if (!err) {
		d = diagnose(model, pairing, o->language);
		err = print(o, d);
	}
	if (err)
		fprintf(stderr, "ipclens: diagnose: %s\n", strerror(-err));
	status = err ? STATUS_USAGE : meets_bar(d, o->fail_on) ? STATUS_FAILURE : STATUS_OK;
	diagnosis_free(d);
	viz_pairing_free(pairing);
	viz_model_free(model);
	return status;
}

int cmd_diagnose(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options, .parser = parse, .args_doc = "[TRACE]", .doc = about};
	struct diagnose_options o = {.trace = "ipclens.ndjson",
				     .language = language_of_environment()};

	if (command_parse(&argp, argc, argv, 0, &o))
		return STATUS_USAGE;
	return diagnose_trace(&o);
}
