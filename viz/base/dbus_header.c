// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/base/dbus_header.h"

enum { FIELDS_LEAST = 8, FIELDS_MOST = 1 << 26, MESSAGE_MOST = 1 << 27, FLAGS_MOST = 7 };

uint32_t dbus_number(const unsigned char *at, bool little)
{
	return little ? at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24
		      : at[3] | (uint32_t)at[2] << 8 | (uint32_t)at[1] << 16 |
				(uint32_t)at[0] << 24;
}

size_t dbus_aligned(size_t at, size_t step)
{
	return (at + step - 1) & ~(step - 1);
}

bool dbus_header_read(const unsigned char *at, size_t len, struct dbus_header *header)
{
	uint64_t body;

	if (len < DBUS_FIXED_LEN || (at[0] != 'l' && at[0] != 'B') || at[1] < DBUS_METHOD_CALL ||
	    at[1] > DBUS_SIGNAL || at[2] > FLAGS_MOST || at[3] != 1)
		return false;
	header->little = at[0] == 'l';
	header->type = (enum dbus_type)at[1];
	header->flags = at[2];
	body = dbus_number(at + 4, header->little);
	header->serial = dbus_number(at + 8, header->little);
	header->fields_len = dbus_number(at + 12, header->little);
	header->size = DBUS_FIXED_LEN + dbus_aligned(header->fields_len, 8) + body;
	return header->serial && header->fields_len <= FIELDS_MOST &&
	       header->fields_len >= FIELDS_LEAST && header->size <= MESSAGE_MOST;
}
