// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Signals, one case after the other: ignored, default action, handler, with a value, twice while
 * blocked, to one thread, to a process that is gone, and those that a process brings on itself.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "tests/labs/lab.h"

static volatile sig_atomic_t handled_count, handled_value, handled_from;

static void handler(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	handled_count++;
	handled_from = info->si_pid;
	handled_value = info->si_code == SI_QUEUE ? info->si_value.sival_int : 0;
}

static void handle(int number)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};

	lab_check(sigaction(number, &action, NULL), "sigaction");
}

static void log_handled(int number)
{
	truth(.action = "signal-handled", .mechanism = "signal", .signal = number,
	      .value = handled_value);
}

static void log_sent(pid_t to, int number, int result, int value)
{
	truth(.action = "signal-sent", .mechanism = "signal", .result = result, .signal = number,
	      .to = to, .value = value);
}

static void send_signal(pid_t to, int number)
{
	int result = kill(to, number);

	log_sent(to, number, result, 0);
	lab_check(result, "kill");
}

__attribute__((noreturn)) static void wait_forever(void)
{
	sigset_t none;

	sigemptyset(&none);
	for (;;)
		sigsuspend(&none);
}

/* The child ignores SIGUSR1 and lives; SIGTERM has its default action and ends it. */
static void case_ignore_and_default(void)
{
	pid_t child;

	lab_check(signal(SIGUSR1, SIG_IGN) == SIG_ERR ? -1 : 0, "signal");
	child = lab_fork();
	if (!child)
		wait_forever();
	lab_wait_blocked(child, SYS_rt_sigsuspend);
	send_signal(child, SIGUSR1);
	send_signal(child, SIGTERM);
	lab_expect(WTERMSIG(lab_reap(child)) == SIGTERM, "the child died of SIGTERM");
}

/*
 * The child opens its mask for one signal only while it waits for it: nothing can come too early.
 * `times` signals are sent; standard signals that are pending already are merged into one.
 */
static void case_handler(int number, int times, bool with_value)
{
	sigset_t blocked, none;
	pid_t child;

	sigemptyset(&none);
	sigemptyset(&blocked);
	sigaddset(&blocked, number);
	handle(number);
	lab_check(sigprocmask(SIG_BLOCK, &blocked, NULL), "sigprocmask");
	child = lab_fork();
	if (!child) {
		raise(SIGSTOP);
		sigsuspend(&none);
		lab_expect(handled_count == 1 && handled_from == getppid(), "one signal came");
		log_handled(number);
		exit(EXIT_SUCCESS);
	}
	lab_check(waitpid(child, NULL, WUNTRACED), "waitpid");
	for (int i = 0; i < times; i++) {
		union sigval value = {.sival_int = 41 + i};

		if (with_value) {
			int result = sigqueue(child, number, value);

			log_sent(child, number, result, value.sival_int);
			lab_check(result, "sigqueue");
		} else {
			send_signal(child, number);
		}
	}
	send_signal(child, SIGCONT);
	lab_reap_well(child);
	lab_check(sigprocmask(SIG_UNBLOCK, &blocked, NULL), "sigprocmask");
}

/* A thread sends to itself by its own number. */
static void case_thread(void)
{
	int result;

	handle(SIGUSR2);
	handled_count = 0;
	result = tgkill(getpid(), gettid(), SIGUSR2);
	log_sent(getpid(), SIGUSR2, result, 0);
	lab_check(result, "tgkill");
	lab_expect(handled_count == 1, "tgkill to oneself is handled before it returns");
	log_handled(SIGUSR2);
}

static void case_gone(void)
{
	pid_t child = lab_fork();
	int result;

	if (!child)
		exit(EXIT_SUCCESS);
	lab_reap_well(child);
	result = kill(child, SIGUSR1);
	log_sent(child, SIGUSR1, result, 0);
	lab_expect(result == -1 && errno == ESRCH, "a process that is gone gives ESRCH");
}

/* The kernel answers a write that nobody can read with SIGPIPE. */
static void case_sigpipe(void)
{
	pid_t child = lab_fork();
	int ends[2];

	if (!child) {
		lab_check(pipe(ends), "pipe");
		close(ends[0]);
		truth(.action = "dies", .signal = SIGPIPE);
		truth_flush();
		lab_check(write(ends[1], "x", 1), "write");
		exit(EXIT_FAILURE);
	}
	lab_expect(WTERMSIG(lab_reap(child)) == SIGPIPE, "the child died of SIGPIPE");
}

static void case_sigsegv(void)
{
	static const struct rlimit no_core = {0, 0};
	pid_t child = lab_fork();

	if (!child) {
		volatile char *page = mmap(NULL, 1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		lab_expect(page != MAP_FAILED, "mmap works");
		lab_check(setrlimit(RLIMIT_CORE, &no_core), "setrlimit");
		truth(.action = "dies", .signal = SIGSEGV);
		truth_flush();
		*page = 1;
		exit(EXIT_FAILURE);
	}
	lab_expect(WTERMSIG(lab_reap(child)) == SIGSEGV, "the child died of SIGSEGV");
}

int main(int argc, char **argv)
{
	lab_help(argc, argv, ": sends signals in every way, to every kind of target");
	case_ignore_and_default();
	case_handler(SIGUSR1, 1, false);
	case_handler(SIGRTMIN, 1, true);
	case_handler(SIGHUP, 2, false);
	case_thread();
	case_gone();
	case_sigpipe();
	case_sigsegv();
	return EXIT_SUCCESS;
}
