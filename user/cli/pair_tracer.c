// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/cli/pair_tracer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/cli/user_messages.h"
#include "viz/base/caller.h"

#define SELF "/proc/self/exe"

/* "ipclens record --timeout N -o FILE -p PID…" */
#define WORD_LEN 16
struct command_line {
	char seconds[WORD_LEN], pids[TOP_TRACED_MOST][WORD_LEN];
	const char *words[8 + 2 * TOP_TRACED_MOST];
};

static void record_words(struct command_line *line, const struct top_trace *trace, const char *file)
{
	const char *const begin[] = {"ipclens", "record", "--timeout", line->seconds, "-o", file};
	size_t count = sizeof(begin) / sizeof(begin[0]);

	snprintf(line->seconds, WORD_LEN, "%u", trace->seconds);
	memcpy(line->words, begin, sizeof(begin));
	for (size_t i = 0; i < trace->count; i++) {
		snprintf(line->pids[i], WORD_LEN, "%d", (int)trace->pids[i]);
		line->words[count++] = "-p";
		line->words[count++] = line->pids[i];
	}
	line->words[count] = NULL;
}

/* What `top` set for itself is not for what it starts. */
static void signals_restore(void)
{
	static const int numbers[] = {SIGINT, SIGQUIT, SIGPIPE, SIGXFSZ};
	sigset_t none;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		signal(numbers[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Waits until the child has ended; `top` ends it by closing the pipe. Returns its exit status. */
static int child_wait(pid_t child, int ask)
{
	struct pollfd polled[2] = {{.fd = (int)syscall(SYS_pidfd_open, child, 0), .events = POLLIN},
				   {.fd = ask, .events = 0}};
	int status = -1;

	while (polled[0].fd >= 0 && poll(polled, 2, -1) >= 0 && !polled[0].revents) {
		if (!polled[1].revents)
			continue;
		kill(child, SIGTERM);
		break;
	}
	if (polled[0].fd >= 0)
		close(polled[0].fd);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int child_run(const char *const words[], int ask)
{
	pid_t child = fork();

	if (child < 0)
		return -1;
	if (child == 0) {
		signals_restore();
		execv(SELF, (char *const *)words);
		_exit(127);
	}
	return child_wait(child, ask);
}

/*
 * Gives a folder that was made right now to the user who typed. By descriptor: who owns the folder
 * above may have put another file in its place meanwhile, even a link to one of root's.
 */
static bool give_away(const char *folder, const struct caller *caller)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bool given = fd >= 0 && !fchown(fd, caller->uid, caller->gid);

	if (fd >= 0)
		close(fd);
	return given;
}

/* The name of a file in a folder of the user who typed, in which nobody else can put anything. */
static bool file_name(char file[PAIR_FILE_LEN])
{
	static const char name[] = "/pair.ndjson";
	const char *above = getenv("TMPDIR");
	struct caller caller;
	int found = caller_find(&caller), len;

	len = snprintf(file, PAIR_FILE_LEN, "%s/ipclens-top-XXXXXX",
		       above && *above ? above : "/tmp");
	if (found < 0 || len >= PAIR_FILE_LEN - (int)sizeof(name) || !mkdtemp(file))
		return false;
	if (found && !give_away(file, &caller))
		return false;
	memcpy(file + len, name, sizeof(name));
	return true;
}

/* False: there is no picture. The trace stays all the same. */
static bool trace_and_show(const struct top_trace *trace, int ask, enum language language,
			   struct pair_answer *answer)
{
	const char *const view[] = {"ipclens",	  "view",
				    "--lang",	  language == LANGUAGE_DE ? "de" : "en",
				    answer->file, NULL};
	struct command_line line;
	int status;

	if (!file_name(answer->file)) {
		report_error("%s: %s", answer->file, strerror(errno));
		answer->file[0] = 0;
		return false;
	}
	record_words(&line, trace, answer->file);
	status = child_run(line.words, ask);
	if (status != 0 && status != STATUS_TIMEOUT)
		return false;
	return child_run(view, ask) == 0;
}

static bool is_sound(const struct top_trace *trace)
{
	bool sound = trace->count && trace->count <= TOP_TRACED_MOST && trace->seconds &&
		     trace->seconds <= TOP_TRACE_SECONDS_MOST;

	for (size_t i = 0; sound && i < trace->count; i++)
		sound = trace->pids[i] > 0;
	return sound;
}

static void serve(int ask, int answer, enum language language)
{
	struct top_trace trace;

	while (read(ask, &trace, sizeof(trace)) == (ssize_t)sizeof(trace)) {
		struct pair_answer told = {0};

		told.shown = is_sound(&trace) && trace_and_show(&trace, ask, language, &told);
		if (write(answer, &told, sizeof(told)) != (ssize_t)sizeof(told))
			break;
	}
}

/* Ctrl-C is for what runs in the foreground, and for `top`, which closes the pipe. */
static void signals_ignore(void)
{
	static const int numbers[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGPIPE};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		signal(numbers[i], SIG_IGN);
}

int pair_tracer_start(struct pair_tracer *tracer, enum language language)
{
	int ask[2], answer[2], err;

	if (pipe2(ask, O_CLOEXEC))
		return -errno;
	if (pipe2(answer, O_CLOEXEC)) {
		err = -errno;
		close(ask[0]);
		close(ask[1]);
		return err;
	}
	tracer->pid = fork();
	err = tracer->pid < 0 ? -errno : 0;
	if (tracer->pid == 0) {
		close(ask[1]);
		close(answer[0]);
		signals_ignore();
		serve(ask[0], answer[1], language);
		_exit(EXIT_SUCCESS);
	}
	close(ask[0]);
	close(answer[1]);
	tracer->ask = ask[1];
	tracer->answer = answer[0];
	return err;
}

bool pair_tracer_ask(const struct pair_tracer *tracer, const struct top_trace *trace)
{
	return tracer->pid > 0 &&
	       write(tracer->ask, trace, sizeof(*trace)) == (ssize_t)sizeof(*trace);
}

void pair_tracer_end(struct pair_tracer *tracer)
{
	if (tracer->pid <= 0)
		return;
	close(tracer->ask);
	while (waitpid(tracer->pid, NULL, 0) < 0 && errno == EINTR)
		;
	close(tracer->answer);
	tracer->pid = 0;
}
