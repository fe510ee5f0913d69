/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Names of the trace's language, both ways, all from the tables: what the writer prints and what
 * the reader understands. Not for bpf/ (see lang.h).
 */
#ifndef VIZ_LANG_NAMES_H
#define VIZ_LANG_NAMES_H

#include <stdbool.h>

#include "lang.h"

/* The line types: RECORD_operation, with record_name(RECORD_operation) "operation". */
enum record {
	RECORD_NONE,
#define RECORD(type, help) RECORD_##type,
#define FIELD(...)
#include "fields.def"
#undef FIELD
#undef RECORD
	RECORD_COUNT
};

const char *record_name(enum record record);  /* "unknown" beyond the table */
enum record record_by_name(const char *name); /* RECORD_NONE where there is no such */

enum field {
#define RECORD(...)
#define FIELD(record, key, kind, presence, help) FIELD_##record##_##key,
#include "fields.def"
#undef FIELD
#undef RECORD
	FIELD_COUNT
};

/* The key of a field, checked against the table by the compiler: KEY(operation, fd) is "fd". */
#define KEY(record, key) ((void)FIELD_##record##_##key, #key)
#define KEY_TYPE "type" /* every line has it: the record's name */

struct mechanism_info {
	const char *name; /* "unix-stream" */
	enum addressing addressing;
	enum form form;
	bool typed;
	bool reliable;
	enum direction direction;
	enum policy policy;
	const char *help;
};

/* Never NULL: an unknown number gives a row whose name is "unknown". */
const struct mechanism_info *mechanism_info(enum mechanism mechanism);
enum mechanism mechanism_by_name(const char *name); /* MECH_NONE where there is no such */

const char *role_name(enum role role); /* "unknown" beyond the table */
enum role role_by_name(const char *name);

/*
 * The fixed words (words.def): enum process_event with PROCESS_EVENT_FORK, process_event_name()
 * and process_event_by_name(), and so on for each list. Names: "unknown" beyond the table;
 * by name: PREFIX_NONE (0) where there is no such word.
 */
#define WORDS(list, prefix) enum list { prefix##_NONE,
#define WORD(prefix, id, name, help) prefix##_##id,
#define END_WORDS(prefix)                                                                          \
	prefix##_COUNT                                                                             \
	}                                                                                          \
	;
#include "words.def"
#undef WORDS
#undef WORD
#undef END_WORDS

#define WORDS(list, prefix)                                                                        \
	const char *list##_name(enum list value);                                                  \
	enum list list##_by_name(const char *name);
#define WORD(...)
#define END_WORDS(...)
#include "words.def"
#undef WORDS
#undef WORD
#undef END_WORDS

/* "EAGAIN" for 11; NULL where there is no such number. Knows ERESTARTSYS (512) and its kin too. */
const char *errno_name(int number);

/* "SIGUSR1" for 10, "SIGRTMIN+2" for 36; composed in buf, which it gives back. */
const char *signal_name(int number, char buf[16]);
int signal_by_name(const char *name); /* 0 where there is no such */

#endif
