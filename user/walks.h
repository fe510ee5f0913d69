/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Walks over all threads or descriptors of the machine: BPF iterators, made while we have the right
 * to, and run later. All functions that return int give 0 or -errno.
 */
#ifndef USER_WALKS_H
#define USER_WALKS_H

#include <bpf/libbpf.h>
#include <stddef.h>

/* Some walks of one kind, each good for once. Zeroed it has none. */
struct walks {
	int *walks;
	size_t count;
};

int walks_open(struct walks *walks, const struct bpf_link *link, size_t count);

/* Runs the next one; -ENOENT where none is left. */
int walks_run(struct walks *walks);

void walks_close(struct walks *walks);

/* One that is made now. */
int walk_now(const struct bpf_link *link);

#endif
