// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "walks.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

int walks_open(struct walks *walks, const struct bpf_link *link, size_t count)
{
	walks->walks = calloc(count, sizeof(*walks->walks));
	if (!walks->walks)
		return -ENOMEM;
	for (; walks->count < count; walks->count++) {
		int walk = bpf_iter_create(bpf_link__fd(link));

		if (walk < 0)
			return walk;
		walks->walks[walks->count] = walk;
	}
	return 0;
}

/* And closes it. */
static int run(int walk)
{
	char unused[64];
	ssize_t n;
	int error;

	do
		n = read(walk, unused, sizeof(unused));
	while (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)));
	error = n < 0 ? -errno : 0;
	close(walk);
	return error;
}

int walks_run(struct walks *walks)
{
	return walks->count ? run(walks->walks[--walks->count]) : -ENOENT;
}

void walks_close(struct walks *walks)
{
	while (walks->count)
		close(walks->walks[--walks->count]);
	free(walks->walks);
	walks->walks = NULL;
}

int walk_now(const struct bpf_link *link)
{
	int walk = bpf_iter_create(bpf_link__fd(link));

	return walk < 0 ? walk : run(walk);
}
