/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Helpers for finders (find_*.c), which go through the model and add a finding for each fault. The
 * rule for finders: a false finding is worse than a missing one.
 */
#ifndef VIZ_DIAGNOSE_FINDER_H
#define VIZ_DIAGNOSE_FINDER_H

#include "viz/base/arena.h"
#include "viz/base/clock.h"
#include "viz/diagnose/diagnose.h"
#include "viz/model/operation_facts.h"

#define LONG_WAIT_NS (500 * MILLISECOND) /* the shortest wait worth a finding */

/* How long what began then had lasted when the trace ended, or its limit came; 0: it came later. */
static inline uint64_t lasted_ns(const struct diagnosis *d, uint64_t since_ns)
{
	return d->until_ns > since_ns ? d->until_ns - since_ns : 0;
}

/* Adds a finding of the row's severity. `channel` may be NULL, else it becomes {channel}. */
struct finding *finding_add(struct diagnosis *d, enum finding_id id, uint64_t at_ns,
			    const struct viz_channel *channel);

/*
 * Returns the finding of this kind, process and channel, and counts one more case in `times`; adds
 * it if there is none yet. So what happens often is reported once, with {times} and {bytes}.
 */
struct finding *finding_fold(struct diagnosis *d, enum finding_id id, uint64_t at_ns,
			     const struct viz_process *process, const struct viz_channel *channel);

/* The same of cases of one kind, a number of the caller's: those of another are another finding. */
struct finding *finding_fold_kind(struct diagnosis *d, enum finding_id id, uint64_t kind,
				  uint64_t at_ns, const struct viz_process *process,
				  const struct viz_channel *channel);

/* Add a process or operation to the finding, unless it is there already. NULL is ignored. */
void finding_process(struct diagnosis *d, struct finding *f, const struct viz_process *process);
void finding_operation(struct diagnosis *d, struct finding *f, const struct viz_operation *op);

/* True if the process is one of those of the finding. */
bool finding_is_about(const struct finding *f, const struct viz_process *process);

/* Adds an address to those of the finding, unless it is there already: finding_addresses(). */
void finding_address(struct diagnosis *d, struct finding *f, struct viz_bytes address);

/* "127.0.0.1:80, 127.0.0.1:81 and 3 more", of a socket without one its channel. */
const char *finding_addresses(struct diagnosis *d, const struct finding *f);

/* Takes back the finding that was added last. */
void finding_drop_last(struct diagnosis *d);

/* Takes back all findings of which `drop` is true. */
void findings_drop(struct diagnosis *d, bool (*drop)(const struct finding *f, const void *context),
		   const void *context);

/* Sets the value of {name} in the templates. The last value set for a name counts. */
void finding_set(struct diagnosis *d, struct finding *f, const char *name, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
const char *finding_value_of(const struct finding *f, const char *name); /* "": none yet */
void finding_line(struct diagnosis *d, struct finding *f, const char *line);

/* Returns a phrase in the diagnosis' language, with {1} to {3} replaced. */
const char *fill_phrase(struct diagnosis *d, enum phrase phrase, const char *one, const char *two,
			const char *three);

/* Texts for values. They are harmless and live as long as the diagnosis. */
const char *format_text(struct diagnosis *d, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
const char *process_text(struct diagnosis *d, const struct viz_process *process); /* wc[802] */
const char *end_text(struct diagnosis *d, const struct viz_end *end);		  /* likewise */
const char *channel_text(struct diagnosis *d, const struct viz_channel *channel);
const char *call_text(struct diagnosis *d, const struct viz_operation *op); /* read(3) */
const char *bytes_text(struct diagnosis *d, struct viz_bytes bytes);
const char *amount_text(struct diagnosis *d, uint64_t bytes); /* 64 KiB */
const char *duration_text(struct diagnosis *d, uint64_t ns);  /* 1.98 s */
const char *time_text(struct diagnosis *d, uint64_t at_ns);   /* time, or how long ago */
/* "for 2 s (since 0.026 s)", until the end; of a look at the machine "since 10:22:01 (2 s ago)" */
const char *since_text(struct diagnosis *d, uint64_t at_ns);

/* Returns first + separator + next, or just `next` if `first` is NULL. */
const char *joined_text(struct diagnosis *d, const char *first, const char *separator,
			const char *next);

/* Returns room for a call of each process or channel, by index; all NULL. */
static inline const struct viz_operation **calls_array(struct arena *arena, size_t count)
{
	return arena_array(arena, count + 1, sizeof(struct viz_operation *));
}

/*
 * Returns the thread's next call on the same channel, or NULL. *cut is set if the search was given
 * up before the end of the trace.
 */
const struct viz_operation *next_call(const struct diagnosis *d, const struct viz_operation *op,
				      bool *cut);

/*
 * unseen_limits.c: drops or weakens findings that may only seem so because data is moved in ways
 * that the trace does not show (unseen.h).
 */
void diagnosis_spare_unseen(struct diagnosis *d);

/*
 * gather.c: of findings that say the same of the same programs the first one stays, and counts the
 * others; call it when they are sorted. gathered_text() adds how many there are to the text.
 */
void diagnosis_gather(struct diagnosis *d);
const char *gathered_text(struct diagnosis *d, const struct finding *f);

/* True if the finding is about a wait at the end, so that a look at the machine may know better. */
bool finding_is_wait(const struct finding *f);

/* find_closed_ports.c: adds datagram-dropped for datagrams to a port that nobody has. */
void report_closed_ports(struct diagnosis *d);

/* Sorts the findings: the worst first, then by time. */
void diagnosis_sort(struct diagnosis *d);

/*
 * True if the process lived when the trace ended, and none that made it did: of those that the user
 * started, one that a time limit had to end.
 */
bool diagnosis_outlived(const struct viz_process *process);

/* True if the user asked about this process. */
bool diagnosis_asked(const struct diagnosis *d, const struct viz_process *process);

/* The finders that the rows name. */
#define FINDING(id, name, severity, find, ...) void find(struct diagnosis *d);
#include "viz/diagnose/core/findings.def"
#undef FINDING

#endif
