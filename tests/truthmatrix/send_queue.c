// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Ways to send to message queues, and the last message of all. */
#include <errno.h>
#include <mqueue.h>
#include <poll.h>
#include <string.h>
#include <sys/msg.h>
#include <time.h>
#include <unistd.h>

#include "tests/truthmatrix/matrix.h"

#define TYPES 4

static ssize_t call_mq(struct end *end, void *buf, size_t len)
{
	return mq_send(end->fd, buf, len, random_below(&end->actor.random, 3)) ? -1 : (ssize_t)len;
}

void send_mq(struct end *end)
{
	send_by(end, call_mq, end_pick(end));
}

static ssize_t call_mq_timed(struct end *end, void *buf, size_t len)
{
	struct timespec until = {.tv_sec = time(NULL) + 60};
	unsigned priority = random_below(&end->actor.random, 3);

	return mq_timedsend(end->fd, buf, len, priority, &until) ? -1 : (ssize_t)len;
}

void send_mq_timed(struct end *end)
{
	send_by(end, call_mq_timed, end_pick(end));
}

static ssize_t call_msgsnd(struct end *end, void *buf, size_t len)
{
	struct {
		long type;
		char data[4096];
	} message = {.type = 1 + random_below(&end->actor.random, TYPES)};

	memcpy(message.data, buf, len);
	return msgsnd(end->fd, &message, len, 0) ? -1 : (ssize_t)len;
}

void send_msgsnd(struct end *end)
{
	send_by(end, call_msgsnd, end_pick(end));
}

/* The last one: of the lowest priority, and the highest type. */
static ssize_t call_last(struct end *end, void *buf, size_t len)
{
	struct {
		long type;
		char data[CELL_LEN];
	} message = {.type = TYPES};

	if (end->class & C_MQ)
		return mq_send(end->fd, buf, len, 0) ? -1 : (ssize_t)len;
	if (end->class & C_PTY)
		return write(end->fd, buf, len);
	if (!(end->class & C_SYSV))
		return call_send_dontwait(end, buf, len);
	memcpy(message.data, buf, len);
	return msgsnd(end->fd, &message, len, IPC_NOWAIT) ? -1 : (ssize_t)len;
}

bool send_last_try(struct end *end)
{
	uint8_t unit[CELL_LEN];
	uint64_t before_ns = now_ns();
	ssize_t n;

	content_fill(unit, sizeof(unit), end->actor.number, end->actor.sent, 0, true);
	n = call_last(end, unit, sizeof(unit));
	if (n < 0 && errno == EAGAIN)
		return false;
	note_send(end, before_ns, gen_check(n, "send the last"), 1);
	return true;
}

void send_last(struct end *end)
{
	if (end->class & C_EVENT) {
		send_last_event(end);
		return;
	}
	while (!send_last_try(end)) {
		if (end->class & C_SYSV)
			usleep(200);
		else
			wait_ready(end->fd, POLLOUT);
	}
}
