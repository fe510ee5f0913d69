// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/capture/hold.h"

#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "user/base/procfs.h"
#include "viz/base/clock.h"

#define CHECK_EVERY_NS 1000000000ULL
#define RELEASE_ROUNDS 1000 /* a tenth of a second in all */

int hold_open(struct hold *hold, struct tracer *tracer, pid_t command, char *error, size_t size)
{
	int failed = cgroup_make(&hold->cgroup, error, size);

	if (failed)
		return failed;
	hold->open = true;
	hold->tracer = tracer;
	hold->warden.leash = -1;
	failed = cgroup_take(&hold->cgroup, command);
	if (!failed)
		failed = warden_start(&hold->warden, &hold->cgroup, tracer_ring(tracer));
	if (!failed)
		return 0;
	snprintf(error, size, "--lossless: the command cannot be put into a cgroup of its own: %s",
		 strerror(-failed));
	cgroup_remove(&hold->cgroup);
	warden_end(&hold->warden);
	cgroup_close(&hold->cgroup);
	hold->open = false;
	return failed;
}

struct search {
	const struct hold *hold;
	pid_t found; /* a traced process that is in another cgroup; 0: none */
};

static void search_one(void *context, pid_t pid)
{
	struct search *search = context;
	int pidfd;

	if (search->found || pid == getpid() || cgroup_has(&search->hold->cgroup, pid))
		return;
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0)
		return;
	if (tracer_has(search->hold->tracer, pidfd))
		search->found = pid;
	close(pidfd);
}

/*
 * A program may move its processes, as a login does. One that moved may keep the ring full, and be
 * gone when it is empty: so this is told at once.
 */
static void tell_who_left(struct hold *hold)
{
	struct search search = {.hold = hold};
	uint64_t now = clock_now_ns();

	if (hold->told || (hold->checked_ns && now < hold->checked_ns + CHECK_EVERY_NS))
		return;
	hold->checked_ns = now;
	proc_each(search_one, &search);
	if (!search.found)
		return;
	hold->told = true;
	fprintf(stderr,
		"ipclens: process %d is in a cgroup of its own making: --lossless cannot hold it, "
		"and records may be lost\n",
		(int)search.found);
}

/* True if a pause is over that was not told. */
static bool pause_take(struct hold *hold, struct hold_pause *pause)
{
	const struct warden_board *board = hold->warden.board;

	if (__atomic_load_n(&board->pauses, __ATOMIC_ACQUIRE) == hold->pauses)
		return false;
	hold->pauses++;
	hold->asked = false;
	*pause = (struct hold_pause){.at_ns = board->at_ns, .stood_ns = board->stood_ns};
	return true;
}

bool hold_release(struct hold *hold, bool now, struct hold_pause *pause)
{
	const struct timespec moment = {.tv_nsec = 100000};

	if (!hold->open || !hold->warden.pid)
		return false;
	if (pause_take(hold, pause))
		return true;
	if (hold->asked || !__atomic_load_n(&hold->warden.board->held_ns, __ATOMIC_ACQUIRE))
		return false;
	tell_who_left(hold);
	if (!now && ring_has_much(tracer_ring(hold->tracer)))
		return false;
	hold->asked = true;
	warden_ask(&hold->warden);
	for (int i = 0; now && i < RELEASE_ROUNDS; i++) {
		if (pause_take(hold, pause))
			return true;
		nanosleep(&moment, NULL);
	}
	return pause_take(hold, pause);
}

void hold_check(struct hold *hold)
{
	if (!hold->open || !warden_ended(&hold->warden))
		return;
	cgroup_freeze(&hold->cgroup, false);
	hold->told = true;
	fputs("ipclens: --lossless: the process that holds the command was killed; from now on "
	      "records may be lost\n",
	      stderr);
}

void hold_close(struct hold *hold)
{
	if (!hold->open)
		return;
	hold->open = false;
	cgroup_freeze(&hold->cgroup, false);
	if (!warden_end(&hold->warden))
		fprintf(stderr,
			"ipclens: --lossless: the cgroup %s is left over: something in it cannot "
			"be "
			"moved\n",
			hold->cgroup.path);
	cgroup_close(&hold->cgroup);
}
