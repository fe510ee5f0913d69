// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What cannot be: each row of matrix.def's REFUSED is tried, and the kernel must say why not. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/truthmatrix/matrix.h"

struct tried { /* descriptors with bytes to read and room to write */
	int file, pipe[2], other[2], pair[2];
};

static char bytes[64];

static ssize_t try_copy_to_pipe(const struct tried *t)
{
	return copy_file_range(t->file, NULL, t->pipe[1], NULL, 8, 0);
}

static ssize_t try_copy_to_socket(const struct tried *t)
{
	return copy_file_range(t->file, NULL, t->pair[1], NULL, 8, 0);
}

static ssize_t try_copy_from_pipe(const struct tried *t)
{
	return copy_file_range(t->pipe[0], NULL, t->file, NULL, 8, 0);
}

static ssize_t try_copy_from_socket(const struct tried *t)
{
	return copy_file_range(t->pair[0], NULL, t->file, NULL, 8, 0);
}

static ssize_t try_splice_file(const struct tried *t)
{
	return splice(t->file, NULL, t->pair[1], NULL, 8, 0);
}

static ssize_t try_splice_sockets(const struct tried *t)
{
	return splice(t->pair[0], NULL, t->pair[1], NULL, 8, 0);
}

static ssize_t try_vmsplice(const struct tried *t)
{
	struct iovec piece = {bytes, sizeof(bytes)};

	return vmsplice(t->pair[1], &piece, 1, 0);
}

static ssize_t try_tee(const struct tried *t)
{
	return tee(t->pipe[0], t->pair[1], 8, 0);
}

static ssize_t try_send(const struct tried *t)
{
	return send(t->pipe[1], bytes, 8, 0);
}

static ssize_t try_recv(const struct tried *t)
{
	return recv(t->pipe[0], bytes, 8, 0);
}

static ssize_t try_sendfile_pipe(const struct tried *t)
{
	return sendfile(t->other[1], t->pipe[0], NULL, 8);
}

static ssize_t try_sendfile_sockets(const struct tried *t)
{
	return sendfile(t->pair[1], t->pair[0], NULL, 8);
}

static ssize_t try_pread(const struct tried *t)
{
	return pread(t->pipe[0], bytes, 8, 0);
}

static ssize_t try_pwrite(const struct tried *t)
{
	return pwrite(t->pair[1], bytes, 8, 0);
}

static const struct {
	const char *name;
	ssize_t (*attempt)(const struct tried *tried);
	int error;
} rows[] = {
#define REFUSED(name, function, error) {name, function, error},
#include "tests/truthmatrix/matrix.def"
};

bool refuse_all(void)
{
	struct tried tried = {.file = (int)gen_check(memfd_create("matrix", 0), "memfd_create")};
	bool good = true;

	gen_check(pipe(tried.pipe), "pipe");
	gen_check(pipe(tried.other), "pipe");
	gen_check(socketpair(AF_UNIX, SOCK_STREAM, 0, tried.pair), "socketpair");
	if (write(tried.file, bytes, 64) != 64 || write(tried.pipe[1], bytes, 64) != 64 ||
	    write(tried.pair[1], bytes, 64) != 64)
		gen_die("write");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool as_said;

		lseek(tried.file, 0, SEEK_SET);
		errno = 0;
		as_said = rows[i].attempt(&tried) < 0 && errno == rows[i].error;
		printf("%s: %s%s\n", rows[i].name, strerror(errno),
		       as_said ? "" : " (not as said)");
		good &= as_said;
	}
	return good;
}
