/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What readers slept in other calls while somebody waited for room: found in one walk through the
 * trace, and then in a time that hardly grows with it, however many ask.
 */
#ifndef VIZ_DIAGNOSE_READER_SLEEPS_H
#define VIZ_DIAGNOSE_READER_SLEEPS_H

#include "viz/diagnose/core/finder.h"

struct reader_sleeps {
	struct arena *arena;
	struct map of_thread;  /* struct reader */
	struct map of_process; /* struct idle: what each process slept */
	struct map of_end;     /* struct viz_eof, by the call that found it */
};

/* What a reader slept elsewhere, and its longest call of those; NULL: none. */
struct other_sleep {
	uint64_t slept_ns;
	const struct viz_operation *longest;
};

/* Names a thread that will be asked about; all of them before reader_sleeps_find(). */
void reader_sleeps_want(struct reader_sleeps *sleeps, const struct viz_thread *reader);
void reader_sleeps_find(struct reader_sleeps *sleeps, const struct viz_model *model,
			const struct viz_pairing *pairing);

/*
 * What that reader slept between the two times although there was something to read for it: in
 * calls on other channels, but not where it passes on what it has read, waits for somebody at a
 * terminal, or for a child that worked for more than half of that time.
 */
struct other_sleep reader_slept(const struct reader_sleeps *sleeps, const struct viz_thread *reader,
				const struct viz_channel *channel, uint64_t since_ns,
				uint64_t until_ns);

#endif
