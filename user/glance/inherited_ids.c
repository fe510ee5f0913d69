// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/glance/inherited_ids.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/base/procfs.h"

#define ARGS_LEN_MAX 65536

struct member {
	uint32_t pid;
	struct proc_stat stat;
	bool marked;
};

struct inherited_ids {
	struct member *members; /* ascending by pid */
	size_t count, room;
	bool failed;
};

static int member_compare(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static struct member *member_of(const struct inherited_ids *tree, uint32_t pid)
{
	const struct member key = {.pid = pid};

	return bsearch(&key, tree->members, tree->count, sizeof(key), member_compare);
}

static void member_add(void *context, pid_t pid)
{
	struct inherited_ids *tree = context;
	struct member member = {.pid = (uint32_t)pid};

	if (!proc_stat(pid, &member.stat) || member.stat.state == 'Z' || member.stat.state == 'X' ||
	    pid == getpid())
		return;
	if (tree->count == tree->room) {
		size_t room = tree->room ? 2 * tree->room : 256;
		struct member *members = realloc(tree->members, room * sizeof(*members));

		tree->failed |= !members;
		if (!members)
			return;
		tree->members = members;
		tree->room = room;
	}
	tree->members[tree->count++] = member;
}

struct inherited_ids *inherited_ids_read(void)
{
	struct inherited_ids *tree = calloc(1, sizeof(*tree));

	if (!tree)
		return NULL;
	proc_each(member_add, tree);
	if (tree->failed) {
		inherited_ids_free(tree);
		return NULL;
	}
	if (tree->count)
		qsort(tree->members, tree->count, sizeof(*tree->members), member_compare);
	return tree;
}

void inherited_ids_free(struct inherited_ids *tree)
{
	if (!tree)
		return;
	free(tree->members);
	free(tree);
}

static time_t started(const struct member *member)
{
	struct timespec now, up;

	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &up);
	return now.tv_sec - up.tv_sec +
	       (time_t)(member->stat.start / (uint64_t)sysconf(_SC_CLK_TCK));
}

/* True for the first process of a pid namespace, which adopts the children of ended processes. */
static bool is_init(uint32_t pid)
{
	char path[64], line[256];
	FILE *file;
	bool first = pid <= 1;

	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	file = first ? NULL : fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, "NSpid:", 6) == 0) {
			const char *last = strrchr(line, '\t');

			first = last && atoi(last) == 1;
			break;
		}
	if (file)
		fclose(file);
	return first;
}

static bool same_program(uint32_t a, uint32_t b)
{
	char path[64], of_a[PATH_MAX], of_b[PATH_MAX];
	ssize_t len_a, len_b;

	snprintf(path, sizeof(path), "/proc/%u/exe", a);
	len_a = readlink(path, of_a, sizeof(of_a));
	snprintf(path, sizeof(path), "/proc/%u/exe", b);
	len_b = readlink(path, of_b, sizeof(of_b));
	return len_a > 0 && len_a == len_b && memcmp(of_a, of_b, (size_t)len_a) == 0;
}

/*
 * True if the process was adopted, so that its original parent is unknown: its parent is gone or is
 * an init; or belongs to another session, unless the process leads its own; or, for a session
 * leader that executed nothing since its fork, runs another program.
 */
static bool is_orphan(const struct inherited_ids *tree, const struct member *member)
{
	const struct member *parent = member_of(tree, member->stat.parent);

	if (!parent || is_init(parent->pid))
		return true;
	if (member->stat.session != member->pid)
		return member->stat.session != parent->stat.session;
	return (member->stat.flags & PROC_FORK_NO_EXEC) && !same_program(member->pid, parent->pid);
}

/* True if the process was executed with this number among its arguments. */
static bool was_given(uint32_t pid, int number)
{
	size_t len;
	char *args = proc_file((pid_t)pid, "cmdline", ARGS_LEN_MAX, &len), word[16];
	bool given = false;

	snprintf(word, sizeof(word), "%d", number);
	for (const char *at = args; args && at < args + len && !given; at += strlen(at) + 1)
		given = strcmp(at, word) == 0;
	free(args);
	return given;
}

/*
 * True if the process is an orphan that may descend from `root`: it is younger, it runs root's
 * program (if it executed nothing since its fork) or was given the number, and its session is
 * root's or is led by an orphan, too.
 */
static bool may_be_relative(const struct inherited_ids *tree, const struct member *orphan,
			    const struct member *root, int number)
{
	const struct member *leader = member_of(tree, orphan->stat.session);

	if (orphan->stat.start < root->stat.start || !is_orphan(tree, orphan))
		return false;
	if (orphan->stat.flags & PROC_FORK_NO_EXEC ? !same_program(orphan->pid, root->pid)
						   : !was_given(orphan->pid, number))
		return false;
	return orphan->stat.session == root->stat.session || !leader ||
	       (leader->stat.start >= root->stat.start && is_orphan(tree, leader));
}

static void mark_descendants(struct inherited_ids *tree)
{
	bool grown = true;

	while (grown) {
		grown = false;
		for (size_t i = 0; i < tree->count; i++) {
			struct member *member = &tree->members[i];
			const struct member *parent = member_of(tree, member->stat.parent);

			if (member->marked || !parent || !parent->marked)
				continue;
			member->marked = true;
			grown = true;
		}
	}
}

bool inherited_ids_mark(struct inherited_ids *tree, uint32_t pid, int number, time_t created)
{
	struct member *root = member_of(tree, pid), *parent;

	for (size_t i = 0; i < tree->count; i++)
		tree->members[i].marked = false;
	while (root && (root->stat.flags & PROC_FORK_NO_EXEC)) {
		parent = is_orphan(tree, root) ? NULL : member_of(tree, root->stat.parent);
		root = parent && parent->stat.start <= root->stat.start ? parent : NULL;
	}
	if (!root || started(root) > created + 1)
		return false;
	root->marked = true;
	for (size_t i = 0; i < tree->count; i++)
		tree->members[i].marked |= may_be_relative(tree, &tree->members[i], root, number);
	mark_descendants(tree);
	return true;
}

bool inherited_ids_has(const struct inherited_ids *tree, uint32_t pid)
{
	const struct member *member = member_of(tree, pid);

	return member && member->marked;
}

bool inherited_ids_lives(const struct inherited_ids *tree, uint32_t pid)
{
	return member_of(tree, pid) != NULL;
}

uint32_t inherited_ids_next(const struct inherited_ids *tree, size_t *at)
{
	while (*at < tree->count)
		if (tree->members[(*at)++].marked)
			return tree->members[*at - 1].pid;
	return 0;
}
