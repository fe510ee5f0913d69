// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "identity.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sudo.h"

static int number_from_environment(const char *name, unsigned *number)
{
	const char *text = getenv(name);
	char *end;
	unsigned long value;

	if (!text || !*text)
		return -ENOENT;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || *text == '-' || value >= 0xffffffffUL)
		return -EINVAL;
	*number = (unsigned)value;
	return 0;
}

static int groups_find(struct identity *identity)
{
	struct passwd *user = getpwuid(identity->uid);
	int count = 64;

	for (;;) {
		gid_t *groups = reallocarray(identity->groups, (size_t)count, sizeof(*groups));

		if (!groups)
			return -ENOMEM;
		identity->groups = groups;
		identity->group_count = count;
		if (!user) { /* a user whom no database knows has the one group */
			groups[0] = identity->gid;
			identity->group_count = 1;
			return 0;
		}
		if (getgrouplist(user->pw_name, identity->gid, groups, &identity->group_count) >= 0)
			return 0;
		count = identity->group_count;
	}
}

int identity_find(struct identity *identity)
{
	int error;

	*identity = (struct identity){.uid = getuid(), .gid = getgid()};
	if (geteuid() != 0)
		return 0;
	error = number_from_environment("SUDO_UID", &identity->uid);
	if (error == -ENOENT)
		return 0;
	if (!error)
		error = number_from_environment("SUDO_GID", &identity->gid);
	if (error)
		return -EINVAL;
	if (identity->uid == 0 && !sudo_is_parent())
		return 0; /* root is root already, and what root's shell has set stays */
	identity->changes = true;
	sudo_recover(identity);
	return groups_find(identity);
}

void identity_free(struct identity *identity)
{
	free(identity->groups);
	free(identity->environment);
	free(identity->environment_text);
	*identity = (struct identity){0};
}

static int ids_set(const struct identity *identity)
{
	if (setgroups((size_t)identity->group_count, identity->groups) ||
	    setresgid(identity->gid, identity->gid, identity->gid) ||
	    setresuid(identity->uid, identity->uid, identity->uid))
		return -errno;
	return 0;
}

int identity_become(const struct identity *identity)
{
	if (!identity->changes)
		return 0;
	if (identity->has_umask)
		umask(identity->umask);
	if (identity->environment)
		environ = identity->environment;
	return ids_set(identity);
}

static int capabilities_reduce(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {
		{.effective = 1U << CAP_KILL, .permitted = 1U << CAP_KILL}};

	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

int identity_drop(const struct identity *identity)
{
	int error = 0;

	if (geteuid() != 0)
		return 0;
	if (prctl(PR_SET_KEEPCAPS, 1))
		return -errno;
	if (identity->changes)
		error = ids_set(identity);
	return error ? error : capabilities_reduce();
}
