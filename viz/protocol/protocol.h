/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a protocol of protocols.def defines, and what its file may use. The bytes are hostile: a
 * length that they state is compared with what was kept, and never followed beyond it. A wrong word
 * is worse than none, so bytes that do not fit exactly have no words.
 */
#ifndef VIZ_PROTOCOL_PROTOCOL_H
#define VIZ_PROTOCOL_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "viz/format/names.h"

/* Who opens a connection's conversation, and who serves it. */
enum protocol_side { PROTOCOL_UNKNOWN, PROTOCOL_ASKER, PROTOCOL_ANSWERER };

/* What one call sent or received. */
struct protocol_view {
	const unsigned char *data;
	size_t len;	/* bytes that the trace kept, from the first on; not 0 */
	uint64_t total; /* bytes that the call moved; at least len */
	enum protocol_side by;
	enum mechanism mechanism; /* MECH_PIPE, MECH_FIFO, MECH_UNIX_STREAM, MECH_TCP */
	bool first; /* the connection was made in the trace, and these are its first bytes */
};

/* Words under construction: raw bytes, which become harmless when all are there. */
#define PROTOCOL_WORDS_LEN 120
struct protocol_words {
	unsigned char bytes[PROTOCOL_WORDS_LEN];
	size_t len;
	bool cut;  /* the last word goes on beyond what was kept or what fits */
	bool more; /* the same call moved more messages */
};

struct protocol {
	const char *name;

	/*
	 * Whether a connection that moves these bytes speaks this protocol: the side that sent
	 * them, or PROTOCOL_UNKNOWN. `view->by` is PROTOCOL_UNKNOWN. `*state` is one byte for each
	 * end of a connection, at first 0; until a protocol is found, all protocols share it.
	 */
	enum protocol_side (*opens)(const struct protocol_view *view, unsigned char *state);

	/*
	 * Puts into words what a call moved on a connection that speaks this protocol. False: the
	 * bytes do not fit, and what was put so far is void.
	 */
	bool (*says)(const struct protocol_view *view, struct protocol_words *words);

	/*
	 * Follows the connection by each call in turn. False: these bytes are data, whatever they
	 * look like. NULL: there is nothing to follow.
	 */
	bool (*admits)(const struct protocol_view *view, unsigned char *state);
};

#define PROTOCOL(id, name) extern const struct protocol protocol_##id;
#include "viz/protocol/protocols.def"
#undef PROTOCOL

/* Append to the words; what does not fit sets `cut`. */
void protocol_put(struct protocol_words *words, const void *bytes, size_t len);
void protocol_put_text(struct protocol_words *words, const char *text);

static inline bool protocol_is_cut(const struct protocol_view *view)
{
	return view->len < view->total;
}

/* True if the kept bytes from offset `at` on are this text, as far as they go. */
bool protocol_has(const struct protocol_view *view, size_t at, const char *text);

/* A line of text, which ends in LF or CR LF. */
struct protocol_line {
	const unsigned char *at;
	size_t len;  /* without its end */
	size_t next; /* offset behind its end */
	bool whole;  /* false: what was kept ends before the line does */
};

/*
 * Finds the line at offset `at`. False if it is empty, has a control character other than a tab, or
 * ends without a line feed although all bytes were kept.
 */
bool protocol_line(const struct protocol_view *view, size_t at, struct protocol_line *line);

#endif
