/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Netlink addresses. Each socket has a number (port id) that is unique within its protocol and
 * network namespace; the kernel has number 0. A message goes to one number, or to all sockets that
 * listen to a group.
 */
#ifndef BPF_OBJECT_NETLINK_BPF_H
#define BPF_OBJECT_NETLINK_BPF_H

#include "bpf/object/describe.bpf.h"

struct netlink_address { /* struct sockaddr_nl, uapi/linux/netlink.h */
	u16 family;
	u16 pad;
	u32 portid;
	u32 groups;
};

/* The bit of a group in an address; 0 for groups beyond the first 32, which have none. */
static __always_inline u32 netlink_group_bit(u32 group)
{
	return group && group <= 32 ? 1U << ((group - 1) & 31) : 0;
}

/*
 * Keeps the source address of the message being received, which is the address that recvfrom(2)
 * would return if the caller asked for it.
 */
static __always_inline void netlink_source_keep(struct task_state *state, struct sk_buff *skb)
{
	struct wire_operation *operation = &state->operation;
	struct netlink_address *address = (struct netlink_address *)state->extra;
	struct netlink_skb_parms *source = KFIELD(skb, struct sk_buff, cb);

	if (operation->block_len || !source || !KHAS(struct netlink_skb_parms, portid))
		return;
	address->portid = KREAD(source, portid);
	address->family = AF_NETLINK;
	address->groups = netlink_group_bit(KREAD_IF(source, dst_group));
	operation->block_len = WIRE_ADDRESS_LEN;
	operation->address_len = sizeof(*address);
	operation->has |= WIRE_HAS_ADDRESS;
}

#endif
