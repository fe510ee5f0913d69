// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Unix datagrams: two senders and one receiver at a path, or a pair; one message is empty. */
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/labs/lab.h"

#define MECHANISM "unix-dgram"

enum { SENDERS = 2, EACH = 3 };

static void receive_one(int fd)
{
	char buf[64];
	ssize_t n = recv(fd, buf, sizeof(buf), 0);

	truth(.action = "receive", .mechanism = MECHANISM, .data = buf, .result = n);
	lab_check(n, "recv");
}

static void log_send(const char *text, ssize_t n)
{
	truth(.action = "send", .mechanism = MECHANISM, .data = text, .result = n);
	lab_check(n, "send");
}

__attribute__((noreturn)) static void sender(const struct sockaddr_un *to, int number)
{
	int fd = (int)lab_check(socket(AF_UNIX, SOCK_DGRAM, 0), "socket");
	char text[64] = "";

	for (int i = 0; i < EACH; i++) {
		/* the last one of each sender has no content and is a message all the same */
		int len = i == EACH - 1 ? 0
					: snprintf(text, sizeof(text), "sender %d, datagram %d",
						   number, i);

		log_send(text, sendto(fd, text, (size_t)len, 0, (const struct sockaddr *)to,
				      sizeof(*to)));
	}
	close(fd);
	exit(EXIT_SUCCESS);
}

static void run_path(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = (int)lab_check(socket(AF_UNIX, SOCK_DGRAM, 0), "socket");
	pid_t children[SENDERS];

	snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/unixdgram-%d", getpid());
	lab_check(bind(fd, (struct sockaddr *)&address, sizeof(address)), "bind");
	for (int i = 0; i < SENDERS; i++) {
		children[i] = lab_fork();
		if (!children[i])
			sender(&address, i);
	}
	for (int i = 0; i < SENDERS * EACH; i++)
		receive_one(fd);
	for (int i = 0; i < SENDERS; i++)
		lab_reap_well(children[i]);
	close(fd);
	lab_check(unlink(address.sun_path), "unlink");
}

static void run_pair(void)
{
	static const char *const texts[] = {"one", "", "three"};
	int ends[2];
	pid_t child;

	lab_check(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), "socketpair");
	child = lab_fork();
	close(ends[!child]);
	if (!child) {
		for (int i = 0; i < 3; i++)
			receive_one(ends[0]);
		exit(EXIT_SUCCESS);
	}
	for (int i = 0; i < 3; i++)
		log_send(texts[i], send(ends[1], texts[i], strlen(texts[i]), 0));
	lab_reap_well(child);
}

int main(int argc, char **argv)
{
	const char *how;

	lab_help(argc, argv,
		 "[path|pair]: datagrams of two senders to one receiver, or over a pair");
	how = lab_word(argc, argv, 1, "path");
	if (lab_is(how, "path"))
		run_path();
	else if (lab_is(how, "pair"))
		run_pair();
	else
		lab_usage(how);
	return EXIT_SUCCESS;
}
