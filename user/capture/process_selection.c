// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/capture/process_selection.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/procfs.h"

#define ROUNDS_MAX 20 /* bounds the search if processes fork faster than they are found */

enum { OPTION_COMM = 0x200, OPTION_CGROUP, OPTION_CHILDREN };

static const struct argp_option rows[] = {
	{"pid", 'p', "PID", 0, "Join this running process, all its threads; may be repeated", 0},
	{"children", OPTION_CHILDREN, NULL, 0,
	 "With -p: its children and theirs, too (those that it makes later always are)", 0},
	{"comm", OPTION_COMM, "NAME", 0,
	 "Join all processes of this name, those that start later too; may be repeated", 0},
	{"cgroup", OPTION_CGROUP, "PATH", 0,
	 "Join all processes of this control group and those below it, as /sys/fs/cgroup/x.slice; "
	 "may "
	 "be repeated",
	 0},
	{"all", 'a', NULL, 0,
	 "Join all processes of the machine. The first messages of an object that gets several "
	 "senders or receivers may then be ambiguous, see --buffers",
	 0},
	{0},
};

void selection_add_pid(struct selection *selection, const char *text, struct argp_state *state)
{
	char *end;
	long pid = strtol(text, &end, 10);
	pid_t *pids;

	if (end == text || *end || pid < 1 || pid > 0x7fffffff)
		argp_error(state, "-p %s: the number of a process is needed", text);
	pids = reallocarray(selection->pids, selection->pid_count + 1, sizeof(*pids));
	if (!pids) {
		argp_failure(state, 1, ENOMEM, "-p %s", text);
		return; /* argp_failure() exits, but is not declared noreturn */
	}
	selection->pids = pids;
	selection->pids[selection->pid_count++] = (pid_t)pid;
}

static void comm_add(struct selection *selection, const char *text, struct argp_state *state)
{
	struct wire_selection *kernel = &selection->kernel;

	if (!*text || strlen(text) >= WIRE_COMM_LEN)
		argp_error(state, "--comm %s: the kernel keeps the first %d characters of a name",
			   text, WIRE_COMM_LEN - 1);
	if (kernel->comm_count == SELECT_COMMS)
		argp_error(state, "--comm: at most %d names", SELECT_COMMS);
	memcpy(kernel->comms[kernel->comm_count++], text, strlen(text));
}

static void cgroup_add(struct selection *selection, const char *text, struct argp_state *state)
{
	const char **cgroups = reallocarray(selection->cgroups, selection->cgroup_count + 1,
					    sizeof(*cgroups));

	if (!cgroups) {
		argp_failure(state, 1, ENOMEM, "--cgroup %s", text);
		return;
	}
	selection->cgroups = cgroups;
	selection->cgroups[selection->cgroup_count++] = text;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct selection *selection = state->input;

	switch (key) {
	case 'p':
		selection_add_pid(selection, text, state);
		return 0;
	case 'a':
		selection->kernel.all = 1;
		return 0;
	case OPTION_CHILDREN:
		selection->children = true;
		selection->kernel.children = 1;
		return 0;
	case OPTION_COMM:
		comm_add(selection, text, state);
		return 0;
	case OPTION_CGROUP:
		cgroup_add(selection, text, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp selection_argp = {.options = rows, .parser = parse};

bool selection_any(const struct selection *selection)
{
	return selection->pid_count || selection->cgroup_count || selection->kernel.all ||
	       selection->kernel.comm_count;
}

void selection_free(struct selection *selection)
{
	free(selection->pids);
	free(selection->cgroups);
}

/* The state of the repeated search for selected processes. */
struct round {
	const struct selection *selection;
	struct tracer *tracer;
	pid_t *wanted; /* all found so far, in the order found */
	size_t count, capacity;
	bool grown;
	int error;
};

static bool round_has(const struct round *round, pid_t pid)
{
	for (size_t i = 0; i < round->count; i++)
		if (round->wanted[i] == pid)
			return true;
	return false;
}

static void round_add(struct round *round, pid_t pid)
{
	if (round->error || round_has(round, pid))
		return;
	if (round->count == round->capacity) {
		size_t capacity = round->capacity ? 2 * round->capacity : 64;
		pid_t *wanted = reallocarray(round->wanted, capacity, sizeof(*wanted));
		if (!wanted) {
			round->error = -ENOMEM;
			return;
		}
		round->wanted = wanted;
		round->capacity = capacity;
	}
	round->wanted[round->count++] = pid;
	round->error = tracer_want(round->tracer, pid);
	round->grown = true;
}

static bool has_comm(const struct wire_selection *kernel, pid_t pid)
{
	size_t len = 0;
	char *comm = kernel->comm_count ? proc_file(pid, "comm", WIRE_COMM_LEN, &len) : NULL;
	bool has = false;

	if (!comm)
		return false;
	if (len && comm[len - 1] == '\n')
		comm[len - 1] = 0;
	for (uint32_t i = 0; i < kernel->comm_count && !has; i++)
		has = strcmp(comm, kernel->comms[i]) == 0;
	free(comm);
	return has;
}

static void look_at(void *context, pid_t pid)
{
	struct round *round = context;
	const struct selection *selection = round->selection;

	if (has_comm(&selection->kernel, pid) ||
	    (selection->children && round_has(round, proc_parent(pid))))
		round_add(round, pid);
}

/* nftw(3) passes no context to its callback. One walk runs at a time in this thread. */
static _Thread_local struct cgroup_walk {
	void (*each)(void *context, pid_t pid);
	void *context;
} cgroup_walk;

static int cgroup_visit(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	FILE *file;
	int pid;

	(void)status;
	if (kind != FTW_F || strcmp(path + place->base, "cgroup.procs"))
		return 0;
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (fscanf(file, "%d", &pid) == 1)
		cgroup_walk.each(cgroup_walk.context, pid);
	fclose(file);
	return 0;
}

int cgroup_each_process(const char *path, void (*each)(void *context, pid_t pid), void *context)
{
	cgroup_walk = (struct cgroup_walk){each, context};
	return nftw(path, cgroup_visit, 16, FTW_PHYS) ? -errno : 0;
}

static void look_at_member(void *context, pid_t pid)
{
	round_add(context, pid);
}

static int cgroups_look(struct round *round, char *why, size_t why_len)
{
	for (size_t i = 0; i < round->selection->cgroup_count; i++) {
		int error = cgroup_each_process(round->selection->cgroups[i], look_at_member,
						round);

		if (error) {
			snprintf(why, why_len, "--cgroup %s: %s", round->selection->cgroups[i],
				 strerror(-error));
			return error;
		}
	}
	return 0;
}

static int status_number(pid_t pid, const char *key)
{
	char value[PROC_VALUE_LEN];

	proc_status_value(pid, key, value);
	return atoi(value);
}

/* A process whose main thread has ended is a zombie, too, but its other threads run on. */
static bool has_ended(pid_t pid)
{
	char state[PROC_VALUE_LEN];

	proc_status_value(pid, "State", state);
	return (state[0] == 'Z' || state[0] == 'X') && status_number(pid, "Threads") <= 1;
}

bool process_missing(pid_t pid, char *why, size_t why_len)
{
	int process = status_number(pid, "Tgid");

	if (kill(pid, 0) && errno == ESRCH)
		snprintf(why, why_len, "there is no process %d", (int)pid);
	else if (proc_is_kernel_thread(pid))
		snprintf(why, why_len, "%d is a thread of the kernel: there is nothing to trace",
			 (int)pid);
	else if (has_ended(pid))
		snprintf(why, why_len,
			 "process %d has ended, and %d has not collected it: there is nothing to "
			 "trace",
			 (int)pid, (int)proc_parent(pid));
	else if (process && process != pid)
		snprintf(why, why_len, "%d is a thread of process %d: try -p %d", (int)pid, process,
			 process);
	else
		return false;
	return true;
}

bool selection_missing(const struct selection *selection, char *why, size_t why_len)
{
	for (size_t i = 0; i < selection->pid_count; i++)
		if (process_missing(selection->pids[i], why, why_len))
			return true;
	return false;
}

static int pids_add(struct round *round, char *why, size_t why_len)
{
	const struct selection *selection = round->selection;

	for (size_t i = 0; i < selection->pid_count; i++) {
		if (!process_missing(selection->pids[i], why, why_len))
			round_add(round, selection->pids[i]);
		else if (!selection->may_end)
			return -ESRCH;
	}
	return round->error;
}

static int rounds_run(struct round *round, char *why, size_t why_len)
{
	int error;

	for (int i = 0; i < ROUNDS_MAX; i++) {
		round->grown = i == 0;
		error = cgroups_look(round, why, why_len);
		if (error)
			return error;
		proc_each(look_at, round);
		if (!round->error && round->grown)
			round->error = tracer_snapshot(round->tracer, TRACER_BEGIN);
		if (round->error || !round->grown)
			return round->error;
	}
	return 0;
}

int selection_join(const struct selection *selection, struct tracer *tracer, char *why,
		   size_t why_len)
{
	struct round round = {.selection = selection, .tracer = tracer};
	int error;

	snprintf(why, why_len, "cannot look at the running processes");
	error = pids_add(&round, why, why_len);
	if (!error)
		error = rounds_run(&round, why, why_len);
	if (!error)
		error = tracer_snapshot(tracer, TRACER_JOINED);
	free(round.wanted);
	return error;
}
