// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Sends data that lies in pages which were never touched: a literal, and a file mapped afresh. At
 * the call's entry they are not in memory, so a tracer that looks only then sees nothing.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include "tests/labs/lab.h"

/* The kernel maps the pages around a touched one too, so keep a wide distance from all others. */
#define DISTANCE (256 * 1024)

static const struct {
	char before[DISTANCE];
	char text[4096];
	char after[DISTANCE];
} cold_literal __attribute__((aligned(4096))) = {.before = "x", .text = "a cold literal"};

/* Whether the page is mapped now: bit 63 of its entry in /proc/self/pagemap. */
static bool page_present(const void *address)
{
	uint64_t entry;
	int fd = (int)lab_check(open("/proc/self/pagemap", O_RDONLY), "pagemap");
	off_t offset = (off_t)((uintptr_t)address / 4096 * sizeof(entry));

	lab_expect(pread(fd, &entry, sizeof(entry), offset) == sizeof(entry),
		   "pagemap is readable");
	close(fd);
	return entry >> 63;
}

static const char *map_fresh(const char *text)
{
	char path[] = "/tmp/coldpage-XXXXXX";
	int fd = (int)lab_check(mkstemp(path), "mkstemp");
	const char *page;

	lab_check(unlink(path), "unlink");
	lab_check(pwrite(fd, text, strlen(text), 0), "pwrite");
	page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	if (page == MAP_FAILED)
		lab_die("mmap");
	close(fd);
	return page;
}

static void send_cold(int fd, const char *page, size_t len)
{
	lab_expect(!page_present(page), "the page is cold");
	lab_write(fd, "pipe", "pipe", page, len);
}

/* A name may lie where nobody has looked yet, too. */
static void open_cold(void)
{
	char path[64];
	const char *name;

	snprintf(path, sizeof(path), "/tmp/coldpage-%d", getpid());
	lab_check(mkfifo(path, 0600), "mkfifo");
	name = map_fresh(path);
	lab_expect(!page_present(name), "the page is cold");
	close((int)lab_check(open(name, O_RDWR), "open"));
	truth(.action = "opens", .mechanism = "fifo", .channel = path);
	lab_check(unlink(path), "unlink");
}

int main(int argc, char **argv)
{
	int ends[2];
	pid_t child;

	lab_help(argc, argv, ": sends from pages that are not in memory yet");
	lab_check(pipe(ends), "pipe");
	child = lab_fork();
	close(ends[!child]);
	if (!child) {
		lab_expect(lab_read_all(ends[0], "pipe", "pipe") == 33, "all bytes came");
		exit(EXIT_SUCCESS);
	}
	send_cold(ends[1], cold_literal.text, strlen("a cold literal"));
	send_cold(ends[1], map_fresh("a page of a mapping"), strlen("a page of a mapping"));
	close(ends[1]);
	open_cold();
	lab_reap_well(child);
	return EXIT_SUCCESS;
}
