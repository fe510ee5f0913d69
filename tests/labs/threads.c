// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Two threads of one process talk over a pipe: sender and receiver share a pid. */
#include "tests/labs/lab.h"

static void *reader(void *arg)
{
	const int *ends = arg;

	lab_expect(lab_read_all(ends[0], "pipe", "pipe") == 16, "all bytes came");
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	int ends[2];

	lab_help(argc, argv, ": one thread writes, another reads");
	lab_check(pipe(ends), "pipe");
	errno = pthread_create(&thread, NULL, reader, ends);
	if (errno)
		lab_die("pthread_create");
	lab_write_text(ends[1], "pipe", "pipe", "between ");
	lab_write_text(ends[1], "pipe", "pipe", "threads.");
	close(ends[1]);
	errno = pthread_join(thread, NULL);
	if (errno)
		lab_die("pthread_join");
	close(ends[0]);
	return EXIT_SUCCESS;
}
