// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Bytes that go from one kernel object to another: source -write, vmsplice-> in; relay -tee-> copy
 * and -splice-> out; each read to its end. Then a file -sendfile-> socket -splice-> pipe, which is
 * taken by vmsplice. What a relay moves it never sees, so it logs bytes without text.
 */
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "tests/labs/lab.h"

enum { FDS = 32, SOME = 30000, MANY = 40000 };

struct pipes {
	int in[2], out[2], copy[2], sockets[2], last[2];
};

/* Runs `work` in a child that holds these descriptors only, and stdio. */
static pid_t with_only(const struct pipes *pipes, int a, int b, int c,
		       void (*work)(const struct pipes *))
{
	pid_t child = lab_fork();

	if (child)
		return child;
	for (int fd = 3; fd < FDS; fd++)
		if (fd != a && fd != b && fd != c)
			close(fd);
	work(pipes);
	exit(EXIT_SUCCESS);
}

static void moved(const char *action, const char *mechanism, const char *channel, ssize_t n)
{
	truth(.action = action, .mechanism = mechanism, .channel = channel, .result = n);
}

static void give_pages(int fd, const char *data, size_t len)
{
	struct iovec part = {.iov_base = (void *)data, .iov_len = len};
	ssize_t n = vmsplice(fd, &part, 1, 0);

	truth(.action = "send", .mechanism = "pipe", .channel = "in", .data = data, .result = n);
	lab_expect(lab_check(n, "vmsplice") == (ssize_t)len, "vmsplice takes all");
}

static void source(const struct pipes *pipes)
{
	static char many[MANY];

	memset(many, 'm', sizeof(many));
	lab_write_text(pipes->in[1], "pipe", "in", "first by write\n");
	give_pages(pipes->in[1], "second by vmsplice\n", 19);
	lab_write(pipes->in[1], "pipe", "in", many, sizeof(many));
	lab_write_text(pipes->in[1], "pipe", "in", "last\n");
}

static void relay(const struct pipes *pipes)
{
	ssize_t n;

	while ((n = lab_check(tee(pipes->in[0], pipes->copy[1], SOME, 0), "tee")) > 0) {
		moved("send", "pipe", "copy", n);
		while (n > 0) {
			ssize_t some = splice(pipes->in[0], NULL, pipes->out[1], NULL, n, 0);

			moved("receive", "pipe", "in", some);
			moved("send", "pipe", "out", some);
			n -= lab_check(some, "splice");
		}
	}
	n = splice(pipes->in[0], NULL, pipes->out[1], NULL, SOME, 0);
	lab_expect(n == 0, "splice tells the end");
	moved("eof", "pipe", "in", n);
}

static void read_out(const struct pipes *pipes)
{
	lab_expect(lab_read_all(pipes->out[0], "pipe", "out") == 15 + 19 + MANY + 5, "all came");
}

static void read_copy(const struct pipes *pipes)
{
	lab_expect(lab_read_all(pipes->copy[0], "pipe", "copy") == 15 + 19 + MANY + 5,
		   "the copy came");
}

static void send_file(const struct pipes *pipes)
{
	int file = (int)lab_check(open("/tmp", O_TMPFILE | O_RDWR, 0600), "open /tmp");
	ssize_t n;

	lab_check(write(file, "content of a file", 17), "write");
	lab_check(lseek(file, 0, SEEK_SET), "lseek");
	lab_write_text(pipes->sockets[0], "unix-stream", "sockets", "header ");
	n = sendfile(pipes->sockets[0], file, NULL, 100);
	truth(.action = "send", .mechanism = "unix-stream", .channel = "sockets",
	      .data = "content of a file", .result = n);
	lab_expect(lab_check(n, "sendfile") == 17, "sendfile takes all");
	n = copy_file_range(file, NULL, pipes->sockets[0], NULL, 5, 0);
	lab_expect(n < 0 && errno == EINVAL, "copy_file_range refuses a socket");
}

static void take_pages(const struct pipes *pipes)
{
	char buf[64];
	struct iovec part = {.iov_base = buf, .iov_len = sizeof(buf)};
	ssize_t n;

	while ((n = lab_check(vmsplice(pipes->last[0], &part, 1, 0), "vmsplice")) > 0)
		truth(.action = "receive", .mechanism = "pipe", .channel = "last", .data = buf,
		      .result = n);
	moved("eof", "pipe", "last", n);
}

static void from_socket(const struct pipes *pipes)
{
	ssize_t n;

	while ((n = lab_check(splice(pipes->sockets[1], NULL, pipes->last[1], NULL, SOME, 0),
			      "splice")) > 0) {
		moved("receive", "unix-stream", "sockets", n);
		moved("send", "pipe", "last", n);
	}
	moved("eof", "unix-stream", "sockets", n);
}

int main(int argc, char **argv)
{
	struct pipes p;
	pid_t children[7];

	lab_help(argc, argv, ": splice, tee, vmsplice and sendfile between pipes and sockets");
	lab_check(pipe(p.in), "pipe");
	lab_check(pipe(p.out), "pipe");
	lab_check(pipe(p.copy), "pipe");
	lab_check(pipe(p.last), "pipe");
	lab_check(socketpair(AF_UNIX, SOCK_STREAM, 0, p.sockets), "socketpair");
	children[0] = with_only(&p, p.in[1], -1, -1, source);
	children[1] = with_only(&p, p.in[0], p.out[1], p.copy[1], relay);
	children[2] = with_only(&p, p.out[0], -1, -1, read_out);
	children[3] = with_only(&p, p.copy[0], -1, -1, read_copy);
	children[4] = with_only(&p, p.sockets[0], -1, -1, send_file);
	children[5] = with_only(&p, p.sockets[1], p.last[1], -1, from_socket);
	children[6] = with_only(&p, p.last[0], -1, -1, take_pages);
	for (int fd = 3; fd < FDS; fd++)
		close(fd);
	for (int i = 0; i < 7; i++)
		lab_reap_well(children[i]);
	return EXIT_SUCCESS;
}
