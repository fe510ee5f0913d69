/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Netlink sockets, as vmlinux.h has the rest. */
#ifndef VMLINUX_NETLINK_H
#define VMLINUX_NETLINK_H

#include "vmlinux/vmlinux.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct netlink_sock {
	u32 portid;
	u32 dst_portid;
	u32 subscriptions;
	unsigned long *groups;
};

struct netlink_skb_parms {
	u32 portid;
	u32 dst_group;
};

#pragma clang attribute pop

#endif
