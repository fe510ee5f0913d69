// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * sudo starts its command with an environment of its own making (sudoers(5), "Command environment")
 * and with a wider umask. But the sudo process itself was started by the user's shell, and
 * /proc/PID/environ still shows with what. Only the user's own command gets to see it.
 */
#include "sudo.h"

#include <ctype.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "identity.h"
#include "proc.h"

#define ENVIRONMENT_LEN_MAX (4 << 20)
#define WORDS_LEN_MAX (1 << 20)

/* Set by sudo for its command whatever the user had. */
static const char *const set_by_sudo[] = {"PATH",     "HOME", "USER", "LOGNAME",
					  "USERNAME", "MAIL", "SHELL"};

static bool is_sudo(pid_t pid)
{
	char name[PROC_VALUE_LEN];

	proc_status_value(pid, "Name", name);
	return strcmp(name, "sudo") == 0;
}

/* sudo may run as two processes, one of which watches the terminal; both have the same words. */
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

/* The first process of the sudo that started us, which may itself have been started by another. */
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
	if (strncmp(variable, "SUDO_", 5) == 0)
		return true;
	for (size_t i = 0; i < sizeof(set_by_sudo) / sizeof(set_by_sudo[0]); i++)
		if (strncmp(variable, set_by_sudo[i], strlen(set_by_sudo[i])) == 0 &&
		    variable[strlen(set_by_sudo[i])] == '=')
			return true;
	return false;
}

/* Where `variable` stands in the list, or its end. */
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
	list = calloc(count + own + 8, sizeof(*list)); /* room for what is added below */
	if (!list)
		return NULL;
	count = 0;
	for (size_t at = 0; at < len; at += strlen(text + at) + 1)
		if (strchr(text + at, '='))
			list[count++] = text + at;
	return list;
}

/* `sudo NAME=value ipclens …`: what the user gave on sudo's own command line holds. */
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

static void umask_recover(struct identity *identity, pid_t shell)
{
	char value[PROC_VALUE_LEN];

	proc_status_value(shell, "Uid", value);
	if (!isdigit((unsigned char)value[0]) || (uid_t)strtoul(value, NULL, 10) != identity->uid)
		return;
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
		umask_recover(identity, proc_parent(sudo));
	}
	if (!identity->environment)
		environment_repair(identity);
}
