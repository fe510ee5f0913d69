// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Streams: pipes, FIFOs, unix and TCP connections. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/truthgen/gen.h"

#define ATOMIC_LEN 4096 /* PIPE_BUF: up to here a write stays together */

struct ends {
	const char *mechanism;
	int in, out; /* where the receivers read and the senders write */
	bool socket;
};

/* Mostly small. Whole cells where content tells the truth. */
size_t pick_size(struct actor *actor, const struct part *part)
{
	size_t max = random_one_in(&actor->random, 8) || part->max < 64 ? part->max : 64;
	size_t size;

	if (part->size)
		return part->size;
	if (part->varied)
		max = part->max >> 3 * random_below(&actor->random, 4);
	size = 1 + random_below(&actor->random, (uint32_t)max);
	return part->cells ? (size + CELL_LEN - 1) / CELL_LEN * CELL_LEN : size;
}

static ssize_t send_some(struct actor *actor, const struct part *part, void *buf, size_t len)
{
	size_t first = len / 2;
	struct iovec pieces[2] = {{buf, first}, {(char *)buf + first, len - first}};
	struct msghdr header = {.msg_iov = pieces, .msg_iovlen = 2};

	switch (random_below(&actor->random, part->socket ? 4 : 2)) {
	case 0:
		return writev(part->out, pieces, 2);
	case 2:
		return send(part->out, buf, len, 0);
	case 3:
		return sendmsg(part->out, &header, 0);
	default:
		return write(part->out, buf, len);
	}
}

/* What one call took; the rest is sent as a message of its own. */
static size_t send_once(struct actor *actor, const struct part *part, void *buf, size_t len)
{
	uint64_t before_ns;
	ssize_t n;

	if (part->cells)
		cells_fill(buf, len, actor->number, actor->sent);
	for (;;) {
		before_ns = now_ns();
		n = send_some(actor, part, buf, len);
		if (n >= 0)
			break;
		if (errno != EAGAIN)
			gen_die("send on a stream");
		wait_ready(part->out, POLLOUT);
	}
	record_call(actor, RECORD_SEND, part->flow_out, before_ns, n, 1);
	return (size_t)n;
}

void play_send_stream(struct actor *actor, const struct part *part)
{
	char *buf = calloc(1, part->max + part->size);

	if (!buf)
		gen_die("calloc");
	for (uint32_t i = 0; i < part->count; i++) {
		size_t len = pick_size(actor, part);

		while (len)
			len -= send_once(actor, part, buf, len);
		if (i % 16 == 0 && actor_waits(actor))
			i = 0;
		actor_pause(actor);
	}
	if (part->closes)
		gen_check(shutdown(part->out, SHUT_WR), "shutdown");
	free(buf);
}

static ssize_t receive_some(struct actor *actor, const struct part *part, void *buf, size_t len,
			    int flags)
{
	size_t first = len / 2;
	struct iovec pieces[2] = {{buf, first}, {(char *)buf + first, len - first}};
	struct msghdr header = {.msg_iov = pieces, .msg_iovlen = 2};
	uint32_t way = random_below(&actor->random, part->socket ? 4 : 2);

	if (flags && way < 2)
		way += 2;
	switch (way) {
	case 0:
		return readv(part->in, pieces, 2);
	case 2:
		return recv(part->in, buf, len, flags);
	case 3:
		return recvmsg(part->in, &header, flags);
	default:
		return read(part->in, buf, len);
	}
}

/* A look at what comes, if it is there. */
static void look(struct actor *actor, const struct part *part, void *buf, size_t len)
{
	uint64_t before_ns = now_ns();
	ssize_t n = receive_some(actor, part, buf, len, MSG_PEEK | MSG_DONTWAIT);

	if (n >= 0)
		record_call(actor, RECORD_LOOK, part->flow_in, before_ns, n, 1);
}

/* Bytes that one call took; 0 at the end. */
static size_t receive_once(struct actor *actor, const struct part *part, struct cells *cells,
			   void *buf, size_t len)
{
	uint64_t before_ns;
	ssize_t n;

	if (part->socket && !part->plain && random_one_in(&actor->random, 16))
		look(actor, part, buf, len);
	for (;;) {
		before_ns = now_ns();
		n = receive_some(actor, part, buf, len, 0);
		if (n >= 0)
			break;
		if (errno != EAGAIN)
			gen_die("receive from a stream");
		wait_ready(part->in, POLLIN);
	}
	record_call(actor, RECORD_RECEIVE, part->flow_in, before_ns, n, 1);
	if (part->cells)
		cells_take(actor, cells, buf, (size_t)n);
	return (size_t)n;
}

void play_receive_stream(struct actor *actor, const struct part *part)
{
	struct cells cells = {0};
	char *buf = malloc(part->max + part->size + CELL_LEN);
	size_t n;

	if (!buf)
		gen_die("malloc");
	do {
		n = receive_once(actor, part, &cells, buf, pick_size(actor, part));
		actor_pause(actor);
	} while (n);
	free(buf);
}

static struct ends make_pipe(void)
{
	int fds[2];

	gen_check(pipe(fds), "pipe");
	return (struct ends){"pipe", fds[0], fds[1], false};
}

/* Both ends by name; the first is opened for both so that neither waits. */
static struct ends make_fifo(const struct stage *stage)
{
	struct ends ends = {.mechanism = "fifo"};
	char path[4096];
	int both;

	snprintf(path, sizeof(path), "%s/fifo-%s", stage->log, stage->name);
	gen_check(mkfifo(path, 0600), path);
	both = (int)gen_check(open(path, O_RDWR), path);
	ends.in = (int)gen_check(open(path, O_RDONLY), path);
	ends.out = (int)gen_check(open(path, O_WRONLY), path);
	close(both);
	unlink(path);
	return ends;
}

static struct ends make_unix(void)
{
	int fds[2];

	gen_check(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), "socketpair");
	return (struct ends){"unix-stream", fds[0], fds[1], true};
}

void tcp_pair(int *in, int *out)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int listener = (int)gen_check(socket(AF_INET, SOCK_STREAM, 0), "socket");

	gen_check(bind(listener, (struct sockaddr *)&address, len), "bind");
	gen_check(listen(listener, 1), "listen");
	gen_check(getsockname(listener, (struct sockaddr *)&address, &len), "getsockname");
	*out = (int)gen_check(socket(AF_INET, SOCK_STREAM, 0), "socket");
	gen_check(connect(*out, (struct sockaddr *)&address, len), "connect");
	*in = (int)gen_check(accept(listener, NULL, NULL), "accept");
	close(listener);
}

static struct ends make_tcp(void)
{
	struct ends ends = {.mechanism = "tcp", .socket = true};

	tcp_pair(&ends.in, &ends.out);
	return ends;
}

/* Senders and receivers on one stream until its end. */
static void play_stream(struct stage *stage, const struct ends *ends, struct part part,
			uint32_t senders, uint32_t receivers)
{
	struct team sending = {.layout = random_layout(stage)};
	struct team receiving = {.layout = random_layout(stage)};

	part.in = ends->in;
	part.out = ends->out;
	part.socket = ends->socket;
	part.cells = senders > 1 || receivers > 1;
	part.size = part.cells && part.size == 0 ? stage->size : part.size;
	part.count = stage_share(stage, senders);
	part.flow_in = part.flow_out = stage_flow(stage, ends->mechanism,
						  part.cells ? MANNER_PARTS : MANNER_BYTES,
						  inode_of(ends->in), senders, receivers);
	part.play = play_send_stream;
	for (uint32_t i = 0; i < senders; i++)
		team_add(&sending, &part);
	part.play = play_receive_stream;
	for (uint32_t i = 0; i < receivers; i++)
		team_add(&receiving, &part);
	team_drop(&sending, ends->in);
	team_drop(&receiving, ends->out);
	team_start(stage, &receiving);
	team_start(stage, &sending);
	close(ends->in);
	close(ends->out);
	team_wait(&sending);
	team_wait(&receiving);
}

static uint32_t some(struct stage *stage)
{
	return 2 + random_below(&stage->random, 3);
}

/* One or more, but more on one side at least. */
static void play_several(struct stage *stage, const struct ends *ends, struct part part)
{
	bool one = random_one_in(&stage->random, 2);

	if (random_one_in(&stage->random, 3))
		play_stream(stage, ends, part, 1, some(stage));
	else
		play_stream(stage, ends, part, some(stage), one ? 1 : some(stage));
}

void stage_pipe_one(struct stage *stage)
{
	struct ends ends = make_pipe();

	play_stream(stage, &ends, (struct part){.max = 20000}, 1, 1);
}

void stage_pipe_several(struct stage *stage)
{
	struct ends ends = make_pipe();

	play_several(stage, &ends, (struct part){.max = ATOMIC_LEN});
}

void stage_pipe_tokens(struct stage *stage)
{
	struct ends ends = make_pipe();

	play_stream(stage, &ends, (struct part){.max = CELL_LEN, .size = CELL_LEN}, 4, 4);
}

/* Writes that do not stay together. */
void stage_pipe_large(struct stage *stage)
{
	struct ends ends = make_pipe();

	play_stream(stage, &ends, (struct part){.max = 40000, .size = 8 * 5000}, some(stage), 1);
}

/* Large and small writes of all lengths to pipes that hold from one buffer up to many. */
void stage_pipe_varied(struct stage *stage)
{
	struct ends ends = random_one_in(&stage->random, 2) ? make_pipe() : make_fifo(stage);
	int size = 4096 << random_below(&stage->random, 7);

	gen_check(fcntl(ends.out, F_SETPIPE_SZ, size), "F_SETPIPE_SZ");
	play_stream(stage, &ends, (struct part){.max = 200000, .varied = true}, some(stage),
		    random_one_in(&stage->random, 3) ? some(stage) : 1);
}

void stage_pipe_partial(struct stage *stage)
{
	struct ends ends = make_pipe();

	set_nonblocking(ends.out);
	set_nonblocking(ends.in);
	play_stream(stage, &ends, (struct part){.max = 30000}, 1 + random_below(&stage->random, 2),
		    1);
}

void stage_fifo_one(struct stage *stage)
{
	struct ends ends = make_fifo(stage);

	play_stream(stage, &ends, (struct part){.max = 8000}, 1, 1);
}

void stage_fifo_several(struct stage *stage)
{
	struct ends ends = make_fifo(stage);

	play_several(stage, &ends, (struct part){.max = ATOMIC_LEN});
}

void stage_unix_one(struct stage *stage)
{
	struct ends ends = make_unix();

	play_stream(stage, &ends, (struct part){.max = 50000}, 1, 1);
}

void stage_unix_several(struct stage *stage)
{
	struct ends ends = make_unix();

	play_stream(stage, &ends, (struct part){.max = ATOMIC_LEN, .plain = true}, some(stage),
		    1 + random_below(&stage->random, 2));
}

void stage_tcp_one(struct stage *stage)
{
	struct ends ends = make_tcp();

	play_stream(stage, &ends, (struct part){.max = 100000}, 1, 1);
}

void stage_tcp_several(struct stage *stage)
{
	struct ends ends = make_tcp();

	play_stream(stage, &ends, (struct part){.max = ATOMIC_LEN}, some(stage), 1);
}

void stage_unix_partial(struct stage *stage)
{
	struct ends ends = make_unix();

	set_nonblocking(ends.out);
	set_nonblocking(ends.in);
	play_stream(stage, &ends, (struct part){.max = 200000}, 1, 1);
}

/* What is looked at moves on: SO_PEEK_OFF, socket(7). */
void stage_unix_offset(struct stage *stage)
{
	struct ends ends = make_unix();
	int offset = 0;

	gen_check(setsockopt(ends.in, SOL_SOCKET, SO_PEEK_OFF, &offset, sizeof(offset)),
		  "SO_PEEK_OFF");
	play_stream(stage, &ends, (struct part){.max = 2000}, 1, 1);
}

/* Packet mode, pipe(2): a read takes one packet, and what of it does not fit is gone. */
void stage_pipe_packets(struct stage *stage)
{
	struct ends ends = {.mechanism = "pipe"};
	int fds[2];

	gen_check(pipe2(fds, O_DIRECT), "pipe2");
	ends.in = fds[0];
	ends.out = fds[1];
	play_stream(stage, &ends, (struct part){.max = ATOMIC_LEN}, some(stage), 1);
}

/* Both directions of one connection at the same time: a sender and a receiver at each end. */
static void play_duplex(struct stage *stage, const struct ends *ends)
{
	struct part part = {.max = 3000, .socket = true, .closes = true};
	int fds[2] = {ends->in, ends->out};
	struct team teams[4] = {0};

	part.count = stage->messages / 2 + 1;
	for (size_t i = 0; i < 2; i++) {
		part.in = fds[i];
		part.out = fds[1 - i];
		part.flow_in = part.flow_out = stage_flow(stage, ends->mechanism, MANNER_BYTES,
							  inode_of(part.in), 1, 1);
		part.play = play_receive_stream;
		team_add(&teams[2 * i], &part);
		part.play = play_send_stream;
		team_add(&teams[2 * i + 1], &part);
	}
	for (size_t i = 0; i < 4; i++)
		team_start(stage, &teams[i]);
	close(ends->in);
	close(ends->out);
	for (size_t i = 0; i < 4; i++)
		team_wait(&teams[i]);
}

void stage_unix_duplex(struct stage *stage)
{
	struct ends ends = make_unix();

	play_duplex(stage, &ends);
}

void stage_tcp_duplex(struct stage *stage)
{
	struct ends ends = make_tcp();

	play_duplex(stage, &ends);
}
