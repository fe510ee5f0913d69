// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Programs that wait in a call which is taken to end sooner, or for something else. Each logs who is
 * party to it ("party") before it hangs; with `outsider` it is sound.
 */
#include "tests/labs/mistake.h"

static int leased;

static void give_back(int number)
{
	(void)number;
	lab_check(fcntl(leased, F_SETLEASE, F_UNLCK), "F_UNLCK");
}

/* The child gives its lease back when it is asked to only if it is sound. */
static void lease(void)
{
	char name[] = "/tmp/ipclens-lease-XXXXXX", byte;
	int ends[2], fd = (int)lab_check(mkstemp(name), "mkstemp");
	pid_t child;

	pipe_make(ends);
	child = lab_fork();
	if (!child) {
		leased = fd;
		signal(SIGIO, outsider_wanted ? give_back : mistake_nothing);
		lab_check(fcntl(fd, F_SETLEASE, F_WRLCK), "F_SETLEASE");
		lab_check(write(ends[1], "x", 1), "write");
		for (;;)
			pause();
	}
	close(fd);
	party(getpid());
	party(child);
	truth_flush();
	lab_check(read(ends[0], &byte, 1), "read");
	fd = open(name, O_RDONLY);
	unlink(name);
	lab_check(fd, "open");
	lab_check(kill(child, SIGKILL), "kill");
	lab_reap(child);
}

int main(int argc, char **argv)
{
	static const struct mistake rows[] = {
		{"lease", lease},
	};

	return mistake_main(argc, argv, "MISTAKE: waits long", rows, MISTAKES(rows));
}
