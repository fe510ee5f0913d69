// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* How each protocol of dissectors.def begins. */
#include "viz/dissect/openings.h"

#include <string.h>

static bool has(const struct opening *o, size_t at, const char *bytes, size_t len)
{
	return at + len <= o->len && memcmp(o->data + at, bytes, len) == 0;
}

#define HAS(o, at, literal) has(o, at, literal, sizeof(literal) - 1)

static uint32_t number(const struct opening *o, size_t at, size_t len)
{
	uint32_t value = 0;

	for (size_t i = 0; i < len && at + i < o->len; i++)
		value = value << 8 | o->data[at + i];
	return value;
}

static enum opening_side asks(bool fits)
{
	return fits ? OPENING_ASKER : OPENING_NONE;
}

/* RFC 8446, 5.1 and 4: a handshake record with a whole ClientHello. */
static enum opening_side opens_tls(const struct opening *o)
{
	return asks(!o->datagram && o->len >= 11 && HAS(o, 0, "\x16\x03") && o->data[2] <= 4 &&
		    HAS(o, 5, "\1") && number(o, 3, 2) == number(o, 6, 3) + 4 &&
		    HAS(o, 9, "\x03") && o->data[10] <= 4);
}

/* RFC 9113, 3.4: the client's preface; the server's first frame is a SETTINGS on stream 0. */
static enum opening_side opens_http2(const struct opening *o)
{
	return asks(!o->datagram && HAS(o, 0, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
}

static enum opening_side opens_amqp(const struct opening *o)
{
	return asks(!o->datagram && HAS(o, 0, "AMQP") && o->len >= 8 &&
		    (HAS(o, 4, "\0\0\x09\x01") || HAS(o, 4, "\1\1\0\x09") ||
		     HAS(o, 4, "\1\1\x08\0") || HAS(o, 4, "\0\1\0\0") || HAS(o, 4, "\3\1\0\0")));
}

/* MQTT 3.1 to 5, 3.1: CONNECT, its length in one to four bytes, and the protocol's name. */
static enum opening_side opens_mqtt(const struct opening *o)
{
	uint64_t length = 0;
	size_t at = 1;

	if (o->datagram || o->len < 2 || o->data[0] != 0x10)
		return OPENING_NONE;
	while (at < o->len && at <= 4 && o->data[at] & 0x80) {
		length |= (uint64_t)(o->data[at] & 0x7f) << 7 * (at - 1);
		at++;
	}
	if (at >= o->len || at > 4)
		return OPENING_NONE;
	length |= (uint64_t)o->data[at] << 7 * (at - 1);
	at++;
	return asks(length >= 12 && (HAS(o, at, "\0\4MQTT") || HAS(o, at, "\0\6MQIsdp")));
}

/* The number of words of a memcached command with each of them; 0: it is no command. */
static unsigned memcache_words(const char *line, size_t len)
{
	static const struct {
		const char *name;
		unsigned least, most;
	} commands[] = {
		{"get", 2, 99},	  {"gets", 2, 99},   {"gat", 3, 99},   {"set", 5, 6},
		{"add", 5, 6},	  {"replace", 5, 6}, {"append", 5, 6}, {"prepend", 5, 6},
		{"cas", 6, 7},	  {"incr", 3, 4},    {"decr", 3, 4},   {"touch", 3, 4},
		{"delete", 2, 3}, {"version", 1, 1}, {"stats", 1, 3},  {"flush_all", 1, 3},
	};
	size_t name = 0;
	unsigned words = 1;

	while (name < len && line[name] != ' ')
		name++;
	for (size_t i = name; i + 1 < len; i++) {
		if ((unsigned char)line[i] <= ' ' && line[i] != ' ')
			return 0;
		words += line[i] == ' ' && line[i + 1] != ' ';
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (strlen(commands[i].name) == name && !memcmp(line, commands[i].name, name))
			return words >= commands[i].least && words <= commands[i].most ? words : 0;
	return 0;
}

/* Storage commands have flags, time and length as numbers: "set key 0 0 5". */
static bool has_numbers(const char *line, size_t len)
{
	size_t at = len, digits = 0;

	while (at && line[at - 1] != ' ') {
		digits += line[at - 1] >= '0' && line[at - 1] <= '9';
		at--;
	}
	return at && (digits == len - at || !memcmp(line + at, "noreply", len - at));
}

static enum opening_side opens_memcache(const struct opening *o)
{
	const char *line = (const char *)o->data;
	const char *end = memchr(line, '\n', o->len);
	size_t len = end ? (size_t)(end - line) : 0;
	unsigned words;

	if (o->datagram)
		return OPENING_NONE;
	if (o->len >= 24 && o->data[0] == 0x80) /* the binary protocol: a request's header */
		return asks(o->data[1] <= 0x24 && o->data[5] == 0 && HAS(o, 6, "\0\0") &&
			    number(o, 8, 4) >= number(o, 2, 2) + o->data[4] &&
			    number(o, 8, 4) + 24 <= o->total);
	if (len < 2 || line[len - 1] != '\r')
		return OPENING_NONE;
	words = memcache_words(line, len - 1);
	return asks(words && (words < 5 || line[0] == 'g' || has_numbers(line, len - 1)));
}

/* RFC 5531, 9 and 11: a call of version 2; over a stream, behind the mark of a record. */
static enum opening_side opens_rpc(const struct opening *o)
{
	size_t at = o->datagram ? 4 : 8;
	bool calls = o->len >= at + 16 && number(o, at, 4) == 0 && number(o, at + 4, 4) == 2;

	if (!o->datagram && (number(o, 0, 4) & 0x7fffffff) > o->total + 65536)
		return OPENING_NONE;
	return asks(calls && number(o, at + 8, 4) >= 100000 && number(o, at + 12, 4) < 1000);
}

/* The X protocol, 8: byte order, 11, 0, and the lengths of two names. */
static enum opening_side opens_x11(const struct opening *o)
{
	return asks(!o->datagram && o->len >= 12 &&
		    (HAS(o, 0, "l\0\x0b\0\0\0") || HAS(o, 0, "B\0\0\x0b\0\0")) &&
		    HAS(o, 10, "\0\0"));
}

static enum opening_side opens_ssh(const struct opening *o)
{
	return !o->datagram && HAS(o, 0, "SSH-2.0-") ? OPENING_EITHER : OPENING_NONE;
}

/* The server greets: a length, number 0, version 10 of the protocol, its own version. */
static enum opening_side opens_mysql(const struct opening *o)
{
	bool fits = !o->datagram && o->len >= 12 && o->data[3] == 0 && o->data[4] == 10 &&
		    o->data[5] >= '0' && o->data[5] <= '9' && memchr(o->data + 5, '.', 4) &&
		    (uint64_t)o->data[0] + 256u * o->data[1] + 4 == o->total && !o->data[2];

	return fits ? OPENING_ANSWERER : OPENING_NONE;
}

/* A client begins with ApiVersions, number 18, and the length of the request before it. */
static enum opening_side opens_kafka(const struct opening *o)
{
	return asks(!o->datagram && o->len >= 14 && HAS(o, 4, "\0\x12\0") && o->data[7] <= 4 &&
		    (uint64_t)number(o, 0, 4) + 4 == o->total);
}

/* The end of a name in labels that begins at `at`; 0: it is none. */
static size_t end_of_name(const struct opening *o, size_t at)
{
	while (at < o->len && o->data[at] && o->data[at] < 64)
		at += o->data[at] + 1u;
	return at < o->len && !o->data[at] ? at + 1 : 0;
}

/* RFC 1035, 4.1: one question of class IN, and counts that a message can have. */
static enum opening_side opens_dns(const struct opening *o)
{
	size_t at = o->datagram ? 0 : 2, end;
	uint32_t flags = number(o, at + 2, 2);

	if (o->len < at + 17 || (!o->datagram && number(o, 0, 2) + 2u != o->total))
		return OPENING_NONE;
	end = end_of_name(o, at + 12);
	if (number(o, at + 4, 2) != 1 || !end || end + 4 > o->len || (flags & 0x7840) ||
	    (number(o, end + 2, 2) & 0x7fff) != 1 || !number(o, end, 2) ||
	    number(o, at + 6, 2) > 255 || number(o, at + 8, 2) > 255 || number(o, at + 10, 2) > 64)
		return OPENING_NONE;
	if (flags & 0x8000)
		return OPENING_ANSWERER;
	return asks(!number(o, at + 6, 2) && !(flags & 0xf));
}

const struct dissector dissectors[DISSECTORS] = {
#define DISSECTOR(id, name, port, anywhere, field) {name, port, anywhere, field, opens_##id},
#include "viz/dissect/dissectors.def"
#undef DISSECTOR
};

const struct dissector *opening_find(const struct opening *opening, bool late,
				     enum opening_side *side)
{
	for (size_t i = 0; i < DISSECTORS; i++) {
		if (late && !dissectors[i].anywhere)
			continue;
		*side = dissectors[i].opens(opening);
		if (*side)
			return &dissectors[i];
	}
	return NULL;
}

const struct dissector *opening_by_port(uint16_t port)
{
	for (size_t i = 0; i < DISSECTORS; i++)
		if (port && dissectors[i].port == port)
			return &dissectors[i];
	return NULL;
}
