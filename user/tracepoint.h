/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the kernel's own types say of its tracepoints. */
#ifndef USER_TRACEPOINT_H
#define USER_TRACEPOINT_H

#include <bpf/btf.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Whether BPF programs can attach to it (it has a type btf_trace_NAME) and it hands over at least
 * so many arguments. `btf` is what btf__load_vmlinux_btf() gave.
 */
bool tracepoint_exists(const struct btf *btf, const char *tracepoint, int arguments);

#endif
