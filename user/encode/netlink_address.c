// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Formats netlink addresses: "route:4711" for a socket, "route:0" for the kernel; after a slash, as
 * a bit mask, the groups that a message was sent to or received by: "userspace:0/0x1".
 */
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "user/encode/encode.h"

static const char *protocol_name(unsigned protocol)
{
	static const char *const names[] = {
		[NETLINK_ROUTE] = "route",	 [NETLINK_USERSOCK] = "userspace",
		[NETLINK_SOCK_DIAG] = "diag",	 [NETLINK_XFRM] = "xfrm",
		[NETLINK_SELINUX] = "selinux",	 [NETLINK_AUDIT] = "audit",
		[NETLINK_CONNECTOR] = "process", [NETLINK_NETFILTER] = "netfilter",
		[NETLINK_GENERIC] = "generic",	 [NETLINK_KOBJECT_UEVENT] = "uevent",
		[NETLINK_CRYPTO] = "crypto",
	};

	return protocol < sizeof(names) / sizeof(*names) ? names[protocol] : NULL;
}

static size_t netlink_text(char *text, size_t size, unsigned protocol, uint32_t portid,
			   uint32_t groups)
{
	const char *name = protocol_name(protocol);
	char number[16], mask[16] = "";
	int len;

	snprintf(number, sizeof(number), "%u", protocol);
	if (groups)
		snprintf(mask, sizeof(mask), "/0x%x", groups);
	len = snprintf(text, size, "%s:%u%s", name ? name : number, portid, mask);
	return len > 0 && (size_t)len < size ? (size_t)len : 0;
}

static size_t netlink_address_text(char *text, size_t size, const struct object *object,
				   const void *sockaddr, size_t len)
{
	struct sockaddr_nl address;

	if (!object || len < sizeof(address))
		return 0;
	memcpy(&address, sockaddr, sizeof(address));
	if (address.nl_family != AF_NETLINK)
		return 0;
	return netlink_text(text, size, object->protocol, address.nl_pid, address.nl_groups);
}

size_t peer_text(struct encoder *encoder, const struct wire_operation *operation,
		 const void *sockaddr, char *text, size_t size)
{
	const struct wire_fd *fd = &operation->object;

	if (fd->mechanism != MECH_NETLINK)
		return address_text(text, size, sockaddr, operation->address_len);
	return netlink_address_text(text, size,
				    objects_get(encoder->objects, fd->object, fd->mechanism),
				    sockaddr, operation->address_len);
}

/* A netlink socket has no port id until it is bound or sends. */
void netlink_fields(struct json *json, const struct wire_object *record)
{
	unsigned protocol = record->netlink.protocol;
	char text[64];

	if (record->netlink.portid &&
	    netlink_text(text, sizeof(text), protocol, record->netlink.portid, 0))
		json_field_text(json, KEY(channel, local_address), text);
	if (record->netlink.peer_portid &&
	    netlink_text(text, sizeof(text), protocol, record->netlink.peer_portid, 0))
		json_field_text(json, KEY(channel, peer_address), text);
	if (protocol_name(protocol))
		json_field_text(json, KEY(channel, protocol), protocol_name(protocol));
	snprintf(text, sizeof(text), "0x%x", record->netlink.groups);
	if (record->netlink.groups)
		json_field_text(json, KEY(channel, groups), text);
	json_field_uint(json, KEY(channel, network), record->network);
}
