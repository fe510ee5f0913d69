// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/tracer/bpf_iterators.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

int iterators_open(struct bpf_iterators *iterators, const struct bpf_link *link, size_t count)
{
	iterators->fds = calloc(count, sizeof(*iterators->fds));
	if (!iterators->fds)
		return -ENOMEM;
	for (; iterators->count < count; iterators->count++) {
		int fd = bpf_iter_create(bpf_link__fd(link));

		if (fd < 0)
			return fd;
		iterators->fds[iterators->count] = fd;
	}
	return 0;
}

/* Runs the iterator to its end, and closes it. */
static int run(int fd)
{
	char unused[64];
	ssize_t n;
	int error;

	do
		n = read(fd, unused, sizeof(unused));
	while (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)));
	error = n < 0 ? -errno : 0;
	close(fd);
	return error;
}

int iterators_run(struct bpf_iterators *iterators)
{
	return iterators->count ? run(iterators->fds[--iterators->count]) : -ENOENT;
}

void iterators_close(struct bpf_iterators *iterators)
{
	while (iterators->count)
		close(iterators->fds[--iterators->count]);
	free(iterators->fds);
	iterators->fds = NULL;
}

int iterator_run_now(const struct bpf_link *link)
{
	int fd = bpf_iter_create(bpf_link__fd(link));

	return fd < 0 ? fd : run(fd);
}

int iterator_run_both(const struct bpf_link *first, const struct bpf_link *second)
{
	int error = iterator_run_now(first);

	return error ? error : iterator_run_now(second);
}
