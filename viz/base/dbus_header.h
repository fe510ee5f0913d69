/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The fixed part of a message of D-Bus, whose last four bytes are the length of the array of header
 * fields that follows: https://dbus.freedesktop.org/doc/dbus-specification.html
 */
#ifndef VIZ_BASE_DBUS_HEADER_H
#define VIZ_BASE_DBUS_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DBUS_FIXED_LEN = 16, DBUS_NO_REPLY_EXPECTED = 1 };
enum dbus_type { DBUS_METHOD_CALL = 1, DBUS_METHOD_RETURN, DBUS_ERROR, DBUS_SIGNAL };

struct dbus_header {
	enum dbus_type type;
	bool little;
	unsigned flags;
	uint32_t serial; /* of the sender; not 0 */
	size_t fields_len;
	uint64_t size; /* of the whole message */
};

/* Reads it from the first bytes of a message. False: they are none. */
bool dbus_header_read(const unsigned char *bytes, size_t len, struct dbus_header *header);

/* A number of four bytes, in the sender's byte order. */
uint32_t dbus_number(const unsigned char *at, bool little);
size_t dbus_aligned(size_t at, size_t step); /* the next multiple of `step`, a power of two */

#endif
