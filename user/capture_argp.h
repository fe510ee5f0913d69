/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The options of a capture, which run and record share. */
#ifndef USER_CAPTURE_ARGP_H
#define USER_CAPTURE_ARGP_H

#include <argp.h>

#include "capture.h"

#define RING_LEN_DEFAULT (64ULL << 20)
#define RING_LEN_MAX (1ULL << 30)

/*
 * Child parser: { &capture_argp, 0, "Tracing:", 0 }; its input is a struct capture_options that
 * capture_defaults() has filled in.
 */
extern const struct argp capture_argp;

void capture_defaults(struct capture_options *options);

/* 64, 4K, 16M, 1G: bytes. False where it is no such number. */
bool size_parse(const char *text, uint64_t *size);

#endif
