/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Names, addresses and peers of objects, as they stand in a description (struct wire_object). */
#ifndef BPF_OBJECT_NAMES_BPF_H
#define BPF_OBJECT_NAMES_BPF_H

#include "bpf/object/object.bpf.h"

/* sizeof(sun_family) of struct sockaddr_un: the name follows it (net/unix/af_unix.c). */
#define SUN_FAMILY_LEN 2

static __always_inline void name_from_dentry(struct wire_object *record, struct file *file)
{
	struct dentry *dentry = KREAD_IF(file, f_path.dentry);
	long len = bpf_probe_read_kernel_str(record->name, sizeof(record->name),
					     KREAD_IF(dentry, d_name.name));

	record->name_len = len > 0 ? len - 1 : 0;
}

static __always_inline void name_from_unix(struct wire_object *record, struct sock *sk)
{
	struct unix_address *address = KREAD_IF((struct unix_sock *)sk, addr);
	u64 len;

	if (!address)
		return;
	len = KREAD_IF(address, len);
	if (len <= SUN_FAMILY_LEN)
		return;
	len -= SUN_FAMILY_LEN;
	barrier_var(len);
	if (len > 108)
		return;
	if (bpf_probe_read_kernel(record->name, len,
				  KFIELD(address, struct unix_address, name) + SUN_FAMILY_LEN))
		return;
	record->name_len = len;
}

static __always_inline void describe_unix(struct wire_object *record, struct sock *sk)
{
	struct sock *peer = KREAD((struct unix_sock *)sk, peer);

	name_from_unix(record, sk);
	if (!peer)
		return;
	record->peer.address = (u64)peer;
	record->peer.number = socket_inode_number(peer);
}

static __always_inline void describe_addresses(struct wire_object *record, struct sock *sk)
{
	struct sock_common *common = (struct sock_common *)sk;
	struct net *net = KREAD_IF(common, skc_net.net);

	record->family = KREAD(common, skc_family);
	record->local_port = KREAD(common, skc_num);
	record->peer_port = __builtin_bswap16(KREAD(common, skc_dport));
	record->network = KREAD_IF(net, ns.inum);
	if (record->family == AF_INET) {
		*(u32 *)record->local_address = KREAD(common, skc_rcv_saddr);
		*(u32 *)record->peer_address = KREAD(common, skc_daddr);
	} else {
		KREAD_INTO((struct in6_addr *)record->local_address, common, skc_v6_rcv_saddr);
		KREAD_INTO((struct in6_addr *)record->peer_address, common, skc_v6_daddr);
	}
}

/*
 * include/net/sock.h: sk_dst_get(). It stays empty where the socket has no route of its own, as UDP
 * has none before connect(2).
 */
static __always_inline void describe_interface(struct wire_object *record, struct sock *sk)
{
	struct dst_entry *route = KREAD_IF(sk, sk_dst_cache);
	struct net_device *device = route ? KREAD_IF(route, dev) : NULL;

	if (device)
		bpf_probe_read_kernel_str(record->interface, sizeof(record->interface),
					  KFIELD(device, struct net_device, name));
}

#endif
