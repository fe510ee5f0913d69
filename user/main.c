// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The program ipclens: the table of its commands. */
#include <fcntl.h>
#include <unistd.h>

#include "user/cli/commands.h"
#include "viz/cli/command.h"

static const struct command commands[] = {
#define COMMAND(name, run, help) {name, run, help, .as_root = true},
#include "user/cli/commands.def"
#undef COMMAND
#define COMMAND(name, run, help) {name, run, help, .as_root = false},
#define VIEWER_COMMAND(name, run, help)
#include "viz/cli/commands.def"
#undef VIEWER_COMMAND
#undef COMMAND
};

static const struct command_set set = {
	.program = "ipclens",
	.about = "See who says what to whom: a tracer of inter-process communication on Linux.",
	.examples = "  sudo ipclens run -- sh -c 'ls | wc'      trace a pipeline and draw it\n"
		    "  sudo ipclens record -- ./lab             keep the trace\n"
		    "  ipclens view                             draw it\n"
		    "  ipclens messages | jq .bytes             each message as JSON\n",
	.commands = commands,
	.count = sizeof(commands) / sizeof(commands[0]),
};

/*
 * If stdin, stdout or stderr is closed, fills it with /dev/null, opened so that reading or writing
 * it still fails, lest a file opened later gets its number. The traced command still finds it
 * closed.
 */
static void standard_descriptors_keep(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", (fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) | O_CLOEXEC) != fd)
			_exit(STATUS_FAILURE);
}

int main(int argc, char **argv)
{
	standard_descriptors_keep();
	return command_main(&set, argc, argv);
}
