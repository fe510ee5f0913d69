// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/glance/process_looks.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/procfs.h"
#include "user/glance/stdio_buffer.h"

#define PATH_LEN 512
#define FILE_LEN 65536
#define SIGNALS 64

/* What the files of /proc tell of a process. */
struct looks {
	char name[PROC_VALUE_LEN];
	char frozen[PATH_LEN]; /* the file by which it is set free; empty: it is not frozen */
	uint32_t tracer;
	uint64_t pending; /* bit N - 1: signal N */
	bool silent;
	uint64_t unwritten; /* bytes that it printed */
};

/* Returns the value of a line "KEY:\tvalue" of the text; NULL if it has none. */
static const char *value_of(const char *text, const char *key)
{
	const char *at = text;
	size_t len = strlen(key);

	while (at && (strncmp(at, key, len) || at[len] != ':')) {
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	return at ? at + len + 1 : NULL;
}

static uint64_t number_of(const char *text, const char *key, int base)
{
	const char *value = value_of(text, key);

	return value ? strtoull(value, NULL, base) : 0;
}

/* The signals that pend for one thread and that it blocks; *all is narrowed to what it blocks. */
static uint64_t thread_pending(pid_t pid, const char *tid, uint64_t *all)
{
	char name[64];
	size_t len;
	char *status;
	uint64_t blocked, pending;

	snprintf(name, sizeof(name), "task/%.20s/status", tid);
	status = proc_file(pid, name, FILE_LEN, &len);
	blocked = number_of(status, "SigBlk", 16);
	pending = number_of(status, "SigPnd", 16) & blocked;
	*all &= blocked;
	free(status);
	return pending;
}

/* Of signals that pend for the whole process those that all its threads block (signal(7)). */
static uint64_t pending_of(pid_t pid, uint64_t shared)
{
	uint64_t all = UINT64_MAX, own = 0;
	const struct dirent *entry;
	char path[64];
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks)))
		if (entry->d_name[0] != '.')
			own |= thread_pending(pid, entry->d_name, &all);
	if (tasks)
		closedir(tasks);
	return tasks ? own | (shared & all) : 0;
}

/* True if the file begins with this line, or has it. */
static bool has_line(const char *path, const char *line)
{
	char read[128];
	bool found = false;
	FILE *file = fopen(path, "re");

	while (file && !found && fgets(read, sizeof(read), file))
		found = strcmp(read, line) == 0;
	if (file)
		fclose(file);
	return found;
}

/* Finds where the hierarchy of this type is mounted (proc_pid_mountinfo(5)). */
static bool hierarchy_find(const char *type, const char *controller, char root[PATH_LEN])
{
	char line[PATH_LEN * 2], mounted[32], options[PATH_LEN];
	FILE *mounts = fopen("/proc/self/mounts", "re");
	bool found = false;

	while (mounts && !found && fgets(line, sizeof(line), mounts))
		found = sscanf(line, "%*s %511s %31s %511s", root, mounted, options) == 3 &&
			strcmp(mounted, type) == 0 && strstr(options, controller);
	if (mounts)
		fclose(mounts);
	return found;
}

/* Sets `file` to the nearest file that says so, of the folder or of one above it. */
static bool freezer_find(const char *root, const char *folder, const char *name, const char *line,
			 char file[PATH_LEN])
{
	char path[PATH_LEN];
	size_t len = (size_t)snprintf(path, sizeof(path), "%s", folder);

	while (len && len < sizeof(path)) {
		if (path[len - 1] == '/')
			len--;
		path[len] = '\0';
		if ((size_t)snprintf(file, PATH_LEN, "%s%s/%s", root, path, name) >= PATH_LEN)
			break;
		if (len && has_line(file, line))
			return true;
		while (len && path[len - 1] != '/')
			len--;
	}
	file[0] = '\0';
	return false;
}

/* The rest of the line of /proc/PID/cgroup that has this between its colons: a folder. */
static bool folder_find(const char *cgroups, const char *between, char folder[PATH_LEN])
{
	const char *at = cgroups ? strstr(cgroups, between) : NULL;

	folder[0] = '\0';
	return at && sscanf(at + strlen(between), "%511[^\n]", folder) == 1;
}

/* cgroups(7): cgroup.events tells whether version 2 has frozen it, freezer.state of version 1. */
static void frozen_look(pid_t pid, char frozen[PATH_LEN])
{
	char root[PATH_LEN], folder[PATH_LEN];
	size_t len;
	char *cgroups = proc_file(pid, "cgroup", FILE_LEN, &len);

	frozen[0] = '\0';
	if (folder_find(cgroups, "0::", folder) && hierarchy_find("cgroup2", "", root))
		freezer_find(root, folder, "cgroup.freeze", "1\n", frozen);
	if (!*frozen && folder_find(cgroups, ":freezer:", folder) &&
	    hierarchy_find("cgroup", "freezer", root))
		freezer_find(root, folder, "freezer.state", "FROZEN\n", frozen);
	free(cgroups);
}

/* proc_pid_io(5): since its birth, also before it executed its program; not what sockets send. */
static bool has_never_written(pid_t pid)
{
	size_t len;
	char *io = proc_file(pid, "io", FILE_LEN, &len);
	const bool told = value_of(io, "syscw") != NULL;
	const uint64_t calls = number_of(io, "syscw", 10);

	free(io);
	return told && !calls;
}

static void pending_field(struct json *json, uint64_t pending)
{
	char name[16];

	json_key(json, KEY(process, pending));
	json_array(json);
	for (int i = 1; i <= SIGNALS; i++)
		if (pending >> (i - 1) & 1)
			json_text(json, signal_name(i, name));
	json_end_array(json);
}

struct json *process_line_begin(struct encoder *encoder, pid_t pid, const char *name)
{
	const uint32_t number = pid_of_here(&encoder->own_pids, (uint32_t)pid);
	const uint32_t parent = pid_of_here(&encoder->own_pids, (uint32_t)proc_parent(pid));
	struct json *json = &encoder->json;

	line_begin(json, RECORD_process);
	json_field_text(json, KEY(process, event), process_event_name(PROCESS_EVENT_SNAPSHOT));
	json_field_uint(json, KEY(process, at_ns), encoder->now_ns);
	json_field_uint(json, KEY(process, pid), number);
	json_field_uint(json, KEY(process, tid), number);
	if (parent)
		json_field_uint(json, KEY(process, ppid), parent);
	json_field_bytes(json, KEY(process, comm), name, strlen(name));
	return json;
}

static void looks_write(struct encoder *encoder, pid_t pid, const struct looks *looks)
{
	struct json *json = process_line_begin(encoder, pid, looks->name);

	if (*looks->frozen)
		json_field_text(json, KEY(process, frozen), looks->frozen);
	if (looks->tracer)
		json_field_uint(json, KEY(process, tracer), looks->tracer);
	if (looks->pending)
		pending_field(json, looks->pending);
	if (looks->silent)
		json_field_bool(json, KEY(process, silent), true);
	if (looks->unwritten)
		json_field_uint(json, KEY(process, unwritten), looks->unwritten);
	line_end(json);
}

void process_looks_report(struct encoder *encoder, pid_t pid)
{
	struct looks looks = {.name = ""};
	size_t len;
	char *status = proc_file(pid, "status", FILE_LEN, &len);
	const char *name = value_of(status, "Name"), *state = value_of(status, "State");
	const uint64_t shared = number_of(status, "ShdPnd", 16);
	const bool lives = name && state && state[1] != 'Z', sleeps = lives && state[1] == 'S';

	if (name)
		sscanf(name, " %63[^\n]", looks.name);
	looks.tracer = (uint32_t)number_of(status, "TracerPid", 10);
	if (shared || number_of(status, "SigPnd", 16))
		looks.pending = pending_of(pid, shared);
	free(status);
	frozen_look(pid, looks.frozen);
	looks.silent = lives && has_never_written(pid);
	looks.unwritten = sleeps ? stdio_unwritten(pid) : 0;
	if (lives &&
	    (*looks.frozen || looks.tracer || looks.pending || looks.silent || looks.unwritten))
		looks_write(encoder, pid, &looks);
}
