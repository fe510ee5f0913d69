// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Programs that end, and have one mistake each. Each logs who is party to it ("party") and through
 * which channel ("channel").
 */
#include <poll.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <time.h>

#include "tests/labs/mistake.h"

/* The reader ends before the writer writes. */
static void write_too_late(bool ignoring)
{
	int ends[2];
	pid_t child;

	pipe_make(ends);
	child = lab_fork();
	if (!child) {
		party(getpid());
		lab_wait_blocked(getppid(), SYS_wait4); /* it has closed its own */
		exit(EXIT_SUCCESS);
	}
	close(ends[0]);
	lab_reap_well(child);
	party(getpid());
	channel("pipe", ends[1]);
	truth_flush();
	if (ignoring)
		signal(SIGPIPE, SIG_IGN);
	lab_expect(write(ends[1], "x", 1) < 0, "nobody reads");
}

static void sigpipe(void)
{
	write_too_late(false);
}

static void epipe(void)
{
	write_too_late(true);
}

/* The child cannot execute its program, and does what its parent was to do; or ends in silence. */
static void fail_to_execute(bool ends)
{
	pid_t child = lab_fork();

	if (!child) {
		execlp("ipclens-no-such-program", "", (char *)NULL);
		if (ends)
			exit(EXIT_FAILURE);
	} else {
		party(child);
		party(getpid());
	}
	wait(NULL);
}

static void exec_goes_on(void)
{
	fail_to_execute(false);
}

static void exec_in_silence(void)
{
	fail_to_execute(true);
}

/* The child has no handler. */
static void no_handler(void)
{
	pid_t child = lab_fork();

	if (!child)
		for (;;)
			pause();
	party(child);
	party(getpid());
	lab_check(kill(child, SIGUSR1), "kill");
	lab_reap(child);
}

/* The child waits for the signal, but had not blocked it. */
static void sigwait_unblocked(void)
{
	pid_t child = lab_fork();
	sigset_t set;
	int number;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	if (!child) {
		sigwait(&set, &number);
		exit(EXIT_SUCCESS);
	}
	lab_wait_blocked(child, SYS_rt_sigtimedwait);
	party(child);
	party(getpid());
	lab_check(kill(child, SIGUSR1), "kill");
	lab_reap(child);
}

static void crash(void)
{
	pid_t child = lab_fork();

	if (!child) {
		char *page = mmap(NULL, 1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		*(volatile char *)page = 1; /* the mistake */
	}
	party(child);
	lab_reap(child);
}

/* The child reads less than there is. */
static void left_in_pipe(void)
{
	int ends[2];
	char buf[4];
	pid_t child;

	pipe_make(ends);
	child = lab_fork();
	if (!child) {
		close(ends[1]);
		lab_expect(read(ends[0], buf, sizeof(buf)) == (ssize_t)sizeof(buf), "it comes");
		exit(EXIT_SUCCESS);
	}
	close(ends[0]);
	party(getpid());
	channel("pipe", ends[1]);
	lab_check(write(ends[1], "more than four", 14), "write");
	lab_reap_well(child);
}

struct letter {
	long type;
	char text[100];
};

/* Two sent, one received, and the queue is removed. */
static void left_in_queue(void)
{
	int queue = (int)lab_check(msgget(IPC_PRIVATE, 0600), "msgget");
	struct letter letter = {.type = 1};

	party(getpid());
	channel_number("sysv-msg", queue);
	lab_check(msgsnd(queue, &letter, 10, 0), "msgsnd");
	lab_check(msgsnd(queue, &letter, 20, 0), "msgsnd");
	lab_check(msgrcv(queue, &letter, sizeof(letter.text), 0, 0), "msgrcv");
	lab_check(msgctl(queue, IPC_RMID, NULL), "msgctl");
}

static void too_big(void)
{
	int queue = (int)lab_check(msgget(IPC_PRIVATE, 0600), "msgget");
	struct letter letter = {.type = 1};

	party(getpid());
	channel_number("sysv-msg", queue);
	lab_check(msgsnd(queue, &letter, 20, 0), "msgsnd");
	lab_expect(msgrcv(queue, &letter, 10, 0, 0) < 0 && errno == E2BIG, "too big");
	lab_check(msgctl(queue, IPC_RMID, NULL), "msgctl");
}

static void partial_write(void)
{
	int ends[2];

	pipe_make(ends);
	channel("pipe", ends[1]);
	write_in_part(ends);
}

/* The handler has no SA_RESTART, and the reader gives up. */
static void gives_up(void)
{
	struct sigaction action = {.sa_handler = mistake_nothing};
	int ends[2];
	char buf[8];
	pid_t child;

	pipe_make(ends);
	child = lab_fork();
	if (!child) {
		party(getpid());
		channel("pipe", ends[0]);
		lab_check(sigaction(SIGUSR1, &action, NULL), "sigaction");
		lab_expect(read(ends[0], buf, sizeof(buf)) < 0 && errno == EINTR, "EINTR");
		exit(EXIT_SUCCESS);
	}
	lab_wait_blocked(child, SYS_read);
	lab_check(kill(child, SIGUSR1), "kill");
	lab_reap_well(child);
}

/* Five sent while it is blocked: one is handled. */
static void coalesced(void)
{
	sigset_t set;

	party(getpid());
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	signal(SIGUSR1, mistake_nothing);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (int i = 0; i < 5; i++)
		lab_check(kill(getpid(), SIGUSR1), "kill");
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void too_late(void)
{
	pid_t child = lab_fork();

	if (!child)
		exit(EXIT_SUCCESS);
	lab_reap_well(child);
	party(getpid());
	lab_expect(kill(child, SIGTERM) < 0, "it is gone");
}

static void ignored(void)
{
	party(getpid());
	signal(SIGUSR1, SIG_IGN);
	lab_check(kill(getpid(), SIGUSR1), "kill");
}

/* A handler of a queue's receiver, which gives up as well. */
static void gives_up_queue(void)
{
	struct sigaction action = {.sa_handler = mistake_nothing};
	int queue = (int)lab_check(msgget(IPC_PRIVATE, 0600), "msgget");
	struct letter letter;
	pid_t child = lab_fork();

	if (!child) {
		party(getpid());
		channel_number("sysv-msg", queue);
		lab_check(sigaction(SIGUSR1, &action, NULL), "sigaction");
		lab_expect(msgrcv(queue, &letter, 10, 0, 0) < 0 && errno == EINTR, "EINTR");
		exit(EXIT_SUCCESS);
	}
	lab_wait_blocked(child, SYS_msgrcv);
	lab_check(kill(child, SIGUSR1), "kill");
	lab_reap_well(child);
	lab_check(msgctl(queue, IPC_RMID, NULL), "msgctl");
}

/* Three children tell their parent at once, which counts one. */
static void coalesced_children(void)
{
	pid_t children[3];
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	signal(SIGUSR1, mistake_nothing);
	sigprocmask(SIG_BLOCK, &set, NULL);
	party(getpid());
	for (int i = 0; i < 3; i++) {
		children[i] = lab_fork();
		if (children[i])
			continue;
		lab_check(kill(getppid(), SIGUSR1), "kill");
		exit(EXIT_SUCCESS);
	}
	for (int i = 0; i < 3; i++)
		lab_reap_well(children[i]);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* Whoever runs this removes it. */
static void left_queue(void)
{
	int queue = (int)lab_check(msgget(IPC_PRIVATE, 0600), "msgget");
	struct letter letter = {.type = 1};

	party(getpid());
	channel_number("sysv-msg", queue);
	lab_check(msgsnd(queue, &letter, 10, 0), "msgsnd");
}

static void left_semaphore(void)
{
	int set = (int)lab_check(semget(IPC_PRIVATE, 1, 0600), "semget");

	party(getpid());
	channel_number("sysv-sem", set);
}

static void busy(void)
{
	int ends[2];
	char buf[8];

	lab_check(pipe2(ends, O_NONBLOCK), "pipe2");
	party(getpid());
	channel("pipe", ends[0]);
	for (int i = 0; i < 1000; i++)
		lab_expect(read(ends[0], buf, sizeof(buf)) < 0, "nothing there");
}

static void busy_poll(void)
{
	int ends[2];
	struct pollfd wait = {.events = POLLIN};

	pipe_make(ends);
	party(getpid());
	channel("pipe", ends[0]);
	wait.fd = ends[0];
	for (int i = 0; i < 1000; i++)
		lab_expect(poll(&wait, 1, 0) == 0, "nothing there");
}

static void tiny(void)
{
	int ends[2];
	char buf[4096];

	pipe_make(ends);
	party(getpid());
	channel("pipe", ends[0]);
	for (int i = 0; i < 2000; i++)
		lab_check(write(ends[1], "x", 1), "write");
	lab_check(read(ends[0], buf, sizeof(buf)), "read");
}

static void keep_end(int ends[2], const char *mechanism)
{
	char buf[8];
	pid_t child = lab_fork();

	if (!child) {
		party(getpid());
		channel(mechanism, ends[1]);
		lab_check(read(ends[0], buf, sizeof(buf)), "read");
		exit(EXIT_SUCCESS);
	}
	lab_check(write(ends[1], "x", 1), "write");
	lab_reap_well(child);
}

static void keeps_end(void)
{
	int ends[2];

	pipe_make(ends);
	keep_end(ends, "pipe");
}

static void keeps_fifo(void)
{
	int ends[2];

	fifo_make(ends);
	keep_end(ends, "fifo");
}

/* Two that count in the same place, at the same time. */
static void count_together(volatile long *sum)
{
	pid_t children[2];
	int gate[2];
	char byte;

	pipe_make(gate);
	for (int i = 0; i < 2; i++) {
		children[i] = lab_fork();
		if (children[i])
			continue;
		party(getpid());
		close(gate[1]);
		lab_check(read(gate[0], &byte, 1), "read"); /* until the parent lets both go */
		for (int k = 0; k < 100000; k++)
			++*sum;
		exit(EXIT_SUCCESS);
	}
	close(gate[1]);
	for (int i = 0; i < 2; i++)
		lab_reap_well(children[i]);
}

static void race_in_mapping(void)
{
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	channel_memory("shared-mmap", memory);
	count_together(memory);
}

static void race_in_segment(void)
{
	int segment = (int)lab_check(shmget(IPC_PRIVATE, 4096, 0600), "shmget");
	long *sum = shmat(segment, NULL, 0);

	channel_number("sysv-shm", segment);
	lab_check(shmctl(segment, IPC_RMID, NULL), "shmctl");
	count_together(sum);
}

static void sleep_100ms(void)
{
	const struct timespec pause = {.tv_nsec = 100 * 1000 * 1000};

	nanosleep(&pause, NULL);
}

/* 20 ms of a processor's time. */
static void compute(void)
{
	const clock_t until = clock() + CLOCKS_PER_SEC / 50;

	while (clock() < until)
		;
}

/* A child sends 16 times what the pipe holds; its parent does something else after each read. */
static void read_seldom(void (*otherwise)(void))
{
	static char bytes[1 << 16];
	int ends[2];
	pid_t child;

	pipe_make(ends);
	party(getpid());
	channel("pipe", ends[1]);
	truth_flush();
	child = lab_fork();
	if (!child) {
		party(getpid());
		for (int i = 0; i < 16; i++)
			lab_check(write(ends[1], bytes, sizeof(bytes)), "write");
		exit(EXIT_SUCCESS);
	}
	close(ends[1]);
	while (lab_check(read(ends[0], bytes, sizeof(bytes)), "read") > 0)
		otherwise();
	lab_reap_well(child);
}

static void slow_reader(void)
{
	read_seldom(sleep_100ms);
}

static void slow_worker(void)
{
	read_seldom(compute);
}

static void busy_queue(void)
{
	int queue = (int)lab_check(msgget(IPC_PRIVATE, 0600), "msgget");
	struct letter letter;

	party(getpid());
	channel_number("sysv-msg", queue);
	for (int i = 0; i < 1000; i++)
		lab_expect(msgrcv(queue, &letter, 10, 0, IPC_NOWAIT) < 0, "nothing there");
	lab_check(msgctl(queue, IPC_RMID, NULL), "msgctl");
}

/* A child that lives until the pipe is closed. */
static pid_t busy_child(int ends[2])
{
	char buf[8];
	pid_t child;

	pipe_make(ends);
	child = lab_fork();
	if (!child) {
		close(ends[1]);
		lab_check(read(ends[0], buf, sizeof(buf)), "read");
		exit(EXIT_SUCCESS);
	}
	close(ends[0]);
	return child;
}

static void busy_wait(void)
{
	int ends[2];
	pid_t child = busy_child(ends);

	party(getpid());
	for (int i = 0; i < 1000; i++)
		lab_expect(waitpid(child, NULL, WNOHANG) == 0, "it lives");
	close(ends[1]);
	lab_reap_well(child);
}

static void busy_kill(void)
{
	int ends[2];
	pid_t child = busy_child(ends);

	party(getpid());
	for (int i = 0; i < 1000; i++)
		lab_expect(kill(child, 0) == 0, "it lives");
	close(ends[1]);
	lab_reap_well(child);
}

/* More than the queue holds; what found no room is never sent. */
static void gives_up_sending(void)
{
	int queue = (int)lab_check(msgget(IPC_PRIVATE, 0600), "msgget");
	struct letter letter = {.type = 1};
	int refused = 0;

	party(getpid());
	channel_number("sysv-msg", queue);
	while (refused < 300)
		refused += msgsnd(queue, &letter, sizeof(letter.text), IPC_NOWAIT) < 0;
	lab_check(msgctl(queue, IPC_RMID, NULL), "msgctl");
}

/* Each writes once, the second one while the first waits for room. */
static pid_t writer(int ends[2], char byte, size_t len)
{
	static char data[1 << 18];
	pid_t child = lab_fork();

	if (!child) {
		close(ends[0]);
		memset(data, byte, len);
		lab_check(write(ends[1], data, len), "write");
		exit(EXIT_SUCCESS);
	}
	party(child);
	lab_wait_blocked(child, SYS_write);
	return child;
}

static void mixed_in_pipe(void)
{
	char buf[4096];
	int ends[2];
	bool second = false, mixed = false;
	pid_t children[2];
	ssize_t n;

	pipe_make(ends);
	channel("pipe", ends[0]);
	children[0] = writer(ends, 'a', 1 << 18);
	children[1] = writer(ends, 'b', 100);
	close(ends[1]);
	while ((n = lab_check(read(ends[0], buf, sizeof(buf)), "read")) > 0)
		for (ssize_t i = 0; i < n; i++) {
			second |= buf[i] == 'b';
			mixed |= second && buf[i] == 'a';
		}
	lab_expect(mixed, "the second one's bytes came among the first one's");
	lab_reap_well(children[0]);
	lab_reap_well(children[1]);
}

/* The kernel keeps no status, as SIGCHLD is ignored. */
static void status_ignored(void)
{
	pid_t child;
	int status;

	signal(SIGCHLD, SIG_IGN);
	child = lab_fork();
	if (!child)
		exit(3);
	party(getpid());
	party(child);
	lab_expect(waitpid(child, &status, 0) < 0 && errno == ECHILD, "no status was kept");
}

static volatile sig_atomic_t collected;

static void collect_any(int number)
{
	(void)number;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		collected = 1;
}

/* The handler takes the status that the program asks for afterwards. */
static void status_collected(void)
{
	struct sigaction action = {.sa_handler = collect_any};
	pid_t child;
	int status;

	lab_check(sigaction(SIGCHLD, &action, NULL), "sigaction");
	child = lab_fork();
	if (!child)
		exit(3);
	party(getpid());
	party(child);
	while (!collected)
		poll(NULL, 0, 10);
	lab_expect(waitpid(child, &status, 0) < 0 && errno == ECHILD, "it is gone");
}

static const struct mistake mistakes[] = {
	{"sigpipe", sigpipe},
	{"epipe", epipe},
	{"exec-goes-on", exec_goes_on},
	{"exec-in-silence", exec_in_silence},
	{"no-handler", no_handler},
	{"sigwait-unblocked", sigwait_unblocked},
	{"crash", crash},
	{"left-in-pipe", left_in_pipe},
	{"left-in-queue", left_in_queue},
	{"too-big", too_big},
	{"partial-write", partial_write},
	{"gives-up", gives_up},
	{"gives-up-queue", gives_up_queue},
	{"coalesced", coalesced},
	{"coalesced-children", coalesced_children},
	{"too-late", too_late},
	{"ignored", ignored},
	{"left-queue", left_queue},
	{"left-semaphore", left_semaphore},
	{"busy", busy},
	{"busy-poll", busy_poll},
	{"tiny", tiny},
	{"keeps-end", keeps_end},
	{"keeps-fifo", keeps_fifo},
	{"slow-reader", slow_reader},
	{"slow-worker", slow_worker},
	{"race-in-mapping", race_in_mapping},
	{"race-in-segment", race_in_segment},
	{"busy-queue", busy_queue},
	{"busy-wait", busy_wait},
	{"busy-kill", busy_kill},
	{"gives-up-sending", gives_up_sending},
	{"mixed-in-pipe", mixed_in_pipe},
	{"status-ignored", status_ignored},
	{"status-collected", status_collected},
};

int main(int argc, char **argv)
{
	return mistake_main(argc, argv, "MISTAKE: makes it, and ends", mistakes,
			    MISTAKES(mistakes));
}
