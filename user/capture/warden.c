// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/capture/warden.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/capture/confinement.h"
#include "user/capture/priority.h"
#include "viz/base/clock.h"
#include "viz/base/compare.h"

/*
 * The ring wakes the warden from a quarter on. As not each record does, the warden looks by itself,
 * too: often while there is much in the ring.
 */
enum { LOOK_MS = 1, IDLE_MS = 50 };

enum { LEASH, RING, FILES_KEPT = 8 };

struct watch {
	const struct cgroup *cgroup;
	const struct ring *ring;
	struct warden_board *board;
	int leash, events;
};

static bool add_event(int events, int file, uint32_t what, uint32_t name)
{
	struct epoll_event event = {.events = what, .data = {.u32 = name}};

	return epoll_ctl(events, EPOLL_CTL_ADD, file, &event) == 0;
}

static int by_number(const void *a, const void *b)
{
	return COMPARE(*(const int *)a, *(const int *)b);
}

/* What it inherits would keep pipes of others open, and the hooks attached. */
static void files_close(const struct watch *watch)
{
	const struct cgroup *cgroup = watch->cgroup;
	int kept[FILES_KEPT] = {
		cgroup->tree,	cgroup->home, cgroup->home_procs, cgroup->own,
		cgroup->freeze, watch->leash, watch->events,	  ring_source(watch->ring)};
	unsigned from = 0;

	qsort(kept, FILES_KEPT, sizeof(kept[0]), by_number);
	for (size_t i = 0; i < FILES_KEPT; i++) {
		if (kept[i] > (int)from)
			close_range(from, (unsigned)kept[i] - 1, 0);
		from = (unsigned)kept[i] + 1;
	}
	close_range(from, ~0U, 0);
}

/* A priority above that of all that may fill the ring; else the best that may be had. */
static void priority_raise_most(void)
{
	const struct sched_param least = {.sched_priority = sched_get_priority_min(SCHED_RR)};

	if (sched_setscheduler(0, SCHED_RR, &least))
		priority_raise(PRIORITY_HOLDER);
}

/*
 * No terminal, no signal, no file of the tracer. Its name is not that of ipclens, so that who kills
 * all of that name spares it.
 */
static void settle(const struct watch *watch)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setsid();
	files_close(watch);
	if (chdir("/"))
		_exit(EXIT_FAILURE);
	prctl(PR_SET_NAME, "ring-warden");
	priority_raise_most();
	confinement_warden();
}

static void look(const struct watch *watch)
{
	uint64_t now = clock_now_ns();

	if (__atomic_load_n(&watch->board->held_ns, __ATOMIC_ACQUIRE) ||
	    !ring_is_crowded(watch->ring) || cgroup_freeze(watch->cgroup, true))
		return;
	__atomic_store_n(&watch->board->held_ns, now, __ATOMIC_RELEASE);
}

static void let_go(const struct watch *watch)
{
	struct warden_board *board = watch->board;
	uint64_t held_ns = board->held_ns;

	if (!held_ns)
		return;
	board->at_ns = held_ns;
	board->stood_ns = clock_now_ns() - held_ns;
	cgroup_freeze(watch->cgroup, false);
	__atomic_store_n(&board->held_ns, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&board->pauses, board->pauses + 1, __ATOMIC_RELEASE);
}

/* Returns false at the end of the leash. */
static bool leash_follow(const struct watch *watch)
{
	char asked;

	if (read(watch->leash, &asked, 1) != 1)
		return false;
	let_go(watch);
	return true;
}

static void warden_main(const struct watch *watch)
{
	struct epoll_event event = {0};
	int ready = 0;

	settle(watch);
	while (ready <= 0 || event.data.u32 != LEASH || leash_follow(watch)) {
		look(watch);
		ready = epoll_wait(watch->events, &event, 1,
				   ring_has_much(watch->ring) ? LOOK_MS : IDLE_MS);
	}
	cgroup_freeze(watch->cgroup, false);
	_exit(cgroup_remove(watch->cgroup) ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* The ring reports by edges: it has data nearly always, and each report follows a wake-up. */
static int watch_open(struct watch *watch)
{
	int error;

	watch->events = epoll_create1(EPOLL_CLOEXEC);
	if (watch->events >= 0 && add_event(watch->events, watch->leash, EPOLLIN, LEASH) &&
	    add_event(watch->events, ring_source(watch->ring), EPOLLIN | EPOLLET, RING))
		return 0;
	error = -errno;
	if (watch->events >= 0)
		close(watch->events);
	return error;
}

static int board_open(struct warden *warden)
{
	void *memory = mmap(NULL, sizeof(*warden->board), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return -errno;
	warden->board = memory;
	return 0;
}

int warden_start(struct warden *warden, const struct cgroup *cgroup, const struct ring *ring)
{
	struct watch watch = {.cgroup = cgroup, .ring = ring};
	int leash[2], error = board_open(warden);

	if (error)
		return error;
	if (pipe2(leash, O_CLOEXEC))
		return -errno;
	watch.board = warden->board;
	watch.leash = leash[0];
	error = watch_open(&watch);
	if (!error) {
		warden->pid = fork();
		if (warden->pid == 0)
			warden_main(&watch);
		error = warden->pid < 0 ? -errno : 0;
		close(watch.events);
	}
	close(leash[0]);
	warden->leash = leash[1];
	return error;
}

void warden_ask(const struct warden *warden)
{
	if (write(warden->leash, "g", 1) != 1)
		return; /* it has ended, which SIGCHLD tells */
}

bool warden_ended(struct warden *warden)
{
	if (warden->pid <= 0 || waitpid(warden->pid, NULL, WNOHANG) != warden->pid)
		return false;
	warden->pid = 0;
	return true;
}

bool warden_end(struct warden *warden)
{
	int status = -1;

	if (warden->leash >= 0)
		close(warden->leash);
	if (warden->pid > 0)
		while (waitpid(warden->pid, &status, 0) < 0 && errno == EINTR)
			;
	if (warden->board)
		munmap(warden->board, sizeof(*warden->board));
	*warden = (struct warden){.leash = -1};
	return status == 0;
}
