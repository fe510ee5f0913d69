// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* An eventfd: additions meet a reader that takes their sum, or, as a semaphore, one at a time. */
#include <sys/eventfd.h>
#include <sys/syscall.h>

#include "tests/labs/lab.h"

static void add(int fd, uint64_t value)
{
	ssize_t n = write(fd, &value, sizeof(value));

	truth(.action = "send", .mechanism = "eventfd", .result = n, .value = (long)value);
	lab_check(n, "write");
}

static void take(int fd, uint64_t expected)
{
	uint64_t value = 0;
	ssize_t n = read(fd, &value, sizeof(value));

	truth(.action = "receive", .mechanism = "eventfd", .result = n, .value = (long)value);
	lab_check(n, "read");
	lab_expect(value == expected, "the right value came");
}

static void run(unsigned int flags)
{
	int fd = (int)lab_check(eventfd(0, (int)flags), "eventfd");
	pid_t child;

	add(fd, 3);
	add(fd, 4);
	child = lab_fork();
	if (!child) {
		for (int i = 0; flags && i < 7; i++)
			take(fd, 1);
		if (!flags)
			take(fd, 7);
		take(fd, flags ? 1 : 5);
		exit(EXIT_SUCCESS);
	}
	lab_wait_blocked(child, SYS_read);
	add(fd, flags ? 1 : 5);
	lab_reap_well(child);
	close(fd);
}

int main(int argc, char **argv)
{
	const char *how;

	lab_help(argc, argv,
		 "[sum|semaphore]: a parent adds, a child takes, the last time waiting");
	how = lab_word(argc, argv, 1, "sum");
	if (!lab_is(how, "sum") && !lab_is(how, "semaphore"))
		lab_usage(how);
	run(lab_is(how, "semaphore") ? EFD_SEMAPHORE : 0);
	return EXIT_SUCCESS;
}
