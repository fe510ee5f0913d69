// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/glance/object_users.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "user/base/procfs.h"
#include "user/encode/syscall_table.h"
#include "user/glance/inherited_ids.h"

#define SEMS_MOST 256
#define FILE_LEN_MAX (4 << 20) /* of /proc/PID/maps */
#define LOCK_LEN 96

/* The users of an object, as far as they were found. */
struct found {
	uint32_t *pids;
	size_t count, room;
	uint32_t last; /* the last to change it, perhaps ended; 0: unknown */
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

/*
 * The users of some memory or file, from a search of all processes; kept, since several calls may
 * wait for the same one.
 */
struct searched {
	bool is_lock;
	dev_t device;
	ino_t inode;
	char lock[LOCK_LEN]; /* of a lock, as /proc tells of it; empty: any on this file */
	struct found found;
	struct searched *next;
};

/*
 * Returns the search for `what`. A new search calls `each` for all processes. NULL without memory.
 */
static struct searched *searched_of(struct glance_users *users, struct searched what,
				    void (*each)(void *context, pid_t pid))
{
	struct searched *s = users->searched;

	while (s && (s->is_lock != what.is_lock || s->device != what.device ||
		     s->inode != what.inode || strcmp(s->lock, what.lock) != 0))
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

/* --- System V: ids that exist in memory only --- */

static bool same_namespace(uint32_t pid)
{
	struct stat theirs, ours;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/ns/ipc", pid);
	return stat(path, &theirs) == 0 && stat("/proc/self/ns/ipc", &ours) == 0 &&
	       theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

/* What is known about a System V object without a key. */
struct numbered {
	uint32_t waiter; /* pid */
	int number;
	time_t created;
	pid_t used[SEMS_MOST]; /* processes that used it, perhaps ended; 0: none */
	size_t used_count;
};

/*
 * Adds the processes that may know the id. Returns false if a live process outside that set has
 * used the object, for then the id was passed on by other means.
 */
static bool relatives(struct glance_users *users, struct found *found,
		      const struct numbered *object)
{
	uint32_t member;
	size_t at = 0;

	if (!users->tree)
		users->tree = inherited_ids_read();
	if (!users->tree ||
	    !inherited_ids_mark(users->tree, object->waiter, object->number, object->created))
		return false;
	for (size_t i = 0; i < object->used_count; i++)
		if (object->used[i] &&
		    inherited_ids_lives(users->tree, (uint32_t)object->used[i]) &&
		    !inherited_ids_has(users->tree, (uint32_t)object->used[i]))
			return false;
	while ((member = inherited_ids_next(users->tree, &at)))
		found_add(found, member);
	return true;
}

static bool queue_users(struct glance_users *users, struct found *found, uint32_t pid, int id)
{
	struct numbered object = {.waiter = pid, .number = id, .used_count = 2};
	struct msqid_ds queue = {0};

	if (msgctl(id, IPC_STAT, &queue) || queue.msg_perm.__key != IPC_PRIVATE)
		return false;
	object.created = queue.msg_ctime;
	object.used[0] = queue.msg_lspid;
	object.used[1] = queue.msg_lrpid;
	return relatives(users, found, &object);
}

/* Reads the first change that a semop(2) asks for. */
static bool change_read(uint32_t pid, const __u64 args[6], struct sembuf *change)
{
	return proc_memory((pid_t)pid, args[1], change, sizeof(*change));
}

/* The number in its set of the first semaphore that a semop(2) changes; -1: not known. */
static int first_changed(uint32_t pid, const __u64 args[6])
{
	struct sembuf change;

	return change_read(pid, args, &change) ? change.sem_num : -1;
}

static bool set_users(struct glance_users *users, struct found *found, uint32_t pid,
		      const __u64 args[6])
{
	const int id = (int)args[0], changed = first_changed(pid, args);
	struct numbered object = {.waiter = pid, .number = id};
	struct semid_ds set = {0};
	union {
		int value;
		struct semid_ds *set;
	} argument = {.set = &set};

	if (semctl(id, 0, IPC_STAT, argument) || set.sem_perm.__key != IPC_PRIVATE)
		return false;
	object.created = set.sem_ctime;
	object.used_count = set.sem_nsems < SEMS_MOST ? set.sem_nsems : SEMS_MOST;
	for (size_t i = 0; i < object.used_count; i++) {
		int last = semctl(id, (int)i, GETPID);

		object.used[i] = last > 0 ? last : 0;
		if (object.used[i] && (int)i == changed)
			found->last = (uint32_t)object.used[i];
	}
	return relatives(users, found, &object);
}

/* --- Futexes: processes that have the memory mapped --- */

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

/* Finds the mapping of `wanted` or, if that is NULL, the mapping at `address`. */
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

/*
 * True if the file still has a name, so that other processes could open it: sem_open(3) links its
 * file after mapping it.
 */
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

/* --- File locks: processes whose descriptors hold one (proc_pid_fdinfo(5)) --- */

/* A line of /proc/locks (proc_locks(5)), as "3: -> FLOCK  ADVISORY  WRITE 812 08:01:4711 0 EOF". */
struct lock_line {
	const char *text; /* what follows "3: " and the arrow */
	char kind[16], mode[16];
	unsigned long long inode, from, to; /* the last byte; of "EOF" the greatest number */
	int pid;
	bool waits; /* for the last one before it that does not */
};

static bool lock_parse(struct lock_line *line, char *from)
{
	const char *colon = strchr(from, ':');
	char to[32];

	from[strcspn(from, "\n")] = '\0';
	if (!colon)
		return false;
	line->text = colon + 1 + strspn(colon + 1, " ");
	line->waits = strncmp(line->text, "->", 2) == 0;
	if (line->waits)
		line->text += 2 + strspn(line->text + 2, " ");
	if (sscanf(line->text, "%15s %*s %15s %d %*x:%*x:%llu %llu %31s", line->kind, line->mode,
		   &line->pid, &line->inode, &line->from, to) != 6)
		return false;
	line->to = strcmp(to, "EOF") == 0 ? ULLONG_MAX : strtoull(to, NULL, 10);
	return true;
}

/* flock(2) on the one hand and fcntl(2) on the other do not see each other. */
static bool lock_conflicts(const struct lock_line *held, const struct lock_line *wanted)
{
	const bool same = (strcmp(held->kind, "FLOCK") == 0) ==
			  (strcmp(wanted->kind, "FLOCK") == 0);

	return same && strcmp(held->kind, "LEASE") != 0 &&
	       (strcmp(held->mode, "WRITE") == 0 || strcmp(wanted->mode, "WRITE") == 0) &&
	       held->from <= wanted->to && wanted->from <= held->to;
}

/* Calls `each` for the locks on the file, up to the one for which it returns false. */
static void locks_each(ino_t inode, bool (*each)(void *context, const struct lock_line *line),
		       void *context)
{
	FILE *locks = fopen("/proc/locks", "re");
	char text[256];
	struct lock_line line;
	bool more = true;

	while (locks && more && fgets(text, sizeof(text), locks))
		if (lock_parse(&line, text) && line.inode == inode)
			more = each(context, &line);
	if (locks)
		fclose(locks);
}

#define LOCKS_MOST 8 /* so many holders of a shared lock are looked for */

/* The locks that keep a process waiting at a file, as /proc tells of them. */
struct locks {
	struct lock_line wanted;
	bool waits; /* the process was found among those that wait */
	char held[LOCKS_MOST][LOCK_LEN];
	size_t count;
};

static bool lock_wanted(void *context, const struct lock_line *line)
{
	struct locks *locks = context;

	if (!line->waits || line->pid != locks->wanted.pid)
		return true;
	locks->wanted = *line;
	locks->waits = true;
	return false;
}

static bool lock_held(void *context, const struct lock_line *line)
{
	struct locks *locks = context;

	if (!line->waits && lock_conflicts(line, &locks->wanted))
		snprintf(locks->held[locks->count++], LOCK_LEN, "%.*s", LOCK_LEN - 1, line->text);
	return locks->count < LOCKS_MOST;
}

static void locks_in_the_way(struct locks *locks, uint32_t pid, ino_t inode)
{
	locks->wanted.pid = (int)pid;
	locks_each(inode, lock_wanted, locks);
	if (locks->waits)
		locks_each(inode, lock_held, locks);
}

static bool has_lock(pid_t pid, const char *fd, const char *lock)
{
	char name[64];
	size_t len;
	char *info;
	bool has;

	snprintf(name, sizeof(name), "fdinfo/%.20s", fd);
	info = proc_file(pid, name, 1 << 16, &len);
	has = info && strstr(info, "\nlock:") && strstr(info, lock);
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
			has_lock(pid, entry->d_name, locked->lock);
	if (fds)
		closedir(fds);
	if (found)
		found_add(&locked->found, (uint32_t)pid);
}

/* The process that got the lock, if it has the file still: others have it from that one. */
static void found_locker(struct found *found, const struct searched *locked)
{
	int pid = 0;

	sscanf(locked->lock, "%*s %*s %*s %d", &pid);
	for (size_t i = 0; i < locked->found.count; i++)
		if (pid > 0 && locked->found.pids[i] == (uint32_t)pid) {
			found_add(found, (uint32_t)pid);
			return;
		}
	found_copy(found, &locked->found);
}

/* Adds the holders of one lock of the file; of any, where none is told. */
static void lock_search(struct glance_users *users, struct found *found, struct searched what,
			const char *lock)
{
	const struct searched *locked;

	snprintf(what.lock, sizeof(what.lock), "%s", lock);
	locked = searched_of(users, what, lock_visit);
	if (locked)
		found_locker(found, locked);
}

/*
 * What the lock says that keeps a flock(2) waiting: any, or one that is exclusive. Where /proc is
 * of a pid namespace, its list of locks leaves out one whose taker has ended, as that of a shell
 * that called flock(1), with all that wait for it; the descriptor has it. NULL: it is no flock(2).
 */
static const char *unlisted_lock(const struct wire_operation *operation, const __u64 args[6])
{
	if (strcmp(syscall_info(operation->nr)->name, "flock") != 0)
		return NULL;
	return args[1] & LOCK_EX ? "FLOCK " : "FLOCK  ADVISORY  WRITE ";
}

static bool lock_users(struct glance_users *users, struct found *found, uint32_t pid,
		       const struct wire_operation *operation, const __u64 args[6])
{
	const char *any = users->encoder->own_pids.apart ? unlisted_lock(operation, args) : "";
	struct searched what = {.is_lock = true};
	struct locks locks = {0};
	struct stat file;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/fd/%d", pid, (int)args[0]);
	if (stat(path, &file))
		return false;
	what.device = file.st_dev;
	what.inode = file.st_ino;
	locks_in_the_way(&locks, pid, file.st_ino);
	for (size_t i = 0; i < locks.count; i++)
		lock_search(users, found, what, locks.held[i]);
	if (!locks.count && any)
		lock_search(users, found, what, any);
	return found->count > 0;
}

/* Begins a line about the channel of the call; false if it is not known. */
static bool channel_begin(struct encoder *encoder, const struct wire_operation *operation)
{
	const char *id = channel_of(encoder, &operation->object.object,
				    operation->object.mechanism);
	struct json *json = &encoder->json;

	if (!id)
		return false;
	line_begin(json, RECORD_channel);
	json_field_text(json, KEY(channel, id), id);
	json_field_uint(json, KEY(channel, at_ns), operation->enter_ns);
	json_field_text(json, KEY(channel, mechanism),
			mechanism_info(operation->object.mechanism)->name);
	return true;
}

static void users_write(struct encoder *encoder, const struct wire_operation *operation,
			const struct found *found)
{
	const struct own_pids *pids = &encoder->own_pids;
	struct json *json = &encoder->json;

	if (!channel_begin(encoder, operation))
		return;
	json_key(json, KEY(channel, users));
	json_array(json);
	for (size_t i = 0; i < found->count; i++)
		json_uint(json, pid_of_here(pids, found->pids[i]));
	json_end_array(json);
	if (found->last && pid_of_here(pids, found->last))
		json_field_uint(json, KEY(channel, last_user), pid_of_here(pids, found->last));
	line_end(json);
}

/* The value of the semaphore that the call names first. */
static void value_report(struct encoder *encoder, const struct wire_operation *operation,
			 const __u64 args[6])
{
	struct sembuf change;
	int value = -1;

	if (change_read(pid_here(&encoder->own_pids, operation->head.pid), args, &change))
		value = semctl((int)args[0], change.sem_num, GETVAL);
	if (value < 0 || !channel_begin(encoder, operation))
		return;
	if (!change.sem_op)
		json_field_uint(&encoder->json, KEY(channel, zero_waiter), operation->head.pid);
	json_field_uint(&encoder->json, KEY(channel, value), (uint64_t)value);
	line_end(&encoder->json);
}

void glance_users_report(struct glance_users *users, const struct wire_operation *operation,
			 const __u64 args[6])
{
	const uint32_t pid = pid_here(&users->encoder->own_pids, operation->head.pid);
	struct found found = {0};
	bool reported = false;

	switch (operation->object.mechanism) {
	case MECH_SYSV_MSG:
		reported = same_namespace(pid) && queue_users(users, &found, pid, (int)args[0]);
		break;
	case MECH_SYSV_SEM:
		reported = same_namespace(pid) && set_users(users, &found, pid, args);
		if (same_namespace(pid))
			value_report(users->encoder, operation, args);
		break;
	case MECH_FUTEX:
	case MECH_POSIX_SEM:
		reported = memory_users(users, &found, pid, args[0]);
		break;
	case MECH_FILE_LOCK:
		reported = lock_users(users, &found, pid, operation, args);
		break;
	}
	if (reported && !found.failed)
		users_write(users->encoder, operation, &found);
	free(found.pids);
}

void glance_users_free(struct glance_users *users)
{
	inherited_ids_free(users->tree);
	while (users->searched) {
		struct searched *s = users->searched;

		users->searched = s->next;
		free(s->found.pids);
		free(s);
	}
}
