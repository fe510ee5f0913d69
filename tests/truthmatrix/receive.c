// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Ways to receive into memory. */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/msg.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "tests/truthmatrix/matrix.h"

#define BATCH 4
#define BATCH_LEN 16384
#define TYPES 4

typedef ssize_t receive_call(struct end *end, void *buf, size_t len);

static void note_empty(struct end *end, size_t call, uint32_t index)
{
	struct record part = {.flow = (uint32_t)call, .a = EMPTY_ACTOR, .d = (uint64_t)index << 32};

	record_part(&end->actor, &part);
}

/* What the last call took. False at the end. */
static bool took(struct end *end, uint64_t before_ns, ssize_t n, size_t len)
{
	size_t call = end->actor.calls;

	if (n > (ssize_t)len)
		n = (ssize_t)len;
	record_call(&end->actor, RECORD_RECEIVE, end->role->flow, before_ns, n, 1);
	content_note(end, call, 0, 0, end->buf, (size_t)n);
	if (end->class & C_STREAM)
		return n > 0;
	if (n == 0 && end->class & C_PTY)
		gen_die("a terminal that hung up");
	if (n == 0)
		note_empty(end, call, 0);
	return !end_over(end);
}

static bool receive_by(struct end *end, receive_call *call)
{
	size_t len = end_pick_receive(end);
	uint64_t before_ns;
	ssize_t n;

	do {
		before_ns = now_ns();
		n = call(end, end->buf, len);
		if (n < 0 && errno == EAGAIN)
			wait_ready(end->fd, POLLIN);
	} while (n < 0 && errno == EAGAIN);
	return took(end, before_ns, gen_check(n, "receive"), len);
}

static ssize_t call_read(struct end *end, void *buf, size_t len)
{
	return read(end->fd, buf, len);
}

bool receive_read(struct end *end)
{
	return receive_by(end, call_read);
}

static void halve(struct iovec *pieces, void *buf, size_t len)
{
	size_t first = len / 3;

	pieces[0] = (struct iovec){buf, first};
	pieces[1] = (struct iovec){(char *)buf + first, len - first};
}

static ssize_t call_readv(struct end *end, void *buf, size_t len)
{
	struct iovec pieces[2];

	halve(pieces, buf, len);
	return readv(end->fd, pieces, 2);
}

bool receive_readv(struct end *end)
{
	return receive_by(end, call_readv);
}

static ssize_t call_preadv2(struct end *end, void *buf, size_t len)
{
	struct iovec pieces[2];

	halve(pieces, buf, len);
	return preadv2(end->fd, pieces, 2, -1, 0);
}

bool receive_preadv2(struct end *end)
{
	return receive_by(end, call_preadv2);
}

bool receive_nonblock(struct end *end)
{
	if (!end->prepared)
		set_nonblocking(end->fd);
	end->prepared = true;
	return receive_by(end, call_read);
}

static ssize_t call_recv(struct end *end, void *buf, size_t len)
{
	return recv(end->fd, buf, len, 0);
}

bool receive_recv(struct end *end)
{
	return receive_by(end, call_recv);
}

static ssize_t call_recvfrom(struct end *end, void *buf, size_t len)
{
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);

	return recvfrom(end->fd, buf, len, 0, (struct sockaddr *)&from, &from_len);
}

bool receive_recvfrom(struct end *end)
{
	return receive_by(end, call_recvfrom);
}

/* With room for descriptors, which are closed. */
static ssize_t call_recvmsg(struct end *end, void *buf, size_t len)
{
	union {
		struct cmsghdr header;
		char space[256];
	} control;
	struct sockaddr_storage from;
	struct iovec pieces[2];
	struct msghdr header = {.msg_name = &from,
				.msg_namelen = sizeof(from),
				.msg_iov = pieces,
				.msg_iovlen = 2,
				.msg_control = &control,
				.msg_controllen = sizeof(control)};
	ssize_t n;

	halve(pieces, buf, len);
	n = recvmsg(end->fd, &header, 0);
	for (struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(&header); c;
	     c = CMSG_NXTHDR(&header, c)) {
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		for (size_t i = 0; c->cmsg_type == SCM_RIGHTS && i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			close(fd);
		}
	}
	return n;
}

bool receive_recvmsg(struct end *end)
{
	return receive_by(end, call_recvmsg);
}

static ssize_t call_waitall(struct end *end, void *buf, size_t len)
{
	return recv(end->fd, buf, len, MSG_WAITALL);
}

bool receive_waitall(struct end *end)
{
	return receive_by(end, call_waitall);
}

static ssize_t call_trunc(struct end *end, void *buf, size_t len)
{
	return recv(end->fd, buf, len, MSG_TRUNC);
}

bool receive_trunc(struct end *end)
{
	return receive_by(end, call_trunc);
}

static ssize_t call_dontwait(struct end *end, void *buf, size_t len)
{
	return recv(end->fd, buf, len, MSG_DONTWAIT);
}

bool receive_dontwait(struct end *end)
{
	return receive_by(end, call_dontwait);
}

bool receive_epoll(struct end *end)
{
	struct epoll_event event = {.events = EPOLLIN};

	if (end->poller < 0) {
		end->poller = (int)gen_check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
		gen_check(epoll_ctl(end->poller, EPOLL_CTL_ADD, end->fd, &event), "epoll_ctl");
	}
	gen_check(epoll_wait(end->poller, &event, 1, -1), "epoll_wait");
	return receive_by(end, call_dontwait);
}

bool receive_peek(struct end *end)
{
	size_t len = end_pick_receive(end);
	uint64_t before_ns = now_ns();
	ssize_t n = gen_check(recv(end->fd, end->buf, len, MSG_PEEK), "look");

	record_call(&end->actor, RECORD_LOOK, end->role->flow, before_ns, n, 1);
	return receive_by(end, call_recv);
}

static bool took_batch(struct end *end, uint64_t before_ns, struct mmsghdr *headers, int n)
{
	size_t call = end->actor.calls, at = 0;
	bool stream = end->class & C_STREAM, ended = false;

	for (int i = 0; i < n; i++)
		at += headers[i].msg_len;
	record_call(&end->actor, RECORD_RECEIVE, end->role->flow, before_ns, (ssize_t)at,
		    stream ? 1 : (uint32_t)n);
	at = 0;
	for (uint32_t i = 0; i < (uint32_t)n; i++) {
		uint32_t len = headers[i].msg_len;

		content_note(end, call, stream ? 0 : i, at, headers[i].msg_hdr.msg_iov->iov_base,
			     len);
		if (!len && !stream && !end_over(end))
			note_empty(end, call, i);
		ended |= !len;
		at += stream ? len : 0;
	}
	return stream ? !ended : !end_over(end);
}

/* Of a stream, at its end too: the messages that are left are empty then. */
bool receive_recvmmsg(struct end *end)
{
	bool stream = end->class & C_STREAM;
	int flags = stream && random_one_in(&end->actor.random, 2) ? 0 : MSG_WAITFORONE;
	struct mmsghdr headers[BATCH];
	struct iovec pieces[BATCH];
	uint64_t before_ns;
	int n;

	for (size_t i = 0; i < BATCH; i++) {
		size_t len = end_pick_receive(end);

		pieces[i] = (struct iovec){end->buf + i * BATCH_LEN, len % BATCH_LEN + CELL_LEN};
		headers[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &pieces[i], .msg_iovlen = 1}};
	}
	before_ns = now_ns();
	n = (int)gen_check(recvmmsg(end->fd, headers, BATCH, (unsigned)flags, NULL), "recvmmsg");
	return took_batch(end, before_ns, headers, n);
}

static ssize_t call_mq(struct end *end, void *buf, size_t len)
{
	unsigned priority;

	return mq_receive(end->fd, buf, len,
			  random_one_in(&end->actor.random, 2) ? &priority : NULL);
}

bool receive_mq(struct end *end)
{
	return receive_by(end, call_mq);
}

static ssize_t call_mq_timed(struct end *end, void *buf, size_t len)
{
	struct timespec until = {.tv_sec = time(NULL) + 60};
	unsigned priority;

	return mq_timedreceive(end->fd, buf, len, &priority, &until);
}

bool receive_mq_timed(struct end *end)
{
	return receive_by(end, call_mq_timed);
}

struct sysv_message {
	long type;
	char data[4096];
};

static bool receive_sysv(struct end *end, long type, int flags)
{
	struct sysv_message message;
	uint64_t before_ns = now_ns();
	ssize_t n = msgrcv(end->fd, &message, sizeof(message.data), type, flags);

	if (n < 0 && errno == ENOMSG) {
		sched_yield();
		return true;
	}
	gen_check(n, "msgrcv");
	memcpy(end->buf, message.data, (size_t)n);
	return took(end, before_ns, n, (size_t)n);
}

bool receive_msgrcv(struct end *end)
{
	return receive_sysv(end, 0, 0);
}

bool receive_msgrcv_lowest(struct end *end)
{
	return receive_sysv(end, -TYPES, 0);
}

/* Each type in turn, without waiting. */
bool receive_msgrcv_typed(struct end *end)
{
	return receive_sysv(end, 1 + random_below(&end->actor.random, TYPES), IPC_NOWAIT);
}

bool receive_msgrcv_except(struct end *end)
{
	return receive_sysv(end, 1 + random_below(&end->actor.random, TYPES - 1),
			    MSG_EXCEPT | IPC_NOWAIT);
}
