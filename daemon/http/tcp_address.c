/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/tcp_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int parse_port(const char *text, in_port_t *ret_port)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || port > 65535)
		return -EINVAL;
	*ret_port = htons((uint16_t)port);
	return 0;
}

int tcp_address_parse(const char *text, struct tcp_address *address, const char **ret_what)
{
	const char *colon = strrchr(text, ':');
	char host[64];
	in_port_t port;
	size_t len = colon ? (size_t)(colon - text) : 0;

	*ret_what = "an address and a port are needed, such as tcp:127.0.0.1:8623 or tcp:[::1]:8623";
	if (!colon || len < 1 || len >= sizeof(host) || parse_port(colon + 1, &port) < 0)
		return -EINVAL;
	memcpy(host, text, len);
	host[len] = '\0';
	*address = (struct tcp_address){ 0 };
	if (host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		address->in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = port };
		address->len = sizeof(address->in6);
		return inet_pton(AF_INET6, host + 1, &address->in6.sin6_addr) == 1 ? 0 : -EINVAL;
	}
	address->in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = port };
	address->len = sizeof(address->in);
	if (!strcmp(host, "localhost"))
		strcpy(host, "127.0.0.1");
	return inet_pton(AF_INET, host, &address->in.sin_addr) == 1 ? 0 : -EINVAL;
}

bool tcp_address_is_loopback(const struct tcp_address *address)
{
	if (address->any.sa_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&address->in6.sin6_addr);
	return address->any.sa_family == AF_INET && ntohl(address->in.sin_addr.s_addr) >> 24 == 127;
}

void tcp_address_print(const struct tcp_address *address, char to[static TCP_ADDRESS_TEXT_MAX])
{
	char host[INET6_ADDRSTRLEN] = "";

	if (address->any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &address->in6.sin6_addr, host, sizeof(host));
		snprintf(to, TCP_ADDRESS_TEXT_MAX, "[%s]:%u", host, ntohs(address->in6.sin6_port));
	} else {
		inet_ntop(AF_INET, &address->in.sin_addr, host, sizeof(host));
		snprintf(to, TCP_ADDRESS_TEXT_MAX, "%s:%u", host, ntohs(address->in.sin_port));
	}
}
