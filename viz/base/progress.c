// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/base/progress.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "viz/base/clock.h"
#include "viz/base/memory.h"
#include "viz/base/terminal.h"

#define SECOND_NS UINT64_C(1000000000)
#define PATIENCE_NS SECOND_NS
#define BETWEEN_NS (SECOND_NS / 5)
#define TAKE_LINE_BACK "\r\033[K"

struct progress {
	pthread_t teller;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t changed;
	const char *what; /* NULL: nothing is to be said */
	uint64_t begun_ns, stage_ns;
	uint64_t done, all;
	bool shown, over;
};

/* Not by stdio, whose lock a process that is forked meanwhile would inherit. */
static void put(const char *text)
{
	ssize_t written = write(STDERR_FILENO, text, strlen(text));

	(void)written; /* a terminal that is gone misses no result */
}

static void tell(struct progress *p)
{
	uint64_t seconds = (clock_now_ns() - p->stage_ns) / SECOND_NS;
	char text[128], amount[32];

	if (!p->done && !seconds)
		snprintf(amount, sizeof(amount), "...");
	else if (p->all)
		snprintf(amount, sizeof(amount), "%" PRIu64 " %%",
			 p->done < p->all ? p->done * 100 / p->all : 100);
	else if (p->done)
		snprintf(amount, sizeof(amount), "%" PRIu64 " MB", p->done / 1000000);
	else
		snprintf(amount, sizeof(amount), "%" PRIu64 " s", seconds);
	snprintf(text, sizeof(text), TAKE_LINE_BACK "ipclens: %s: %s", p->what, amount);
	put(text);
	p->shown = true;
}

static void take_back(struct progress *p)
{
	if (p->shown)
		put(TAKE_LINE_BACK);
	p->shown = false;
}

static void sleep_a_while(struct progress *p)
{
	uint64_t until_ns = clock_now_ns() + BETWEEN_NS;
	struct timespec until = {(time_t)(until_ns / SECOND_NS), (long)(until_ns % SECOND_NS)};

	pthread_cond_timedwait(&p->changed, &p->lock, &until);
}

static void *teller(void *data)
{
	struct progress *p = data;

	pthread_mutex_lock(&p->lock);
	while (!p->over) {
		if (p->what && clock_now_ns() - p->begun_ns >= PATIENCE_NS)
			tell(p);
		sleep_a_while(p);
	}
	take_back(p);
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* Signals are for the thread that works. */
static int start(struct progress *p)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&p->teller, NULL, teller, p);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err;
}

struct progress *progress_new(void)
{
	struct progress *p;
	pthread_condattr_t attributes;
	struct term term;

	term_look(&term, STDERR_FILENO, TERM_AUTO);
	if (!term.tty || term.dumb)
		return NULL;
	p = memory_new(sizeof(*p));
	p->begun_ns = clock_now_ns();
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&p->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	if (!start(p))
		return p;
	free(p);
	return NULL;
}

void progress_stage(struct progress *p, const char *what)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->what = what;
	p->stage_ns = clock_now_ns();
	p->done = p->all = 0;
	pthread_mutex_unlock(&p->lock);
}

void progress_at(struct progress *p, uint64_t done, uint64_t all)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->done = done;
	p->all = all;
	pthread_mutex_unlock(&p->lock);
}

void progress_hide(struct progress *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->what = NULL;
	take_back(p);
	pthread_mutex_unlock(&p->lock);
}

void progress_end(struct progress *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->over = true;
	pthread_cond_signal(&p->changed);
	pthread_mutex_unlock(&p->lock);
	pthread_join(p->teller, NULL);
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->lock);
	free(p);
}
