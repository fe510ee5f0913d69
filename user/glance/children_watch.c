// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/glance/children_watch.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/base/procfs.h"
#include "user/glance/process_looks.h"
#include "viz/base/clock.h"
#include "viz/format/names.h"

#define CHILDREN_LEN 65536
#define YOUNG_MS 1000
#define ROUND_MS 20
#define ROUNDS_MOST 100	  /* of all that are watched */
#define ROUNDS_IN_VAIN 50 /* without another that failed */
#define FAILED_ENOUGH 6	  /* find_lost_task.c: as many in a row */
#define SEEN_MOST 64	  /* children are not looked at beyond */

struct child {
	pid_t pid;
	struct proc_stat stat;
};

struct watched {
	pid_t parent;
	struct child failed[FAILED_ENOUGH];
	size_t count;
	bool sound; /* one was old, executed a program, or ended well or otherwise */
	bool young; /* there was one */
};

static bool is_young(const struct proc_stat *child)
{
	return proc_started_ms(child) + YOUNG_MS > proc_now_ms();
}

static bool is_counted(const struct watched *watched, const struct child *child)
{
	for (size_t i = 0; i < watched->count; i++)
		if (watched->failed[i].pid == child->pid &&
		    watched->failed[i].stat.start == child->stat.start)
			return true;
	return false;
}

static void child_look(struct watched *watched, pid_t pid)
{
	struct child child = {.pid = pid};
	const struct proc_stat *stat = &child.stat;

	if (!proc_stat(pid, &child.stat) || watched->count == FAILED_ENOUGH ||
	    is_counted(watched, &child))
		return;
	watched->young |= is_young(stat);
	if (!(stat->flags & PROC_FORK_NO_EXEC) || !is_young(stat))
		watched->sound = true;
	else if (stat->state == 'Z' &&
		 (!stat->status ||
		  (watched->count && stat->status != watched->failed[0].stat.status)))
		watched->sound = true;
	else if (stat->state == 'Z')
		watched->failed[watched->count++] = child;
}

/* proc_pid_task_tid_children(5): those of each thread. */
static void thread_look(struct watched *watched, const char *tid)
{
	char name[64];
	size_t len, seen = 0;
	char *children, *at, *end;

	snprintf(name, sizeof(name), "task/%.20s/children", tid);
	children = at = proc_file(watched->parent, name, CHILDREN_LEN, &len);
	while (at && seen++ < SEEN_MOST) {
		const pid_t pid = (pid_t)strtol(at, &end, 10);

		if (end == at)
			break;
		child_look(watched, pid);
		at = end;
	}
	free(children);
}

static void children_look(struct watched *watched)
{
	char path[64];
	struct dirent *entry;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)watched->parent);
	tasks = opendir(path);
	while (tasks && !watched->sound && (entry = readdir(tasks)))
		if (*entry->d_name != '.')
			thread_look(watched, entry->d_name);
	if (tasks)
		closedir(tasks);
}

/* Returns whether as many failed. Takes its rounds from *rounds. */
static bool watch(struct watched *watched, int *rounds)
{
	size_t in_vain = 0;

	children_look(watched);
	for (; *rounds > 0 && in_vain < ROUNDS_IN_VAIN; --*rounds) {
		const size_t before = watched->count;

		if (!watched->young || watched->sound || watched->count == FAILED_ENOUGH)
			break;
		clock_pause(ROUND_MS * MILLISECOND);
		children_look(watched);
		in_vain = watched->count > before ? 0 : in_vain + 1;
	}
	return watched->count == FAILED_ENOUGH && !watched->sound;
}

static void watched_write(struct encoder *encoder, const struct watched *watched)
{
	const int status = watched->failed[0].stat.status;
	char name[PROC_VALUE_LEN], text[32], signal[16];
	struct json *json;

	proc_status_value(watched->parent, "Name", name);
	if (WIFSIGNALED(status))
		snprintf(text, sizeof(text), "%s", signal_name(WTERMSIG(status), signal));
	else
		snprintf(text, sizeof(text), "exit %d", WEXITSTATUS(status));
	json = process_line_begin(encoder, watched->parent, name);
	json_field_uint(json, KEY(process, failed_children), watched->count);
	json_field_text(json, KEY(process, failed_status), text);
	line_end(json);
}

void children_watch(struct encoder *encoder, const pid_t *pids, size_t count)
{
	int rounds = ROUNDS_MOST;

	for (size_t i = 0; i < count; i++) {
		struct watched watched = {.parent = pids[i]};

		if (watch(&watched, &rounds))
			watched_write(encoder, &watched);
	}
}
