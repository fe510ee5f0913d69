// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/render/capture/dissector.h"

#include <stdbool.h>
#include <string.h>

enum { WTAP_ENCAP_DBUS = 146, REDIS_PORT = 6379 }; /* wiretap/wtap.h; packet-resp.c */

/*
 * PostgreSQL's clients and servers use the same letters. packet-pgsql.c treats packets to the port
 * that chose the dissector as the client's; for an exported packet, that port is its encapsulation.
 */
enum { WTAP_ENCAP_UPPER_PDU = 155 };

static bool begins(const unsigned char *bytes, size_t len, const char *word)
{
	return len >= strlen(word) && memcmp(bytes, word, strlen(word)) == 0;
}

static bool is_http(const unsigned char *bytes, size_t len)
{
	static const char *const words[] = {"GET ",    "POST ",	   "PUT ",   "HEAD ",
					    "DELETE ", "OPTIONS ", "PATCH ", "HTTP/1."};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (begins(bytes, len, words[i]))
			return true;
	return false;
}

/* Redis: a type, a number or a word, CR LF. */
static bool is_resp(const unsigned char *bytes, size_t len)
{
	size_t i = 1;

	if (len < 4 || !strchr("*$+-:", bytes[0]) || !bytes[0])
		return false;
	if (bytes[0] == '+' || (bytes[0] == '-' && bytes[1] >= 'A')) {
		while (i < len && bytes[i] >= ' ' && bytes[i] < 0x7f)
			i++;
	} else {
		i += bytes[1] == '-';
		while (i < len && bytes[i] >= '0' && bytes[i] <= '9')
			i++;
	}
	return i > 1 && i + 1 < len && bytes[i] == '\r' && bytes[i + 1] == '\n';
}

/* Byte order, type, flags, protocol version 1: the D-Bus specification, "Message Format". */
static bool is_dbus(const unsigned char *bytes, size_t len)
{
	return len >= 16 && (bytes[0] == 'l' || bytes[0] == 'B') && bytes[1] >= 1 &&
	       bytes[1] <= 4 && bytes[2] < 8 && bytes[3] == 1;
}

/* A type and a plausible length: PostgreSQL's protocol 3, "Message Formats". */
static bool is_pgsql(const unsigned char *bytes, size_t len)
{
	uint32_t length;

	if (len < 5 || !bytes[0] || !strchr("123ABCDEGHIKNPQRSTVWXZcdfnpst", bytes[0]))
		return false;
	length = (uint32_t)bytes[1] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 8 |
		 bytes[4];
	return length >= 4 && length < 65536 &&
	       (length + 1 == len || (length + 1 < len && bytes[length + 1] >= '1'));
}

static bool is_text(const unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((bytes[i] < ' ' && !(bytes[i] >= '\t' && bytes[i] <= '\r')) || bytes[i] == 0x7f)
			return false;
	return len > 0;
}

struct render_dissector render_dissector(enum mechanism mechanism, const unsigned char *bytes,
					 size_t len)
{
	bool stream = mechanism == MECH_TCP || mechanism == MECH_UNIX_STREAM;

	if (is_http(bytes, len))
		return (struct render_dissector){.name = "http"};
	if (stream && is_resp(bytes, len))
		return (struct render_dissector){.table = "tcp.port", .value = REDIS_PORT};
	if (stream && is_dbus(bytes, len))
		return (struct render_dissector){.table = "wtap_encap", .value = WTAP_ENCAP_DBUS};
	if (stream && is_pgsql(bytes, len))
		return (struct render_dissector){
			"pgsql", NULL, 0, strchr("BFPQXfp", bytes[0]) ? WTAP_ENCAP_UPPER_PDU : 0};
	if (is_text(bytes, len))
		return (struct render_dissector){.name = "data-text-lines"};
	return (struct render_dissector){.name = "data"};
}
