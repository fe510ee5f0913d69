// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Names that go away: of FIFOs and unix sockets, absolute and relative, of a POSIX queue; beside
 * them files that are no business of ours, one called as a FIFO of another directory is.
 */
#include <mqueue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "tests/labs/lab.h"

static void open_fifo(const char *path)
{
	lab_check(mkfifo(path, 0600), "mkfifo");
	close((int)lab_check(open(path, O_RDWR | O_CLOEXEC), "open"));
}

static void bind_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = (int)lab_check(socket(AF_UNIX, SOCK_STREAM, 0), "socket");

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	lab_check(bind(fd, (struct sockaddr *)&address, sizeof(address)), "bind");
}

static void take_away(const char *mechanism, int folder, const char *path)
{
	lab_check(unlinkat(folder, path, 0), path);
	if (mechanism)
		truth(.action = "unlink", .mechanism = mechanism, .channel = path);
}

static void queue(void)
{
	char name[32];

	snprintf(name, sizeof(name), "/lab-unlink-%d", getpid());
	lab_check(mq_open(name, O_RDWR | O_CREAT, 0600, NULL), "mq_open");
	lab_check(mq_unlink(name), "mq_unlink");
	truth(.action = "unlink", .mechanism = "posix-mq", .channel = name + 1);
}

int main(int argc, char **argv)
{
	const char *folder = lab_word(argc, argv, 1, "/tmp/lab-unlink");
	char path[256], bound[100];
	int other;

	lab_help(argc, argv, "DIRECTORY: unlink of FIFOs, sockets, a queue, and of other files");
	lab_check(mkdir(folder, 0700), folder);
	lab_check(chdir(folder), folder);
	snprintf(path, sizeof(path), "%s/absolute", folder);
	open_fifo(path);
	open_fifo("relative");
	bind_socket("socket");
	snprintf(bound, sizeof(bound), "%s/bound", folder);
	bind_socket(bound);
	lab_check(mkdir("other", 0700), "mkdir");
	other = (int)lab_check(open("other", O_RDONLY | O_DIRECTORY), "open");
	close((int)lab_check(openat(other, "relative", O_CREAT | O_WRONLY, 0600), "openat"));
	close((int)lab_check(open("plain", O_CREAT | O_WRONLY, 0600), "open"));
	take_away(NULL, AT_FDCWD, "plain");
	take_away("none", other, "relative");
	take_away("fifo", AT_FDCWD, path);
	take_away("fifo", AT_FDCWD, "relative");
	take_away("unix-stream", AT_FDCWD, "socket");
	take_away("unix-stream", AT_FDCWD, bound);
	queue();
	lab_check(rmdir("other"), "rmdir");
	lab_check(rmdir(folder), "rmdir");
	return EXIT_SUCCESS;
}
