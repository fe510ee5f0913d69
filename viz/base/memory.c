// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/base/memory.h"

#include <stdlib.h>

void memory_need(bool enough)
{
	if (enough)
		return;
	fputs("ipclens: out of memory\n", stderr);
	exit(1);
}

void *memory_new(size_t size)
{
	return memory_array(1, size);
}

void *memory_array(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	memory_need(memory || !count || !size);
	return memory;
}

void *memory_resize(void *memory, size_t count, size_t size)
{
	memory = reallocarray(memory, count, size);
	memory_need(memory || !count || !size);
	return memory;
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
