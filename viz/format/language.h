/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The languages that texts for readers are in. Data formats are in English alone. */
#ifndef VIZ_FORMAT_LANGUAGE_H
#define VIZ_FORMAT_LANGUAGE_H

#include <stdbool.h>
#include <stddef.h>

enum language { LANGUAGE_EN, LANGUAGE_DE, LANGUAGE_COUNT };

/* By "en", "de", "de_AT.UTF-8"; returns false, and English, for any other. */
bool language_by_name(const char *name, enum language *language);

/* From LC_ALL, LC_MESSAGES or LANG; English where they name neither. */
enum language language_of_environment(void);

/*
 * Returns an English text, or a format of printf(3), in that language (german*.def). What the
 * tables lack stays English. A format has the same conversions in the same order in each language.
 */
const char *language_say(enum language language, const char *english)
	__attribute__((format_arg(2)));

/* Writes a number's decimal point and thousands' separators as that language does; returns it. */
char *language_number(enum language language, char *number);

/* The row `index` of the tables: a text in both languages. False: there are no more. */
bool language_row(size_t index, const char **english, const char **german);

#endif
