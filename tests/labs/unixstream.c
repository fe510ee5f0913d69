// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A unix stream socket: a client asks, a server answers; by path, by abstract name, or as a pair.
 */
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/labs/lab.h"

#define MECHANISM "unix-stream"

struct place {
	struct sockaddr_un address;
	socklen_t len;
};

static struct place place_make(bool abstract)
{
	struct place place = {.address.sun_family = AF_UNIX};
	char *path = place.address.sun_path;
	int n = snprintf(path, sizeof(place.address.sun_path), "%s/unixstream-%d",
			 abstract ? "@lab" : "/tmp", getpid());

	if (abstract)
		path[0] = '\0';
	place.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n);
	return place;
}

__attribute__((noreturn)) static void client(int fd)
{
	char buf[64];

	lab_write_text(fd, MECHANISM, "request", "what is");
	lab_write_text(fd, MECHANISM, "request", " the time?");
	lab_check(shutdown(fd, SHUT_WR), "shutdown");
	lab_expect(lab_read(fd, MECHANISM, "response", buf, sizeof(buf)) == 7, "the answer came");
	lab_expect(lab_read(fd, MECHANISM, "response", buf, sizeof(buf)) == 0, "the end came");
	close(fd);
	exit(EXIT_SUCCESS);
}

static void serve(int fd)
{
	lab_expect(lab_read_all(fd, MECHANISM, "request") == 17, "the whole question came");
	lab_write_text(fd, MECHANISM, "response", "teatime");
	close(fd);
}

static pid_t run_pair(void)
{
	int ends[2];
	pid_t child;

	lab_check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
	child = lab_fork();
	close(ends[!child]);
	if (!child)
		client(ends[0]);
	serve(ends[1]);
	return child;
}

static pid_t run_named(bool abstract)
{
	struct place place = place_make(abstract);
	struct sockaddr *address = (struct sockaddr *)&place.address;
	int listener = (int)lab_check(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
	pid_t child;

	lab_check(bind(listener, address, place.len), "bind");
	lab_check(listen(listener, 1), "listen");
	child = lab_fork();
	if (!child) {
		int fd = (int)lab_check(socket(AF_UNIX, SOCK_STREAM, 0), "socket");

		close(listener);
		lab_check(connect(fd, address, place.len), "connect");
		client(fd);
	}
	serve((int)lab_check(accept(listener, NULL, NULL), "accept"));
	close(listener);
	if (!abstract)
		lab_check(unlink(place.address.sun_path), "unlink");
	return child;
}

int main(int argc, char **argv)
{
	const char *how;
	pid_t child;

	lab_help(argc, argv,
		 "[path|abstract|pair]: a question and an answer between two processes");
	how = lab_word(argc, argv, 1, "path");
	if (lab_is(how, "pair"))
		child = run_pair();
	else if (lab_is(how, "path") || lab_is(how, "abstract"))
		child = run_named(lab_is(how, "abstract"));
	else
		lab_usage(how);
	lab_reap_well(child);
	return EXIT_SUCCESS;
}
