// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Requests and responses between two processes, the same conversation through each mechanism: a
 * client asks, a server answers, nothing else. Each request and each response is one send and one
 * receive.
 */
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/socket.h>

#include "tests/labs/lab.h"
#include "tests/labs/loopback.h"

enum { TEXT_MAX = 64, TO_SERVER = 1, TO_CLIENT = 2 };

/* A process's way to the other one and back. */
struct link {
	const char *mechanism;
	int out, in; /* descriptors, or the id of a System V queue */
	long type_out, type_in;
};

struct letter {
	long type;
	char text[TEXT_MAX];
};

/* The same ends, seen from the other process. */
struct pair_of_links {
	struct link client, server;
};

static const char *channel_of(const struct link *link, bool out)
{
	return (out ? link->type_out : link->type_in) == TO_SERVER ? "requests" : "responses";
}

static void send_text(const struct link *link, const char *text)
{
	size_t len = strlen(text);
	struct letter letter = {.type = link->type_out};
	ssize_t n;

	if (lab_is(link->mechanism, "sysv-msg")) {
		memcpy(letter.text, text, len);
		n = msgsnd(link->out, &letter, len, 0);
	} else if (lab_is(link->mechanism, "posix-mq")) {
		n = mq_send(link->out, text, len, 0);
	} else {
		lab_write(link->out, link->mechanism, channel_of(link, true), text, len);
		return;
	}
	truth(.action = "send", .mechanism = link->mechanism, .channel = channel_of(link, true),
	      .data = text, .bytes = len, .result = n, .type = link->type_out);
	lab_check(n, "send");
}

static void receive_text(const struct link *link, const char *wanted)
{
	struct letter letter = {0};
	ssize_t n;

	if (lab_is(link->mechanism, "sysv-msg")) {
		n = msgrcv(link->in, &letter, TEXT_MAX, link->type_in, 0);
	} else if (lab_is(link->mechanism, "posix-mq")) {
		n = mq_receive(link->in, letter.text, TEXT_MAX, NULL);
	} else {
		n = (ssize_t)lab_read(link->in, link->mechanism, channel_of(link, false),
				      letter.text, TEXT_MAX);
		lab_expect(strncmp(letter.text, wanted, (size_t)n) == 0, "the right text came");
		return;
	}
	truth(.action = "receive", .mechanism = link->mechanism, .channel = channel_of(link, false),
	      .data = letter.text, .result = n, .type = link->type_in);
	lab_check(n, "receive");
	lab_expect((size_t)n == strlen(wanted) && memcmp(letter.text, wanted, (size_t)n) == 0,
		   "the right text came");
}

static struct pair_of_links use_pipes(void)
{
	int requests[2], responses[2];

	lab_check(pipe(requests), "pipe");
	lab_check(pipe(responses), "pipe");
	return (struct pair_of_links){
		.client = {"pipe", requests[1], responses[0], TO_SERVER, TO_CLIENT},
		.server = {"pipe", responses[1], requests[0], TO_CLIENT, TO_SERVER},
	};
}

static struct pair_of_links use_sockets(const char *mechanism, int client, int server)
{
	return (struct pair_of_links){
		.client = {mechanism, client, client, TO_SERVER, TO_CLIENT},
		.server = {mechanism, server, server, TO_CLIENT, TO_SERVER},
	};
}

static struct pair_of_links use_unix(void)
{
	int ends[2];

	lab_check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
	return use_sockets("unix-stream", ends[0], ends[1]);
}

static struct pair_of_links use_tcp(void)
{
	int ends[2];

	inet_pair(SOCK_STREAM, ends);
	return use_sockets("tcp", ends[0], ends[1]);
}

static struct pair_of_links use_sysv(void)
{
	int queue = (int)lab_check(msgget(IPC_PRIVATE, 0600), "msgget");

	return (struct pair_of_links){
		.client = {"sysv-msg", queue, queue, TO_SERVER, TO_CLIENT},
		.server = {"sysv-msg", queue, queue, TO_CLIENT, TO_SERVER},
	};
}

static mqd_t open_queue(const char *what)
{
	struct mq_attr attr = {.mq_maxmsg = 4, .mq_msgsize = TEXT_MAX};
	char name[64];
	mqd_t queue;

	snprintf(name, sizeof(name), "/reqresp-%d-%s", getpid(), what);
	queue = (mqd_t)lab_check(mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr), name);
	lab_check(mq_unlink(name), name);
	return queue;
}

static struct pair_of_links use_posix(void)
{
	mqd_t requests = open_queue("requests"), responses = open_queue("responses");

	return (struct pair_of_links){
		.client = {"posix-mq", requests, responses, TO_SERVER, TO_CLIENT},
		.server = {"posix-mq", responses, requests, TO_CLIENT, TO_SERVER},
	};
}

static struct pair_of_links use(const char *word)
{
	if (lab_is(word, "pipe"))
		return use_pipes();
	if (lab_is(word, "unix"))
		return use_unix();
	if (lab_is(word, "tcp"))
		return use_tcp();
	if (lab_is(word, "sysv"))
		return use_sysv();
	if (lab_is(word, "posix"))
		return use_posix();
	lab_usage(word);
}

static const char request[] = "what is the answer?", response[] = "42, as always";

__attribute__((noreturn)) static void serve(const struct link *link, long rounds)
{
	for (long i = 0; i < rounds; i++) {
		receive_text(link, request);
		send_text(link, response);
	}
	exit(EXIT_SUCCESS);
}

int main(int argc, char **argv)
{
	struct pair_of_links links;
	long rounds;
	pid_t child;

	lab_help(argc, argv, "[pipe|unix|tcp|sysv|posix] [ROUNDS]: asks and answers");
	rounds = lab_number(argc, argv, 2, 1);
	links = use(lab_word(argc, argv, 1, "pipe"));
	child = lab_fork();
	if (!child)
		serve(&links.server, rounds);
	for (long i = 0; i < rounds; i++) {
		send_text(&links.client, request);
		receive_text(&links.client, response);
	}
	lab_reap_well(child);
	if (lab_is(links.client.mechanism, "sysv-msg"))
		lab_check(msgctl(links.client.in, IPC_RMID, NULL), "msgctl IPC_RMID");
	return EXIT_SUCCESS;
}
