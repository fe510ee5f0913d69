// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Unix sequenced packets: a connection that keeps the borders of messages, and has an end. */
#include <sys/socket.h>

#include "tests/labs/lab.h"

#define MECHANISM "unix-seqpacket"

static void send_packet(int fd, const char *channel, const char *text)
{
	ssize_t n = send(fd, text, strlen(text), 0);

	truth(.action = "send", .mechanism = MECHANISM, .channel = channel, .data = text,
	      .result = n);
	lab_check(n, "send");
}

static size_t receive_packet(int fd, const char *channel)
{
	char buf[64];
	ssize_t n = recv(fd, buf, sizeof(buf), 0);

	truth(.action = n ? "receive" : "eof", .mechanism = MECHANISM, .channel = channel,
	      .data = buf, .result = n);
	return (size_t)lab_check(n, "recv");
}

__attribute__((noreturn)) static void client(int fd)
{
	send_packet(fd, "there", "a");
	send_packet(fd, "there", "packet");
	send_packet(fd, "there", "each");
	lab_expect(receive_packet(fd, "back") == 6, "the answer came");
	close(fd);
	exit(EXIT_SUCCESS);
}

int main(int argc, char **argv)
{
	int ends[2];
	pid_t child;

	lab_help(argc, argv, ": three packets there, one back, and the end");
	lab_check(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), "socketpair");
	child = lab_fork();
	close(ends[!child]);
	if (!child)
		client(ends[0]);
	lab_expect(receive_packet(ends[1], "there") == 1, "the borders are kept");
	lab_expect(receive_packet(ends[1], "there") == 6, "the borders are kept");
	lab_expect(receive_packet(ends[1], "there") == 4, "the borders are kept");
	send_packet(ends[1], "back", "thanks");
	lab_expect(receive_packet(ends[1], "there") == 0, "the end came");
	lab_reap_well(child);
	return EXIT_SUCCESS;
}
