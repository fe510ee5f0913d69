// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Tables of descriptors: shared and made one's own again, ranges closed or marked, exec, a
 * descriptor fetched from another process. At each step every process logs which ends of pipes it
 * holds, as the kernel tells it.
 */
#include <linux/close_range.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "tests/labs/lab.h"

#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

enum { FDS = 64 };

/* "3:4711:read 4:4711:write" */
static void log_ends(const char *action)
{
	char text[FDS * 32] = "";
	size_t len = 0;

	for (int fd = 0; fd < FDS; fd++) {
		struct stat status;
		int flags = fcntl(fd, F_GETFL);

		if (flags < 0 || fstat(fd, &status) || !S_ISFIFO(status.st_mode))
			continue;
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%d:%llu:%s ", fd,
					(unsigned long long)status.st_ino,
					(flags & O_ACCMODE) == O_RDONLY ? "read" : "write");
	}
	truth(.action = action, .mechanism = "pipe", .data = text, .result = (ssize_t)len);
}

static void log_held(void)
{
	log_ends("holds");
}

/* What a copy of the table will have. */
static void log_apart(void)
{
	log_ends("apart");
}

static pid_t share(void)
{
	return (pid_t)lab_check(syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0), "clone");
}

/* The child rests, so that what both log is of one moment. */
static void rest(void)
{
	log_held();
	raise(SIGSTOP);
}

static void watch(pid_t child)
{
	int status;

	lab_check(waitpid(child, &status, WUNTRACED), "waitpid");
	lab_expect(WIFSTOPPED(status), "the child rests");
	log_held();
	lab_check(kill(child, SIGCONT), "kill");
}

static void run_unshare(const int ends[4])
{
	pid_t child = share();

	if (!child) {
		close(ends[0]);
		rest();
		lab_check(unshare(CLONE_FILES), "unshare");
		close(ends[1]);
		lab_check(dup3(ends[2], FDS - 2, O_CLOEXEC), "dup3");
		rest();
		exit(EXIT_SUCCESS);
	}
	watch(child);
	watch(child);
	lab_reap_well(child);
}

static void run_range(const int ends[4])
{
	pid_t child = share();

	if (!child) {
		lab_check((long)syscall(SYS_close_range, ends[0], ends[1], CLOSE_RANGE_UNSHARE),
			  "close_range");
		rest();
		exit(EXIT_SUCCESS);
	}
	watch(child);
	lab_reap_well(child);
}

/* Marked, not closed, in a table of its own; then exec closes what is marked. */
static void run_exec(const int ends[4], const char *self)
{
	pid_t child = share();

	if (!child) {
		unsigned flags = CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC;

		lab_check((long)syscall(SYS_close_range, ends[0], ends[1], flags), "close_range");
		lab_check(dup3(ends[2], FDS - 1, O_CLOEXEC), "dup3");
		lab_check(dup2(ends[3], FDS - 3), "dup2");
		rest();
		close(ends[3]);
		truth_flush();
		execl(self, self, "after", (char *)NULL);
		lab_die(self);
	}
	watch(child);
	lab_reap_well(child);
	log_held();
}

/* A thread with a table of its own: what it closes, the process still has. */
static void *part(void *context)
{
	const int *ends = context;

	lab_check(unshare(CLONE_FILES), "unshare");
	close(ends[1]);
	lab_check(dup2(ends[2], FDS - 5), "dup2");
	lab_write_text(ends[3], "pipe", "thread", "from a table of its own");
	return NULL;
}

static void run_thread(const int ends[4])
{
	pthread_t thread;

	lab_expect(pthread_create(&thread, NULL, part, (void *)ends) == 0, "pthread_create");
	lab_expect(pthread_join(thread, NULL) == 0, "pthread_join");
	log_held();
	lab_read(ends[2], "pipe", "thread", (char[64]){0}, 64);
	close(ends[0]);
	log_held();
}

/*
 * A thread by clone(2) without CLONE_FILES: a copy of the table, as of that moment. It uses the
 * thread-local memory of who made it, who therefore does nothing meanwhile but system calls.
 */
struct apart {
	_Alignas(16) char stack[256 * 1024];
	int (*run)(void *ends);
	pid_t tid;
	pid_t runs; /* the same, 0 once it has ended */
};

static void begin_apart(struct apart *thread, const int *ends)
{
	int flags = CLONE_VM | CLONE_FS | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
		    CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;

	log_apart();
	thread->tid = (pid_t)lab_check(clone(thread->run, thread->stack + sizeof(thread->stack),
					     flags, (void *)ends, &thread->runs, NULL,
					     &thread->runs),
				       "clone");
}

static void await_end(struct apart *thread)
{
	pid_t tid;

	while ((tid = __atomic_load_n(&thread->runs, __ATOMIC_ACQUIRE)))
		syscall(SYS_futex, &thread->runs, FUTEX_WAIT, tid, NULL, NULL, 0);
	lab_wait_gone(thread->tid);
	truth(.action = "apart-ended");
}

static int change_apart(void *context)
{
	const int *ends = context;

	close(ends[1]);
	lab_check(dup2(ends[2], FDS - 5), "dup2");
	lab_write_text(ends[3], "pipe", "thread", "from a table of its own");
	return 0;
}

static int goes_on; /* a futex */

static int keep_apart(void *context)
{
	(void)context;
	while (!__atomic_load_n(&goes_on, __ATOMIC_ACQUIRE))
		syscall(SYS_futex, &goes_on, FUTEX_WAIT, 0, NULL, NULL, 0);
	return 0;
}

/* What one closes, the other still has: the end comes when the thread is gone, too. */
static void run_clone(const int ends[4])
{
	static struct apart changes = {.run = change_apart}, keeps = {.run = keep_apart};
	char buf[64];
	ssize_t n;

	begin_apart(&changes, ends);
	await_end(&changes);
	log_held();
	lab_read(ends[2], "pipe", "thread", buf, sizeof(buf));
	begin_apart(&keeps, ends);
	lab_wait_blocked(keeps.tid, SYS_futex);
	close(ends[1]);
	log_held();
	lab_check(fcntl(ends[0], F_SETFL, O_NONBLOCK), "fcntl");
	n = read(ends[0], buf, 1);
	truth(.action = "kept", .channel = "by the thread", .result = n);
	lab_expect(n < 0 && errno == EAGAIN, "the thread has the writing end still");
	__atomic_store_n(&goes_on, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, &goes_on, FUTEX_WAKE, 1, NULL, NULL, 0);
	await_end(&keeps);
	lab_expect(lab_read(ends[0], "pipe", "kept", buf, 1) == 0, "nobody has it any more");
	log_held();
}

/* Both rest, with different tables, to be found so. */
static void run_rest(const int ends[4])
{
	static struct apart keeps = {.run = keep_apart};

	begin_apart(&keeps, ends);
	lab_wait_blocked(keeps.tid, SYS_futex);
	close(ends[1]);
	log_held();
	truth_flush();
	lab_check(write(STDOUT_FILENO, "!", 1), "write");
	pause();
}

static void on_signal(int number)
{
	(void)number;
}

/* Two processes with one table rest, to be found; one closes an end, which the other had, too. */
static void run_shared(const int ends[4])
{
	struct sigaction action = {.sa_handler = on_signal};
	pid_t child;

	lab_check(sigaction(SIGUSR1, &action, NULL), "sigaction");
	child = share();
	if (!child) {
		pause();
		close(ends[1]);
		log_held();
		exit(EXIT_SUCCESS);
	}
	lab_wait_blocked(child, LAB_PAUSE);
	truth(.action = "shares", .to = child);
	log_held();
	truth_flush();
	lab_check(write(STDOUT_FILENO, "!", 1), "write");
	lab_reap_well(child);
	log_held();
}

static void run_fetch(const int ends[4])
{
	pid_t child = lab_fork();
	int pidfd, fd;

	if (!child) {
		close(ends[0]);
		close(ends[1]);
		pidfd = (int)lab_check(syscall(SYS_pidfd_open, getppid(), 0), "pidfd_open");
		fd = (int)lab_check(syscall(SYS_pidfd_getfd, pidfd, ends[1], 0), "pidfd_getfd");
		truth(.action = "fetched", .result = fd);
		lab_write_text(fd, "pipe", "fetched", "through a descriptor of another process");
		log_held();
		exit(EXIT_SUCCESS);
	}
	lab_reap_well(child);
	lab_read(ends[0], "pipe", "fetched", (char[64]){0}, 64);
}

int main(int argc, char **argv)
{
	const char *how;
	int ends[4];

	lab_help(argc, argv,
		 "unshare|range|thread|clone|rest|shared|exec|fetch: who holds which end of a "
		 "pipe, and "
		 "when");
	how = lab_word(argc, argv, 1, "unshare");
	if (lab_is(how, "after")) {
		log_held();
		return EXIT_SUCCESS;
	}
	lab_check(pipe(ends), "pipe");
	lab_check(pipe(ends + 2), "pipe");
	log_held();
	if (lab_is(how, "unshare"))
		run_unshare(ends);
	else if (lab_is(how, "range"))
		run_range(ends);
	else if (lab_is(how, "exec"))
		run_exec(ends, argv[0]);
	else if (lab_is(how, "thread"))
		run_thread(ends);
	else if (lab_is(how, "clone"))
		run_clone(ends);
	else if (lab_is(how, "rest"))
		run_rest(ends);
	else if (lab_is(how, "shared"))
		run_shared(ends);
	else if (lab_is(how, "fetch"))
		run_fetch(ends);
	else
		lab_usage(how);
	return EXIT_SUCCESS;
}
