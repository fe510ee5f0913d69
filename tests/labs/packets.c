// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A pipe in packet mode (O_DIRECT): a write of more than a page is two packets, and a read that is
 * too short for a packet loses its rest.
 */
#include "tests/labs/lab.h"

enum { PAGE_MOST = 65536, ROOM = 2 * PAGE_MOST, REST = 904, SHORT = 4 };

static size_t page_len(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static void send_packet(int fd, const void *data, size_t len)
{
	const size_t page = page_len();
	ssize_t n = write(fd, data, len);

	lab_expect(lab_check(n, "write") == (ssize_t)len, "write takes all");
	for (size_t at = 0; at < len; at += page)
		truth(.action = "send", .mechanism = "pipe", .channel = "packets",
		      .data = (const char *)data + at,
		      .result = (ssize_t)(len - at < page ? len - at : page));
}

static void receive_packet(int fd, size_t room, size_t wanted)
{
	static char buf[ROOM];
	ssize_t n = read(fd, buf, room);

	truth(.action = n ? "receive" : "eof", .mechanism = "pipe", .channel = "packets",
	      .data = buf, .result = n);
	lab_expect(lab_check(n, "read") == (ssize_t)wanted, "one packet came, or its beginning");
}

static void receive_all(int fd)
{
	receive_packet(fd, ROOM, page_len());
	receive_packet(fd, ROOM, REST);
	receive_packet(fd, SHORT, SHORT); /* of 10: six are lost */
	receive_packet(fd, ROOM, 3);
	receive_packet(fd, ROOM, 1);
	receive_packet(fd, ROOM, 0);
}

int main(int argc, char **argv)
{
	static char data[PAGE_MOST + REST];
	int ends[2];
	pid_t child;

	lab_help(argc, argv, ": a pipe that keeps the borders of what is written (O_DIRECT)");
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)('a' + i % 23);
	lab_check(pipe2(ends, O_DIRECT), "pipe2");
	child = lab_fork();
	if (!child) {
		close(ends[1]);
		receive_all(ends[0]);
		exit(EXIT_SUCCESS);
	}
	close(ends[0]);
	send_packet(ends[1], data, page_len() + REST);
	send_packet(ends[1], "ten bytes!", 10);
	send_packet(ends[1], "abc", 3);
	send_packet(ends[1], "z", 1);
	close(ends[1]);
	lab_reap_well(child);
	return EXIT_SUCCESS;
}
