// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Two commands joined by a pipe, after the operating-systems lecture: `connect ls wc` is the
 * shell's `ls | wc`. Both processes become other programs, so there is no truth to log.
 */
#include "tests/labs/lab.h"

enum { READ_END, WRITE_END };

/* Becomes `command` with one end of the pipe as its standard descriptor `target`. */
__attribute__((noreturn)) static void become(char *command, int ends[2], int end, int target)
{
	close(ends[!end]);
	lab_check(dup2(ends[end], target), "dup2");
	close(ends[end]);
	execlp(command, command, (char *)NULL);
	lab_die(command);
}

int main(int argc, char **argv)
{
	int ends[2];

	lab_help(argc, argv, "WRITER READER: runs WRITER | READER, as in: connect ls wc");
	if (argc != 3)
		lab_usage(argc < 3 ? "two commands are needed" : argv[3]);
	lab_check(pipe(ends), "pipe");
	if (lab_fork() > 0)
		become(argv[1], ends, WRITE_END, STDOUT_FILENO);
	become(argv[2], ends, READ_END, STDIN_FILENO);
}
