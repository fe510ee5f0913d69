// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Programs that end, and have one mistake each. Each logs who is party to it ("party") and through
 * which channel ("channel").
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "lab.h"

static void party(pid_t pid)
{
	truth(.action = "party", .to = pid);
}

/* By the number that the trace calls it by. */
static void channel(const char *mechanism, int fd)
{
	struct stat status;

	lab_check(fstat(fd, &status), "fstat");
	truth(.action = "channel", .mechanism = mechanism, .value = (long)status.st_ino);
}

/* The reader ends before the writer writes. */
static void write_too_late(bool ignoring)
{
	int ends[2];
	pid_t child;

	lab_check(pipe(ends), "pipe");
	child = lab_fork();
	if (!child) {
		party(getpid());
		exit(EXIT_SUCCESS);
	}
	close(ends[0]);
	lab_reap_well(child);
	party(getpid());
	channel("pipe", ends[1]);
	truth_flush();
	if (ignoring)
		signal(SIGPIPE, SIG_IGN);
	lab_expect(write(ends[1], "x", 1) < 0, "nobody reads");
}

static void sigpipe(void)
{
	write_too_late(false);
}

static void epipe(void)
{
	write_too_late(true);
}

/* The child has no handler. */
static void no_handler(void)
{
	pid_t child = lab_fork();

	if (!child)
		for (;;)
			pause();
	party(child);
	party(getpid());
	lab_check(kill(child, SIGUSR1), "kill");
	lab_reap(child);
}

static void crash(void)
{
	pid_t child = lab_fork();

	if (!child) {
		char *page = mmap(NULL, 1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		*(volatile char *)page = 1; /* the mistake */
	}
	party(child);
	lab_reap(child);
}

static const struct mistake_row {
	const char *name;
	void (*run)(void);
} mistake_rows[] = {
	{"sigpipe", sigpipe},
	{"epipe", epipe},
	{"no-handler", no_handler},
	{"crash", crash},
};

int main(int argc, char **argv)
{
	const char *name = lab_word(argc, argv, 1, "");

	lab_help(argc, argv, "MISTAKE: makes it, and ends");
	for (size_t i = 0; i < sizeof(mistake_rows) / sizeof(mistake_rows[0]); i++)
		if (lab_is(name, mistake_rows[i].name)) {
			mistake_rows[i].run();
			return EXIT_SUCCESS;
		}
	lab_usage(name);
}
