// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/glance/lock_rounds.h"

#include <asm/unistd.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "user/base/procfs.h"
#include "user/encode/call_names.h"
#include "user/glance/process_looks.h"
#include "viz/base/clock.h"

#define WATCH_NS (2500 * MILLISECOND) /* two rounds of those that sleep longest */
#define TRIES_LEAST 2
#define PAUSE_MOST_S 1	/* longer sleeps are no rounds */
#define LOCK_LEN 96	/* of a line of /proc/locks */
#define FILES_MOST 16	/* locked files of one process */
#define ROUNDERS_MOST 8 /* processes that are watched */

/* A file that the process has open, and that another one has locked. */
struct locked_file {
	int fd;
	pid_t holder;
	char lock[LOCK_LEN]; /* as /proc/locks has it */
	uint64_t refused;    /* calls, while it was watched */
};

struct rounder {
	pid_t pid;
	struct locked_file files[FILES_MOST];
	size_t count;
	uint64_t pauses; /* while it was watched */
	bool moved;	 /* it did something else */
};

struct rounders {
	struct rounder items[ROUNDERS_MOST];
	size_t count;
};

static bool is_pause(pid_t pid, uint64_t at, bool until)
{
	struct timespec asked, now = {0};

	if (!proc_memory(pid, at, &asked, sizeof(asked)))
		return false;
	if (until)
		clock_gettime(CLOCK_MONOTONIC, &now);
	return asked.tv_sec <= now.tv_sec + PAUSE_MOST_S;
}

/* proc_pid_syscall(5): its first thread sleeps for no longer than rounds are. */
static bool pauses(pid_t pid)
{
	unsigned long long args[4];
	size_t len;
	char *text = proc_file(pid, "syscall", 256, &len);
	long nr = -1;
	const bool read = text && sscanf(text, "%ld %llx %llx %llx %llx", &nr, &args[0], &args[1],
					 &args[2], &args[3]) == 5;

	free(text);
	if (!read)
		return false;
	if (nr == __NR_nanosleep)
		return is_pause(pid, args[0], false);
	return nr == __NR_clock_nanosleep &&
	       (!(args[1] & TIMER_ABSTIME) || args[0] == CLOCK_MONOTONIC) &&
	       is_pause(pid, args[2], args[1] & TIMER_ABSTIME);
}

/* A line of /proc/locks (proc_locks(5)), as "3: FLOCK  ADVISORY  WRITE 812 08:01:4711 0 EOF". */
static bool lock_parse(const char *line, pid_t pid, const struct stat *file,
		       struct locked_file *found, bool *exclusive)
{
	const char *text = strchr(line, ':');
	unsigned device_major, device_minor;
	unsigned long long inode;
	char mode[8];

	text = text ? text + 1 + strspn(text + 1, " ") : "";
	if (sscanf(text, "%*s %*s %7s %d %x:%x:%llu", mode, &found->holder, &device_major,
		   &device_minor, &inode) != 5)
		return false;
	*exclusive = strcmp(mode, "WRITE") == 0;
	snprintf(found->lock, sizeof(found->lock), "%.*s", LOCK_LEN - 1, text);
	return inode == file->st_ino && makedev(device_major, device_minor) == file->st_dev &&
	       found->holder > 0 && found->holder != pid;
}

/*
 * Finds a lock of another process on this file, an exclusive one if there is any. Its number tells
 * it from others of the list only while nothing changes, so it is no part of the text.
 */
static bool lock_find(pid_t pid, const struct stat *file, struct locked_file *found)
{
	FILE *locks = fopen("/proc/locks", "re");
	bool has = false, exclusive = false;
	struct locked_file other = *found;
	char line[256];

	while (locks && !exclusive && fgets(line, sizeof(line), locks))
		if (lock_parse(line, pid, file, &other, &exclusive) && (exclusive || !has)) {
			*found = other;
			has = true;
		} else {
			exclusive = false;
		}
	if (locks)
		fclose(locks);
	return has;
}

static void files_find(struct rounder *rounder)
{
	char path[64];
	struct dirent *entry;
	struct stat file;
	DIR *fds;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)rounder->pid);
	fds = opendir(path);
	while (fds && rounder->count < FILES_MOST && (entry = readdir(fds))) {
		struct locked_file *locked = &rounder->files[rounder->count];

		*locked = (struct locked_file){.fd = atoi(entry->d_name)};
		if (*entry->d_name != '.' && !fstatat(dirfd(fds), entry->d_name, &file, 0) &&
		    S_ISREG(file.st_mode) && lock_find(rounder->pid, &file, locked))
			rounder->count++;
	}
	if (fds)
		closedir(fds);
}

static void rounders_find(struct rounders *rounders, const pid_t *pids, size_t count)
{
	for (size_t i = 0; i < count && rounders->count < ROUNDERS_MOST; i++) {
		struct rounder *rounder = &rounders->items[rounders->count];

		*rounder = (struct rounder){.pid = pids[i]};
		if (!pauses(pids[i]))
			continue;
		files_find(rounder);
		if (rounder->count)
			rounders->count++;
	}
}

/* What a program calls between two rounds that only looks at the file, or at the time. */
static bool only_looks(const struct wire_watched *call)
{
	static const char *const names[] = {
		"fcntl",	   "flock",  "nanosleep", "clock_nanosleep",
		"restart_syscall", "stat",   "fstat",	  "lstat",
		"newfstatat",	   "statx",  "access",	  "pread64",
		"lseek",	   "open",   "openat",	  "close",
		"getpid",	   "mmap",   "munmap",	  "clock_gettime",
		"faccessat",	   "getcwd",
	};
	const char *name = call_name(call->nr);

	for (size_t i = 0; name && i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return name && strcmp(name, "write") == 0 && call->fd <= STDERR_FILENO;
}

static bool is_clock(const struct wire_watched *call)
{
	return call->nr == __NR_nanosleep || call->nr == __NR_clock_nanosleep;
}

static bool is_refused(const struct wire_watched *call)
{
	return (call->nr == __NR_fcntl || call->nr == __NR_flock) &&
	       (call->error == EAGAIN || call->error == EACCES);
}

static void call_count(void *context, const struct wire_watched *call, uint64_t count)
{
	struct rounders *rounders = context;

	for (size_t i = 0; i < rounders->count; i++) {
		struct rounder *rounder = &rounders->items[i];

		if (rounder->pid != (pid_t)call->pid)
			continue;
		rounder->moved |= !only_looks(call);
		rounder->pauses += is_clock(call) ? count : 0;
		for (size_t k = 0; k < rounder->count && is_refused(call); k++)
			if (rounder->files[k].fd == call->fd)
				rounder->files[k].refused += count;
	}
}

/* True if the same process still has the same lock. */
static bool stays_locked(const struct rounder *rounder, const struct locked_file *locked)
{
	struct locked_file now = {.fd = locked->fd};
	struct stat file;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)rounder->pid, locked->fd);
	return stat(path, &file) == 0 && lock_find(rounder->pid, &file, &now) &&
	       strcmp(now.lock, locked->lock) == 0;
}

/* Writes "file-lock:[4711] name", as a channel's id and the name of the file. */
static void lock_text(const struct rounder *rounder, const struct locked_file *locked,
		      char text[NAME_MAX + 64])
{
	char path[64], target[PATH_MAX];
	const char *slash;
	struct stat file = {0};
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)rounder->pid, locked->fd);
	stat(path, &file);
	len = readlink(path, target, sizeof(target) - 1);
	target[len > 0 ? len : 0] = '\0';
	slash = strrchr(target, '/');
	snprintf(text, NAME_MAX + 64, "file-lock:[%ju] %.*s", (uintmax_t)file.st_ino, NAME_MAX,
		 slash ? slash + 1 : target);
}

static void refused_write(struct encoder *encoder, const struct rounder *rounder,
			  const struct locked_file *locked, uint64_t long_ns)
{
	const uint32_t holder = pid_of_here(&encoder->own_pids, (uint32_t)locked->holder);
	char name[PROC_VALUE_LEN], text[NAME_MAX + 64];
	struct json *json;

	proc_status_value(rounder->pid, "Name", name);
	lock_text(rounder, locked, text);
	json = process_line_begin(encoder, rounder->pid, name);
	json_field_bytes(json, KEY(process, refused_lock), text, strlen(text));
	json_field_uint(json, KEY(process, refused_times), locked->refused);
	json_field_uint(json, KEY(process, refused_ns), long_ns);
	if (holder)
		json_field_uint(json, KEY(process, refused_by), holder);
	line_end(json);
}

/* True if each round was refused, but for those at both ends of the watch. */
static bool is_refused_ever(const struct rounder *rounder, const struct locked_file *locked)
{
	return locked->refused >= TRIES_LEAST && locked->refused + 1 >= rounder->pauses &&
	       stays_locked(rounder, locked);
}

/* Writes the first lock that was refused so. */
static void rounder_write(struct encoder *encoder, const struct rounder *rounder, uint64_t long_ns)
{
	for (size_t i = 0; i < rounder->count && !rounder->moved; i++)
		if (is_refused_ever(rounder, &rounder->files[i])) {
			refused_write(encoder, rounder, &rounder->files[i], long_ns);
			return;
		}
}

void lock_rounds_watch(struct encoder *encoder, struct tracer *tracer, const pid_t *pids,
		       size_t count)
{
	struct rounders rounders = {.count = 0};
	uint64_t from_ns;

	rounders_find(&rounders, pids, count);
	for (size_t i = 0; i < rounders.count; i++)
		if (tracer_want(tracer, rounders.items[i].pid))
			return;
	if (!rounders.count || tracer_watch_begin(tracer))
		return;
	from_ns = clock_now_ns();
	clock_pause(WATCH_NS);
	from_ns = clock_now_ns() - from_ns;
	tracer_watch_end(tracer, call_count, &rounders);
	for (size_t i = 0; i < rounders.count; i++)
		rounder_write(encoder, &rounders.items[i], from_ns);
}
