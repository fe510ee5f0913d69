// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <fcntl.h>
#include <unistd.h>

#include "commands.h"
#include "viz/command.h"

#define COMMAND(name, run, help) {name, run, help},
#define VIEWER_COMMAND(name, run, help)
static const struct command commands[] = {
#include "commands.def"
#include "viz/commands.def"
};
#undef VIEWER_COMMAND
#undef COMMAND

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
 * Somebody may start us with stdin, stdout or stderr closed; what we open next must not land there.
 * The command we start still finds them closed; we find what cannot be read or written either.
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
