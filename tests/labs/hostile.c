// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Names and contents that would harm a careless viewer: terminal escapes, quotes, line ends,
 * bytes that are no UTF-8, markup.
 */
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "tests/labs/lab.h"

#define BYTES(text)                                                                                \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}

static const struct {
	const char *data;
	size_t len;
} payloads[] = {
	BYTES("\033[31mred\033[0m \033]0;title\007"),
	BYTES("quote \" backslash \\ line\nend\r\ttab"),
	BYTES("not utf-8: \xff\xfe\xc0\xaf\xed\xa0\x80 end"),
	BYTES("nul \0 inside, c1 \xc2\x9b"
	      "31m, del \x7f"),
	BYTES("</script><img src=x onerror=alert(1)> -->> ;{}|%%"),
	BYTES("r\xc3\xa9sum\xc3\xa9 \xe2\x80\xae"
	      "desrever \xf0\x9f\x98\x80"),
};

static void rename_self(const char *name)
{
	lab_check(prctl(PR_SET_NAME, name), "PR_SET_NAME");
}

__attribute__((noreturn)) static void child(int fd)
{
	char buf[256];

	rename_self("b\n\"\\,;\xff\xfe");
	while (lab_read(fd, "fifo", "fifo", buf, sizeof(buf)) > 0)
		;
	exit(EXIT_SUCCESS);
}

int main(int argc, char **argv)
{
	char path[] = "/tmp/\033[2J\"<b>\n\xff-0123456789";
	pid_t pid;
	int fd;

	lab_help(argc, argv, ": hostile process names, file names and contents");
	snprintf(strrchr(path, '-'), 11, "-%d", getpid());
	lab_check(mkfifo(path, 0600), "mkfifo");
	pid = lab_fork();
	if (!pid)
		child((int)lab_check(open(path, O_RDONLY), "open"));
	rename_self("a\033[1m<b>'");
	fd = (int)lab_check(open(path, O_WRONLY), "open");
	for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++)
		lab_write(fd, "fifo", "fifo", payloads[i].data, payloads[i].len);
	close(fd);
	lab_reap_well(pid);
	lab_check(unlink(path), "unlink");
	return EXIT_SUCCESS;
}
