/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Heads of packets, for captures of connections that never existed as such. IPv4: RFC 791. TCP:
 * RFC 9293.
 */
#ifndef VIZ_BASE_PACKET_H
#define VIZ_BASE_PACKET_H

#include <stddef.h>
#include <stdint.h>

enum { PACKET_LINKTYPE_RAW = 101 }; /* of a capture: IP without a frame around it */
enum { PACKET_PROTOCOL_TCP = 6, PACKET_PROTOCOL_UDP = 17 };
enum { PACKET_IPV4_LEN = 20, PACKET_TCP_LEN = 20, PACKET_UDP_LEN = 8 };
enum { PACKET_FIN = 1, PACKET_SYN = 2, PACKET_PUSH = 8, PACKET_ACK = 16 };

/* Writes a number of `len` bytes in network byte order. */
void packet_put(unsigned char *at, uint32_t value, size_t len);

/* Returns `sum` with these bytes added, as the Internet checksum does, for packet_checksum(). */
uint32_t packet_add(uint32_t sum, const unsigned char *bytes, size_t len);
uint16_t packet_checksum(uint32_t sum);

/* Fills in the PACKET_IPV4_LEN bytes of an IPv4 head; `len` is the length of the whole packet. */
void packet_ipv4(unsigned char *head, unsigned protocol, uint32_t from, uint32_t to, size_t len);

struct packet_tcp {
	uint16_t from_port, to_port;
	uint32_t sequence, acknowledged;
	unsigned flags;
};

/* Fills in the PACKET_TCP_LEN bytes of a TCP head, with a checksum of 0. */
void packet_tcp(unsigned char *head, const struct packet_tcp *tcp);

#endif
