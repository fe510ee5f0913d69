// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/glance/stdio_buffer.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "user/base/elf_symbol.h"
#include "user/base/procfs.h"

#define BUFFER_MOST (UINT64_C(1) << 30) /* setvbuf(3) may have given a large one */
#define LINE_LEN 4352			/* of /proc/PID/maps: a path and what precedes it */

/* struct _IO_FILE of glibc where pointers have 64 bits (libio/bits/types/struct_FILE.h). */
struct glibc_file {
	uint32_t flags, padding;
	uint64_t read_ptr, read_end, read_base;
	uint64_t write_base, write_ptr, write_end;
	uint64_t buf_base, buf_end;
	uint64_t save_base, backup_base, save_end, markers, chain;
	int32_t fd;
};

#define GLIBC_MAGIC 0xFBAD0000u /* libio.h: in the upper half of the flags of every FILE */

#if defined(__GLIBC__) && defined(__LP64__)
_Static_assert(offsetof(struct glibc_file, write_ptr) == offsetof(FILE, _IO_write_ptr), "");
_Static_assert(offsetof(struct glibc_file, buf_end) == offsetof(FILE, _IO_buf_end), "");
_Static_assert(offsetof(struct glibc_file, fd) == offsetof(FILE, _fileno), "");
#endif

static bool writes_to_channel(pid_t pid)
{
	struct stat file;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/1", (int)pid);
	return stat(path, &file) == 0 && (S_ISFIFO(file.st_mode) || S_ISSOCK(file.st_mode));
}

/* As "libc.so.6", before glibc 2.34 "libc-2.31.so"; " (deleted)" follows after an upgrade. */
static bool is_library(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash &&
	       (strncmp(slash, "/libc.so.6", 10) == 0 || strncmp(slash, "/libc-2.", 8) == 0);
}

/* Returns where the file of the C library begins in the process's memory; 0: it has none. */
static uint64_t library_find(pid_t pid)
{
	char line[LINE_LEN], path[64];
	uint64_t found = 0, from, offset;
	FILE *maps;
	int at;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	maps = fopen(path, "re");
	while (maps && !found && fgets(line, sizeof(line), maps)) {
		at = 0;
		if (sscanf(line, "%" SCNx64 "-%*x %*s %" SCNx64 " %*s %*u %n", &from, &offset,
			   &at) == 2 &&
		    at && !offset && is_library(line + at))
			found = from;
	}
	if (maps)
		fclose(maps);
	return found;
}

static bool memory_read(void *context, uint64_t from, void *to, size_t len)
{
	return proc_memory(*(const pid_t *)context, from, to, len);
}

/* What lies there may be anything: only a FILE of descriptor 1 that is sound in itself counts. */
static uint64_t unwritten_of(const struct glibc_file *file)
{
	const bool whole = (file->flags & 0xFFFF0000u) == GLIBC_MAGIC && file->fd == 1 &&
			   file->buf_base && file->buf_base <= file->write_base &&
			   file->write_base <= file->write_ptr && file->write_ptr <= file->buf_end;

	return whole && file->buf_end - file->buf_base <= BUFFER_MOST
		       ? file->write_ptr - file->write_base
		       : 0;
}

static uint64_t look_into(pid_t pid, uint64_t library)
{
	const struct elf_memory from = {memory_read, &pid};
	const uint64_t address = elf_symbol_find(&from, library, "_IO_2_1_stdout_");
	struct glibc_file file;

	return address && memory_read(&pid, address, &file, sizeof(file)) ? unwritten_of(&file) : 0;
}

uint64_t stdio_unwritten(pid_t pid)
{
	const uint64_t library = writes_to_channel(pid) ? library_find(pid) : 0;

	return library ? look_into(pid, library) : 0;
}
