// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Prints a line, forks, and prints more: how often the line comes out depends on whether it lay in
 * the buffer of stdio. `| cat` shows it; on a terminal it is printed once in any case.
 */
#include "tests/labs/lab.h"

#define BEGIN "begin\n"

static void go_on(pid_t child)
{
	printf(child ? "parent\n" : "child\n");
}

static void printed_before(void)
{
	printf(BEGIN);
	go_on((pid_t)lab_check(fork(), "fork"));
}

static void three_children(void)
{
	printf(BEGIN);
	for (int i = 0; i < 3; i++)
		if (!lab_check(fork(), "fork")) {
			printf("child %d\n", i);
			return;
		}
	printf("parent\n");
}

static void flushed(void)
{
	printf(BEGIN);
	go_on(lab_fork());
}

static void by_line(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	printed_before();
}

/* All that each writes is the same line, which is what it printed after the fork. */
static void printed_after(void)
{
	fork();
	fork();
	printf(BEGIN);
}

static void leaves_it(void)
{
	pid_t child;

	printf(BEGIN);
	child = (pid_t)lab_check(fork(), "fork");
	if (!child)
		_exit(EXIT_SUCCESS);
	printf("parent\n");
}

static void executes(void)
{
	printf(BEGIN);
	if (!lab_check(fork(), "fork")) {
		execl("/bin/echo", "echo", "begin\nchild", (char *)NULL);
		lab_die("exec");
	}
	printf("parent\n");
}

static const struct way {
	const char *name;
	void (*run)(void);
} ways[] = {
	{"printed-before", printed_before},
	{"three-children", three_children},
	{"flushed", flushed},
	{"by-line", by_line},
	{"printed-after", printed_after},
	{"leaves-it", leaves_it},
	{"executes", executes},
};

int main(int argc, char **argv)
{
	const char *name = lab_word(argc, argv, 1, "printed-before");

	lab_help(argc, argv,
		 "[printed-before|three-children|flushed|by-line|printed-after|"
		 "leaves-it|executes]: prints a line before fork()");
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (lab_is(name, ways[i].name)) {
			ways[i].run();
			while (wait(NULL) > 0)
				;
			return EXIT_SUCCESS;
		}
	lab_usage(name);
}
