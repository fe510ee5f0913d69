// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * SMTP and FTP: "220 mx ESMTP", "MAIL FROM:<…>", "RETR notes". Lines of text look like much else,
 * so the connection must be seen from its first bytes on: a server's greeting, which names the
 * protocol, or a greeting and then a client's first command. RFC 5321, RFC 959.
 */
#include <string.h>
#include <strings.h>

#include "viz/protocol/protocol.h"

/* What `state` tells: before a protocol is found, LINES_GREETED; then the course of a mail. */
enum { LINES_START, LINES_GREETED, LINES_DATA };

enum { CODE_LEN = 3 };

static const char *const smtp_verbs[] = {"EHLO", "HELO", "LHLO",     "MAIL", "RCPT", "DATA",
					 "BDAT", "RSET", "NOOP",     "VRFY", "EXPN", "HELP",
					 "QUIT", "AUTH", "STARTTLS", NULL};
static const char *const ftp_verbs[] = {
	"USER", "PASS", "ACCT", "AUTH", "PBSZ", "PROT", "FEAT", "OPTS", "SYST", "TYPE", "MODE",
	"STRU", "PASV", "EPSV", "PORT", "EPRT", "PWD",	"CWD",	"CDUP", "LIST", "NLST", "MLSD",
	"MLST", "RETR", "STOR", "APPE", "STOU", "DELE", "MKD",	"RMD",	"RNFR", "RNTO", "SIZE",
	"MDTM", "REST", "ABOR", "STAT", "SITE", "HELP", "NOOP", "QUIT", NULL};

static bool is_socket(const struct protocol_view *view)
{
	return view->mechanism == MECH_TCP || view->mechanism == MECH_UNIX_STREAM;
}

/* "220 text" or "220-text". */
static bool reply_line(const struct protocol_view *view, struct protocol_line *line)
{
	if (!protocol_line(view, 0, line) || line->len < CODE_LEN || line->at[0] < '1' ||
	    line->at[0] > '5')
		return false;
	for (int i = 1; i < CODE_LEN; i++)
		if (line->at[i] < '0' || line->at[i] > '9')
			return false;
	return line->len == CODE_LEN || line->at[CODE_LEN] == ' ' || line->at[CODE_LEN] == '-';
}

/* The length of the verb that the line begins with, in letters of either case; 0: none. */
static size_t verb_len(const struct protocol_line *line, const char *const *verbs)
{
	for (; *verbs; verbs++) {
		size_t len = strlen(*verbs);

		if (line->len >= len && !strncasecmp((const char *)line->at, *verbs, len) &&
		    (line->len == len ? line->whole : line->at[len] == ' '))
			return len;
	}
	return 0;
}

static bool is_verb(const struct protocol_line *line, size_t len, const char *verb)
{
	return len == strlen(verb) && !strncasecmp((const char *)line->at, verb, len);
}

/* What proves who somebody is stays out of the picture's words. */
static bool is_secret(const struct protocol_line *line, size_t verb)
{
	return is_verb(line, verb, "PASS") || is_verb(line, verb, "AUTH");
}

static bool says_lines(const struct protocol_view *view, struct protocol_words *words,
		       const char *const *verbs)
{
	struct protocol_line line;
	size_t verb;

	if (view->by == PROTOCOL_ANSWERER) {
		if (!reply_line(view, &line))
			return false;
		protocol_put(words, line.at, line.len);
		words->cut |= !line.whole;
		words->more = line.whole && line.next < view->total;
		return true;
	}
	if (!protocol_line(view, 0, &line))
		return false;
	verb = verb_len(&line, verbs);
	if (!verb)
		return false;
	protocol_put(words, line.at, is_secret(&line, verb) ? verb : line.len);
	words->cut |= !line.whole || (is_secret(&line, verb) && line.len > verb);
	words->more = line.whole && line.next < view->total;
	return true;
}

static bool line_names(const struct protocol_line *line, const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; i + len <= line->len; i++)
		if (!strncasecmp((const char *)line->at + i, word, len))
			return true;
	return false;
}

static enum protocol_side opens(const struct protocol_view *view, unsigned char *state,
				const char *name, const char *const *first)
{
	struct protocol_line line;

	if (!is_socket(view))
		return PROTOCOL_UNKNOWN;
	if (*state == LINES_GREETED)
		return protocol_line(view, 0, &line) && line.whole && verb_len(&line, first)
			       ? PROTOCOL_ASKER
			       : PROTOCOL_UNKNOWN;
	if (!view->first || !reply_line(view, &line) || memcmp(line.at, "220", CODE_LEN) != 0)
		return PROTOCOL_UNKNOWN;
	if (line_names(&line, name))
		return PROTOCOL_ANSWERER;
	return PROTOCOL_UNKNOWN;
}

/* A greeting that names neither protocol: the next rows and calls decide. */
static void note_greeting(const struct protocol_view *view, unsigned char *state)
{
	struct protocol_line line;

	if (is_socket(view) && view->first && reply_line(view, &line) &&
	    memcmp(line.at, "220", CODE_LEN) == 0 && !line_names(&line, "SMTP"))
		*state = LINES_GREETED;
}

static enum protocol_side smtp_opens(const struct protocol_view *view, unsigned char *state)
{
	static const char *const first[] = {"EHLO", "HELO", "LHLO", NULL};

	return opens(view, state, "SMTP", first);
}

static enum protocol_side ftp_opens(const struct protocol_view *view, unsigned char *state)
{
	static const char *const first[] = {"USER", "FEAT", NULL};
	enum protocol_side by = opens(view, state, "FTP", first);

	if (by == PROTOCOL_UNKNOWN)
		note_greeting(view, state);
	return by;
}

static bool smtp_says(const struct protocol_view *view, struct protocol_words *words)
{
	return says_lines(view, words, smtp_verbs);
}

static bool ftp_says(const struct protocol_view *view, struct protocol_words *words)
{
	return says_lines(view, words, ftp_verbs);
}

/* From the answer 354 on, the client sends the mail, until the server's next answer. */
static bool smtp_admits(const struct protocol_view *view, unsigned char *state)
{
	struct protocol_line line;

	if (view->by == PROTOCOL_ASKER)
		return *state != LINES_DATA;
	if (reply_line(view, &line))
		*state = memcmp(line.at, "354", CODE_LEN) == 0 ? LINES_DATA : LINES_START;
	return true;
}

const struct protocol protocol_smtp = {
	.name = "smtp", .opens = smtp_opens, .says = smtp_says, .admits = smtp_admits};
const struct protocol protocol_ftp = {.name = "ftp", .opens = ftp_opens, .says = ftp_says};
