// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/capture/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "user/base/procfs.h"

enum { ROUNDS = 1000, ROUND_NS = 1000000 }; /* a second in all */

static int folder_open(int at, const char *path)
{
	return openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Mounts the tree of all cgroups at no path. Returns a descriptor, or -1. */
static int tree_mount(void)
{
	int mount = -1, context = (int)syscall(SYS_fsopen, "cgroup2", FSOPEN_CLOEXEC);

	if (context < 0)
		return -1;
	if (!syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC,
				     MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	close(context);
	return mount;
}

static int tree_open(void)
{
	static const char *const places[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
	int tree = tree_mount();

	for (size_t i = 0; tree < 0 && i < sizeof(places) / sizeof(places[0]); i++) {
		struct statfs about;

		tree = folder_open(AT_FDCWD, places[i]);
		if (tree >= 0 && (fstatfs(tree, &about) || about.f_type != CGROUP2_SUPER_MAGIC)) {
			close(tree);
			tree = -1;
		}
	}
	return tree;
}

/* Writes the path that /proc/PID/cgroup gives for cgroup2, beginning with '/'. */
static bool path_of(pid_t pid, char path[CGROUP_PATH])
{
	size_t len = 0;
	char *text = proc_file(pid, "cgroup", 16384, &len);
	const char *line = text;

	*path = '\0';
	while (line && strncmp(line, "0::/", 4) != 0)
		line = (line = strchr(line, '\n')) ? line + 1 : NULL;
	if (line && strcspn(line + 3, "\n") < CGROUP_PATH)
		snprintf(path, CGROUP_PATH, "%.*s", (int)strcspn(line + 3, "\n"), line + 3);
	free(text);
	return *path;
}

static int home_open(struct cgroup *cgroup)
{
	const char *below = cgroup->path;

	if (!path_of(getpid(), cgroup->path))
		strcpy(cgroup->path, "/"); /* no process is anywhere else */
	below += strspn(below, "/");
	cgroup->home = folder_open(cgroup->tree, *below ? below : ".");
	if (cgroup->home >= 0)
		cgroup->home_procs = openat(cgroup->home, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	return cgroup->home_procs < 0 ? -errno : 0;
}

/* One of the same name is left from a process of our number that was killed. */
static int own_make(struct cgroup *cgroup)
{
	size_t len = strlen(cgroup->path);

	snprintf(cgroup->name, sizeof(cgroup->name), "ipclens-%d", (int)getpid());
	unlinkat(cgroup->home, cgroup->name, AT_REMOVEDIR); /* fails if anything is in it */
	if (mkdirat(cgroup->home, cgroup->name, 0755))
		return -errno;
	cgroup->own = folder_open(cgroup->home, cgroup->name);
	if (cgroup->own < 0)
		return -errno;
	snprintf(cgroup->path + len, sizeof(cgroup->path) - len, "%s%s",
		 cgroup->path[len - 1] == '/' ? "" : "/", cgroup->name);
	cgroup->freeze = openat(cgroup->own, "cgroup.freeze", O_WRONLY | O_CLOEXEC);
	return cgroup->freeze < 0 ? -errno : 0;
}

int cgroup_make(struct cgroup *cgroup, char *error, size_t size)
{
	int failed;

	*cgroup = CGROUP_NONE;
	cgroup->tree = tree_open();
	if (cgroup->tree < 0) {
		snprintf(error, size,
			 "--lossless needs cgroup v2: none is mounted, and none can be mounted "
			 "here (CAP_SYS_ADMIN); without --lossless, a larger --ring loses less");
		return -ENOENT;
	}
	failed = home_open(cgroup);
	if (!failed)
		failed = own_make(cgroup);
	if (!failed)
		return 0;
	snprintf(error, size,
		 "--lossless: no cgroup with a freezer can be made in %s: %s%s; without "
		 "--lossless, a larger --ring loses less",
		 cgroup->path, strerror(-failed), failed == -EACCES ? " (CAP_DAC_OVERRIDE)" : "");
	if (cgroup->own >= 0)
		unlinkat(cgroup->home, cgroup->name, AT_REMOVEDIR);
	cgroup_close(cgroup);
	return failed;
}

static int number_write(int file, long number)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%ld", number);

	return pwrite(file, text, (size_t)len, 0) == len ? 0 : -errno;
}

int cgroup_take(const struct cgroup *cgroup, pid_t pid)
{
	int error, procs = openat(cgroup->own, "cgroup.procs", O_WRONLY | O_CLOEXEC);

	if (procs < 0)
		return -errno;
	error = number_write(procs, pid);
	close(procs);
	return error;
}

int cgroup_freeze(const struct cgroup *cgroup, bool freeze)
{
	return number_write(cgroup->freeze, freeze);
}

bool cgroup_has(const struct cgroup *cgroup, pid_t pid)
{
	size_t len = strlen(cgroup->path);
	char path[CGROUP_PATH];

	if (!path_of(pid, path))
		return true; /* it has ended */
	return strncmp(path, cgroup->path, len) == 0 && (!path[len] || strchr("/ ", path[len]));
}

/* Those that are born meanwhile are moved in the next round. */
static void procs_move(const struct cgroup *cgroup)
{
	int file = openat(cgroup->own, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	FILE *procs = file < 0 ? NULL : fdopen(file, "r");
	long pid;

	if (!procs && file >= 0)
		close(file);
	if (!procs)
		return;
	while (fscanf(procs, "%ld", &pid) == 1)
		number_write(cgroup->home_procs, pid);
	fclose(procs);
}

bool cgroup_remove(const struct cgroup *cgroup)
{
	const struct timespec round = {.tv_nsec = ROUND_NS};

	for (int i = 0; i < ROUNDS; i++) {
		procs_move(cgroup);
		if (!unlinkat(cgroup->home, cgroup->name, AT_REMOVEDIR) || errno == ENOENT)
			return true;
		nanosleep(&round, NULL); /* one that ends leaves it a moment later */
	}
	return false;
}

void cgroup_close(struct cgroup *cgroup)
{
	const int files[] = {cgroup->freeze, cgroup->own, cgroup->home_procs, cgroup->home,
			     cgroup->tree};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (files[i] >= 0)
			close(files[i]);
	*cgroup = CGROUP_NONE;
}
