// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * sudo gives its command an environment of its own making (sudoers(5), "Command environment"), a
 * wider umask and other limits. The sudo process itself was started by the user's shell, though,
 * and its /proc/PID/environ still shows the user's environment. Only the traced command, which runs
 * as the user, gets to see it.
 */
#include "user/capture/sudo.h"

#include <ctype.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/base/procfs.h"
#include "user/capture/caller_identity.h"

#define ENVIRONMENT_LEN_MAX (4 << 20)
#define WORDS_LEN_MAX (1 << 20)

/*
 * Variables that sudo sets for its command whatever the user had; it also sets TERM if it was
 * unset.
 */
static const char *const set_by_sudo[] = {"PATH",     "HOME", "USER", "LOGNAME",
					  "USERNAME", "MAIL", "SHELL"};

static bool is_sudo(pid_t pid)
{
	char name[PROC_VALUE_LEN];

	proc_status_value(pid, "Name", name);
	return strcmp(name, "sudo") == 0;
}

/*
 * sudo may run as two processes, one of which watches the terminal; both have the same command
 * line.
 */
static bool same_words(pid_t a, pid_t b)
{
	size_t a_len = 0, b_len = 0;
	char *x = proc_file(a, "cmdline", WORDS_LEN_MAX, &a_len);
	char *y = proc_file(b, "cmdline", WORDS_LEN_MAX, &b_len);
	bool same = x && y && a_len == b_len && memcmp(x, y, a_len) == 0;

	free(x);
	free(y);
	return same;
}

bool sudo_is_parent(void)
{
	return is_sudo(getppid());
}

/*
 * Returns the first process of the sudo that started ipclens, which another sudo may itself have
 * started.
 */
static pid_t sudo_find(void)
{
	pid_t pid = getppid();

	while (is_sudo(proc_parent(pid)) && same_words(pid, proc_parent(pid)))
		pid = proc_parent(pid);
	return pid;
}

static bool same_name(const char *a, const char *b)
{
	size_t len = strcspn(a, "=");

	return strncmp(a, b, len) == 0 && b[len] == '=';
}

static bool is_set_by_sudo(const char *variable)
{
	if (strncmp(variable, "SUDO_", 5) == 0 || strcmp(variable, "TERM=unknown") == 0)
		return true;
	for (size_t i = 0; i < sizeof(set_by_sudo) / sizeof(set_by_sudo[0]); i++)
		if (strncmp(variable, set_by_sudo[i], strlen(set_by_sudo[i])) == 0 &&
		    variable[strlen(set_by_sudo[i])] == '=')
			return true;
	return false;
}

/* Returns the entry of `list` with the name of `variable`, or the terminating NULL entry. */
static char **place_of(char **list, const char *variable)
{
	while (*list && !same_name(*list, variable))
		list++;
	return list;
}

static size_t count_of(char *const *list)
{
	size_t count = 0;

	while (list[count])
		count++;
	return count;
}

static char **split(char *text, size_t len)
{
	size_t count = 0, own = count_of(environ);
	char **list;

	for (size_t i = 0; i < len; i++)
		count += text[i] == 0;
	list = calloc(count + own + 8, sizeof(*list)); /* room for what add_given() adds */
	if (!list)
		return NULL;
	count = 0;
	for (size_t at = 0; at < len; at += strlen(text + at) + 1)
		if (strchr(text + at, '='))
			list[count++] = text + at;
	return list;
}

/* Variables given on sudo's own command line (`sudo NAME=value ipclens …`) override the user's. */
static void add_given(char **list)
{
	for (char **own = environ; *own; own++)
		if (!is_set_by_sudo(*own))
			*place_of(list, *own) = *own;
}

static void environment_recover(struct identity *identity, pid_t sudo)
{
	size_t len = 0;
	char *text = proc_file(sudo, "environ", ENVIRONMENT_LEN_MAX, &len);
	char **list = text ? split(text, len) : NULL;

	if (!list) {
		free(text);
		return;
	}
	add_given(list);
	identity->environment_text = text;
	identity->environment = list;
}

static bool is_of_user(const struct identity *identity, pid_t pid)
{
	char value[PROC_VALUE_LEN];

	proc_status_value(pid, "Uid", value);
	return isdigit((unsigned char)value[0]) && (uid_t)strtoul(value, NULL, 10) == identity->uid;
}

/*
 * sudo forbids core dumps and changes other limits by its policy (sudoers(5), rlimit_core). Reading
 * another process's limits, and raising them again, needs CAP_SYS_RESOURCE; without it, sudo's
 * limits stay.
 */
static void limits_recover(struct identity *identity, pid_t shell)
{
	for (int i = 0; i < RLIM_NLIMITS; i++)
		if (prlimit(shell, (unsigned)i, NULL, &identity->limits[i]))
			return;
	identity->has_limits = true;
}

static void umask_recover(struct identity *identity, pid_t shell)
{
	char value[PROC_VALUE_LEN];

	proc_status_value(shell, "Umask", value);
	if (!value[0])
		return;
	identity->umask = (mode_t)strtoul(value, NULL, 8);
	identity->has_umask = true;
}

static void environment_repair(const struct identity *identity)
{
	struct passwd *user = getpwuid(identity->uid);

	if (!user)
		return;
	setenv("HOME", user->pw_dir, 1);
	setenv("USER", user->pw_name, 1);
	setenv("LOGNAME", user->pw_name, 1);
	setenv("SHELL", user->pw_shell, 1);
}

void sudo_recover(struct identity *identity)
{
	if (sudo_is_parent()) {
		pid_t sudo = sudo_find();

		environment_recover(identity, sudo);
		if (is_of_user(identity, proc_parent(sudo))) {
			umask_recover(identity, proc_parent(sudo));
			limits_recover(identity, proc_parent(sudo));
		}
	}
	if (!identity->environment)
		environment_repair(identity);
}
