// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * PostgreSQL's protocol 3: "select * from t", "SELECT 2", "ERROR relation …". A packet is a letter
 * and a length, which counts itself; only the packets that open a connection have no letter.
 * https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
#include <string.h>

#include "viz/protocol/protocol.h"

enum {
	HEADER = 5,
	OPENING_HEADER = 8,
	OPENING_MOST = 10000,  /* MAX_STARTUP_PACKET_LENGTH in postmaster.c */
	PACKET_MOST = 1 << 28, /* four printable letters would be a larger length */
	BUFFER = 8192,	       /* a packet goes on in the next send only if this buffer was full */
	NAMES_MOST = 3,	       /* names of packets in one call that are told */
};

enum {
	PROTOCOL_3 = 3 << 16,
	CANCEL_REQUEST = 1234 << 16 | 5678,
	SSL_REQUEST = 1234 << 16 | 5679,
	GSSENC_REQUEST = 1234 << 16 | 5680,
};

struct packet_name {
	char letter;
	bool empty; /* it has no body */
	const char *name;
};

static const struct packet_name asker_packets[] = {
	{'Q', false, "Query"},	  {'P', false, "Parse"},	{'B', false, "Bind"},
	{'E', false, "Execute"},  {'D', false, "Describe"},	{'S', true, "Sync"},
	{'H', true, "Flush"},	  {'C', false, "Close"},	{'X', true, "Terminate"},
	{'p', false, "Password"}, {'d', false, "CopyData"},	{'c', true, "CopyDone"},
	{'f', false, "CopyFail"}, {'F', false, "FunctionCall"},
};

static const struct packet_name answerer_packets[] = {
	{'R', false, "Authentication"},
	{'S', false, "ParameterStatus"},
	{'K', false, "BackendKeyData"},
	{'Z', false, "ReadyForQuery"},
	{'T', false, "RowDescription"},
	{'D', false, "DataRow"},
	{'C', false, "CommandComplete"},
	{'E', false, "ErrorResponse"},
	{'N', false, "NoticeResponse"},
	{'A', false, "NotificationResponse"},
	{'I', true, "EmptyQueryResponse"},
	{'n', true, "NoData"},
	{'s', true, "PortalSuspended"},
	{'t', false, "ParameterDescription"},
	{'1', true, "ParseComplete"},
	{'2', true, "BindComplete"},
	{'3', true, "CloseComplete"},
	{'G', false, "CopyInResponse"},
	{'H', false, "CopyOutResponse"},
	{'W', false, "CopyBothResponse"},
	{'d', false, "CopyData"},
	{'c', true, "CopyDone"},
	{'V', false, "FunctionCallResponse"},
	{'v', false, "NegotiateProtocolVersion"},
};

/* A packet, or as much of it as was kept. */
struct packet {
	const struct packet_name *type;
	const unsigned char *body;
	size_t len;    /* bytes of the body that were kept */
	uint64_t size; /* of the body */
};

static uint32_t number_at(const unsigned char *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static const struct packet_name *type_of(enum protocol_side by, unsigned char letter)
{
	bool asker = by == PROTOCOL_ASKER;
	const struct packet_name *names = asker ? asker_packets : answerer_packets;
	size_t count = asker ? sizeof(asker_packets) / sizeof(*asker_packets)
			     : sizeof(answerer_packets) / sizeof(*answerer_packets);

	for (size_t i = 0; i < count; i++)
		if ((unsigned char)names[i].letter == letter)
			return &names[i];
	return NULL;
}

/* Reads the packet at `*at`, whose header was kept whole, and moves on. False: it is none. */
static bool take_packet(const struct protocol_view *view, uint64_t *at, struct packet *packet)
{
	const unsigned char *header = view->data + *at;
	uint64_t length = number_at(header + 1), end = *at + 1 + length;
	size_t kept = view->len - (size_t)*at - HEADER;

	packet->type = type_of(view->by, *header);
	if (!packet->type || length < 4 || length > PACKET_MOST ||
	    packet->type->empty != (length == 4) || (end > view->total && view->total < BUFFER))
		return false;
	packet->size = length - 4;
	packet->body = header + HEADER;
	packet->len = packet->size < kept ? (size_t)packet->size : kept;
	*at = end;
	return true;
}

/* The length of the string at the begin of these bytes; `*whole` tells whether it ends there. */
static size_t string_len(const unsigned char *at, size_t len, bool *whole)
{
	const unsigned char *end = len ? memchr(at, '\0', len) : NULL;

	*whole = end != NULL;
	return end ? (size_t)(end - at) : len;
}

static bool is_space(unsigned char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* A query as one line: each run of white space is one space. */
static void put_query(struct protocol_words *words, const unsigned char *at, size_t len)
{
	while (len && is_space(*at)) {
		at++;
		len--;
	}
	for (size_t i = 0; i < len; i++) {
		if (!is_space(at[i]))
			protocol_put(words, &at[i], 1);
		else if (i + 1 < len && !is_space(at[i + 1]))
			protocol_put(words, " ", 1);
	}
}

/* Query has the text; Parse has the name of the prepared statement before it. */
static bool say_query(const struct packet *packet, struct protocol_words *words)
{
	const unsigned char *at = packet->body;
	size_t len = packet->len, part;
	bool whole;

	if (packet->type->letter == 'P') {
		part = string_len(at, len, &whole);
		if (!whole)
			return packet->len < packet->size;
		at += part + 1;
		len -= part + 1;
	}
	part = string_len(at, len, &whole);
	if (!whole && packet->len == packet->size)
		return false;
	put_query(words, at, part);
	words->cut |= !whole;
	return true;
}

/* The tag, as "SELECT 2". */
static bool say_tag(const struct packet *packet, struct protocol_words *words)
{
	bool whole;
	size_t len = string_len(packet->body, packet->len, &whole);

	for (size_t i = 0; i < len; i++)
		if (packet->body[i] < ' ' || packet->body[i] > '~')
			return false;
	protocol_put(words, packet->body, len);
	words->cut |= !whole;
	return len > 0 || packet->len < packet->size;
}

/* Severity and message: fields of a letter and a string. Severity is the first one. */
static bool say_error(const struct packet *packet, struct protocol_words *words)
{
	const unsigned char *at = packet->body;
	size_t left = packet->len;

	words->cut |= !left;
	if (!left || (*at != 'S' && *at != 'V'))
		return !left && packet->size;
	for (bool first = true; left > 1 && *at; first = false) {
		bool whole;
		size_t len = string_len(at + 1, left - 1, &whole);

		if (first || *at == 'M') {
			protocol_put_text(words, first ? "" : " ");
			protocol_put(words, at + 1, len);
		}
		if (!whole) {
			words->cut = true;
			return packet->len < packet->size;
		}
		if (*at == 'M')
			return true;
		at += len + 2;
		left -= len + 2;
	}
	words->cut = true;
	return left <= 1 && packet->len < packet->size;
}

/* The names of the columns: each is a string and 18 bytes. */
static bool say_columns(const struct packet *packet, struct protocol_words *words)
{
	enum { COLUMN_REST = 18 };
	size_t at = 2;
	unsigned count;
	bool whole;

	protocol_put_text(words, packet->type->name);
	protocol_put_text(words, " (");
	if (packet->len < 2)
		return false;
	count = (unsigned)packet->body[0] << 8 | packet->body[1];
	for (unsigned i = 0; i < count; i++) {
		size_t left = at < packet->len ? packet->len - at : 0;
		const unsigned char *name = packet->body + (left ? at : 0);
		size_t len = string_len(name, left, &whole);

		protocol_put_text(words, i && left ? ", " : "");
		protocol_put(words, name, len);
		words->cut |= !whole;
		if (!whole)
			return packet->len < packet->size;
		at += len + 1 + COLUMN_REST;
	}
	protocol_put_text(words, ")");
	return at == packet->size;
}

/* --- what one call moved --- */

/* The words of a packet that says more than its name; *said is set if it does. */
static bool say_packet(const struct protocol_view *view, const struct packet *packet,
		       struct protocol_words *words, bool *said)
{
	char letter = packet->type->letter;
	bool asker = view->by == PROTOCOL_ASKER;

	*said = true;
	if (asker && (letter == 'Q' || letter == 'P'))
		return say_query(packet, words);
	if (!asker && letter == 'C')
		return say_tag(packet, words);
	if (!asker && (letter == 'E' || letter == 'N'))
		return say_error(packet, words);
	*said = false;
	return asker || letter != 'Z' ||
	       (packet->size == 1 && (!packet->len || strchr("ITE", packet->body[0])));
}

/* Several names, each once in a row. */
struct names {
	struct protocol_words words;
	const struct packet_name *last;
	unsigned count;
};

static void put_name(struct names *names, const struct packet_name *name)
{
	if (name == names->last)
		return;
	names->last = name;
	if (names->count++ < NAMES_MOST) {
		protocol_put_text(&names->words, names->count > 1 ? " " : "");
		protocol_put_text(&names->words, name->name);
	} else {
		names->words.more = true;
	}
}

/*
 * The packet that says most: a query, a tag, an error; else the columns; else the packets' names.
 * All headers that were kept must fit.
 */
static bool say_packets(const struct protocol_view *view, struct protocol_words *words)
{
	struct protocol_words columns = {0};
	struct names names = {0};
	bool said = false, described = false;
	uint64_t at = 0;
	unsigned count = 0;

	while (at + HEADER <= view->len) {
		struct protocol_words one = {0};
		struct packet packet;
		bool says;

		if (!take_packet(view, &at, &packet) || !say_packet(view, &packet, &one, &says))
			return false;
		if (says && !said && one.len) {
			*words = one;
			said = true;
		}
		names.words.cut |= one.cut && !one.len;
		if (view->by == PROTOCOL_ANSWERER && packet.type->letter == 'T' && !described)
			described = say_columns(&packet, &columns);
		put_name(&names, packet.type);
		count++;
	}
	if (at != view->total && !protocol_is_cut(view) && view->total < BUFFER)
		return false;
	if (said)
		return true;
	columns.more |= count > 1 || at < view->total;
	names.words.more |= at < view->total;
	*words = described ? columns : names.words;
	return count > 0;
}

/* "user=postgres database=t": the parameters of a StartupMessage, of which `user` is the first. */
static bool say_startup(const struct protocol_view *view, struct protocol_words *words)
{
	const unsigned char *at = view->data + OPENING_HEADER;
	size_t left = view->len - OPENING_HEADER;
	bool key = true, whole = true;

	if (left < 5 || memcmp(at, "user", 5) != 0)
		return false;
	protocol_put_text(words, "startup");
	while (left && *at) {
		size_t len = string_len(at, left, &whole);

		protocol_put_text(words, key ? " " : "=");
		protocol_put(words, at, len);
		if (!whole)
			break;
		key = !key;
		at += len + 1;
		left -= len + 1;
	}
	words->cut |= !whole || !left;
	return whole || protocol_is_cut(view);
}

/* A packet without a letter, which opens the connection: it must be all that the call moved. */
static bool say_opening(const struct protocol_view *view, struct protocol_words *words)
{
	const char *name;
	uint32_t code;

	if (view->len < OPENING_HEADER || view->total > OPENING_MOST ||
	    number_at(view->data) != view->total)
		return false;
	code = number_at(view->data + 4);
	if (code == PROTOCOL_3)
		return say_startup(view, words);
	name = code == SSL_REQUEST && view->total == 8	     ? "SSLRequest"
	       : code == GSSENC_REQUEST && view->total == 8  ? "GSSENCRequest"
	       : code == CANCEL_REQUEST && view->total == 16 ? "CancelRequest"
							     : NULL;
	if (name)
		protocol_put_text(words, name);
	return name != NULL;
}

static bool is_readable(const unsigned char *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((at[i] < ' ' && !is_space(at[i])) || at[i] == 0x7f)
			return false;
	return len > 0;
}

/*
 * A Query that is all that the call moved, for connections that are older than the trace: a length
 * that fits, and text without control characters.
 */
static bool is_lone_query(const struct protocol_view *view)
{
	bool whole;
	size_t len;

	if (view->len <= HEADER || view->data[0] != 'Q' ||
	    (uint64_t)number_at(view->data + 1) + 1 != view->total)
		return false;
	len = string_len(view->data + HEADER, view->len - HEADER, &whole);
	return is_readable(view->data + HEADER, len) &&
	       (whole ? HEADER + len + 1 == view->total : protocol_is_cut(view));
}

static enum protocol_side postgres_opens(const struct protocol_view *view, unsigned char *state)
{
	struct protocol_words words = {0};

	(void)state;
	if (view->mechanism != MECH_TCP && view->mechanism != MECH_UNIX_STREAM)
		return PROTOCOL_UNKNOWN;
	return say_opening(view, &words) || is_lone_query(view) ? PROTOCOL_ASKER : PROTOCOL_UNKNOWN;
}

static bool postgres_says(const struct protocol_view *view, struct protocol_words *words)
{
	if (view->by == PROTOCOL_ASKER && say_opening(view, words))
		return true;
	*words = (struct protocol_words){0};
	return say_packets(view, words);
}

const struct protocol protocol_postgres = {
	.name = "postgresql", .opens = postgres_opens, .says = postgres_says};
