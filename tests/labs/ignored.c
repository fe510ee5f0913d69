// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Programs that lose data or a wake-up by a call that fails, as they do not look at what it
 * returned. Each logs who is party to it ("party"). With `outsider` it makes up for it.
 */
#include <sched.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/un.h>

#include "tests/labs/mistake.h"

/* Notes that it fails with this error. */
static void ignore(long result, int error)
{
	lab_expect(result < 0 && errno == error, "it fails");
}

static void begin(void)
{
	party(getpid());
	truth_flush();
}

static void writes_no_number(void)
{
	int fd = (int)lab_check(eventfd(1, 0), "eventfd");
	uint64_t one = 1;

	begin();
	if (outsider_wanted)
		lab_check(write(fd, &one, sizeof(one)), "write");
	else
		ignore(write(fd, &one, sizeof(int)), EINVAL);
	lab_check(read(fd, &one, sizeof(one)), "read");
}

static void reads_no_number(void)
{
	const struct itimerspec at = {.it_value.tv_nsec = 1};
	int fd = (int)lab_check(timerfd_create(CLOCK_MONOTONIC, 0), "timerfd_create");
	uint64_t count;

	begin();
	lab_check(timerfd_settime(fd, 0, &at, NULL), "timerfd_settime");
	if (outsider_wanted)
		lab_check(read(fd, &count, sizeof(count)), "read");
	else
		ignore(read(fd, &count, sizeof(int)), EINVAL);
}

static void reads_no_record(void)
{
	struct signalfd_siginfo info;
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	lab_check(sigprocmask(SIG_BLOCK, &set, NULL), "sigprocmask");
	fd = (int)lab_check(signalfd(-1, &set, 0), "signalfd");
	begin();
	lab_check(raise(SIGUSR1), "raise");
	if (outsider_wanted)
		lab_check(read(fd, &info, sizeof(info)), "read");
	else
		ignore(read(fd, &info, sizeof(int)), EINVAL);
}

static void stream_pair(int ends[2])
{
	lab_check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
}

/* A sound program reads what it cannot splice. */
static void splices_sockets(void)
{
	int from[2], to[2];
	char buf[8];

	stream_pair(from);
	stream_pair(to);
	begin();
	lab_check(write(from[1], "hello", 5), "write");
	ignore(splice(from[0], NULL, to[1], NULL, sizeof(buf), 0), EINVAL);
	if (outsider_wanted)
		lab_check(write(to[1], buf, (size_t)lab_check(read(from[0], buf, 8), "read")),
			  "write");
}

/* The child waits at a set that is removed; a sound one takes that to be the end. */
static void loses_semaphore(void)
{
	int set = (int)lab_check(semget(IPC_PRIVATE, 1, 0600), "semget");
	struct sembuf take = {.sem_op = -1};
	pid_t child = lab_fork();

	if (!child) {
		begin();
		ignore(semop(set, &take, 1), EIDRM);
		exit(outsider_wanted ? EXIT_SUCCESS : EXIT_FAILURE);
	}
	while (semctl(set, 0, GETNCNT) == 0)
		sched_yield();
	lab_check(semctl(set, 0, IPC_RMID), "IPC_RMID");
	lab_expect(!lab_reap(child) == outsider_wanted, "only a sound child ends well");
}

/* More signals than may be queued; a sound program sends those again that were refused. */
static void fills_signal_queue(void)
{
	enum { SIGNALS = 64 };
	struct rlimit limit;
	siginfo_t info;
	sigset_t set;
	int refused = 0;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	lab_check(sigprocmask(SIG_BLOCK, &set, NULL), "sigprocmask");
	lab_check(getrlimit(RLIMIT_SIGPENDING, &limit), "getrlimit");
	limit.rlim_cur = 8;
	lab_check(setrlimit(RLIMIT_SIGPENDING, &limit), "setrlimit");
	begin();
	for (int i = 0; i < SIGNALS; i++)
		refused += sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = i}) < 0;
	lab_expect(refused > 0, "some are refused");
	while (sigtimedwait(&set, &info, &(struct timespec){0}) > 0 || (outsider_wanted && refused))
		if (outsider_wanted && refused)
			refused -= sigqueue(getpid(), SIGRTMIN, (union sigval){0}) == 0;
}

/* What comes with the data is thrown away by a receive without room for it. */
static void drops_descriptors(void)
{
	char room[CMSG_SPACE(sizeof(int))], byte;
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = room,
				 .msg_controllen = sizeof(room)};
	int ends[2];

	stream_pair(ends);
	begin();
	send_descriptor(ends[1], STDIN_FILENO);
	if (outsider_wanted)
		lab_check(recvmsg(ends[0], &message, 0), "recvmsg");
	else
		lab_check(read(ends[0], &byte, 1), "read");
}

static int datagram_socket(void)
{
	return (int)lab_check(socket(AF_UNIX, SOCK_DGRAM, 0), "socket");
}

/* A name in the folder of the test, or an abstract one with so many NULs more. */
static socklen_t name_make(struct sockaddr_un *address, bool abstract, int nuls)
{
	int len;

	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	len = snprintf(address->sun_path + abstract, sizeof(address->sun_path) - 1,
		       abstract ? "ipclens-ignored-%d" : "ignored-%d", getpid());
	return (socklen_t)offsetof(struct sockaddr_un, sun_path) + (socklen_t)(len + 1 + nuls);
}

static int receiver_make(const struct sockaddr_un *address, socklen_t len)
{
	int fd = datagram_socket();

	if (address->sun_path[0])
		unlink(address->sun_path);
	lab_check(bind(fd, (const struct sockaddr *)address, len), "bind");
	return fd;
}

/* Nobody has the name; with a sound program somebody has, when it sends again. */
static void sends_to_nobody(void)
{
	struct sockaddr_un address;
	socklen_t len = name_make(&address, false, 0);
	const struct sockaddr *to = (const struct sockaddr *)&address;
	int fd = datagram_socket();

	begin();
	close(receiver_make(&address, len));
	ignore(sendto(fd, "lost", 4, 0, to, len), ECONNREFUSED);
	if (outsider_wanted) {
		receiver_make(&address, len);
		lab_check(sendto(fd, "lost", 4, 0, to, len), "sendto");
	}
	unlink(address.sun_path);
}

/* The receiver is started anew; a sound sender connects again. */
static void stays_connected(void)
{
	struct sockaddr_un address;
	socklen_t len = name_make(&address, false, 0);
	int receiver = receiver_make(&address, len), fd = datagram_socket();

	begin();
	lab_check(connect(fd, (const struct sockaddr *)&address, len), "connect");
	close(receiver);
	receiver_make(&address, len);
	ignore(send(fd, "one", 3, 0), ECONNREFUSED);
	if (outsider_wanted) {
		lab_check(connect(fd, (const struct sockaddr *)&address, len), "connect");
		lab_check(send(fd, "one", 3, 0), "send");
	} else {
		ignore(send(fd, "two", 3, 0), ENOTCONN);
	}
	unlink(address.sun_path);
}

/* The name that is bound has NULs at its end, which the sender leaves out. */
static void trailing_nuls(void)
{
	struct sockaddr_un address;
	socklen_t len = name_make(&address, true, 20);
	int fd = datagram_socket();

	receiver_make(&address, len);
	begin();
	if (!outsider_wanted)
		ignore(sendto(fd, "x", 1, 0, (const struct sockaddr *)&address, len - 20),
		       ECONNREFUSED);
	else
		lab_check(sendto(fd, "x", 1, 0, (const struct sockaddr *)&address, len), "sendto");
}

/*
 * The receiver takes an empty datagram for the end, if it is not sound, and closes its socket; then
 * the sender sends one more.
 */
static void ends_at_empty(int receiver, int sender)
{
	char buf[8];

	begin();
	lab_check(send(sender, "one", 3, 0), "send");
	lab_check(send(sender, "", 0, 0), "send");
	lab_expect(recv(receiver, buf, sizeof(buf), 0) == 3, "one");
	lab_expect(recv(receiver, buf, sizeof(buf), 0) == 0, "empty");
	if (!outsider_wanted)
		close(receiver);
	if (send(sender, "two", 3, 0) == 3 && outsider_wanted)
		lab_expect(recv(receiver, buf, sizeof(buf), 0) == 3, "two");
}

static void ends_at_empty_unix(void)
{
	struct sockaddr_un address;
	socklen_t len = name_make(&address, false, 0);
	int receiver = receiver_make(&address, len), fd = datagram_socket();

	lab_check(connect(fd, (const struct sockaddr *)&address, len), "connect");
	unlink(address.sun_path);
	ends_at_empty(receiver, fd);
}

static void ends_at_empty_udp(void)
{
	struct sockaddr_in address;
	int receiver = inet_socket(SOCK_DGRAM, &address), fd;

	fd = (int)lab_check(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	lab_check(connect(fd, (const struct sockaddr *)&address, sizeof(address)), "connect");
	ends_at_empty(receiver, fd);
	lab_expect(outsider_wanted || send(fd, "three", 5, 0) < 0, "ECONNREFUSED");
}

int main(int argc, char **argv)
{
	static const struct mistake rows[] = {
		{"writes-no-number", writes_no_number},
		{"reads-no-number", reads_no_number},
		{"reads-no-record", reads_no_record},
		{"splices-sockets", splices_sockets},
		{"loses-semaphore", loses_semaphore},
		{"fills-signal-queue", fills_signal_queue},
		{"drops-descriptors", drops_descriptors},
		{"sends-to-nobody", sends_to_nobody},
		{"stays-connected", stays_connected},
		{"trailing-nuls", trailing_nuls},
		{"ends-at-empty", ends_at_empty_unix},
		{"ends-at-empty-udp", ends_at_empty_udp},
	};

	return mistake_main(argc, argv, "MISTAKE: ignores what a call returns", rows,
			    MISTAKES(rows));
}
