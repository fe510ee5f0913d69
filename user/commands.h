/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef USER_COMMANDS_H
#define USER_COMMANDS_H

#define COMMAND(name, run, help) int run(int argc, char **argv);
#include "commands.def"
#undef COMMAND

#endif
