// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Two machines, each a network namespace that ip-netns(8) has made: over TCP and UDP a client in
 * the first asks a server in the second, which listens on all its addresses.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>

#include "tests/labs/lab.h"

#define TCP_PORT 6789
#define UDP_PORT 6790
#define QUESTIONS 3

static void enter(const char *network)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", network);
	fd = (int)lab_check(open(path, O_RDONLY | O_CLOEXEC), path);
	lab_check(setns(fd, CLONE_NEWNET), "setns");
	close(fd);
}

static struct sockaddr_in place(const char *address, int port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};

	lab_expect(inet_pton(AF_INET, address, &in.sin_addr) == 1, "an IPv4 address");
	return in;
}

static int bound(int type, int port)
{
	struct sockaddr_in any = place("0.0.0.0", port);
	int fd = (int)lab_check(socket(AF_INET, type, 0), "socket");

	lab_check(bind(fd, (struct sockaddr *)&any, sizeof(any)), "bind");
	return fd;
}

static void datagram_receive(int fd, const char *channel, struct sockaddr_in *from)
{
	socklen_t len = sizeof(*from);
	char buf[64];
	ssize_t n = recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)from, &len);

	truth(.action = "receive", .mechanism = "udp", .channel = channel, .data = buf,
	      .result = n);
	lab_check(n, "recvfrom");
}

static void datagram_send(int fd, const char *channel, const char *text,
			  const struct sockaddr_in *to)
{
	ssize_t n = sendto(fd, text, strlen(text), 0, (const struct sockaddr *)to, sizeof(*to));

	truth(.action = "send", .mechanism = "udp", .channel = channel, .data = text, .result = n);
	lab_check(n, "sendto");
}

__attribute__((noreturn)) static void serve(const char *network, int ready)
{
	struct sockaddr_in client;
	int listener, udp, tcp;
	char buf[64];

	enter(network);
	listener = bound(SOCK_STREAM, TCP_PORT);
	lab_check(listen(listener, 1), "listen");
	udp = bound(SOCK_DGRAM, UDP_PORT);
	close(ready);
	tcp = (int)lab_check(accept(listener, NULL, NULL), "accept");
	lab_read(tcp, "tcp", "question", buf, sizeof(buf));
	lab_write_text(tcp, "tcp", "answer", "an answer over TCP");
	close(tcp);
	for (int i = 0; i < QUESTIONS; i++) {
		datagram_receive(udp, "asked", &client);
		datagram_send(udp, "told", "an answer over UDP", &client);
	}
	exit(EXIT_SUCCESS);
}

static void ask(const char *network, const char *address)
{
	struct sockaddr_in tcp_place = place(address, TCP_PORT),
			   udp_place = place(address, UDP_PORT), from;
	int tcp, udp;
	char buf[64];

	enter(network);
	tcp = (int)lab_check(socket(AF_INET, SOCK_STREAM, 0), "socket");
	lab_check(connect(tcp, (struct sockaddr *)&tcp_place, sizeof(tcp_place)), "connect");
	lab_write_text(tcp, "tcp", "question", "a question over TCP");
	lab_read(tcp, "tcp", "answer", buf, sizeof(buf));
	close(tcp);
	udp = (int)lab_check(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	for (int i = 0; i < QUESTIONS; i++) {
		datagram_send(udp, "asked", "a question over UDP", &udp_place);
		datagram_receive(udp, "told", &from);
	}
	close(udp);
}

int main(int argc, char **argv)
{
	int ready[2];
	pid_t server;
	char byte;

	lab_help(argc, argv,
		 "CLIENT SERVER ADDRESS: a talk between two network namespaces; "
		 "ADDRESS is the server's, as the client sees it");
	if (argc != 4)
		lab_usage("three words, see --help");
	lab_check(pipe(ready), "pipe");
	server = lab_fork();
	if (!server) {
		close(ready[0]);
		serve(argv[2], ready[1]);
	}
	close(ready[1]);
	lab_expect(read(ready[0], &byte, 1) == 0, "the server listens");
	ask(argv[1], argv[3]);
	lab_reap_well(server);
	return EXIT_SUCCESS;
}
