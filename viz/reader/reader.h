/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads a trace line by line; each line is parsed and checked against fields.def. A trace is
 * hostile input: whatever it holds, the result is lines, a count of those that are wrong, or one
 * clear error with file and line.
 */
#ifndef VIZ_READER_READER_H
#define VIZ_READER_READER_H

#include <stdint.h>
#include <stdio.h>

#include "viz/base/bytes.h"
#include "viz/base/error.h"
#include "viz/format/fields.h"
#include "viz/reader/field_index.h"
#include "viz/reader/json_line.h"
#include "viz/reader/line_source.h"

/* The value of one key. The kind of its field tells which member is valid. */
struct trace_value {
	bool present;
	union {
		uint64_t number;	      /* UINT, word lists (0: an unknown word) */
		int64_t integer;	      /* INT */
		bool flag;		      /* BOOL */
		struct viz_bytes bytes;	      /* TEXT, BYTES; valid until the next line */
		const struct json_node *json; /* all other kinds; its structure is checked */
	};
};

/*
 * The longest name that a line may have, and all arguments of a process: PATH_MAX, and what merge
 * adds. What is longer was not written by ipclens, and would be told at each of its messages.
 */
#define READER_NAME_MAX 4352

#define LINE_GIVEN_WORDS 2 /* 64 keys each; reader.c asserts that they suffice */

struct trace_line {
	enum record record;
	uint64_t number;		  /* from 1 */
	uint64_t given[LINE_GIVEN_WORDS]; /* a bit for each field of the record that is present */
	struct trace_value values[FIELD_COUNT];
};

struct reader {
	struct line_source source;
	const char *name;
	struct field_index fields;
	uint64_t required[RECORD_COUNT][LINE_GIVEN_WORDS]; /* the fields that each line has */
	struct json_line json;
	uint64_t number;  /* of the last line read */
	uint64_t skipped; /* lines of unknown types */
	bool whole_tree;  /* json.nodes shall have each line, for who wants more than its values */
	bool cut;	  /* the last line is incomplete and was left out */
	/*
	 * A line that is wrong is left out, counted, and the first one's error kept. False: it is
	 * an error, which is so for the header.
	 */
	bool tolerant;
	uint64_t wrong; /* lines that were left out so */
	struct viz_error first_wrong;
	struct viz_error *error;
};

/*
 * Prepares reading; `name` and `error` are borrowed until reader_free(), which leaves the stream
 * open. `name` is used in error messages.
 */
void reader_init(struct reader *reader, FILE *stream, const char *name, struct viz_error *error);
void reader_free(struct reader *reader);

/*
 * Reads the first line, which must be the header of a trace that this version reads; wrong lines
 * after it are left out. 0; or -errno, with reader->error set.
 */
int reader_header(struct reader *reader, struct trace_line *line);

/*
 * 1: a line of a known type, valid until the next call; 0: the end; -errno, with reader->error set.
 * reader_leave_out() counts the line as wrong for which reader_fail() has just set the error.
 */
int reader_next(struct reader *reader, struct trace_line *line);
void reader_leave_out(struct reader *reader);

/*
 * Sets reader->error to file, line number of the last line read, and the sentence. Returns
 * -EBADMSG.
 */
int reader_fail(struct reader *reader, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * reader_fail_kind() fails because the value of `field` is not of its kind. reader_article() gives
 * "a" or "an" for a noun.
 */
int reader_fail_kind(struct reader *reader, enum field field);
const char *reader_article(const char *noun);

/*
 * Gives the bytes of a string or {"base64"} element; false if it is neither. Base64 is decoded in
 * place, so call it once per element.
 */
bool reader_bytes(const struct json_node *json, struct viz_bytes *bytes);

/* Give whole numbers of 64 bits; false for anything else. */
bool reader_uint(const struct json_node *json, uint64_t *value);
bool reader_int(const struct json_node *json, int64_t *value);

/* Gives any number, as the nearest whole one; false: it is no number. */
bool reader_nearest(const struct json_node *json, int64_t *value);

/* Checks that `json` is of this kind and gives its value; false if it is not. */
bool reader_value(enum field_kind kind, const struct json_node *json, struct trace_value *value);

#endif
