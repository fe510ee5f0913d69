// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Datagrams: unix datagram and sequenced-packet sockets, UDP. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/truthgen/gen.h"

#define LEN_MAX 2048
#define BATCH_MAX 8
#define WINDOW 50	      /* UDP: so many fit a receive buffer whatever happens */
#define BUFFER_LEN (32 << 20) /* asked for; the system gives what it allows */

/* part.kind */
enum { WAY_BATCHES = 1, WAY_CUTS = 2 };

struct batch {
	struct mmsghdr headers[BATCH_MAX];
	struct iovec pieces[BATCH_MAX];
	struct sockaddr_storage addresses[BATCH_MAX];
	char data[BATCH_MAX][LEN_MAX];
};

/* count messages of len bytes each, from or to where `part` says. */
static void batch_set(struct batch *batch, const struct part *part, size_t count, size_t len)
{
	memset(batch->headers, 0, sizeof(batch->headers));
	for (size_t i = 0; i < count; i++) {
		struct msghdr *header = &batch->headers[i].msg_hdr;

		batch->pieces[i] = (struct iovec){batch->data[i], len};
		header->msg_iov = &batch->pieces[i];
		header->msg_iovlen = 1;
		header->msg_name = (void *)part->more;
		header->msg_namelen = part->more_len;
	}
}

static uint32_t random_batch(struct actor *actor, const struct part *part)
{
	if (!(part->kind & WAY_BATCHES) || !random_one_in(&actor->random, 4))
		return 1;
	return 1 + random_below(&actor->random, BATCH_MAX);
}

static int send_batch(struct actor *actor, const struct part *part, struct batch *batch,
		      uint32_t count, size_t len)
{
	ssize_t n;

	switch (random_below(&actor->random, 4)) {
	case 0:
		n = sendmsg(part->out, &batch->headers[0].msg_hdr, 0);
		break;
	case 1:
		n = part->more ? -1 : write(part->out, batch->data[0], len);
		if (!part->more)
			break;
		/* fallthrough */
	default:
		n = sendto(part->out, batch->data[0], len, 0, part->more, part->more_len);
	}
	if (count > 1)
		abort();
	return n < 0 ? -1 : 1;
}

/* Messages of one call; how many it took. */
static uint32_t send_call(struct actor *actor, const struct part *part, struct batch *batch,
			  uint32_t count)
{
	size_t len = pick_size(actor, part);
	uint64_t before_ns;
	int n;

	if (!part->cells && random_one_in(&actor->random, 4))
		len = 0;
	for (uint32_t i = 0; part->cells && i < count; i++)
		cells_fill(batch->data[i], len, actor->number, actor->sent + i);
	batch_set(batch, part, count, len);
	before_ns = now_ns();
	n = count > 1 ? sendmmsg(part->out, batch->headers, count, 0)
		      : send_batch(actor, part, batch, count, len);
	gen_check(n, "send a datagram");
	record_call(actor, RECORD_SEND, part->flow_out, before_ns, (ssize_t)len, (uint32_t)n);
	return (uint32_t)n;
}

static void play_send(struct actor *actor, const struct part *part)
{
	struct batch *batch = calloc(1, sizeof(*batch));

	if (!batch)
		gen_die("calloc");
	for (uint32_t i = 0; i < part->count;) {
		uint32_t count = random_batch(actor, part);

		i += send_call(actor, part, batch, count);
		actor_pause(actor);
	}
	free(batch);
}

/* Bytes of the message, as it was sent; what fits the buffer is there. */
static ssize_t receive_one(struct actor *actor, const struct part *part, struct batch *batch,
			   size_t len, int flags)
{
	socklen_t address_len = sizeof(batch->addresses[0]);
	ssize_t n;

	switch (random_below(&actor->random, 4)) {
	case 0:
		batch_set(batch, part, 1, len);
		batch->headers[0].msg_hdr.msg_name = &batch->addresses[0];
		batch->headers[0].msg_hdr.msg_namelen = address_len;
		n = recvmsg(part->in, &batch->headers[0].msg_hdr, flags);
		break;
	case 1:
		n = recvfrom(part->in, batch->data[0], len, flags,
			     (struct sockaddr *)&batch->addresses[0], &address_len);
		break;
	case 2:
		if (!flags) {
			n = read(part->in, batch->data[0], len);
			break;
		}
		/* fallthrough */
	default:
		n = recv(part->in, batch->data[0], len, flags);
	}
	return n > (ssize_t)len ? (ssize_t)len : n;
}

static int receive_batch(struct actor *actor, const struct part *part, struct batch *batch,
			 uint32_t count, size_t len)
{
	struct part nobody = {.in = part->in};
	int n;

	(void)actor;
	batch_set(batch, &nobody, count, len);
	n = recvmmsg(part->in, batch->headers, count, MSG_WAITFORONE, NULL);
	return n;
}

static int random_flags(struct actor *actor, const struct part *part)
{
	if (part->plain)
		return 0;
	switch (random_below(&actor->random, 16)) {
	case 0:
		return MSG_PEEK;
	case 1:
		return MSG_TRUNC;
	default:
		return 0;
	}
}

/* False where it was the end. */
static bool note_message(struct actor *actor, const struct part *part, const void *data, size_t len,
			 uint32_t index)
{
	struct record record = {.flow = index, .e = len};

	if (!part->cells)
		return true;
	if (!cell_read(data, len, &record))
		return false;
	record_part(actor, &record);
	return record.a != part->end;
}

/* Messages that were taken; 0 where the end is among them. */
static uint32_t receive_call(struct actor *actor, const struct part *part, struct batch *batch)
{
	uint32_t count = random_batch(actor, part);
	int flags = count > 1 ? 0 : random_flags(actor, part);
	size_t len = part->kind & WAY_CUTS && random_one_in(&actor->random, 8) ? 16 : LEN_MAX;
	uint64_t before_ns = now_ns();
	bool goes_on = true;
	ssize_t n;

	if (count > 1)
		n = receive_batch(actor, part, batch, count, len);
	else
		n = receive_one(actor, part, batch, len, flags);
	gen_check(n, "receive a datagram");
	record_call(actor, flags == MSG_PEEK ? RECORD_LOOK : RECORD_RECEIVE, part->flow_in,
		    before_ns, n, count > 1 ? (uint32_t)n : 1);
	if (flags == MSG_PEEK)
		return receive_call(actor, part, batch);
	if (count == 1)
		return note_message(actor, part, batch->data[0], (size_t)n, 0) ? 1 : 0;
	for (uint32_t i = 0; i < (uint32_t)n; i++)
		goes_on &= note_message(actor, part, batch->data[i], batch->headers[i].msg_len, i);
	return goes_on ? (uint32_t)n : 0;
}

/* Until the end, or the number of messages where content says nothing. */
static void play_receive(struct actor *actor, const struct part *part)
{
	struct batch *batch = calloc(1, sizeof(*batch));
	uint32_t taken = 0, n;

	if (!batch)
		gen_die("calloc");
	do {
		n = receive_call(actor, part, batch);
		taken += n;
		actor_pause(actor);
	} while (n && (part->cells || taken < part->count));
	free(batch);
}

/* Tells receivers the end until all of them have heard it. */
static void end_receivers(struct stage *stage, struct team *receivers, const struct part *part)
{
	char cell[CELL_LEN];

	while (!team_ended(receivers)) {
		uint64_t before_ns;
		ssize_t n;

		cells_fill(cell, sizeof(cell), stage->self.number, stage->self.sent);
		before_ns = now_ns();
		n = sendto(part->out, cell, sizeof(cell), MSG_DONTWAIT, part->more, part->more_len);
		if (n >= 0)
			record_call(&stage->self, RECORD_SEND, part->flow_out, before_ns, n, 1);
		usleep(2000);
	}
}

static uint32_t some(struct stage *stage)
{
	return 2 + random_below(&stage->random, 3);
}

/* One receiving socket, and a sending one for each of senders, or one that they share. */
struct sockets {
	const char *mechanism;
	int in, self;
	int out[PARTS_MAX];
	struct sockaddr_storage address; /* of `in` */
	socklen_t address_len;
};

static void play_sockets(struct stage *stage, const struct sockets *sockets, uint32_t senders,
			 uint32_t receivers, int ways)
{
	struct team sending = {.layout = random_layout(stage)};
	struct team receiving = {.layout = random_layout(stage)};
	struct part part = {.max = 1000, .cells = true, .kind = ways, .size = stage->size};

	part.flow_in = part.flow_out = stage_flow(stage, sockets->mechanism, MANNER_PARTS,
						  inode_of(sockets->in), senders, receivers);
	part.in = sockets->in;
	part.end = stage->self.number;
	part.count = stage_share(stage, senders);
	part.more = sockets->address_len ? &sockets->address : NULL;
	part.more_len = sockets->address_len;
	for (uint32_t i = 0; i < senders; i++) {
		part.out = sockets->out[i];
		part.play = play_send;
		team_add(&sending, &part);
	}
	part.play = play_receive;
	for (uint32_t i = 0; i < receivers; i++)
		team_add(&receiving, &part);
	team_drop(&sending, sockets->in);
	team_start(stage, &receiving);
	team_start(stage, &sending);
	team_wait(&sending);
	part.out = sockets->self;
	end_receivers(stage, &receiving, &part);
}

static void stage_pair(struct stage *stage, int type, const char *mechanism)
{
	uint32_t senders = some(stage);
	struct sockets sockets = {.mechanism = mechanism};
	int fds[2];

	gen_check(socketpair(AF_UNIX, type, 0, fds), "socketpair");
	sockets.in = fds[0];
	sockets.self = fds[1];
	for (uint32_t i = 0; i < senders; i++)
		sockets.out[i] = fds[1];
	play_sockets(stage, &sockets, senders, 1 + random_below(&stage->random, 3),
		     WAY_CUTS | (random_one_in(&stage->random, 2) ? WAY_BATCHES : 0));
}

void stage_dgram_pair(struct stage *stage)
{
	stage_pair(stage, SOCK_DGRAM, "unix-dgram");
}

void stage_seqpacket_pair(struct stage *stage)
{
	stage_pair(stage, SOCK_SEQPACKET, "unix-seqpacket");
}

/* Senders with sockets of their own: named each time, or connected. */
static void connect_senders(struct stage *stage, struct sockets *sockets, int family,
			    uint32_t senders, bool connected)
{
	(void)stage;
	for (uint32_t i = 0; i <= senders; i++) {
		int fd = (int)gen_check(socket(family, SOCK_DGRAM, 0), "socket");

		if (connected)
			gen_check(connect(fd, (struct sockaddr *)&sockets->address,
					  sockets->address_len),
				  "connect");
		if (i < senders)
			sockets->out[i] = fd;
		else
			sockets->self = fd;
	}
	if (connected)
		sockets->address_len = 0;
}

void stage_dgram_named(struct stage *stage)
{
	struct sockets sockets = {.mechanism = "unix-dgram"};
	struct sockaddr_un *name = (struct sockaddr_un *)&sockets.address;
	uint32_t senders = some(stage);

	name->sun_family = AF_UNIX;
	snprintf(name->sun_path + 1, sizeof(name->sun_path) - 1, "truthgen-%d", (int)getpid());
	sockets.address_len = sizeof(*name);
	sockets.in = (int)gen_check(socket(AF_UNIX, SOCK_DGRAM, 0), "socket");
	gen_check(bind(sockets.in, (struct sockaddr *)name, sizeof(*name)), "bind");
	connect_senders(stage, &sockets, AF_UNIX, senders, random_one_in(&stage->random, 2));
	play_sockets(stage, &sockets, senders, 1 + random_below(&stage->random, 2), WAY_CUTS);
}

static void bind_udp(struct sockets *sockets)
{
	struct sockaddr_in *address = (struct sockaddr_in *)&sockets->address;
	int len = BUFFER_LEN;

	address->sin_family = AF_INET;
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sockets->address_len = sizeof(*address);
	sockets->in = (int)gen_check(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	gen_check(bind(sockets->in, (struct sockaddr *)address, sizeof(*address)), "bind");
	gen_check(getsockname(sockets->in, (struct sockaddr *)address, &sockets->address_len),
		  "getsockname");
	gen_check(setsockopt(sockets->in, SOL_SOCKET, SO_RCVBUF, &len, sizeof(len)), "SO_RCVBUF");
}

void stage_udp_several(struct stage *stage)
{
	struct sockets sockets = {.mechanism = "udp"};
	uint32_t senders = some(stage);

	bind_udp(&sockets);
	connect_senders(stage, &sockets, AF_INET, senders, random_one_in(&stage->random, 2));
	play_sockets(stage, &sockets, senders, 1 + random_below(&stage->random, 2),
		     WAY_CUTS | (random_one_in(&stage->random, 2) ? WAY_BATCHES : 0));
}

/* One sender, one receiver; messages of any length, none at all too, all of the same bytes. */
static void play_alone(struct stage *stage, const char *mechanism, int in, int out)
{
	struct team sending = {0}, receiving = {0};
	struct part part = {.max = 100,
			    .in = in,
			    .out = out,
			    .plain = true,
			    .count = stage->messages + 1,
			    .play = play_send};

	part.flow_in = part.flow_out = stage_flow(stage, mechanism, MANNER_MESSAGES, inode_of(in),
						  1, 1);
	team_add(&sending, &part);
	part.play = play_receive;
	team_add(&receiving, &part);
	team_start(stage, &receiving);
	team_start(stage, &sending);
	team_wait(&sending);
	team_wait(&receiving);
}

void stage_dgram_alone(struct stage *stage)
{
	int fds[2];

	gen_check(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), "socketpair");
	play_alone(stage, "unix-dgram", fds[0], fds[1]);
}

void stage_seqpacket_alone(struct stage *stage)
{
	int fds[2];

	gen_check(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), "socketpair");
	play_alone(stage, "unix-seqpacket", fds[0], fds[1]);
}

/* As many as surely fit, then the next ones. */
void stage_udp_alone(struct stage *stage)
{
	struct sockets sockets = {0};
	uint32_t rest = stage->messages;

	bind_udp(&sockets);
	connect_senders(stage, &sockets, AF_INET, 1, true);
	for (int i = 0; rest && i < 8; i++) {
		stage->messages = rest < WINDOW ? rest : WINDOW;
		rest -= stage->messages;
		play_alone(stage, "udp", sockets.in, sockets.out[0]);
	}
}
