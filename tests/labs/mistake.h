/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Programs with one mistake each: a table of them is a lab. Each logs who is party to it ("party")
 * and through which channel ("channel").
 *
 *	static const struct mistake rows[] = {{"both-read", both_read}, …};
 *
 *	int main(int argc, char **argv)
 *	{
 *		return mistake_main(argc, argv, "MISTAKE: makes it", rows, MISTAKES(rows));
 *	}
 */
#ifndef TESTS_LABS_MISTAKE_H
#define TESTS_LABS_MISTAKE_H

#include <signal.h>
#include <sys/stat.h>

#include "tests/labs/lab.h"
#include "tests/labs/loopback.h"

struct mistake {
	const char *name;
	void (*run)(void);
};

#define MISTAKES(rows) (sizeof(rows) / sizeof((rows)[0]))

__attribute__((noreturn)) static inline void hang_in_read(int fd)
{
	char buf[64];

	truth_flush();
	while (read(fd, buf, sizeof(buf)) > 0)
		;
	exit(EXIT_SUCCESS);
}

__attribute__((noreturn)) static inline void hang_in_pause(void)
{
	truth_flush();
	for (;;)
		pause();
}

static bool outsider_wanted, orphan_wanted;

/*
 * `LAB MISTAKE outsider`: one more who holds all that its parent does. It could help, and only does
 * not: nothing is hopeless then. `LAB MISTAKE orphan`: the same, and its parent has ended: nobody
 * can see whose child it was. The test has to end it.
 */
static inline void outsider_maybe(void)
{
	pid_t child;

	if (outsider_wanted && !lab_fork())
		hang_in_pause();
	if (!orphan_wanted)
		return;
	child = lab_fork();
	if (child) {
		lab_reap_well(child);
		return;
	}
	lab_check(setsid(), "setsid");
	if (lab_fork())
		exit(EXIT_SUCCESS);
	truth(.action = "orphan", .to = getpid());
	hang_in_pause();
}

static inline int mistake_main(int argc, char **argv, const char *help, const struct mistake *rows,
			       size_t count)
{
	const char *name = lab_word(argc, argv, 1, "");

	lab_help(argc, argv, help);
	outsider_wanted = argc > 2 && lab_is(argv[2], "outsider");
	orphan_wanted = argc > 2 && lab_is(argv[2], "orphan");
	for (size_t i = 0; i < count; i++)
		if (lab_is(name, rows[i].name)) {
			rows[i].run();
			return EXIT_SUCCESS;
		}
	lab_usage(name);
}

static inline void party(pid_t pid)
{
	truth(.action = "party", .to = pid);
}

static inline void channel_number(const char *mechanism, long number)
{
	truth(.action = "channel", .mechanism = mechanism, .value = number);
}

/* By the number that the trace calls it by. */
static inline void channel(const char *mechanism, int fd)
{
	struct stat status;

	lab_check(fstat(fd, &status), "fstat");
	channel_number(mechanism, (long)status.st_ino);
}

/* The same of memory that is mapped shared, or of a futex in it (proc_pid_maps(5)). */
static inline void channel_memory(const char *mechanism, const void *memory)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long from, to, number;
	char line[512];

	lab_expect(maps != NULL, "maps");
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %*s %*x %*s %lu", &from, &to, &number) == 3 &&
		    from <= (unsigned long)memory && (unsigned long)memory < to)
			channel_number(mechanism, (long)number);
	fclose(maps);
}

static inline void pipe_make(int ends[2])
{
	lab_check(pipe(ends), "pipe");
}

/* A child, and a pipe each way. */
static inline pid_t fork_with_pipes(int there[2], int back[2])
{
	pipe_make(there);
	pipe_make(back);
	outsider_maybe();
	return lab_fork();
}

/* A FIFO without a name any more, open at both ends. */
static inline void fifo_make(int ends[2])
{
	char folder[] = "/tmp/ipclens-fifo-XXXXXX", name[64];

	lab_expect(mkdtemp(folder) != NULL, "mkdtemp");
	snprintf(name, sizeof(name), "%s/fifo", folder);
	lab_check(mkfifo(name, 0600), "mkfifo");
	ends[0] = (int)lab_check(open(name, O_RDONLY | O_NONBLOCK), "open");
	ends[1] = (int)lab_check(open(name, O_WRONLY), "open");
	lab_check(fcntl(ends[0], F_SETFL, 0), "fcntl");
	lab_check(unlink(name), "unlink");
	lab_check(rmdir(folder), "rmdir");
}

/* More than fits goes in without waiting, and its rest nowhere; a child reads it. */
static inline void write_in_part(int ends[2])
{
	static char big[1 << 22], buf[1 << 16];
	pid_t child;

	party(getpid());
	lab_check(fcntl(ends[1], F_SETFL, O_NONBLOCK), "fcntl");
	lab_expect(write(ends[1], big, sizeof(big)) < (ssize_t)sizeof(big), "not all fits");
	child = lab_fork();
	if (!child) {
		close(ends[1]);
		while (lab_check(read(ends[0], buf, sizeof(buf)), "read") > 0)
			;
		exit(EXIT_SUCCESS);
	}
	close(ends[0]);
	close(ends[1]);
	lab_reap_well(child);
}

/* As the ancillary data of a message of one byte (unix(7)). */
static inline void send_descriptor(int socket, int fd)
{
	char room[CMSG_SPACE(sizeof(int))] = "";
	struct iovec part = {"x", 1};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = room,
				 .msg_controllen = sizeof(room)};
	struct cmsghdr *control = CMSG_FIRSTHDR(&message);

	control->cmsg_level = SOL_SOCKET;
	control->cmsg_type = SCM_RIGHTS;
	control->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(control), &fd, sizeof(int));
	lab_check(sendmsg(socket, &message, 0), "sendmsg");
}

static inline void mistake_nothing(int number)
{
	(void)number;
}

#endif
