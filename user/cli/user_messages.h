/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The messages of `run` and `record` on stderr. */
#ifndef USER_CLI_USER_MESSAGES_H
#define USER_CLI_USER_MESSAGES_H

#include "user/capture/capture.h"
#include "user/capture/launch.h"

/* Prints "ipclens: …" and a newline, made harmless. */
void report_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* True if tracing can be attempted; else prints one line that says what is needed. */
bool report_ready(void);

/*
 * Prints one line for each problem: a command that could not be executed, losses, an output that
 * failed.
 */
void report_problems(const struct capture_options *options, const struct capture_result *result);

#endif
