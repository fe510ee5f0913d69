/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Looks up the kernel's tracepoints in its type information, and the length of its clock tick. */
#ifndef USER_TRACER_TRACEPOINT_H
#define USER_TRACER_TRACEPOINT_H

#include <bpf/btf.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * True if BPF programs can attach to the tracepoint (the type btf_trace_NAME exists) and it has at
 * least `arguments` arguments. `btf` comes from kernel_types_load().
 */
bool tracepoint_exists(const struct btf *btf, const char *tracepoint, int arguments);

/*
 * Returns the tick length in ns, which is the resolution of the coarse clocks
 * (kernel/time/posix-timers.c); 0 if it is unknown.
 */
uint64_t kernel_tick_ns(void);

#endif
