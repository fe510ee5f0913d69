/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The faults that ipclens can find: the rows of findings.def with their texts in each language. */
#ifndef VIZ_DIAGNOSE_FINDINGS_H
#define VIZ_DIAGNOSE_FINDINGS_H

#include <stdbool.h>

#include "viz/format/language.h"

/* Ascending, so a bar (--fail-on) is met by findings that are at least as severe. */
enum severity { SEVERITY_NONE, SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_ERROR, SEVERITY_COUNT };

enum finding_id {
#define FINDING(id, ...) FINDING_##id,
#include "viz/diagnose/core/findings.def"
#undef FINDING
	FINDING_COUNT
};

/* Parts of texts; {1}, {2}, … are replaced. */
enum phrase {
#define PHRASE(id, ...) PHRASE_##id,
#include "viz/diagnose/core/phrases.def"
#undef PHRASE
	PHRASE_COUNT
};

/* A finding's texts in one language; {name} in text and advice is replaced by its value. */
struct finding_words {
	const char *text;
	const char *advice;
	const char *meaning; /* for `ipclens explain` */
};

struct finding_row {
	const char *name; /* "no-eof" */
	enum severity severity;
	struct finding_words words[LANGUAGE_COUNT];
	const char *example; /* the smallest program that shows it */
	const char *command; /* what to type in a shell to see it, of one or more lines */
};

const struct finding_row *finding_row(enum finding_id id);   /* never NULL */
const struct finding_row *finding_by_name(const char *name); /* NULL: no such name */

/* Returns the phrase's text, or an empty string beyond the table; never NULL. */
const char *phrase_text(enum phrase phrase, enum language language);

const char *severity_name(enum severity severity);			   /* for JSON */
const char *severity_word(enum severity severity, enum language language); /* for readers */
enum severity severity_by_name(const char *name); /* SEVERITY_NONE: no such name */

#endif
