// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Converts bytes as n_tty does under the settings that the trace has; what depends on more than
 * these (special characters, columns) is not known.
 */
#include "viz/pair/policy/line_discipline.h"

#include <string.h>
#include <termios.h>

enum { PASSES = -1, IS_SPECIAL = -2, DELETE = 0x7f, MOST_OF_ONE = 2 };

/*
 * True if the line may treat the byte specially. The special bytes are set in termios c_cc, which
 * the trace does not have; all control bytes that commonly are special count.
 */
static bool may_be_special(const struct viz_line *line, unsigned char c)
{
	bool control = (c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == DELETE;

	return control && ((line->local & (ICANON | ISIG)) || (line->input & IXON));
}

/* The byte that one byte of input becomes; PASSES: none, it is discarded; IS_SPECIAL: not known. */
static int input_byte(const struct viz_line *line, unsigned char c)
{
	if (may_be_special(line, c) || (c >= 0x80 && (line->input & (ISTRIP | PARMRK))) ||
	    ((line->input & IUCLC) && c >= 'A' && c <= 'Z'))
		return IS_SPECIAL;
	if (c == '\r' && (line->input & IGNCR))
		return PASSES;
	if (c == '\r' && (line->input & ICRNL))
		return '\n';
	if (c == '\n' && (line->input & INLCR))
		return '\r';
	return c;
}

/* Writes up to MOST_OF_ONE bytes to `out`; returns how many, or IS_SPECIAL if it is not known. */
static int output_bytes(const struct viz_line *line, unsigned char c, char *out)
{
	out[0] = (char)c;
	if (!(line->output & OPOST))
		return 1;
	if (((line->output & OLCUC) && c >= 'a' && c <= 'z') ||
	    (c == '\t' && (line->output & TABDLY) == TAB3) ||
	    (c == '\r' && (line->output & (ONOCR | OCRNL))))
		return IS_SPECIAL;
	if (c != '\n' || !(line->output & ONLCR))
		return 1;
	out[0] = '\r';
	out[1] = '\n';
	return 2;
}

static int echo_bytes(const struct viz_line *line, unsigned char c, char *out)
{
	int read = input_byte(line, c);
	bool end = read == '\n' && (line->local & ICANON);

	if (read < 0)
		return read == PASSES ? 0 : IS_SPECIAL;
	if (!(line->local & ECHO) && !(end && (line->local & ECHONL)))
		return 0;
	if (!end && read != '\t' && (read < ' ' || read == DELETE))
		return IS_SPECIAL; /* becomes ^X if ECHOCTL is set */
	return output_bytes(line, (unsigned char)read, out);
}

static int pass_byte(enum line_way way, const struct viz_line *line, unsigned char c, char *out)
{
	int read;

	if (way == LINE_OUTPUT)
		return output_bytes(line, c, out);
	if (way == LINE_ECHO)
		return echo_bytes(line, c, out);
	read = input_byte(line, c);
	out[0] = (char)read;
	return read == PASSES ? 0 : read == IS_SPECIAL ? IS_SPECIAL : 1;
}

bool line_passes_all(enum line_way way, const struct viz_line *line)
{
	if (way == LINE_OUTPUT)
		return !(line->output & OPOST);
	return way == LINE_INPUT && !(line->local & (ICANON | ISIG)) &&
	       !(line->input & (IXON | ICRNL | INLCR | IGNCR | ISTRIP | IUCLC | PARMRK));
}

bool line_is_silent(enum line_way way, const struct viz_line *line)
{
	return way == LINE_ECHO && !(line->local & (ECHO | ECHONL));
}

static struct line_text pass_each(struct arena *arena, enum line_way way,
				  const struct viz_line *line, const unsigned char *from,
				  size_t len)
{
	char *out = arena_alloc(arena, MOST_OF_ONE * len + 1);
	struct line_text text = {.known = true, .changed = true, .bytes.data = out};

	text.origin = arena_array(arena, MOST_OF_ONE * len + 1, sizeof(*text.origin));
	for (size_t i = 0; i < len; i++) {
		int count = pass_byte(way, line, from[i], out + text.len);

		if (count < 0)
			return (struct line_text){0};
		for (int k = 0; k < count; k++)
			text.origin[text.len++] = (uint32_t)i;
	}
	text.bytes.len = text.len;
	text.changed = text.len != len || (len && memcmp(out, from, len) != 0);
	return text;
}

#define CUT_LEN_MAX 4096 /* longer writes are not converted */

/*
 * True if the payload was truncated, and in the rest, which is not in the trace, the settings
 * change nothing but line feeds, whose offsets are.
 */
static bool passes_but_ends(enum line_way way, const struct viz_line *line,
			    const struct viz_operation *op, uint64_t len)
{
	return way == LINE_OUTPUT && op->extra->line_feeds_known && op->payload.len < len &&
	       len <= CUT_LEN_MAX && !(line->output & (OLCUC | ONOCR | OCRNL)) &&
	       (line->output & TABDLY) != TAB3;
}

/*
 * Converts such a write. Behind the payload, only the number of bytes that come out and their
 * origins are known, not the bytes.
 */
static struct line_text pass_cut(struct arena *arena, const struct viz_line *line,
				 const struct viz_operation *op, uint64_t len)
{
	uint64_t kept = op->payload.len;
	struct line_text text = pass_each(arena, LINE_OUTPUT, line,
					  (const unsigned char *)op->payload.data, kept);
	uint32_t *origin = arena_array(arena, MOST_OF_ONE * len + 1, sizeof(*origin));

	if (text.len)
		memcpy(origin, text.origin, text.len * sizeof(*origin));
	text.origin = origin;
	for (uint64_t i = kept, feed = 0; text.known && i < len; i++) {
		while (feed < op->extra->line_feeds_count && op->extra->line_feeds[feed] < i)
			feed++;
		if (feed < op->extra->line_feeds_count && op->extra->line_feeds[feed] == i &&
		    (line->output & ONLCR))
			origin[text.len++] = (uint32_t)i;
		origin[text.len++] = (uint32_t)i;
	}
	text.changed |= text.len != len;
	return text;
}

struct line_text line_pass(struct arena *arena, enum line_way way, const struct viz_line *line,
			   const struct viz_operation *op, uint64_t len)
{
	if (!line->known)
		return (struct line_text){0};
	if (line_is_silent(way, line))
		return (struct line_text){.known = true, .changed = true};
	if (line_passes_all(way, line))
		return (struct line_text){.known = true, .len = len};
	if (op->role == ROLE_TRANSFER)
		return (struct line_text){0};
	if (passes_but_ends(way, line, op, len))
		return pass_cut(arena, line, op, len);
	if (!op->payload.data || op->payload.len < len)
		return (struct line_text){0};
	return pass_each(arena, way, line, (const unsigned char *)op->payload.data, len);
}
