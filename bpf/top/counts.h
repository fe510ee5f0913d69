/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the counting programs (top.bpf.c) keep in their maps, and user/top/ reads. As with wire.h,
 * the layout is free to change from one build to the next.
 */
#ifndef BPF_TOP_COUNTS_H
#define BPF_TOP_COUNTS_H

#include "bpf/wire/wire.h"

#define COUNT_POWERS 24	       /* powers of two: the first and the last also hold what is beyond */
#define COUNT_MOST 16384       /* entries of each map */
#define COUNT_SENDS (1U << 31) /* in `who`: the process sends; else it receives */

/*
 * One end of one channel: the object that a process acts on, and in which direction. `number` is
 * the low half of wire_ref.number.
 */
struct count_key {
	__u64 address;
	__u32 number;
	__u32 who; /* pid (the kernel's tgid), and COUNT_SENDS */
	/*
	 * Where a datagram goes: UDP: the address and port, as count_inet_place() folds them. Unix
	 * datagrams: the address of the peer's socket, or COUNT_NAMED and a digest of the name.
	 * 0: all else, or not known.
	 */
	__u64 to;
};

#define COUNT_NAMED (1ULL << 62) /* and the bit above it is clear, which it is in no address */

struct count_object_key {
	__u64 address;
	__u64 number; /* as count_key.number */
};

/* All only grow; `sleeps` and `sizes` modulo 2^32. */
struct count {
	__u64 messages; /* calls that moved something; sendmmsg and recvmmsg: messages */
	__u64 bytes;
	__u64 asleep_ns; /* asleep in such calls, and in those that moved nothing */
	__u32 sleeps[COUNT_POWERS];
	__u32 sizes[COUNT_POWERS]; /* messages of 2^i to 2^(i+1) bytes, the first also of none */
};

/*
 * How full an object was at an instant. Of a pipe or FIFO
 * its pages, of a POSIX queue its messages, of others bytes: of a unix socket those that it sent
 * and nobody has received, of an internet socket those that lie in it.
 */
struct count_fill {
	struct count_object_key key;
	__u64 used, room; /* room is never 0 */
};

/* IPv4: `address` has one word; IPv6: four. `port` is in host byte order. */
static inline __u64 count_inet_place(const __u32 *address, int words, __u16 port)
{
	__u64 place = address[0];

	if (words == 4)
		place = (__u32)(address[0] * 31 + address[1]) * 31 + address[2] * 31 + address[3];
	return (place & 0xffffffff) << 16 | port;
}

#define COUNT_NAME_WORDS 14 /* of eight bytes: more than sizeof(sun_path), padded with zeros */

static inline __u64 count_name_place(const __u64 *words)
{
	__u64 digest = 0xcbf29ce484222325ULL;

	for (int i = 0; i < COUNT_NAME_WORDS; i++)
		digest = (digest ^ words[i]) * 0x100000001b3ULL;
	return (digest & (COUNT_NAMED - 1)) | COUNT_NAMED;
}

#endif
