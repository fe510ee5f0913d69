// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/base/caller.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Returns 1 with a number of a user or group, 0 if the variable is not set, or -EINVAL. (uid_t)-1
 * is excluded, as it means "unchanged" to the kernel.
 */
static int id_from_environment(const char *name, unsigned *id)
{
	const char *text = getenv(name);
	char *end;
	unsigned long value;

	if (!text || !*text)
		return 0;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || *text < '0' || *text > '9' || value >= UINT32_MAX)
		return -EINVAL;
	*id = (unsigned)value;
	return 1;
}

int caller_find(struct caller *caller)
{
	int found;

	*caller = (struct caller){getuid(), getgid()};
	if (geteuid() != 0)
		return 0;
	if (getuid() != 0) /* set-user-ID: the environment is not root's, and says nothing */
		return 1;
	found = id_from_environment("SUDO_UID", &caller->uid);
	if (found < 1)
		return found;
	return id_from_environment("SUDO_GID", &caller->gid) == 1 ? 1 : -EINVAL;
}

int caller_groups(const struct caller *caller, gid_t **groups, size_t *count)
{
	struct passwd *user = getpwuid(caller->uid);
	int room = 64;

	*groups = NULL;
	for (;;) {
		gid_t *list = reallocarray(*groups, (size_t)room, sizeof(*list));
		int listed = room;

		if (!list) {
			free(*groups);
			*groups = NULL;
			return -ENOMEM;
		}
		*groups = list;
		*count = 1;
		list[0] = caller->gid;
		if (!user) /* a uid without an entry in passwd(5) has only its gid */
			return 0;
		if (getgrouplist(user->pw_name, caller->gid, list, &listed) >= 0) {
			*count = (size_t)listed;
			return 0;
		}
		room = listed;
	}
}

int caller_take(const struct caller *caller)
{
	gid_t *groups;
	size_t count;
	int error = caller_groups(caller, &groups, &count);

	if (error)
		return error;
	if (setgroups(count, groups) || setresgid(caller->gid, caller->gid, caller->gid) ||
	    setresuid(caller->uid, caller->uid, caller->uid))
		error = -errno;
	free(groups);
	return error;
}

static int capabilities_clear(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct none[2] = {{0}};

	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return syscall(SYS_capset, &header, none) ? -errno : 0;
}

/* sudo has set these for root, and a pager reads its settings from HOME. */
static void environment_set(uid_t uid)
{
	struct passwd *user = getpwuid(uid);

	if (!user)
		return;
	setenv("HOME", user->pw_dir, 1);
	setenv("USER", user->pw_name, 1);
	setenv("LOGNAME", user->pw_name, 1);
	setenv("SHELL", user->pw_shell, 1);
}

/* Tries what must fail, since a securebit or a namespace may have kept what the calls gave up. */
static bool can_have_it_back(void)
{
	uid_t real, effective, saved;

	return getresuid(&real, &effective, &saved) || !real || !effective || !saved ||
	       setresuid((uid_t)-1, 0, (uid_t)-1) == 0 || setgroups(0, NULL) == 0;
}

int caller_become(void)
{
	struct caller caller;
	int error = caller_find(&caller);

	if (error < 0)
		return error;
	if (error == 0)
		return geteuid() == 0 ? 0 : capabilities_clear();
	if (caller.uid == 0)
		return 0;
	environment_set(caller.uid);
	error = caller_take(&caller);
	if (!error)
		error = capabilities_clear();
	if (!error && can_have_it_back())
		error = -EPERM;
	return error;
}

bool caller_has_more_rights(void)
{
	uid_t uid = (uid_t)-1; /* nobody's, where the variable says nothing that can be read */

	return geteuid() == 0 || (id_from_environment("SUDO_UID", &uid) && uid != geteuid());
}
