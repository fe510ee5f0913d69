// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/top/object_text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static void place_text(char *text, size_t size, int family, const uint8_t *address, uint16_t port)
{
	char host[INET6_ADDRSTRLEN];

	if (inet_ntop(family, address, host, sizeof(host)))
		snprintf(text, size, family == AF_INET6 ? "[%s]:%u" : "%s:%u", host, port);
}

static bool is_anywhere(const uint8_t *address, int words)
{
	static const uint8_t none[16];

	return memcmp(address, none, (size_t)words * 4) == 0;
}

static bool is_loopback(int family, const uint8_t *address)
{
	if (family == AF_INET)
		return address[0] == 127;
	return IN6_IS_ADDR_LOOPBACK((const struct in6_addr *)address);
}

static void inet_fill(struct top_object *object, const struct wire_object *described)
{
	int family = described->family, words = family == AF_INET ? 1 : 4;
	uint32_t own[4], mapped[4] = {0, 0, htonl(0xffff), 0};

	memcpy(own, described->local_address, sizeof(own));
	mapped[3] = own[0];
	object->network = described->network;
	object->port = described->local_port;
	object->anywhere = is_anywhere(described->local_address, words);
	object->loopback = is_loopback(family, described->local_address);
	object->place = count_inet_place(own, words, object->port);
	object->mapped = words == 1 ? count_inet_place(mapped, 4, object->port) : 0;
	place_text(object->local, sizeof(object->local), family, described->local_address,
		   described->local_port);
	if (described->peer_port)
		place_text(object->remote, sizeof(object->remote), family, described->peer_address,
			   described->peer_port);
}

/* The bytes up to a NUL, which a path may have at its end; an abstract name has an '@' instead. */
static void name_copy(char *to, size_t size, const char *before,
		      const struct wire_object *described)
{
	size_t len = described->name_len <= sizeof(described->name) ? described->name_len : 0;
	int abstract = len && described->name[0] == '\0';

	snprintf(to, size, "%s%s%.*s", before, abstract ? "@" : "", (int)len - abstract,
		 described->name + abstract);
}

static uint64_t name_place(const struct wire_object *described)
{
	__u64 words[COUNT_NAME_WORDS] = {0};
	size_t len = described->name_len;

	if (!len || len > sizeof(words))
		return 0;
	memcpy(words, described->name, len);
	return count_name_place(words);
}

static void unix_fill(struct top_object *object, const struct wire_object *described)
{
	object->peer = described->peer.address;
	object->peer_number = (uint32_t)described->peer.number;
	object->named = name_place(described);
	if (described->name_len)
		name_copy(object->name, sizeof(object->name), "", described);
	else
		snprintf(object->name, sizeof(object->name), "socket:[%llu]",
			 (unsigned long long)object->number);
}

static void queue_name(struct top_object *object, const struct wire_object *described)
{
	if (described->has_key && described->key)
		snprintf(object->name, sizeof(object->name), "msqid %u, key 0x%08x",
			 (unsigned)object->number, (unsigned)described->key);
	else
		snprintf(object->name, sizeof(object->name), "msqid %u", (unsigned)object->number);
}

static void inet_name(struct top_object *object)
{
	snprintf(object->name, sizeof(object->name), "%s%s%s", object->local,
		 *object->remote ? " > " : "", object->remote);
}

static void name_fill(struct top_object *object, const struct wire_object *described)
{
	switch (object->mechanism) {
	case MECH_FIFO:
		name_copy(object->name, sizeof(object->name), "", described);
		break;
	case MECH_POSIX_MQ:
		name_copy(object->name, sizeof(object->name), "/", described);
		break;
	case MECH_SYSV_MSG:
		queue_name(object, described);
		break;
	case MECH_TCP:
	case MECH_UDP:
		inet_fill(object, described);
		inet_name(object);
		break;
	case MECH_UNIX_STREAM:
	case MECH_UNIX_DGRAM:
	case MECH_UNIX_SEQPACKET:
		unix_fill(object, described);
		break;
	default:
		snprintf(object->name, sizeof(object->name), "pipe:[%llu]",
			 (unsigned long long)object->number);
	}
}

void object_text(struct top_object *object, const struct count_key *key,
		 const struct wire_object *described)
{
	memset(object, 0, sizeof(*object));
	object->address = key->address;
	object->number = key->number;
	object->mechanism = described->mechanism;
	name_fill(object, described);
}
