/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The rows of fields.def as data: what the reader checks and the schema prints.
 */
#ifndef VIZ_LANG_KINDS_H
#define VIZ_LANG_KINDS_H

#include "names.h"

/* What a field holds; fields.def says what each means. From MECH on they are word lists. */
enum field_kind {
	KIND_UINT,
	KIND_INT,
	KIND_BOOL,
	KIND_TEXT,
	KIND_BYTES,
	KIND_LIST,
	KIND_UINTS,
	KIND_WAITS,
	KIND_THREAD,
	KIND_FDS,
	KIND_SEMS,
	KIND_CHUNKS,
	KIND_OBJECT,
	KIND_MECH,
	KIND_ROLE,
#define WORDS(list, prefix) KIND_##prefix,
#define WORD(...)
#define END_WORDS(...)
#include "words.def"
#undef WORDS
#undef WORD
#undef END_WORDS
	KIND_COUNT
};

enum presence { PRESENCE_ALWAYS, PRESENCE_SOMETIMES };

struct field_info {
	enum record record;
	const char *key;
	enum field_kind kind;
	enum presence presence;
	const char *help;
};

const struct field_info *field_info(enum field field);
const char *record_help(enum record record);

/* The fields of a record are numbered without gaps: [first, end). */
enum field record_first_field(enum record record);
enum field record_end_field(enum record record);

/* A word list: words[number]; words[0] stands for "none" and is no word of it. */
struct word {
	const char *name;
	const char *help;
};

struct word_list {
	const struct word *words;
	int count; /* with words[0] */
};

/* An empty list for kinds that are none. */
const struct word_list *word_list(enum field_kind kind);
int word_by_name(enum field_kind kind, const char *name); /* 0 where there is no such word */

#endif
