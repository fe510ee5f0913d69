/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What ipclens can find wrong: the rows of findings.def with their texts in each language.
 */
#ifndef VIZ_FINDINGS_H
#define VIZ_FINDINGS_H

#include <stdbool.h>

/* Ascending: a bar (--fail-on) is met by what is at least as bad. */
enum severity { SEVERITY_NONE, SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_ERROR, SEVERITY_COUNT };

enum language { LANGUAGE_EN, LANGUAGE_DE, LANGUAGE_COUNT };

enum finding_id {
#define FINDING(id, ...) FINDING_##id,
#define PHRASE(...)
#include "findings.def"
#undef PHRASE
#undef FINDING
	FINDING_COUNT
};

/* Parts of texts; {1}, {2}, … are replaced. */
enum phrase {
#define FINDING(...)
#define PHRASE(id, ...) PHRASE_##id,
#include "findings.def"
#undef PHRASE
#undef FINDING
	PHRASE_COUNT
};

struct diagnosis;

/* In one language; {name} in text and advice is replaced by the finding's value of that name. */
struct finding_words {
	const char *text;
	const char *advice;
	const char *meaning; /* for `ipclens explain` */
};

struct finding_row {
	const char *name; /* "no-eof" */
	enum severity severity;
	void (*find)(struct diagnosis *diagnosis); /* several rows may share one */
	struct finding_words words[LANGUAGE_COUNT];
	const char *example; /* the smallest program or command that has it */
};

const struct finding_row *finding_row(enum finding_id id);   /* never NULL */
const struct finding_row *finding_by_name(const char *name); /* NULL: there is no such */
const char *phrase_text(enum phrase phrase, enum language language);

const char *severity_name(enum severity severity); /* in JSON; "unknown" beyond the table */
const char *severity_word(enum severity severity, enum language language); /* for readers */
enum severity severity_by_name(const char *name); /* SEVERITY_NONE: there is no such */
bool language_by_name(const char *name, enum language *language);
enum language language_of_environment(void); /* of LC_ALL, LC_MESSAGES, LANG; else English */

#endif
