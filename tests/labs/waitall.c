// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * TCP: MSG_WAITALL, one receive of all that three sends bring; then MSG_ZEROCOPY, whose sender asks
 * the error queue when its memory is its own again: that is neither data nor an end.
 */
#include <poll.h>
#include <sys/socket.h>

#include "tests/labs/lab.h"
#include "tests/labs/loopback.h"

enum { PIECES = 3, PIECE = 500, LARGE = 20000, LARGES = 2 };

static void send_piece(int fd, char letter, size_t size, int flags)
{
	static char memory[LARGES][LARGE]; /* the kernel sends it from there, later */
	char *data = memory[letter % LARGES];
	ssize_t n;

	memset(data, letter, size);
	n = send(fd, data, size, flags);
	truth(.action = "send", .mechanism = "tcp", .channel = "pieces", .data = data, .result = n);
	lab_expect(n == (ssize_t)size, "send takes it whole");
}

static void await_memory(int fd)
{
	struct pollfd wait = {.fd = fd};
	char control[128];
	struct msghdr message = {.msg_control = control, .msg_controllen = sizeof(control)};

	lab_check(poll(&wait, 1, -1), "poll");
	truth(.action = "receive", .mechanism = "tcp", .channel = "error queue",
	      .result = lab_check(recvmsg(fd, &message, MSG_ERRQUEUE), "recvmsg"));
}

__attribute__((noreturn)) static void client(const struct sockaddr_in *server)
{
	int fd = inet_connect(server), yes = 1;
	char go;

	for (int i = 0; i < PIECES; i++)
		send_piece(fd, (char)('a' + i), PIECE, 0);
	lab_expect(lab_read(fd, "tcp", "go", &go, 1) == 1, "the pieces came");
	lab_check(setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &yes, sizeof(yes)), "SO_ZEROCOPY");
	for (int i = 0; i < LARGES; i++)
		send_piece(fd, (char)('x' + i), LARGE, MSG_ZEROCOPY);
	await_memory(fd);
	close(fd);
	exit(EXIT_SUCCESS);
}

static void receive_all(int fd)
{
	static char buf[PIECES * PIECE];
	ssize_t n = recv(fd, buf, sizeof(buf), MSG_WAITALL);

	truth(.action = "receive", .mechanism = "tcp", .channel = "pieces", .data = buf,
	      .result = n);
	lab_expect(n == sizeof(buf), "one receive takes them all");
}

int main(int argc, char **argv)
{
	struct sockaddr_in address;
	int listener, fd;
	pid_t child;

	lab_help(argc, argv, ": MSG_WAITALL and MSG_ZEROCOPY over TCP");
	listener = inet_socket(SOCK_STREAM, &address);
	lab_check(listen(listener, 1), "listen");
	child = lab_fork();
	if (!child) {
		close(listener);
		client(&address);
	}
	fd = (int)lab_check(accept(listener, NULL, NULL), "accept");
	receive_all(fd);
	lab_write_text(fd, "tcp", "go", "!");
	lab_expect(lab_read_all(fd, "tcp", "pieces") == (size_t)LARGES * LARGE, "all came");
	close(fd);
	lab_reap_well(child);
	close(listener);
	return EXIT_SUCCESS;
}
