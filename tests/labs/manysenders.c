// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Three processes send on one object, one receives: whose is what? */
#include <fcntl.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <sys/msg.h>
#include <sys/socket.h>

#include "tests/labs/lab.h"

#define SENDERS 3
#define COUNT 600 /* of each, where no other is asked for */
#define LEN 16	  /* of each message */

struct way {
	const char *name;
	const char *mechanism;
	int type; /* of a socket; 0 = a queue */
};

static const struct way ways[] = {
	{"stream", "unix-stream", SOCK_STREAM},
	{"dgram", "unix-dgram", SOCK_DGRAM},
	{"seqpacket", "unix-seqpacket", SOCK_SEQPACKET},
	{"udp", "udp", SOCK_DGRAM},
	{"sysv", "sysv-msg", 0},
	{"posix", "posix-mq", 0},
};

struct object {
	const struct way *way;
	int send, receive; /* descriptors, or the queue's id twice */
	int count;
};

struct typed {
	long type;
	char text[LEN];
};

static bool is_udp(const struct way *way)
{
	return strcmp(way->name, "udp") == 0;
}

/* One that has room for all; `send` is a socket of its own for each sender. */
static struct object udp_open(const struct way *way)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct object object = {.way = way};
	int len = 8 << 20;

	object.receive = (int)lab_check(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	lab_check(setsockopt(object.receive, SOL_SOCKET, SO_RCVBUFFORCE, &len, sizeof(len)),
		  "SO_RCVBUFFORCE");
	lab_check(bind(object.receive, (struct sockaddr *)&address, sizeof(address)), "bind");
	return object;
}

static int udp_connect(const struct object *object)
{
	struct sockaddr_in address;
	socklen_t len = sizeof(address);
	int fd = (int)lab_check(socket(AF_INET, SOCK_DGRAM, 0), "socket");

	lab_check(getsockname(object->receive, (struct sockaddr *)&address, &len), "getsockname");
	lab_check(connect(fd, (struct sockaddr *)&address, len), "connect");
	return fd;
}

static struct object object_open(const struct way *way)
{
	struct object object = {.way = way};
	struct mq_attr attributes = {.mq_maxmsg = 10, .mq_msgsize = LEN};
	char name[40];
	int pair[2];

	if (is_udp(way))
		return udp_open(way);
	if (way->type) {
		lab_check(socketpair(AF_UNIX, way->type, 0, pair), "socketpair");
		object.send = pair[0];
		object.receive = pair[1];
		return object;
	}
	if (strcmp(way->name, "sysv") == 0) {
		object.send = (int)lab_check(msgget(IPC_PRIVATE, 0600), "msgget");
	} else {
		snprintf(name, sizeof(name), "/manysenders-%d", (int)getpid());
		object.send = (int)lab_check(
			mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes), "mq_open");
		lab_check(mq_unlink(name), "mq_unlink");
	}
	object.receive = object.send;
	return object;
}

static ssize_t message_send(const struct object *object, const char *text)
{
	struct typed typed = {.type = 1};

	if (object->way->type)
		return write(object->send, text, LEN);
	if (strcmp(object->way->name, "posix") == 0)
		return mq_send(object->send, text, LEN, 0);
	memcpy(typed.text, text, LEN);
	return msgsnd(object->send, &typed, LEN, 0);
}

static ssize_t message_receive(const struct object *object, char *text)
{
	struct typed typed;
	ssize_t n;

	if (object->way->type)
		return read(object->receive, text, LEN);
	if (strcmp(object->way->name, "posix") == 0)
		return mq_receive(object->receive, text, LEN, NULL);
	n = msgrcv(object->receive, &typed, LEN, 0, 0);
	memcpy(text, typed.text, LEN);
	return n;
}

__attribute__((noreturn)) static void sender(struct object *object, int number)
{
	if (is_udp(object->way))
		object->send = udp_connect(object);
	for (int i = 0; i < object->count; i++) {
		char text[LEN] = "";

		snprintf(text, sizeof(text), "%d:%d", number, i);
		lab_check(message_send(object, text), "send");
		truth(.action = "send", .mechanism = object->way->mechanism, .data = text,
		      .bytes = LEN, .result = LEN);
	}
	exit(EXIT_SUCCESS);
}

static void receive_all(const struct object *object)
{
	for (int i = 0; i < SENDERS * object->count; i++) {
		char text[LEN];
		ssize_t n = lab_check(message_receive(object, text), "receive");

		lab_expect(n == LEN, "a message is received whole");
		truth(.action = "receive", .mechanism = object->way->mechanism, .data = text,
		      .result = n);
	}
}

int main(int argc, char **argv)
{
	const struct way *way = NULL;
	struct object object;
	pid_t children[SENDERS];

	lab_help(argc, argv,
		 "stream|dgram|seqpacket|udp|sysv|posix [COUNT]: three senders on one object");
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (argc > 1 && strcmp(argv[1], ways[i].name) == 0)
			way = &ways[i];
	lab_expect(way != NULL, "a way to send is named");
	object = object_open(way);
	object.count = (int)lab_number(argc, argv, 2, COUNT);
	for (int i = 0; i < SENDERS; i++) {
		children[i] = lab_fork();
		if (!children[i])
			sender(&object, i);
	}
	receive_all(&object);
	for (int i = 0; i < SENDERS; i++)
		lab_reap_well(children[i]);
	if (strcmp(way->name, "sysv") == 0)
		lab_check(msgctl(object.send, IPC_RMID, NULL), "msgctl");
	return EXIT_SUCCESS;
}
