// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * D-Bus: "Hello() @ /org/freedesktop/DBus". First lines of text (authentication), then messages: a
 * fixed part (viz/base/dbus_header.h), then the array of header fields, in steps of eight bytes.
 */
#include <string.h>

#include "viz/base/dbus_header.h"
#include "viz/protocol/protocol.h"

enum { FIELD_PATH = 1, FIELD_MEMBER = 3, FIELD_ERROR_NAME = 4, FIELD_LAST = 9 };

struct name {
	const unsigned char *at; /* NULL: not seen */
	size_t len;
	bool cut;
};

static bool read_header(const struct protocol_view *view, struct dbus_header *header)
{
	return dbus_header_read(view->data, view->len, header);
}

static bool is_name_letter(unsigned char c, bool path)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == (path ? '/' : '.');
}

/* Reads the string or number of a field at `*at` and moves on. False: it does not fit. */
static bool take_value(const struct protocol_view *view, const struct dbus_header *header,
		       char type, size_t *at, struct name *value)
{
	size_t start, kept, len;

	*value = (struct name){0};
	if (type == 'g') { /* a signature has a length of one byte */
		*at += *at < view->len ? (size_t)view->data[*at] + 2 : 2;
		return true;
	}
	if (type != 's' && type != 'o' && type != 'u')
		return false;
	start = dbus_aligned(*at, 4) + 4;
	*at = start;
	if (type == 'u' || start > view->len)
		return true;
	len = dbus_number(view->data + start - 4, header->little);
	if (!len || len > header->fields_len)
		return false;
	kept = view->len - start;
	*value = (struct name){view->data + start, len < kept ? len : kept, len > kept};
	*at = start + len + 1;
	for (size_t i = 0; i < value->len; i++)
		if (value->at[i] < ' ' || value->at[i] > '~')
			return false;
	return len >= kept || value->at[len] == '\0';
}

/* Finds path, member and error name among the fields that were kept. False: they do not fit. */
static bool read_fields(const struct protocol_view *view, const struct dbus_header *header,
			struct name names[FIELD_LAST + 1])
{
	size_t end = DBUS_FIXED_LEN + header->fields_len;

	for (size_t at = DBUS_FIXED_LEN; at < end && at + 4 <= view->len;
	     at = dbus_aligned(at, 8)) {
		const unsigned char *field = view->data + at;
		struct name value;

		if (field[0] < 1 || field[0] > FIELD_LAST || field[1] != 1 || field[3] != 0)
			return false;
		at += 4;
		if (!take_value(view, header, (char)field[2], &at, &value) || at > end)
			return false;
		names[field[0]] = value;
	}
	return true;
}

static bool is_name(const struct name *name, bool path)
{
	for (size_t i = 0; i < name->len; i++)
		if (!is_name_letter(name->at[i], path))
			return false;
	return !path || !name->len || name->at[0] == '/';
}

static void put_name(struct protocol_words *words, const struct name *name)
{
	protocol_put(words, name->at, name->len);
	words->cut |= name->cut;
}

/* "Hello() @ /path", "signal NameAcquired @ /path"; what was not kept is left out. */
static void say_call(const struct dbus_header *header, const struct name *names,
		     struct protocol_words *words)
{
	const struct name *path = &names[FIELD_PATH], *member = &names[FIELD_MEMBER];
	bool call = header->type == DBUS_METHOD_CALL;

	if (!call)
		protocol_put_text(words, "signal ");
	else if (!member->at)
		protocol_put_text(words, "call ");
	put_name(words, member);
	if (call && member->at && !member->cut)
		protocol_put_text(words, "()");
	if (path->at && !words->cut) {
		protocol_put_text(words, member->at ? " @ " : "@ ");
		put_name(words, path);
	}
	words->cut |= !member->at || !path->at;
}

static void say_answer(const struct dbus_header *header, const struct name *names,
		       struct protocol_words *words)
{
	const struct name *name = &names[FIELD_ERROR_NAME];

	protocol_put_text(words, header->type == DBUS_ERROR ? "error" : "return");
	if (header->type != DBUS_ERROR)
		return;
	protocol_put_text(words, name->at ? " " : "");
	put_name(words, name);
	words->cut |= !name->at;
}

static bool say_message(const struct protocol_view *view, struct protocol_words *words)
{
	struct name names[FIELD_LAST + 1] = {0};
	struct dbus_header header;

	if (!read_header(view, &header) || !read_fields(view, &header, names) ||
	    !is_name(&names[FIELD_PATH], true) || !is_name(&names[FIELD_MEMBER], false) ||
	    !is_name(&names[FIELD_ERROR_NAME], false))
		return false;
	if (header.type == DBUS_METHOD_CALL || header.type == DBUS_SIGNAL)
		say_call(&header, names, words);
	else
		say_answer(&header, names, words);
	words->more = header.size < view->total;
	return true;
}

/* A line of the authentication; the client sends a NUL before its first one. */
static bool say_line(const struct protocol_view *view, struct protocol_words *words)
{
	static const char *const asked[] = {"AUTH", "CANCEL", "BEGIN",
					    "DATA", "ERROR",  "NEGOTIATE_UNIX_FD"};
	static const char *const answered[] = {"REJECTED", "OK", "DATA", "ERROR", "AGREE_UNIX_FD"};
	bool asker = view->by == PROTOCOL_ASKER;
	const char *const *known = asker ? asked : answered;
	size_t count = asker ? sizeof(asked) / sizeof(*asked)
			     : sizeof(answered) / sizeof(*answered);
	struct protocol_line line;

	if (!protocol_line(view, view->data[0] == '\0', &line))
		return false;
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(known[i]);

		if (line.len < len || memcmp(line.at, known[i], len) != 0 ||
		    (line.len > len && line.at[len] != ' '))
			continue;
		protocol_put(words, line.at, line.len);
		words->cut |= !line.whole;
		words->more = line.whole && line.next < view->total;
		return true;
	}
	return false;
}

/* "AUTH EXTERNAL …"; on TCP, where others say AUTH too, only after the NUL. */
static bool is_authentication(const struct protocol_view *view)
{
	size_t at = view->data[0] == '\0';
	struct protocol_line line;

	if (!at && view->mechanism != MECH_UNIX_STREAM)
		return false;
	if (!protocol_line(view, at, &line) || !line.whole)
		return false;
	return protocol_has(view, at, "AUTH EXTERNAL") ||
	       protocol_has(view, at, "AUTH DBUS_COOKIE_SHA1") ||
	       protocol_has(view, at, "AUTH ANONYMOUS") || (at && protocol_has(view, at, "AUTH"));
}

/*
 * A message opens the connection only if all that was moved is one message, or more follows: a
 * header with a length that fits.
 */
static enum protocol_side dbus_opens(const struct protocol_view *view, unsigned char *state)
{
	struct protocol_words words = {0};
	struct dbus_header header;

	(void)state;
	if (view->mechanism != MECH_TCP && view->mechanism != MECH_UNIX_STREAM)
		return PROTOCOL_UNKNOWN;
	if (is_authentication(view))
		return PROTOCOL_ASKER;
	return read_header(view, &header) && header.size <= view->total &&
			       view->len > DBUS_FIXED_LEN && say_message(view, &words)
		       ? PROTOCOL_ASKER
		       : PROTOCOL_UNKNOWN;
}

static bool dbus_says(const struct protocol_view *view, struct protocol_words *words)
{
	if (view->len > 3 && view->data[3] == 1)
		return say_message(view, words);
	return say_line(view, words);
}

const struct protocol protocol_dbus = {.name = "dbus", .opens = dbus_opens, .says = dbus_says};
