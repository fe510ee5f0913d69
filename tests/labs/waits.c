// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A child that sleeps in one call, for a tracer to be attached to it. The parent logs "ready" when
 * it does, waits for SIGUSR1 and then lets the child go on: the call completes, and both end.
 */
#include <dirent.h>
#include <mqueue.h>
#include <signal.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "tests/labs/lab.h"

#define TEXT "woken at last"

struct place {
	int pipe_ends[2], queue_id, semaphores, listener;
	mqd_t queue;
	struct sockaddr_un address;
};

static void read_prepare(struct place *place)
{
	lab_check(pipe(place->pipe_ends), "pipe");
}

static void read_wait(struct place *place)
{
	char buf[64];

	lab_read(place->pipe_ends[0], "pipe", "pipe", buf, sizeof(buf));
}

static void read_free(struct place *place)
{
	lab_write_text(place->pipe_ends[1], "pipe", "pipe", TEXT);
}

/* So full that not one byte more fits. */
static void write_prepare(struct place *place)
{
	static char page[65536];

	memset(page, 'f', sizeof(page));
	lab_check(pipe(place->pipe_ends), "pipe");
	lab_expect(write(place->pipe_ends[1], page, sizeof(page)) == (ssize_t)sizeof(page),
		   "it fills up");
}

static void write_wait(struct place *place)
{
	lab_write_text(place->pipe_ends[1], "pipe", "pipe", TEXT);
	close(place->pipe_ends[1]);
}

static void write_free(struct place *place)
{
	close(place->pipe_ends[1]);
	lab_read_all(place->pipe_ends[0], "pipe", "pipe");
}

static void accept_prepare(struct place *place)
{
	place->address.sun_family = AF_UNIX;
	snprintf(place->address.sun_path + 1, sizeof(place->address.sun_path) - 1,
		 "ipclens-waits-%d", getpid());
	place->listener = (int)lab_check(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
	lab_check(bind(place->listener, (struct sockaddr *)&place->address, sizeof(place->address)),
		  "bind");
	lab_check(listen(place->listener, 1), "listen");
}

static void accept_wait(struct place *place)
{
	int fd = (int)lab_check(accept(place->listener, NULL, NULL), "accept");
	char buf[64];

	truth(.action = "accept", .fd = fd);
	lab_read(fd, "unix-stream", "unix", buf, sizeof(buf));
}

static void accept_free(struct place *place)
{
	int fd = (int)lab_check(socket(AF_UNIX, SOCK_STREAM, 0), "socket");

	lab_check(connect(fd, (struct sockaddr *)&place->address, sizeof(place->address)),
		  "connect");
	lab_write_text(fd, "unix-stream", "unix", TEXT);
}

struct message {
	long type;
	char text[64];
};

static void msgrcv_prepare(struct place *place)
{
	place->queue_id = (int)lab_check(msgget(IPC_PRIVATE, 0600), "msgget");
}

static void msgrcv_wait(struct place *place)
{
	struct message message;
	ssize_t n = msgrcv(place->queue_id, &message, sizeof(message.text), 7, 0);

	truth(.action = "receive", .mechanism = "sysv-msg", .channel = "queue",
	      .data = message.text, .result = n, .type = message.type);
}

static void msgrcv_free(struct place *place)
{
	struct message message = {7, TEXT};

	lab_check(msgsnd(place->queue_id, &message, strlen(TEXT), 0), "msgsnd");
	truth(.action = "send", .mechanism = "sysv-msg", .channel = "queue", .data = message.text,
	      .bytes = strlen(TEXT), .type = message.type);
}

static void msgrcv_end(struct place *place)
{
	lab_check(msgctl(place->queue_id, IPC_RMID, NULL), "msgctl");
}

static void mq_prepare(struct place *place)
{
	struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = 64};
	char name[64];

	snprintf(name, sizeof(name), "/ipclens-waits-%d", getpid());
	place->queue = (mqd_t)lab_check(mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes),
					"mq_open");
	lab_check(mq_unlink(name), "mq_unlink");
}

static void mq_wait(struct place *place)
{
	char buf[64];
	unsigned int priority;
	ssize_t n = mq_receive(place->queue, buf, sizeof(buf), &priority);

	truth(.action = "receive", .mechanism = "posix-mq", .channel = "queue", .data = buf,
	      .result = n, .priority = priority);
}

static void mq_free(struct place *place)
{
	lab_check(mq_send(place->queue, TEXT, strlen(TEXT), 3), "mq_send");
	truth(.action = "send", .mechanism = "posix-mq", .channel = "queue", .data = TEXT,
	      .bytes = strlen(TEXT), .priority = 3);
}

static void semop_prepare(struct place *place)
{
	place->semaphores = (int)lab_check(semget(IPC_PRIVATE, 2, 0600), "semget");
}

static void semop_wait(struct place *place)
{
	struct sembuf change = {.sem_num = 1, .sem_op = -1};

	lab_check(semop(place->semaphores, &change, 1), "semop");
	truth(.action = "wait", .mechanism = "sysv-sem", .channel = "semaphores");
}

static void semop_free(struct place *place)
{
	struct sembuf change = {.sem_num = 1, .sem_op = 1};

	lab_check(semop(place->semaphores, &change, 1), "semop");
}

static void semop_end(struct place *place)
{
	lab_check(semctl(place->semaphores, 0, IPC_RMID), "semctl");
}

static void nothing(struct place *place)
{
	(void)place;
}

static const struct wait_row {
	const char *name;
	long call;
	void (*prepare)(struct place *); /* before the fork */
	void (*wait)(struct place *);	 /* in the child */
	void (*release)(struct place *); /* in the parent */
	void (*end)(struct place *);	 /* in the parent, when the child is gone */
} wait_rows[] = {
	{"read", SYS_read, read_prepare, read_wait, read_free, nothing},
	{"write", SYS_write, write_prepare, write_wait, write_free, nothing},
	{"accept", SYS_accept, accept_prepare, accept_wait, accept_free, nothing},
	{"msgrcv", SYS_msgrcv, msgrcv_prepare, msgrcv_wait, msgrcv_free, msgrcv_end},
	{"semop", SYS_semtimedop, semop_prepare, semop_wait, semop_free, semop_end},
	{"mq", SYS_mq_timedreceive, mq_prepare, mq_wait, mq_free, nothing},
};

static const struct wait_row *row_find(const char *name)
{
	for (size_t i = 0; i < sizeof(wait_rows) / sizeof(wait_rows[0]); i++)
		if (lab_is(name, wait_rows[i].name))
			return &wait_rows[i];
	lab_usage(name);
}

struct sleeper {
	const struct wait_row *row;
	struct place *place;
};

static void *sleep_in(void *pointer)
{
	const struct sleeper *sleeper = pointer;

	sleeper->row->wait(sleeper->place);
	return NULL;
}

/* The call in a thread that is not the first, where asked for. */
static void child_run(struct sleeper *sleeper, bool thread)
{
	pthread_t second;

	if (!thread) {
		sleep_in(sleeper);
		return;
	}
	lab_expect(!pthread_create(&second, NULL, sleep_in, sleeper), "pthread_create");
	pthread_join(second, NULL);
}

static pid_t second_thread(pid_t pid)
{
	char path[64];
	struct dirent *entry;
	pid_t tid = 0;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	if (!tasks)
		lab_die(path);
	while ((entry = readdir(tasks)))
		if (atoi(entry->d_name) != pid && atoi(entry->d_name) > 0)
			tid = atoi(entry->d_name);
	closedir(tasks);
	return tid;
}

static void wait_asleep(pid_t child, const struct wait_row *row, bool thread)
{
	if (thread)
		lab_wait_blocked(child, SYS_futex);
	lab_wait_blocked(thread ? second_thread(child) : child, row->call);
}

int main(int argc, char **argv)
{
	struct place place = {0};
	struct sleeper sleeper = {.place = &place};
	bool thread = lab_is(lab_word(argc, argv, 2, ""), "thread");
	sigset_t set;
	pid_t child;
	int number;

	lab_help(argc, argv, "read|write|accept|msgrcv|semop|mq [thread]: until SIGUSR1");
	sleeper.row = row_find(lab_word(argc, argv, 1, "read"));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sleeper.row->prepare(&place);
	child = lab_fork();
	if (!child) {
		child_run(&sleeper, thread);
		exit(EXIT_SUCCESS);
	}
	wait_asleep(child, sleeper.row, thread);
	truth(.action = "ready", .to = child);
	truth_flush();
	sigwait(&set, &number);
	sleeper.row->release(&place);
	lab_reap_well(child);
	sleeper.row->end(&place);
	return EXIT_SUCCESS;
}
