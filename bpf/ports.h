/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The ports that traced UDP sockets sent to, received from or are connected to: at the end, who is
 * bound to one of them outside the trace has a name, even if nobody was ever seen to wake him.
 */
#ifndef BPF_PORTS_H
#define BPF_PORTS_H

#include "bpf/state.h"
#include "viz/lang/lang.h"

#define PORT_AT 2 /* in struct sockaddr_in and sockaddr_in6, in the network's byte order */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 65536 / 64);
	__type(key, u32);
	__type(value, u64);
} udp_ports SEC(".maps");

static __always_inline void udp_port_note(u16 port)
{
	u32 at = port >> 6;
	u64 *bits = bpf_map_lookup_elem(&udp_ports, &at);

	if (bits)
		__sync_fetch_and_or(bits, 1ULL << (port & 63));
}

static __always_inline bool udp_port_is_noted(u16 port)
{
	u32 at = port >> 6;
	u64 *bits = bpf_map_lookup_elem(&udp_ports, &at);

	return bits && *bits >> (port & 63) & 1;
}

/* The port of a sockaddr, which a call on this mechanism gave or got. */
static __always_inline void port_of_address_note(u32 mechanism, const u8 *address)
{
	if (mechanism == MECH_UDP)
		udp_port_note(__builtin_bswap16(*(const u16 *)(address + PORT_AT)));
}

#endif
