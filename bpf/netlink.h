/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Netlink sockets: each has a number of its own within its protocol and network namespace, the
 * kernel is number 0. A message goes to one number, or to all that listen to a group.
 */
#ifndef BPF_NETLINK_H
#define BPF_NETLINK_H

#include "bpf/describe.h"

#define NETLINK_CB_PORTID                                                                          \
	(bpf_core_field_offset(struct sk_buff, cb) +                                               \
	 bpf_core_field_offset(struct netlink_skb_parms, portid))
#define NETLINK_CB_GROUP                                                                           \
	(bpf_core_field_offset(struct sk_buff, cb) +                                               \
	 bpf_core_field_offset(struct netlink_skb_parms, dst_group))

struct netlink_address { /* struct sockaddr_nl, uapi/linux/netlink.h */
	u16 family;
	u16 pad;
	u32 portid;
	u32 groups;
};

/* Groups beyond the first 32 have no bit in an address. */
static __always_inline u32 netlink_group_bit(u32 group)
{
	return group && group <= 32 ? 1U << ((group - 1) & 31) : 0;
}

/* Who sent what a receive takes, as the kernel would tell a caller who asks. */
static __always_inline void netlink_source_keep(struct task_state *state, struct sk_buff *skb)
{
	struct wire_operation *operation = &state->operation;
	struct netlink_address *address = (struct netlink_address *)state->extra;
	u32 group = 0;

	if (operation->block_len)
		return;
	bpf_probe_read_kernel(&group, sizeof(group), (void *)skb + NETLINK_CB_GROUP);
	bpf_probe_read_kernel(&address->portid, sizeof(address->portid),
			      (void *)skb + NETLINK_CB_PORTID);
	address->family = AF_NETLINK;
	address->groups = netlink_group_bit(group);
	operation->block_len = WIRE_ADDRESS_LEN;
	operation->address_len = sizeof(*address);
	operation->has |= WIRE_HAS_ADDRESS;
}

#endif
