// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Message queues: POSIX with priorities, System V with types. */
#include <errno.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <unistd.h>

#include "tests/truthgen/gen.h"

#define LEN_MAX 1024
#define TYPES 4
#define PRIORITIES 6
#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

/* part.kind: how a System V receiver chooses. */
enum { CHOOSE_ANY = 0, CHOOSE_OWN_TYPE = 1, CHOOSE_CHANGING = 100 };

struct typed {
	long type;
	char data[LEN_MAX];
};

static void play_send_posix(struct actor *actor, const struct part *part)
{
	char data[LEN_MAX];

	for (uint32_t i = 0; i < part->count; i++) {
		size_t len = pick_size(actor, part);
		unsigned priority = part->kind ? random_below(&actor->random, PRIORITIES) : 0;
		uint64_t before_ns;

		cells_fill(data, len, actor->number, actor->sent);
		before_ns = now_ns();
		gen_check(mq_send(part->out, data, len, priority), "mq_send");
		record_call(actor, RECORD_SEND, part->flow_out, before_ns, (ssize_t)len, 1);
		actor_pause(actor);
	}
}

/* False at the end. */
static bool note_message(struct actor *actor, const struct part *part, const void *data, ssize_t n,
			 uint64_t before_ns)
{
	struct record record = {.e = (uint64_t)n};

	record_call(actor, RECORD_RECEIVE, part->flow_in, before_ns, n, 1);
	if (!cell_read(data, (size_t)n, &record))
		gen_die("a message is too short");
	record_part(actor, &record);
	actor_pause(actor);
	return record.a != part->end;
}

static void play_receive_posix(struct actor *actor, const struct part *part)
{
	bool asks = random_one_in(&actor->random, 2);
	char data[LEN_MAX];
	uint64_t before_ns;
	unsigned priority;
	ssize_t n;

	do {
		before_ns = now_ns();
		n = mq_receive(part->in, data, sizeof(data), asks ? &priority : NULL);
		gen_check(n, "mq_receive");
	} while (note_message(actor, part, data, n, before_ns));
}

static void end_posix(struct stage *stage, struct team *receivers, const struct part *part)
{
	char cell[CELL_LEN];

	while (!team_ended(receivers)) {
		struct timespec soon = {0};
		uint64_t before_ns;

		cells_fill(cell, sizeof(cell), stage->self.number, stage->self.sent);
		before_ns = now_ns();
		if (mq_timedsend(part->out, cell, sizeof(cell), 0, &soon) == 0)
			record_call(&stage->self, RECORD_SEND, part->flow_out, before_ns,
				    sizeof(cell), 1);
		usleep(2000);
	}
}

static void start_queue(struct stage *stage, struct team *sending, struct team *receiving)
{
	sending->layout = random_layout(stage);
	receiving->layout = random_layout(stage);
	team_start(stage, receiving);
	team_start(stage, sending);
	team_wait(sending);
}

static struct part queue_part(struct stage *stage, const char *mechanism, int id, uint64_t inode,
			      uint32_t senders, uint32_t receivers)
{
	struct part part = {
		.max = LEN_MAX,
		.cells = true,
		.size = stage->size,
		.in = id,
		.out = id,
		.end = stage->self.number,
		.count = stage_share(stage, senders),
	};

	part.flow_in = part.flow_out = stage_flow(stage, mechanism, MANNER_PARTS, inode, senders,
						  receivers);
	return part;
}

static void play_posix(struct stage *stage, uint32_t senders, uint32_t receivers)
{
	struct mq_attr attributes = {.mq_maxmsg = 10, .mq_msgsize = LEN_MAX};
	struct team sending = {0}, receiving = {0};
	struct part part;
	char name[64];
	mqd_t queue;

	snprintf(name, sizeof(name), "/truthgen-%d", (int)getpid());
	queue = (mqd_t)gen_check(mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes),
				 "mq_open");
	mq_unlink(name);
	part = queue_part(stage, "posix-mq", queue, inode_of(queue), senders, receivers);
	part.kind = (int)random_below(&stage->random, 2);
	part.play = play_send_posix;
	for (uint32_t i = 0; i < senders; i++)
		team_add(&sending, &part);
	part.play = play_receive_posix;
	for (uint32_t i = 0; i < receivers; i++)
		team_add(&receiving, &part);
	start_queue(stage, &sending, &receiving);
	end_posix(stage, &receiving, &part);
}

void stage_posix_one(struct stage *stage)
{
	play_posix(stage, 1, 1);
}

void stage_posix_several(struct stage *stage)
{
	play_posix(stage, 2 + random_below(&stage->random, 3), 1 + random_below(&stage->random, 3));
}

static void play_send_sysv(struct actor *actor, const struct part *part)
{
	struct typed typed;

	for (uint32_t i = 0; i < part->count; i++) {
		size_t len = pick_size(actor, part);
		uint64_t before_ns;

		typed.type = 1 + random_below(&actor->random, TYPES);
		cells_fill(typed.data, len, actor->number, actor->sent);
		before_ns = now_ns();
		gen_check(msgsnd(part->out, &typed, len, 0), "msgsnd");
		record_call(actor, RECORD_SEND, part->flow_out, before_ns, (ssize_t)len, 1);
		actor_pause(actor);
	}
}

static void look_at_first(struct actor *actor, const struct part *part)
{
	struct typed typed;
	uint64_t before_ns = now_ns();
	ssize_t n = msgrcv(part->in, &typed, LEN_MAX, 0, IPC_NOWAIT | MSG_COPY | MSG_NOERROR);

	if (n >= 0)
		record_call(actor, RECORD_LOOK, part->flow_in, before_ns, n, 1);
}

/* One of msgrcv's rules, without waiting; what waits takes whatever comes. */
static ssize_t receive_changing(struct actor *actor, const struct part *part, struct typed *typed,
				uint64_t *before_ns)
{
	long type = 1 + random_below(&actor->random, TYPES);
	int flags = IPC_NOWAIT | MSG_NOERROR;
	size_t len = random_one_in(&actor->random, 8) ? 16 : LEN_MAX;
	ssize_t n;

	switch (random_below(&actor->random, 4)) {
	case 0:
		type = -type;
		break;
	case 1:
		flags |= MSG_EXCEPT;
		break;
	case 2:
		look_at_first(actor, part);
		break;
	default:
		break;
	}
	*before_ns = now_ns();
	n = msgrcv(part->in, typed, len, type, flags);
	if (n >= 0 || errno != ENOMSG)
		return n;
	*before_ns = now_ns();
	return msgrcv(part->in, typed, len, 0, MSG_NOERROR);
}

static void play_receive_sysv(struct actor *actor, const struct part *part)
{
	struct typed typed;
	uint64_t before_ns;
	ssize_t n;

	do {
		if (part->kind == CHOOSE_CHANGING) {
			n = receive_changing(actor, part, &typed, &before_ns);
		} else {
			before_ns = now_ns();
			n = msgrcv(part->in, &typed, LEN_MAX, part->kind, 0);
		}
		gen_check(n, "msgrcv");
	} while (note_message(actor, part, typed.data, n, before_ns));
}

static void end_sysv(struct stage *stage, struct team *receivers, const struct part *part)
{
	struct typed typed = {.type = 1};

	for (; !team_ended(receivers); typed.type = typed.type % TYPES + 1) {
		uint64_t before_ns;

		cells_fill(typed.data, CELL_LEN, stage->self.number, stage->self.sent);
		before_ns = now_ns();
		if (msgsnd(part->out, &typed, CELL_LEN, IPC_NOWAIT) == 0)
			record_call(&stage->self, RECORD_SEND, part->flow_out, before_ns, CELL_LEN,
				    1);
		usleep(1000);
	}
}

/* own: each receiver waits for a type of its own, and there is one for each. */
static void play_sysv(struct stage *stage, uint32_t senders, uint32_t receivers, bool own)
{
	struct team sending = {0}, receiving = {0};
	int queue = (int)gen_check(msgget(IPC_PRIVATE, 0600), "msgget");
	struct part part = queue_part(stage, "sysv-msg", queue, (uint64_t)queue, senders,
				      receivers);

	part.play = play_send_sysv;
	for (uint32_t i = 0; i < senders; i++)
		team_add(&sending, &part);
	part.play = play_receive_sysv;
	for (uint32_t i = 0; i < receivers; i++) {
		part.kind = own ? (int)i + CHOOSE_OWN_TYPE : CHOOSE_CHANGING;
		team_add(&receiving, &part);
	}
	start_queue(stage, &sending, &receiving);
	end_sysv(stage, &receiving, &part);
	gen_check(msgctl(queue, IPC_RMID, NULL), "msgctl");
}

void stage_sysv_one(struct stage *stage)
{
	play_sysv(stage, 1, 1, false);
}

void stage_sysv_own(struct stage *stage)
{
	play_sysv(stage, 1 + random_below(&stage->random, 3), TYPES, true);
}

void stage_sysv_several(struct stage *stage)
{
	play_sysv(stage, 2 + random_below(&stage->random, 2), 1 + random_below(&stage->random, 3),
		  false);
}
