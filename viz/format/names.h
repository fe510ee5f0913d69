/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Names of the trace's language and the numbers that they stand for, both ways, generated from the
 * tables: what the writer prints and what the reader understands. Not for bpf/ (see format.h).
 */
#ifndef VIZ_FORMAT_NAMES_H
#define VIZ_FORMAT_NAMES_H

#include <stdbool.h>

#include "viz/format/format.h"

/* The line types. The name of RECORD_operation is record_name(RECORD_operation), "operation". */
enum record {
	RECORD_NONE,
#define RECORD(type, help) RECORD_##type,
#define FIELD(...)
#include "viz/format/fields.def"
#undef FIELD
#undef RECORD
	RECORD_COUNT
};

const char *record_name(enum record record);  /* "unknown" beyond the table */
enum record record_by_name(const char *name); /* RECORD_NONE: there is no such type */

enum field {
#define RECORD(...)
#define FIELD(record, key, kind, presence, help) FIELD_##record##_##key,
#include "viz/format/fields.def"
#undef FIELD
#undef RECORD
	FIELD_COUNT
};

/* The key of a field. The compiler checks it against the table: KEY(operation, fd) is "fd". */
#define KEY(record, key) ((void)FIELD_##record##_##key, #key)
#define KEY_TYPE "type" /* the key that every line has; its value is the record's name */

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
enum mechanism mechanism_by_name(const char *name); /* MECH_NONE: there is no such name */

const char *role_name(enum role role); /* "unknown" beyond the table */
enum role role_by_name(const char *name);

/*
 * The word lists (words.def): each has an enum as process_event with PROCESS_EVENT_FORK, and
 * functions as process_event_name() and process_event_by_name(). The name of a number beyond the
 * list is "unknown"; the number of an unknown name is PREFIX_NONE (0).
 */
#define WORDS(list, prefix) enum list { prefix##_NONE,
#define WORD(prefix, id, name, help) prefix##_##id,
#define END_WORDS(prefix)                                                                          \
	prefix##_COUNT                                                                             \
	}                                                                                          \
	;
#include "viz/format/words.def"
#undef WORDS
#undef WORD
#undef END_WORDS

#define WORDS(list, prefix)                                                                        \
	const char *list##_name(enum list value);                                                  \
	enum list list##_by_name(const char *name);
#define WORD(...)
#define END_WORDS(...)
#include "viz/format/words.def"
#undef WORDS
#undef WORD
#undef END_WORDS

/*
 * "EAGAIN" for 11, and also kernel-internal ones as ERESTARTSYS (512). NULL: there is no such
 * error.
 */
const char *errno_name(int number);

/* Writes "SIGUSR1" for 10, "SIGRTMIN+2" for 36, "SIG99" for an unknown number; gives buf. */
const char *signal_name(int number, char buf[16]);
int signal_by_name(const char *name); /* 0: there is no such signal */
bool signal_is_fault(int number);     /* as what a wrong pointer raises, or abort(3) */

#endif
