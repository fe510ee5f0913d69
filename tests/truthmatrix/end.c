// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One actor's end of the object: what it needs to send or receive, and how calls are noted. */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/truthmatrix/matrix.h"

#define SMALL_LEN 64
#define LONG_LEN 4000
#define STREAM_LEN 30000
#define PIPE_LEN 16000

void end_begin(struct end *end, const struct role *role, const char *log)
{
	*end = (struct end){.role = role,
			    .log = log,
			    .class = mechanisms[role->mechanism].class,
			    .fd = role->sends ? role->object.out : role->object.in,
			    .file = -1,
			    .pipe_in = -1,
			    .poller = -1};
	actor_begin(&end->actor, role->actor, role->seed, 0);
	end->buf = malloc(BUFFER_LEN);
	if (!end->buf)
		gen_die("malloc");
}

void end_finish(struct end *end)
{
	content_end(end);
	actor_end(&end->actor, end->log);
	free(end->buf);
	if (end->pool)
		munmap(end->pool, POOL_LEN);
	if (end->file >= 0)
		close(end->file);
	if (end->pipe_in >= 0) {
		close(end->pipe_in);
		close(end->pipe_out);
	}
}

static bool is_alone(const struct role *role)
{
	return role->senders == 1 && role->receivers == 1;
}

static size_t units(size_t len)
{
	return (len + CELL_LEN - 1) / CELL_LEN * CELL_LEN;
}

static size_t longest(const struct end *end)
{
	if (end->class & C_BYTES && is_alone(end->role))
		return STREAM_LEN;
	return end->class & C_UDP ? 1200 : end->class & (C_MQ | C_SYSV) ? 1000 : LONG_LEN;
}

/* Mostly small. */
size_t end_pick(struct end *end)
{
	struct actor *actor = &end->actor;

	if (end->role->fixed)
		return end->role->fixed;
	if (random_one_in(&actor->random, 12))
		return units(1 + random_below(&actor->random, (uint32_t)longest(end)));
	return units(1 + random_below(&actor->random, SMALL_LEN));
}

size_t end_pick_receive(struct end *end)
{
	struct actor *actor = &end->actor;
	size_t len;

	if (end->class & C_MQ)
		return 8192; /* never less than the longest message */
	if (end->class & C_MESSAGES || end->class & C_PACKET)
		return random_one_in(&actor->random, 8) ? 16 : 8192;
	if (random_one_in(&actor->random, 3))
		return 65536;
	len = CELL_LEN + random_below(&actor->random, random_one_in(&actor->random, 4) ? 9000 : 90);
	return is_alone(end->role) ? len : units(len);
}

uint8_t *end_pool(struct end *end, size_t len)
{
	uint8_t *p;

	if (!end->pool) {
		end->file = (int)gen_check(memfd_create("matrix", MFD_CLOEXEC), "memfd_create");
		gen_check(ftruncate(end->file, POOL_LEN), "ftruncate");
		p = mmap(NULL, POOL_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, end->file, 0);
		if (p == MAP_FAILED)
			gen_die("mmap");
		end->pool = p;
	}
	if (end->pool_at + len > POOL_LEN)
		gen_die("nothing left of the pool");
	p = end->pool + end->pool_at;
	end->pool_at += len;
	return p;
}

off_t end_pool_offset(const struct end *end, const uint8_t *p)
{
	return p - end->pool;
}

void end_pipe(struct end *end)
{
	char name[128];
	int fds[2];

	if (end->pipe_in >= 0)
		return;
	gen_check(pipe2(fds, O_CLOEXEC), "pipe2");
	end->pipe_in = fds[0];
	end->pipe_out = fds[1];
	end->pipe_flow = pipe_flow_of(end->actor.number);
	snprintf(name, sizeof(name), "%u", end->role->flow);
	flow_write(end->log, &(struct flow_line){end->pipe_flow, name, "pipe", "bytes",
						 inode_of(fds[0]), 1, 1});
}

size_t end_pipe_len(size_t len)
{
	return len < PIPE_LEN ? len : PIPE_LEN;
}

static void aio_prepare(struct end *end)
{
	aio_context_t context = 0;

	if (end->prepared)
		return;
	gen_check(syscall(SYS_io_setup, 8, &context), "io_setup");
	end->ring[0] = context;
	end->prepared = true;
}

ssize_t end_aio(struct end *end, unsigned opcode, size_t len, uint64_t *before_ns)
{
	struct iocb block = {.aio_lio_opcode = (uint16_t)opcode,
			     .aio_fildes = (uint32_t)end->fd,
			     .aio_buf = (uintptr_t)end->buf,
			     .aio_nbytes = len};
	struct iocb *blocks = &block;
	struct io_event event;

	aio_prepare(end);
	*before_ns = now_ns();
	gen_check(syscall(SYS_io_submit, end->ring[0], 1, &blocks), "io_submit");
	gen_check(syscall(SYS_io_getevents, end->ring[0], 1, 1, &event, NULL), "io_getevents");
	if (event.res < 0)
		errno = (int)-event.res;
	return gen_check((long)event.res, "asynchronous read or write");
}

bool end_over(const struct end *end)
{
	return end->role->receivers > 1 ? end->ends > 0 : end->ends >= end->role->senders;
}

/* Returns the number of the call. */
size_t note_send(struct end *end, uint64_t before_ns, ssize_t n, uint32_t messages)
{
	record_call(&end->actor, RECORD_SEND, end->role->flow, before_ns, n, messages);
	return end->actor.calls - 1;
}

size_t note_relay(struct end *end, enum record_kind kind, uint32_t from, uint32_t to,
		  uint64_t before_ns, ssize_t n)
{
	struct record *record = record_call(&end->actor, kind, from, before_ns, n, 1);

	record->d = to;
	return end->actor.calls - 1;
}

void note_names(struct end *end, uint32_t message, size_t place, size_t len)
{
	struct record names = {.a = message, .b = place, .c = len};

	record_part(&end->actor, &names);
	end->actor.records[end->actor.count - 1].kind = RECORD_NAMES;
}

void note_piece(struct end *end, uint64_t before_ns, ssize_t n, uint32_t message, size_t place)
{
	note_send(end, before_ns, n, 0);
	note_names(end, message, place, (size_t)n);
}

/* One line with O_APPEND: those of several processes do not mix. */
void flow_write(const char *log, const struct flow_line *flow)
{
	char path[4096], line[512];
	int fd, len;

	snprintf(path, sizeof(path), "%s/flows", log);
	len = snprintf(line, sizeof(line),
		       "{\"flow\":%u,\"stage\":\"%s\",\"mechanism\":\"%s\",\"manner\":\"%s\","
		       "\"inode\":%llu,\"senders\":%u,\"receivers\":%u}\n",
		       flow->flow, flow->cell, flow->mechanism, flow->manner,
		       (unsigned long long)flow->inode, flow->senders, flow->receivers);
	fd = (int)gen_check(open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644), path);
	if (write(fd, line, (size_t)len) != len)
		gen_die(path);
	close(fd);
}
