// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/glance/broken_waits.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "user/base/procfs.h"
#include "user/encode/syscall_table.h"
#include "user/glance/pipe_fill.h"
#include "viz/base/clock.h"

#define WATCH_NS 1100000000ULL /* a little longer than timers of a second take */
#define WAITS_MOST 64	       /* that are watched */

/* Of include/linux/errno.h, between ERESTARTSYS and ERESTART_RESTARTBLOCK. */
enum { RESTARTS_FIRST = 512, RESTARTS_LAST = 516 };

struct broken_wait {
	struct call *call;
	uint32_t tid, nr;
	int32_t fd; /* its first argument; -1: that is no descriptor, as of semop(2) */
	uint64_t breaks;
	bool lease; /* open(2), which waits for one: the kernel wakes the thread at each tick */
	bool moved; /* it did something else */
};

struct broken_waits {
	struct encoder *encoder;
	uint64_t now_ns;
	const pid_t *pids;
	size_t pid_count;
	struct broken_wait items[WAITS_MOST];
	size_t count;
};

static bool is_asked_about(const struct broken_waits *waits, pid_t here)
{
	for (size_t i = 0; i < waits->pid_count; i++)
		if (waits->pids[i] == here)
			return true;
	return false;
}

static bool handles_timer(pid_t here)
{
	static const int timers[] = {SIGALRM, SIGVTALRM, SIGPROF};
	char text[PROC_VALUE_LEN];
	uint64_t caught;

	proc_status_value(here, "SigCgt", text);
	caught = strtoull(text, NULL, 16);
	for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++)
		if (caught >> (timers[i] - 1) & 1)
			return true;
	return false;
}

/* Waits for events, which poll(2) does for no object of its own, are made to be broken off. */
static bool asks_for_one_thing(const struct wire_operation *operation)
{
	return operation->object.mechanism != MECH_NONE &&
	       operation->object.mechanism != MECH_EPOLL;
}

static bool timer_breaks(const struct wire_operation *operation, pid_t here)
{
	return asks_for_one_thing(operation) && handles_timer(here);
}

static int32_t descriptor_of(const struct wire_operation *operation)
{
	return syscall_info(operation->nr)->fd ? -1 : operation->object.fd;
}

static void wait_find(void *context, struct call *call)
{
	struct broken_waits *waits = context;
	const struct wire_operation *operation = call_operation(call);
	bool lease;
	pid_t here;

	if (!operation || waits->count == WAITS_MOST ||
	    operation->enter_ns + WATCH_NS < waits->now_ns)
		return;
	here = (pid_t)pid_here(&waits->encoder->own_pids, operation->head.pid);
	if (!here || !is_asked_about(waits, here))
		return;
	lease = lease_awaited(operation) != 0;
	if (lease || timer_breaks(operation, here))
		waits->items[waits->count++] = (struct broken_wait){.call = call,
								    .tid = operation->head.tid,
								    .nr = operation->nr,
								    .fd = descriptor_of(operation),
								    .lease = lease};
}

static bool is_break(uint32_t error)
{
	return error == EINTR || (error >= RESTARTS_FIRST && error <= RESTARTS_LAST);
}

/* What the handler's return is, or prints that it ran. */
static bool is_beside(const struct wire_watched *call)
{
	const struct syscall_info *info = call->nr == WIRE_NO_CALL ? NULL : syscall_info(call->nr);

	return !info || (info->role == ROLE_SEND &&
			 (call->fd == STDOUT_FILENO || call->fd == STDERR_FILENO));
}

static void call_count(void *context, const struct wire_watched *call, uint64_t count)
{
	struct broken_waits *waits = context;

	for (size_t i = 0; i < waits->count; i++) {
		struct broken_wait *wait = &waits->items[i];

		if (wait->tid != call->tid)
			continue;
		if (wait->nr == call->nr && wait->fd == call->fd && is_break(call->error))
			wait->breaks += count;
		else
			wait->moved |= !is_beside(call);
	}
}

/* proc_pid_syscall(5): the thread sleeps in the same call, for the same descriptor if any. */
static bool sleeps_there(const struct broken_waits *waits, const struct broken_wait *wait)
{
	const pid_t here = (pid_t)pid_here(&waits->encoder->own_pids,
					   call_operation(wait->call)->head.pid);
	unsigned long long fd;
	char name[48];
	size_t len;
	long nr = -1;
	char *text;

	snprintf(name, sizeof(name), "task/%u/syscall", (unsigned)wait->tid);
	text = proc_file(here, name, 256, &len);
	if (!text || sscanf(text, "%ld %llx", &nr, &fd) != 2)
		nr = -1;
	free(text);
	return nr == (long)wait->nr && (wait->fd < 0 || (int32_t)fd == wait->fd);
}

static bool still_asks(const struct broken_waits *waits, const struct broken_wait *wait)
{
	if (wait->lease)
		return lease_awaited(call_operation(wait->call)) != 0;
	return wait->breaks && sleeps_there(waits, wait);
}

void broken_waits_watch(struct encoder *encoder, struct tracer *tracer, const pid_t *pids,
			size_t count)
{
	struct broken_waits waits = {encoder, clock_now_ns(), pids, count, .count = 0};

	calls_each_waiting(encoder->calls, wait_find, &waits);
	for (size_t i = 0; waits.count && i < count; i++)
		if (tracer_want(tracer, pids[i]))
			return;
	if (!waits.count || tracer_watch_begin(tracer))
		return;
	clock_pause(WATCH_NS);
	tracer_watch_end(tracer, call_count, &waits);
	for (size_t i = 0; i < waits.count; i++)
		waits.items[i].call->asks_again = !waits.items[i].moved &&
						  still_asks(&waits, &waits.items[i]);
}
