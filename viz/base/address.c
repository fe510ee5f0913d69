// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/base/address.h"

#include <string.h>

#define ADDRESS_MOST 128 /* bytes; the longest of IPv6 with a scope and a port has fewer */

struct viz_bytes address_port(struct viz_bytes address)
{
	size_t at = address.len;

	while (at > 0 && address.data[at - 1] != ':')
		at--;
	return at ? (struct viz_bytes){address.data + at - 1, address.len - at + 1}
		  : (struct viz_bytes){NULL, 0};
}

struct viz_bytes address_host(struct viz_bytes address)
{
	address.len -= address_port(address).len;
	return address;
}

struct viz_bytes address_wildcard_port(struct viz_bytes address)
{
	static const char *const any[] = {"0.0.0.0:", "[::]:", "[::ffff:0.0.0.0]:"};

	for (size_t i = 0; i < sizeof(any) / sizeof(*any); i++) {
		size_t len = strlen(any[i]) - 1;

		if (viz_bytes_begin(address, any[i]))
			return viz_bytes_after(address, len);
	}
	return (struct viz_bytes){NULL, 0};
}

/* Removes the prefix of an IPv4 address that is mapped into IPv6. */
static struct viz_bytes undressed(struct viz_bytes address)
{
	static const char mapped[] = "[::ffff:";
	size_t len = strlen(mapped);

	return viz_bytes_begin(address, mapped) ? viz_bytes_after(address, len) : address;
}

size_t address_plain(struct viz_bytes address, char *text)
{
	struct viz_bytes host = address_host(address), port = address_port(address);
	struct viz_bytes mapped = undressed(host);

	if (!host.len)
		return 0;
	if (mapped.len < host.len && memchr(mapped.data, '.', mapped.len))
		host = (struct viz_bytes){mapped.data, mapped.len - 1}; /* without the bracket */
	memcpy(text, host.data, host.len);
	memcpy(text + host.len, port.data, port.len);
	return host.len + port.len;
}

bool address_is_same(struct viz_bytes one, struct viz_bytes other)
{
	char text[2][ADDRESS_MOST];
	size_t len;

	if (!one.len || one.len > ADDRESS_MOST || other.len > ADDRESS_MOST)
		return false;
	len = address_plain(one, text[0]);
	return len && len == address_plain(other, text[1]) && memcmp(text[0], text[1], len) == 0;
}

bool address_same_family(struct viz_bytes one, struct viz_bytes other)
{
	return viz_bytes_begin(one, "[") == viz_bytes_begin(other, "[");
}

bool address_is_group(struct viz_bytes address)
{
	struct viz_bytes plain = undressed(address);

	if (viz_bytes_begin(address, "[ff"))
		return true;
	return plain.len >= 4 && plain.data[3] == '.' && memcmp(plain.data, "224", 3) >= 0 &&
	       memcmp(plain.data, "239", 3) <= 0;
}

bool address_is_broadcast(struct viz_bytes address)
{
	struct viz_bytes plain = undressed(address);

	return viz_bytes_begin(plain, "255.255.255.255") ||
	       viz_bytes_begin(plain, "127.255.255.255");
}

bool address_may_be_many(struct viz_bytes address)
{
	static const char last[] = ".255";
	struct viz_bytes host = address_host(undressed(address));
	size_t len = strlen(last);

	if (host.len && host.data[host.len - 1] == ']')
		host.len--;
	return address_is_group(address) ||
	       (host.len > len && memcmp(host.data + host.len - len, last, len) == 0);
}

bool address_is_loopback(struct viz_bytes address)
{
	return viz_bytes_begin(address, "127.") || viz_bytes_begin(address, "[::1]") ||
	       viz_bytes_begin(address, "[::ffff:127.");
}

bool address_is_bound(struct viz_bytes own, struct viz_bytes address)
{
	struct viz_bytes port = address_wildcard_port(own);

	return port.len ? viz_bytes_equal(port, address_port(address))
			: viz_bytes_equal(own, address);
}
