/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The lines of a stream. A regular file is read in large blocks, from the stream's position on and
 * without moving it. Anything else is read to the end of each line and no further, as a pipe may
 * have nothing more for a while. What begins as a frame of Zstandard is decompressed, whatever its
 * name: of a pipe, only as much is read as gives a line.
 */
#ifndef VIZ_READER_LINE_SOURCE_H
#define VIZ_READER_LINE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include "viz/base/progress.h"
#include "viz/reader/decompressor.h"

/* Longer lines are passed over. The writer's longest lines have some hundred kilobytes. */
#define READER_LINE_MAX ((size_t)4 << 20)

struct line_source {
	FILE *stream;
	int fd;			   /* of a regular file; -1: it is none */
	off_t at;		   /* where in that file the next block begins */
	struct progress *progress; /* NULL: nobody looks */
	uint64_t read, all; /* bytes that were read; of a file: that it had at the beginning */
	bool recognised;    /* enough was read to tell whether it is compressed */
	struct decompressor *packed; /* NULL: it is not */
	char *block;
	size_t capacity;
	size_t begin, end; /* the bytes of the block that are not taken yet */
	/*
	 * Called at the end of the file: waits for more data; false: this is the end. May be NULL.
	 */
	bool (*more)(void *data);
	void *more_data;
};

void line_source_init(struct line_source *source, FILE *stream);
void line_source_free(struct line_source *source);

/*
 * 1: a line, without its newline; 0: the bytes up to the end of the file, perhaps none; -EMSGSIZE:
 * a line of more than READER_LINE_MAX bytes; any other -errno: it cannot be read. The bytes are
 * valid until the next call; they and the one behind them may be changed.
 */
int line_source_next(struct line_source *source, char **line, size_t *len);

/*
 * After -EMSGSIZE: passes over the rest of that line. 1: it ended; 0: the file did; -errno: it
 * cannot be read.
 */
int line_source_pass(struct line_source *source);

/* Why a compressed source ends where it does; NULL: nothing is wrong with it, but it may be cut. */
const char *line_source_damage(const struct line_source *source);

#endif
