// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A pseudo-terminal: the parent holds the master and asks, the child has the slave and answers.
 * Raw, nothing is changed on the way; canonical, ends of lines are; with echo, the master reads its
 * own words again.
 */
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "tests/labs/lab.h"

#define MECHANISM "pty"

enum { ROUNDS = 3 };

struct mode {
	const char *name;
	bool raw, echo, packet;
};

static const struct mode modes[] = {
	{"raw", true, false, false},
	{"canonical", false, false, false},
	{"echo", false, true, false},
	{"packet", true, false, true},
};

static const struct mode *mode_find(const char *name)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (lab_is(name, modes[i].name))
			return &modes[i];
	lab_usage(name);
}

static struct termios settings(const struct mode *mode, int slave)
{
	struct termios line;

	lab_check(tcgetattr(slave, &line), "tcgetattr");
	if (mode->raw)
		cfmakeraw(&line);
	line.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	if (mode->echo)
		line.c_lflag |= ECHO;
	return line;
}

/*
 * Reads until `len` bytes have come, beside those at the head of each read; an echo and an answer
 * may come as one, or in parts.
 */
static void read_whole(int fd, const char *channel, size_t len, size_t head)
{
	char buf[256];

	while (len) {
		size_t n = lab_read(fd, MECHANISM, channel, buf, sizeof(buf));

		lab_expect(n > head && n - head <= len, "as many bytes as are due");
		len -= n - head;
	}
}

static void ask(const struct mode *mode, int master)
{
	size_t head = mode->packet ? 1 : 0;

	for (int i = 0; i < ROUNDS; i++) {
		char text[64];
		int len = snprintf(text, sizeof(text), "question %d\n", i);
		size_t due;

		lab_write(master, MECHANISM, "input", text, (size_t)len);
		due = mode->echo ? (size_t)len + 1 : 0; /* the end of the line becomes two bytes */
		len = snprintf(text, sizeof(text), "answer %d\n", i);
		read_whole(master, "output", due + (size_t)len + (mode->raw ? 0 : 1), head);
	}
}

static void answer(int slave)
{
	for (int i = 0; i < ROUNDS; i++) {
		char text[64];
		int len = snprintf(text, sizeof(text), "question %d\n", i);

		read_whole(slave, "input", (size_t)len, 0);
		len = snprintf(text, sizeof(text), "answer %d\n", i);
		lab_write(slave, MECHANISM, "output", text, (size_t)len);
	}
}

int main(int argc, char **argv)
{
	const struct mode *mode;
	struct termios line;
	int master, slave, on = 1;
	char name[64];
	pid_t child;

	lab_help(argc, argv, "[raw|canonical|echo|packet]: questions and answers over a terminal");
	mode = mode_find(lab_word(argc, argv, 1, "raw"));
	lab_check(openpty(&master, &slave, name, NULL, NULL), "openpty");
	line = settings(mode, slave);
	lab_check(tcsetattr(slave, TCSANOW, &line), "tcsetattr");
	if (mode->packet)
		lab_check(ioctl(master, TIOCPKT, &on), "TIOCPKT");
	truth(.action = "open", .mechanism = MECHANISM, .data = name,
	      .result = (ssize_t)strlen(name));
	child = lab_fork();
	if (child) {
		close(slave);
		ask(mode, master);
		lab_reap_well(child);
	} else {
		close(master);
		answer(slave);
	}
	return EXIT_SUCCESS;
}
