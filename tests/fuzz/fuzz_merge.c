// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Any bytes as a trace that is merged with one of another machine, which has the same lines: what
 * comes out, if anything does, is read, paired and diagnosed as any trace.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "viz/diagnose/diagnose.h"
#include "viz/merge/merge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PATH_LEN = 32 };

/* The machine of the same lines, told by another header. */
static const char other_head[] =
	"{\"type\":\"header\",\"format\":\"ipclens-trace\",\"version\":2,\"tool\":\"0\","
	"\"kernel\":\"6\",\"machine\":\"x86_64\",\"host\":\"other\",\"boot_id\":\"other\","
	"\"clock\":\"CLOCK_MONOTONIC\",\"start_ns\":77,\"realtime_offset_ns\":-5,\"options\":{},"
	"\"hooks\":{}}\n";

static void put(int fd, const void *data, size_t len)
{
	if (write(fd, data, len) != (ssize_t)len)
		abort();
}

/* A file with these bytes, in which `head` stands for the first line; NULL: that stays. */
static int file_of(const uint8_t *data, size_t size, const char *head, char path[PATH_LEN])
{
	const int fd = memfd_create("fuzz", MFD_CLOEXEC);
	const uint8_t *end = head && size ? memchr(data, '\n', size) : NULL;
	const size_t skipped = end ? (size_t)(end - data) + 1 : 0;

	if (fd < 0)
		abort();
	if (head)
		put(fd, head, strlen(head));
	put(fd, data + skipped, size - skipped);
	snprintf(path, PATH_LEN, "/proc/self/fd/%d", fd);
	return fd;
}

/* All that is written is JSON that a reader knows, so that no line of it is wrong by itself. */
static void read_merged(char *text, size_t len)
{
	FILE *in = len ? fmemopen(text, len, "r") : NULL;
	struct viz_pairing *pairing = NULL;
	struct viz_model *model = NULL;
	struct viz_error error;

	if (!in)
		return;
	if (viz_model_read_stream(in, "merged", NULL, &model, &error))
		abort();
	if (!viz_pair(model, &pairing)) {
		diagnosis_free(diagnose(model, pairing, LANGUAGE_EN));
		viz_pairing_free(pairing);
	}
	viz_model_free(model);
	fclose(in);
}

static void merge(char *const *paths, size_t count)
{
	struct viz_error error = {0};
	struct merge merge;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int err;

	if (!out)
		abort();
	err = merge_read(&merge, paths, count, NULL, &error);
	if (err && !error.text[0])
		abort();
	if (!err)
		err = merge_write(&merge, out, NULL, &error);
	fclose(out);
	if (!err)
		read_merged(text, len);
	merge_free(&merge);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char own[PATH_LEN], other[PATH_LEN];
	char *paths[] = {own, other};
	const int files[] = {file_of(data, size, NULL, own),
			     file_of(data, size, other_head, other)};

	merge(paths, 2);
	for (size_t i = 0; i < 2; i++)
		close(files[i]);
	return 0;
}
