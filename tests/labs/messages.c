// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What sendmsg and recvmsg say beside their data: credentials, flags, cut messages, descriptors. */
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/labs/lab.h"

#define MECHANISM "unix-seqpacket"

enum { MANY = 253 }; /* SCM_MAX_FD */

static struct msghdr header_of(struct iovec *part, void *control, size_t control_len)
{
	return (struct msghdr){.msg_iov = part,
			       .msg_iovlen = 1,
			       .msg_control = control,
			       .msg_controllen = control_len};
}

static void *control_of(struct msghdr *message, int type, size_t len)
{
	struct cmsghdr *header = CMSG_FIRSTHDR(message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = type;
	header->cmsg_len = CMSG_LEN(len);
	return CMSG_DATA(header);
}

static void send_message(int fd, struct msghdr *message, int flags)
{
	ssize_t n = sendmsg(fd, message, flags);

	truth(.action = "send", .mechanism = MECHANISM, .channel = "messages",
	      .data = message->msg_iov->iov_base, .result = n);
	lab_check(n, "sendmsg");
}

static void send_plain(int fd, const char *text, int flags)
{
	struct iovec part = {(void *)text, strlen(text)};
	struct msghdr message = header_of(&part, NULL, 0);

	send_message(fd, &message, flags);
}

static void send_credentials(int fd)
{
	char control[CMSG_SPACE(sizeof(struct ucred))] = {0};
	struct ucred me = {getpid(), getuid(), getgid()};
	struct iovec part = {"who I am", 8};
	struct msghdr message = header_of(&part, control, sizeof(control));

	memcpy(control_of(&message, SCM_CREDENTIALS, sizeof(me)), &me, sizeof(me));
	send_message(fd, &message, 0);
	truth(.action = "credentials-sent", .to = me.pid, .value = (long)me.uid + 1,
	      .type = (long)me.gid + 1);
}

static void send_descriptors(int fd, int passed, size_t count)
{
	char control[CMSG_SPACE(MANY * sizeof(int))] = {0};
	struct iovec part = {"take", 4};
	struct msghdr message = header_of(&part, control, CMSG_SPACE(count * sizeof(int)));
	int *fds = control_of(&message, SCM_RIGHTS, count * sizeof(int));

	for (size_t i = 0; i < count; i++)
		fds[i] = passed;
	send_message(fd, &message, 0);
	truth(.action = "fds-sent", .value = (long)count);
}

static void note_control(struct msghdr *message)
{
	struct cmsghdr *header = CMSG_FIRSTHDR(message);
	struct ucred who;
	int first;

	for (; header; header = CMSG_NXTHDR(message, header)) {
		if (header->cmsg_type == SCM_CREDENTIALS) {
			memcpy(&who, CMSG_DATA(header), sizeof(who));
			truth(.action = "credentials-received", .to = who.pid,
			      .value = (long)who.uid + 1, .type = (long)who.gid + 1);
		}
		if (header->cmsg_type == SCM_RIGHTS) {
			memcpy(&first, CMSG_DATA(header), sizeof(first));
			truth(.action = "fds-received", .fd = first,
			      .value = (long)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int)));
		}
	}
}

static void receive_message(int fd, size_t room, size_t control_room, int flags)
{
	char buf[64], control[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(MANY * sizeof(int))];
	struct iovec part = {buf, room};
	struct msghdr message = header_of(&part, control, control_room);
	ssize_t n = lab_check(recvmsg(fd, &message, flags), "recvmsg");

	truth(.action = "receive", .mechanism = MECHANISM, .channel = "messages", .data = buf,
	      .result = n, .bytes = (size_t)n < room ? (size_t)n : room);
	truth(.action = "flags", .value = message.msg_flags + 1L);
	note_control(&message);
}

static void receive_all(int fd)
{
	size_t credentials = CMSG_SPACE(sizeof(struct ucred));
	char buf[4];
	int on = 1;
	ssize_t n;

	receive_message(fd, 64, 0, 0);
	receive_message(fd, 64, 0, 0);
	receive_message(fd, 4, 0, 0);
	receive_message(fd, 4, 0, MSG_TRUNC);
	n = lab_check(recv(fd, buf, sizeof(buf), MSG_TRUNC), "recv");
	truth(.action = "receive", .mechanism = MECHANISM, .channel = "messages", .data = buf,
	      .result = n, .bytes = sizeof(buf));
	receive_message(fd, 64, CMSG_SPACE(2 * sizeof(int)), 0);
	receive_message(fd, 64, CMSG_SPACE(MANY * sizeof(int)), 0);
	lab_check(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), "setsockopt");
	receive_message(fd, 64, credentials, 0);
}

int main(int argc, char **argv)
{
	int pair[2];
	pid_t child;

	lab_help(argc, argv, ": sendmsg and recvmsg with credentials, flags, many descriptors");
	lab_check(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), "socketpair");
	child = lab_fork();
	if (!child) {
		close(pair[0]);
		receive_all(pair[1]);
		exit(EXIT_SUCCESS);
	}
	close(pair[1]);
	send_plain(pair[0], "plain", 0);
	send_plain(pair[0], "end of record", MSG_EOR);
	send_plain(pair[0], "too long", 0);
	send_plain(pair[0], "too long, and told", 0);
	send_plain(pair[0], "again too long", 0);
	send_descriptors(pair[0], STDERR_FILENO, 5);
	send_descriptors(pair[0], pair[0], MANY);
	send_credentials(pair[0]);
	lab_reap_well(child);
	return EXIT_SUCCESS;
}
