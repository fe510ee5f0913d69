// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* UDP into a receive buffer that is too small: some datagrams are dropped, and nobody is told. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/labs/lab.h"

#define SINGLES 40
#define BATCH 20
#define PAD 600 /* bytes that fill up the buffer */

static void sent_log(const char *text, ssize_t n)
{
	truth(.action = "send", .mechanism = "udp", .channel = "flood", .data = text, .result = n);
}

static void send_singles(int fd)
{
	for (int i = 0; i < SINGLES; i++) {
		char text[PAD] = "";

		snprintf(text, sizeof(text), "single %d", i);
		sent_log(text, lab_check(send(fd, text, sizeof(text), 0), "send"));
	}
}

static void send_batch(int fd)
{
	static char texts[BATCH][PAD];
	struct iovec parts[BATCH];
	struct mmsghdr messages[BATCH] = {0};

	for (int i = 0; i < BATCH; i++) {
		snprintf(texts[i], sizeof(texts[i]), "batch %d", i);
		parts[i] = (struct iovec){texts[i], sizeof(texts[i])};
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	lab_expect(sendmmsg(fd, messages, BATCH, 0) == BATCH, "all of the batch was taken");
	for (int i = 0; i < BATCH; i++)
		sent_log(texts[i], PAD);
}

static void receive_all(int fd)
{
	char text[PAD];
	ssize_t n;

	while ((n = recv(fd, text, sizeof(text), MSG_DONTWAIT)) >= 0)
		truth(.action = "receive", .mechanism = "udp", .channel = "flood", .data = text,
		      .result = n);
	lab_expect(errno == EAGAIN, "the socket is empty");
}

/* Room for the batch's first ones only. */
static void send_all(int receiver, const struct sockaddr_in *to)
{
	int fd = (int)lab_check(socket(AF_INET, SOCK_DGRAM, 0), "socket");

	lab_check(connect(fd, (const struct sockaddr *)to, sizeof(*to)), "connect");
	send_singles(fd);
	receive_all(receiver);
	send_batch(fd);
	receive_all(receiver);
	close(fd);
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int small = 4096, fd;

	lab_help(argc, argv, ": datagrams into a buffer that is too small");
	fd = (int)lab_check(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	lab_check(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), "setsockopt");
	lab_check(bind(fd, (struct sockaddr *)&address, len), "bind");
	lab_check(getsockname(fd, (struct sockaddr *)&address, &len), "getsockname");
	send_all(fd, &address);
	close(fd);
	return EXIT_SUCCESS;
}
