// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/cli/top_live.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "user/cli/top_terminal.h"
#include "viz/base/clock.h"
#include "viz/base/memory.h"

struct top_live {
	struct top_screen *screen;
	struct pair_tracer *tracer;
	enum language language;
	int signals;
};

static void draw(struct top_live *live)
{
	struct arena *arena = arena_new();
	struct top_page page;

	top_screen_draw(live->screen, arena, &page);
	top_terminal_draw(&page);
	arena_free(arena);
}

static void measure(struct top_live *live)
{
	int rows, width;

	top_terminal_measure(&rows, &width);
	top_screen_resize(live->screen, rows, width);
}

struct top_live *top_live_open(const struct term *term, enum language language,
			       struct pair_tracer *tracer, int signals)
{
	const struct top_look look = {.utf8 = term->utf8, .language = language};
	struct top_live *live;

	if (!top_terminal_open(term))
		return NULL;
	live = memory_new(sizeof(*live));
	*live = (struct top_live){top_screen_new(&look), tracer, language, signals};
	measure(live);
	draw(live);
	return live;
}

void top_live_close(struct top_live *live)
{
	if (!live)
		return;
	top_terminal_close();
	top_screen_free(live->screen);
	free(live);
}

void top_live_show(struct top_live *live, const struct top_pairs *pairs,
		   const struct top_interval *interval)
{
	top_screen_show(live->screen, pairs, interval);
	draw(live);
}

/* --- a trace --------------------------------------------------------------------------------- */

/* The next signal, or 0. */
static int signal_take(const struct top_live *live)
{
	struct signalfd_siginfo signal;

	return read(live->signals, &signal, sizeof(signal)) == (ssize_t)sizeof(signal)
		       ? (int)signal.ssi_signo
		       : 0;
}

/*
 * Waits until `fd` can be read. Ctrl-C is for the process that traces or shows; any other signal
 * but a new size ends the waiting, and it is false.
 */
static bool wait_readable(const struct top_live *live, int fd, bool *interrupted)
{
	struct pollfd polled[2] = {{.fd = fd, .events = POLLIN},
				   {.fd = live->signals, .events = POLLIN}};

	*interrupted = false;
	while (!*interrupted) {
		if (poll(polled, 2, -1) < 0 || !polled[1].revents) {
			if (polled[0].revents)
				return true;
			continue;
		}
		switch (signal_take(live)) {
		case SIGINT:
			*interrupted = true;
			break;
		case SIGTERM:
		case SIGHUP:
			return false;
		default:
			break;
		}
	}
	return true;
}

static void enter_await(const struct top_live *live)
{
	char typed[256];
	bool interrupted;

	tcflush(STDIN_FILENO, TCIFLUSH);
	fputs(language_say(live->language, "Enter: back to the table "), stdout);
	fflush(stdout);
	if (wait_readable(live, STDIN_FILENO, &interrupted) && !interrupted &&
	    read(STDIN_FILENO, typed, sizeof(typed)) < 0)
		return;
}

/* False: a signal wants an end. */
static bool answer_await(const struct top_live *live)
{
	struct pair_answer answer = {0};
	bool interrupted = true;
	char text[256];

	while (interrupted)
		if (!wait_readable(live, live->tracer->answer, &interrupted))
			return false;
	if (read(live->tracer->answer, &answer, sizeof(answer)) != (ssize_t)sizeof(answer))
		return true;
	if (!answer.shown)
		puts(language_say(live->language, "There is no picture of this trace."));
	snprintf(text, sizeof(text), language_say(live->language, "The trace is %s"), answer.file);
	if (*answer.file)
		top_screen_tell(live->screen, text);
	return true;
}

static bool trace(struct top_live *live)
{
	const struct top_trace *wanted = top_screen_trace(live->screen);
	bool goes_on = true;

	top_terminal_leave();
	printf(language_say(live->language, "Tracing for %u s; Ctrl-C ends it now.\n"),
	       wanted->seconds);
	fflush(stdout);
	if (pair_tracer_ask(live->tracer, wanted)) {
		goes_on = answer_await(live);
		if (goes_on)
			enter_await(live);
	} else {
		top_screen_tell(live->screen,
				language_say(live->language, "The process that traces has ended."));
	}
	if (!goes_on)
		return false;
	top_terminal_return();
	measure(live);
	draw(live);
	return true;
}

/* --- keys and signals ------------------------------------------------------------------------ */

/* All that was typed; *now: the interval shall end. False: the user wants an end. */
static bool keys_heed(struct top_live *live, bool *now)
{
	uint32_t key;

	while (top_terminal_key(&key)) {
		enum top_ask ask = key ? top_screen_key(live->screen, key) : TOP_GO_ON;

		if (ask == TOP_QUIT || (ask == TOP_TRACE && !trace(live)))
			return false;
		*now |= ask == TOP_NOW;
	}
	draw(live);
	return true;
}

static bool signals_heed(struct top_live *live)
{
	for (int signal = signal_take(live); signal; signal = signal_take(live))
		if (signal != SIGWINCH)
			return false;
	measure(live);
	draw(live);
	return true;
}

bool top_live_wait(struct top_live *live, uint64_t end_ns)
{
	struct pollfd polled[2] = {{.fd = live->signals, .events = POLLIN},
				   {.fd = STDIN_FILENO, .events = POLLIN}};
	bool over = false;

	for (;;) {
		uint64_t now = clock_now_ns(), left = now < end_ns ? end_ns - now : 0;
		const struct timespec pause = {.tv_sec = (time_t)(left / 1000000000),
					       .tv_nsec = (long)(left % 1000000000)};

		if (!left || over)
			return true;
		if (ppoll(polled, 2, &pause, NULL) <= 0)
			continue;
		if (polled[0].revents && !signals_heed(live))
			return false;
		if (polled[1].revents & (POLLHUP | POLLERR | POLLNVAL))
			return false;
		if (polled[1].revents && !keys_heed(live, &over))
			return false;
	}
}
