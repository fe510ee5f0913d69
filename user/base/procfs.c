// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/base/procfs.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PATH_LEN 64
#define STAT_LEN_MAX 4096

void proc_status_value(pid_t pid, const char *key, char value[PROC_VALUE_LEN])
{
	char path[PATH_LEN], line[256];
	FILE *file;
	size_t len = strlen(key);

	value[0] = 0;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, key, len) || line[len] != ':')
			continue;
		sscanf(line + len + 1, " %63s", value);
		break;
	}
	fclose(file);
}

pid_t proc_parent(pid_t pid)
{
	char value[PROC_VALUE_LEN];

	proc_status_value(pid, "PPid", value);
	return (pid_t)atoi(value);
}

/* Fields are counted from the end of the name, which may hold any character. */
bool proc_stat(pid_t pid, struct proc_stat *stat)
{
	size_t len = 0;
	char *text = proc_file(pid, "stat", STAT_LEN_MAX, &len);
	const char *rest = text ? strrchr(text, ')') : NULL, *last;
	unsigned long long start = 0;
	const bool read = rest && sscanf(rest + 1,
					 " %c %u %*d %u %*d %*d %u %*u %*u %*u %*u %*u %*u %*d "
					 "%*d %*d %*d %*d %*d %llu",
					 &stat->state, &stat->parent, &stat->session, &stat->flags,
					 &start) == 5;

	last = read ? strrchr(rest, ' ') : NULL;
	stat->start = start;
	stat->status = last ? atoi(last) : 0;
	free(text);
	return read;
}

uint64_t proc_started_ms(const struct proc_stat *stat)
{
	return stat->start * 1000 / (uint64_t)sysconf(_SC_CLK_TCK);
}

uint64_t proc_now_ms(void)
{
	struct timespec up;

	clock_gettime(CLOCK_BOOTTIME, &up);
	return (uint64_t)up.tv_sec * 1000 + (uint64_t)up.tv_nsec / 1000000;
}

bool proc_is_kernel_thread(pid_t pid)
{
	const unsigned kernel_thread = 0x00200000; /* PF_KTHREAD, include/linux/sched.h */
	struct proc_stat stat;

	return proc_stat(pid, &stat) && (stat.flags & kernel_thread);
}

bool proc_is_own(void)
{
	char number[PATH_LEN];
	const ssize_t len = readlink("/proc/self", number, sizeof(number) - 1);

	number[len > 0 ? len : 0] = '\0';
	return atoi(number) == (int)getpid();
}

bool proc_memory(pid_t pid, uint64_t from, void *to, size_t len)
{
	char path[PATH_LEN];
	ssize_t n = -1;
	int memory;

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	memory = open(path, O_RDONLY | O_CLOEXEC);
	if (memory >= 0) {
		n = pread(memory, to, len, (off_t)from);
		close(memory);
	}
	return n == (ssize_t)len;
}

char *proc_file(pid_t pid, const char *name, size_t len_max, size_t *len)
{
	char path[PATH_LEN], *text = malloc(len_max + 1);
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	file = text ? fopen(path, "re") : NULL;
	if (!file) {
		free(text);
		return NULL;
	}
	*len = fread(text, 1, len_max, file);
	text[*len] = 0;
	fclose(file);
	return text;
}

void proc_each(void (*each)(void *context, pid_t pid), void *context)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	if (!proc)
		return;
	while ((entry = readdir(proc))) {
		pid_t pid = (pid_t)atoi(entry->d_name);
		if (pid > 0)
			each(context, pid);
	}
	closedir(proc);
}
