// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Two processes, two pipes, and each wants to hear the other before it says a word: this program
 * never ends by itself. Let one of them write first and it is healed.
 */
#include "tests/labs/lab.h"

/* Reads, then would write. */
static void converse(int from, int to, const char *text)
{
	char buf[64];
	size_t n;

	truth(.action = "holds", .mechanism = "pipe", .fd = to);
	truth(.action = "waits", .mechanism = "pipe", .fd = from);
	truth_flush();
	n = lab_read(from, "pipe", "never", buf, sizeof(buf));
	if (n)
		lab_write_text(to, "pipe", "never", text);
}

int main(int argc, char **argv)
{
	int there[2], back[2];
	pid_t child;

	lab_help(argc, argv, ": hangs; two processes read from each other first");
	lab_check(pipe(there), "pipe");
	lab_check(pipe(back), "pipe");
	child = lab_fork();
	if (!child) {
		close(there[1]);
		close(back[0]);
		converse(there[0], back[1], "pong");
		exit(EXIT_SUCCESS);
	}
	close(there[0]);
	close(back[1]);
	converse(back[0], there[1], "ping");
	lab_reap_well(child);
	return EXIT_SUCCESS;
}
