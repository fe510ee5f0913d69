// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Urgent data (MSG_OOB), over TCP or a unix stream: the last byte of a send goes beside the stream.
 * "rounds": each is received before the next is sent. "overtaken": a second one is sent first.
 * "inline": the receiver wants them in the stream (SO_OOBINLINE).
 */
#include <poll.h>
#include <sys/socket.h>

#include "tests/labs/lab.h"
#include "tests/labs/loopback.h"

enum { ROUNDS = 3 };

static const char *mechanism;

/* A send whose last byte is urgent. */
static void send_urgent(int fd, const char *text)
{
	ssize_t len = (ssize_t)strlen(text), n = send(fd, text, strlen(text), MSG_OOB);

	lab_expect(lab_check(n, "send") == len, "all was sent");
	if (len > 1)
		truth(.action = "send", .mechanism = mechanism, .channel = "stream", .data = text,
		      .result = len - 1);
	truth(.action = "send", .mechanism = mechanism, .channel = "urgent", .data = text + len - 1,
	      .result = 1);
}

static void receive_urgent(int fd)
{
	struct pollfd wait = {.fd = fd, .events = POLLPRI};
	char buf[4];
	ssize_t n;

	lab_check(poll(&wait, 1, -1), "poll");
	n = recv(fd, buf, sizeof(buf), MSG_OOB);
	truth(.action = "receive", .mechanism = mechanism, .channel = "urgent", .data = buf,
	      .result = n);
	lab_expect(lab_check(n, "recv of urgent data") == 1, "one byte is urgent");
}

static void receive(int fd, size_t wanted)
{
	char buf[64];

	while (wanted) {
		ssize_t n = recv(fd, buf, wanted, 0);

		truth(.action = "receive", .mechanism = mechanism, .channel = "stream", .data = buf,
		      .result = n);
		lab_expect(lab_check(n, "recv") > 0, "there is more");
		wanted -= (size_t)n;
	}
}

/* Sends in the midst of a stream; the receiver asked for it there. */
static void send_inline(int fd)
{
	ssize_t n = send(fd, "urgent!", 7, MSG_OOB);

	truth(.action = "send", .mechanism = mechanism, .channel = "stream", .data = "urgent!",
	      .result = n);
	lab_check(n, "send");
}

static void say(int fd, const char *text)
{
	lab_expect(send(fd, text, strlen(text), 0) == (ssize_t)strlen(text), "all was sent");
	truth(.action = "send", .mechanism = mechanism, .channel = "stream", .data = text,
	      .result = (ssize_t)strlen(text));
}

static void answer(int fd)
{
	lab_expect(send(fd, "k", 1, 0) == 1, "all was sent");
	truth(.action = "send", .mechanism = mechanism, .channel = "answers", .data = "k",
	      .result = 1);
}

static void await_answer(int fd)
{
	char buf[4];
	ssize_t n = recv(fd, buf, sizeof(buf), 0);

	truth(.action = "receive", .mechanism = mechanism, .channel = "answers", .data = buf,
	      .result = n);
	lab_expect(lab_check(n, "recv") == 1, "an answer came");
}

static void serve(int fd)
{
	for (int i = 0; i < ROUNDS; i++) {
		receive_urgent(fd);
		receive(fd, strlen("before") + strlen("urgent"));
		answer(fd);
		receive(fd, strlen("after"));
	}
}

static void talk(int fd)
{
	for (int i = 0; i < ROUNDS; i++) {
		say(fd, "before");
		send_urgent(fd, "urgent!");
		await_answer(fd);
		say(fd, "after");
	}
}

/* Takes what comes until the end, urgent or not. */
static void serve_overtaken(int fd)
{
	char buf[64];
	ssize_t n;

	receive_urgent(fd);
	while ((n = lab_check(recv(fd, buf, sizeof(buf), 0), "recv")) > 0)
		truth(.action = "receive", .mechanism = mechanism, .channel = "stream", .data = buf,
		      .result = n);
}

/* Takes all up to the end, whatever is urgent. */
static void serve_inline(int fd)
{
	char buf[64];
	ssize_t n;

	while ((n = lab_check(recv(fd, buf, sizeof(buf), 0), "recv")) > 0)
		truth(.action = "receive", .mechanism = mechanism, .channel = "stream", .data = buf,
		      .result = n);
	truth(.action = "eof", .mechanism = mechanism, .channel = "stream", .result = 0);
}

static void talk_inline(int pair[2])
{
	int on = 1;

	lab_check(setsockopt(pair[1], SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on)), "setsockopt");
	for (int i = 0; i < ROUNDS; i++) {
		say(pair[0], "before");
		send_inline(pair[0]);
		say(pair[0], "after");
	}
}

int main(int argc, char **argv)
{
	const char *mode = lab_word(argc, argv, 2, "rounds");
	bool overtaken = lab_is(mode, "overtaken"), inlined = lab_is(mode, "inline");
	int pair[2];
	pid_t child;

	lab_help(argc, argv, "tcp|unix-stream [rounds|overtaken|inline]: urgent data");
	mechanism = lab_word(argc, argv, 1, "tcp");
	if (lab_is(mechanism, "tcp"))
		inet_pair(SOCK_STREAM | SOCK_CLOEXEC, pair);
	else
		lab_check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
	if (overtaken) {
		say(pair[0], "before");
		send_urgent(pair[0], "first?");
		send_urgent(pair[0], "second!");
	}
	if (inlined)
		talk_inline(pair);
	child = lab_fork();
	if (!child) {
		close(pair[0]);
		if (inlined)
			serve_inline(pair[1]);
		else if (overtaken)
			serve_overtaken(pair[1]);
		else
			serve(pair[1]);
		exit(EXIT_SUCCESS);
	}
	close(pair[1]);
	if (lab_is(mode, "rounds"))
		talk(pair[0]);
	close(pair[0]);
	lab_reap_well(child);
	return EXIT_SUCCESS;
}
