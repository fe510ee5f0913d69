// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* How the reader says that a value is not of its kind. */
#include <string.h>

#include "lang/kinds.h"
#include "reader.h"

static const char *kind_words(enum field_kind kind)
{
	static const char *const words[KIND_COUNT] = {
		[KIND_UINT] = "a whole number from 0 to 2^53 - 1",
		[KIND_INT] = "a whole number",
		[KIND_BOOL] = "true or false",
		[KIND_TEXT] = "a string",
		[KIND_BYTES] = "a string or {\"base64\"}",
		[KIND_LIST] = "a list of strings",
		[KIND_UINTS] = "a list of whole numbers",
		[KIND_WAITS] = "a list of objects with fd and events",
		[KIND_THREAD] = "an object with pid and tid",
		[KIND_FDS] = "a list of objects with fd, channel and access",
		[KIND_SEMS] = "a list of objects with number, change and flags",
		[KIND_CHUNKS] = "a list of objects with the number of an operation",
		[KIND_OBJECT] = "an object",
	};

	return words[kind] ? words[kind] : "a string";
}

const char *reader_article(const char *noun)
{
	return strchr("aeiou", *noun) ? "an" : "a";
}

int reader_fail_kind(struct reader *reader, enum field field)
{
	const struct field_info *info = field_info(field);
	const char *record = record_name(info->record);

	return reader_fail(reader, "\"%s\" of %s %s line is not %s", info->key,
			   reader_article(record), record, kind_words(info->kind));
}
