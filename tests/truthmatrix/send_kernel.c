// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Ways to send what is in a file, in a pipe or in pages; and mixed ways. */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/truthmatrix/matrix.h"

#define LARGE_LEN 70000

typedef ssize_t piece_call(struct end *end, uint8_t *p, size_t len);

/* A message of bytes that nobody changes any more, by as many calls as it takes. */
static void send_pieces(struct end *end, piece_call *call, size_t len)
{
	uint32_t message = end->actor.sent++;
	uint8_t *p = end_pool(end, len);

	content_fill(p, len, end->actor.number, message, 0, false);
	for (size_t at = 0; at < len;) {
		uint64_t before_ns = now_ns();
		ssize_t n = gen_check(call(end, p + at, len - at), "send from a file");

		if (n == 0)
			gen_die("nothing was sent");
		note_piece(end, before_ns, n, message, at);
		at += (size_t)n;
	}
}

static ssize_t call_sendfile(struct end *end, uint8_t *p, size_t len)
{
	off_t from = end_pool_offset(end, p);

	return sendfile(end->fd, end->file, &from, len);
}

void send_sendfile(struct end *end)
{
	send_pieces(end, call_sendfile, end_pick(end));
}

/* Several inner sends each. */
void send_sendfile_large(struct end *end)
{
	size_t len = LARGE_LEN + 8 * (size_t)random_below(&end->actor.random, 15000);

	if (end->actor.calls % 8 == 0)
		send_pieces(end, call_sendfile, len);
	else
		send_sendfile(end);
}

static ssize_t call_splice_file(struct end *end, uint8_t *p, size_t len)
{
	off_t from = end_pool_offset(end, p);

	return splice(end->file, &from, end->fd, NULL, len, 0);
}

void send_splice_file(struct end *end)
{
	send_pieces(end, call_splice_file, end_pick(end));
}

static ssize_t call_vmsplice(struct end *end, uint8_t *p, size_t len)
{
	struct iovec piece = {p, len};

	return vmsplice(end->fd, &piece, 1, 0);
}

void send_vmsplice(struct end *end)
{
	send_pieces(end, call_vmsplice, end_pick(end));
}

/* Into its own pipe; the number of the message that goes on from there. */
static uint32_t fill_pipe(struct end *end, size_t len)
{
	uint32_t message = end->actor.sent++;
	uint64_t before_ns;
	ssize_t n;

	end_pipe(end);
	content_fill(end->buf, len, end->actor.number, message, 0, false);
	before_ns = now_ns();
	n = write(end->pipe_out, end->buf, len);
	if (n != (ssize_t)len)
		gen_die("write to one's own pipe");
	record_call(&end->actor, RECORD_SEND, end->pipe_flow, before_ns, n, 0);
	return message;
}

void send_splice(struct end *end)
{
	size_t len = end_pipe_len(end_pick(end));
	uint32_t message = fill_pipe(end, len);

	for (size_t at = 0; at < len;) {
		uint64_t before_ns = now_ns();
		ssize_t n = splice(end->pipe_in, NULL, end->fd, NULL, len - at, 0);

		gen_check(n, "splice");
		note_relay(end, RECORD_RELAY, end->pipe_flow, end->role->flow, before_ns, n);
		note_names(end, message, at, (size_t)n);
		at += (size_t)n;
	}
}

void send_tee(struct end *end)
{
	size_t len = end_pipe_len(end_pick(end));
	uint32_t message = fill_pipe(end, len);
	uint64_t before_ns = now_ns();
	ssize_t n = gen_check(tee(end->pipe_in, end->fd, len, 0), "tee");

	note_relay(end, RECORD_TEE, end->pipe_flow, end->role->flow, before_ns, n);
	note_names(end, message, 0, (size_t)n);
	before_ns = now_ns();
	n = gen_check(read(end->pipe_in, end->buf, len), "read");
	record_call(&end->actor, RECORD_RECEIVE, end->pipe_flow, before_ns, n, 1);
}

void send_aio(struct end *end)
{
	size_t len = end_pick(end);
	uint64_t before_ns;
	ssize_t n;

	content_fill(end->buf, len, end->actor.number, end->actor.sent, 0, false);
	n = end_aio(end, IOCB_CMD_PWRITE, len, &before_ns);
	note_send(end, before_ns, n, 1);
}

/* Another way each time. */
void send_mixed(struct end *end)
{
	for (;;) {
		const struct send_way *way =
			&send_ways[random_below(&end->actor.random, (uint32_t)send_way_count)];

		if (way->flags & W_MIX && way_fits(way->classes, end->class)) {
			way->send(end);
			return;
		}
	}
}
