// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Two UDP sockets at one address (SO_REUSEPORT): the kernel deals datagrams out between them. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/labs/lab.h"

enum { RECEIVERS = 2, SENDERS = 16, EACH = 3 };

static int socket_at(struct sockaddr_in *address)
{
	int fd = (int)lab_check(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
	socklen_t len = sizeof(*address);
	int on = 1;

	lab_check(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), "setsockopt");
	lab_check(bind(fd, (struct sockaddr *)address, len), "bind");
	lab_check(getsockname(fd, (struct sockaddr *)address, &len), "getsockname");
	return fd;
}

static void receive_all(int fd)
{
	char buf[64];
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		truth(.action = "receive", .mechanism = "udp", .channel = "both", .data = buf,
		      .result = n);
}

static void send_all(const struct sockaddr_in *address)
{
	for (int i = 0; i < SENDERS * EACH; i++) {
		static int fds[SENDERS];
		int *fd = &fds[i % SENDERS];
		char text[32];
		ssize_t n;

		snprintf(text, sizeof(text), "datagram %d", i);
		if (!*fd)
			*fd = (int)lab_check(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
					     "socket");
		n = sendto(*fd, text, strlen(text), 0, (const struct sockaddr *)address,
			   sizeof(*address));
		truth(.action = "send", .mechanism = "udp", .channel = "both", .data = text,
		      .result = n);
		lab_check(n, "sendto");
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fds[RECEIVERS];

	lab_help(argc, argv, ": two UDP sockets at one address");
	for (int i = 0; i < RECEIVERS; i++)
		fds[i] = socket_at(&address);
	send_all(&address);
	for (int i = 0; i < RECEIVERS; i++) {
		pid_t child = lab_fork();

		if (!child) {
			receive_all(fds[i]);
			exit(EXIT_SUCCESS);
		}
		lab_reap_well(child);
	}
	return EXIT_SUCCESS;
}
