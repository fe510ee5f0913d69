// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Many datagrams in one call, each with a receiver of its own: sendmmsg to several sockets, unix or
 * UDP, and recvmmsg there, which tells who sent each.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/labs/lab.h"

enum { RECEIVERS = 3, MESSAGES = 120, TEXT = 16 };

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_un un;
};

struct receiver {
	int fd;
	union address address;
	socklen_t len;
	char name[16];
};

static const char *mechanism;

static void receiver_open(struct receiver *receiver, int number)
{
	bool udp = lab_is(mechanism, "udp");
	int room = 1 << 20;

	snprintf(receiver->name, sizeof(receiver->name), "to-%d", number);
	receiver->fd = (int)lab_check(socket(udp ? AF_INET : AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0),
				      "socket");
	lab_check(setsockopt(receiver->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)),
		  "setsockopt");
	receiver->address.any.sa_family = udp ? AF_INET : AF_UNIX;
	receiver->len = udp ? sizeof(receiver->address.in) : sizeof(sa_family_t);
	if (udp)
		receiver->address.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	/* A unix socket without a name gets one (unix(7), autobind). */
	lab_check(bind(receiver->fd, &receiver->address.any, receiver->len), "bind");
	receiver->len = sizeof(receiver->address);
	lab_check(getsockname(receiver->fd, &receiver->address.any, &receiver->len), "getsockname");
}

static void send_all(struct receiver *receivers, int own)
{
	static char texts[MESSAGES][TEXT];
	struct mmsghdr messages[MESSAGES] = {0};
	struct iovec parts[MESSAGES];
	int sent = 0;

	for (int i = 0; i < MESSAGES; i++) {
		struct receiver *to = &receivers[i % RECEIVERS];

		snprintf(texts[i], TEXT, "%d%.*s", i, i % 7, "......");
		parts[i] = (struct iovec){texts[i], strlen(texts[i])};
		messages[i].msg_hdr = (struct msghdr){.msg_name = &to->address,
						      .msg_namelen = to->len,
						      .msg_iov = &parts[i],
						      .msg_iovlen = 1};
	}
	while (sent < MESSAGES)
		sent += (int)lab_check(
			sendmmsg(own, messages + sent, (unsigned)(MESSAGES - sent), 0), "sendmmsg");
	for (int i = 0; i < MESSAGES; i++)
		truth(.action = "send", .mechanism = mechanism,
		      .channel = receivers[i % RECEIVERS].name, .data = texts[i],
		      .result = (ssize_t)messages[i].msg_len);
}

static void receive_all(const struct receiver *receiver)
{
	static char bufs[MESSAGES][64];
	union address from[MESSAGES];
	int left = MESSAGES / RECEIVERS;

	while (left) {
		struct mmsghdr messages[MESSAGES] = {0};
		struct iovec parts[MESSAGES];
		int n;

		for (int i = 0; i < left; i++) {
			parts[i] = (struct iovec){bufs[i], sizeof(bufs[i])};
			messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i],
							      .msg_iovlen = 1,
							      .msg_name = &from[i],
							      .msg_namelen = sizeof(from[i])};
		}
		n = (int)lab_check(
			recvmmsg(receiver->fd, messages, (unsigned)left, MSG_WAITFORONE, NULL),
			"recvmmsg");
		for (int i = 0; i < n; i++)
			truth(.action = "receive", .mechanism = mechanism,
			      .channel = receiver->name, .data = bufs[i],
			      .result = (ssize_t)messages[i].msg_len);
		left -= n;
	}
}

int main(int argc, char **argv)
{
	struct receiver receivers[RECEIVERS] = {0}, own = {0};
	pid_t children[RECEIVERS];

	lab_help(argc, argv, "udp|unix-dgram: sendmmsg to several sockets, recvmmsg at each");
	mechanism = lab_word(argc, argv, 1, "udp");
	for (int i = 0; i < RECEIVERS; i++)
		receiver_open(&receivers[i], i);
	receiver_open(&own, RECEIVERS);
	for (int i = 0; i < RECEIVERS; i++) {
		children[i] = lab_fork();
		if (children[i])
			continue;
		receive_all(&receivers[i]);
		exit(EXIT_SUCCESS);
	}
	send_all(receivers, own.fd);
	for (int i = 0; i < RECEIVERS; i++)
		lab_reap_well(children[i]);
	return EXIT_SUCCESS;
}
