// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Programs that wait in a call which is taken to end sooner, or for something else. Each logs who
 * is party to it ("party") before it hangs; with `outsider` it is sound.
 */
#include <pthread.h>
#include <sys/mman.h>

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
	char name[] = "lease-XXXXXX", byte;
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

/* It waits for more than its peer sends before that waits for an answer. */
static void waits_for_all(void)
{
	char buf[16];
	int ends[2];
	pid_t child;

	lab_check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
	child = lab_fork();
	if (!child) {
		close(ends[0]);
		lab_check(write(ends[1], "hello", 5), "write");
		lab_check(read(ends[1], buf, sizeof(buf)), "read");
		exit(EXIT_SUCCESS);
	}
	close(ends[1]);
	party(getpid());
	party(child);
	truth_flush();
	lab_check(recv(ends[0], buf, outsider_wanted ? 5 : 10, MSG_WAITALL), "recv");
	lab_check(write(ends[0], "answer", 6), "write");
	lab_reap_well(child);
}

/* A barrier for three, to which two come. */
static void barrier(void)
{
	pthread_barrier_t *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
					 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_barrierattr_t attributes;
	pid_t child;

	lab_expect(shared != MAP_FAILED, "mmap");
	pthread_barrierattr_init(&attributes);
	pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(shared, &attributes, outsider_wanted ? 2 : 3);
	child = lab_fork();
	if (child) {
		party(getpid());
		party(child);
		truth_flush();
	}
	pthread_barrier_wait(shared);
	if (!child)
		exit(EXIT_SUCCESS);
	lab_reap_well(child);
}

int main(int argc, char **argv)
{
	static const struct mistake rows[] = {
		{"lease", lease},
		{"waits-for-all", waits_for_all},
		{"barrier", barrier},
	};

	return mistake_main(argc, argv, "MISTAKE: waits long", rows, MISTAKES(rows));
}
