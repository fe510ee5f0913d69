// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Programs that hang by one mistake each, at what is no end of a channel: names that somebody has
 * yet to open, keys, locks, memory. Each logs who is party to it, and through which channel.
 */
#include <pthread.h>
#include <semaphore.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/syscall.h>

#include "tests/labs/mistake.h"

#define NAME_LEN 64

/* A folder of its own; the program never gets so far as to remove it: the test does. */
static const char *folder_make(void)
{
	static char folder[NAME_LEN];

	snprintf(folder, sizeof(folder), "stalls-%d", getpid());
	lab_check(mkdir(folder, 0700), "mkdir");
	return folder;
}

static void name_make(char name[2 * NAME_LEN], const char *folder, const char *last)
{
	snprintf(name, 2 * NAME_LEN, "%s/%s", folder, last);
}

/* Both open for reading first: each waits for a writer, which the other would be afterwards. */
static void fifo_opens(void)
{
	const char *folder = folder_make();
	char there[2 * NAME_LEN], back[2 * NAME_LEN];
	pid_t child;

	name_make(there, folder, "there");
	name_make(back, folder, "back");
	lab_check(mkfifo(there, 0600), "mkfifo");
	lab_check(mkfifo(back, 0600), "mkfifo");
	child = lab_fork();
	party(getpid());
	truth_flush();
	lab_check(open(child ? back : there, O_RDONLY), "open");
	lab_check(open(child ? there : back, O_WRONLY), "open");
}

/* Tells the other that it is so far, and waits until the other is. */
static void meet(const int there[2], const int back[2], bool child)
{
	char byte = 0;

	lab_expect(write(child ? there[1] : back[1], &byte, 1) == 1, "write");
	lab_expect(read(child ? back[0] : there[0], &byte, 1) == 1, "read");
}

/* Each has one lock and wants the other's. */
static void file_locks(void)
{
	const char *folder = folder_make();
	int there[2], back[2], mine, other;
	char name[2 * NAME_LEN];
	pid_t child;

	pipe_make(there);
	pipe_make(back);
	child = lab_fork();
	name_make(name, folder, child ? "a" : "b");
	mine = (int)lab_check(open(name, O_RDWR | O_CREAT, 0600), "open");
	lab_check(flock(mine, LOCK_EX), "flock");
	meet(there, back, !child);
	name_make(name, folder, child ? "b" : "a");
	other = (int)lab_check(open(name, O_RDWR | O_CREAT, 0600), "open");
	party(getpid());
	channel("file-lock", other);
	truth_flush();
	flock(other, LOCK_EX);
}

struct shared {
	pthread_mutex_t a, b;
};

static struct shared *shared_make(void)
{
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t attributes;

	lab_expect(shared != MAP_FAILED, "mmap");
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&shared->a, &attributes);
	pthread_mutex_init(&shared->b, &attributes);
	return shared;
}

/* As the file locks, in memory. */
static void mutexes(void)
{
	struct shared *shared = shared_make();
	int there[2], back[2];
	pid_t child = fork_with_pipes(there, back);

	pthread_mutex_lock(child ? &shared->a : &shared->b);
	meet(there, back, !child);
	party(getpid());
	channel_memory("futex", shared);
	truth_flush();
	pthread_mutex_lock(child ? &shared->b : &shared->a);
}

/* The child ends with the mutex locked. */
static void mutex_of_dead(void)
{
	struct shared *shared = shared_make();
	pid_t child = lab_fork();

	if (!child) {
		pthread_mutex_lock(&shared->a);
		exit(EXIT_SUCCESS);
	}
	lab_reap_well(child);
	truth(.action = "culprit", .to = child);
	party(getpid());
	channel_memory("futex", shared);
	truth_flush();
	pthread_mutex_lock(&shared->a);
}

/* A second child waits since before the one that has it ended, and the parent for that one. */
static void mutex_of_late_dead(void)
{
	struct shared *shared = shared_make();
	pid_t child, waiter;

	pthread_mutex_lock(&shared->b);
	child = lab_fork();
	if (!child) {
		pthread_mutex_lock(&shared->a);
		pthread_mutex_lock(&shared->b);
		exit(EXIT_SUCCESS);
	}
	lab_wait_blocked(child, SYS_futex);
	waiter = lab_fork();
	if (!waiter) {
		party(getpid());
		truth(.action = "culprit", .to = child);
		channel_memory("futex", shared);
		truth_flush();
		pthread_mutex_lock(&shared->a);
	}
	lab_wait_blocked(waiter, SYS_futex);
	pthread_mutex_unlock(&shared->b);
	lab_reap_well(child);
	truth_flush();
	lab_reap(waiter);
}

/* The same thread locks it twice. */
static void mutex_of_self(void)
{
	struct shared *shared = shared_make();

	truth(.action = "culprit", .to = getpid());
	party(getpid());
	channel_memory("futex", shared);
	truth_flush();
	pthread_mutex_lock(&shared->a);
	pthread_mutex_lock(&shared->a);
}

/*
 * Who had it when the wait began gave it up and ended; who has it since sleeps, and could give it
 * up.
 */
static void mutex_passed_on(void)
{
	struct shared *shared = shared_make();
	pid_t first, second, third;

	pthread_mutex_lock(&shared->b);
	first = lab_fork();
	if (!first) {
		pthread_mutex_lock(&shared->a);
		pthread_mutex_lock(&shared->b);
		pthread_mutex_unlock(&shared->b);
		pthread_mutex_unlock(&shared->a);
		exit(EXIT_SUCCESS);
	}
	lab_wait_blocked(first, SYS_futex);
	second = lab_fork();
	if (!second) {
		pthread_mutex_lock(&shared->a);
		hang_in_pause();
	}
	lab_wait_blocked(second, SYS_futex);
	third = lab_fork();
	if (!third) {
		party(getpid());
		channel_memory("futex", shared);
		truth_flush();
		pthread_mutex_lock(&shared->a);
	}
	lab_wait_blocked(third, SYS_futex);
	pthread_mutex_unlock(&shared->b);
	lab_reap_well(first);
	hang_in_pause();
}

/* The child ends with a POSIX semaphore taken, which lies in memory that has no name. */
static void semaphore_of_dead(void)
{
	sem_t *semaphore = mmap(NULL, sizeof(*semaphore), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child;

	lab_expect(semaphore != MAP_FAILED, "mmap");
	lab_check(sem_init(semaphore, 1, 1), "sem_init");
	child = lab_fork();
	if (!child) {
		lab_check(sem_wait(semaphore), "sem_wait");
		exit(EXIT_SUCCESS);
	}
	lab_reap_well(child);
	truth(.action = "culprit", .to = child);
	party(getpid());
	channel_memory("futex", semaphore);
	truth_flush();
	lab_check(sem_wait(semaphore), "sem_wait");
}

/*
 * The child posts a semaphore that it shares with its parent; but pshared is 0, so that the post
 * wakes nobody of another process.
 */
static void semaphore_for_threads(void)
{
	sem_t *semaphore = mmap(NULL, sizeof(*semaphore), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	lab_expect(semaphore != MAP_FAILED, "mmap");
	lab_check(sem_init(semaphore, 0, 0), "sem_init");
	if (!lab_fork()) {
		lab_wait_blocked(getppid(), SYS_futex);
		lab_check(sem_post(semaphore), "sem_post");
		exit(EXIT_SUCCESS);
	}
	party(getpid());
	truth_flush();
	lab_check(sem_wait(semaphore), "sem_wait");
}

/* The same with a condition variable that has the usual attributes. */
static void condition_for_threads(void)
{
	struct shared {
		pthread_mutex_t mutex;
		pthread_cond_t changed;
		bool ready;
	} *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			 -1, 0);

	lab_expect(shared != MAP_FAILED, "mmap");
	pthread_mutex_init(&shared->mutex, NULL);
	pthread_cond_init(&shared->changed, NULL);
	if (!lab_fork()) {
		lab_wait_blocked(getppid(), SYS_futex);
		pthread_mutex_lock(&shared->mutex);
		shared->ready = true;
		pthread_cond_signal(&shared->changed);
		pthread_mutex_unlock(&shared->mutex);
		exit(EXIT_SUCCESS);
	}
	party(getpid());
	truth_flush();
	pthread_mutex_lock(&shared->mutex);
	while (!shared->ready)
		pthread_cond_wait(&shared->changed, &shared->mutex);
}

static void *feed(void *end)
{
	static char big[1 << 20];

	lab_check(write(*(int *)end, big, sizeof(big)), "write");
	return NULL;
}

/* A child whose thread feeds a pipe that the parent reads once the child has ended. */
static void joined_before_read(void)
{
	int ends[2];
	pthread_t feeder;
	pid_t child;

	pipe_make(ends);
	child = lab_fork();
	if (!child) {
		party(getpid());
		channel("pipe", ends[1]);
		truth_flush();
		pthread_create(&feeder, NULL, feed, &ends[1]);
		pthread_join(feeder, NULL);
		exit(EXIT_SUCCESS);
	}
	close(ends[1]);
	truth_flush();
	lab_reap(child);
}

/* A server whose client was never started. */
static void no_client(void)
{
	struct sockaddr_in address;
	int mine = inet_socket(SOCK_STREAM, &address);

	lab_check(listen(mine, 1), "listen");
	party(getpid());
	channel("tcp", mine);
	truth_flush();
	lab_check(accept(mine, NULL, NULL), "accept");
}

static void add(int counter)
{
	uint64_t one = 1;

	lab_expect(write(counter, &one, sizeof(one)) == (ssize_t)sizeof(one), "write");
}

/* Two that each wait for the other's signal to go on. */
static void eventfds(void)
{
	int here = (int)lab_check(eventfd(0, 0), "eventfd");
	int there = (int)lab_check(eventfd(0, 0), "eventfd");
	uint64_t count;
	pid_t child;

	outsider_maybe();
	child = lab_fork();
	party(getpid());
	truth_flush();
	lab_check(read(child ? here : there, &count, sizeof(count)), "read");
	add(child ? there : here);
}

struct server {
	int listener;
	struct sockaddr_storage address;
	socklen_t len;
};

/* At an address that is free, of unix sockets too (unix(7): autobind). */
static struct server server_make(int family)
{
	struct server server = {.len = sizeof(server.address), .address.ss_family = family};
	struct sockaddr *address = (struct sockaddr *)&server.address;
	struct sockaddr_in *inet = (struct sockaddr_in *)&server.address;

	server.listener = (int)lab_check(socket(family, SOCK_STREAM, 0), "socket");
	if (family == AF_INET)
		inet->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	lab_check(bind(server.listener, address,
		       family == AF_INET ? sizeof(*inet) : sizeof(sa_family_t)),
		  "bind");
	lab_check(getsockname(server.listener, address, &server.len), "getsockname");
	lab_check(listen(server.listener, 5), "listen");
	return server;
}

/* Two servers, each a client of the other: each wants its answer before it accepts anybody. */
static void both_connect(int family)
{
	struct server servers[] = {server_make(family), server_make(family)};
	int self, fd;

	outsider_maybe();
	self = lab_fork() ? 0 : 1;
	close(servers[!self].listener);
	fd = (int)lab_check(socket(family, SOCK_STREAM, 0), "socket");
	lab_check(connect(fd, (struct sockaddr *)&servers[!self].address, servers[!self].len),
		  "connect");
	party(getpid());
	channel(family == AF_INET ? "tcp" : "unix-stream", fd);
	hang_in_read(fd);
}

static void both_connect_tcp(void)
{
	both_connect(AF_INET);
}

static void both_connect_unix(void)
{
	both_connect(AF_UNIX);
}

/*
 * A server that serves nobody before its child says that it is ready, and a child that has two
 * connections to make first: with nobody to accept it the first one fills the backlog.
 */
static void full_backlog(void)
{
	struct server server = server_make(AF_UNIX);
	int ready[2];

	lab_check(listen(server.listener, 0), "listen");
	pipe_make(ready);
	outsider_maybe();
	party(getpid());
	channel("unix-stream", server.listener);
	if (lab_fork()) {
		close(ready[1]);
		hang_in_read(ready[0]);
	}
	party(getpid());
	close(server.listener);
	close(ready[0]);
	truth_flush();
	for (int i = 0; i < 2; i++)
		lab_check(connect((int)lab_check(socket(AF_UNIX, SOCK_STREAM, 0), "socket"),
				  (struct sockaddr *)&server.address, server.len),
			  "connect");
	lab_expect(write(ready[1], "!", 1) == 1, "write");
}

/* Two servers, each waits for the other as its client. Anybody could come; only nobody does. */
static void both_accept(void)
{
	struct server servers[] = {server_make(AF_INET), server_make(AF_INET)};
	int self = lab_fork() ? 0 : 1;

	close(servers[!self].listener);
	party(getpid());
	channel("tcp", servers[self].listener);
	truth_flush();
	lab_check(accept(servers[self].listener, NULL, NULL), "accept");
}

/* A server that waits for a second player before it goes on with the first, who only listens. */
static void second_player(void)
{
	struct sockaddr_in address;
	int mine = inet_socket(SOCK_STREAM, &address), fd;

	lab_check(listen(mine, 5), "listen");
	party(getpid());
	if (!lab_fork()) {
		close(mine);
		party(getpid());
		fd = inet_connect(&address);
		channel("tcp", fd);
		lab_check(shutdown(fd, SHUT_WR), "shutdown");
		hang_in_read(fd);
	}
	fd = (int)lab_check(accept(mine, NULL, NULL), "accept");
	lab_expect(write(fd, "welcome", 7) == 7, "write");
	truth_flush();
	lab_check(accept(mine, NULL, NULL), "accept");
}

/* Nobody posts, but anybody who knows the key could. */
static void keyed_semaphore(void)
{
	int set = (int)lab_check(semget(getpid(), 1, 0600 | IPC_CREAT), "semget");
	struct sembuf change = {.sem_op = -1};

	party(getpid());
	channel_number("sysv-sem", set);
	truth_flush();
	semop(set, &change, 1);
}

/* The same of one with a name. The test takes it away. */
static void named_semaphore(void)
{
	char name[NAME_LEN];
	sem_t *semaphore;

	snprintf(name, sizeof(name), "/ipclens-stalls-%d", getpid());
	truth(.action = "named", .value = getpid());
	semaphore = sem_open(name, O_CREAT | O_EXCL, 0600, 0);
	lab_expect(semaphore != SEM_FAILED, "sem_open");
	party(getpid());
	truth_flush();
	lab_check(sem_wait(semaphore), "sem_wait");
}

/* Two queues with a key each, and both receive first. */
static void keyed_queues(void)
{
	struct {
		long type;
		char text[8];
	} message;
	int queue;

	lab_fork();
	queue = (int)lab_check(msgget(getpid(), 0600 | IPC_CREAT), "msgget");
	party(getpid());
	channel_number("sysv-msg", queue);
	truth_flush();
	msgrcv(queue, &message, sizeof(message.text), 0, 0);
}

static const struct mistake stalls[] = {
	{"fifo-opens", fifo_opens},
	{"file-locks", file_locks},
	{"mutexes", mutexes},
	{"mutex-of-dead", mutex_of_dead},
	{"mutex-of-late-dead", mutex_of_late_dead},
	{"mutex-of-self", mutex_of_self},
	{"mutex-passed-on", mutex_passed_on},
	{"semaphore-of-dead", semaphore_of_dead},
	{"semaphore-for-threads", semaphore_for_threads},
	{"condition-for-threads", condition_for_threads},
	{"eventfds", eventfds},
	{"joined-before-read", joined_before_read},
	{"no-client", no_client},
	{"keyed-semaphore", keyed_semaphore},
	{"named-semaphore", named_semaphore},
	{"keyed-queues", keyed_queues},
	{"both-connect", both_connect_tcp},
	{"both-connect-unix", both_connect_unix},
	{"full-backlog", full_backlog},
	{"both-accept", both_accept},
	{"second-player", second_player},
};

int main(int argc, char **argv)
{
	return mistake_main(argc, argv, "MISTAKE: hangs by it", stalls, MISTAKES(stalls));
}
