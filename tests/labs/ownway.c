// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Programs that stand in their own way: a handler waits while what it interrupted cannot go on, or
 * only the one that waits could end its wait. Each logs who is party to it ("party") and through
 * which channel ("channel"), before it hangs.
 */
#include <mqueue.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "tests/labs/mistake.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sigjmp_buf before;

static void handle(int number, void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};

	lab_check(sigaction(number, &action, NULL), "sigaction");
}

static void wait_for_all(int number)
{
	(void)number;
	while (wait(NULL) > 0) /* the mistake: another child goes on */
		;
}

static void child_that_goes_on(void)
{
	pid_t child = lab_fork();

	if (!child)
		hang_in_pause();
	party(child);
}

static void waits_for_children(void)
{
	int ends[2];

	pipe_make(ends);
	party(getpid());
	child_that_goes_on();
	truth_flush();
	handle(SIGCHLD, wait_for_all);
	if (!lab_fork())
		exit(EXIT_SUCCESS);
	hang_in_read(ends[0]);
}

static void take_lock(int number)
{
	(void)number;
	pthread_mutex_lock(&mutex);
	pthread_mutex_unlock(&mutex);
}

static void takes_its_lock(void)
{
	party(getpid());
	truth_flush();
	handle(SIGUSR1, take_lock);
	pthread_mutex_lock(&mutex);
	lab_check(kill(getpid(), SIGUSR1), "kill");
	pthread_mutex_unlock(&mutex);
}

static void jump_out(int number)
{
	(void)number;
	siglongjmp(before, 1);
}

/* No mistake in the handler: it has left it when it waits. */
static void jumps_out(void)
{
	party(getpid());
	child_that_goes_on();
	truth_flush();
	handle(SIGUSR1, jump_out);
	if (!sigsetjmp(before, 1))
		lab_check(kill(getpid(), SIGUSR1), "kill");
	wait(NULL);
}

/* The child's signal is not blocked, so that its signalfd does not take it. */
static void signalfd_unblocked(void)
{
	pid_t child = lab_fork();
	struct signalfd_siginfo info;
	sigset_t set;
	int fd;

	if (!child) {
		sigemptyset(&set);
		sigaddset(&set, SIGUSR1);
		fd = (int)lab_check(signalfd(-1, &set, 0), "signalfd");
		lab_expect(read(fd, &info, sizeof(info)) < 0, "it never comes");
		exit(EXIT_SUCCESS);
	}
	lab_wait_blocked(child, SYS_read);
	party(child);
	party(getpid());
	lab_check(kill(child, SIGUSR1), "kill");
	lab_reap(child);
}

/* Reads as often as it wrote, but the first read takes all. */
static void counted_at_once(void)
{
	int fd = (int)lab_check(eventfd(0, 0), "eventfd");
	uint64_t value = 1;

	party(getpid());
	truth_flush();
	for (int i = 0; i < 3; i++)
		lab_check(write(fd, &value, sizeof(value)), "write");
	for (int i = 0; i < 3; i++)
		lab_check(read(fd, &value, sizeof(value)), "read");
}

/* More than it holds, and the reader is yet to be started. */
static void fills_own_pipe(void)
{
	static char big[1 << 20];
	int ends[2];

	pipe_make(ends);
	party(getpid());
	channel("pipe", ends[1]);
	truth_flush();
	lab_check(write(ends[1], big, sizeof(big)), "write");
	if (!lab_fork())
		hang_in_read(ends[0]);
}

static void fills_own_queue(void)
{
	struct mq_attr attributes = {.mq_maxmsg = 2, .mq_msgsize = 16};
	mqd_t queue = (mqd_t)lab_check(
		mq_open("/ownway", O_CREAT | O_EXCL | O_RDWR, 0600, &attributes), "mq_open");

	lab_check(mq_unlink("/ownway"), "mq_unlink");
	party(getpid());
	truth_flush();
	for (int i = 0; i < 3; i++)
		lab_check(mq_send(queue, "work", 4, 0), "mq_send");
}

/* The alarm is to end the read, but the read goes on when the handler has returned. */
static void restarted_call(void)
{
	int ends[2];

	pipe_make(ends);
	party(getpid());
	channel("pipe", ends[0]);
	truth_flush();
	handle(SIGALRM, mistake_nothing);
	alarm(1);
	hang_in_read(ends[0]);
}

/* A program that ended while it had the semaphore has left it: the next one waits for ever. */
static void left_over_semaphore(void)
{
	sem_t *semaphore = sem_open("/ownway", O_CREAT, 0600, 1);

	lab_expect(semaphore != SEM_FAILED, "sem_open");
	party(getpid());
	truth_flush();
	lab_check(sem_wait(semaphore), "sem_wait");
	if (outsider_wanted)
		return;
	lab_check(sem_post(semaphore), "sem_post");
	lab_check(sem_unlink("/ownway"), "sem_unlink");
}

/* select() leaves the second pipe out of the set, into which it is never put again. */
static void unset_descriptor(void)
{
	int ends[2][2];
	fd_set set;
	char byte;

	for (int i = 0; i < 2; i++)
		pipe_make(ends[i]);
	party(getpid());
	channel("pipe", ends[0][0]);
	truth_flush();
	if (!lab_fork()) {
		lab_check(write(ends[0][1], "x", 1), "write");
		lab_wait_blocked(getppid(), SYS_pselect6);
		lab_check(write(ends[1][1], "y", 1), "write");
		hang_in_pause();
	}
	FD_ZERO(&set);
	for (int i = 0; i < 2; i++)
		FD_SET(ends[i][0], &set);
	for (;;) {
		lab_check(select(FD_SETSIZE, &set, NULL, NULL, NULL), "select");
		for (int i = 0; i < 2; i++)
			if (FD_ISSET(ends[i][0], &set))
				lab_check(read(ends[i][0], &byte, 1), "read");
	}
}

struct shared {
	pthread_mutex_t mutex;
	pthread_cond_t condition;
};

/* The child's signal comes before the parent waits, which looks at nothing first. */
static void lost_condition(void)
{
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t of_mutex;
	pthread_condattr_t of_condition;
	pid_t child;

	lab_expect(shared != MAP_FAILED, "mmap");
	pthread_mutexattr_init(&of_mutex);
	pthread_mutexattr_setpshared(&of_mutex, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&shared->mutex, &of_mutex);
	pthread_condattr_init(&of_condition);
	pthread_condattr_setpshared(&of_condition, PTHREAD_PROCESS_SHARED);
	pthread_cond_init(&shared->condition, &of_condition);
	party(getpid());
	truth_flush();
	child = lab_fork();
	if (!child) {
		pthread_cond_signal(&shared->condition);
		exit(EXIT_SUCCESS);
	}
	lab_reap_well(child);
	pthread_mutex_lock(&shared->mutex);
	pthread_cond_wait(&shared->condition, &shared->mutex);
}

static long messages_in(mqd_t queue)
{
	struct mq_attr attributes;

	lab_check(mq_getattr(queue, &attributes), "mq_getattr");
	return attributes.mq_curmsgs;
}

/* It is told of the first message, and asks no more to be told of the next one. */
static mqd_t told_of;

static void take_one(int number)
{
	char text[16];

	(void)number;
	lab_check(mq_receive(told_of, text, sizeof(text), NULL), "mq_receive");
}

static void notified_once(void)
{
	struct mq_attr attributes = {.mq_maxmsg = 2, .mq_msgsize = 16};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	sigset_t blocked, before_it;

	told_of = (mqd_t)lab_check(
		mq_open("/ownway-told", O_CREAT | O_EXCL | O_RDWR, 0600, &attributes), "mq_open");
	lab_check(mq_unlink("/ownway-told"), "mq_unlink");
	party(getpid());
	truth_flush();
	handle(SIGUSR1, take_one);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_BLOCK, &blocked, &before_it);
	lab_check(mq_notify(told_of, &event), "mq_notify");
	if (!lab_fork()) {
		for (int i = 0; i < 2; i++) {
			lab_wait_blocked(getppid(), SYS_rt_sigsuspend);
			lab_check(mq_send(told_of, "work", 4, 0), "mq_send");
			while (i == 0 && messages_in(told_of))
				sched_yield();
		}
		hang_in_pause();
	}
	for (;;)
		sigsuspend(&before_it);
}

/* It lies in memory that fork() copies: the child posts its own. */
static void private_semaphore(void)
{
	static sem_t semaphore;
	pid_t child;

	lab_check(sem_init(&semaphore, 1, 0), "sem_init");
	party(getpid());
	truth_flush();
	child = lab_fork();
	if (!child) {
		lab_check(sem_post(&semaphore), "sem_post");
		exit(EXIT_SUCCESS);
	}
	lab_reap_well(child);
	lab_check(sem_wait(&semaphore), "sem_wait");
}

/* The client has no name, so that the server cannot answer. */
static void unnamed_client(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "ownway-server"}, from;
	int server = (int)lab_check(socket(AF_UNIX, SOCK_DGRAM, 0), "socket"), client;
	socklen_t len = sizeof(from);
	char text[16];

	lab_check(bind(server, (struct sockaddr *)&name, sizeof(name)), "bind");
	if (!lab_fork()) {
		close(server);
		client = (int)lab_check(socket(AF_UNIX, SOCK_DGRAM, 0), "socket");
		party(getpid());
		channel("unix-dgram", client);
		truth_flush();
		lab_check(sendto(client, "ask", 3, 0, (struct sockaddr *)&name, sizeof(name)),
			  "sendto");
		lab_check(recv(client, text, sizeof(text), 0), "recv");
		exit(EXIT_SUCCESS);
	}
	lab_check(recvfrom(server, text, sizeof(text), 0, (struct sockaddr *)&from, &len),
		  "recvfrom");
	lab_expect(sendto(server, "answer", 6, 0, (struct sockaddr *)&from, len) < 0,
		   "it has no address");
	wait(NULL);
}

/* sort(1) answers only when its input has ended, which the parent has not closed. */
static void feeds_its_child(void)
{
	int there[2], back[2];
	pid_t child = fork_with_pipes(there, back);
	char text[16];

	if (!child) {
		lab_check(dup2(there[0], STDIN_FILENO), "dup2");
		lab_check(dup2(back[1], STDOUT_FILENO), "dup2");
		for (int i = 0; i < 2; i++) {
			close(there[i]);
			close(back[i]);
		}
		execlp("sort", "sort", NULL);
		exit(EXIT_FAILURE);
	}
	close(there[0]);
	close(back[1]);
	party(getpid());
	party(child);
	channel("pipe", back[0]);
	truth_flush();
	lab_check(write(there[1], "b\na\n", 4), "write");
	lab_check(read(back[0], text, sizeof(text)), "read");
}

/* The length is sent as the machine has it, and read as the network would. */
static void wrong_length(void)
{
	uint32_t length = 5;
	char *text;
	int ends[2];

	lab_check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
	party(getpid());
	channel("unix-stream", ends[0]);
	truth_flush();
	if (!lab_fork()) {
		close(ends[0]);
		lab_check(write(ends[1], &length, sizeof(length)), "write");
		lab_check(write(ends[1], "hello", length), "write");
		hang_in_read(ends[1]);
	}
	close(ends[1]);
	lab_check(recv(ends[0], &length, sizeof(length), MSG_WAITALL), "recv");
	length = htonl(length);
	text = malloc(length);
	lab_expect(text != NULL, "malloc");
	while (length)
		length -= (uint32_t)lab_check(recv(ends[0], text, length, 0), "recv");
	free(text);
}

/* --- variables after fork() ------------------------------------------------------------------- */

static volatile int answer;

/* Returns once a child has set it, and has ended or (`goes_on`) lives on. */
static void let_child_set(volatile int *variable, bool goes_on)
{
	int ends[2];
	char byte;

	pipe_make(ends);
	party(getpid());
	truth_flush();
	if (!lab_fork()) {
		*variable = 42;
		lab_check(write(ends[1], "x", 1), "write");
		if (goes_on)
			hang_in_pause();
		_exit(EXIT_SUCCESS);
	}
	lab_check(read(ends[0], &byte, 1), "read");
	close(ends[0]);
	close(ends[1]);
	if (!goes_on)
		lab_check(wait(NULL), "wait");
}

static void nap_until(const volatile int *variable, useconds_t pause_us)
{
	while (!*variable)
		usleep(pause_us);
}

static void copied_variable(void)
{
	let_child_set(&answer, false);
	nap_until(&answer, 10000);
}

static void *mapped(int flags)
{
	void *memory = mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1,
			    0);

	lab_expect(memory != MAP_FAILED, "mmap");
	return memory;
}

static void copied_mapping(void)
{
	volatile int *variable = mapped(MAP_PRIVATE);

	let_child_set(variable, false);
	nap_until(variable, 1000);
}

/* The pauses are too long for a look to see several. */
static void seldom_looked_at(void)
{
	let_child_set(&answer, false);
	nap_until(&answer, 300000);
}

static void child_goes_on(void)
{
	let_child_set(&answer, true);
	nap_until(&answer, 10000);
}

static void spins_for_copy(void)
{
	let_child_set(&answer, false);
	while (!answer)
		;
}

/* No mistake, but for a child that sets nothing: what another one sets is seen. */
static void shared_variable(void)
{
	volatile int *variable = mapped(MAP_SHARED);

	let_child_set(&answer, false);
	nap_until(variable, 10000);
}

static void notes_end(int number)
{
	(void)number;
}

/* The same: a handler would set it. */
static void handler_sets(void)
{
	handle(SIGCHLD, notes_end);
	let_child_set(&answer, false);
	nap_until(&answer, 10000);
}

/* The same: it waits for a file. */
static void tests_for_file(void)
{
	let_child_set(&answer, false);
	while (access("there-soon", F_OK))
		usleep(10000);
}

/* The same: it sleeps until its time is over, and its children work. */
static void serves(void)
{
	let_child_set(&answer, true);
	nap_until(&answer, 300000);
}

int main(int argc, char **argv)
{
	static const struct mistake rows[] = {
		{"waits-for-children", waits_for_children},
		{"takes-its-lock", takes_its_lock},
		{"jumps-out", jumps_out},
		{"signalfd-unblocked", signalfd_unblocked},
		{"counted-at-once", counted_at_once},
		{"fills-own-pipe", fills_own_pipe},
		{"fills-own-queue", fills_own_queue},
		{"restarted-call", restarted_call},
		{"unset-descriptor", unset_descriptor},
		{"lost-condition", lost_condition},
		{"notified-once", notified_once},
		{"wrong-length", wrong_length},
		{"private-semaphore", private_semaphore},
		{"unnamed-client", unnamed_client},
		{"feeds-its-child", feeds_its_child},
		{"left-over-semaphore", left_over_semaphore},
		{"copied-variable", copied_variable},
		{"copied-mapping", copied_mapping},
		{"seldom-looked-at", seldom_looked_at},
		{"child-goes-on", child_goes_on},
		{"spins-for-copy", spins_for_copy},
		{"shared-variable", shared_variable},
		{"handler-sets", handler_sets},
		{"tests-for-file", tests_for_file},
		{"serves", serves},
	};

	return mistake_main(argc, argv, "MISTAKE: stands in its own way", rows, MISTAKES(rows));
}
