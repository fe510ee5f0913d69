/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Runs Wireshark's tshark: without a shell, without root's rights, without a terminal or other
 * descriptors, with limits, and never longer than this program. Capture, output and complaints are
 * files in memory, so that nobody waits for a pipe while it works in the background.
 */
#ifndef VIZ_DISSECT_TSHARK_H
#define VIZ_DISSECT_TSHARK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "viz/base/progress.h"

struct tshark {
	pid_t pid; /* 0: it does not run */
	int capture, output, complaints;
	uint64_t started_ns, limit_ns;
};

/* A file in memory, or -errno. */
int tshark_file(const char *name);

/*
 * Starts it with the words of its command line, which end with NULL. It reads `capture`, which this
 * takes over, from its beginning. Gives NULL, or why not, allocated.
 */
char *tshark_start(struct tshark *tshark, int capture, char *const words[], uint64_t limit_ns);

/* Whether it has ended; waits for that until it has worked for so long. */
bool tshark_has_ended(const struct tshark *tshark, uint64_t within_ns);

enum tshark_state {
	TSHARK_ENDED,
	TSHARK_WORKS,  /* beyond its limit */
	TSHARK_UNHEARD /* nobody reads `reader` any more */
};

/*
 * Waits until it ends, at most until its limit, or until nobody reads a pipe any more whose writing
 * end is `reader` (-1: no pipe). `progress`, which may be NULL, says `stage` and how far it is.
 */
enum tshark_state tshark_await(const struct tshark *tshark, struct progress *progress,
			       const char *stage, int reader);

/*
 * Collects it, or ends it where it has not ended. Gives NULL, or what went wrong, as a harmless
 * text for the user, which the caller frees.
 */
char *tshark_end(struct tshark *tshark);

/* Ends it if it still runs. */
void tshark_free(struct tshark *tshark);

#endif
