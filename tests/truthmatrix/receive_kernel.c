// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Ways to receive into one's own pipe, and mixed ways. */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/truthmatrix/matrix.h"

/* n bytes of its own pipe, which the call before put there. */
static void drain(struct end *end, size_t n)
{
	for (size_t at = 0; at < n;) {
		uint64_t before_ns = now_ns();
		ssize_t got = gen_check(read(end->pipe_in, end->buf + at, BUFFER_LEN - at), "read");

		record_call(&end->actor, RECORD_RECEIVE, end->pipe_flow, before_ns, got, 1);
		at += (size_t)got;
	}
}

static bool relay(struct end *end, ssize_t n, uint64_t before_ns)
{
	size_t call;

	gen_check(n, "move to one's own pipe");
	call = note_relay(end, RECORD_RELAY, end->role->flow, end->pipe_flow, before_ns, n);
	drain(end, (size_t)n);
	content_note(end, call, 0, 0, end->buf, (size_t)n);
	return n > 0;
}

bool receive_splice(struct end *end)
{
	size_t len = end_pipe_len(end_pick_receive(end));
	uint64_t before_ns;

	end_pipe(end);
	before_ns = now_ns();
	return relay(end, splice(end->fd, NULL, end->pipe_out, NULL, len, 0), before_ns);
}

bool receive_sendfile(struct end *end)
{
	size_t len = end_pipe_len(end_pick_receive(end));
	uint64_t before_ns;

	end_pipe(end);
	before_ns = now_ns();
	return relay(end, sendfile(end->pipe_out, end->fd, NULL, len), before_ns);
}

/* A copy, then the same by read(2). */
bool receive_tee(struct end *end)
{
	uint64_t before_ns;
	size_t call;
	ssize_t n;

	end_pipe(end);
	before_ns = now_ns();
	n = gen_check(tee(end->fd, end->pipe_out, end_pipe_len(end_pick_receive(end)), 0), "tee");
	note_relay(end, RECORD_TEE, end->role->flow, end->pipe_flow, before_ns, n);
	drain(end, (size_t)n);
	before_ns = now_ns();
	n = gen_check(read(end->fd, end->buf, n ? (size_t)n : 8), "read");
	call = end->actor.calls;
	record_call(&end->actor, RECORD_RECEIVE, end->role->flow, before_ns, n, 1);
	content_note(end, call, 0, 0, end->buf, (size_t)n);
	return n > 0;
}

bool receive_aio(struct end *end)
{
	size_t call = end->actor.calls;
	uint64_t before_ns;
	ssize_t n = end_aio(end, IOCB_CMD_PREAD, end_pick_receive(end), &before_ns);

	record_call(&end->actor, RECORD_RECEIVE, end->role->flow, before_ns, n, 1);
	content_note(end, call, 0, 0, end->buf, (size_t)n);
	return end->class & C_STREAM ? n > 0 : !end_over(end);
}

/* Another way each time. */
bool receive_mixed(struct end *end)
{
	for (;;) {
		uint32_t i = random_below(&end->actor.random, (uint32_t)receive_way_count);
		const struct receive_way *way = &receive_ways[i];

		if (way->flags & W_MIX && way_fits(way->classes, end->class))
			return way->receive(end);
	}
}
