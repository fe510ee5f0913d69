// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Programs that hang by one mistake each, as students make them; none ends by itself. Each logs who
 * is party to it ("party") and through which channel ("channel"), before it hangs.
 */
#include <poll.h>
#include <stddef.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/un.h>

#include "tests/labs/mistake.h"

#define NAME "hang"

/* Logs that this process is about to hang at the queue. */
static void log_hang_at(int queue)
{
	party(getpid());
	channel_number("sysv-msg", queue);
	truth_flush();
}

/* Each of n processes reads from the one before and holds the pipe to the one after. */
static void ring(int n)
{
	int pipes[4][2];
	int self = 0;

	for (int i = 0; i < n; i++)
		pipe_make(pipes[i]);
	outsider_maybe();
	for (int i = 1; i < n && !self; i++)
		if (!lab_fork())
			self = i;
	for (int i = 0; i < n; i++) {
		if (i != self)
			close(pipes[i][0]);
		if (i != (self + 1) % n)
			close(pipes[i][1]);
	}
	party(getpid());
	channel("pipe", pipes[self][0]);
	hang_in_read(pipes[self][0]);
}

static void ring_three(void)
{
	ring(3);
}

/* As a ring of two, but a third could write to both: it only does not. */
static void outsider(void)
{
	int there[2], back[2];
	pid_t child;

	pipe_make(there);
	pipe_make(back);
	if (!lab_fork())
		hang_in_pause();
	child = lab_fork();
	party(getpid());
	channel("pipe", child ? back[0] : there[0]);
	close(child ? there[0] : back[0]);
	close(child ? back[1] : there[1]);
	hang_in_read(child ? back[0] : there[0]);
}

/* Both write more than a pipe holds before they read. */
static void full_pipes(void)
{
	static char big[1 << 20];
	int there[2], back[2];
	pid_t child = fork_with_pipes(there, back);

	close(child ? there[0] : back[0]);
	close(child ? back[1] : there[1]);
	party(getpid());
	channel("pipe", child ? there[1] : back[1]);
	truth_flush();
	lab_check(write(child ? there[1] : back[1], big, sizeof(big)), "write");
	hang_in_read(child ? back[0] : there[0]);
}

/* The child waits for a message, the parent for a byte. */
static void pipe_and_queue(void)
{
	int queue = (int)lab_check(msgget(IPC_PRIVATE, 0600), "msgget");
	struct {
		long type;
		char text[8];
	} message;
	int ends[2];

	pipe_make(ends);
	outsider_maybe();
	if (!lab_fork()) {
		close(ends[0]);
		log_hang_at(queue);
		msgrcv(queue, &message, sizeof(message.text), 0, 0);
		exit(EXIT_SUCCESS);
	}
	close(ends[1]);
	party(getpid());
	channel("pipe", ends[0]);
	hang_in_read(ends[0]);
}

static void unix_sockets(void)
{
	int ends[2];
	pid_t child;

	lab_check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
	outsider_maybe();
	child = lab_fork();
	close(ends[child ? 1 : 0]);
	party(getpid());
	channel("unix-stream", ends[child ? 0 : 1]);
	hang_in_read(ends[child ? 0 : 1]);
}

/* The same of datagrams: nobody else could send to a socket without a name. */
static void datagram_pair(void)
{
	int ends[2];
	pid_t child;

	lab_check(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), "socketpair");
	outsider_maybe();
	child = lab_fork();
	close(ends[child ? 1 : 0]);
	party(getpid());
	channel("unix-dgram", ends[child ? 0 : 1]);
	hang_in_read(ends[child ? 0 : 1]);
}

/* One sends half of what the other wants whole before it answers. */
static void half_a_message(void)
{
	int ends[2];
	char buf[10];

	lab_check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
	outsider_maybe();
	party(getpid());
	channel("unix-stream", ends[0]);
	if (!lab_fork()) {
		close(ends[0]);
		party(getpid());
		lab_write_text(ends[1], "unix-stream", "half", "12345");
		hang_in_read(ends[1]);
	}
	close(ends[1]);
	truth_flush();
	lab_check(recv(ends[0], buf, sizeof(buf), MSG_WAITALL), "recv");
	lab_write_text(ends[0], "unix-stream", "answer", "well");
}

/* Each waits for the other to close its side, and none says that it has nothing more to send. */
static void tcp_half_open(void)
{
	struct sockaddr_in address;
	int listener = inet_socket(SOCK_STREAM, &address), fd;

	lab_check(listen(listener, 1), "listen");
	party(getpid());
	if (!lab_fork()) {
		close(listener);
		party(getpid());
		fd = inet_connect(&address);
		outsider_maybe();
		lab_write_text(fd, "tcp", NAME, "that is all");
		hang_in_read(fd);
	}
	fd = (int)lab_check(accept(listener, NULL, NULL), "accept");
	channel("tcp", fd);
	hang_in_read(fd);
}

/* The server never accepts; the client waits for its answer. */
static void not_accepted(void)
{
	struct sockaddr_in address;
	int listener = inet_socket(SOCK_STREAM, &address);

	lab_check(listen(listener, 1), "listen");
	party(getpid());
	if (!lab_fork()) {
		close(listener);
		party(getpid());
		hang_in_read(inet_connect(&address));
	}
	channel("tcp", listener);
	hang_in_pause();
}

static void not_accepted_unix(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = (int)lab_check(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
	int client = (int)lab_check(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
	socklen_t len = offsetof(struct sockaddr_un, sun_path) + 1;

	len += (socklen_t)snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1,
				   "ipclens-hang-%d", getpid());
	lab_check(bind(listener, (struct sockaddr *)&address, len), "bind");
	lab_check(listen(listener, 1), "listen");
	party(getpid());
	if (!lab_fork()) {
		close(listener);
		party(getpid());
		lab_check(connect(client, (struct sockaddr *)&address, len), "connect");
		hang_in_read(client);
	}
	close(client);
	channel("unix-stream", listener);
	hang_in_pause();
}

/* A writing end was given away as well, and lies in a socket that a third could read. */
static void passed_on(void)
{
	int there[2], back[2], way[2];
	pid_t child;

	lab_check(socketpair(AF_UNIX, SOCK_DGRAM, 0, way), "socketpair");
	if (!lab_fork())
		hang_in_pause();
	pipe_make(there);
	pipe_make(back);
	send_descriptor(way[0], there[1]);
	close(way[0]);
	close(way[1]);
	child = lab_fork();
	party(getpid());
	channel("pipe", child ? back[0] : there[0]);
	close(child ? there[0] : back[0]);
	close(child ? back[1] : there[1]);
	hang_in_read(child ? back[0] : there[0]);
}

static void semaphore_take(int set)
{
	struct sembuf change = {.sem_op = -1};

	truth_flush();
	semop(set, &change, 1);
}

static void semaphore_and_pipe(void)
{
	int set = (int)lab_check(semget(IPC_PRIVATE, 1, 0600), "semget");
	int ends[2];

	pipe_make(ends);
	outsider_maybe();
	party(getpid());
	if (!lab_fork()) {
		close(ends[0]);
		party(getpid());
		channel_number("sysv-sem", set);
		semaphore_take(set);
		exit(EXIT_SUCCESS);
	}
	close(ends[1]);
	channel("pipe", ends[0]);
	hang_in_read(ends[0]);
}

/* A filter reads until its input ends; its user keeps that open and waits for the answer. */
static void filter_both_ways(void)
{
	int there[2], back[2];
	char buf[64];

	pipe_make(there);
	pipe_make(back);
	outsider_maybe();
	party(getpid());
	if (!lab_fork()) {
		close(there[1]);
		close(back[0]);
		party(getpid());
		truth_flush();
		while (read(there[0], buf, sizeof(buf)) > 0)
			;
		exit(EXIT_SUCCESS);
	}
	close(there[0]);
	close(back[1]);
	lab_write_text(there[1], "pipe", NAME, "to be sorted");
	channel("pipe", back[0]);
	hang_in_read(back[0]);
}

static void receive_other(long sent, long wanted, int flags)
{
	int queue = (int)lab_check(msgget(IPC_PRIVATE, 0600), "msgget");
	struct {
		long type;
		char text[8];
	} message = {.type = sent, .text = "hello"};

	lab_check(msgsnd(queue, &message, sizeof(message.text), 0), "msgsnd");
	log_hang_at(queue);
	msgrcv(queue, &message, sizeof(message.text), wanted, flags);
}

static void wrong_type(void)
{
	receive_other(1, 2, 0);
}

/* It takes the lowest type up to 1, and there is a 2. */
static void wrong_lowest(void)
{
	receive_other(2, -1, 0);
}

/* It takes any other type than that of all that come. */
static void wrong_except(void)
{
	receive_other(3, 3, MSG_EXCEPT);
}

/* The child asks for messages to itself, its parent sends others and waits for it. */
static void wrong_type_of_child(void)
{
	int queue = (int)lab_check(msgget(IPC_PRIVATE, 0600), "msgget");
	struct {
		long type;
		char text[8];
	} message = {.type = 1, .text = "for you"};
	pid_t child = lab_fork();

	if (!child) {
		log_hang_at(queue);
		msgrcv(queue, &message, sizeof(message.text), getpid(), 0);
		exit(EXIT_SUCCESS);
	}
	lab_check(msgsnd(queue, &message, sizeof(message.text), 0), "msgsnd");
	truth_flush();
	lab_reap(child);
}

/* The queue may hold no more than `most` bytes, though msgsnd(2) takes messages of more. */
static void limit_queue(int queue, size_t most)
{
	struct msqid_ds info;

	lab_check(msgctl(queue, IPC_STAT, &info), "msgctl IPC_STAT");
	info.msg_qbytes = most;
	lab_check(msgctl(queue, IPC_SET, &info), "msgctl IPC_SET");
}

static int queue_of(size_t most)
{
	int queue = (int)lab_check(msgget(IPC_PRIVATE, 0600), "msgget");

	limit_queue(queue, most);
	return queue;
}

/*
 * A receiver waits at the empty queue, and yet the message has no room there: it is larger than all
 * that the queue may hold. One that fits has gone before it.
 */
static void never_fits(void)
{
	int queue = queue_of(512);
	struct {
		long type;
		char text[513];
	} message = {.type = 1, .text = "too much"};

	if (!lab_fork())
		while (msgrcv(queue, &message, sizeof(message.text), 0, 0) >= 0)
			;
	lab_check(msgsnd(queue, &message, sizeof(message.text) - 1, 0), "msgsnd");
	log_hang_at(queue);
	msgsnd(queue, &message, sizeof(message.text), 0);
}

/* The same of a child whose end its parent waits for, at a queue without a receiver. */
static void never_fits_of_child(void)
{
	int queue = queue_of(1);
	struct {
		long type;
		char text[2];
	} message = {.type = 1, .text = "2"};
	pid_t child = lab_fork();

	if (!child) {
		log_hang_at(queue);
		msgsnd(queue, &message, sizeof(message.text), 0);
		exit(EXIT_SUCCESS);
	}
	truth_flush();
	lab_reap(child);
}

/*
 * The queue may hold more by the time that it hangs, and is only full. The child sends, the parent
 * raises the limit and waits for the child.
 */
static void full_and_grown(void)
{
	int queue = queue_of(700);
	struct {
		long type;
		char text[1000];
	} message = {.type = 1, .text = "too much at first"};
	pid_t child;

	lab_check(msgsnd(queue, &message, 600, 0), "msgsnd");
	child = lab_fork();
	if (!child) {
		log_hang_at(queue);
		msgsnd(queue, &message, sizeof(message.text), 0);
		exit(EXIT_SUCCESS);
	}
	lab_wait_blocked(child, SYS_msgsnd);
	limit_queue(queue, 1500);
	party(getpid());
	truth_flush();
	lab_reap(child);
}

/* The child takes it and is gone without giving it back, and had no SEM_UNDO. */
static void taken_for_good(bool dies)
{
	int set = (int)lab_check(semget(IPC_PRIVATE, 1, 0600), "semget");
	struct sembuf post = {.sem_op = 1};
	pid_t child;

	lab_check(semop(set, &post, 1), "semop");
	child = lab_fork();
	if (!child) {
		semaphore_take(set);
		if (dies)
			abort();
		exit(EXIT_SUCCESS);
	}
	lab_reap(child);
	truth(.action = "culprit", .to = child);
	party(getpid());
	channel_number("sysv-sem", set);
	semaphore_take(set);
}

static void never_posts(void)
{
	taken_for_good(false);
}

static void dies_holding(void)
{
	taken_for_good(true);
}

static void signal_from_child(void)
{
	pid_t child;

	signal(SIGUSR1, mistake_nothing);
	child = lab_fork();
	if (!child) {
		lab_check(kill(getppid(), SIGUSR1), "kill");
		exit(EXIT_SUCCESS);
	}
	lab_reap_well(child);
	party(getpid());
}

/* The signal comes before the wait for it. */
static void early_signal(void)
{
	signal_from_child();
	hang_in_pause();
}

/* As sigsuspend() would prevent it, had the signal been blocked before. */
static void early_for_sigsuspend(void)
{
	sigset_t none;

	signal_from_child();
	truth_flush();
	sigemptyset(&none);
	for (;;)
		sigsuspend(&none);
}

/* As ppoll() would prevent it: poll() of nothing waits for signals only. */
static void early_for_poll(void)
{
	signal_from_child();
	truth_flush();
	for (;;)
		poll(NULL, 0, -1);
}

static void nobody_receives(void)
{
	static char big[1 << 22];
	int ends[2];

	lab_check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
	if (!lab_fork()) {
		close(ends[0]);
		party(getpid());
		channel("unix-stream", ends[1]);
		truth_flush();
		lab_check(write(ends[1], big, sizeof(big)), "write");
		exit(EXIT_SUCCESS);
	}
	close(ends[1]);
	hang_in_pause();
}

static void nobody_reads(void)
{
	static char big[1 << 20];
	int ends[2];

	pipe_make(ends);
	if (!lab_fork()) {
		close(ends[0]);
		party(getpid());
		channel("pipe", ends[1]);
		truth_flush();
		lab_check(write(ends[1], big, sizeof(big)), "write");
		exit(EXIT_SUCCESS);
	}
	hang_in_pause();
}

static volatile pid_t collected;

/* One wait for each signal, however many children it stands for: the mistake. */
static void collect_one(int number)
{
	(void)number;
	collected = waitpid(-1, NULL, WNOHANG);
}

/* A child that has ended, and is not collected yet. */
static pid_t ended_child(void)
{
	pid_t child = lab_fork();
	siginfo_t info;

	if (!child)
		exit(EXIT_SUCCESS);
	lab_check(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), "waitid");
	return child;
}

/* Two children end within one SIGCHLD, and it waits to hear of the second one. */
static void one_wait_a_signal(void)
{
	struct sigaction action = {.sa_handler = collect_one};
	sigset_t child, none;
	pid_t first, second;

	sigemptyset(&none);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	lab_check(sigaction(SIGCHLD, &action, NULL), "sigaction");
	lab_check(sigprocmask(SIG_BLOCK, &child, NULL), "sigprocmask");
	first = ended_child();
	second = ended_child();
	sigsuspend(&none);
	party(getpid());
	party(collected == first ? second : first);
	truth_flush();
	for (;;)
		sigsuspend(&none);
}

/* It starts a helper for each job, and never waits for any. */
static void never_waits(void)
{
	party(getpid());
	for (int i = 0; i < 12; i++)
		party(ended_child());
	hang_in_pause();
}

static const struct mistake hangs[] = {
	{"ring-three", ring_three},
	{"outsider", outsider},
	{"full-pipes", full_pipes},
	{"pipe-and-queue", pipe_and_queue},
	{"unix-sockets", unix_sockets},
	{"datagram-pair", datagram_pair},
	{"half-a-message", half_a_message},
	{"wrong-type-of-child", wrong_type_of_child},
	{"tcp-half-open", tcp_half_open},
	{"not-accepted", not_accepted},
	{"not-accepted-unix", not_accepted_unix},
	{"passed-on", passed_on},
	{"semaphore-and-pipe", semaphore_and_pipe},
	{"filter-both-ways", filter_both_ways},
	{"wrong-type", wrong_type},
	{"wrong-lowest", wrong_lowest},
	{"wrong-except", wrong_except},
	{"never-fits", never_fits},
	{"never-fits-of-child", never_fits_of_child},
	{"full-and-grown", full_and_grown},
	{"never-posts", never_posts},
	{"dies-holding", dies_holding},
	{"early-signal", early_signal},
	{"early-for-sigsuspend", early_for_sigsuspend},
	{"early-for-poll", early_for_poll},
	{"nobody-reads", nobody_reads},
	{"nobody-receives", nobody_receives},
	{"one-wait-a-signal", one_wait_a_signal},
	{"never-waits", never_waits},
};

int main(int argc, char **argv)
{
	return mistake_main(argc, argv, "MISTAKE: hangs by it", hangs, MISTAKES(hangs));
}
