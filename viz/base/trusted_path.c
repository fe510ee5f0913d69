// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/base/trusted_path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINKS_MAX = 40 }; /* as the kernel's own limit */

/* `at` is the directory reached so far; -errno once that failed. */
struct walk {
	int at;
	uid_t owner;
	int links;
	char rest[2 * PATH_MAX]; /* what is still to be walked */
};

static void go_to(struct walk *walk, int fd)
{
	if (walk->at >= 0)
		close(walk->at);
	walk->at = fd;
}

static void begin(struct walk *walk, const char *path)
{
	int fd = open(*path == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	go_to(walk, fd < 0 ? -errno : fd);
}

/* Puts the link's target in front of what is still to be walked; its descriptor pins the link. */
static int follow(struct walk *walk, int link)
{
	char target[PATH_MAX], rest[sizeof(walk->rest)];
	ssize_t len = readlinkat(link, "", target, sizeof(target) - 1);

	if (len < 0)
		return -errno;
	target[len] = '\0';
	memcpy(rest, walk->rest, sizeof(rest));
	if (++walk->links > LINKS_MAX || (size_t)snprintf(walk->rest, sizeof(walk->rest), "%s/%s",
							  target, rest) >= sizeof(walk->rest))
		return -ELOOP;
	if (*target == '/')
		begin(walk, target);
	return walk->at < 0 ? walk->at : 0;
}

/* Goes on by one name, which may turn out to be a link. */
static int step(struct walk *walk, const char *name)
{
	int error, fd = openat(walk->at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st)) {
		error = -errno;
	} else if (!S_ISLNK(st.st_mode)) {
		go_to(walk, fd);
		return 0;
	} else {
		error = st.st_uid == 0 || st.st_uid == walk->owner ? follow(walk, fd) : -EPERM;
	}
	close(fd);
	return error;
}

/* Takes the first name off the rest; false if there is none. */
static bool next_name(struct walk *walk, char name[PATH_MAX])
{
	const char *from = walk->rest + strspn(walk->rest, "/");
	size_t len = strcspn(from, "/");

	if (!len || len >= PATH_MAX)
		return false;
	memcpy(name, from, len);
	name[len] = '\0';
	memmove(walk->rest, from + len, strlen(from + len) + 1);
	return true;
}

int trusted_directory_open(const char *path, uid_t owner, const char **name)
{
	struct walk walk = {.at = -1, .owner = owner};
	const char *last = path + strlen(path);
	char next[PATH_MAX];
	int error = 0;

	while (last > path && last[-1] == '/') /* the file's name keeps slashes at its end */
		last--;
	while (last > path && last[-1] != '/')
		last--;
	*name = last;
	if (last - path >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(walk.rest, path, (size_t)(last - path));
	begin(&walk, path);
	while (walk.at >= 0 && !error && next_name(&walk, next))
		error = step(&walk, next);
	if (error)
		go_to(&walk, error);
	return walk.at;
}
