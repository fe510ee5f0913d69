/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What all lab programs need: checked calls, children, and waiting for another process without
 * a clock. Each lab is one process tree that ends by itself with status 0 (unless its help says
 * otherwise) and status 1 with a line on stderr where a call fails.
 */
#ifndef TESTS_LABS_LAB_H
#define TESTS_LABS_LAB_H

#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tests/labs/truth.h"

__attribute__((noreturn)) static inline void lab_die(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(EXIT_FAILURE);
}

/* The value of a call that must not fail. */
static inline long lab_check(long value, const char *what)
{
	if (value < 0)
		lab_die(what);
	return value;
}

/* Fails where something that the program itself guarantees does not hold. */
static inline void lab_expect(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "%s: not so: %s\n", program_invocation_short_name, what);
	exit(EXIT_FAILURE);
}

static inline bool lab_is(const char *word, const char *wanted)
{
	return strcmp(word, wanted) == 0;
}

static inline void lab_help(int argc, char **argv, const char *help)
{
	if (argc < 2 || !lab_is(argv[1], "--help"))
		return;
	printf("usage: %s %s\n", program_invocation_short_name, help);
	exit(EXIT_SUCCESS);
}

/* argv[index] as a number, or `otherwise` where there is none. */
static inline long lab_number(int argc, char **argv, int index, long otherwise)
{
	char *end;
	long value;

	if (index >= argc)
		return otherwise;
	errno = 0;
	value = strtol(argv[index], &end, 0);
	if (errno || *end || end == argv[index] || value < 0) {
		fprintf(stderr, "%s: not a number: %s\n", program_invocation_short_name,
			argv[index]);
		exit(2);
	}
	return value;
}

static inline const char *lab_word(int argc, char **argv, int index, const char *otherwise)
{
	return index < argc ? argv[index] : otherwise;
}

__attribute__((noreturn)) static inline void lab_usage(const char *what)
{
	fprintf(stderr, "%s: unknown argument: %s (try --help)\n", program_invocation_short_name,
		what);
	exit(2);
}

/* fork() that leaves nothing in stdout's buffer to be printed twice. */
static inline pid_t lab_fork(void)
{
	if (fflush(stdout))
		lab_die("fflush");
	return (pid_t)lab_check(fork(), "fork");
}

/* Waits for a child and logs its end; the status as waitpid() gives it. */
static inline int lab_reap(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			lab_die("waitpid");
	truth(.action = "child", .to = child, .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
	      .value = WIFEXITED(status) ? WEXITSTATUS(status) : 0);
	return status;
}

static inline void lab_reap_well(pid_t child)
{
	lab_expect(lab_reap(child) == 0, "a child ends with status 0");
}

/* Sends on a stream, all or fail. */
static inline void lab_write(int fd, const char *mechanism, const char *channel, const void *data,
			     size_t len)
{
	ssize_t n = write(fd, data, len);

	truth(.action = "send", .mechanism = mechanism, .channel = channel, .data = data,
	      .result = n, .fd = fd);
	lab_expect(lab_check(n, "write") == (ssize_t)len, "write takes all");
}

static inline void lab_write_text(int fd, const char *mechanism, const char *channel,
				  const char *text)
{
	lab_write(fd, mechanism, channel, text, strlen(text));
}

/* Receives once from a stream: the bytes got, 0 at its end. */
static inline size_t lab_read(int fd, const char *mechanism, const char *channel, void *buf,
			      size_t size)
{
	ssize_t n = read(fd, buf, size);

	truth(.action = n ? "receive" : "eof", .mechanism = mechanism, .channel = channel,
	      .data = buf, .result = n, .fd = fd);
	return (size_t)lab_check(n, "read");
}

/* Receives until the stream ends; how many bytes came. */
static inline size_t lab_read_all(int fd, const char *mechanism, const char *channel)
{
	char buf[4096];
	size_t total = 0, n;

	while ((n = lab_read(fd, mechanism, channel, buf, sizeof(buf))) > 0)
		total += n;
	return total;
}

/* What the C library calls where a processor, as arm64, lacks the older call of that name. */
#ifdef SYS_poll
enum {
	LAB_POLL = SYS_poll,
	LAB_PAUSE = SYS_pause,
	LAB_SELECT = SYS_select,
	LAB_EPOLL_WAIT = SYS_epoll_wait
};
#else
enum {
	LAB_POLL = SYS_ppoll,
	LAB_PAUSE = SYS_ppoll,
	LAB_SELECT = SYS_pselect6,
	LAB_EPOLL_WAIT = SYS_epoll_pwait
};
#endif

/*
 * Returns when the thread sleeps in the given system call. /proc/PID/syscall says "running" as
 * long as it does not sleep; a wait without a clock, so nothing depends on the machine's speed.
 */
static inline void lab_wait_blocked(pid_t tid, long call)
{
	char path[64], line[128];

	snprintf(path, sizeof(path), "/proc/%d/syscall", tid);
	for (;;) {
		int fd = (int)lab_check(open(path, O_RDONLY | O_CLOEXEC), path);
		ssize_t n = lab_check(read(fd, line, sizeof(line) - 1), path);

		close(fd);
		line[n] = '\0';
		if (line[0] >= '0' && line[0] <= '9' && strtol(line, NULL, 10) == call)
			return;
		sched_yield();
	}
}

/*
 * Returns when a thread that ends by itself is gone with all that it held: CLONE_CHILD_CLEARTID
 * comes before its descriptors are closed (kernel/exit.c, do_exit).
 */
static inline void lab_wait_gone(pid_t tid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d", tid);
	while (!access(path, F_OK))
		sched_yield();
}

#endif
