// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * MSG_PEEK: a receiver looks at what has come, more than once, before it takes it. What it looked
 * at was copied to it, and is there still.
 */
#include <sys/socket.h>

#include "tests/labs/lab.h"
#include "tests/labs/loopback.h"

enum { ROOM = 64 };

static const char *mechanism;

static void send_text(int fd, const char *text)
{
	ssize_t n = send(fd, text, strlen(text), 0);

	truth(.action = "send", .mechanism = mechanism, .channel = "there", .data = text,
	      .result = n);
	lab_expect(n == (ssize_t)strlen(text), "send takes it whole");
}

/* MSG_TRUNC has it return the message's own length, whatever was copied. */
static void take(int fd, size_t room, int flags, const char *expected)
{
	char buf[ROOM];
	ssize_t n = lab_check(recv(fd, buf, room, flags), "recv");
	size_t copied = (size_t)n < room ? (size_t)n : room;
	const char *action = flags & MSG_PEEK ? "look" : expected ? "receive" : "eof";

	truth(.action = action, .mechanism = mechanism, .channel = "there", .data = buf,
	      .bytes = copied, .result = n);
	lab_expect(copied == (expected ? strlen(expected) : 0) &&
			   (!copied || memcmp(buf, expected, copied) == 0),
		   "what is expected comes");
}

static void stream(int fd)
{
	take(fd, 2, MSG_PEEK, "ab");
	take(fd, ROOM, MSG_PEEK, "abcdefgh");
	take(fd, 2, 0, "ab");
	take(fd, 3, MSG_PEEK, "cde");
	take(fd, ROOM, 0, "cdefgh");
	take(fd, ROOM, MSG_PEEK, NULL);
	take(fd, ROOM, 0, NULL);
}

/* SO_PEEK_OFF: each look begins where the last one ended, and moves back with what is taken. */
static void offset(int fd)
{
	int from = 1;

	lab_check(setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &from, sizeof(from)), "SO_PEEK_OFF");
	take(fd, 2, MSG_PEEK, "bc");
	take(fd, 3, MSG_PEEK, "def");
	take(fd, 2, 0, "ab");
	take(fd, ROOM, MSG_PEEK, "gh");
	take(fd, ROOM, 0, "cdefgh");
	take(fd, ROOM, 0, NULL);
}

static void packets(int fd)
{
	take(fd, 1, MSG_PEEK | MSG_TRUNC, "a");
	take(fd, ROOM, MSG_PEEK, "abc");
	take(fd, ROOM, 0, "abc");
	take(fd, ROOM, MSG_PEEK, "defgh");
	take(fd, ROOM, 0, "defgh");
}

/* Both sends are over before the first look. */
static void converse(int ends[2], void (*receiver)(int fd))
{
	pid_t child = lab_fork();

	if (!child) {
		close(ends[1]);
		send_text(ends[0], "abc");
		send_text(ends[0], "defgh");
		exit(EXIT_SUCCESS);
	}
	close(ends[0]);
	lab_reap_well(child);
	receiver(ends[1]);
}

static const struct {
	const char *name;
	int family;
	int type;
	void (*receiver)(int fd);
} kinds[] = {
	{"unix-stream", AF_UNIX, SOCK_STREAM, stream},
	{"unix-dgram", AF_UNIX, SOCK_DGRAM, packets},
	{"unix-seqpacket", AF_UNIX, SOCK_SEQPACKET, packets},
	{"tcp", AF_INET, SOCK_STREAM, stream},
	{"udp", AF_INET, SOCK_DGRAM, packets},
};

int main(int argc, char **argv)
{
	bool moves;
	int ends[2];

	lab_help(argc, argv,
		 "unix-stream [offset]|unix-dgram|unix-seqpacket|tcp|udp: looks, then takes");
	mechanism = lab_word(argc, argv, 1, "unix-stream");
	moves = lab_is(lab_word(argc, argv, 2, ""), "offset");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!lab_is(mechanism, kinds[i].name))
			continue;
		if (kinds[i].family == AF_UNIX)
			lab_check(socketpair(AF_UNIX, kinds[i].type, 0, ends), "socketpair");
		else
			inet_pair(kinds[i].type, ends);
		converse(ends, moves ? offset : kinds[i].receiver);
		return EXIT_SUCCESS;
	}
	lab_usage(mechanism);
}
