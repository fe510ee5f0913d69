// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* UDP over loopback: unconnected and connected datagrams, an empty one, and an answer. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/labs/lab.h"

struct place {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address;
	socklen_t len;
};

/* A socket on the loopback address, at a port that the kernel chooses. */
static int bind_any(int family, struct place *place)
{
	int fd = (int)lab_check(socket(family, SOCK_DGRAM, 0), "socket");

	*place = (struct place){.len = sizeof(place->address.v6)};
	place->address.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6,
						  .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	if (family == AF_INET) {
		place->len = sizeof(place->address.v4);
		place->address.v4 = (struct sockaddr_in){.sin_family = AF_INET,
							 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	}
	lab_check(bind(fd, &place->address.any, place->len), "bind");
	lab_check(getsockname(fd, &place->address.any, &place->len), "getsockname");
	return fd;
}

static void send_log(const char *channel, const char *text, ssize_t n)
{
	truth(.action = "send", .mechanism = "udp", .channel = channel, .data = text, .result = n);
	lab_check(n, "send");
}

static void receive_log(int fd, const char *channel, struct place *from)
{
	char buf[128];
	ssize_t n;

	from->len = sizeof(from->address);
	n = recvfrom(fd, buf, sizeof(buf), 0, &from->address.any, &from->len);
	truth(.action = "receive", .mechanism = "udp", .channel = channel, .data = buf,
	      .result = n);
	lab_check(n, "recvfrom");
}

__attribute__((noreturn)) static void client(int family, const struct place *server)
{
	static const char *const texts[] = {"by address", "", "by address again"};
	struct place own, from;
	int fd = bind_any(family, &own);

	for (size_t i = 0; i < 3; i++)
		send_log("there", texts[i],
			 sendto(fd, texts[i], strlen(texts[i]), 0, &server->address.any,
				server->len));
	lab_check(connect(fd, &server->address.any, server->len), "connect");
	send_log("there", "connected", send(fd, "connected", 9, 0));
	receive_log(fd, "back", &from);
	close(fd);
	exit(EXIT_SUCCESS);
}

int main(int argc, char **argv)
{
	struct place server, from;
	int family, fd;
	pid_t child;

	lab_help(argc, argv, "[4|6]: four datagrams over IPv4 or IPv6 loopback, and one back");
	family = lab_number(argc, argv, 1, 4) == 6 ? AF_INET6 : AF_INET;
	fd = bind_any(family, &server);
	child = lab_fork();
	if (!child) {
		close(fd);
		client(family, &server);
	}
	for (int i = 0; i < 4; i++)
		receive_log(fd, "there", &from);
	send_log("back", "got four", sendto(fd, "got four", 8, 0, &from.address.any, from.len));
	lab_reap_well(child);
	close(fd);
	return EXIT_SUCCESS;
}
