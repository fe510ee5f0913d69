/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where a datagram goes (count_key.to): the address that its call gives, or the socket's peer. */
#ifndef BPF_TOP_PLACES_BPF_H
#define BPF_TOP_PLACES_BPF_H

#include "bpf/core/syscall_table.bpf.h"
#include "bpf/object/object.bpf.h"
#include "bpf/top/counts.h"

#define PORT_AT 2 /* offsets in struct sockaddr_in and sockaddr_in6 */
#define IPV4_AT 4
#define IPV6_AT 8
#define SUN_PATH_AT 2

struct place_name {
	u64 words[COUNT_NAME_WORDS + 1]; /* the first holds what stands before the name */
};

struct user_name {
	u64 address;
	u32 len;
	u32 pad;
};

static __always_inline u64 inet_place_read(u64 address, u16 family)
{
	u32 words[4] = {};
	u16 port = 0;

	bpf_probe_read_user(&port, sizeof(port), (void *)(address + PORT_AT));
	port = __builtin_bswap16(port);
	if (family == AF_INET) {
		bpf_probe_read_user(words, sizeof(u32), (void *)(address + IPV4_AT));
		return count_inet_place(words, 1, port);
	}
	bpf_probe_read_user(words, sizeof(words), (void *)(address + IPV6_AT));
	return count_inet_place(words, 4, port);
}

static __always_inline u64 inet_place_of_peer(struct sock_common *common)
{
	u32 words[4] = {};
	u16 port = __builtin_bswap16(KREAD(common, skc_dport));

	if (!port)
		return 0;
	if (KREAD(common, skc_family) == AF_INET) {
		words[0] = KREAD(common, skc_daddr);
		return count_inet_place(words, 1, port);
	}
	KREAD_INTO((struct in6_addr *)words, common, skc_v6_daddr);
	return count_inet_place(words, 4, port);
}

/* A path may be given with its NUL or without. */
static __always_inline u64 name_place_read(const struct user_name *name)
{
	u64 words[COUNT_NAME_WORDS] = {}, len = name->len - SUN_PATH_AT;

	barrier_var(len);
	if (len == 0 || len > 108)
		return 0;
	if (bpf_probe_read_user(words, len, (void *)(name->address + SUN_PATH_AT)))
		return 0;
	return count_name_place(words);
}

/* The address that a send gives, if it gives one; .address is 0 otherwise. */
static __always_inline struct user_name name_given(const volatile struct syscall_row *row,
						   const u64 args[6])
{
	struct user_name name = {};

	if (row->data == DATA_MSG || row->data == DATA_MMSG) { /* sendmmsg: that of the first */
		bpf_probe_read_user(&name, sizeof(name.address) + sizeof(name.len),
				    (void *)args[1]);
	} else if (row->peer == 4) {
		name.address = args[4];
		name.len = args[5];
	}
	return name;
}

/* Not static for the verifier's sake, see file_identify(). */
__noinline int place_of(u64 *to, u64 sk, u64 address, u32 len)
{
	struct sock_common *common = (struct sock_common *)sk;
	struct user_name name = {.address = address, .len = len};
	u16 family = KREAD(common, skc_family);

	if (!to)
		return 0;
	if (family == AF_UNIX)
		*to = address && len > SUN_PATH_AT ? name_place_read(&name)
						   : KREAD_NUMBER((struct unix_sock *)common, peer);
	else
		*to = address && len >= 16 ? inet_place_read(address, family)
					   : inet_place_of_peer(common);
	return 0;
}

#endif
