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

#include "mistake.h"

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

static void cut_datagram(void)
{
	int ends[2];
	char buf[100] = "";

	lab_check(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), "socketpair");
	party(getpid());
	lab_check(send(ends[0], buf, sizeof(buf), 0), "send");
	lab_check(recv(ends[1], buf, 10, 0), "recv");
}

static void too_big(void)
{
	int queue = (int)lab_check(msgget(IPC_PRIVATE, 0600), "msgget");
	struct letter letter = {.type = 1};

	party(getpid());
	channel_number("sysv-msg", queue);
	lab_check(msgsnd(queue, &letter, 20, 0), "msgsnd");
	lab_expect(msgrcv(queue, &letter, 10, 0, 0) < 0 && errno == E2BIG, "too big");
	lab_check(msgrcv(queue, &letter, 20, 0, 0), "msgrcv");
	lab_check(msgctl(queue, IPC_RMID, NULL), "msgctl");
}

/* More than the receiver's buffer holds, and nobody receives. */
static void dropped(void)
{
	struct sockaddr_in address;
	int receiver = inet_socket(SOCK_DGRAM, &address);
	int sender = (int)lab_check(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	int size = 4096;
	char buf[1000] = "";

	lab_check(setsockopt(receiver, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), "setsockopt");
	party(getpid());
	for (int i = 0; i < 50; i++)
		lab_check(sendto(sender, buf, sizeof(buf), 0, (struct sockaddr *)&address,
				 sizeof(address)),
			  "sendto");
}

static void partial_write(void)
{
	static char big[1 << 20], buf[1 << 16];
	int ends[2];
	pid_t child;

	pipe_make(ends);
	party(getpid());
	channel("pipe", ends[1]);
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

static void refused(void)
{
	struct sockaddr_in address;
	int fd = (int)lab_check(socket(AF_INET, SOCK_STREAM, 0), "socket");

	close(inet_socket(SOCK_STREAM, &address));
	party(getpid());
	lab_expect(connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0, "refused");
}

static void in_use(void)
{
	struct sockaddr_in address;
	int first = inet_socket(SOCK_STREAM, &address);
	int second = (int)lab_check(socket(AF_INET, SOCK_STREAM, 0), "socket");

	lab_check(listen(first, 1), "listen");
	party(getpid());
	lab_expect(bind(second, (struct sockaddr *)&address, sizeof(address)) < 0, "in use");
}

static void never_accepted(void)
{
	struct sockaddr_in address;
	int listener = inet_socket(SOCK_STREAM, &address);
	pid_t child;

	lab_check(listen(listener, 5), "listen");
	party(getpid());
	child = lab_fork();
	if (!child) {
		close(listener);
		party(getpid());
		inet_connect(&address);
		exit(EXIT_SUCCESS);
	}
	lab_reap_well(child);
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

/* The server answers without having read the question, and closes. */
static void reset(void)
{
	struct sockaddr_in address;
	int listener = inet_socket(SOCK_STREAM, &address);
	int client = (int)lab_check(socket(AF_INET, SOCK_STREAM, 0), "socket");
	struct pollfd wait = {.events = POLLIN};
	char buf[8];

	lab_check(listen(listener, 5), "listen");
	party(getpid());
	lab_check(connect(client, (struct sockaddr *)&address, sizeof(address)), "connect");
	wait.fd = (int)lab_check(accept(listener, NULL, NULL), "accept");
	lab_check(send(client, "question", 8, 0), "send");
	lab_check(poll(&wait, 1, -1), "poll");
	close(wait.fd);
	lab_expect(recv(client, buf, sizeof(buf), 0) < 0 && errno == ECONNRESET, "a reset");
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

static void split(void)
{
	int ends[2];
	char buf[8];

	lab_check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
	party(getpid());
	lab_check(write(ends[0], "one", 3), "write");
	lab_check(write(ends[0], "two", 3), "write");
	lab_expect(read(ends[1], buf, sizeof(buf)) == 6, "both at once");
}

static void keeps_end(void)
{
	int ends[2];
	char buf[8];
	pid_t child;

	pipe_make(ends);
	child = lab_fork();
	if (!child) {
		party(getpid());
		channel("pipe", ends[1]);
		lab_check(read(ends[0], buf, sizeof(buf)), "read");
		exit(EXIT_SUCCESS);
	}
	lab_check(write(ends[1], "x", 1), "write");
	lab_reap_well(child);
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
	count_together(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
}

static void race_in_segment(void)
{
	int segment = (int)lab_check(shmget(IPC_PRIVATE, 4096, 0600), "shmget");
	long *sum = shmat(segment, NULL, 0);

	channel_number("sysv-shm", segment);
	lab_check(shmctl(segment, IPC_RMID, NULL), "shmctl");
	count_together(sum);
}

static const struct mistake mistakes[] = {
	{"sigpipe", sigpipe},
	{"epipe", epipe},
	{"no-handler", no_handler},
	{"crash", crash},
	{"left-in-pipe", left_in_pipe},
	{"left-in-queue", left_in_queue},
	{"cut-datagram", cut_datagram},
	{"too-big", too_big},
	{"dropped", dropped},
	{"partial-write", partial_write},
	{"gives-up", gives_up},
	{"coalesced", coalesced},
	{"too-late", too_late},
	{"ignored", ignored},
	{"refused", refused},
	{"in-use", in_use},
	{"never-accepted", never_accepted},
	{"left-queue", left_queue},
	{"left-semaphore", left_semaphore},
	{"reset", reset},
	{"busy", busy},
	{"tiny", tiny},
	{"split", split},
	{"keeps-end", keeps_end},
	{"race-in-mapping", race_in_mapping},
	{"race-in-segment", race_in_segment},
};

int main(int argc, char **argv)
{
	return mistake_main(argc, argv, "MISTAKE: makes it, and ends", mistakes,
			    MISTAKES(mistakes));
}
