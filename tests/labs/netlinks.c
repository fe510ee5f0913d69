// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Netlink: a question to the kernel and its answer; or two processes, by each other's number; or a
 * group of two that listen to one.
 */
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "tests/labs/lab.h"

#define MECHANISM "netlink"

enum { ROUNDS = 3, LISTENERS = 2, GROUP = 1 };

static int open_socket(int protocol, unsigned groups, struct sockaddr_nl *own)
{
	int fd = (int)lab_check(socket(AF_NETLINK, SOCK_RAW, protocol), "socket");
	socklen_t len = sizeof(*own);

	*own = (struct sockaddr_nl){.nl_family = AF_NETLINK, .nl_groups = groups};
	lab_check(bind(fd, (struct sockaddr *)own, sizeof(*own)), "bind");
	lab_check(getsockname(fd, (struct sockaddr *)own, &len), "getsockname");
	return fd;
}

static void send_to(int fd, const char *channel, const void *data, size_t len, unsigned portid,
		    unsigned groups)
{
	struct sockaddr_nl to = {.nl_family = AF_NETLINK, .nl_pid = portid, .nl_groups = groups};
	ssize_t n = sendto(fd, data, len, 0, (struct sockaddr *)&to, sizeof(to));

	/* The group has it by then; only number 0 of this protocol does not exist. */
	if (n < 0 && groups && errno == ECONNREFUSED)
		n = (ssize_t)len;
	truth(.action = "send", .mechanism = MECHANISM, .channel = channel, .data = data,
	      .result = n, .fd = fd);
	lab_check(n, "sendto");
}

static size_t receive(int fd, const char *channel, char *buf, size_t size)
{
	ssize_t n = recv(fd, buf, size, 0);

	truth(.action = "receive", .mechanism = MECHANISM, .channel = channel, .data = buf,
	      .result = n, .fd = fd);
	return (size_t)lab_check(n, "recv");
}

static void ask_kernel(void)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg info;
	} question = {.head = {.nlmsg_len = sizeof(question),
			       .nlmsg_type = RTM_GETLINK,
			       .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP}};
	static _Alignas(struct nlmsghdr) char buf[65536];
	struct nlmsghdr head;
	struct sockaddr_nl own;
	int fd = open_socket(NETLINK_ROUTE, 0, &own);

	send_to(fd, "question", &question, sizeof(question), 0, 0);
	do {
		receive(fd, "answer", buf, sizeof(buf));
		memcpy(&head, buf, sizeof(head));
	} while (head.nlmsg_type != NLMSG_DONE);
	close(fd);
}

/* Each has its socket from the start, so that the other one knows its number. */
static void talk(void)
{
	struct sockaddr_nl parent, child;
	int mine = open_socket(NETLINK_USERSOCK, 0, &parent);
	int other = open_socket(NETLINK_USERSOCK, 0, &child);
	pid_t pid = lab_fork();
	char text[64];

	for (int i = 0; i < ROUNDS; i++) {
		if (pid) {
			snprintf(text, sizeof(text), "question %d", i);
			send_to(mine, "question", text, strlen(text), child.nl_pid, 0);
			receive(mine, "answer", text, sizeof(text));
		} else {
			receive(other, "question", text, sizeof(text));
			snprintf(text, sizeof(text), "answer %d", i);
			send_to(other, "answer", text, strlen(text), parent.nl_pid, 0);
		}
	}
	if (pid)
		lab_reap_well(pid);
}

static void tell_group(void)
{
	struct sockaddr_nl own, listener;
	int fds[LISTENERS], mine = open_socket(NETLINK_USERSOCK, 0, &own);
	pid_t children[LISTENERS];
	char text[64];

	for (int k = 0; k < LISTENERS; k++)
		fds[k] = open_socket(NETLINK_USERSOCK, GROUP, &listener);
	for (int k = 0; k < LISTENERS; k++) {
		children[k] = lab_fork();
		if (children[k])
			continue;
		for (int i = 0; i < ROUNDS; i++)
			receive(fds[k], "news", text, sizeof(text));
		exit(EXIT_SUCCESS);
	}
	for (int i = 0; i < ROUNDS; i++) {
		snprintf(text, sizeof(text), "news %d", i);
		send_to(mine, "news", text, strlen(text), 0, GROUP);
	}
	for (int k = 0; k < LISTENERS; k++)
		lab_reap_well(children[k]);
}

int main(int argc, char **argv)
{
	const char *how;

	lab_help(argc, argv,
		 "[kernel|user|group]: messages of netlink to the kernel and to others");
	how = lab_word(argc, argv, 1, "kernel");
	if (lab_is(how, "kernel"))
		ask_kernel();
	else if (lab_is(how, "user"))
		talk();
	else if (lab_is(how, "group"))
		tell_group();
	else
		lab_usage(how);
	return EXIT_SUCCESS;
}
