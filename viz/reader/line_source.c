// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/reader/line_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "viz/base/memory.h"

#define BLOCK_LEN ((size_t)256 << 10)

void line_source_init(struct line_source *source, FILE *stream)
{
	struct stat status;
	int fd = fileno(stream);

	*source = (struct line_source){.stream = stream, .fd = -1};
	if (fd < 0 || fstat(fd, &status) || !S_ISREG(status.st_mode))
		return;
	source->at = ftello(stream);
	if (source->at < 0)
		return;
	source->fd = fd;
	source->all = (uint64_t)status.st_size;
}

void line_source_free(struct line_source *source)
{
	free(source->block);
	source->block = NULL;
	decompressor_free(source->packed);
	source->packed = NULL;
}

/* Leaves room for at least one byte more, and for one behind it. */
static void make_room(struct line_source *source)
{
	size_t len = source->end - source->begin;

	if (source->begin) {
		memmove(source->block, source->block + source->begin, len);
		source->begin = 0;
		source->end = len;
	}
	if (len + 1 < source->capacity)
		return;
	source->capacity = source->capacity ? source->capacity * 2 : BLOCK_LEN;
	source->block = memory_resize(source->block, source->capacity, 1);
}

static ssize_t read_file(struct line_source *source, char *to, size_t len)
{
	ssize_t count;

	do {
		count = pread(source->fd, to, len, source->at);
	} while (count < 0 && errno == EINTR);
	if (count < 0)
		return -errno;
	source->at += count;
	return count;
}

static ssize_t read_stream(struct line_source *source, char *first, size_t len)
{
	char *to = first, *end = first + len;
	int c = EOF;

	while (to < end && (c = getc_unlocked(source->stream)) != EOF) {
		*to++ = (char)c;
		if (c == '\n')
			break;
	}
	if (c == EOF && ferror(source->stream))
		return errno ? -errno : -EIO;
	return to - first;
}

static ssize_t read_bytes(struct line_source *source, char *to, size_t len)
{
	ssize_t count = source->fd >= 0 ? read_file(source, to, len) : read_stream(source, to, len);

	if (count <= 0)
		return count;
	source->read += (uint64_t)count;
	progress_at(source->progress, source->read, source->all);
	return count;
}

/* Of a pipe no more is taken than a block needs: there may be nothing behind it for a while. */
static ssize_t read_packed(struct line_source *source, char *to, size_t len)
{
	struct decompressor *packed = source->packed;
	size_t given;
	ssize_t count;

	while ((given = decompressor_take(packed, to, len)) == 0 && !packed->damage) {
		size_t most = sizeof(packed->input);

		if (source->fd < 0 && packed->wants < most)
			most = packed->wants;
		count = read_bytes(source, packed->input, most);
		if (count <= 0)
			return count;
		packed->at = 0;
		packed->end = (size_t)count;
	}
	return (ssize_t)given;
}

/*
 * Looks at the first bytes, which stand in the block: lines, or the beginning of what is to be
 * decompressed.
 */
static void recognise(struct line_source *source)
{
	size_t have = source->end;

	source->recognised = !decompressor_begins(source->block, have);
	if (source->recognised || have < DECOMPRESSOR_MAGIC_LEN)
		return;
	source->recognised = true;
	source->packed = decompressor_new();
	memcpy(source->packed->input, source->block, have);
	source->packed->end = have;
	source->end = 0;
}

static ssize_t read_block(struct line_source *source)
{
	char *to = source->block + source->end;
	size_t len = source->capacity - source->end - 1;

	if (source->packed)
		return read_packed(source, to, len);
	return read_bytes(source, to,
			  source->recognised ? len : DECOMPRESSOR_MAGIC_LEN - source->end);
}

/* Puts more bytes behind `end`; 0: there are none, and there will not be any; -errno. */
static ssize_t read_more(struct line_source *source)
{
	ssize_t count;

	make_room(source);
	do {
		clearerr(source->stream);
		count = read_block(source);
	} while (count == 0 && !line_source_damage(source) && source->more &&
		 source->more(source->more_data));
	if (count <= 0)
		return count;
	source->end += (size_t)count;
	if (!source->recognised)
		recognise(source);
	return count;
}

int line_source_next(struct line_source *source, char **line, size_t *len)
{
	size_t searched = 0;
	const char *newline = NULL;
	ssize_t count = 1;

	while (count > 0 && !newline && searched <= READER_LINE_MAX) {
		size_t have = source->end - source->begin;

		if (have > searched)
			newline = memchr(source->block + source->begin + searched, '\n',
					 have - searched);
		searched = have;
		if (!newline && searched <= READER_LINE_MAX)
			count = read_more(source);
	}
	if (count < 0)
		return (int)count;
	*line = source->block + source->begin;
	*len = newline ? (size_t)(newline - *line) : source->end - source->begin;
	if (*len > READER_LINE_MAX)
		return -EMSGSIZE;
	source->begin += *len + (newline != NULL);
	return newline != NULL;
}

int line_source_pass(struct line_source *source)
{
	ssize_t count = 1;

	while (count > 0) {
		char *from = source->block + source->begin;
		char *newline = memchr(from, '\n', source->end - source->begin);

		if (newline) {
			source->begin += (size_t)(newline - from) + 1;
			return 1;
		}
		source->begin = source->end;
		count = read_more(source);
	}
	return (int)count;
}

const char *line_source_damage(const struct line_source *source)
{
	return source->packed ? source->packed->damage : NULL;
}
