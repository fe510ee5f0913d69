// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Reads a trace and does nothing with it: prints how many lines. What pairing is measured by. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "viz/reader/reader.h"

static int parse(FILE *stream, const char *name)
{
	static struct trace_line line;
	struct viz_error error = {0};
	struct reader reader;
	uint64_t lines = 0;
	int err;

	reader_init(&reader, stream, name, &error);
	while ((err = reader_next(&reader, &line)) > 0)
		lines++;
	reader_free(&reader);
	if (err)
		fprintf(stderr, "parse: %s\n", error.text);
	else
		printf("%" PRIu64 "\n", lines);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	FILE *stream = argc == 2 ? fopen(argv[1], "re") : NULL;
	int status;

	if (!stream) {
		fprintf(stderr, "parse: %s\n", argc == 2 ? strerror(errno) : "usage: parse TRACE");
		return EXIT_FAILURE;
	}
	status = parse(stream, argv[1]);
	fclose(stream);
	return status;
}
