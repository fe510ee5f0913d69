// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A POSIX queue: messages sent before anyone receives come out by priority, not by age; then the
 * receiver waits for one that is not there yet.
 */
#include <mqueue.h>
#include <sys/syscall.h>

#include "tests/labs/lab.h"

enum { TEXT_MAX = 64, EARLY = 4 };

static void send_letter(mqd_t queue, const char *text, unsigned int priority)
{
	int result = mq_send(queue, text, strlen(text), priority);

	truth(.action = "send", .mechanism = "posix-mq", .data = text, .bytes = strlen(text),
	      .result = result, .priority = priority);
	lab_check(result, "mq_send");
}

static unsigned int receive_letter(mqd_t queue)
{
	char text[TEXT_MAX];
	unsigned int priority = 0;
	ssize_t n = mq_receive(queue, text, sizeof(text), &priority);

	truth(.action = "receive", .mechanism = "posix-mq", .data = text, .result = n,
	      .priority = priority);
	lab_check(n, "mq_receive");
	return priority;
}

__attribute__((noreturn)) static void receiver(mqd_t queue)
{
	static const unsigned int expected[EARLY] = {9, 5, 1, 1};

	for (int i = 0; i < EARLY; i++)
		lab_expect(receive_letter(queue) == expected[i],
			   "the highest priority comes first");
	lab_expect(receive_letter(queue) == 2, "the late message came");
	mq_close(queue);
	exit(EXIT_SUCCESS);
}

int main(int argc, char **argv)
{
	struct mq_attr attr = {.mq_maxmsg = 8, .mq_msgsize = TEXT_MAX};
	char own[64];
	const char *name;
	mqd_t queue;
	pid_t child;

	lab_help(argc, argv,
		 "[/NAME]: sends with priorities 1, 5, 9 and 1, then receives; one waits");
	snprintf(own, sizeof(own), "/posixq-%d", getpid());
	name = lab_word(argc, argv, 1, own);
	queue = (mqd_t)lab_check(mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr), name);
	send_letter(queue, "low", 1);
	send_letter(queue, "middle", 5);
	send_letter(queue, "urgent", 9);
	send_letter(queue, "low again", 1);
	child = lab_fork();
	if (!child)
		receiver(queue);
	lab_wait_blocked(child, SYS_mq_timedreceive);
	send_letter(queue, "late", 2);
	lab_reap_well(child);
	mq_close(queue);
	lab_check(mq_unlink(name), name);
	return EXIT_SUCCESS;
}
