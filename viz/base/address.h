/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * IP addresses and ports as a trace writes them: "127.0.0.1:80", "[::1]:80". A socket bound to all
 * addresses has "0.0.0.0:80" or "[::]:80". Results are parts of the argument and live as long as
 * it; {NULL, 0} is "none".
 */
#ifndef VIZ_BASE_ADDRESS_H
#define VIZ_BASE_ADDRESS_H

#include <stdbool.h>

#include "viz/base/bytes.h"

struct viz_bytes address_port(struct viz_bytes address); /* ":80", or none */
struct viz_bytes address_host(struct viz_bytes address); /* all before the port */

/* The port, as ":80", of an address that is bound to all addresses; otherwise none. */
struct viz_bytes address_wildcard_port(struct viz_bytes address);

/*
 * Copies the address to `text`, which has room for as many bytes: an IPv4 address that is mapped
 * into IPv6 ("[::ffff:127.0.0.1]:80") as what it is ("127.0.0.1:80"). Returns the length.
 */
size_t address_plain(struct viz_bytes address, char *text);

/* True for one address and port, be it once of IPv4 and once mapped into IPv6; of none never. */
bool address_is_same(struct viz_bytes one, struct viz_bytes other);

/* True if both are of IPv4, or both of IPv6; a mapped one is of IPv6. */
bool address_same_family(struct viz_bytes one, struct viz_bytes other);

/*
 * address_is_group(): a multicast address (224.… to 239.…, [ff…). address_is_broadcast():
 * 255.255.255.255, or that of the loopback network, 127.255.255.255.
 */
bool address_is_group(struct viz_bytes address);
bool address_is_broadcast(struct viz_bytes address);

/*
 * True for a multicast address, or one that may be a network's broadcast address. Without a netmask
 * that is unknown, so every IPv4 address that ends in .255 counts.
 */
bool address_may_be_many(struct viz_bytes address);

/* True for an address of the loopback interface, which each network namespace has for itself. */
bool address_is_loopback(struct viz_bytes address);

/* True if a socket that is bound to `own`, perhaps to all addresses, receives at `address`. */
bool address_is_bound(struct viz_bytes own, struct viz_bytes address);

#endif
