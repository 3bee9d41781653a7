/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tcp_address: where a TCP listener is: "127.0.0.1:8623" or "[::1]:8623". */
#ifndef HTTP_TCP_ADDRESS_H
#define HTTP_TCP_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct tcp_address {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
	socklen_t len;
};

/* Names are not looked up, but for localhost: what is served must not depend on a resolver. 0, or -EINVAL and why. */
int tcp_address_parse(const char *text, struct tcp_address *ret_address, const char **ret_what);

bool tcp_address_is_loopback(const struct tcp_address *address);

/* As it is parsed. */
#define TCP_ADDRESS_TEXT_MAX 64
void tcp_address_print(const struct tcp_address *address, char to[static TCP_ADDRESS_TEXT_MAX]);

#endif
