// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Sockets with a patience of their own, SO_RCVTIMEO and SO_SNDTIMEO: each call waits in vain as
 * long as the socket allows, and one that is given something first waits no longer.
 */
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>

#include "tests/labs/lab.h"

#define MILLISECOND 1000000L

static long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 * MILLISECOND + now.tv_nsec;
}

/* What the kernel makes of it: whole ticks of its clock. */
static long allow(int fd, int option, long ms)
{
	struct timeval time = {.tv_usec = ms * 1000};
	socklen_t len = sizeof(time);

	lab_check(setsockopt(fd, SOL_SOCKET, option, &time, sizeof(time)), "setsockopt");
	lab_check(getsockopt(fd, SOL_SOCKET, option, &time, &len), "getsockopt");
	return time.tv_sec * 1000 * MILLISECOND + time.tv_usec * 1000;
}

/* `call` as the kernel calls it; `type` is how long it took, as the program saw it. */
#define WAIT(socket, option, ms, call, wait)                                                       \
	do {                                                                                       \
		long allowed_ = allow(socket, option, ms), begin_ = now_ns();                      \
		ssize_t result_ = wait;                                                            \
		int error_ = errno;                                                                \
		long took_ = now_ns() - begin_;                                                    \
                                                                                                   \
		errno = error_;                                                                    \
		truth(.action = "waited", .channel = call, .value = allowed_, .type = took_,       \
		      .result = result_);                                                          \
	} while (0)

static void receives(int family, int type, int protocol, long ms)
{
	int fd = (int)lab_check(socket(family, type, protocol), "socket");
	struct sockaddr_in any = {.sin_family = AF_INET};
	char buf[8];

	if (family == AF_INET)
		lab_check(bind(fd, (struct sockaddr *)&any, sizeof(any)), "bind");
	WAIT(fd, SO_RCVTIMEO, ms, "recvfrom", recv(fd, buf, sizeof(buf), 0));
	close(fd);
}

/* Also where some has come: what there is must do. */
static void pair_receives(int type, long ms)
{
	int ends[2];
	char buf[8];
	struct iovec part = {buf, sizeof(buf)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	lab_check(socketpair(AF_UNIX, type, 0, ends), "socketpair");
	WAIT(ends[0], SO_RCVTIMEO, ms, "recvfrom", recv(ends[0], buf, sizeof(buf), 0));
	WAIT(ends[0], SO_RCVTIMEO, ms + 4, "read", read(ends[0], buf, sizeof(buf)));
	WAIT(ends[0], SO_RCVTIMEO, ms + 8, "recvmsg", recvmsg(ends[0], &message, 0));
	if (type == SOCK_STREAM) {
		lab_check(write(ends[1], "abc", 3), "write");
		WAIT(ends[0], SO_RCVTIMEO, ms + 12, "recvfrom",
		     recv(ends[0], buf, sizeof(buf), MSG_WAITALL));
	}
	close(ends[0]);
	close(ends[1]);
}

static void fill(int fd)
{
	static char buf[4096];

	while (send(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
	lab_expect(errno == EAGAIN, "nothing more fits");
}

static void send_in_vain(int type, long ms)
{
	static char buf[4096];
	int ends[2];

	lab_check(socketpair(AF_UNIX, type, 0, ends), "socketpair");
	fill(ends[0]);
	WAIT(ends[0], SO_SNDTIMEO, ms, "sendto", send(ends[0], buf, sizeof(buf), 0));
	WAIT(ends[0], SO_SNDTIMEO, ms + 4, "write", write(ends[0], buf, sizeof(buf)));
	close(ends[0]);
	close(ends[1]);
}

/* A listener that nobody comes to, until its queue of one is full: then connect waits, too. */
static void connections(long ms)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(address.sun_family); /* autobind, unix(7) */
	int listener = (int)lab_check(socket(AF_UNIX, SOCK_STREAM, 0), "socket"), first, second;

	lab_check(bind(listener, (struct sockaddr *)&address, len), "bind");
	len = sizeof(address);
	lab_check(getsockname(listener, (struct sockaddr *)&address, &len), "getsockname");
	lab_check(listen(listener, 0), "listen");
	WAIT(listener, SO_RCVTIMEO, ms, "accept", accept(listener, NULL, NULL));
	WAIT(listener, SO_RCVTIMEO, ms + 4, "accept4", accept4(listener, NULL, NULL, SOCK_CLOEXEC));
	first = (int)lab_check(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
	lab_check(connect(first, (struct sockaddr *)&address, len), "connect");
	second = (int)lab_check(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
	WAIT(second, SO_SNDTIMEO, ms + 8, "connect",
	     connect(second, (struct sockaddr *)&address, len));
	close(second);
	close(first);
	close(listener);
}

/* Bytes that are to go on into a socket that is full, or out of one that has none. */
static void pass_in_vain(long ms)
{
	int ends[2], pipe_ends[2], file = (int)lab_check(memfd_create("file", 0), "memfd_create");

	lab_check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
	lab_check(pipe(pipe_ends), "pipe");
	lab_check(write(file, "file", 4), "write");
	WAIT(ends[0], SO_RCVTIMEO, ms, "splice",
	     splice(ends[0], NULL, pipe_ends[1], NULL, 4096, 0));
	lab_check(write(pipe_ends[1], "pipe", 4), "write");
	fill(ends[0]);
	WAIT(ends[0], SO_SNDTIMEO, ms + 4, "splice",
	     splice(pipe_ends[0], NULL, ends[0], NULL, 4, 0));
	WAIT(ends[0], SO_SNDTIMEO, ms + 8, "sendfile", sendfile(ends[0], file, &(off_t){0}, 4));
	close(ends[0]);
	close(ends[1]);
	close(pipe_ends[0]);
	close(pipe_ends[1]);
	close(file);
}

/* A pipe with nothing in it is waited for without end, however patient the socket behind it is. */
static void pass_later(long ms)
{
	pid_t passer = getpid(), child;
	int ends[2], pipe_ends[2];

	lab_check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
	lab_check(pipe(pipe_ends), "pipe");
	allow(ends[0], SO_SNDTIMEO, ms);
	child = lab_fork();
	if (!child) {
		lab_wait_blocked(passer, SYS_splice);
		lab_check(write(pipe_ends[1], "!", 1), "write");
		_exit(EXIT_SUCCESS);
	}
	truth(.action = "endless", .channel = "splice",
	      .result = lab_check(splice(pipe_ends[0], NULL, ends[0], NULL, 1, 0), "splice"));
	lab_reap_well(child);
}

/* Something comes in time; and a socket with no patience set waits for ever. */
static void in_time(long ms)
{
	pid_t receiver = getpid(), child;
	int ends[2];
	char byte;

	lab_check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
	child = lab_fork();
	if (!child) {
		for (int i = 0; i < 2; i++) {
			lab_wait_blocked(receiver, i ? SYS_read : SYS_recvfrom);
			lab_check(write(ends[1], "!", 1), "write");
		}
		_exit(EXIT_SUCCESS);
	}
	truth(.action = "endless", .channel = "recvfrom",
	      .result = lab_check(recv(ends[0], &byte, 1, 0), "recv"));
	WAIT(ends[0], SO_RCVTIMEO, ms, "read", read(ends[0], &byte, 1));
	lab_reap_well(child);
}

int main(int argc, char **argv)
{
	lab_help(argc, argv, ": calls on sockets that wait no longer than the socket was told");
	pair_receives(SOCK_STREAM, 40);
	pair_receives(SOCK_DGRAM, 60);
	pair_receives(SOCK_SEQPACKET, 80);
	receives(AF_INET, SOCK_DGRAM, 0, 100);
	receives(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, 104);
	send_in_vain(SOCK_STREAM, 44);
	send_in_vain(SOCK_SEQPACKET, 64);
	connections(84);
	pass_in_vain(48);
	in_time(900);
	pass_later(904);
	return EXIT_SUCCESS;
}
