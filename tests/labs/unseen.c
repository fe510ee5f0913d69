// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Does one thing that a tracer of system calls does not see, in a child of its own. */
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include "tests/labs/lab.h"

static void by_uring(void)
{
	struct io_uring_params parameters = {0};
	int fd = (int)syscall(SYS_io_uring_setup, 4, &parameters);

	truth(.action = "unseen", .channel = "io-uring", .result = fd < 0 ? -1 : 0);
}

static void by_ptrace(void)
{
	lab_check(ptrace(PTRACE_TRACEME, 0, NULL, NULL), "ptrace");
	truth(.action = "unseen", .channel = "ptrace");
}

/* getppid ends the process. */
static void by_seccomp(void)
{
	struct sock_filter rows[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = 4, .filter = rows};

	truth(.action = "unseen", .channel = "seccomp");
	truth_flush();
	lab_check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl");
	lab_check(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), "seccomp");
	syscall(SYS_getppid);
}

#if defined(__x86_64__)
static sigjmp_buf no_such_call;

static void on_fault(int number)
{
	(void)number;
	siglongjmp(no_such_call, 1);
}
#endif

/*
 * getpid, by the number and the way of a 32-bit program; where the machine has none of these, the
 * instruction faults.
 */
static void by_compat(void)
{
#if defined(__x86_64__)
	struct sigaction action = {.sa_handler = on_fault};
	long result = 20;

	lab_check(sigaction(SIGSEGV, &action, NULL), "sigaction");
	if (sigsetjmp(no_such_call, 1)) {
		errno = ENOSYS;
		truth(.action = "unseen", .channel = "32-bit", .result = -1);
		return;
	}
	__asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
	truth(.action = "unseen", .channel = "32-bit");
#endif
}

static const struct way {
	const char *name;
	void (*go)(void);
} ways[] = {
	{"io-uring", by_uring},
	{"ptrace", by_ptrace},
	{"seccomp", by_seccomp},
	{"32-bit", by_compat},
};

int main(int argc, char **argv)
{
	pid_t child;

	lab_help(argc, argv, "io-uring|ptrace|seccomp|32-bit");
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (!lab_is(ways[i].name, lab_word(argc, argv, 1, "")))
			continue;
		child = lab_fork();
		if (!child) {
			ways[i].go();
			exit(EXIT_SUCCESS);
		}
		lab_reap(child);
		return EXIT_SUCCESS;
	}
	lab_usage(lab_word(argc, argv, 1, ""));
}
