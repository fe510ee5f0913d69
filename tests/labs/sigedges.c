// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Signals at their edges: one that leaves a core, queues that are full, timers, targets that run or
 * wait for a processor, SA_RESTART beside EINTR in a call that never runs again by itself.
 */
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "tests/labs/lab.h"

static volatile sig_atomic_t handled, code, sender;

static void handler(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	handled++;
	code = info->si_code;
	sender = info->si_pid;
}

static void handle(int number, int flags)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};

	lab_check(sigaction(number, &action, NULL), "sigaction");
}

static void block(int number)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, number);
	lab_check(sigprocmask(SIG_BLOCK, &set, NULL), "sigprocmask");
}

static void sent(const char *how, pid_t to, int number, int result)
{
	truth(.action = "sent", .channel = how, .to = to, .signal = number, .result = result);
}

/* In a folder of its own, which the test has made the current one. */
static void leave_a_core(void)
{
	static const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	pid_t child = lab_fork();
	int status;

	if (!child) {
		setrlimit(RLIMIT_CORE, &unlimited);
		abort();
	}
	lab_check(waitpid(child, &status, 0), "waitpid");
	lab_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "it aborted");
	truth(.action = "aborted", .to = child, .signal = SIGABRT,
	      .value = WCOREDUMP(status) ? 1 : 0);
}

/* With no room for details: what sigqueue sends is refused, what kill sends comes bare. */
static void fill_queues(void)
{
	static const struct rlimit none = {0, 0};
	union sigval value = {.sival_int = 5};
	sigset_t empty;
	pid_t child;
	int result;

	handle(SIGRTMIN, 0);
	block(SIGRTMIN);
	child = lab_fork();
	if (!child) {
		sigemptyset(&empty);
		lab_check(setrlimit(RLIMIT_SIGPENDING, &none), "setrlimit");
		sigsuspend(&empty);
		truth(.action = "handled", .signal = SIGRTMIN, .value = handled, .to = sender);
		exit(EXIT_SUCCESS);
	}
	lab_wait_blocked(child, SYS_rt_sigsuspend);
	result = sigqueue(child, SIGRTMIN, value);
	sent("overflow", child, SIGRTMIN, result);
	lab_expect(result < 0 && errno == EAGAIN, "the queue is full");
	result = kill(child, SIGRTMIN);
	sent("lost", child, SIGRTMIN, result);
	lab_check(result, "kill");
	lab_reap_well(child);
}

static void run_out(void)
{
	const struct itimerval soon = {.it_value.tv_usec = 1000};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	const struct itimerspec also = {.it_value.tv_nsec = 1000000};
	sigset_t empty;
	timer_t timer;

	sigemptyset(&empty);
	handle(SIGALRM, 0);
	handle(SIGUSR1, 0);
	block(SIGALRM);
	block(SIGUSR1);
	lab_check(setitimer(ITIMER_REAL, &soon, NULL), "setitimer");
	sigsuspend(&empty);
	truth(.action = "timer", .signal = SIGALRM, .to = getpid());
	lab_check(timer_create(CLOCK_MONOTONIC, &event, &timer), "timer_create");
	lab_check(timer_settime(timer, 0, &also, NULL), "timer_settime");
	sigsuspend(&empty);
	lab_expect(code == SI_TIMER, "the timer's signal");
	truth(.action = "timer", .signal = SIGUSR1, .to = getpid());
	lab_check(timer_delete(timer), "timer_delete");
}

/* On one processor only one can run: whoever sends does, and its target is ready to. */
static void meet_ready(void)
{
	volatile sig_atomic_t *stop = mmap(NULL, sizeof(*stop), PROT_READ | PROT_WRITE,
					   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cpu_set_t one;
	pid_t child;

	lab_expect(stop != MAP_FAILED, "mmap works");
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	lab_check(sched_setaffinity(0, sizeof(one), &one), "sched_setaffinity");
	handle(SIGUSR2, 0);
	handled = 0;
	child = lab_fork();
	if (!child) {
		*stop = 1;
		while (!handled)
			;
		exit(EXIT_SUCCESS);
	}
	while (!*stop)
		sched_yield();
	sent("ready", child, SIGUSR2, kill(child, SIGUSR2));
	lab_reap_well(child);
}

static void meet_running(void)
{
	handle(SIGHUP, 0);
	sent("running", getpid(), SIGHUP, kill(getpid(), SIGHUP));
}

/* signal(7): some calls end with EINTR, whatever the handler's flags say. */
static void never_restarted(void)
{
	sigset_t empty;
	pid_t child;

	sigemptyset(&empty);
	handle(SIGQUIT, SA_RESTART);
	child = lab_fork();
	if (!child) {
		lab_expect(pause() < 0 && errno == EINTR, "pause ends");
		truth(.action = "interrupted", .channel = "pause");
		exit(EXIT_SUCCESS);
	}
	lab_wait_blocked(child, LAB_PAUSE);
	sent("blocked", child, SIGQUIT, kill(child, SIGQUIT));
	lab_reap_well(child);
}

int main(int argc, char **argv)
{
	lab_help(argc, argv, ": a core, full queues, timers, targets that run or are ready to");
	leave_a_core();
	fill_queues();
	run_out();
	meet_running();
	never_restarted();
	meet_ready();
	return EXIT_SUCCESS;
}
