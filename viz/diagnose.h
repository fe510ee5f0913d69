/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What went wrong in a trace: the rows of findings.def, looked for in the model and its messages.
 * Everything in a diagnosis is borrowed from it, and from model and pairing, which must outlive it.
 * All its strings are harmless text (scene_text.h).
 */
#ifndef VIZ_DIAGNOSE_H
#define VIZ_DIAGNOSE_H

#include <stdio.h>

#include "arena.h"
#include "findings.h"
#include "pair.h"

struct finding_value {
	const char *name;
	const char *text;
};

struct finding {
	size_t index;
	const struct finding_row *row;
	enum severity severity; /* the row's, or less where this case is milder */
	uint64_t at_ns;
	const struct viz_channel *channel; /* NULL: none */
	const struct viz_process **processes;
	size_t process_count;
	const struct viz_operation **operations;
	size_t operation_count;
	struct finding_value *values; /* for the templates */
	size_t value_count;
	uint64_t times;	    /* how often, where several cases are one finding */
	uint64_t bytes;	    /* and how much in all */
	const char **lines; /* evidence, one sentence each */
	size_t line_count;
	const char *text;
	const char *advice;
};

struct diagnosis {
	const struct viz_model *model;
	const struct viz_pairing *pairing;
	enum language language;
	bool incomplete;	   /* records are missing: nothing may rest on what is not there */
	uint64_t end_ns;	   /* when the trace ended */
	struct finding **findings; /* worst first, then by time */
	size_t count;
	size_t severities[SEVERITY_COUNT]; /* how many of each */
	struct wait_graph *waits;	   /* find_waits.c */
	const uint32_t *pids;		   /* diagnose_only() */
	size_t pid_count;
	struct map folded; /* finding_fold() */
	struct arena *arena;
};

/* Never NULL; for diagnosis_free(). */
struct diagnosis *diagnose(const struct viz_model *model, const struct viz_pairing *pairing,
			   enum language language);

/*
 * The same of what concerns these processes alone: they, whoever they wait for, and so on; what
 * they wait for is said even where it is no fault. Count 0: of everything.
 */
struct diagnosis *diagnose_only(const struct viz_model *model, const struct viz_pairing *pairing,
				enum language language, const uint32_t *pids, size_t count);

/* Whether a finding is at least as bad as that. SEVERITY_NONE: no bar, which nothing meets. */
bool diagnosis_meets(const struct diagnosis *diagnosis, enum severity bar);

void diagnosis_free(struct diagnosis *diagnosis); /* NULL is fine */

/* How the terminal's form looks. */
struct diagnosis_style {
	bool utf8;
	bool colour;
	bool brief; /* a line for each finding, no evidence and no advice */
	int width;  /* of the excerpts, columns */
};

/* 0 or -errno; the stream is not flushed. */
int diagnosis_print(FILE *out, struct diagnosis *diagnosis, const struct diagnosis_style *style);

/* Of a finding only the few rows of the diagram around it; nothing where there is no room. */
void diagnosis_print_excerpt(FILE *out, struct diagnosis *diagnosis, const struct finding *finding,
			     const struct diagnosis_style *style);
int diagnosis_print_json(FILE *out, const struct diagnosis *diagnosis);

#endif
