// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Writes all that a program can ask the kernel about itself to the file that is named, one fact a
 * line. tests/scenarios/test_no_effect.py compares what it says with ipclens and without. First of
 * all it looks at its descriptors, before it opens any.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define FDS 1024

static FILE *report;

static void tell(const char *name, long value)
{
	fprintf(report, "%s: %ld\n", name, value < 0 ? -errno : value);
}

static void tell_text(const char *name, const char *text)
{
	fprintf(report, "%s: ", name);
	for (; *text; text++)
		fprintf(report, *text == '\n' ? "\\n" : "%c", *text);
	fputc('\n', report);
}

/* --- descriptors */

static struct fd_facts {
	int open, descriptor_flags, status_flags, owner, sig, pipe_len, seals;
	off_t at;
	struct stat stat;
	char path[256];
} fds[FDS];

static void fds_look(void)
{
	char link[64];

	for (int fd = 0; fd < FDS; fd++) {
		struct fd_facts *facts = &fds[fd];

		facts->descriptor_flags = fcntl(fd, F_GETFD);
		if (facts->descriptor_flags < 0)
			continue;
		facts->open = 1;
		facts->status_flags = fcntl(fd, F_GETFL);
		facts->owner = fcntl(fd, F_GETOWN);
		facts->sig = fcntl(fd, F_GETSIG);
		facts->pipe_len = fcntl(fd, F_GETPIPE_SZ);
		facts->at = lseek(fd, 0, SEEK_CUR);
		fstat(fd, &facts->stat);
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		if (readlink(link, facts->path, sizeof(facts->path) - 1) < 0)
			facts->path[0] = 0;
	}
}

static void fds_tell(void)
{
	for (int fd = 0; fd < FDS; fd++) {
		const struct fd_facts *facts = &fds[fd];
		struct termios modes;

		if (!facts->open)
			continue;
		fprintf(report,
			"fd %d: %s inode %llu:%llu mode %o fd-flags %x flags %x owner %d sig %d "
			"pipe %d at %lld tty %d foreground %d\n",
			fd, facts->path, (unsigned long long)facts->stat.st_dev,
			(unsigned long long)facts->stat.st_ino, facts->stat.st_mode,
			facts->descriptor_flags, facts->status_flags, facts->owner, facts->sig,
			facts->pipe_len, (long long)facts->at, isatty(fd),
			isatty(fd) ? tcgetpgrp(fd) == getpgrp() : 0);
		if (tcgetattr(fd, &modes) == 0)
			fprintf(report, "terminal %d: %x %x %x %x\n", fd, modes.c_iflag,
				modes.c_oflag, modes.c_cflag, modes.c_lflag);
	}
}

/* --- signals */

static void signals_tell(void)
{
	sigset_t blocked, pending;

	sigprocmask(SIG_BLOCK, NULL, &blocked);
	sigpending(&pending);
	for (int number = 1; number <= SIGRTMAX; number++) {
		struct sigaction action;

		if (sigaction(number, NULL, &action))
			continue;
		fprintf(report, "signal %d: %s flags %x blocked %d pending %d\n", number,
			action.sa_handler == SIG_IGN   ? "ignored"
			: action.sa_handler == SIG_DFL ? "default"
						       : "handler",
			action.sa_flags, sigismember(&blocked, number),
			sigismember(&pending, number));
	}
}

/* --- limits and scheduling */

static void limits_tell(void)
{
	for (int which = 0; which < RLIM_NLIMITS; which++) {
		struct rlimit limit;

		if (getrlimit(which, &limit) == 0)
			fprintf(report, "limit %d: %llu %llu\n", which,
				(unsigned long long)limit.rlim_cur,
				(unsigned long long)limit.rlim_max);
	}
}

static void timers_tell(void)
{
	static const int timers[] = {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF};

	for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++) {
		struct itimerval left;

		getitimer(timers[i], &left);
		fprintf(report, "timer %zu: %s\n", i,
			left.it_value.tv_sec || left.it_value.tv_usec ? "runs" : "none");
	}
}

static void scheduling_tell(void)
{
	struct sched_param parameter = {0};
	uint8_t attributes[64] = {0};
	cpu_set_t cpus;
	int count;

	sched_getparam(0, &parameter);
	tell("scheduler", sched_getscheduler(0));
	tell("priority", parameter.sched_priority);
	errno = 0;
	count = getpriority(PRIO_PROCESS, 0);
	fprintf(report, "nice: %d\n", count);
	tell("io priority", syscall(SYS_ioprio_get, 1, 0));
	if (syscall(SYS_sched_getattr, 0, attributes, sizeof(attributes), 0) == 0)
		for (size_t i = 0; i < sizeof(attributes); i += 8)
			fprintf(report, "scheduling %zu: %llx\n", i,
				*(unsigned long long *)(void *)(attributes + i));
	sched_getaffinity(0, sizeof(cpus), &cpus);
	for (int cpu = 0; cpu < 64; cpu++)
		if (CPU_ISSET(cpu, &cpus))
			tell("may run on", cpu);
}

/* --- who we are */

static void ids_tell(void)
{
	uid_t uids[3];
	gid_t gids[3], groups[256];
	mode_t mask = umask(0);
	int count = getgroups(256, groups);

	umask(mask);
	getresuid(uids, uids + 1, uids + 2);
	getresgid(gids, gids + 1, gids + 2);
	fprintf(report, "ids: %u %u %u %u %u %u\n", uids[0], uids[1], uids[2], gids[0], gids[1],
		gids[2]);
	for (int i = 0; i < count; i++)
		tell("group", (long)groups[i]);
	fprintf(report, "umask: %o\n", mask);
	fprintf(report, "parent: session %d group %d\n", getsid(getppid()) == getsid(0),
		getpgid(getppid()) == getpgrp());
	tell("is session leader", getsid(0) == getpid());
	tell("is group leader", getpgrp() == getpid());
	fprintf(report, "session: %d\ngroup: %d\n", getsid(0), getpgrp());
	count = open("/dev/tty", O_RDWR | O_CLOEXEC);
	fprintf(report, "controlling terminal: %s\n", count >= 0 ? "yes" : strerror(errno));
	if (count >= 0)
		close(count);
}

/* Those prctl(2) that ask, with a pointer or without. */
static void prctls_tell(void)
{
	static const struct {
		const char *name;
		int option;
	} plain[] = {{"dumpable", PR_GET_DUMPABLE},
		     {"keepcaps", PR_GET_KEEPCAPS},
		     {"securebits", PR_GET_SECUREBITS},
		     {"seccomp", PR_GET_SECCOMP},
		     {"timing", PR_GET_TIMING},
		     {"timer slack", PR_GET_TIMERSLACK},
		     {"no new privileges", PR_GET_NO_NEW_PRIVS},
		     {"no huge pages", PR_GET_THP_DISABLE},
		     {"machine check", PR_MCE_KILL_GET},
		     {"io flusher", 58},
		     {"memory merge", 68},
		     {"mdwe", 66}};
	static const struct {
		const char *name;
		int option;
	} through[] = {{"parent's death", PR_GET_PDEATHSIG},
		       {"subreaper", PR_GET_CHILD_SUBREAPER},
		       {"time stamp counter", PR_GET_TSC}};

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		tell(plain[i].name, prctl(plain[i].option, 0, 0, 0, 0));
	for (size_t i = 0; i < sizeof(through) / sizeof(through[0]); i++) {
		int value = -1;

		if (prctl(through[i].option, &value, 0, 0, 0) == 0)
			tell(through[i].name, value);
	}
	for (int kind = 0; kind < 4; kind++)
		tell("speculation", prctl(PR_GET_SPECULATION_CTRL, kind, 0, 0, 0));
	for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
		fprintf(report, "capability %d: bounding %d ambient %d\n", cap,
			prctl(PR_CAPBSET_READ, cap, 0, 0, 0),
			prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0));
}

static void keyrings_tell(void)
{
	static const int rings[] = {KEY_SPEC_SESSION_KEYRING, KEY_SPEC_PROCESS_KEYRING,
				    KEY_SPEC_THREAD_KEYRING};

	for (size_t i = 0; i < sizeof(rings) / sizeof(rings[0]); i++)
		tell("keyring", syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, rings[i], 0));
}

/* --- /proc */

static void file_tell(const char *name)
{
	char path[128], line[4096];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/%s", name);
	file = fopen(path, "re");
	if (!file) {
		tell_text(name, strerror(errno));
		return;
	}
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		fprintf(report, "%s: %s\n", name, line);
	}
	fclose(file);
}

static void link_tell(const char *name)
{
	char path[128], to[4096] = {0};

	snprintf(path, sizeof(path), "/proc/self/%s", name);
	if (readlink(path, to, sizeof(to) - 1) < 0)
		snprintf(to, sizeof(to), "%s", strerror(errno));
	tell_text(name, to);
}

static void proc_tell(void)
{
	static const char *const files[] = {
		"status",	   "limits",	    "stat",	 "oom_score_adj",
		"cgroup",	   "comm",	    "loginuid",	 "sessionid",
		"coredump_filter", "timerslack_ns", "autogroup", "attr/current",
		"personality",	   "setgroups",	    "timers",	 "uid_map",
		"gid_map",	   "projid_map",    "wchan"};
	static const char *const links[] = {"cwd",
					    "root",
					    "exe",
					    "ns/cgroup",
					    "ns/ipc",
					    "ns/mnt",
					    "ns/net",
					    "ns/pid",
					    "ns/pid_for_children",
					    "ns/time",
					    "ns/user",
					    "ns/uts",
					    "ns/time_for_children"};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		file_tell(files[i]);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		link_tell(links[i]);
}

/* A child that nobody here has started would be somebody else's. */
static void children_tell(void)
{
	int status;

	tell("children", waitpid(-1, &status, WNOHANG));
}

/* The kernel gives the address as a number. */
static const char *executed_as(void)
{
	unsigned long address = getauxval(AT_EXECFN);
	const char *path;

	memcpy(&path, &address, sizeof(path));
	return path;
}

int main(int argc, char **argv)
{
	struct stat root;

	fds_look();
	report = argc > 1 ? fopen(argv[1], "we") : NULL;
	if (!report)
		return 1;
	for (int i = 0; i < argc; i++)
		tell_text("argument", argv[i]);
	for (char **variable = environ; *variable; variable++)
		tell_text("environment", *variable);
	fds_tell();
	signals_tell();
	limits_tell();
	timers_tell();
	scheduling_tell();
	ids_tell();
	prctls_tell();
	keyrings_tell();
	children_tell();
	tell("personality", personality(0xffffffff));
	tell("secure execution", (long)getauxval(AT_SECURE));
	tell_text("executed as", executed_as());
	tell("root's inode", stat("/", &root) ? -1 : (long)root.st_ino);
	proc_tell();
	return fclose(report) ? 1 : 0;
}
