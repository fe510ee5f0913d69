// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum { GROUPS_MAX = 256 };

/* Whose rights the file is opened with, and what to come back to. */
struct identity {
	bool changed;
	uid_t uid;
	gid_t gid;
	gid_t saved[GROUPS_MAX];
	int saved_count;
};

static bool parse_number(const char *text, unsigned long max, unsigned long *value)
{
	char *end;

	if (!text || *text < '0' || *text > '9')
		return false;
	errno = 0;
	*value = strtoul(text, &end, 10);
	return errno == 0 && *end == '\0' && *value <= max;
}

/* sudo sets both; (uid_t)-1 means "unchanged" to the kernel and is nobody. */
static bool invoking_user(uid_t *uid, gid_t *gid)
{
	unsigned long u, g;

	if (geteuid() != 0 || !parse_number(getenv("SUDO_UID"), (uid_t)-2, &u) ||
	    !parse_number(getenv("SUDO_GID"), (gid_t)-2, &g) || u == 0)
		return false;
	*uid = (uid_t)u;
	*gid = (gid_t)g;
	return true;
}

static int take_groups(uid_t uid, gid_t gid)
{
	gid_t groups[GROUPS_MAX] = {gid};
	int count = GROUPS_MAX;
	struct passwd *user = getpwuid(uid);

	if (!user || getgrouplist(user->pw_name, gid, groups, &count) < 0)
		count = 1;
	return setgroups((size_t)count, groups) ? -errno : 0;
}

static void identity_restore(const struct identity *id)
{
	if (!id->changed)
		return;
	/* Half a change of identity is worse than none. */
	if (seteuid(0) || setegid(id->gid) || setgroups((size_t)id->saved_count, id->saved))
		abort();
}

static int identity_take(struct identity *id)
{
	uid_t uid;
	gid_t gid;
	int err;

	id->changed = false;
	id->uid = geteuid();
	if (!invoking_user(&uid, &gid))
		return 0;
	id->gid = getegid();
	id->saved_count = getgroups(GROUPS_MAX, id->saved);
	if (id->saved_count < 0)
		return -errno;
	err = take_groups(uid, gid);
	if (err)
		return err;
	id->changed = true;
	id->uid = uid;
	if (setegid(gid) || seteuid(uid)) {
		err = -errno;
		identity_restore(id);
	}
	return err;
}

static const char *why_not_opened(int err)
{
	switch (err) {
	case ELOOP:
		return "it is a symbolic link";
	case ENXIO:
		return "it is not a regular file";
	default:
		return strerror(err);
	}
}

/* NULL where the open file may be written. */
static const char *why_not_written(int fd, uid_t owner)
{
	struct stat st;

	if (fstat(fd, &st))
		return strerror(errno);
	if (S_ISCHR(st.st_mode))
		return NULL;
	if (!S_ISREG(st.st_mode))
		return "it is not a regular file";
	if (st.st_nlink > 1)
		return "it has other hard links";
	if (st.st_uid != owner)
		return "it belongs to another user";
	if (ftruncate(fd, 0) || fchmod(fd, 0600))
		return strerror(errno);
	return NULL;
}

/* O_TRUNC only after the checks; O_NONBLOCK because a FIFO's open would wait for its reader. */
static int open_checked(const char *path, uid_t owner, const char **why)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		      0600);
	int err;

	if (fd < 0) {
		err = -errno;
		*why = why_not_opened(-err);
		return err;
	}
	*why = why_not_written(fd, owner);
	if (*why) {
		close(fd);
		return -EPERM;
	}
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	return fd;
}

/* The number of the descriptor that the name stands for, or -1. */
static int named_descriptor(const char *path)
{
	static const char prefix[] = "/dev/fd/";
	unsigned long fd;

	if (strcmp(path, "-") == 0 || strcmp(path, "/dev/stdout") == 0)
		return STDOUT_FILENO;
	if (strcmp(path, "/dev/stderr") == 0)
		return STDERR_FILENO;
	if (strncmp(path, prefix, sizeof(prefix) - 1) == 0 &&
	    parse_number(path + sizeof(prefix) - 1, 1 << 20, &fd))
		return (int)fd;
	return -1;
}

static int open_duplicate(int named, const char **why)
{
	int fd = fcntl(named, F_DUPFD_CLOEXEC, 0);
	int err = fd < 0 ? -errno : fd;

	if (fd < 0)
		*why = strerror(-err);
	return err;
}

int output_open(const char *path, const char **why)
{
	struct identity id;
	int fd = named_descriptor(path);
	int err;

	if (fd >= 0)
		return open_duplicate(fd, why);
	err = identity_take(&id);
	if (err) {
		*why = "cannot take the invoking user's rights";
		return err;
	}
	fd = open_checked(path, id.uid, why);
	identity_restore(&id);
	return fd;
}
