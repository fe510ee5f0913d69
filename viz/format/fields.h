/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The rows of fields.def as data, used by the reader to check lines and by the schema (lines.h). */
#ifndef VIZ_FORMAT_FIELDS_H
#define VIZ_FORMAT_FIELDS_H

#include "viz/format/names.h"

/* The kind of a field's value; fields.def explains each. From KIND_MECH on they are word lists. */
enum field_kind {
	KIND_UINT,
	KIND_U32,
	KIND_TIME,
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
	KIND_MEMBERS, /* only in top_lines.def */
	KIND_OBJECT,
	KIND_MECH,
	KIND_ROLE,
#define WORDS(list, prefix) KIND_##prefix,
#define WORD(...)
#define END_WORDS(...)
#include "viz/format/words.def"
#undef WORDS
#undef WORD
#undef END_WORDS
	KIND_COUNT
};

enum presence { PRESENCE_ALWAYS, PRESENCE_SOMETIMES };

struct field_info {
	const char *key;
	const char *kind_word; /* as fields.def has it: "UINT" */
	const char *help;
	enum record record; /* RECORD_NONE: of lines that are in no trace */
	enum field_kind kind;
	enum presence presence;
};

/* A row of fields.def; record_help() explains a record. Both live for ever. */
const struct field_info *field_info(enum field field);
const char *record_help(enum record record);

/* The fields of a record are numbered consecutively: [first, end). */
enum field record_first_field(enum record record);
enum field record_end_field(enum record record);

/* A word list is indexed by the value; words[0] stands for "none" and is not part of the list. */
struct word {
	const char *name;
	const char *help;
};

struct word_list {
	const struct word *words;
	int count; /* including words[0] */
};

/* The words of this kind; for kinds that are no word list, a list with count 0. */
const struct word_list *word_list(enum field_kind kind);
int word_by_name(enum field_kind kind, const char *name); /* 0: there is no such word */

#endif
