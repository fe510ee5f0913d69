// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The tables of findings and phrases, from findings.def and phrases.def. */
#include "viz/diagnose/core/findings.h"

#include <stdlib.h>
#include <string.h>

static const struct finding_row rows[] = {
#define EN(...)                                                                                    \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define DE(...)                                                                                    \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define FINDING(id, name, severity, find, en, de, example, command)                                \
	[FINDING_##id] = {name, SEVERITY_##severity, {en, de}, example, command},
#include "viz/diagnose/core/findings.def"
#undef FINDING
#undef DE
#undef EN
};

static const char *const phrases[][LANGUAGE_COUNT] = {
#define PHRASE(id, en, de) [PHRASE_##id] = {en, de},
#include "viz/diagnose/core/phrases.def"
#undef PHRASE
};

const struct finding_row *finding_row(enum finding_id id)
{
	return &rows[id < FINDING_COUNT ? id : 0];
}

const struct finding_row *finding_by_name(const char *name)
{
	for (size_t i = 0; i < FINDING_COUNT; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

const char *phrase_text(enum phrase phrase, enum language language)
{
	return phrase < PHRASE_COUNT ? phrases[phrase][language] : "";
}

const char *severity_name(enum severity severity)
{
	return severity_word(severity, LANGUAGE_EN);
}

const char *severity_word(enum severity severity, enum language language)
{
	static const enum phrase words[SEVERITY_COUNT] = {
		PHRASE_SEVERITY_NONE, PHRASE_SEVERITY_NOTE, PHRASE_SEVERITY_WARNING,
		PHRASE_SEVERITY_ERROR};

	return phrase_text(words[severity < SEVERITY_COUNT ? severity : SEVERITY_NONE], language);
}

enum severity severity_by_name(const char *name)
{
	for (int i = SEVERITY_NOTE; i < SEVERITY_COUNT; i++)
		if (strcmp(severity_name((enum severity)i), name) == 0)
			return (enum severity)i;
	return SEVERITY_NONE;
}
