/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What run and record tell the user on stderr. */
#ifndef USER_REPORT_H
#define USER_REPORT_H

#include "capture.h"

#define STATUS_OWN_FAILURE 125

/* "ipclens: …" with a newline; payloads and names in it are made harmless by the caller. */
void report_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* True where tracing can be tried at all; else one clear line says what is needed. */
bool report_ready(void);

/* Why the command could not be executed, losses, an output that failed: each one line, if any. */
void report_problems(const struct capture_options *options, const struct capture_result *result);

#endif
