/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A JSON writer for one line at a time: commas, escapes and integers, nothing else.
 * The hot path of the tracer writes with it, so integers are formatted by hand
 * (measured: 3 times cheaper than snprintf). To read JSON, use cJSON.
 *
 *	struct json j = {0};
 *	json_object(&j);
 *	json_field_text(&j, KEY_type, "lost");
 *	json_field_uint(&j, KEY_count, 3);
 *	json_end_object(&j);		=> {"type":"lost","count":3}
 *	json_newline(&j);
 *	... write j.data, j.len; json_reset(&j); ... json_free(&j);
 *
 * A zeroed struct is empty. Without memory `failed` becomes true, and later calls do nothing.
 */
#ifndef VIZ_BASE_JSON_H
#define VIZ_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct json {
	char *data;
	size_t len;
	size_t capacity;
	uint64_t lines; /* lines ended by json_newline(), including those before a reset */
	bool comma;	/* the next value at this level needs a comma before it */
	bool failed;
};

/* The largest whole number that a reader keeps which takes numbers as doubles: 2^53 - 1. */
#define JSON_UINT_MOST (((uint64_t)1 << 53) - 1)

void json_free(struct json *j);
void json_reset(struct json *j); /* empties it, keeps its memory, clears `failed` */

void json_object(struct json *j);
void json_end_object(struct json *j);
void json_array(struct json *j);
void json_end_array(struct json *j);
bool json_grow(struct json *j, size_t more); /* makes room; false: there is no memory for it */
void json_newline(struct json *j);	     /* ends the line: the next value starts a new one */

void json_null(struct json *j);
void json_bool(struct json *j, bool value);
void json_uint(struct json *j, uint64_t value);
void json_int(struct json *j, int64_t value);
void json_text(struct json *j, const char *text); /* NUL-terminated; see json_bytes() */

/*
 * Writes any bytes so that a reader gets the same ones back: a string if they are valid UTF-8
 * without NUL, otherwise {"base64": "…"}. Control characters, DEL and C1 controls are escaped.
 */
void json_bytes(struct json *j, const void *bytes, size_t len);

/* Makes room for so many bytes more; false after a failure. */
static inline bool json_reserve(struct json *j, size_t more)
{
	if (j->failed)
		return false;
	return more <= j->capacity - j->len || json_grow(j, more);
}

static inline void json_key_len(struct json *j, const char *key, size_t len)
{
	char *at;

	if (!json_reserve(j, len + 4))
		return;
	at = j->data + j->len;
	*at = ',';
	at += j->comma;
	*at++ = '"';
	memcpy(at, key, len);
	at += len;
	*at++ = '"';
	*at++ = ':';
	j->len = (size_t)(at - j->data);
	j->comma = false;
}

/*
 * Inline, so that the compiler knows the length of constant keys, which make up most of a line,
 * and copies them without a call.
 */
static inline void json_key(struct json *j, const char *key)
{
	json_key_len(j, key, strlen(key));
}

static inline void json_field_bool(struct json *j, const char *key, bool value)
{
	json_key(j, key);
	json_bool(j, value);
}

static inline void json_field_uint(struct json *j, const char *key, uint64_t value)
{
	json_key(j, key);
	json_uint(j, value);
}

static inline void json_field_int(struct json *j, const char *key, int64_t value)
{
	json_key(j, key);
	json_int(j, value);
}

static inline void json_field_text(struct json *j, const char *key, const char *text)
{
	json_key(j, key);
	json_text(j, text);
}

static inline void json_field_bytes(struct json *j, const char *key, const void *bytes, size_t len)
{
	json_key(j, key);
	json_bytes(j, bytes, len);
}

/*
 * Length (1 to 4) of the UTF-8 sequence at p, of which `len` bytes can be read; 0 if it is not
 * well-formed (RFC 3629).
 */
size_t utf8_sequence_len(const unsigned char *p, size_t len);

#endif
