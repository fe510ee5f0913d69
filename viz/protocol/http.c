// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * HTTP/1: "GET /hallo", "200 OK". RFC 9112, 3 (request line) and 4 (status line). Bodies and the
 * frames of an upgraded connection have no words.
 */
#include <string.h>

#include "viz/protocol/protocol.h"

static const char *const methods[] = {"GET",	 "HEAD",  "POST",  "PUT",      "DELETE", "CONNECT",
				      "OPTIONS", "TRACE", "PATCH", "PROPFIND", "MKCOL",	 "REPORT"};

/* The length of the method that the line begins with, a space after it; 0: none. */
static size_t method_len(const struct protocol_line *line)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
		size_t len = strlen(methods[i]);

		if (line->len > len && memcmp(line->at, methods[i], len) == 0 &&
		    line->at[len] == ' ')
			return len;
	}
	return 0;
}

static size_t target_len(const unsigned char *at, size_t len)
{
	size_t n = 0;

	while (n < len && at[n] > ' ' && at[n] < 0x7f)
		n++;
	return n;
}

/* A path, an absolute URL, the authority of CONNECT, or the asterisk of OPTIONS. */
static bool is_target(const unsigned char *at, size_t len, unsigned char method)
{
	if (!len)
		return false;
	if (*at == '/')
		return true;
	if (*at == '*')
		return len == 1 && method == 'O';
	return method == 'C' || (len > 7 && memcmp(at, "http://", 7) == 0) ||
	       (len > 8 && memcmp(at, "https://", 8) == 0);
}

/* "HTTP/1.1", or as much of it as was kept. */
static bool is_version(const unsigned char *at, size_t len, bool whole)
{
	static const char version[] = "HTTP/1.";
	size_t known = sizeof(version) - 1;

	if (whole ? len != known + 1 : len > known + 1)
		return false;
	return memcmp(at, version, len < known ? len : known) == 0 &&
	       (len <= known || (at[known] >= '0' && at[known] <= '9'));
}

static bool say_request(const struct protocol_view *view, struct protocol_words *words)
{
	struct protocol_line line;
	const unsigned char *target, *end;
	size_t method, len;

	if (!protocol_line(view, 0, &line))
		return false;
	method = method_len(&line);
	if (!method)
		return false;
	target = line.at + method + 1;
	end = line.at + line.len;
	len = target_len(target, (size_t)(end - target));
	if (!is_target(target, len, *line.at))
		return false;
	protocol_put(words, line.at, method + 1 + len);
	if (target + len == end) {
		words->cut |= !line.whole;
		return !line.whole;
	}
	return target[len] == ' ' &&
	       is_version(target + len + 1, (size_t)(end - target) - len - 1, line.whole);
}

static bool say_status(const struct protocol_view *view, struct protocol_words *words)
{
	enum { CODE = 9, REASON = 13 }; /* "HTTP/1.1 200 OK" */
	struct protocol_line line;

	if (!protocol_line(view, 0, &line) || line.len < REASON - 1 ||
	    !is_version(line.at, CODE - 1, true) || line.at[CODE - 1] != ' ')
		return false;
	for (int i = 0; i < 3; i++)
		if (line.at[CODE + i] < (i ? '0' : '1') || line.at[CODE + i] > (i ? '9' : '5'))
			return false;
	if (line.len >= REASON && line.at[REASON - 1] != ' ')
		return false;
	protocol_put(words, line.at + CODE, line.len == REASON ? 3 : line.len - CODE);
	words->cut |= !line.whole;
	return true;
}

static enum protocol_side http_opens(const struct protocol_view *view, unsigned char *state)
{
	struct protocol_words request = {0}, status = {0};

	(void)state;
	if (say_request(view, &request))
		return PROTOCOL_ASKER;
	return say_status(view, &status) ? PROTOCOL_ANSWERER : PROTOCOL_UNKNOWN;
}

static bool http_says(const struct protocol_view *view, struct protocol_words *words)
{
	return view->by == PROTOCOL_ASKER ? say_request(view, words) : say_status(view, words);
}

const struct protocol protocol_http = {.name = "http", .opens = http_opens, .says = http_says};
