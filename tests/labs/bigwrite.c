// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One write far larger than the pipe: it blocks while the reader takes it away piece by piece. */
#include "tests/labs/lab.h"

int main(int argc, char **argv)
{
	int ends[2];
	size_t size, piece;
	char *data;
	pid_t child;

	lab_help(argc, argv, "[BYTES [PIECE]]: one write of 1 MiB, read in pieces of 60000 bytes");
	size = (size_t)lab_number(argc, argv, 1, 1 << 20);
	piece = (size_t)lab_number(argc, argv, 2, 60000);
	data = malloc(size > piece ? size : piece);
	lab_expect(data && size && piece, "sizes that fit");
	for (size_t i = 0; i < size; i++)
		data[i] = (char)('a' + i / 1000 % 26);
	lab_check(pipe(ends), "pipe");
	child = lab_fork();
	close(ends[!child]);
	if (!child) {
		size_t total = 0, n;

		while ((n = lab_read(ends[0], "pipe", "pipe", data, piece)) > 0)
			total += n;
		lab_expect(total == size, "all bytes came");
		exit(EXIT_SUCCESS);
	}
	lab_write(ends[1], "pipe", "pipe", data, size);
	close(ends[1]);
	lab_reap_well(child);
	free(data);
	return EXIT_SUCCESS;
}
