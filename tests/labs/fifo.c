// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A FIFO: a writer and a reader that meet at a name in the file system. */
#include <sys/stat.h>

#include "tests/labs/lab.h"

#define CHANNEL "fifo"

__attribute__((noreturn)) static void reader(const char *path)
{
	int fd = (int)lab_check(open(path, O_RDONLY), "open for reading");

	lab_expect(lab_read_all(fd, "fifo", CHANNEL) == 15, "15 bytes came");
	close(fd);
	exit(EXIT_SUCCESS);
}

static void writer(const char *path)
{
	int fd = (int)lab_check(open(path, O_WRONLY), "open for writing");

	lab_write_text(fd, "fifo", CHANNEL, "first");
	lab_write_text(fd, "fifo", CHANNEL, "second");
	lab_write_text(fd, "fifo", CHANNEL, "last");
	close(fd);
}

int main(int argc, char **argv)
{
	char name[64];
	const char *path;
	pid_t child;

	lab_help(argc, argv,
		 "[PATH]: makes a FIFO at PATH, sends three texts through it, removes it");
	snprintf(name, sizeof(name), "/tmp/fifo-%d", getpid());
	path = lab_word(argc, argv, 1, name);
	lab_check(mkfifo(path, 0600), path);
	child = lab_fork();
	if (!child)
		reader(path);
	writer(path);
	lab_reap_well(child);
	lab_check(unlink(path), path);
	return EXIT_SUCCESS;
}
