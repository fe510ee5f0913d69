// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/base/terminal.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "viz/base/caller.h"

enum {
	WIDTH_DEFAULT = 120, /* for files and pipes */
	WIDTH_TTY = 80,
	WIDTH_MAX = 1000,
};

static bool is_set(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

static bool is_forced(const char *name)
{
	const char *value = getenv(name);

	return value && *value && strcmp(value, "0") != 0;
}

static bool wants_colour(const struct term *term, enum term_when colour)
{
	if (colour != TERM_AUTO)
		return colour == TERM_ALWAYS;
	if (is_set("NO_COLOR"))
		return false;
	if (is_forced("CLICOLOR_FORCE") || is_forced("FORCE_COLOR"))
		return true;
	return term->tty && !term->dumb;
}

/* COLUMNS counts only if the user exported it: shells do not export their own. 0: not set. */
static int columns_wanted(void)
{
	const char *text = getenv("COLUMNS");
	char *end;
	long value;

	if (!text || !*text)
		return 0;
	value = strtol(text, &end, 10);
	if (*end || value < 1)
		return 0;
	return value > WIDTH_MAX ? WIDTH_MAX : (int)value;
}

static const char *locale_name(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (is_set(names[i]))
			return getenv(names[i]);
	return NULL;
}

/*
 * Whether the environment's locale is UTF-8, whatever locale the program has set. The name mostly
 * tells, so the locale need not be installed. Without any name (a bare container) UTF-8 is assumed.
 */
static bool locale_is_utf8(void)
{
	const char *name = locale_name();
	locale_t locale;
	bool utf8;

	if (!name || strcasestr(name, "utf-8") || strcasestr(name, "utf8"))
		return true;
	if (strcmp(name, "C") == 0 || strcmp(name, "POSIX") == 0)
		return false;
	locale = newlocale(LC_CTYPE_MASK, name, (locale_t)0);
	if (!locale)
		return false;
	utf8 = strcmp(nl_langinfo_l(CODESET, locale), "UTF-8") == 0;
	freelocale(locale);
	return utf8;
}

void term_look(struct term *term, int fd, enum term_when colour)
{
	const char *kind = getenv("TERM");
	struct winsize size = {0};

	*term = (struct term){.tty = isatty(fd) == 1, .utf8 = locale_is_utf8()};
	term->dumb = term->tty && (!kind || !*kind || strcmp(kind, "dumb") == 0);
	term->colour = wants_colour(term, colour);
	if (term->tty && ioctl(fd, TIOCGWINSZ, &size) == 0) {
		term->width = size.ws_col;
		term->rows = size.ws_row;
	}
	if (columns_wanted())
		term->width = columns_wanted();
	if (term->width < 1)
		term->width = term->tty ? WIDTH_TTY : WIDTH_DEFAULT;
	if (term->width > WIDTH_MAX)
		term->width = WIDTH_MAX;
}

bool term_parse_when(const char *text, enum term_when *when)
{
	static const char *const words[] = {"auto", "always", "never"};

	for (int i = 0; i < 3; i++)
		if (strcmp(text, words[i]) == 0) {
			*when = (enum term_when)i;
			return true;
		}
	return false;
}

static const char *pager_command(void)
{
	if (is_set("IPCLENS_PAGER"))
		return getenv("IPCLENS_PAGER");
	if (is_set("PAGER"))
		return getenv("PAGER");
	return "less";
}

/*
 * Only less can be told to start no shell, to write no file and to heed no LESSOPEN; so that what
 * is started is less, PATH is set, too.
 */
static void exec_harmless_pager(void)
{
	setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1);
	setenv("LESSSECURE", "1", 1);
	setenv("LESS", "FRSX", 1);
	execlp("less", "less", (char *)NULL);
	_exit(127);
}

static void exec_pager(const int pipe_fds[2])
{
	if (dup2(pipe_fds[0], STDIN_FILENO) < 0)
		_exit(127);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	if (caller_has_more_rights())
		exec_harmless_pager();
	setenv("LESS", "FRSX", 0);
	execl("/bin/sh", "sh", "-c", pager_command(), (char *)NULL);
	_exit(127);
}

/* Writes until the pager exits: leaving it early is no error. */
void pager_show(const struct pager *pager, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(pager->input, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

/* False if the shell found no pager (exit status 126 or 127). */
static bool has_shown(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return true;
	return !WIFEXITED(status) || (WEXITSTATUS(status) != 127 && WEXITSTATUS(status) != 126);
}

/*
 * Ignores SIGINT and SIGQUIT, which are meant for the pager while it runs, and SIGPIPE of a pager
 * that was left early; or restores what was set before.
 */
static void ignore_signals(struct sigaction before[3], bool ignore)
{
	static const int numbers[3] = {SIGINT, SIGQUIT, SIGPIPE};
	struct sigaction ignoring = {.sa_handler = SIG_IGN};

	for (int i = 0; i < 3; i++)
		sigaction(numbers[i], ignore ? &ignoring : &before[i], ignore ? &before[i] : NULL);
}

bool pager_start(struct pager *pager)
{
	int pipe_fds[2];

	if (pipe(pipe_fds))
		return false;
	pager->pid = fork();
	if (pager->pid == 0)
		exec_pager(pipe_fds);
	close(pipe_fds[0]);
	if (pager->pid < 0) {
		close(pipe_fds[1]);
		return false;
	}
	pager->input = pipe_fds[1];
	ignore_signals(pager->before, true);
	return true;
}

bool pager_end(struct pager *pager)
{
	bool shown;

	close(pager->input);
	shown = has_shown(pager->pid);
	ignore_signals(pager->before, false);
	return shown;
}

bool term_page(const char *text, size_t len)
{
	struct pager pager;

	if (!pager_start(&pager))
		return false;
	pager_show(&pager, text, len);
	return pager_end(&pager);
}
