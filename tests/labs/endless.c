// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs that read until an end which cannot come, by one mistake each. None ends by itself. */
#include "tests/labs/mistake.h"

#define NAME "endless"

/* The parent keeps the writing end, and waits for the child, which waits for the end. */
static void parent_keeps(void)
{
	int ends[2];
	pid_t child;

	pipe_make(ends);
	outsider_maybe();
	child = lab_fork();
	party(getpid());
	if (!child) {
		close(ends[1]);
		channel("pipe", ends[0]);
		hang_in_read(ends[0]);
	}
	close(ends[0]);
	lab_write_text(ends[1], "pipe", NAME, "that is all");
	truth_flush();
	waitpid(child, NULL, 0);
}

static void reader_keeps(void)
{
	int ends[2];
	pid_t child;

	pipe_make(ends);
	child = lab_fork();
	if (!child) {
		close(ends[0]);
		lab_write_text(ends[1], "pipe", NAME, "that is all");
		exit(EXIT_SUCCESS);
	}
	party(getpid());
	channel("pipe", ends[0]);
	lab_reap_well(child);
	hang_in_read(ends[0]);
}

/* A process that was started meanwhile has the writing end too, and stays. */
static void grandchild_keeps(void)
{
	int ends[2];

	pipe_make(ends);
	if (!lab_fork()) {
		close(ends[0]);
		if (!lab_fork()) {
			party(getpid());
			hang_in_pause();
		}
		lab_write_text(ends[1], "pipe", NAME, "that is all");
		exit(EXIT_SUCCESS);
	}
	close(ends[1]);
	party(getpid());
	channel("pipe", ends[0]);
	hang_in_read(ends[0]);
}

/* The reader opened the FIFO for writing too, so as not to wait for a writer. */
static void fifo_reader_keeps(void)
{
	int ends[2];
	pid_t child;

	fifo_make(ends);
	child = lab_fork();
	if (!child) {
		close(ends[0]);
		lab_write_text(ends[1], "fifo", NAME, "that is all");
		exit(EXIT_SUCCESS);
	}
	lab_reap_well(child);
	party(getpid());
	channel("fifo", ends[0]);
	hang_in_read(ends[0]);
}

/* The server's parent accepted, left the work to a child, and keeps the connection. */
static void tcp_half_closed(void)
{
	struct sockaddr_in address;
	int listener = inet_socket(SOCK_STREAM, &address), fd;

	lab_check(listen(listener, 1), "listen");
	if (!lab_fork()) {
		close(listener);
		party(getpid());
		fd = inet_connect(&address);
		channel("tcp", fd);
		lab_check(shutdown(fd, SHUT_WR), "shutdown");
		hang_in_read(fd);
	}
	party(getpid());
	fd = (int)lab_check(accept(listener, NULL, NULL), "accept");
	if (!lab_fork()) {
		close(listener);
		lab_write_text(fd, "tcp", NAME, "that is all");
		exit(EXIT_SUCCESS);
	}
	truth_flush();
	lab_check(accept(listener, NULL, NULL), "accept"); /* the next one, who does not come */
}

/* A child that keeps the parent's end of their connection, beside its own. */
static void pair_reader_keeps(void)
{
	int ends[2];
	pid_t child;

	lab_check(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), "socketpair");
	child = lab_fork();
	if (!child) {
		party(getpid());
		channel("unix-seqpacket", ends[1]);
		hang_in_read(ends[1]);
	}
	close(ends[1]);
	lab_write_text(ends[0], "unix-seqpacket", NAME, "that is all");
	close(ends[0]);
	truth_flush();
	waitpid(child, NULL, 0);
}

/* Its own writing end lies in a message that nobody but itself could receive. */
static void in_flight(void)
{
	int ends[2], way[2];

	pipe_make(ends);
	lab_check(socketpair(AF_UNIX, SOCK_STREAM, 0, way), "socketpair");
	send_descriptor(way[0], ends[1]);
	close(ends[1]);
	party(getpid());
	channel("pipe", ends[0]);
	hang_in_read(ends[0]);
}

static const struct mistake mistakes[] = {
	{"parent-keeps", parent_keeps},		  {"reader-keeps", reader_keeps},
	{"grandchild-keeps", grandchild_keeps},	  {"fifo-reader-keeps", fifo_reader_keeps},
	{"tcp-half-closed", tcp_half_closed},	  {"in-flight", in_flight},
	{"pair-reader-keeps", pair_reader_keeps},
};

int main(int argc, char **argv)
{
	return mistake_main(argc, argv, "MISTAKE: hangs by it", mistakes, MISTAKES(mistakes));
}
