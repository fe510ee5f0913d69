// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What runs on two virtual machines that talk to each other (tests/kernels/run-apart): a server, a
 * client that asks it over TCP, and a clock that tells the time to whoever sends it a byte. Server
 * and client log what they sent and received, as a lab does.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/labs/lab.h"

enum { PORT = 6789, CONNECTIONS = 3, ROUNDS = 40, SIZE_MOST = 4000 };

static struct sockaddr_in place(const char *address)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(PORT)};

	lab_expect(inet_pton(AF_INET, address, &in.sin_addr) == 1, "an IPv4 address");
	return in;
}

static int stream(void)
{
	return (int)lab_check(socket(AF_INET, SOCK_STREAM, 0), "socket");
}

/* Which direction of which connection, as both sides call it. */
static const char *channel_name(char name[16], const char *what, int connection)
{
	snprintf(name, 16, "%s-%d", what, connection);
	return name;
}

static void serve(void)
{
	struct sockaddr_in any = place("0.0.0.0");
	char asked[16], told[16], text[SIZE_MOST];
	int listener = stream();

	lab_check(bind(listener, (struct sockaddr *)&any, sizeof(any)), "bind");
	lab_check(listen(listener, CONNECTIONS), "listen");
	for (int i = 0; i < CONNECTIONS; i++) {
		int tcp = (int)lab_check(accept(listener, NULL, NULL), "accept");
		size_t len;

		channel_name(asked, "asked", i);
		channel_name(told, "told", i);
		while ((len = lab_read(tcp, "tcp", asked, text, sizeof(text))) > 0)
			lab_write(tcp, "tcp", told, text, len);
		close(tcp);
	}
}

/* Tries again until the server is there: nobody knows which machine starts first. */
static int connected(const char *address)
{
	const struct timespec pause = {.tv_nsec = 100000000};
	struct sockaddr_in server = place(address);

	for (;;) {
		int tcp = stream();

		if (!connect(tcp, (struct sockaddr *)&server, sizeof(server)))
			return tcp;
		if (errno != ECONNREFUSED && errno != EHOSTUNREACH && errno != ETIMEDOUT)
			lab_die("connect");
		close(tcp);
		nanosleep(&pause, NULL);
	}
}

static void ask(const char *address)
{
	char asked[16], told[16], text[SIZE_MOST];

	for (int i = 0; i < CONNECTIONS; i++) {
		int tcp = connected(address);

		channel_name(asked, "asked", i);
		channel_name(told, "told", i);
		for (int round = 0; round < ROUNDS; round++) {
			size_t size = (size_t)(1 + (round * round * 37 + i) % SIZE_MOST);

			memset(text, 'a' + round % 26, size);
			lab_write(tcp, "tcp", asked, text, size);
			while (size)
				size -= lab_read(tcp, "tcp", told, text, size);
		}
		close(tcp);
	}
}

/* A line for each byte that comes in: the byte, and CLOCK_MONOTONIC in nanoseconds. */
static void tell_time(void)
{
	struct timespec now;
	char byte, line[32];

	while (read(STDIN_FILENO, &byte, 1) == 1) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		snprintf(line, sizeof(line), "%c %lld\n", byte,
			 (long long)now.tv_sec * 1000000000 + now.tv_nsec);
		lab_check(write(STDOUT_FILENO, line, strlen(line)), "write");
	}
}

int main(int argc, char **argv)
{
	const char *what = lab_word(argc, argv, 1, "");

	lab_help(argc, argv, "serve | ask ADDRESS | clock: a machine's part of a talk");
	if (lab_is(what, "serve"))
		serve();
	else if (lab_is(what, "ask") && argc == 3)
		ask(argv[2]);
	else if (lab_is(what, "clock"))
		tell_time();
	else
		lab_usage(what);
	return EXIT_SUCCESS;
}
