// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "glance_users.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "family.h"
#include "proc.h"

#define SEMS_MOST 256
#define FILE_LEN_MAX (4 << 20) /* of a list of mappings */

/* Who uses an object, as far as it could be told. */
struct found {
	uint32_t *pids;
	size_t count, room;
	uint32_t last; /* who changed it last, perhaps ended; 0: not known */
	bool failed;
};

static void found_add(struct found *found, uint32_t pid)
{
	if (found->count == found->room) {
		size_t room = found->room ? 2 * found->room : 16;
		uint32_t *pids = realloc(found->pids, room * sizeof(*pids));

		found->failed |= !pids;
		if (!pids)
			return;
		found->pids = pids;
		found->room = room;
	}
	found->pids[found->count++] = pid;
}

static void found_copy(struct found *found, const struct found *from)
{
	found->failed |= from->failed;
	for (size_t i = 0; i < from->count; i++)
		found_add(found, from->pids[i]);
}

/* Memory, or a file, of which all processes were asked. Many may wait at the same one. */
struct searched {
	bool is_lock;
	dev_t device;
	ino_t inode;
	struct found found;
	struct searched *next;
};

/* `each` looks at a process, of a new one. NULL: out of memory. */
static struct searched *searched_of(struct glance_users *users, struct searched what,
				    void (*each)(void *context, pid_t pid))
{
	struct searched *s = users->searched;

	while (s &&
	       (s->is_lock != what.is_lock || s->device != what.device || s->inode != what.inode))
		s = s->next;
	if (s)
		return s;
	s = malloc(sizeof(*s));
	if (!s)
		return NULL;
	*s = what;
	s->next = users->searched;
	users->searched = s;
	proc_each(each, s);
	return s;
}

/* --- System V: numbers that memory alone holds --- */

static bool same_namespace(uint32_t pid)
{
	struct stat theirs, ours;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/ns/ipc", pid);
	return stat(path, &theirs) == 0 && stat("/proc/self/ns/ipc", &ours) == 0 &&
	       theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

/* What is known of a System V object without a key. */
struct numbered {
	uint32_t waiter; /* pid */
	int number;
	time_t made;
	pid_t used[SEMS_MOST]; /* who used it, perhaps ended; 0: nobody */
	size_t used_count;
};

/* A process that used it and lives must be of the family: else the number got about otherwise. */
static bool relatives(struct glance_users *users, struct found *found,
		      const struct numbered *object)
{
	uint32_t member;
	size_t at = 0;

	if (!users->tree)
		users->tree = family_tree_read();
	if (!users->tree || !family_mark(users->tree, object->waiter, object->number, object->made))
		return false;
	for (size_t i = 0; i < object->used_count; i++)
		if (object->used[i] && family_lives(users->tree, (uint32_t)object->used[i]) &&
		    !family_has(users->tree, (uint32_t)object->used[i]))
			return false;
	while ((member = family_next(users->tree, &at)))
		found_add(found, member);
	return true;
}

static bool queue_users(struct glance_users *users, struct found *found, uint32_t pid, int id)
{
	struct numbered object = {.waiter = pid, .number = id, .used_count = 2};
	struct msqid_ds queue = {0};

	if (msgctl(id, IPC_STAT, &queue) || queue.msg_perm.__key != IPC_PRIVATE)
		return false;
	object.made = queue.msg_ctime;
	object.used[0] = queue.msg_lspid;
	object.used[1] = queue.msg_lrpid;
	return relatives(users, found, &object);
}

static bool set_users(struct glance_users *users, struct found *found, uint32_t pid, int id)
{
	struct numbered object = {.waiter = pid, .number = id};
	struct semid_ds set = {0};
	union {
		int value;
		struct semid_ds *set;
	} argument = {.set = &set};

	if (semctl(id, 0, IPC_STAT, argument) || set.sem_perm.__key != IPC_PRIVATE)
		return false;
	object.made = set.sem_ctime;
	object.used_count = set.sem_nsems < SEMS_MOST ? set.sem_nsems : SEMS_MOST;
	for (size_t i = 0; i < object.used_count; i++) {
		int last = semctl(id, (int)i, GETPID);

		object.used[i] = last > 0 ? last : 0;
		if (object.used[i])
			found->last = (uint32_t)object.used[i];
	}
	return relatives(users, found, &object);
}

/* --- Futexes: who has the memory mapped --- */

/* A line of /proc/PID/maps (proc_pid_maps(5)). */
struct mapped {
	unsigned long long from, to, inode;
	unsigned device_major, device_minor;
	bool shared;
};

static bool mapped_parse(struct mapped *mapped, const char *line)
{
	char rights[8];

	if (sscanf(line, "%llx-%llx %7s %*x %x:%x %llu", &mapped->from, &mapped->to, rights,
		   &mapped->device_major, &mapped->device_minor, &mapped->inode) != 6)
		return false;
	mapped->shared = rights[3] == 's';
	return true;
}

static bool is_memory(const struct mapped *mapped, const struct searched *memory)
{
	return mapped->shared && mapped->inode == memory->inode &&
	       makedev(mapped->device_major, mapped->device_minor) == memory->device;
}

/* What is mapped at an address, or has the memory of `wanted` where that is given. */
static bool mapped_find(uint32_t pid, uint64_t address, const struct searched *wanted,
			struct mapped *mapped)
{
	size_t len;
	char *maps = proc_file((pid_t)pid, "maps", FILE_LEN_MAX, &len);
	bool found = false;

	for (const char *line = maps; line && *line && !found;) {
		const char *end = strchr(line, '\n');

		if (mapped_parse(mapped, line))
			found = wanted ? is_memory(mapped, wanted)
				       : mapped->from <= address && address < mapped->to;
		line = end ? end + 1 : NULL;
	}
	free(maps);
	return found;
}

static void memory_visit(void *context, pid_t pid)
{
	struct searched *memory = context;
	struct mapped mapped;

	if (mapped_find((uint32_t)pid, 0, memory, &mapped))
		found_add(&memory->found, (uint32_t)pid);
}

/* A file that others could open still: sem_open(3) gives it its name after it is mapped. */
static bool is_named(uint32_t pid, const struct mapped *mapped)
{
	struct stat file;
	char path[96];

	snprintf(path, sizeof(path), "/proc/%u/map_files/%llx-%llx", pid, mapped->from, mapped->to);
	return stat(path, &file) == 0 && file.st_nlink > 0;
}

static bool memory_users(struct glance_users *users, struct found *found, uint32_t pid,
			 uint64_t address)
{
	const struct searched *memory;
	struct mapped mapped;

	if (!mapped_find(pid, address, NULL, &mapped) || !mapped.shared)
		return false;
	memory = searched_of(
		users,
		(struct searched){.device = makedev(mapped.device_major, mapped.device_minor),
				  .inode = mapped.inode},
		memory_visit);
	if (memory)
		found_copy(found, &memory->found);
	if (is_named(pid, &mapped))
		found_add(found, 0);
	return memory != NULL;
}

/* --- File locks: whose descriptors have one (proc_pid_fdinfo(5)) --- */

static bool has_lock(pid_t pid, const char *fd)
{
	char name[64];
	size_t len;
	char *info;
	bool has;

	snprintf(name, sizeof(name), "fdinfo/%.20s", fd);
	info = proc_file(pid, name, 1 << 16, &len);
	has = info && strstr(info, "\nlock:");
	free(info);
	return has;
}

static void lock_visit(void *context, pid_t pid)
{
	struct searched *locked = context;
	struct dirent *entry;
	struct stat file;
	char path[64];
	DIR *fds;
	bool found = false;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	fds = opendir(path);
	while (fds && !found && (entry = readdir(fds)))
		found = *entry->d_name != '.' && !fstatat(dirfd(fds), entry->d_name, &file, 0) &&
			file.st_ino == locked->inode && file.st_dev == locked->device &&
			has_lock(pid, entry->d_name);
	if (fds)
		closedir(fds);
	if (found)
		found_add(&locked->found, (uint32_t)pid);
}

static bool lock_users(struct glance_users *users, struct found *found, uint32_t pid, int fd)
{
	const struct searched *locked;
	struct stat file;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/fd/%d", pid, fd);
	if (stat(path, &file))
		return false;
	locked = searched_of(
		users,
		(struct searched){.is_lock = true, .device = file.st_dev, .inode = file.st_ino},
		lock_visit);
	if (locked)
		found_copy(found, &locked->found);
	return found->count > 0;
}

static void users_write(struct encoder *encoder, const struct wire_operation *operation,
			const struct found *found)
{
	const char *id = channel_of(encoder, &operation->object.object,
				    operation->object.mechanism);
	struct json *json = &encoder->json;

	if (!id)
		return;
	line_begin(json, RECORD_channel);
	json_field_text(json, KEY(channel, id), id);
	json_field_uint(json, KEY(channel, at_ns), operation->enter_ns);
	json_field_text(json, KEY(channel, mechanism),
			mechanism_info(operation->object.mechanism)->name);
	json_key(json, KEY(channel, users));
	json_array(json);
	for (size_t i = 0; i < found->count; i++)
		json_uint(json, found->pids[i]);
	json_end_array(json);
	if (found->last)
		json_field_uint(json, KEY(channel, last_user), found->last);
	line_end(json);
}

void glance_users_tell(struct glance_users *users, const struct wire_operation *operation,
		       const __u64 args[6])
{
	uint32_t pid = operation->head.pid;
	struct found found = {0};
	bool told = false;

	switch (operation->object.mechanism) {
	case MECH_SYSV_MSG:
		told = same_namespace(pid) && queue_users(users, &found, pid, (int)args[0]);
		break;
	case MECH_SYSV_SEM:
		told = same_namespace(pid) && set_users(users, &found, pid, (int)args[0]);
		break;
	case MECH_FUTEX:
	case MECH_POSIX_SEM:
		told = memory_users(users, &found, pid, args[0]);
		break;
	case MECH_FILE_LOCK:
		told = lock_users(users, &found, pid, (int)args[0]);
		break;
	}
	if (told && !found.failed)
		users_write(users->encoder, operation, &found);
	free(found.pids);
}

void glance_users_free(struct glance_users *users)
{
	family_tree_free(users->tree);
	while (users->searched) {
		struct searched *s = users->searched;

		users->searched = s->next;
		free(s->found.pids);
		free(s);
	}
}
