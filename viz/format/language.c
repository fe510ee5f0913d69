// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/format/language.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	const char *english, *german;
};

#define GERMAN(english, german) {english, german},
static const struct entry tables[] = {
#include "viz/format/german.def"
};
static const struct entry pictures[] = {
#include "viz/format/german_picture.def"
};
static const struct entry page[] = {
#include "viz/format/german_page.def"
};
static const struct entry top[] = {
#include "viz/format/german_top.def"
};
#undef GERMAN

#define LIST(rows)                                                                                 \
	{                                                                                          \
		rows, sizeof(rows) / sizeof(*(rows))                                               \
	}
static const struct {
	const struct entry *rows;
	size_t count;
} lists[] = {LIST(tables), LIST(pictures), LIST(page), LIST(top)};
enum { LISTS = sizeof(lists) / sizeof(*lists) };

bool language_by_name(const char *name, enum language *language)
{
	bool de = strncmp(name, "de", 2) == 0;

	*language = de ? LANGUAGE_DE : LANGUAGE_EN;
	return (de || strncmp(name, "en", 2) == 0) && !(name[2] >= 'a' && name[2] <= 'z');
}

enum language language_of_environment(void)
{
	static const char *const variables[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
	enum language language = LANGUAGE_EN;

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		const char *value = getenv(variables[i]);

		if (!value || !*value)
			continue;
		if (!language_by_name(value, &language))
			language = LANGUAGE_EN;
		break;
	}
	return language;
}

static int compare_english(const void *text, const void *entry)
{
	return strcmp(text, ((const struct entry *)entry)->english);
}

const char *language_say(enum language language, const char *english)
{
	const struct entry *found = NULL;

	for (size_t i = 0; language == LANGUAGE_DE && i < LISTS && !found; i++)
		found = bsearch(english, lists[i].rows, lists[i].count, sizeof(*found),
				compare_english);
	return found ? found->german : english;
}

bool language_row(size_t index, const char **english, const char **german)
{
	size_t list = 0;

	while (list < LISTS && index >= lists[list].count)
		index -= lists[list++].count;
	if (list == LISTS)
		return false;
	*english = lists[list].rows[index].english;
	*german = lists[list].rows[index].german;
	return true;
}

char *language_number(enum language language, char *number)
{
	for (char *c = number; language == LANGUAGE_DE && *c; c++)
		*c = *c == '.' ? ',' : *c == ',' ? '.' : *c;
	return number;
}
