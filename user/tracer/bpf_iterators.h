/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * BPF iterators over all threads or descriptors of the machine. They are created while ipclens has
 * the privilege to, and run later. All functions that return int return 0 or -errno.
 */
#ifndef USER_TRACER_BPF_ITERATORS_H
#define USER_TRACER_BPF_ITERATORS_H

#include <bpf/libbpf.h>
#include <stddef.h>

/* Prepared iterators of one kind, each of which runs once. A zeroed struct has none. */
struct bpf_iterators {
	int *fds;
	size_t count;
};

/* Creates `count` iterators; on failure, those created so far remain for iterators_close(). */
int iterators_open(struct bpf_iterators *iterators, const struct bpf_link *link, size_t count);

/* Runs and closes the next iterator; -ENOENT if none is left. */
int iterators_run(struct bpf_iterators *iterators);

/* Closes the iterators that have not run. */
void iterators_close(struct bpf_iterators *iterators);

/* Create an iterator and run it at once; iterator_run_both() stops at the first error. */
int iterator_run_now(const struct bpf_link *link);
int iterator_run_both(const struct bpf_link *first, const struct bpf_link *second);

#endif
