// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/format/names.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "viz/format/fields.h"

static const char unknown[] = "unknown";

static const struct {
	const char *name;
	const char *help;
} records[RECORD_COUNT] = {
	[RECORD_NONE] = {unknown, unknown},
#define RECORD(type, help) [RECORD_##type] = {#type, help},
#define FIELD(...)
#include "viz/format/fields.def"
#undef FIELD
#undef RECORD
};

static const struct field_info fields[FIELD_COUNT] = {
#define RECORD(...)
#define FIELD(record, key, kind, presence, help)                                                   \
	[FIELD_##record##_##                                                                       \
		key] = {#key, #kind, help, RECORD_##record, KIND_##kind, PRESENCE_##presence},
#include "viz/format/fields.def"
#undef FIELD
#undef RECORD
};

/* clang-format off */
static const struct mechanism_info mechanisms[MECH_COUNT] = {
	[MECH_NONE] = {.name = unknown, .help = unknown},
#define MECHANISM(id, name, addressing, form, typed, reliable, direction, policy, help)            \
	[MECH_##id] = {name, ADDRESSING_##addressing, FORM_##form, typed, reliable,                \
		       DIRECTION_##direction, POLICY_##policy, help},
#include "viz/format/mechanisms.def"
#undef MECHANISM
};
/* clang-format on */

/* The same names as word lists, for whatever goes through all kinds. */
static const struct word mechanism_words[MECH_COUNT] = {
	[MECH_NONE] = {unknown, unknown},
#define MECHANISM(id, name, addressing, form, typed, reliable, direction, policy, help)            \
	[MECH_##id] = {name, help},
#include "viz/format/mechanisms.def"
#undef MECHANISM
};

static const struct word role_words[ROLE_COUNT] = {[ROLE_NONE] = {unknown, unknown},
#define X(id, name) [ROLE_##id] = {name, name},
						   ROLES(X)
#undef X
};

#define WORDS(list, prefix)                                                                        \
	static const struct word list##_words[prefix##_COUNT] = {{unknown, unknown},
#define WORD(prefix, id, name, help) [prefix##_##id] = {name, help},
#define END_WORDS(prefix)                                                                          \
	}                                                                                          \
	;
#include "viz/format/words.def"
#undef WORDS
#undef WORD
#undef END_WORDS

static const struct word_list lists[KIND_COUNT] = {
	[KIND_MECH] = {mechanism_words, MECH_COUNT},
	[KIND_ROLE] = {role_words, ROLE_COUNT},
#define WORDS(list, prefix) [KIND_##prefix] = {list##_words, prefix##_COUNT},
#define WORD(...)
#define END_WORDS(...)
#include "viz/format/words.def"
#undef WORDS
#undef WORD
#undef END_WORDS
};

const char *record_name(enum record record)
{
	return records[(unsigned)record < RECORD_COUNT ? record : RECORD_NONE].name;
}

const char *record_help(enum record record)
{
	return records[(unsigned)record < RECORD_COUNT ? record : RECORD_NONE].help;
}

enum record record_by_name(const char *name)
{
	for (int i = RECORD_NONE + 1; i < RECORD_COUNT; i++)
		if (!strcmp(records[i].name, name))
			return (enum record)i;
	return RECORD_NONE;
}

const struct field_info *field_info(enum field field)
{
	return &fields[field];
}

/* FIRST_x is the number of record x's first field: BACK_x makes its row take no number itself. */
enum {
#define RECORD(type, help) FIRST_##type, BACK_##type = FIRST_##type - 1,
#define FIELD(record, key, kind, presence, help) PLACE_##record##_##key,
#include "viz/format/fields.def"
#undef FIELD
#undef RECORD
};

static const int first_fields[RECORD_COUNT + 1] = {
	[RECORD_NONE] = 0,
#define RECORD(type, help) [RECORD_##type] = FIRST_##type,
#define FIELD(...)
#include "viz/format/fields.def"
#undef FIELD
#undef RECORD
	[RECORD_COUNT] = FIELD_COUNT,
};

enum field record_first_field(enum record record)
{
	return (enum field)first_fields[record];
}

enum field record_end_field(enum record record)
{
	return (enum field)first_fields[record + 1];
}

const struct word_list *word_list(enum field_kind kind)
{
	return &lists[(unsigned)kind < KIND_COUNT ? kind : KIND_UINT];
}

int word_by_name(enum field_kind kind, const char *name)
{
	const struct word_list *list = word_list(kind);

	for (int i = 1; i < list->count; i++)
		if (!strcmp(list->words[i].name, name))
			return i;
	return 0;
}

static const char *word_name(enum field_kind kind, unsigned value)
{
	const struct word_list *list = word_list(kind);

	return list->words[value < (unsigned)list->count ? value : 0].name;
}

#define WORDS(list, prefix)                                                                        \
	const char *list##_name(enum list value)                                                   \
	{                                                                                          \
		return word_name(KIND_##prefix, value);                                            \
	}                                                                                          \
	enum list list##_by_name(const char *name)                                                 \
	{                                                                                          \
		return (enum list)word_by_name(KIND_##prefix, name);                               \
	}
#define WORD(...)
#define END_WORDS(...)
#include "viz/format/words.def"
#undef WORDS
#undef WORD
#undef END_WORDS

const struct mechanism_info *mechanism_info(enum mechanism mechanism)
{
	return &mechanisms[(unsigned)mechanism < MECH_COUNT ? mechanism : MECH_NONE];
}

enum mechanism mechanism_by_name(const char *name)
{
	return (enum mechanism)word_by_name(KIND_MECH, name);
}

const char *role_name(enum role role)
{
	return word_name(KIND_ROLE, role);
}

enum role role_by_name(const char *name)
{
	return (enum role)word_by_name(KIND_ROLE, name);
}

/* Results that only the kernel itself sees: a signal interrupted a call that may run again. */
static const char *restart_name(int number)
{
	static const char *const names[] = {"ERESTARTSYS", "ERESTARTNOINTR", "ERESTARTNOHAND",
					    "ENOIOCTLCMD", "ERESTART_RESTARTBLOCK"};

	return number >= 512 && number <= 516 ? names[number - 512] : NULL;
}

const char *errno_name(int number)
{
	const char *name = restart_name(number);

	if (!name && number > 0)
		name = strerrorname_np(number);
	return name;
}

/* The C library keeps the kernel's first two real-time signals (32, 33) for itself. */
#define FIRST_REALTIME 34
#define LAST_SIGNAL 64

const char *signal_name(int number, char buf[16])
{
	const char *short_name = number == SIGIO ? "IO" : sigabbrev_np(number);

	if (number < 1 || number > LAST_SIGNAL)
		snprintf(buf, 16, "SIG%d", number);
	else if (number == FIRST_REALTIME)
		snprintf(buf, 16, "SIGRTMIN");
	else if (number > FIRST_REALTIME)
		snprintf(buf, 16, "SIGRTMIN+%d", number - FIRST_REALTIME);
	else if (short_name)
		snprintf(buf, 16, "SIG%s", short_name);
	else
		snprintf(buf, 16, "SIG%d", number);
	return buf;
}

int signal_by_name(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} aliases[] = {{"SIGPOLL", SIGIO}, {"SIGIOT", SIGABRT}, {"SIGCLD", SIGCHLD}};
	char buf[16];

	for (int i = 1; i <= LAST_SIGNAL; i++)
		if (!strcmp(signal_name(i, buf), name))
			return i;
	for (size_t i = 0; i < sizeof(aliases) / sizeof(*aliases); i++)
		if (!strcmp(aliases[i].name, name))
			return aliases[i].number;
	return 0;
}

bool signal_is_fault(int number)
{
	return number == SIGSEGV || number == SIGBUS || number == SIGABRT || number == SIGFPE ||
	       number == SIGILL;
}
