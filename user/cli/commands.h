/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The entry points of the commands in commands.def. */
#ifndef USER_CLI_COMMANDS_H
#define USER_CLI_COMMANDS_H

#define COMMAND(name, run, help) int run(int argc, char **argv);
#include "user/cli/commands.def"
#undef COMMAND

#endif
