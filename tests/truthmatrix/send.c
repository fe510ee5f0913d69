// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Ways to send: calls that take bytes from memory. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "tests/truthmatrix/matrix.h"

#define BATCH 5
#define SEGMENTS_MAX 6

static void fill_next(struct end *end, void *buf, size_t len, uint32_t ahead)
{
	content_fill(buf, len, end->actor.number, end->actor.sent + ahead, 0, false);
}

/* One message by one call. */
void send_by(struct end *end, send_call *call, size_t len)
{
	uint64_t before_ns;
	ssize_t n;

	fill_next(end, end->buf, len, 0);
	do {
		before_ns = now_ns();
		n = call(end, end->buf, len);
		if (n < 0 && errno == EAGAIN)
			wait_ready(end->fd, POLLOUT);
	} while (n < 0 && errno == EAGAIN);
	gen_check(n, "send");
	note_send(end, before_ns, n, 1);
}

static struct msghdr header_of(struct end *end, struct iovec *pieces, size_t count)
{
	struct msghdr header = {.msg_iov = pieces, .msg_iovlen = count};

	if (end->class & C_TO) {
		header.msg_name = (void *)&end->role->object.to;
		header.msg_namelen = end->role->object.to_len;
	}
	return header;
}

static ssize_t call_write(struct end *end, void *buf, size_t len)
{
	return write(end->fd, buf, len);
}

void send_write(struct end *end)
{
	send_by(end, call_write, end_pick(end));
}

static void halve(struct iovec *pieces, void *buf, size_t len)
{
	size_t first = len / 3;

	pieces[0] = (struct iovec){buf, first};
	pieces[1] = (struct iovec){(char *)buf + first, len - first};
}

static ssize_t call_writev(struct end *end, void *buf, size_t len)
{
	struct iovec pieces[2];

	halve(pieces, buf, len);
	return writev(end->fd, pieces, 2);
}

void send_writev(struct end *end)
{
	send_by(end, call_writev, end_pick(end));
}

static ssize_t call_pwritev2(struct end *end, void *buf, size_t len)
{
	struct iovec pieces[2];

	halve(pieces, buf, len);
	return pwritev2(end->fd, pieces, 2, -1, 0);
}

void send_pwritev2(struct end *end)
{
	send_by(end, call_pwritev2, end_pick(end));
}

static ssize_t call_send(struct end *end, void *buf, size_t len)
{
	return send(end->fd, buf, len, 0);
}

void send_send(struct end *end)
{
	send_by(end, call_send, end_pick(end));
}

static ssize_t call_sendto(struct end *end, void *buf, size_t len)
{
	bool to = end->class & C_TO;

	return sendto(end->fd, buf, len, 0,
		      to ? (const struct sockaddr *)&end->role->object.to : NULL,
		      to ? end->role->object.to_len : 0);
}

void send_sendto(struct end *end)
{
	send_by(end, call_sendto, end_pick(end));
}

static ssize_t call_sendmsg(struct end *end, void *buf, size_t len)
{
	struct iovec pieces[2];
	struct msghdr header = header_of(end, pieces, 2);

	halve(pieces, buf, len);
	return sendmsg(end->fd, &header, 0);
}

void send_sendmsg(struct end *end)
{
	send_by(end, call_sendmsg, end_pick(end));
}

static ssize_t call_rights(struct end *end, void *buf, size_t len)
{
	struct iovec piece = {buf, len};
	struct msghdr header = header_of(end, &piece, 1);
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {.header = {.cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_RIGHTS,
				.cmsg_len = CMSG_LEN(sizeof(int))}};
	int passed = STDERR_FILENO;

	memcpy(CMSG_DATA(&control.header), &passed, sizeof(passed));
	header.msg_control = &control;
	header.msg_controllen = sizeof(control);
	return sendmsg(end->fd, &header, 0);
}

/* With a descriptor, which the receiver takes or throws away. */
void send_rights(struct end *end)
{
	send_by(end, call_rights, end_pick(end));
}

ssize_t call_send_dontwait(struct end *end, void *buf, size_t len)
{
	bool to = end->class & C_TO;

	return sendto(end->fd, buf, len, MSG_DONTWAIT,
		      to ? (const struct sockaddr *)&end->role->object.to : NULL,
		      to ? end->role->object.to_len : 0);
}

void send_dontwait(struct end *end)
{
	send_by(end, call_send_dontwait, end_pick(end));
}

/*
 * On a stream one of the messages is empty. A sender of datagrams sends one empty one at most, and
 * none where there are others: nothing else would tell which one a receiver took.
 */
static bool is_empty_one(struct end *end, size_t i)
{
	if (i != 1)
		return false;
	if (end->class & C_STREAM)
		return true;
	if (end->role->senders > 1 || end->role->no_empty || end->empty_sent)
		return false;
	return end->empty_sent = true;
}

static size_t batch_fill(struct end *end, struct mmsghdr *headers, struct iovec *pieces)
{
	uint8_t *p = end->buf;

	for (size_t i = 0; i < BATCH; i++) {
		pieces[i] = (struct iovec){p, is_empty_one(end, i) ? 0 : end_pick(end)};
		headers[i] = (struct mmsghdr){.msg_hdr = header_of(end, &pieces[i], 1)};
		if (!(end->class & C_STREAM))
			fill_next(end, p, pieces[i].iov_len, (uint32_t)i);
		p += pieces[i].iov_len;
	}
	return (size_t)(p - end->buf);
}

/* A stream's is one message of all. */
void send_sendmmsg(struct end *end)
{
	struct mmsghdr headers[BATCH];
	struct iovec pieces[BATCH];
	size_t len = batch_fill(end, headers, pieces), sent = 0;
	uint64_t before_ns;
	int n;

	if (end->class & C_STREAM)
		fill_next(end, end->buf, len, 0);
	before_ns = now_ns();
	n = (int)gen_check(sendmmsg(end->fd, headers, BATCH, 0), "sendmmsg");
	for (int i = 0; i < n; i++)
		sent += headers[i].msg_len;
	note_send(end, before_ns, (ssize_t)sent, end->class & C_STREAM ? 1 : (uint32_t)n);
}

static ssize_t call_more(struct end *end, void *buf, size_t len)
{
	bool to = end->class & C_TO;

	return sendto(end->fd, buf, len, MSG_MORE,
		      to ? (const struct sockaddr *)&end->role->object.to : NULL,
		      to ? end->role->object.to_len : 0);
}

/* Over UDP, these are one datagram. */
void send_more(struct end *end)
{
	uint32_t count = random_below(&end->actor.random, 3);

	for (uint32_t i = 0; i < count; i++)
		send_by(end, call_more, end_pick(end));
	send_by(end, call_sendto, end_pick(end));
}

static void set_cork(struct end *end, int on)
{
	bool tcp = end->class & C_TCP;

	gen_check(setsockopt(end->fd, tcp ? IPPROTO_TCP : IPPROTO_UDP, tcp ? TCP_CORK : UDP_CORK,
			     &on, sizeof(on)),
		  "cork");
}

void send_cork(struct end *end)
{
	uint32_t count = 1 + random_below(&end->actor.random, 3);

	set_cork(end, 1);
	for (uint32_t i = 0; i < count; i++)
		send_by(end, call_sendto, end_pick(end));
	set_cork(end, 0);
}

/* A length for several segments, the last one shorter. */
static size_t pick_segments(struct end *end, int *segment)
{
	*segment = (int)(8 * (4 + random_below(&end->actor.random, 60)));
	return (size_t)*segment * (1 + random_below(&end->actor.random, SEGMENTS_MAX)) +
	       8 * random_below(&end->actor.random, 4);
}

void send_segment(struct end *end)
{
	int segment = 0;
	size_t len = pick_segments(end, &segment);

	if (end->role->senders > 1)
		segment = 256; /* the socket's, for all */
	gen_check(setsockopt(end->fd, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment)),
		  "UDP_SEGMENT");
	send_by(end, call_sendto, len);
}

static ssize_t call_segment(struct end *end, void *buf, size_t len)
{
	struct iovec piece = {buf, len};
	struct msghdr header = header_of(end, &piece, 1);
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(uint16_t))];
	} control = {.header = {.cmsg_level = SOL_UDP,
				.cmsg_type = UDP_SEGMENT,
				.cmsg_len = CMSG_LEN(sizeof(uint16_t))}};
	uint16_t segment = (uint16_t)end->ring[0];

	memcpy(CMSG_DATA(&control.header), &segment, sizeof(segment));
	header.msg_control = &control;
	header.msg_controllen = sizeof(control);
	return sendmsg(end->fd, &header, 0);
}

void send_segment_cmsg(struct end *end)
{
	int segment;
	size_t len = pick_segments(end, &segment);

	end->ring[0] = (uint64_t)segment;
	send_by(end, call_segment, len);
}

static ssize_t call_zerocopy(struct end *end, void *buf, size_t len)
{
	return send(end->fd, buf, len, MSG_ZEROCOPY);
}

/* What is to be sent is read late: each from bytes of its own. */
void send_zerocopy(struct end *end)
{
	size_t len = end_pick(end);
	uint8_t *p = end_pool(end, len);
	uint64_t before_ns;
	int on = 1;

	fill_next(end, p, len, 0);
	gen_check(setsockopt(end->fd, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof(on)), "SO_ZEROCOPY");
	before_ns = now_ns();
	note_send(end, before_ns, gen_check(call_zerocopy(end, p, len), "zerocopy"), 1);
}
