// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* ipclens view: draws a trace. */
#include "viz/cli/command.h"
#include "viz/cli/view.h"

struct view_words {
	struct view_options options;
	const char *trace;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct view_words *words = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &words->options;
		break;
	case ARGP_KEY_ARG:
		command_trace(state, arg, &words->trace);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const char doc[] =
	"Draws who sent what to whom, from a trace (ipclens.ndjson if none is named, - is stdin)."
	"\vExamples:\n"
	"  ipclens view                         draw ipclens.ndjson\n"
	"  ipclens view -o picture.txt my.ndjson\n"
	"  ipclens view --mechanism pipe --from ls my.ndjson\n"
	"  ipclens view --focus deadlock --depth 2\n"
	"  ipclens record -o - -- make | ipclens view -\n";

int cmd_view(int argc, char **argv)
{
	static const struct argp_child children[] = {{&view_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {
		.parser = parse, .args_doc = "[TRACE]", .doc = doc, .children = children};
	struct view_words words = {.options = VIEW_OPTIONS_DEFAULT, .trace = TRACE_DEFAULT};
	int status;

	argp_err_exit_status = STATUS_USAGE;
	if (command_parse(&argp, argc, argv, 0, &words))
		return STATUS_USAGE;
	status = view_draw(stdout, words.trace, &words.options);
	view_options_free(&words.options);
	return status;
}
