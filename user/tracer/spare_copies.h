/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Loads spare copies of the programs hooked to calls, for kernels that skip runs of a program; see
 * bpf/core/blind_calls.bpf.h.
 */
#ifndef USER_TRACER_SPARE_COPIES_H
#define USER_TRACER_SPARE_COPIES_H

#include <bpf/btf.h>
#include <stdbool.h>
#include <stdint.h>

struct bpf_program;
struct ipclens_bpf;

/*
 * Called before the programs are loaded. If `wanted`, the copies are loaded on kernels that need
 * them.
 */
void spares_choose(struct ipclens_bpf *bpf, const struct btf *btf, bool wanted);

/*
 * Returns an upper bound for the events that neither the hook nor any of its copies saw, because
 * the kernel skipped the runs.
 */
uint64_t spares_skipped(const struct ipclens_bpf *bpf, const struct bpf_program *hook);

#endif
