/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Addresses of the internet as a trace writes them: "127.0.0.1:80", "[::1]:80"; one bound to all
 * is "0.0.0.0:80" or "[::]:80".
 */
#ifndef VIZ_ADDRESS_H
#define VIZ_ADDRESS_H

#include <stdbool.h>

#include "bytes.h"

struct viz_bytes address_port(struct viz_bytes address); /* ":80"; empty where there is none */
struct viz_bytes address_host(struct viz_bytes address); /* what stands before that */

/* ":80" of an address bound to all; empty otherwise. */
struct viz_bytes address_wildcard_port(struct viz_bytes address);

/* Such as a group of receivers has, or all that are near: 224.… to 239.…, [ff…; 255.255.255.255. */
bool address_is_group(struct viz_bytes address);
bool address_is_broadcast(struct viz_bytes address);

/* One of these, or what may be a network's broadcast address: who has no netmask cannot tell. */
bool address_may_be_many(struct viz_bytes address);

/* Each network namespace has its own. */
bool address_is_loopback(struct viz_bytes address);

/* Whether a socket bound to `own`, which may be any address, has that one. */
bool address_is_bound(struct viz_bytes own, struct viz_bytes address);

#endif
