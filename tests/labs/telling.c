// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Calls that say what a signal will meet, what became of a child, and who may use a file:
 * sigaction, sigprocmask, sigtimedwait, sigsuspend, wait4, waitid, flock and fcntl's locks. The
 * second process waits for each lock until the first gives it up.
 */
#include <signal.h>
#include <sys/file.h>
#include <sys/syscall.h>

#include "tests/labs/lab.h"

static void handle(int number)
{
	(void)number;
}

static void actions(void)
{
	struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};

	sigemptyset(&action.sa_mask);
	sigaddset(&action.sa_mask, SIGUSR2);
	truth(.action = "sigaction", .channel = "handler", .signal = SIGUSR1);
	lab_check(sigaction(SIGUSR1, &action, NULL), "sigaction");
	truth(.action = "sigaction", .channel = "ignore", .signal = SIGHUP);
	lab_expect(signal(SIGHUP, SIG_IGN) != SIG_ERR, "signal");
	truth(.action = "sigaction", .channel = "default", .signal = SIGHUP);
	lab_expect(signal(SIGHUP, SIG_DFL) != SIG_ERR, "signal");
}

/* A signal that is blocked is taken by sigtimedwait, another by sigsuspend. */
static void sets(void)
{
	const union sigval value = {.sival_int = -42};
	sigset_t set, empty;
	siginfo_t info;

	sigemptyset(&empty);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	lab_check(sigprocmask(SIG_BLOCK, &set, NULL), "sigprocmask");
	lab_check(raise(SIGTERM), "raise");
	lab_expect(sigtimedwait(&set, NULL, NULL) == SIGTERM, "sigtimedwait takes it");
	lab_check(sigqueue(getpid(), SIGTERM, value), "sigqueue");
	lab_expect(sigtimedwait(&set, &info, NULL) == SIGTERM, "and the next one");
	truth(.action = "take", .signal = SIGTERM, .value = info.si_int, .to = info.si_pid);
	lab_check(raise(SIGUSR1), "raise");
	sigdelset(&set, SIGUSR1);
	lab_expect(sigsuspend(&set) < 0 && errno == EINTR, "sigsuspend ends by it");
	lab_check(sigprocmask(SIG_SETMASK, &empty, NULL), "sigprocmask");
}

static void children(void)
{
	siginfo_t info;
	pid_t child = lab_fork();

	if (!child)
		_exit(7);
	lab_reap(child);
	child = lab_fork();
	if (!child)
		raise(SIGKILL);
	lab_check(waitid(P_PID, (id_t)child, &info, WEXITED), "waitid");
	truth(.action = "child", .to = info.si_pid, .signal = info.si_status);
}

static long lock_range(int fd, int command, short type)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = 10, .l_len = 5};

	return lab_check(fcntl(fd, command, &lock), "fcntl");
}

static long lock(int fd, const char *kind, bool take)
{
	if (lab_is(kind, "flock"))
		return lab_check(flock(fd, take ? LOCK_EX : LOCK_UN), "flock");
	return lock_range(fd, lab_is(kind, "ofd") ? F_OFD_SETLKW : F_SETLKW,
			  take ? F_WRLCK : F_UNLCK);
}

/* The child sleeps for the lock that its parent has. */
static void locks(const char *path, const char *kind)
{
	int fd = (int)lab_check(open(path, O_RDWR | O_CREAT, 0600), path);
	pid_t child;

	lock(fd, kind, true);
	child = lab_fork();
	if (!child) {
		int own = (int)lab_check(open(path, O_RDWR), path);

		truth(.action = "locks", .channel = kind, .fd = own);
		lock(own, kind, true);
		exit(EXIT_SUCCESS);
	}
	lab_wait_blocked(child, lab_is(kind, "flock") ? SYS_flock : SYS_fcntl);
	truth(.action = "unlocks", .channel = kind, .to = child, .fd = fd);
	lock(fd, kind, false);
	lab_reap_well(child);
	close(fd);
}

int main(int argc, char **argv)
{
	const char *path;

	lab_help(argc, argv, "FILE: says what signals meet, waits for children, locks FILE");
	path = lab_word(argc, argv, 1, "/tmp/telling.lock");
	actions();
	sets();
	children();
	locks(path, "flock");
	locks(path, "posix");
	locks(path, "ofd");
	return EXIT_SUCCESS;
}
