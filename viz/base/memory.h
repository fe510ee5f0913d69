/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Memory that cannot be missing. If there is none left, these functions print "ipclens: out of
 * memory" to stderr and call exit(1), so no caller checks for it. free(3) frees what they give.
 */
#ifndef VIZ_BASE_MEMORY_H
#define VIZ_BASE_MEMORY_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Ends the program as above unless there was enough; for functions of other libraries. */
void memory_need(bool enough);

void *memory_new(size_t size);				      /* zeroed */
void *memory_array(size_t count, size_t size);		      /* zeroed */
void *memory_resize(void *memory, size_t count, size_t size); /* as reallocarray(3) */

char *memory_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *memory_vformat(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

/*
 * A stream that writes into memory: memory_stream_end() closes it and sets *text, which ends with a
 * NUL, and *len.
 */
FILE *memory_stream(char **text, size_t *len);
void memory_stream_end(FILE *stream);

/* Appends to a list whose memory is its own. A zeroed list is empty. */
#define LIST_PUSH(list, item)                                                                      \
	((list)->items = list_grow((list)->items, (list)->count, &(list)->capacity,                \
				   sizeof(*(list)->items)),                                        \
	 (list)->items[(list)->count++] = (item))
void *list_grow(void *items, size_t count, size_t *capacity, size_t size);

#endif
