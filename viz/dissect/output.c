// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/dissect/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/base/memory.h"
#include "viz/base/safe_text.h"

/* --- the line --- */

/* Cuts the next column off; false: there is none. */
static bool take_column(const char **at, const char *end, const char **column, size_t *len)
{
	const char *tab;

	if (*at > end)
		return false;
	tab = memchr(*at, '\t', (size_t)(end - *at));
	*column = *at;
	*len = (size_t)((tab ? tab : end) - *at);
	*at = (tab ? tab : end) + 1;
	return true;
}

static bool parse_packet(const char *text, size_t len, size_t *packet)
{
	*packet = 0;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9' || i > 8)
			return false;
		*packet = *packet * 10 + (size_t)(text[i] - '0');
	}
	return *packet > 0;
}

/* Values of a field that each PDU has once: "3,3,14". */
static size_t count_values(const char *text, size_t len)
{
	size_t count = len > 0;

	for (size_t i = 0; i < len; i++)
		count += text[i] == ',';
	return count;
}

bool output_parse(const char *line, size_t len, struct output_line *parsed)
{
	const char *at = line, *end = line + len, *column;
	size_t column_len;

	*parsed = (struct output_line){0};
	if (!take_column(&at, end, &column, &column_len) ||
	    !parse_packet(column, column_len, &parsed->packet) ||
	    !take_column(&at, end, &parsed->protocol, &parsed->protocol_len) ||
	    !take_column(&at, end, &parsed->info, &parsed->info_len))
		return false;
	while (take_column(&at, end, &column, &column_len))
		parsed->pdus += count_values(column, column_len);
	return true;
}

/* --- the protocol --- */

static char small(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool is_of_a_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
	       c == '_' || c == '/';
}

/* What names no application: the network that never was, and bytes that nobody knew. */
static bool is_nothing(const char *name)
{
	static const char *const names[] = {"tcp", "udp", "ip", "ipv4", "data", "raw", ""};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* "tlsv1.3" is "tls"; what HTTP/2 carries has its own name before it: "grpchttp2" is "grpc". */
static void take_own_name(char *name, const char *row)
{
	size_t len = strlen(name), row_len = strlen(row);

	if (len > row_len && strcmp(name + len - row_len, row) == 0)
		name[len - row_len] = '\0';
	else if (len > row_len && memcmp(name, row, row_len) == 0)
		name[row_len] = '\0';
}

bool output_protocol(const struct output_line *line, const char *row,
		     char name[OUTPUT_PROTOCOL_MOST + 1])
{
	if (line->protocol_len > OUTPUT_PROTOCOL_MOST)
		return false;
	for (size_t i = 0; i < line->protocol_len; i++) {
		name[i] = small(line->protocol[i]);
		if (!is_of_a_name(name[i]))
			return false;
	}
	name[line->protocol_len] = '\0';
	if (row)
		take_own_name(name, row);
	return !is_nothing(name);
}

/* --- the words --- */

struct text {
	const char *at;
	size_t len;
};

static const char *find(struct text text, const char *word)
{
	return memmem(text.at, text.len, word, strlen(word));
}

static void trim(struct text *text)
{
	while (text->len && text->at[0] == ' ') {
		text->at++;
		text->len--;
	}
	while (text->len && (text->at[text->len - 1] == ' ' || text->at[text->len - 1] == ','))
		text->len--;
}

static bool cut_off_note(struct text *text, const char *note)
{
	const char *at = find(*text, note);

	if (!at)
		return false;
	text->len = (size_t)(at - text->at);
	trim(text);
	return true;
}

/* Notes of numbers in a capture that nobody sees: "(Reply In 17)". */
static void cut_off_reference(struct text *text)
{
	static const char *const notes[] = {" (Reply In ", " (Call In "};

	for (size_t i = 0; i < sizeof(notes) / sizeof(*notes); i++) {
		const char *at = find(*text, notes[i]);

		if (at && text->at[text->len - 1] == ')')
			text->len = (size_t)(at - text->at);
	}
}

/* The length of the first PDU: up to a comma and a word that begins with a capital letter. */
static size_t first_len(struct text text)
{
	for (size_t i = 0; i + 2 < text.len; i++)
		if (text.at[i] == ',' && text.at[i + 1] == ' ' && text.at[i + 2] >= 'A' &&
		    text.at[i + 2] <= 'Z')
			return i;
	return text.len;
}

static bool begins(struct text text, const char *word)
{
	return text.len >= strlen(word) && memcmp(text.at, word, strlen(word)) == 0;
}

/* Frames of HTTP/2 that manage the connection, and say nothing of what is asked. */
static bool is_service(struct text text)
{
	static const char *const words[] = {"Magic", "SETTINGS[", "WINDOW_UPDATE[", "PRIORITY[",
					    "PING["};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (begins(text, words[i]))
			return true;
	return false;
}

/* The first PDU that says something; the first one if none does. */
static struct text telling(struct text text)
{
	struct text rest = text;

	while (rest.len && is_service(rest)) {
		size_t len = first_len(rest);

		if (len == rest.len)
			break;
		rest.at += len + 2;
		rest.len -= len + 2;
	}
	if (is_service(rest))
		rest = text;
	rest.len = first_len(rest);
	return rest;
}

/* Cuts no character of UTF-8 in two. */
static size_t cut_len(struct text text, size_t most)
{
	size_t len = text.len < most ? text.len : most;

	while (len < text.len && len && ((unsigned char)text.at[len] & 0xc0) == 0x80)
		len--;
	return len;
}

/*
 * A PDU that tshark found malformed is dropped, and those behind it. False: that is all there is.
 */
static bool drop_malformed(struct text *text)
{
	size_t first, at = 0;

	if (!cut_off_note(text, "[Malformed Packet"))
		return true;
	first = first_len(*text);
	if (first == text->len)
		return false;
	for (size_t next = first; at + next < text->len;
	     next = first_len((struct text){text->at + at, text->len - at}))
		at += next + 2;
	text->len = at - 2;
	return true;
}

/* Bytes of a PDU that another packet tells of. */
static bool is_fragment(struct text text)
{
	return find(text, "[Unreassembled Packet") || find(text, "segment of a reassembled PDU]") ||
	       begins(text, "[Continuation") || begins(text, "Continuation");
}

/* What tshark could not read was not kept. False: all of it was read. */
static bool cut_off_unread(struct text *text)
{
	static const char *const notes[] = {"[Packet size limited during capture", "[Dissector bug",
					    "[TCP segment of"};
	bool cut = false;

	for (size_t i = 0; i < sizeof(notes) / sizeof(*notes); i++)
		cut |= cut_off_note(text, notes[i]);
	return cut;
}

static char *with_count(char *words, size_t more)
{
	char *all = more ? memory_format("%s, and %zu more", words, more) : words;

	if (more)
		free(words);
	return all;
}

char *output_summary(const struct output_line *line)
{
	struct text text = {line->info, line->info_len}, said;
	size_t more = line->pdus > 1 ? line->pdus - 1 : 0, len;
	bool cut;

	trim(&text);
	if (is_fragment(text))
		return NULL;
	cut = cut_off_unread(&text);
	if (!drop_malformed(&text))
		return NULL;
	cut_off_reference(&text);
	if (!text.len && cut)
		text = (struct text){line->protocol, line->protocol_len};
	said = more ? telling(text) : text;
	cut &= said.at + said.len == text.at + text.len;
	len = cut_len(said, OUTPUT_SUMMARY_MOST);
	return len ? with_count(scene_unquoted(said.at, len, said.len + cut), more) : NULL;
}
