// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* ipclens-view: the viewer alone, for machines where nothing can be traced. */
#include "viz/cli/command.h"

#define COMMAND(name, run, help) {name, run, help, .as_root = false},
#define VIEWER_COMMAND COMMAND
static const struct command commands[] = {
#include "viz/cli/commands.def"
};
#undef VIEWER_COMMAND
#undef COMMAND

static const struct command_set set = {
	.program = "ipclens-view",
	.about = "Shows who says what to whom in a trace that ipclens recorded.",
	.examples = "  ipclens-view view lab.ndjson             draw it\n"
		    "  ipclens-view messages lab.ndjson | jq    each message as JSON\n",
	.commands = commands,
	.count = sizeof(commands) / sizeof(commands[0]),
};

int main(int argc, char **argv)
{
	return command_main(&set, argc, argv);
}
