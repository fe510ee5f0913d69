// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the files of the protocols share: putting words, and finding lines. */
#include <string.h>

#include "viz/protocol/protocol.h"

void protocol_put(struct protocol_words *words, const void *bytes, size_t len)
{
	size_t room = sizeof(words->bytes) - words->len;

	if (len > room) {
		words->cut = true;
		len = room;
	}
	if (len)
		memcpy(words->bytes + words->len, bytes, len);
	words->len += len;
}

void protocol_put_text(struct protocol_words *words, const char *text)
{
	protocol_put(words, text, strlen(text));
}

bool protocol_has(const struct protocol_view *view, size_t at, const char *text)
{
	size_t len = strlen(text), kept = at < view->len ? view->len - at : 0;

	return kept && memcmp(view->data + at, text, len < kept ? len : kept) == 0 &&
	       (len <= kept || protocol_is_cut(view));
}

static bool is_text(const unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((bytes[i] < ' ' && bytes[i] != '\t') || bytes[i] == 0x7f)
			return false;
	return len > 0;
}

bool protocol_line(const struct protocol_view *view, size_t at, struct protocol_line *line)
{
	const unsigned char *end;
	size_t kept = at < view->len ? view->len - at : 0;

	if (!kept)
		return false;
	*line = (struct protocol_line){.at = view->data + at};
	end = memchr(line->at, '\n', kept);
	if (!end && !protocol_is_cut(view))
		return false;
	line->whole = end != NULL;
	line->len = end ? (size_t)(end - line->at) : kept;
	line->next = at + line->len + line->whole;
	if (line->len && line->at[line->len - 1] == '\r')
		line->len--;
	return is_text(line->at, line->len);
}
