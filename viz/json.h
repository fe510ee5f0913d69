/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A JSON writer for one line at a time: commas, escapes and integers, nothing else.
 * The hot path of the tracer writes with it, so integers are formatted by hand
 * (measured: 3 times cheaper than snprintf). Reading JSON is cJSON's business.
 *
 *	struct json j = {0};
 *	json_object(&j);
 *	json_field_text(&j, KEY_type, "lost");
 *	json_field_uint(&j, KEY_count, 3);
 *	json_end_object(&j);		=> {"type":"lost","count":3}
 *	json_newline(&j);
 *	... write j.data, j.len; json_reset(&j); ... json_free(&j);
 *
 * Out of memory is sticky: `failed` becomes true, later calls do nothing.
 */
#ifndef VIZ_JSON_H
#define VIZ_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct json {
	char *data;
	size_t len;
	size_t capacity;
	uint64_t lines; /* ended by json_newline() so far, before resets too */
	bool comma;	/* the next value at this level needs one before it */
	bool failed;
};

void json_free(struct json *j);
void json_reset(struct json *j); /* empty, memory kept, failed cleared */

void json_object(struct json *j);
void json_end_object(struct json *j);
void json_array(struct json *j);
void json_end_array(struct json *j);
void json_key_len(struct json *j, const char *key, size_t len);
void json_newline(struct json *j); /* ends the line: the next value starts a new one */

void json_null(struct json *j);
void json_bool(struct json *j, bool value);
void json_uint(struct json *j, uint64_t value);
void json_int(struct json *j, int64_t value);
void json_text(struct json *j, const char *text); /* NUL-terminated, taken as json_bytes() does */

/*
 * Any bytes, so that they survive a round trip: a string where they are valid UTF-8 without NUL,
 * else {"base64": "…"}. Control characters are escaped, DEL and C1 controls too.
 */
void json_bytes(struct json *j, const void *bytes, size_t len);

/* Inline, so that the compiler counts the letters of a key: they are all but numbers of a line. */
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
 * Length of the UTF-8 sequence that begins at p (1 to 4), 0 where it is not well formed (RFC 3629).
 */
size_t utf8_sequence_len(const unsigned char *p, size_t len);

#endif
