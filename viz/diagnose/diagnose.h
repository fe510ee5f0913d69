/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Diagnoses a trace: looks for the rows of findings.def in the model and its messages. Everything
 * reachable from a diagnosis belongs to it, or to the model and the pairing, which must outlive it.
 * All its strings are harmless text (safe_text.h).
 */
#ifndef VIZ_DIAGNOSE_DIAGNOSE_H
#define VIZ_DIAGNOSE_DIAGNOSE_H

#include <stdio.h>

#include "viz/base/arena.h"
#include "viz/diagnose/core/findings.h"
#include "viz/pair/pair.h"

struct finding_value {
	const char *name;
	const char *text;
};

struct finding {
	size_t index;
	const struct finding_row *row;
	enum severity severity; /* the row's, or a lower one if this case is milder */
	uint64_t at_ns;
	const struct viz_channel *channel; /* or NULL */
	const struct viz_process **processes;
	size_t process_count;
	const struct viz_process **others; /* of a look: those that are not in the trace */
	size_t other_count;
	struct map in; /* finding.c: the processes, where they are many */
	const struct viz_operation **operations;
	size_t operation_count;
	struct finding_value *values; /* values for the templates */
	size_t value_count;
	uint64_t times;		     /* how many cases, if several make one finding */
	uint64_t bytes;		     /* bytes in all these cases */
	struct viz_bytes *addresses; /* of these cases, each once; they become {address} */
	size_t address_count;
	struct map at; /* finding.c: the addresses */
	/* gather.c: the first finding that says the same of the same programs, and their number. */
	struct finding *first;
	uint64_t alike;
	const char **lines; /* evidence, one sentence each */
	size_t line_count;
	const char *text;
	const char *advice; /* a finder may set another template than the row's */
	bool advised;	    /* one did: the advice is for the case */
	bool replaced;	    /* join.c: another finding takes its place */
	bool explained; /* of a wait: it is known why nobody ends it, so that it is no idle one */
};

struct diagnosis {
	const struct viz_model *model;
	const struct viz_pairing *pairing;
	enum language language;
	bool incomplete;   /* records are missing: absence proves nothing */
	uint64_t begin_ns; /* time zero, see viz_model_begin_ns() */
	uint64_t end_ns;   /* end of the trace, CLOCK_MONOTONIC */
	/* In words, what is before `start_ns` is a time of day; waits last until `until_ns`. */
	uint64_t start_ns, until_ns;
	struct finding **findings; /* worst first, then by time */
	size_t count;
	size_t severities[SEVERITY_COUNT]; /* number of findings of each */
	size_t left_out;		   /* diagnosis_keep() */
	struct wait_graph *waits;	   /* find_waits.c */
	const uint32_t *pids;		   /* diagnose_only() */
	size_t pid_count;
	struct map asked;		/* the same pids */
	bool survivors;			/* of a look at the machine: scope.h */
	struct diagnosis_look *look;	/* what the findings that were joined rest on; or NULL */
	const struct viz_model *looked; /* the same look; or NULL */
	const struct diagnosis *trace;	/* of a look: the trace that it is of; or NULL */
	struct map folded;		/* finding_fold() */
	struct map *failed_requests;	/* by call, on demand: failed_requests.c */
	size_t *named; /* by process index: how many findings name it, while finders run */
	bool added[FINDING_COUNT]; /* a finding of that row was added, be it dropped since */
	struct arena *arena;
};

/*
 * Diagnoses everything. Where the trace has a look at the machine, taken when a time limit fired,
 * what is known from that alone is joined. Never NULL; the caller releases it with
 * diagnosis_free().
 */
struct diagnosis *diagnose(const struct viz_model *model, const struct viz_pairing *pairing,
			   enum language language);

/*
 * As diagnose(), restricted to the findings that concern the processes `pids`, their children, the
 * processes that could end their waits, and so on; what they wait for is reported even if it is no
 * fault. If `count` is 0, nothing is left out. `pids` must outlive the diagnosis.
 */
struct diagnosis *diagnose_only(const struct viz_model *model, const struct viz_pairing *pairing,
				enum language language, const uint32_t *pids, size_t count);

/*
 * Of a look at the machine, by process index: whether findings about what the processes `pids` wait
 * for may rest on this process. Never NULL; for free().
 */
bool *diagnose_concerned(const struct viz_model *model, const struct viz_pairing *pairing,
			 const uint32_t *pids, size_t count);

/* How many findings that say the same of the same programs it stands for, itself included. */
uint64_t finding_stands_for(const struct finding *f);

/*
 * Keeps only the findings that `wanted` is true for, by their place in `findings`. The others are
 * counted in `left_out`, and in no severity.
 */
void diagnosis_keep(struct diagnosis *diagnosis, const bool *wanted);

/* True if some finding is at least as severe as `bar`; always false for SEVERITY_NONE. */
bool diagnosis_meets(const struct diagnosis *diagnosis, enum severity bar);

void diagnosis_free(struct diagnosis *diagnosis); /* accepts NULL */

/* The style of the terminal's form. */
struct diagnosis_style {
	bool utf8;
	bool colour;
	bool brief; /* one line per finding, no evidence, no advice */
	bool notes; /* if brief: notes, too */
	int width;  /* of the excerpts, in columns */
};

/* Prints the findings as text. Returns 0 or -errno; the stream is not flushed. */
int diagnosis_print(FILE *out, struct diagnosis *diagnosis, const struct diagnosis_style *style);

/* Prints the findings and a summary as JSON lines. Returns 0 or -errno; does not flush. */
int diagnosis_print_json(FILE *out, const struct diagnosis *diagnosis);

#endif
