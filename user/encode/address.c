// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Formats socket addresses as text. */
#include "user/encode/encode.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

size_t endpoint_text(char *text, size_t size, int family, const void *address, uint16_t port)
{
	char host[INET6_ADDRSTRLEN];
	int len;

	if (!inet_ntop(family, address, host, sizeof(host)))
		return 0;
	len = snprintf(text, size, family == AF_INET6 ? "[%s]:%u" : "%s:%u", host, port);
	return len > 0 && (size_t)len < size ? (size_t)len : 0;
}

static size_t unix_text(char *text, size_t size, const struct sockaddr_un *address, size_t len)
{
	size_t offset = offsetof(struct sockaddr_un, sun_path);
	size_t name_len = len > offset ? len - offset : 0;

	if (name_len == 0 || name_len > size)
		return 0;
	if (address->sun_path[0])
		name_len = strnlen(address->sun_path, name_len);
	memcpy(text, address->sun_path, name_len);
	if (!text[0])
		text[0] = '@';
	return name_len;
}

size_t address_text(char *text, size_t size, const void *sockaddr, size_t len)
{
	const struct sockaddr_in *in = sockaddr;
	const struct sockaddr_in6 *in6 = sockaddr;

	if (len < sizeof(sa_family_t))
		return 0;
	if (in->sin_family == AF_INET && len >= sizeof(*in))
		return endpoint_text(text, size, AF_INET, &in->sin_addr, ntohs(in->sin_port));
	if (in->sin_family == AF_INET6 && len >= offsetof(struct sockaddr_in6, sin6_scope_id))
		return endpoint_text(text, size, AF_INET6, &in6->sin6_addr, ntohs(in6->sin6_port));
	if (in->sin_family == AF_UNIX)
		return unix_text(text, size, sockaddr, len);
	return 0;
}

void address_value(struct encoder *encoder, const void *sockaddr, const char *text, size_t len)
{
	const struct sockaddr *address = sockaddr;

	if (len && address->sa_family == AF_UNIX)
		secret_name(&encoder->json, encoder->secrets, text, len);
	else
		json_bytes(&encoder->json, text, len);
}
