/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The set of UDP ports that traced sockets sent to, received from or are connected to. When tracing
 * ends, a process outside the trace that is bound to one of them is reported by name, even if no
 * wake-up of it was ever seen.
 */
#ifndef BPF_OBJECT_UDP_PORTS_BPF_H
#define BPF_OBJECT_UDP_PORTS_BPF_H

#include "bpf/core/task_state.bpf.h"
#include "viz/format/format.h"

#define PORT_AT 2 /* offset in struct sockaddr_in and sockaddr_in6, network byte order */

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

/* Notes the port of a sockaddr that a call on this mechanism passed or returned. */
static __always_inline void port_of_address_note(u32 mechanism, const u8 *address)
{
	if (mechanism == MECH_UDP)
		udp_port_note(__builtin_bswap16(*(const u16 *)(address + PORT_AT)));
}

#endif
