// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

void memory_need(bool enough)
{
	if (enough)
		return;
	fputs("ipclens: out of memory\n", stderr);
	exit(1);
}

/* With less than this the kernel's pages of the usual size do as well. */
#define LARGE ((size_t)4 << 20)

#define PAGE_MOST ((size_t)64 << 10) /* a multiple of the page length of every machine */

/*
 * Asks the kernel for huge pages, where it gives them on request only: a trace of a million calls
 * fills hundreds of megabytes, and each small page of these costs a fault.
 */
static void *on_huge_pages(void *memory, size_t count, size_t size)
{
	size_t before = (size_t)(0 - (uintptr_t)memory) % PAGE_MOST;

	if (memory && count * size >= LARGE)
		madvise((char *)memory + before, (count * size - before) / PAGE_MOST * PAGE_MOST,
			MADV_HUGEPAGE);
	return memory;
}

void *memory_new(size_t size)
{
	return memory_array(1, size);
}

void *memory_array(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	memory_need(memory || !count || !size);
	return on_huge_pages(memory, count, size);
}

void *memory_resize(void *memory, size_t count, size_t size)
{
	memory = reallocarray(memory, count, size);
	memory_need(memory || !count || !size);
	return on_huge_pages(memory, count, size);
}

char *memory_vformat(const char *format, va_list args)
{
	char *text;

	memory_need(vasprintf(&text, format, args) >= 0);
	return text;
}

char *memory_format(const char *format, ...)
{
	char *text;
	va_list args;

	va_start(args, format);
	text = memory_vformat(format, args);
	va_end(args);
	return text;
}

FILE *memory_stream(char **text, size_t *len)
{
	FILE *stream = open_memstream(text, len);

	memory_need(stream);
	return stream;
}

void memory_stream_end(FILE *stream)
{
	bool failed = ferror(stream);

	memory_need(!fclose(stream) && !failed);
}

void *list_grow(void *items, size_t count, size_t *capacity, size_t size)
{
	if (count < *capacity)
		return items;
	*capacity = *capacity ? *capacity * 2 : 4;
	return memory_resize(items, *capacity, size);
}
