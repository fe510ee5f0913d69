// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* TCP over IPv6 loopback: a client sends in pieces and half-closes, the server answers. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/labs/lab.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

static int stream(const char *protocol)
{
	int number = lab_is(protocol, "mptcp") ? IPPROTO_MPTCP : IPPROTO_TCP;

	return (int)lab_check(socket(AF_INET6, SOCK_STREAM, number), protocol);
}

__attribute__((noreturn)) static void client(const char *protocol,
					     const struct sockaddr_in6 *server)
{
	int fd = stream(protocol);

	lab_check(connect(fd, (const struct sockaddr *)server, sizeof(*server)), "connect");
	lab_write_text(fd, "tcp", "request", "count ");
	lab_write_text(fd, "tcp", "request", "my ");
	lab_write_text(fd, "tcp", "request", "bytes");
	lab_check(shutdown(fd, SHUT_WR), "shutdown");
	lab_expect(lab_read_all(fd, "tcp", "response") == 8, "the answer came");
	close(fd);
	exit(EXIT_SUCCESS);
}

int main(int argc, char **argv)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	socklen_t len = sizeof(address);
	int listener, fd;
	pid_t child;

	lab_help(argc, argv,
		 "[CLIENT [SERVER]]: three pieces to a server on ::1, a half-close, an answer; "
		 "each by tcp or mptcp");
	listener = stream(lab_word(argc, argv, 2, "tcp"));
	lab_check(bind(listener, (struct sockaddr *)&address, len), "bind");
	lab_check(listen(listener, 1), "listen");
	lab_check(getsockname(listener, (struct sockaddr *)&address, &len), "getsockname");
	child = lab_fork();
	if (!child) {
		close(listener);
		client(lab_word(argc, argv, 1, "tcp"), &address);
	}
	fd = (int)lab_check(accept(listener, NULL, NULL), "accept");
	lab_expect(lab_read_all(fd, "tcp", "request") == 14, "all bytes came");
	lab_write_text(fd, "tcp", "response", "14 bytes");
	close(fd);
	lab_reap_well(child);
	close(listener);
	return EXIT_SUCCESS;
}
