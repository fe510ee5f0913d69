// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/glance/watch.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "user/base/procfs.h"
#include "user/encode/call_names.h"
#include "viz/base/clock.h"
#include "viz/format/names.h"

#define WATCH_MS 200
#define STRAY_SLEEPS 1			/* for a page that has to be read */
#define CALLS_MOST 4			/* told of one thread */
#define NAP_MOST_NS (150 * MILLISECOND) /* such a sleep ends while the thread is watched */
#define STATE_READS 8

struct watched {
	pid_t pid, tid;
	uint64_t sleeps; /* how often it had slept before */
	bool ran;	 /* it never slept while it was watched */
	struct counted {
		struct wire_watched call;
		uint64_t count;
	} calls[CALLS_MOST]; /* the most frequent ones, the first most of all */
};

struct watch {
	struct watched *threads; /* by tid, once all are found */
	size_t count, room;
	size_t unwatched; /* for want of memory */
};

/* How often the thread has slept so far (proc_pid_status(5)); each thread has a /proc/TID. */
static uint64_t sleeps_of(pid_t tid)
{
	char text[PROC_VALUE_LEN];

	proc_status_value(tid, "voluntary_ctxt_switches", text);
	return strtoull(text, NULL, 10);
}

/*
 * A thread that asks whether it has to wait is "S" for a moment though it runs on: do_wait() of
 * kernel/exit.c changes the state before it looks, even with WNOHANG. So one "R" of several counts.
 */
static bool runs_now(pid_t tid)
{
	char text[PROC_VALUE_LEN];

	for (int i = 0; i < STATE_READS; i++) {
		proc_status_value(tid, "State", text);
		if (*text == 'R')
			return true;
	}
	return false;
}

/* How long the sleep that was asked for still lasts; UINT64_MAX: by another clock. */
static uint64_t left_ns(const struct timespec *asked, bool until, clockid_t clock)
{
	const uint64_t ns = (uint64_t)asked->tv_sec * 1000 * MILLISECOND + (uint64_t)asked->tv_nsec;
	const uint64_t now_ns = clock_now_ns();

	if (!until)
		return ns;
	if (clock != CLOCK_MONOTONIC)
		return UINT64_MAX;
	return ns > now_ns ? ns - now_ns : 0;
}

/* True if it says that the thread is in a nanosleep(2) that ends soon (proc_pid_syscall(5)). */
static bool is_nap(pid_t tid, const char *text)
{
	unsigned long long args[3];
	struct timespec asked;
	long nr;

	if (sscanf(text, "%ld %llx %llx %llx", &nr, &args[0], &args[1], &args[2]) != 4)
		return false;
	if (nr == SYS_nanosleep)
		return proc_memory(tid, args[0], &asked, sizeof(asked)) &&
		       left_ns(&asked, false, CLOCK_MONOTONIC) <= NAP_MOST_NS;
	return nr == SYS_clock_nanosleep && proc_memory(tid, args[2], &asked, sizeof(asked)) &&
	       left_ns(&asked, args[1] & TIMER_ABSTIME, (clockid_t)args[0]) <= NAP_MOST_NS;
}

/* Between two of them it runs for a moment. */
static bool naps_now(pid_t tid)
{
	bool runs = true, naps = false;
	size_t len;

	for (int i = 0; i < STATE_READS && runs; i++) {
		char *text = proc_file(tid, "syscall", 256, &len);

		runs = text && strncmp(text, "running", 7) == 0;
		naps = text && is_nap(tid, text);
		free(text);
	}
	return naps;
}

static void thread_add(struct watch *watch, const struct watched *thread)
{
	const size_t room = watch->room ? watch->room * 2 : 16;
	struct watched *grown = watch->threads;

	if (watch->count == watch->room) {
		grown = reallocarray(watch->threads, room, sizeof(*grown));
		if (!grown) {
			watch->unwatched++;
			return;
		}
		watch->room = room;
		watch->threads = grown;
	}
	grown[watch->count++] = *thread;
}

static void threads_find(struct watch *watch, pid_t pid)
{
	char path[64];
	struct dirent *entry;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks))) {
		const pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (tid > 0 && (runs_now(tid) || naps_now(tid)))
			thread_add(watch, &(struct watched){.pid = pid,
							    .tid = tid,
							    .sleeps = sleeps_of(tid)});
	}
	if (tasks)
		closedir(tasks);
}

static int by_tid(const void *left, const void *right)
{
	const struct watched *a = left, *b = right;

	return (a->tid > b->tid) - (a->tid < b->tid);
}

/* Keeps the call if it is among the most frequent ones of its thread. */
static void call_count(void *context, const struct wire_watched *call, uint64_t count)
{
	struct watch *watch = context;
	const struct watched key = {.tid = (pid_t)call->tid};
	struct watched *thread = bsearch(&key, watch->threads, watch->count, sizeof(key), by_tid);
	size_t at = CALLS_MOST;

	while (thread && at > 0 && thread->calls[at - 1].count < count)
		at--;
	if (at == CALLS_MOST)
		return;
	memmove(&thread->calls[at + 1], &thread->calls[at],
		(CALLS_MOST - 1 - at) * sizeof(*thread->calls));
	thread->calls[at] = (struct counted){*call, count};
}

/*
 * Writes "read(3) = EAGAIN", or "call 332()" of one without a name. A thread leaves rt_sigreturn(2)
 * with the number of no call.
 */
static void call_text(const struct wire_watched *call, char text[64])
{
	const char *name = call->nr == WIRE_NO_CALL ? "rt_sigreturn" : call_name(call->nr),
		   *error = call->error ? errno_name((int)call->error) : NULL;
	char number[24], fd[16] = "";

	snprintf(number, sizeof(number), "call %u", (unsigned)call->nr);
	if (call->fd >= 0)
		snprintf(fd, sizeof(fd), "%d", (int)call->fd);
	snprintf(text, 64, "%.24s(%s)%s%.16s", name ? name : number, fd, error ? " = " : "",
		 error ? error : "");
}

static void calls_write(struct json *json, const struct watched *thread)
{
	char text[64];

	json_key(json, KEY(state, calls));
	json_array(json);
	for (size_t i = 0; i < CALLS_MOST && thread->calls[i].count; i++) {
		call_text(&thread->calls[i].call, text);
		json_text(json, text);
	}
	json_end_array(json);
	json_key(json, KEY(state, counts));
	json_array(json);
	for (size_t i = 0; i < CALLS_MOST && thread->calls[i].count; i++)
		json_uint(json, thread->calls[i].count);
	json_end_array(json);
}

/* True if it slept by nanosleep(2) again and again: it has come from one, and goes on. */
static bool thread_naps(const struct watched *thread)
{
	uint64_t naps = 0;

	for (size_t i = 0; i < CALLS_MOST; i++) {
		const struct counted *made = &thread->calls[i];

		if (made->call.nr == SYS_clock_nanosleep || made->call.nr == SYS_nanosleep)
			naps += made->count;
	}
	return naps > 1 || (naps && naps_now(thread->tid));
}

static void thread_write(struct encoder *encoder, const struct watched *thread, uint64_t at_ns,
			 uint64_t long_ns)
{
	struct json *json = &encoder->json;

	line_begin(json, RECORD_state);
	json_field_uint(json, KEY(state, at_ns), at_ns);
	json_field_uint(json, KEY(state, pid), (uint64_t)thread->pid);
	json_field_uint(json, KEY(state, tid), (uint64_t)thread->tid);
	json_field_text(
		json, KEY(state, state),
		target_state_name(thread->ran ? TARGET_STATE_RUNNING : TARGET_STATE_BLOCKED));
	json_field_uint(json, KEY(state, watched_ns), long_ns);
	calls_write(json, thread);
	line_end(json);
}

/* Returns how long it watched. */
static uint64_t watch_calls(struct watch *watch, struct tracer *tracer)
{
	uint64_t from_ns;

	if (tracer_watch_begin(tracer))
		return 0;
	from_ns = clock_now_ns();
	clock_pause(WATCH_MS * MILLISECOND);
	for (size_t i = 0; i < watch->count; i++)
		watch->threads[i].ran = runs_now(watch->threads[i].tid) &&
					sleeps_of(watch->threads[i].tid) <=
						watch->threads[i].sleeps + STRAY_SLEEPS;
	from_ns = clock_now_ns() - from_ns;
	tracer_watch_end(tracer, call_count, watch);
	return from_ns;
}

void glance_watch(struct encoder *encoder, struct tracer *tracer, const pid_t *pids, size_t count)
{
	struct watch watch = {0};
	uint64_t long_ns;

	for (size_t i = 0; i < count; i++) {
		threads_find(&watch, pids[i]);
		if (tracer_want(tracer, pids[i]))
			watch.count = 0;
	}
	if (watch.unwatched)
		encode_loss(encoder, "storage", -1, watch.unwatched, clock_now_ns());
	if (watch.count)
		qsort(watch.threads, watch.count, sizeof(*watch.threads), by_tid);
	long_ns = watch.count ? watch_calls(&watch, tracer) : 0;
	for (size_t i = 0; long_ns && i < watch.count; i++)
		if (watch.threads[i].ran || thread_naps(&watch.threads[i]))
			thread_write(encoder, &watch.threads[i], clock_now_ns(), long_ns);
	free(watch.threads);
}
