// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/base/private_file.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "viz/base/caller.h"
#include "viz/base/error.h"
#include "viz/base/trusted_path.h"

enum { GROUPS_MAX = 256, BESIDE_LEN = 32 };

/* The user whose rights the file is opened with, and the identity to restore. */
struct identity {
	bool changed;
	uid_t uid;
	gid_t gid;
	gid_t saved[GROUPS_MAX];
	int saved_count;
};

static int take_groups(const struct caller *caller)
{
	gid_t *groups;
	size_t count;
	int err = caller_groups(caller, &groups, &count);

	if (!err && setgroups(count, groups))
		err = -errno;
	free(groups);
	return err;
}

static void identity_restore(const struct identity *id)
{
	if (!id->changed)
		return;
	/* A process with a half-restored identity must not go on. */
	if (seteuid(0) || setegid(id->gid) || setgroups((size_t)id->saved_count, id->saved))
		abort();
}

static int identity_take(struct identity *id)
{
	struct caller caller;
	int err = caller_find(&caller);

	id->changed = false;
	id->uid = geteuid();
	if (err < 0)
		return err;
	if (err == 0 || caller.uid == 0)
		return 0;
	id->gid = getegid();
	id->saved_count = getgroups(GROUPS_MAX, id->saved);
	if (id->saved_count < 0)
		return -errno;
	err = take_groups(&caller);
	if (err)
		return err;
	id->changed = true;
	id->uid = caller.uid;
	if (setegid(caller.gid) || seteuid(caller.uid)) {
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
		return error_reason(err);
	}
}

static const char *why_not_owned(const struct stat *st, uid_t owner)
{
	if (!S_ISREG(st->st_mode))
		return "it is not a regular file";
	if (st->st_nlink > 1)
		return "it has other hard links";
	return st->st_uid != owner ? "it belongs to another user" : NULL;
}

/* NULL if the open file may be written; otherwise the reason. Empties the file. */
static const char *why_not_written(int fd, uid_t owner)
{
	const char *why;
	struct stat st;

	if (fstat(fd, &st))
		return strerror(errno);
	if (S_ISCHR(st.st_mode))
		return NULL;
	why = why_not_owned(&st, owner);
	if (!why && (ftruncate(fd, 0) || fchmod(fd, 0600)))
		return strerror(errno);
	return why;
}

/* Opens the directory that holds the file, or gives -errno and why. */
static int open_directory(const char *path, uid_t owner, const char **name, const char **why)
{
	int dir = trusted_directory_open(path, owner, name);

	if (dir < 0)
		*why = dir == -EPERM ? "its directory is a symbolic link of another user"
				     : error_reason(-dir);
	return dir;
}

/*
 * The file is emptied only after the checks, so no O_TRUNC. O_NONBLOCK: opening a FIFO would wait
 * for its reader.
 */
static int open_checked(const char *path, uid_t owner, const char **why)
{
	const char *name;
	int fd, err, dir = open_directory(path, owner, &name, why);

	if (dir < 0)
		return dir;
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		    0600);
	err = -errno;
	close(dir);
	if (fd < 0) {
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

static bool parse_number(const char *text, unsigned long max, unsigned long *value)
{
	char *end;

	if (!text || *text < '0' || *text > '9')
		return false;
	errno = 0;
	*value = strtoul(text, &end, 10);
	return errno == 0 && *end == '\0' && *value <= max;
}

/* The descriptor number that the name stands for; -1: none. */
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
		*why = error_reason(-err);
	return err;
}

static int take_or_say(struct identity *id, const char **why)
{
	int err = identity_take(id);

	if (err)
		*why = err == -EINVAL ? "SUDO_UID and SUDO_GID do not name a user"
				      : "cannot take the invoking user's rights";
	return err;
}

int output_open(const char *path, const char **why)
{
	struct identity id;
	int fd = named_descriptor(path);
	int err;

	if (fd >= 0)
		return open_duplicate(fd, why);
	err = take_or_say(&id, why);
	if (err)
		return err;
	fd = open_checked(path, id.uid, why);
	identity_restore(&id);
	return fd;
}

/* --- in the place of a file --- */

bool output_is_file(const char *path)
{
	struct stat st;

	if (named_descriptor(path) >= 0)
		return false;
	return lstat(path, &st) ? errno == ENOENT : S_ISREG(st.st_mode);
}

/* Makes a file with a name that nobody can expect, or gives -errno. */
static int create_beside(int dir, char name[BESIDE_LEN])
{
	uint64_t number;
	int fd;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return -EAGAIN;
	snprintf(name, BESIDE_LEN, ".ipclens-%016" PRIx64, number);
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

/* Closes the file, too. */
static int write_beside(int fd, mode_t mode, const char *bytes, size_t len)
{
	int err = fchmod(fd, mode) ? -errno : 0;

	while (!err && len) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno != EINTR)
			err = -errno;
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		}
	}
	return close(fd) && !err ? -errno : err;
}

/*
 * NULL if what is there may be written (output_open), is gone, or cannot be looked at: then no file
 * can be made beside it either. Otherwise the reason.
 */
static const char *why_not_replaced(int dir, const char *name, uid_t owner)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return NULL;
	return S_ISLNK(st.st_mode) ? why_not_opened(ELOOP) : why_not_owned(&st, owner);
}

static int replace_in(int dir, const char *name, mode_t mode, const char *bytes, size_t len)
{
	char beside[BESIDE_LEN];
	int err, fd = create_beside(dir, beside);

	if (fd < 0)
		return fd;
	err = write_beside(fd, mode, bytes, len);
	if (!err && renameat(dir, beside, dir, name))
		err = -errno;
	if (err)
		unlinkat(dir, beside, 0);
	return err;
}

static int replace(const char *path, mode_t mode, const char *bytes, size_t len, const char **why)
{
	struct identity id;
	const char *name;
	int dir, err;

	*why = NULL;
	err = take_or_say(&id, why);
	if (err)
		return err;
	dir = open_directory(path, id.uid, &name, why);
	err = dir;
	if (dir >= 0) {
		*why = why_not_replaced(dir, name, id.uid);
		err = *why ? -EPERM : replace_in(dir, name, mode, bytes, len);
		close(dir);
	}
	identity_restore(&id);
	if (err && !*why)
		*why = error_reason(-err);
	return err;
}

int output_replace(const char *path, const char *bytes, size_t len)
{
	const char *why;

	return replace(path, 0600, bytes, len, &why);
}

int output_publish(const char *path, const char *bytes, size_t len, const char **why)
{
	if (named_descriptor(path) >= 0) {
		*why = "it is not a regular file";
		return -EINVAL;
	}
	return replace(path, 0644, bytes, len, why);
}
