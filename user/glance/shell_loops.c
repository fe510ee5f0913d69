// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/glance/shell_loops.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/base/procfs.h"
#include "user/glance/process_looks.h"
#include "viz/base/clock.h"
#include "viz/base/shell_loop.h"

#define WATCH_NS 2000000000ULL /* all that are watched */
#define ROUND_NS 300000	       /* the command is there for a millisecond or two */
#define FRESH_NS 1000000000ULL /* the last round is no older */
#define TEXT_LEN 65536	       /* of a script */
#define ARGS_LEN 4096	       /* of a command */
#define CHILDREN_LEN 4096      /* of the list */
#define YOUNG_MS 1000
#define PAUSES_LEAST 2 /* seen to begin */
#define TICK_MS 10     /* /proc tells times in such steps */

/* The descriptors by which shells read a script: bash and zsh, dash. */
static const int script_fds[] = {255, 11, 10};

struct shell {
	pid_t pid;
	char *text; /* its script, or the arguments that it was given */
	size_t len;
	pid_t last;		       /* the child that was counted last */
	char command[ARGS_LEN];	       /* what it runs, with blanks between its words */
	uint64_t seen, last_ns;	       /* how often, and when last */
	uint64_t since_ms, watched_ns; /* since the machine was started; how long */
	uint64_t others;	       /* children that ran something else */
	struct viz_bytes tested;       /* or its pause: the file that it tests for in between */
	/* How its children ended that it has waited for meanwhile. */
	uint64_t failed, succeeded, killed;
};

static bool is_shell(pid_t pid)
{
	static const char *const names[] = {"sh", "bash", "dash", "zsh", "ksh"};
	char name[PROC_VALUE_LEN];

	proc_status_value(pid, "Name", name);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* NULs between arguments become `between`; a word of several lines stays as it is. */
static char *args_read(pid_t pid, char between, size_t len_max, size_t *len)
{
	char *text = proc_file(pid, "cmdline", len_max, len);

	while (text && *len && !text[*len - 1])
		--*len;
	for (size_t i = 0; text && i < *len; i++)
		if (!text[i])
			text[i] = between;
	return text;
}

/* Opens what was found to be a regular file, and nothing else that took its place. */
static int regular_open(const char *path)
{
	const int place = open(path, O_PATH | O_CLOEXEC);
	char own[48];
	struct stat is;
	int file = -1;

	snprintf(own, sizeof(own), "/proc/self/fd/%d", place);
	if (place >= 0 && fstat(place, &is) == 0 && S_ISREG(is.st_mode))
		file = open(own, O_RDONLY | O_NOCTTY | O_CLOEXEC);
	if (place >= 0)
		close(place);
	return file;
}

/* The regular file behind a descriptor of the process; NULL: it is none, or cannot be read. */
static char *file_read(pid_t pid, int fd, size_t *len)
{
	char path[64], *text = malloc(TEXT_LEN + 1);
	ssize_t n = -1;
	int file;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
	file = text ? regular_open(path) : -1;
	if (file >= 0) {
		n = pread(file, text, TEXT_LEN, 0);
		close(file);
	}
	if (n <= 0) {
		free(text);
		return NULL;
	}
	*len = (size_t)n;
	text[n] = 0;
	return text;
}

/* What the shell runs: its script, where it has one open, else, if these count, its arguments. */
static char *text_read(pid_t pid, bool args, size_t *len)
{
	for (size_t i = 0; i < sizeof(script_fds) / sizeof(script_fds[0]); i++) {
		char *text = file_read(pid, script_fds[i], len);

		if (text)
			return text;
	}
	return args ? args_read(pid, '\n', TEXT_LEN, len) : NULL;
}

/* proc_pid_task_tid_children(5): the youngest child of a shell, which has one thread; 0: none. */
static pid_t youngest_child(pid_t pid)
{
	char name[48];
	size_t len = 0;
	char *text, *blank;
	pid_t child;

	snprintf(name, sizeof(name), "task/%d/children", (int)pid);
	text = proc_file(pid, name, CHILDREN_LEN, &len);
	while (text && len && text[len - 1] == ' ')
		text[--len] = '\0';
	blank = text ? strrchr(text, ' ') : NULL;
	child = text ? (pid_t)atoi(blank ? blank + 1 : text) : 0;
	free(text);
	return child;
}

/* When the process was started, in ms since the machine was; 0: it is gone. */
static uint64_t started_ms(pid_t pid)
{
	struct proc_stat stat;

	return proc_stat(pid, &stat) ? proc_started_ms(&stat) : 0;
}

static bool is_young(pid_t pid)
{
	return pid && started_ms(pid) + YOUNG_MS > proc_now_ms();
}

/* The first word of a command, up to a blank. */
static struct viz_bytes first_word(const char *command)
{
	return viz_base_name((struct viz_bytes){command, strcspn(command, " ")});
}

static bool is_awaited(const struct shell *shell, const char *command)
{
	return shell_loops_until((struct viz_bytes){shell->text, shell->len}, first_word(command));
}

/*
 * The file that the shell waits for in pauses by such a command; empty: it does otherwise. One that
 * goes on as long as there is such a file may be at its work.
 */
static struct viz_bytes tested_between(const struct shell *shell, const char *command)
{
	const char *blank = strchr(command, ' ');
	struct viz_bytes file;
	bool comes = false;

	if (!blank || !viz_bytes_equal(first_word(command), viz_bytes_of("sleep")))
		return (struct viz_bytes){0};
	file = shell_loops_tested((struct viz_bytes){shell->text, shell->len},
				  viz_bytes_of(blank + 1), &comes);
	return comes ? file : (struct viz_bytes){0};
}

/* The arguments of the shell itself are those of a child that has not called exec(2) yet. */
static bool is_copy(const struct shell *shell, const char *command)
{
	size_t len = 0;
	char *own = args_read(shell->pid, ' ', ARGS_LEN - 1, &len);
	const bool same = own && strcmp(own, command) == 0;

	free(own);
	return same;
}

static void other_count(struct shell *shell, pid_t child, const char *command)
{
	if (is_copy(shell, command))
		return;
	shell->last = child;
	shell->others++;
}

static void child_count(struct shell *shell, pid_t child, const char *command)
{
	if (strcmp(shell->command, command) != 0)
		shell->seen = 0;
	if (!shell->seen++)
		snprintf(shell->command, sizeof(shell->command), "%s", command);
	shell->last = child;
	shell->last_ns = clock_now_ns();
}

static void shell_look(struct shell *shell)
{
	const pid_t child = youngest_child(shell->pid);
	size_t len;
	char *command;

	if (!child || child == shell->last || started_ms(child) < shell->since_ms)
		return;
	command = args_read(child, ' ', ARGS_LEN - 1, &len);
	if (command && len)
		shell->tested = tested_between(shell, command);
	if (command && len && (shell->tested.len || is_awaited(shell, command)))
		child_count(shell, child, command);
	else if (command && len)
		other_count(shell, child, command);
	free(command);
}

/* True if the text may have such a loop at all. */
static bool has_loop(const struct shell *shell)
{
	return memmem(shell->text, shell->len, "until", 5) ||
	       memmem(shell->text, shell->len, "while", 5) ||
	       memmem(shell->text, shell->len, "for", 3);
}

static void watch(struct shell *shell, uint64_t until_ns)
{
	shell->since_ms = proc_now_ms() / TICK_MS * TICK_MS;
	shell->last = youngest_child(shell->pid);
	shell->others = shell->last != 0; /* what it is does not matter: it may end well */
	shell->watched_ns = clock_now_ns();
	while (clock_now_ns() < until_ns) {
		shell_look(shell);
		clock_pause(ROUND_NS);
	}
	shell->watched_ns = clock_now_ns() - shell->watched_ns;
}

static void status_count(void *context, const struct wire_watched *call, uint64_t count)
{
	struct shell *shell = context;

	if ((pid_t)call->pid != shell->pid || call->status < 0)
		return;
	if (!WIFEXITED(call->status))
		shell->killed += count;
	else if (WEXITSTATUS(call->status))
		shell->failed += count;
	else
		shell->succeeded += count;
}

/*
 * How often the command failed, if it failed in each round, else 0. What ended well between two
 * looks may have been the command, so that it is none of those that were seen to be others.
 */
static uint64_t failures(const struct shell *shell)
{
	if (!shell->seen || shell->killed || shell->succeeded > shell->others ||
	    clock_now_ns() > shell->last_ns + FRESH_NS)
		return 0;
	return shell->failed > shell->others - shell->succeeded
		       ? shell->failed - (shell->others - shell->succeeded)
		       : 0;
}

static bool hides_arguments(const struct encoder *encoder)
{
	return encoder->secrets && encoder->secrets->hides_names;
}

/* The name of a program is told as `comm` in any case, and its arguments are hidden. */
static void command_write(struct encoder *encoder, const struct shell *shell)
{
	const bool hides = hides_arguments(encoder);
	const struct viz_bytes word = first_word(shell->command);

	json_key(&encoder->json, KEY(process, repeated));
	secret_bytes(&encoder->json, encoder->secrets, hides ? word.data : shell->command,
		     hides ? word.len : strlen(shell->command));
}

/*
 * The child that was there first has paused as well, or was what made the shell begin. Which file
 * it waits for is all that there is to tell.
 */
static bool only_pauses(const struct encoder *encoder, const struct shell *shell)
{
	return shell->tested.len && !hides_arguments(encoder) && shell->seen >= PAUSES_LEAST &&
	       shell->others <= 1 && !shell->failed && !shell->killed;
}

static void shell_write(struct encoder *encoder, const struct shell *shell)
{
	const bool pauses = only_pauses(encoder, shell);
	char name[PROC_VALUE_LEN];
	struct json *json;

	proc_status_value(shell->pid, "Name", name);
	json = process_line_begin(encoder, shell->pid, name);
	command_write(encoder, shell);
	json_field_uint(json, KEY(process, repeated_times), pauses ? shell->seen : failures(shell));
	json_field_uint(json, KEY(process, repeated_ns), shell->watched_ns);
	if (pauses) {
		json_key(json, KEY(process, tested_for));
		secret_bytes(json, encoder->secrets, shell->tested.data, shell->tested.len);
	}
	line_end(json);
}

static void shell_watch(struct encoder *encoder, struct tracer *tracer, struct shell *shell,
			uint64_t until_ns)
{
	if (shell->text && has_loop(shell) && !tracer_want(tracer, shell->pid) &&
	    !tracer_watch_begin(tracer)) {
		watch(shell, until_ns);
		tracer_watch_end(tracer, status_count, shell);
	}
	if (only_pauses(encoder, shell) ||
	    (failures(shell) >= SHELL_ROUNDS_LEAST && shell->failed >= shell->seen))
		shell_write(encoder, shell);
	free(shell->text);
}

void shell_loops_watch(struct encoder *encoder, struct tracer *tracer, const pid_t *pids,
		       size_t count, bool args)
{
	const uint64_t until_ns = clock_now_ns() + WATCH_NS;

	for (size_t i = 0; i < count; i++) {
		struct shell *shell;

		if (!is_shell(pids[i]) || !is_young(youngest_child(pids[i])))
			continue;
		shell = calloc(1, sizeof(*shell));
		if (!shell)
			return;
		shell->pid = pids[i];
		shell->text = text_read(shell->pid, args, &shell->len);
		shell_watch(encoder, tracer, shell, until_ns);
		free(shell);
	}
}
