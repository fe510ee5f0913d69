// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Bytes that go on from channel to channel in the kernel: splice, tee, sendfile, vmsplice. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/truthgen/gen.h"

#define RELAY_LEN 10000
#define FILE_LEN 5000

struct relay { /* where from, where to, and where a copy goes; -1: no copy */
	int in, out, copy;
	uint32_t flow_in, flow_out, flow_copy;
};

static ssize_t record_relay(struct actor *actor, enum record_kind kind, uint32_t from, uint32_t to,
			    uint64_t before_ns, ssize_t n)
{
	struct record *record = record_call(actor, kind, from, before_ns, n, 1);

	record->d = to;
	return n;
}

/* Exactly n bytes, as the copy had. */
static void splice_all(struct actor *actor, const struct relay *relay, size_t n)
{
	while (n) {
		uint64_t before_ns = now_ns();
		ssize_t moved = splice(relay->in, NULL, relay->out, NULL, n, 0);

		gen_check(moved, "splice");
		record_relay(actor, RECORD_RELAY, relay->flow_in, relay->flow_out, before_ns,
			     moved);
		n -= (size_t)moved;
	}
}

static void play_tee(struct actor *actor, const struct part *part)
{
	const struct relay *relay = part->more;

	for (;;) {
		uint64_t before_ns = now_ns();
		ssize_t n = tee(relay->in, relay->copy, 1 + random_below(&actor->random, RELAY_LEN),
				0);

		if (gen_check(n, "tee") == 0)
			return;
		record_relay(actor, RECORD_TEE, relay->flow_in, relay->flow_copy, before_ns, n);
		splice_all(actor, relay, (size_t)n);
	}
}

static void play_splice(struct actor *actor, const struct part *part)
{
	const struct relay *relay = part->more;
	ssize_t n;

	do {
		uint64_t before_ns = now_ns();

		n = splice(relay->in, NULL, relay->out, NULL,
			   1 + random_below(&actor->random, RELAY_LEN), 0);
		gen_check(n, "splice");
		record_relay(actor, RECORD_RELAY, relay->flow_in, relay->flow_out, before_ns, n);
		actor_pause(actor);
	} while (n);
}

static void open_pipe(int *in, int *out)
{
	int fds[2];

	gen_check(pipe(fds), "pipe");
	*in = fds[0];
	*out = fds[1];
}

static void start_alone(struct stage *stage, struct team *team, const struct part *part,
			const int *drop, size_t drop_count)
{
	team_add(team, part);
	for (size_t i = 0; i < drop_count; i++)
		team_drop(team, drop[i]);
	team_start(stage, team);
}

struct line { /* first → relay → second, and a third for copies */
	int first_in, first_out, second_in, second_out, third_in, third_out;
};

static void close_all(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
}

/* A writer, a relay and a reader in line, each a process; with_tee: a second reader of copies. */
static void play_line(struct stage *stage, struct line *line, const char *second, bool with_tee)
{
	struct team teams[4] = {0};
	struct part part = {.max = 6000, .count = stage->messages, .plain = true};
	struct relay relay = {line->first_in, line->second_out, line->third_out, 0, 0, 0};
	int *fds = (int *)line;

	relay.flow_in = stage_flow(stage, "pipe", MANNER_BYTES, inode_of(line->first_in), 1, 1);
	relay.flow_out = stage_flow(stage, second, MANNER_BYTES, inode_of(line->second_in), 1, 1);
	relay.flow_copy = stage_flow(stage, "pipe", MANNER_BYTES, inode_of(line->third_in), 1, 1);
	part.play = play_receive_stream;
	part.in = line->second_in;
	part.flow_in = relay.flow_out;
	start_alone(stage, &teams[0], &part, (int[]){fds[0], fds[1], fds[3], fds[4], fds[5]}, 5);
	part.in = line->third_in;
	part.flow_in = relay.flow_copy;
	start_alone(stage, &teams[1], &part, (int[]){fds[0], fds[1], fds[2], fds[3], fds[5]}, 5);
	part.play = with_tee ? play_tee : play_splice;
	part.more = &relay;
	start_alone(stage, &teams[2], &part, (int[]){fds[1], fds[2], fds[4]}, 3);
	part.play = play_send_stream;
	part.out = line->first_out;
	part.flow_out = relay.flow_in;
	start_alone(stage, &teams[3], &part, (int[]){fds[0], fds[2], fds[3], fds[4], fds[5]}, 5);
	close_all(fds, 6);
	for (size_t i = 0; i < 4; i++)
		team_wait(&teams[i]);
}

void stage_splice(struct stage *stage)
{
	bool to_socket = random_one_in(&stage->random, 2);
	struct line line;
	int fds[2];

	open_pipe(&line.first_in, &line.first_out);
	open_pipe(&line.third_in, &line.third_out);
	if (to_socket) {
		gen_check(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), "socketpair");
		line.second_in = fds[0];
		line.second_out = fds[1];
	} else {
		open_pipe(&line.second_in, &line.second_out);
	}
	play_line(stage, &line, to_socket ? "unix-stream" : "pipe", false);
}

void stage_tee(struct stage *stage)
{
	struct line line;

	open_pipe(&line.first_in, &line.first_out);
	open_pipe(&line.second_in, &line.second_out);
	open_pipe(&line.third_in, &line.third_out);
	play_line(stage, &line, "pipe", true);
}

/* part->in: a file. Ordinary writes between them. */
static void play_send_file(struct actor *actor, const struct part *part)
{
	char data[FILE_LEN] = "";
	struct iovec piece = {data, 0};

	for (uint32_t i = 0; i < part->count; i++) {
		uint32_t len = 1 + random_below(&actor->random, FILE_LEN);
		uint64_t before_ns = now_ns();
		off_t from = 0;
		ssize_t n;

		piece.iov_len = len;
		switch (random_below(&actor->random, part->socket ? 2 : 3)) {
		case 0:
			n = sendfile(part->out, part->in, &from, len);
			break;
		case 1:
			n = write(part->out, data, len);
			break;
		default:
			n = vmsplice(part->out, &piece, 1, 0);
		}
		gen_check(n, "send a file");
		record_call(actor, RECORD_SEND, part->flow_out, before_ns, n, 1);
		actor_pause(actor);
	}
}

void stage_sendfile(struct stage *stage)
{
	bool socket = random_one_in(&stage->random, 2);
	struct team sending = {0}, receiving = {0};
	struct part part = {.max = 3000, .count = stage->messages, .plain = true};
	char path[4096];
	int fds[2];

	if (socket)
		gen_check(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), "socketpair");
	else
		gen_check(pipe(fds), "pipe");
	snprintf(path, sizeof(path), "%s/file", stage->log);
	part.in = (int)gen_check(open(path, O_RDWR | O_CREAT | O_TRUNC, 0600), path);
	gen_check(ftruncate(part.in, FILE_LEN), path);
	part.out = fds[1];
	part.socket = socket;
	part.flow_in = part.flow_out = stage_flow(stage, socket ? "unix-stream" : "pipe",
						  MANNER_BYTES, inode_of(fds[0]), 1, 1);
	part.play = play_send_file;
	start_alone(stage, &sending, &part, fds, 1);
	part.in = fds[0];
	part.play = play_receive_stream;
	start_alone(stage, &receiving, &part, &fds[1], 1);
	close(fds[0]);
	close(fds[1]);
	team_wait(&sending);
	team_wait(&receiving);
}
