// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Records of one size through a pipe, read in pieces of another: a mistake, or sound. */
#include "tests/labs/mistake.h"

enum { COUNT = 20, MOST = 1024 };

/* What a record is like besides its size. */
struct form {
	bool fifo;
	bool lines;    /* it ends with a newline */
	bool prefixed; /* it begins with its length */
};

static struct form form_of(int argc, char **argv)
{
	struct form form = {0};

	for (int i = 3; i < argc; i++) {
		form.fifo |= lab_is(argv[i], "fifo");
		form.lines |= lab_is(argv[i], "lines");
		form.prefixed |= lab_is(argv[i], "prefixed");
	}
	return form;
}

static void write_records(int fd, size_t size, struct form form)
{
	const uint32_t length = (uint32_t)size;
	char record[MOST];

	for (int i = 0; i < COUNT; i++) {
		memset(record, 'a' + i, size);
		if (form.lines)
			record[size - 1] = '\n';
		if (form.prefixed)
			memcpy(record, &length, sizeof(length));
		lab_expect(lab_check(write(fd, record, size), "write") == (ssize_t)size, "all");
	}
}

/* How many parts of records these bytes are that do not begin where both a record and a read do. */
static long parts_in(size_t from, size_t len, size_t size)
{
	long parts = from % size != 0;

	for (size_t at = from + 1; at < from + len; at++)
		parts += at % size == 0;
	return parts;
}

__attribute__((noreturn)) static void read_records(int fd, size_t size, size_t asked)
{
	char buf[4 * MOST];
	size_t done = 0;
	long parts = 0;
	ssize_t n;

	while ((n = lab_check(read(fd, buf, asked), "read")) > 0) {
		parts += parts_in(done, (size_t)n, size);
		done += (size_t)n;
	}
	lab_expect(done == COUNT * size, "all comes");
	truth(.action = "parts", .value = parts);
	truth_flush();
	exit(EXIT_SUCCESS);
}

/* All is written before anybody reads, so that a read never finds less than there is to come. */
int main(int argc, char **argv)
{
	struct form form = form_of(argc, argv);
	size_t size, asked;
	int ends[2];
	pid_t child;

	lab_help(argc, argv, "WRITTEN ASKED [fifo] [lines] [prefixed]: bytes of each call");
	size = (size_t)lab_number(argc, argv, 1, 48);
	asked = (size_t)lab_number(argc, argv, 2, 64);
	lab_expect(size <= MOST && asked <= sizeof(char[4 * MOST]), "it fits");
	if (form.fifo)
		fifo_make(ends);
	else
		pipe_make(ends);
	party(getpid());
	channel(form.fifo ? "fifo" : "pipe", ends[0]);
	write_records(ends[1], size, form);
	child = lab_fork();
	if (!child) {
		close(ends[1]);
		party(getpid());
		read_records(ends[0], size, asked);
	}
	close(ends[0]);
	close(ends[1]);
	lab_reap_well(child);
	return EXIT_SUCCESS;
}
