/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Loads the type information (BTF) of the running kernel, and checks it for the fields that are
 * needed.
 */
#ifndef USER_TRACER_KERNEL_TYPES_H
#define USER_TRACER_KERNEL_TYPES_H

#include <bpf/btf.h>
#include <stddef.h>

/* The path of a BTF file that replaces the kernel's own, for tests (IPCLENS_BTF); NULL: none. */
const char *kernel_types_path(void);

/*
 * Returns the types, which the caller releases with btf__free(). NULL if there are none, or if they
 * lack a field of vmlinux/needed.def; then `why` holds one line for the user.
 */
struct btf *kernel_types_load(char *why, size_t why_len);

/* Calls `each` for each field of vmlinux/optional.def that the kernel lacks, with what it tells. */
void kernel_types_weaker(void (*each)(const char *field, const char *tells));

#endif
