// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Parses the options of a picture, for `view` and `run`. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "viz/cli/command.h"
#include "viz/cli/view.h"

enum { WIDTH_LEAST = 20 };

enum view_key {
	OPTION_AS = 0x1000,
	OPTION_MAX,
	OPTION_UNFOLD,
	OPTION_DISSECT,
	OPTION_KERNEL,
	OPTION_LANES,
	OPTION_GROUP,
	OPTION_THREADS,
	OPTION_WIDTH,
	OPTION_ASCII,
	OPTION_COLOR,
	OPTION_LANG,
	OPTION_NO_PAGER
};

#define FORMATS_HELP                                                                               \
	"draw it as FORMAT (otherwise as the ending of the output file says, else text):"

static const struct argp_option options[] = {
	{"as", OPTION_AS, "FORMAT", 0, FORMATS_HELP
#define RENDERER(id, name, ending, needs, help) " " name " (." ending "): " help ";"
#include "viz/render/renderers.def"
#undef RENDERER
	 ,
	 0},
	{"output", 'o', "FILE", 0, "write the picture to FILE, readable for its owner only", 0},
	{"max", OPTION_MAX, "ROWS", 0, "draw at most ROWS rows, 0 for all (400)", 0},
	{"kernel", OPTION_KERNEL, NULL, 0,
	 "draw the kernel as a lane: each message is copied into it (▲) and out of it (▼)", 0},
	{"lanes", OPTION_LANES, "WHAT", 0,
	 "processes (the default), or channels: each is a lane too, a mailbox", 0},
	{"group", OPTION_GROUP, NULL, 0, "draw like processes, as eight workers, as one lane", 0},
	{"threads", OPTION_THREADS, NULL, 0,
	 "draw each thread as a lane, name [pid/tid], not its process", 0},
	{"unfold", OPTION_UNFOLD, NULL, 0, "draw each of what repeats, not a loop", 0},
	{"dissect", OPTION_DISSECT, NULL, 0,
	 "have Wireshark's tshark, where it is installed, say what messages mean: TLS, HTTP/2, "
	 "gRPC, "
	 "AMQP, MQTT, memcached, ONC RPC, X11, DNS, ...; it needs a trace with --payload 1024, as "
	 "run "
	 "--dissect makes it; a file or a terminal has the picture at once, and once more with "
	 "its words when tshark has answered",
	 0},
	{"width", OPTION_WIDTH, "COLUMNS", 0, "as wide as that (the terminal's width, or $COLUMNS)",
	 0},
	{"ascii", OPTION_ASCII, NULL, 0, "draw with ASCII characters only", 0},
	{"color", OPTION_COLOR, "WHEN", 0, "auto, always or never (auto; see also NO_COLOR)", 0},
	{"colour", OPTION_COLOR, NULL, OPTION_ALIAS, NULL, 0},
	COMMAND_OPTION_LANG(OPTION_LANG),
	{"no-pager", OPTION_NO_PAGER, NULL, 0, "no pager, even if it is longer than the screen", 0},
	{0},
};

static void parse_format(struct argp_state *state, struct view_options *view, const char *text)
{
	view->as = renderer_by_name(text);
	if (!view->as)
		argp_error(state, "there is no format '%s'; --help lists them", text);
}

static void parse_lanes(struct argp_state *state, struct view_options *view, const char *text)
{
	if (strcmp(text, "channels") == 0)
		view->via = SCENE_VIA_CHANNELS;
	else if (strcmp(text, "processes") != 0)
		argp_error(state, "--lanes wants processes or channels, not '%s'", text);
}

/* What lanes there are, and how the picture is written. */
static error_t parse_display(int key, char *arg, struct argp_state *state)
{
	struct view_options *view = state->input;

	switch (key) {
	case OPTION_KERNEL:
		view->via = SCENE_VIA_KERNEL;
		break;
	case OPTION_LANES:
		parse_lanes(state, view, arg);
		break;
	case OPTION_GROUP:
		view->group = true;
		break;
	case OPTION_THREADS:
		view->threads = true;
		break;
	case OPTION_UNFOLD:
		view->unfold = true;
		break;
	case OPTION_WIDTH:
		view->width = command_width(state, arg, WIDTH_LEAST);
		break;
	case OPTION_ASCII:
		view->ascii = true;
		break;
	case OPTION_COLOR:
		if (!term_parse_when(arg, &view->colour))
			argp_error(state, "--color wants auto, always or never, not '%s'", arg);
		break;
	case OPTION_LANG:
		view->language = command_language(state, arg);
		break;
	case OPTION_NO_PAGER:
		view->no_pager = true;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct view_options *view = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &view->filter;
		state->child_inputs[1] = &view->focus;
		view->language = language_of_environment();
		break;
	case OPTION_AS:
		parse_format(state, view, arg);
		break;
	case 'o':
		view->output = arg;
		break;
	case OPTION_MAX:
		view->max_rows = command_count(state, arg, "max");
		break;
	case OPTION_DISSECT:
		view->dissect = true;
		break;
	default:
		return parse_display(key, arg, state);
	}
	return 0;
}

static const struct argp_child children[] = {
	{&filter_argp, 0, "Filters:", 0}, {&focus_argp, 0, NULL, 0}, {0}};

const struct argp view_argp = {.options = options, .parser = parse, .children = children};
