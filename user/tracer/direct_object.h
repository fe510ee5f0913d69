/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The programs of bpf/ compiled with DIRECT_READS (bpf/core/kernel_access.bpf.h), which load in
 * half the time; kernels that lack a field, or that are older than 6.2, refuse them.
 */
#ifndef USER_TRACER_DIRECT_OBJECT_H
#define USER_TRACER_DIRECT_OBJECT_H

#include <bpf/libbpf.h>
#include <stdbool.h>

struct ipclens_bpf;

/* Like ipclens_bpf__open_opts(), with the direct programs or the others; NULL with errno. */
struct ipclens_bpf *object_open(const struct bpf_object_open_opts *options, bool direct);

#endif
