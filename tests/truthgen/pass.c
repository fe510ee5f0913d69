// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Ends that came on other ways than by fork: passed, dup'ed, kept over an exec; and urgent data. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/truthgen/gen.h"

union control {
	char data[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

static void pass_end(struct stage *stage, int socket, uint32_t flow, int end)
{
	char byte = 0;
	struct iovec piece = {&byte, 1};
	union control control = {0};
	struct msghdr header = {.msg_iov = &piece,
				.msg_iovlen = 1,
				.msg_control = control.data,
				.msg_controllen = sizeof(control.data)};
	struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
	uint64_t before_ns = now_ns();

	if (!rights)
		gen_die("CMSG_FIRSTHDR");
	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof(end));
	memcpy(CMSG_DATA(rights), &end, sizeof(end));
	gen_check(sendmsg(socket, &header, 0), "sendmsg");
	record_call(&stage->self, RECORD_SEND, flow, before_ns, 1, 1);
}

static int take_end(struct actor *actor, const struct part *part)
{
	char byte;
	struct iovec piece = {&byte, 1};
	union control control = {0};
	struct msghdr header = {.msg_iov = &piece,
				.msg_iovlen = 1,
				.msg_control = control.data,
				.msg_controllen = sizeof(control.data)};
	uint64_t before_ns = now_ns();
	ssize_t n = recvmsg(part->in, &header, 0);
	struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
	int end;

	if (n < 0 || !rights)
		gen_die("recvmsg");
	record_call(actor, RECORD_RECEIVE, part->flow_in, before_ns, n, 1);
	memcpy(&end, CMSG_DATA(rights), sizeof(end));
	return end;
}

static void play_passed(struct actor *actor, const struct part *part)
{
	struct part own = *part;

	own.out = take_end(actor, part);
	play_send_stream(actor, &own);
	close(own.out);
}

static void play_duplicated(struct actor *actor, const struct part *part)
{
	struct part own = *part;

	own.out = (int)gen_check(dup(part->out), "dup");
	play_send_stream(actor, &own);
	close(own.out);
}

/* What play_executed() hands over, in this order. */
enum {
	RESUME_NUMBER,
	RESUME_RANDOM,
	RESUME_PACE,
	RESUME_END,
	RESUME_FLOW,
	RESUME_COUNT,
	RESUME_MAX
};
#define RESUME_WORDS (RESUME_MAX + 1)

/* Goes on as a new program with the same end. part->more: the log. */
static void play_executed(struct actor *actor, const struct part *part)
{
	uint64_t values[RESUME_WORDS] = {
		actor->number,	actor->random, actor->pace_us, (uint64_t)part->out,
		part->flow_out, part->count,   part->max};
	char words[RESUME_WORDS][24];
	char *argv[RESUME_WORDS + 4] = {"truthgen", "--resume", (char *)part->more};

	for (size_t i = 0; i < RESUME_WORDS; i++) {
		snprintf(words[i], sizeof(words[i]), "%llu", (unsigned long long)values[i]);
		argv[i + 3] = words[i];
	}
	execv("/proc/self/exe", argv);
	gen_die("execv");
}

void resume(const char *log, char **words)
{
	uint64_t values[RESUME_WORDS];
	struct part part = {.cells = true, .plain = true};
	struct actor actor;

	for (size_t i = 0; i < RESUME_WORDS; i++)
		values[i] = strtoull(words[i], NULL, 10);
	part.out = (int)values[RESUME_END];
	part.flow_out = (uint32_t)values[RESUME_FLOW];
	part.count = (uint32_t)values[RESUME_COUNT];
	part.max = (uint32_t)values[RESUME_MAX];
	actor_begin(&actor, (uint32_t)values[RESUME_NUMBER], values[RESUME_RANDOM],
		    (uint32_t)values[RESUME_PACE]);
	play_send_stream(&actor, &part);
	actor_end(&actor, log);
}

/* Four writers: by the inherited end, a dup of it, one passed, and one kept over an exec. */
static void play_ends(struct stage *stage, const char *mechanism, const int fds[2])
{
	struct team teams[5] = {0};
	struct part part = {.max = 600, .cells = true, .size = stage->size, .plain = true};
	int pair[2];

	gen_check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
	part.count = stage_share(stage, 4);
	part.flow_out = stage_flow(stage, mechanism, MANNER_PARTS, inode_of(fds[0]), 4, 1);
	part.flow_in = stage_flow(stage, "unix-stream", MANNER_BYTES, inode_of(pair[0]), 1, 1);
	part.in = pair[0];
	part.out = -1;
	part.play = play_passed;
	team_add(&teams[0], &part);
	team_drop(&teams[0], fds[0]);
	team_drop(&teams[0], fds[1]);
	part.out = fds[1];
	part.play = play_duplicated;
	team_add(&teams[1], &part);
	part.play = play_send_stream;
	team_add(&teams[2], &part);
	part.play = play_executed;
	part.more = stage->log;
	team_add(&teams[3], &part);
	part.flow_in = part.flow_out;
	part.in = fds[0];
	part.play = play_receive_stream;
	team_add(&teams[4], &part);
	team_drop(&teams[4], fds[1]);
	for (size_t i = 0; i < 5; i++)
		team_start(stage, &teams[i]);
	pass_end(stage, pair[1], teams[0].parts[0].flow_in, fds[1]);
	close(fds[1]);
	for (size_t i = 0; i < 5; i++)
		team_wait(&teams[i]);
}

void stage_passed_pipe(struct stage *stage)
{
	int fds[2];

	gen_check(pipe(fds), "pipe");
	play_ends(stage, "pipe", fds);
}

void stage_passed_unix(struct stage *stage)
{
	int fds[2];

	gen_check(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), "socketpair");
	play_ends(stage, "unix-stream", fds);
}

/* --- urgent data: some bytes, the last one urgent; then the receiver answers ----------------- */

#define URGENT_LEN 40

struct urgent { /* flows */
	uint32_t stream, urgent, answers;
};

static void play_send_urgent(struct actor *actor, const struct part *part)
{
	const struct urgent *flows = part->more;
	char data[URGENT_LEN] = "";

	for (uint32_t i = 0; i < part->count; i++) {
		size_t len = 2 + random_below(&actor->random, URGENT_LEN - 2);
		uint64_t before_ns = now_ns();

		gen_check(send(part->out, data, len, MSG_OOB), "send urgent data");
		record_call(actor, RECORD_SEND, flows->stream, before_ns, (ssize_t)len - 1, 1);
		before_ns = now_ns();
		gen_check(recv(part->out, data, 1, 0), "recv");
		record_call(actor, RECORD_RECEIVE, flows->answers, before_ns, 1, 1);
	}
}

/* The bytes before the mark, then the urgent one. part->end: the sender. False at the end. */
static bool take_urgent(struct actor *actor, const struct part *part, uint32_t message)
{
	const struct urgent *flows = part->more;
	char data[URGENT_LEN];
	int at_mark = 0;
	uint64_t before_ns, place = 0;
	ssize_t n;

	wait_ready(part->in, POLLPRI | POLLRDHUP);
	while (gen_check(ioctl(part->in, SIOCATMARK, &at_mark), "SIOCATMARK") == 0 && !at_mark) {
		before_ns = now_ns();
		n = recv(part->in, data, sizeof(data), 0);
		gen_check(n, "recv");
		record_call(actor, RECORD_RECEIVE, flows->stream, before_ns, n, 1);
		place += (uint64_t)n;
		if (n == 0)
			return false;
	}
	before_ns = now_ns();
	gen_check(recv(part->in, data, 1, MSG_OOB), "recv urgent data");
	record_call(actor, RECORD_RECEIVE, flows->urgent, before_ns, 1, 1);
	record_part(actor, &(struct record){.a = part->end, .b = message, .c = place, .e = 1});
	return true;
}

static void play_receive_urgent(struct actor *actor, const struct part *part)
{
	const struct urgent *flows = part->more;
	char answer = 'a';

	for (uint32_t i = 0; i < part->count && take_urgent(actor, part, i); i++) {
		uint64_t before_ns = now_ns();

		gen_check(send(part->in, &answer, 1, 0), "send");
		record_call(actor, RECORD_SEND, flows->answers, before_ns, 1, 1);
	}
}

static void play_urgent(struct stage *stage, const char *mechanism, int in, int out)
{
	struct team sending = {0}, receiving = {0};
	struct part part = {.in = in, .out = out, .count = stage_share(stage, 1)};
	struct urgent flows;

	flows.stream = stage_flow(stage, mechanism, MANNER_BYTES, inode_of(in), 1, 1);
	flows.urgent = stage_flow(stage, mechanism, MANNER_PARTS, inode_of(in), 1, 1);
	flows.answers = stage_flow(stage, mechanism, MANNER_BYTES, inode_of(out), 1, 1);
	part.more = &flows;
	part.end = stage->next_actor + 1;
	part.play = play_receive_urgent;
	team_add(&receiving, &part);
	part.play = play_send_urgent;
	team_add(&sending, &part);
	team_start(stage, &receiving);
	team_start(stage, &sending);
	team_wait(&sending);
	team_wait(&receiving);
}

void stage_urgent(struct stage *stage)
{
	int in, out;

	tcp_pair(&in, &out);
	play_urgent(stage, "tcp", in, out);
}

void stage_urgent_unix(struct stage *stage)
{
	int fds[2];

	gen_check(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), "socketpair");
	play_urgent(stage, "unix-stream", fds[0], fds[1]);
}
