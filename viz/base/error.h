/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A sentence for the user that accompanies the -errno of a function, and how it is told. */
#ifndef VIZ_BASE_ERROR_H
#define VIZ_BASE_ERROR_H

#include <stdarg.h>
#include <stdint.h>

/* Empty if there was no error. The text names file and line if the error has one. */
struct viz_error {
	char text[512];
	uint64_t line; /* line number in the trace; 0: none */
};

/*
 * Writes one line to stderr, made harmless (safe_text.h): it may hold the name of a file, which
 * whoever made the file has chosen.
 */
__attribute__((format(printf, 1, 2))) void error_tell(const char *format, ...);
__attribute__((format(printf, 2, 0))) void error_tell_list(const char *before, const char *format,
							   va_list arguments);

/* What strerror(3) says; of the limit of open files, also how it is raised. */
const char *error_reason(int number);

#endif
