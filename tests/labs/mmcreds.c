// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Credentials beside some of the messages of one sendmmsg, and of recvmmsg, which gets them all. */
#include <sys/socket.h>

#include "tests/labs/lab.h"

enum { MESSAGES = 6, ROOM = 16 };

struct beside {
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct ucred))];
};

static void log_credentials(const char *action, int message, const struct ucred *who)
{
	truth(.action = action, .to = who->pid, .value = (long)who->uid + 1,
	      .type = (long)who->gid + 1, .fd = message);
}

/* Root may speak for others, unix(7). */
static struct ucred credentials_of(int message)
{
	bool root = geteuid() == 0;

	return (struct ucred){getpid(), root ? (uid_t)(100 + message) : getuid(),
			      root ? (gid_t)(200 + message) : getgid()};
}

static void credentials_add(struct msghdr *header, struct beside *beside, int message)
{
	struct ucred who = credentials_of(message);
	struct cmsghdr *control;

	header->msg_control = beside->control;
	header->msg_controllen = sizeof(beside->control);
	control = CMSG_FIRSTHDR(header);
	*control = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(who)),
				    .cmsg_level = SOL_SOCKET,
				    .cmsg_type = SCM_CREDENTIALS};
	memcpy(CMSG_DATA(control), &who, sizeof(who));
	log_credentials("credentials-sent", message, &who);
}

static void send_all(int fd)
{
	static struct beside beside[MESSAGES];
	static char texts[MESSAGES][ROOM];
	struct mmsghdr messages[MESSAGES] = {0};
	struct iovec parts[MESSAGES];
	int n;

	for (int i = 0; i < MESSAGES; i++) {
		snprintf(texts[i], ROOM, "message %d", i);
		parts[i] = (struct iovec){texts[i], strlen(texts[i])};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
		if (i % 2)
			credentials_add(&messages[i].msg_hdr, &beside[i], i);
	}
	n = (int)lab_check(sendmmsg(fd, messages, MESSAGES, 0), "sendmmsg");
	truth(.action = "sent", .value = n);
}

static void receive_all(int fd)
{
	static struct beside beside[MESSAGES];
	static char bufs[MESSAGES][ROOM];
	struct mmsghdr messages[MESSAGES] = {0};
	struct iovec parts[MESSAGES];
	int n;

	for (int i = 0; i < MESSAGES; i++) {
		parts[i] = (struct iovec){bufs[i], ROOM};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i],
						      .msg_iovlen = 1,
						      .msg_control = beside[i].control,
						      .msg_controllen = sizeof(beside[i].control)};
	}
	n = (int)lab_check(recvmmsg(fd, messages, MESSAGES, 0, NULL), "recvmmsg");
	truth(.action = "received", .value = n);
	for (int i = 0; i < n; i++) {
		struct cmsghdr *control = CMSG_FIRSTHDR(&messages[i].msg_hdr);
		struct ucred who;

		if (!control || control->cmsg_type != SCM_CREDENTIALS)
			continue;
		memcpy(&who, CMSG_DATA(control), sizeof(who));
		log_credentials("credentials-received", i, &who);
	}
}

int main(int argc, char **argv)
{
	int pair[2], yes = 1;

	lab_help(argc, argv, ": sendmmsg and recvmmsg with credentials beside the messages");
	lab_check(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), "socketpair");
	lab_check(setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &yes, sizeof(yes)), "setsockopt");
	send_all(pair[0]);
	receive_all(pair[1]);
	return EXIT_SUCCESS;
}
