// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Processes that share memory and no lock: some at once, which is a mistake, and some that never
 * meet there. Each logs who is party to the mistake ("party") and the memory ("channel").
 */
#include <sys/mman.h>
#include <sys/syscall.h>

#include "tests/labs/mistake.h"

enum { AT_LEAST_MS = 300 };

/* In the memory: what is counted, and how long the child has counted beside its parent. */
struct counts {
	volatile long sum;
	volatile long beside_ms;
};

static struct counts *counts_make(void)
{
	struct counts *counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	lab_expect(counts != MAP_FAILED, "mmap");
	channel_memory("shared-mmap", counts);
	return counts;
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void count_for(struct counts *counts, long ms)
{
	const long since = now_ms();

	while (now_ms() - since < ms)
		++counts->sum;
}

/* Both count until the child has done so for long enough, and say nothing to each other. */
static void parent_and_child(void)
{
	struct counts *counts = counts_make();
	pid_t child = lab_fork();
	const long since = now_ms();

	party(getpid());
	while (counts->beside_ms < AT_LEAST_MS) {
		++counts->sum;
		if (!child)
			counts->beside_ms = now_ms() - since;
	}
	if (child)
		lab_reap_well(child);
}

/* Fills it before fork(2), and reads it after wait(2): as long as it takes. */
static void before_and_after(void)
{
	struct counts *counts = counts_make();
	pid_t child;

	count_for(counts, AT_LEAST_MS);
	child = lab_fork();
	if (!child) {
		count_for(counts, AT_LEAST_MS);
		exit(EXIT_SUCCESS);
	}
	lab_reap_well(child);
	count_for(counts, AT_LEAST_MS);
}

/* Two children, the second one after the first one's end. */
static void in_turn(void)
{
	struct counts *counts = counts_make();

	for (int i = 0; i < 2; i++) {
		pid_t child = lab_fork();

		if (!child) {
			count_for(counts, 10);
			exit(EXIT_SUCCESS);
		}
		lab_reap_well(child);
	}
}

/* Each child gives up what it inherited before the next one is born; they live side by side. */
static void given_up(void)
{
	struct counts *counts = counts_make();
	pid_t children[2];

	for (int i = 0; i < 2; i++) {
		children[i] = lab_fork();
		if (children[i]) {
			lab_wait_blocked(children[i], SYS_clock_nanosleep);
			continue;
		}
		lab_check(munmap(counts, sizeof(*counts)), "munmap");
		usleep(AT_LEAST_MS * 1000);
		exit(EXIT_SUCCESS);
	}
	for (int i = 0; i < 2; i++)
		lab_reap_well(children[i]);
}

static const struct mistake mistakes[] = {
	{"parent-and-child", parent_and_child},
	{"before-and-after", before_and_after},
	{"in-turn", in_turn},
	{"given-up", given_up},
};

int main(int argc, char **argv)
{
	return mistake_main(argc, argv, "SHARING: shares memory so, and ends", mistakes,
			    MISTAKES(mistakes));
}
