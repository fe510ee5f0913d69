// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The vectored calls: readv and writev, preadv2 and pwritev2, sendmsg and recvmsg (with a
 * descriptor), and the mmsg pair.
 */
#include <sys/socket.h>
#include <sys/uio.h>

#include "tests/labs/lab.h"

enum { MANY = 3 };

static struct iovec part(const void *data, size_t len)
{
	return (struct iovec){.iov_base = (void *)data, .iov_len = len};
}

static void send_vector(int fd)
{
	struct iovec parts[] = {part("scat", 4), part("", 0), part("tered", 5)};
	ssize_t n = writev(fd, parts, 3);

	truth(.action = "send", .mechanism = "pipe", .channel = "pipe", .data = "scattered",
	      .result = n);
	lab_expect(lab_check(n, "writev") == 9, "writev takes all");
}

static void receive_vector(int fd)
{
	char buf[64];
	struct iovec parts[] = {part(buf, 2), part(buf + 2, 7)};
	ssize_t n = readv(fd, parts, 2);

	truth(.action = "receive", .mechanism = "pipe", .channel = "pipe", .data = buf,
	      .result = n);
	lab_expect(lab_check(n, "readv") == 9, "readv got all");
}

/* With flags, and at no place: a pipe has none. */
static void send_flagged(int fd)
{
	struct iovec parts[] = {part("with ", 5), part("flags", 5)};
	ssize_t n = pwritev2(fd, parts, 2, -1, RWF_NOWAIT);

	truth(.action = "send", .mechanism = "pipe", .channel = "pipe", .data = "with flags",
	      .result = n);
	lab_expect(lab_check(n, "pwritev2") == 10, "pwritev2 takes all");
}

static void receive_flagged(int fd)
{
	char buf[64];
	struct iovec parts[] = {part(buf, 5), part(buf + 5, 59)};
	ssize_t n = preadv2(fd, parts, 2, -1, RWF_NOWAIT);

	truth(.action = "receive", .mechanism = "pipe", .channel = "pipe", .data = buf,
	      .result = n);
	lab_expect(lab_check(n, "preadv2") == 10, "preadv2 got all");
}

/* Sends one message of two parts, and a descriptor beside it. */
static void send_with_fd(int fd, int passed)
{
	char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec parts[] = {part("take ", 5), part("this", 4)};
	struct msghdr message = {.msg_iov = parts,
				 .msg_iovlen = 2,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	ssize_t n;

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &passed, sizeof(passed));
	n = sendmsg(fd, &message, 0);
	truth(.action = "send", .mechanism = "unix-dgram", .channel = "dgram", .data = "take this",
	      .result = n, .fd = passed);
	lab_check(n, "sendmsg");
}

static int receive_with_fd(int fd)
{
	char buf[64], control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec parts[] = {part(buf, 3), part(buf + 3, 61)};
	struct msghdr message = {.msg_iov = parts,
				 .msg_iovlen = 2,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(fd, &message, 0);
	int passed;

	lab_check(n, "recvmsg");
	lab_expect(CMSG_FIRSTHDR(&message) != NULL, "a descriptor came");
	memcpy(&passed, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(passed));
	truth(.action = "receive", .mechanism = "unix-dgram", .channel = "dgram", .data = buf,
	      .result = n, .fd = passed);
	return passed;
}

static void send_many(int fd)
{
	static const char *const texts[MANY] = {"first of many", "2nd", "the third"};
	struct mmsghdr messages[MANY] = {0};
	struct iovec parts[MANY];

	for (int i = 0; i < MANY; i++) {
		parts[i] = part(texts[i], strlen(texts[i]));
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
	}
	lab_expect(lab_check(sendmmsg(fd, messages, MANY, 0), "sendmmsg") == MANY, "all were sent");
	for (int i = 0; i < MANY; i++)
		truth(.action = "send", .mechanism = "unix-dgram", .channel = "dgram",
		      .data = texts[i], .result = (ssize_t)messages[i].msg_len);
}

static void receive_many(int fd)
{
	struct mmsghdr messages[MANY] = {0};
	struct iovec parts[MANY];
	char bufs[MANY][64];

	for (int i = 0; i < MANY; i++) {
		parts[i] = part(bufs[i], sizeof(bufs[i]));
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
	}
	lab_expect(lab_check(recvmmsg(fd, messages, MANY, 0, NULL), "recvmmsg") == MANY,
		   "all came");
	for (int i = 0; i < MANY; i++)
		truth(.action = "receive", .mechanism = "unix-dgram", .channel = "dgram",
		      .data = bufs[i], .result = (ssize_t)messages[i].msg_len);
}

int main(int argc, char **argv)
{
	int ends[2], sockets[2], passed;
	pid_t child;

	lab_help(argc, argv,
		 ": writev and pwritev2, sendmsg with SCM_RIGHTS, sendmmsg, and their receives");
	lab_check(pipe(ends), "pipe");
	lab_check(socketpair(AF_UNIX, SOCK_DGRAM, 0, sockets), "socketpair");
	child = lab_fork();
	if (!child) {
		close(ends[0]);
		passed = receive_with_fd(sockets[0]);
		receive_vector(passed);
		receive_flagged(passed);
		receive_many(sockets[0]);
		exit(EXIT_SUCCESS);
	}
	close(sockets[0]);
	send_vector(ends[1]);
	send_flagged(ends[1]);
	send_with_fd(sockets[1], ends[0]);
	send_many(sockets[1]);
	lab_reap_well(child);
	return EXIT_SUCCESS;
}
