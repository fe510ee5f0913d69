// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Calls that set an object or ask how it is set: options of sockets, the size and flags of a pipe,
 * commands of System V objects, a queue that tells of messages by a signal.
 */
#include <mqueue.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/socket.h>

#include "tests/labs/lab.h"

/* `channel` is the constant's name, `result` what was set, found or returned. */
static void note(const char *call, const char *constant, long value)
{
	truth(.action = "call", .mechanism = call, .channel = constant, .result = value);
}

static void set_option(int fd, int level, int number, const char *name, int value)
{
	lab_check(setsockopt(fd, level, number, &value, sizeof(value)), name);
	note("setsockopt", name, value);
}

static void get_option(int fd, int level, int number, const char *name)
{
	int value = 0;
	socklen_t len = sizeof(value);

	lab_check(getsockopt(fd, level, number, &value, &len), name);
	note("getsockopt", name, value);
}

#define SET(fd, level, name, value) set_option(fd, level, name, #name, value)
#define GET(fd, level, name) get_option(fd, level, name, #name)

static void sockets(void)
{
	int tcp = (int)lab_check(socket(AF_INET, SOCK_STREAM, 0), "socket");
	int local = (int)lab_check(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
	struct linger linger = {1, 5};
	struct timeval wait = {2, 500000};
	int value = 0;

	SET(tcp, SOL_SOCKET, SO_RCVBUF, 8192);
	GET(tcp, SOL_SOCKET, SO_RCVBUF);
	SET(tcp, SOL_SOCKET, SO_SNDBUF, 16384);
	GET(tcp, SOL_SOCKET, SO_SNDBUF);
	SET(tcp, SOL_SOCKET, SO_REUSEADDR, 1);
	SET(tcp, SOL_SOCKET, SO_REUSEPORT, 1);
	SET(tcp, SOL_SOCKET, SO_OOBINLINE, 1);
	SET(tcp, IPPROTO_TCP, TCP_NODELAY, 1);
	SET(tcp, IPPROTO_TCP, TCP_CORK, 1);
	SET(local, SOL_SOCKET, SO_PASSCRED, 1);
	SET(local, SOL_SOCKET, SO_PEEK_OFF, 7);
	lab_check(setsockopt(tcp, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), "SO_LINGER");
	note("setsockopt", "SO_LINGER", 5);
	lab_check(setsockopt(tcp, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)), "SO_RCVTIMEO");
	note("setsockopt", "SO_RCVTIMEO", 2);
	lab_expect(setsockopt(tcp, SOL_SOCKET, 9999, &value, sizeof(value)) < 0, "no such option");
}

static void pipes(void)
{
	int ends[2];

	lab_check(pipe(ends), "pipe");
	note("fcntl", "F_GETPIPE_SZ", lab_check(fcntl(ends[0], F_GETPIPE_SZ), "F_GETPIPE_SZ"));
	note("fcntl", "F_SETFL", lab_check(fcntl(ends[0], F_SETFL, O_NONBLOCK), "F_SETFL"));
	note("fcntl", "F_GETFL", lab_check(fcntl(ends[0], F_GETFL), "F_GETFL"));
	note("fcntl", "F_SETPIPE_SZ",
	     lab_check(fcntl(ends[1], F_SETPIPE_SZ, 20000), "F_SETPIPE_SZ"));
}

static void system_v(void)
{
	int queue = (int)lab_check(msgget(IPC_PRIVATE, 0600), "msgget");
	int set = (int)lab_check(semget(IPC_PRIVATE, 1, 0600), "semget");
	struct msqid_ds state;

	note("msgctl", "IPC_STAT", lab_check(msgctl(queue, IPC_STAT, &state), "IPC_STAT"));
	note("msgctl", "IPC_RMID", lab_check(msgctl(queue, IPC_RMID, NULL), "IPC_RMID"));
	note("semctl", "SETVAL", lab_check(semctl(set, 0, SETVAL, 3), "SETVAL"));
	note("semctl", "GETVAL", lab_check(semctl(set, 0, GETVAL), "GETVAL"));
	note("semctl", "IPC_RMID", lab_check(semctl(set, 0, IPC_RMID), "IPC_RMID"));
}

static void queue(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2};
	struct mq_attr attributes = {.mq_maxmsg = 2, .mq_msgsize = 16};
	sigset_t wanted;
	char name[32];
	pid_t child;
	mqd_t mq;

	snprintf(name, sizeof(name), "/lab-options-%d", getpid());
	mq = (mqd_t)lab_check(mq_open(name, O_RDWR | O_CREAT, 0600, &attributes), "mq_open");
	sigemptyset(&wanted);
	sigaddset(&wanted, SIGUSR2);
	lab_check(sigprocmask(SIG_BLOCK, &wanted, NULL), "sigprocmask");
	lab_check(mq_notify(mq, &event), "mq_notify");
	child = lab_fork();
	if (!child) {
		lab_check(mq_send(mq, "wake up", 7, 1), "mq_send");
		truth(.action = "signal-sent", .signal = SIGUSR2, .to = getppid());
		exit(EXIT_SUCCESS);
	}
	lab_expect(sigwaitinfo(&wanted, NULL) == SIGUSR2, "the signal comes");
	lab_reap_well(child);
	lab_check(mq_notify(mq, &event), "mq_notify");
	lab_check(mq_notify(mq, NULL), "mq_notify");
	lab_check(mq_unlink(name), "mq_unlink");
}

int main(int argc, char **argv)
{
	lab_help(argc, argv, ": setsockopt, fcntl, msgctl, semctl, mq_notify");
	sockets();
	pipes();
	system_v();
	queue();
	return EXIT_SUCCESS;
}
