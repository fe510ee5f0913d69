// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A crew of threads in one process: main gives a job to `fetch`, which made `parse`, which hands on
 * to `store`, which answers main. Each sleeps until its turn comes. Then `fetch` gets a signal.
 */
#include <semaphore.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "tests/labs/lab.h"
#include <signal.h>

enum { JOBS = 2, MEMBERS = 3 };

/* members[i] reads from ways[i] and writes to ways[i + 1]; main does the rest. */
static struct crew {
	int ways[MEMBERS + 1][2];
	pthread_t members[MEMBERS];
	pid_t tids[MEMBERS];
	sem_t ready, handled;
} crew;

static const char *const names[] = {"fetch", "parse", "store"};
static const size_t numbers[] = {0, 1, 2};
static const char *const words[] = {"to-fetch", "to-parse", "to-store", "to-main"};

static void on_signal(int number)
{
	(void)number;
	sem_post(&crew.handled);
}

static void *work(void *arg);

static void hire(size_t member)
{
	errno = pthread_create(&crew.members[member], NULL, work, (void *)&numbers[member]);
	if (errno)
		lab_die("pthread_create");
}

static void *work(void *arg)
{
	size_t member = *(const size_t *)arg;
	char buf[64];
	size_t n;

	prctl(PR_SET_NAME, names[member]);
	truth(.action = "thread", .channel = names[member]);
	crew.tids[member] = gettid();
	if (member == 0)
		hire(1);
	sem_post(&crew.ready);
	while ((n = lab_read(crew.ways[member][0], "pipe", words[member], buf, sizeof(buf))) > 0)
		lab_write(crew.ways[member + 1][1], "pipe", words[member + 1], buf, n);
	close(crew.ways[member + 1][1]);
	return NULL;
}

static void send_jobs(void)
{
	char buf[64];

	for (int job = 0; job < JOBS; job++) {
		for (size_t i = 0; i < MEMBERS; i++)
			lab_wait_blocked(crew.tids[i], SYS_read);
		snprintf(buf, sizeof(buf), "job %d", job);
		lab_write_text(crew.ways[0][1], "pipe", words[0], buf);
		lab_read(crew.ways[MEMBERS][0], "pipe", words[MEMBERS], buf, sizeof(buf));
	}
}

static void signal_one(size_t member)
{
	lab_wait_blocked(crew.tids[member], SYS_read);
	truth(.action = "signal-sent", .signal = SIGUSR1, .to = crew.tids[member]);
	errno = pthread_kill(crew.members[member], SIGUSR1);
	if (errno)
		lab_die("pthread_kill");
	while (sem_wait(&crew.handled))
		if (errno != EINTR)
			lab_die("sem_wait");
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	char buf[8];

	lab_help(argc, argv, ": threads that pass a job on, each over a pipe");
	lab_check(sigaction(SIGUSR1, &action, NULL), "sigaction");
	lab_check(sem_init(&crew.ready, 0, 0), "sem_init");
	lab_check(sem_init(&crew.handled, 0, 0), "sem_init");
	for (size_t i = 0; i <= MEMBERS; i++)
		lab_check(pipe(crew.ways[i]), "pipe");
	truth(.action = "thread", .channel = "crew");
	hire(0);
	hire(2);
	for (size_t i = 0; i < MEMBERS; i++)
		lab_check(sem_wait(&crew.ready), "sem_wait");
	send_jobs();
	signal_one(0);
	close(crew.ways[0][1]);
	lab_expect(lab_read(crew.ways[MEMBERS][0], "pipe", words[MEMBERS], buf, sizeof(buf)) == 0,
		   "the end comes back");
	for (size_t i = 0; i < MEMBERS; i++)
		pthread_join(crew.members[i], NULL);
	return EXIT_SUCCESS;
}
