/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Says when it is the kernel's age that keeps our programs out. Only a refusal is explained so:
 * distributions take new parts of BPF into old kernels.
 */
#ifndef USER_TRACER_KERNEL_AGE_H
#define USER_TRACER_KERNEL_AGE_H

#include <stdbool.h>
#include <stddef.h>

/* True if a release as uname(2) tells it ("5.10.0-30-amd64") lacks what bpf/ asks for. */
bool kernel_is_too_old(const char *release);

/* Writes one line into `why` if the running kernel is too old; else leaves what is there. */
void kernel_age_explain(char *why, size_t why_len);

#endif
