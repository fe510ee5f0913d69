// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The same numbers again: objects are made and destroyed many times, so that the kernel gives their
 * addresses, ids and inode numbers to the next ones. Each round says a text of its own, which is
 * received, and leaves another one unread, which nobody of a later round must get.
 */
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "tests/labs/lab.h"
#include "tests/labs/loopback.h"

static const char *mechanism;

/* From `to` to `from`, and something back that stays. */
static void speak(int to, int from, int round)
{
	char text[32], buf[32];

	snprintf(text, sizeof(text), "round %d", round);
	lab_write_text(to, mechanism, text, text);
	lab_expect(lab_read(from, mechanism, text, buf, sizeof(buf)) == strlen(text), "it came");
	snprintf(text, sizeof(text), "left by %d", round);
	lab_check(write(to, text, strlen(text)), "write");
	truth(.action = "leave", .mechanism = mechanism, .data = text,
	      .result = (ssize_t)strlen(text));
	close(to);
	close(from);
}

static void over_pipe(int round, const char *path)
{
	int ends[2];

	(void)path;
	lab_check(pipe(ends), "pipe");
	speak(ends[1], ends[0], round);
}

static void over_socketpair(int round, const char *path)
{
	int ends[2];

	(void)path;
	lab_check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
	speak(ends[1], ends[0], round);
}

static void over_dgram(int round, const char *path)
{
	int ends[2];

	(void)path;
	lab_check(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), "socketpair");
	speak(ends[1], ends[0], round);
}

/* The listener is closed once it has accepted, so that its address is free for the next one. */
static void over_tcp(int round, const char *path)
{
	int ends[2];

	(void)path;
	inet_pair(SOCK_STREAM, ends);
	speak(ends[0], ends[1], round);
}

/* A new file under the old name: its inode number may well be the old one too. */
static void over_fifo(int round, const char *path)
{
	int from, to;

	lab_check(mkfifo(path, 0600), path);
	from = (int)lab_check(open(path, O_RDONLY | O_NONBLOCK), path);
	to = (int)lab_check(open(path, O_WRONLY), path);
	lab_check(unlink(path), path);
	speak(to, from, round);
}

/* The same FIFO each time: what is left in it goes with its last end. */
static void over_same_fifo(int round, const char *path)
{
	int from, to;

	if (round == 0)
		lab_check(mkfifo(path, 0600), path);
	from = (int)lab_check(open(path, O_RDONLY | O_NONBLOCK), path);
	to = (int)lab_check(open(path, O_WRONLY), path);
	speak(to, from, round);
}

/* What each one holds is its own; the kernel counts from the lowest id that is free. */
static void over_eventfd(int round, const char *path)
{
	int fd = (int)lab_check(eventfd(0, 0), "eventfd");
	uint64_t value = 1000 + (uint64_t)round, got;

	(void)path;
	lab_check(write(fd, &value, sizeof(value)), "write");
	lab_check(read(fd, &got, sizeof(got)), "read");
	lab_expect(got == value, "its own");
	truth(.action = "count", .mechanism = mechanism, .value = (long)value);
	value = 7;
	lab_check(write(fd, &value, sizeof(value)), "write");
	close(fd);
}

/* A child of the wanted pid, which is free. */
static pid_t fork_as(pid_t wanted)
{
	struct clone_args args = {
		.exit_signal = SIGCHLD, .set_tid = (uint64_t)&wanted, .set_tid_size = 1};
	pid_t child = wanted ? (pid_t)syscall(SYS_clone3, &args, sizeof(args)) : lab_fork();

	return (pid_t)lab_check(child, "clone3");
}

static pid_t pid_to_use; /* 0: any */

/* Each child has a pipe and a name of its own, and all have one pid. */
static void over_pid(int round, const char *path)
{
	int ends[2];
	char text[32], name[16], buf[32];
	pid_t child;

	(void)path;
	snprintf(text, sizeof(text), "round %d", round);
	snprintf(name, sizeof(name), "reuse-%d", round);
	lab_check(pipe(ends), "pipe");
	child = fork_as(pid_to_use);
	if (!child) {
		close(ends[0]);
		prctl(PR_SET_NAME, name);
		lab_write_text(ends[1], "pipe", text, text);
		truth_flush();
		_exit(round % 100);
	}
	pid_to_use = child;
	close(ends[1]);
	lab_expect(lab_read(ends[0], "pipe", text, buf, sizeof(buf)) == strlen(text), "it came");
	lab_read(ends[0], "pipe", text, buf, sizeof(buf));
	close(ends[0]);
	lab_reap(child);
}

static const struct row {
	const char *name;
	const char *mechanism;
	void (*round)(int round, const char *path);
} rows[] = {
	{"pipe", "pipe", over_pipe},	      {"socketpair", "unix-stream", over_socketpair},
	{"dgram", "unix-dgram", over_dgram},  {"tcp", "tcp", over_tcp},
	{"fifo", "fifo", over_fifo},	      {"same-fifo", "fifo", over_same_fifo},
	{"eventfd", "eventfd", over_eventfd}, {"pid", "pipe", over_pid},
};

int main(int argc, char **argv)
{
	const char *what = lab_word(argc, argv, 1, "pipe"), *path;
	long rounds = lab_number(argc, argv, 2, 100);

	lab_help(argc, argv, "pipe|socketpair|dgram|tcp|fifo|same-fifo|eventfd|pid ROUNDS [PATH]");
	path = lab_word(argc, argv, 3, "/tmp/reuse-fifo");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!lab_is(what, rows[i].name))
			continue;
		mechanism = rows[i].mechanism;
		for (int round = 0; round < rounds; round++)
			rows[i].round(round, path);
		return EXIT_SUCCESS;
	}
	lab_usage(what);
}
