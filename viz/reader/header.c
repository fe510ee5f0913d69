// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The first line of a trace, which decides whether it is one. */
#include <inttypes.h>

#include "viz/reader/reader.h"

static int check(struct reader *reader, const struct trace_line *line)
{
	const struct trace_value *version = &line->values[FIELD_header_version];
	const struct trace_value *format = &line->values[FIELD_header_format];

	if (line->record != RECORD_header)
		return reader_fail(reader, "no header: is this a trace of ipclens?");
	if (strcmp(format->bytes.data, IPCLENS_TRACE_FORMAT) != 0)
		return reader_fail(reader, "the format is not %s", IPCLENS_TRACE_FORMAT);
	if (version->number > IPCLENS_TRACE_VERSION)
		return reader_fail(reader,
				   "version %" PRIu64 " of the format; this ipclens reads up to %d",
				   version->number, IPCLENS_TRACE_VERSION);
	return 0;
}

int reader_header(struct reader *reader, struct trace_line *line)
{
	int result = reader_next(reader, line);

	if (result < 0)
		return result;
	if (result == 0 || reader->skipped) {
		bool nothing = !reader->number && !reader->skipped;

		reader->number = 1;
		if (line_source_damage(&reader->source))
			return reader_fail(reader, "cannot be decompressed: %s",
					   line_source_damage(&reader->source));
		if (nothing)
			return reader_fail(reader, "no whole line: no trace, or not yet");
		return reader_fail(reader, "no header: is this a trace of ipclens?");
	}
	result = check(reader, line);
	reader->tolerant = !result;
	return result;
}
