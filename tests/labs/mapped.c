// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Shares memory of every kind and then only waits, for a tracer that comes too late for calls. */
#include <signal.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>

#include "tests/labs/lab.h"

enum { PAGES = 4096 };

static void note(const char *what, const char *mechanism, const void *memory, size_t size,
		 bool writes)
{
	truth(.action = "mapped", .channel = what, .mechanism = mechanism,
	      .result = (intptr_t)memory, .bytes = size, .value = writes);
}

static void share(const char *what, int fd, size_t size, int protection, int flags)
{
	void *memory = mmap(NULL, size, protection, MAP_SHARED | flags, fd, 0);

	lab_expect(memory != MAP_FAILED, "mmap");
	note(what, "shared-mmap", memory, size, protection & PROT_WRITE);
}

static void share_file(const char *path)
{
	int fd = (int)lab_check(open(path, O_RDWR | O_CREAT | O_TRUNC, 0600), "open");

	lab_check(ftruncate(fd, 2 * PAGES), "ftruncate");
	share("file", fd, 2 * PAGES, PROT_READ | PROT_WRITE, 0);
	close(fd);
}

static void share_memfd(void)
{
	int fd = (int)lab_check(memfd_create("mapped", 0), "memfd_create");

	lab_check(ftruncate(fd, 3 * PAGES), "ftruncate");
	share("memfd", fd, 3 * PAGES, PROT_READ, 0);
	close(fd);
}

static void share_segment(void)
{
	int id = (int)lab_check(shmget(IPC_PRIVATE, 4 * PAGES, 0600), "shmget");
	void *memory = shmat(id, NULL, 0);

	lab_expect((intptr_t)memory != -1, "shmat");
	shmctl(id, IPC_RMID, NULL);
	note("segment", "sysv-shm", memory, 4 * PAGES, true);
}

int main(int argc, char **argv)
{
	sigset_t set;
	int number;

	lab_help(argc, argv, "FILE: shares memory, logs it, and waits for SIGUSR1");
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	share_file(lab_word(argc, argv, 1, "mapped.file"));
	share_memfd();
	share("anonymous", -1, 5 * PAGES, PROT_READ | PROT_WRITE, MAP_ANONYMOUS);
	share_segment();
	lab_expect(mmap(NULL, PAGES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
			   MAP_FAILED,
		   "mmap of its own");
	truth_flush();
	sigwait(&set, &number);
	return EXIT_SUCCESS;
}
