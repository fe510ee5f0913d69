// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/base/packet.h"

#include <string.h>

enum { WINDOW = 65535, TIME_TO_LIVE = 64, DONT_FRAGMENT = 0x40, VERSION_4_WORDS_5 = 0x45 };

void packet_put(unsigned char *at, uint32_t value, size_t len)
{
	while (len-- > 0)
		*at++ = (unsigned char)(value >> (8 * len));
}

uint32_t packet_add(uint32_t sum, const unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += (uint32_t)bytes[i] << (i % 2 ? 0 : 8);
	return (sum & 0xffff) + (sum >> 16);
}

uint16_t packet_checksum(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

void packet_ipv4(unsigned char *head, unsigned protocol, uint32_t from, uint32_t to, size_t len)
{
	memset(head, 0, PACKET_IPV4_LEN);
	head[0] = VERSION_4_WORDS_5;
	packet_put(head + 2, (uint32_t)len, 2);
	head[6] = DONT_FRAGMENT;
	head[8] = TIME_TO_LIVE;
	head[9] = (unsigned char)protocol;
	packet_put(head + 12, from, 4);
	packet_put(head + 16, to, 4);
	packet_put(head + 10, packet_checksum(packet_add(0, head, PACKET_IPV4_LEN)), 2);
}

void packet_tcp(unsigned char *head, const struct packet_tcp *tcp)
{
	memset(head, 0, PACKET_TCP_LEN);
	packet_put(head, tcp->from_port, 2);
	packet_put(head + 2, tcp->to_port, 2);
	packet_put(head + 4, tcp->sequence, 4);
	packet_put(head + 8, tcp->acknowledged, 4);
	head[12] = PACKET_TCP_LEN / 4 << 4;
	head[13] = (unsigned char)tcp->flags;
	packet_put(head + 14, WINDOW, 2);
}
