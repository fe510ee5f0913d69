/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A string that may hold any bytes. Names, paths and payloads of a trace are hostile: code that
 * prints one must make it harmless for where it is printed (safe_text.h).
 */
#ifndef VIZ_BASE_BYTES_H
#define VIZ_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* data NULL: there is none; otherwise a NUL follows the `len` bytes. The bytes are borrowed. */
struct viz_bytes {
	const char *data;
	size_t len;
};

static inline bool viz_bytes_equal(struct viz_bytes a, struct viz_bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool viz_bytes_begin(struct viz_bytes text, const char *prefix)
{
	size_t len = strlen(prefix);

	return text.len >= len && memcmp(text.data, prefix, len) == 0;
}

/* True if `part` is somewhere in the text; never of an empty part. */
static inline bool viz_bytes_contain(struct viz_bytes text, struct viz_bytes part)
{
	return part.len && text.len && memmem(text.data, text.len, part.data, part.len);
}

/* What is behind the first `len` bytes, of which there are as many. */
static inline struct viz_bytes viz_bytes_after(struct viz_bytes text, size_t len)
{
	return (struct viz_bytes){text.data + len, text.len - len};
}

static inline struct viz_bytes viz_bytes_of(const char *text)
{
	return (struct viz_bytes){text, text ? strlen(text) : 0};
}

static inline uint64_t viz_hash_mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15;
	return hash ^ hash >> 32;
}

/* Takes eight bytes at a time; each bit of the result depends on all of them. */
static inline uint64_t viz_bytes_hash(struct viz_bytes text)
{
	uint64_t hash = 0xcbf29ce484222325 ^ text.len, word;

	for (; text.len >= sizeof(word); text.len -= sizeof(word), text.data += sizeof(word)) {
		memcpy(&word, text.data, sizeof(word));
		hash = viz_hash_mix(hash, word);
	}
	word = 0;
	for (size_t i = 0; i < text.len; i++)
		word = word << 8 | (unsigned char)text.data[i];
	return viz_hash_mix(viz_hash_mix(hash, word), 0);
}

/* What follows the last '/' of a path. */
static inline struct viz_bytes viz_base_name(struct viz_bytes path)
{
	for (size_t i = path.len; i > 0; i--)
		if (path.data[i - 1] == '/')
			return (struct viz_bytes){path.data + i, path.len - i};
	return path;
}

#endif
