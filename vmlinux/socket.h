/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sockets and their buffers; the rest, and how this is kept, stands in vmlinux.h. */
#ifndef VMLINUX_SOCKET_H
#define VMLINUX_SOCKET_H

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct in6_addr {
	u8 bytes[16]; /* the kernel calls it in6_u: read whole, never by this name */
};

struct sock_common {
	u32 skc_daddr;
	u32 skc_rcv_saddr;
	u16 skc_dport;
	u16 skc_num;
	unsigned short skc_family;
	unsigned char skc_state;
	unsigned long skc_flags;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};

struct socket;
struct tcp_ulp_ops;
struct sk_buff;

struct sk_buff_head {
	struct sk_buff *next, *prev;
	u32 qlen;
};

struct net_device {
	char name[16];
};

struct dst_entry {
	struct net_device *dev; /* in an anonymous union from 6.17 on */
};

struct sock {
	struct sock_common __sk_common;
	struct sk_buff_head sk_receive_queue;
	u16 sk_type;
	u16 sk_protocol;
	struct socket *sk_socket;
	struct socket_wq *sk_wq;
	unsigned char sk_shutdown; /* RCV_SHUTDOWN: no more comes */
	int sk_rcvlowat;
	long sk_rcvtimeo; /* ticks of the kernel's clock */
	long sk_sndtimeo;
	struct {
		struct {
			int counter;
		} rmem_alloc; /* bytes that wait to be received, with their buffers */
	} sk_backlog;
	struct {
		struct {
			int counter;
		} refs;
	} sk_wmem_alloc;		/* bytes that were sent and not received, and one */
	u32 sk_ack_backlog;		/* listener: connections that nobody has accepted yet */
	struct dst_entry *sk_dst_cache; /* the route that it sent by last */
	int sk_rcvbuf;
	int sk_sndbuf;
};

struct socket {
	struct file *file;
	struct sock *sk;
};

struct udp_sock {
	struct sk_buff_head reader_queue; /* 4.13 and later */
	u16 gso_size;			  /* 4.18 and later */
};

struct inet_sock {
	u32 inet_saddr;
	u16 inet_sport; /* network byte order */
};

struct sockaddr_un {
	unsigned short sun_family;
};

struct unix_address {
	int len;
	struct sockaddr_un name[];
};

struct tcp_sock {
	u32 write_seq;
	u32 copied_seq;
	u32 rcv_nxt;
	u32 snd_una;
	u32 lsndtime; /* jiffies */
	u64 bytes_sent;
	u64 bytes_received;
	u64 tcp_mstamp; /* microseconds */
};

struct inet_connection_sock {
	const struct tcp_ulp_ops *icsk_ulp_ops;
	struct {
		u32 lrcvtime; /* jiffies */
	} icsk_ack;
};

struct iov_iter {
	u64 count;
};

struct msghdr { /* the kernel's own */
	struct iov_iter msg_iter;
};

struct unix_sock {
	struct unix_address *addr;
	struct path path; /* of the name that it was bound to */
	struct sock *peer;
	struct mutex iolock;
};

struct scm_fp_list { /* descriptors that a message brings, SCM_RIGHTS */
	short count;
	struct file *fp[];
};

struct unix_skb_parms {
	struct scm_fp_list *fp;
	u32 consumed;
};

struct skb_defer_node { /* 6.18 and later */
	long defer_count;
};

/* include/net/dropreason-core.h (5.17 and later); the number differs between kernels */
enum skb_drop_reason {
	SKB_DROP_REASON_NO_SOCKET = 3,
};

struct sk_buff {
	struct sk_buff *next;
	struct sk_buff *prev;
	unsigned char *head;
	u16 alloc_cpu;
	u16 transport_header;
	unsigned int len;
	char cb[48];
	struct sock *sk;
};

#pragma clang attribute pop

#endif
