/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The options of a capture that `run` and `record` share. */
#ifndef USER_CLI_CAPTURE_OPTIONS_H
#define USER_CLI_CAPTURE_OPTIONS_H

#include <argp.h>

#include "user/capture/capture.h"

#define RING_LEN_DEFAULT (64ULL << 20)
#define RING_LEN_MAX (1ULL << 30)

/*
 * Child parser for argp: { &capture_argp, 0, "Tracing:", 0 }. Its input is a struct capture_options
 * filled in by capture_defaults().
 */
extern const struct argp capture_argp;

/* Fills in the defaults: 64 bytes of payload, a ring of 64 MiB, no output yet. */
void capture_defaults(struct capture_options *options);

/*
 * Parses a number of bytes: 64, 4K, 16M, 1G. Returns false if the text is malformed or too large.
 */
bool size_parse(const char *text, uint64_t *size);

/*
 * Parses a time: 10s, 500ms, 2m, 1h, or seconds without a unit. Returns false if the text is
 * malformed, or the time is 0 or above `most` seconds.
 */
bool time_parse(const char *text, double most, uint64_t *time_ns);

#endif
