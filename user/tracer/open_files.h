/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How many files may be open: programs, maps and links of BPF are descriptors, some hundred. The
 * traced command was forked before, and keeps its own limit.
 */
#ifndef USER_TRACER_OPEN_FILES_H
#define USER_TRACER_OPEN_FILES_H

#include <stddef.h>

/* Raises the limit of this process as far as it may. */
void open_files_allow(void);

/*
 * Writes one line into `why` if the limit is too low to trace; else leaves what is there. libbpf
 * fails with EINVAL as well as with EMFILE where a descriptor is missing, so the limit is looked at
 * and not the error.
 */
void open_files_explain(char *why, size_t why_len);

#endif
