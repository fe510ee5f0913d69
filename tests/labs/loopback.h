/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sockets of IPv4 on loopback, at ports that nobody else has. */
#ifndef TESTS_LABS_LOOPBACK_H
#define TESTS_LABS_LOOPBACK_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/labs/lab.h"

/* Bound to some free port of 127.0.0.1, which *address then tells. */
static inline int inet_socket(int type, struct sockaddr_in *address)
{
	socklen_t len = sizeof(*address);
	int fd = (int)lab_check(socket(AF_INET, type, 0), "socket");

	*address = (struct sockaddr_in){.sin_family = AF_INET,
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	lab_check(bind(fd, (struct sockaddr *)address, len), "bind");
	lab_check(getsockname(fd, (struct sockaddr *)address, &len), "getsockname");
	return fd;
}

static inline int inet_connect_as(int type, const struct sockaddr_in *address)
{
	int fd = (int)lab_check(socket(AF_INET, type, 0), "socket");

	lab_check(connect(fd, (const struct sockaddr *)address, sizeof(*address)), "connect");
	return fd;
}

static inline int inet_connect(const struct sockaddr_in *address)
{
	return inet_connect_as(SOCK_STREAM, address);
}

/*
 * ends[0] is connected to ends[1]. Of TCP both are, as ends[1] was accepted, and the listener is
 * closed; of UDP ends[1] is only bound. With SOCK_CLOEXEC in the type both are made with it.
 */
static inline void inet_pair(int type, int ends[2])
{
	bool stream = (type & ~SOCK_CLOEXEC) == SOCK_STREAM;
	struct sockaddr_in address;
	int listener = inet_socket(type, &address);

	if (stream)
		lab_check(listen(listener, 1), "listen");
	ends[0] = inet_connect_as(type, &address);
	ends[1] = listener;
	if (!stream)
		return;
	ends[1] = type & SOCK_CLOEXEC
			  ? (int)lab_check(accept4(listener, NULL, NULL, SOCK_CLOEXEC), "accept4")
			  : (int)lab_check(accept(listener, NULL, NULL), "accept");
	close(listener);
}

#endif
