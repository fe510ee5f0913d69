// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Many messages as fast as possible, to see what a tracer loses. Alone, one process writes and
 * reads in turn and never blocks, so the number of its system calls is known beforehand.
 */
#include <signal.h>

#include "tests/labs/lab.h"

struct load {
	long count;
	size_t size;
	char *buf;
};

static void log_total(const char *action, long calls)
{
	truth(.action = action, .mechanism = "pipe", .channel = "pipe", .value = calls);
}

static long receive_all(int fd, const struct load *load)
{
	size_t total = 0;
	long calls = 0;
	ssize_t n;

	do {
		n = read(fd, load->buf, load->size);
		total += (size_t)lab_check(n, "read");
		calls++;
	} while (n > 0);
	lab_expect(total == (size_t)load->count * load->size, "all bytes came");
	return calls;
}

/* Each message begins with its number, so that a wrong pairing of two messages can be told. */
static void send_one(int fd, const struct load *load, long number)
{
	ssize_t n;

	snprintf(load->buf, load->size, "%07ld", number);
	n = write(fd, load->buf, load->size);
	lab_expect(lab_check(n, "write") == (ssize_t)load->size, "write takes all");
}

static void signal_parent(bool wanted, int number)
{
	if (wanted)
		lab_check(kill(getppid(), number), "kill");
}

/* With `stop` the parent, who may be a tracer, sleeps while all but the first message flow. */
static void run_alone(int ends[2], const struct load *load, bool stop)
{
	for (long i = 0; i < load->count; i++) {
		ssize_t n;

		send_one(ends[1], load, i);
		n = read(ends[0], load->buf, load->size);
		lab_expect(lab_check(n, "read") == (ssize_t)load->size, "read gets all");
		if (i == 0)
			signal_parent(stop, SIGSTOP);
	}
	signal_parent(stop, SIGCONT);
	log_total("sent-total", load->count);
	log_total("received-total", load->count);
}

static void run_two(int ends[2], const struct load *load)
{
	pid_t child = lab_fork();

	close(ends[!child]);
	if (!child) {
		log_total("received-total", receive_all(ends[0], load));
		exit(EXIT_SUCCESS);
	}
	for (long i = 0; i < load->count; i++)
		send_one(ends[1], load, i);
	log_total("sent-total", load->count);
	close(ends[1]);
	lab_reap_well(child);
}

int main(int argc, char **argv)
{
	struct load load;
	const char *how;
	int ends[2];

	lab_help(argc, argv,
		 "[COUNT [BYTES [two|alone|stop]]]: 10000 messages of 64 bytes over a pipe; stop: "
		 "alone, and "
		 "the parent is stopped meanwhile");
	load.count = lab_number(argc, argv, 1, 10000);
	load.size = (size_t)lab_number(argc, argv, 2, 64);
	load.buf = calloc(1, load.size);
	lab_expect(load.buf && load.size && load.size <= 65536, "1 to 65536 bytes a message");
	lab_check(pipe(ends), "pipe");
	how = lab_word(argc, argv, 3, "two");
	if (lab_is(how, "two"))
		run_two(ends, &load);
	else if (lab_is(how, "alone") || lab_is(how, "stop"))
		run_alone(ends, &load, lab_is(how, "stop"));
	else
		lab_usage(how);
	printf("%ld messages of %zu bytes\n", load.count, load.size);
	free(load.buf);
	return EXIT_SUCCESS;
}
