/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A trace, line by line: each line parsed and checked against fields.def. A trace is hostile
 * input: whatever it holds, the answer is lines or one clear error with file and line.
 */
#ifndef VIZ_READER_H
#define VIZ_READER_H

#include <cjson/cJSON.h>
#include <stdint.h>
#include <stdio.h>

#include "bytes.h"
#include "lang/kinds.h"
#include "model.h"

/* Longer lines are refused: the writer's longest has some hundred kilobytes. */
#define READER_LINE_MAX ((size_t)4 << 20)

/* One key's value; which member holds depends on the field's kind. */
struct trace_value {
	bool present;
	union {
		uint64_t number;	/* UINT, word lists (0: a word that we do not know) */
		int64_t integer;	/* INT */
		bool flag;		/* BOOL */
		struct viz_bytes bytes; /* TEXT, BYTES; live until the next line */
		const cJSON *json;	/* LIST UINTS THREAD FDS OBJECT; checked */
	};
};

struct trace_line {
	enum record record;
	uint64_t number; /* from 1 */
	struct trace_value values[FIELD_COUNT];
};

struct reader {
	FILE *stream;
	const char *name;
	char *buffer;
	size_t len;
	size_t capacity;
	cJSON *json;
	uint64_t number;  /* of the last line read */
	uint64_t skipped; /* lines of unknown types */
	bool cut;	  /* the last line is not whole, and was left out */
	bool (*more)(
		void *data); /* at the end: waits for more; false: this is the end. May be NULL */
	void *more_data;
	struct viz_error *error;
};

void reader_init(struct reader *reader, FILE *stream, const char *name, struct viz_error *error);
void reader_free(struct reader *reader);

/* 1: a line of a known type; 0: the end; -errno with reader->error set. */
int reader_next(struct reader *reader, struct trace_line *line);

/* Says file and line of the last line read before the sentence; returns -EBADMSG. */
int reader_fail(struct reader *reader, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* For reader.c: the value of this field is not of its kind; "a" or "an" before a noun. */
int reader_fail_kind(struct reader *reader, enum field field);
const char *reader_article(const char *noun);

/* Elements of checked values. A string or {"base64"} (decoded in place, so ask once). */
bool reader_bytes(const cJSON *json, struct viz_bytes *bytes);

/* Whole numbers that a double holds exactly; false for any other. */
bool reader_uint(const cJSON *json, uint64_t *value);
bool reader_int(const cJSON *json, int64_t *value);

/* The value of a key of that kind; false where it is none. */
bool reader_value(enum field_kind kind, const cJSON *json, struct trace_value *value);

#endif
