// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A System V queue: one sender, two receivers that each take only messages of their own type. */
#include <sys/ipc.h>
#include <sys/msg.h>

#include "tests/labs/lab.h"

enum { RECEIVERS = 2, ROUNDS = 3, TEXT_MAX = 64 };

struct letter {
	long type;
	char text[TEXT_MAX];
};

/* An empty message tells the receiver that no more come. */
static void send_letter(int queue, long type, const char *text)
{
	struct letter letter = {.type = type};
	size_t len = strlen(text);
	int result;

	memcpy(letter.text, text, len);
	result = msgsnd(queue, &letter, len, 0);
	truth(.action = "send", .mechanism = "sysv-msg", .data = letter.text, .bytes = len,
	      .result = result, .type = type);
	lab_check(result, "msgsnd");
}

__attribute__((noreturn)) static void receiver(int queue, long type)
{
	struct letter letter;
	ssize_t n;

	do {
		n = msgrcv(queue, &letter, TEXT_MAX, type, 0);
		truth(.action = "receive", .mechanism = "sysv-msg", .data = letter.text,
		      .result = n, .type = letter.type);
		lab_check(n, "msgrcv");
		lab_expect(letter.type == type, "the type asked for came");
	} while (n > 0);
	exit(EXIT_SUCCESS);
}

static void send_all(int queue)
{
	char text[TEXT_MAX];

	for (int round = 0; round < ROUNDS; round++) {
		for (long type = 1; type <= RECEIVERS; type++) {
			snprintf(text, sizeof(text), "round %d for type %ld", round, type);
			send_letter(queue, type, text);
		}
	}
	for (long type = 1; type <= RECEIVERS; type++)
		send_letter(queue, type, "");
}

int main(int argc, char **argv)
{
	pid_t children[RECEIVERS];
	key_t key;
	int queue;

	lab_help(argc, argv,
		 "[KEY]: sends messages of types 1 and 2 to two receivers, removes the queue");
	key = (key_t)lab_number(argc, argv, 1, 0x1bc00000L + getpid());
	queue = (int)lab_check(msgget(key, IPC_CREAT | IPC_EXCL | 0600), "msgget");
	printf("key 0x%08x msqid %d\n", (unsigned int)key, queue);
	for (int i = 0; i < RECEIVERS; i++) {
		children[i] = lab_fork();
		if (!children[i])
			receiver(queue, i + 1);
	}
	send_all(queue);
	for (int i = 0; i < RECEIVERS; i++)
		lab_reap_well(children[i]);
	lab_check(msgctl(queue, IPC_RMID, NULL), "msgctl IPC_RMID");
	return EXIT_SUCCESS;
}
