/* SPDX-License-Identifier: GPL-2.0-or-later */
/* peer: whom a connection counts against: over TCP an address, IPv4 as mapped; over a Unix socket a uid, as of connect(2). */
#ifndef HTTP_PEER_H
#define HTTP_PEER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "http/listener.h"

struct peer {
	struct in6_addr address;	/* any: over a Unix socket */
	uid_t uid;			/* 0: over TCP */
	bool tcp;
};

/* Of a connection that this listener accepted from that address. */
struct peer peer_of(const struct listener *listener, int fd, const struct sockaddr *address);

bool peer_is_same(const struct peer *one, const struct peer *other);

/* Does it ask from this host? */
bool peer_is_local(const struct peer *peer);

/* What tells peers from each other, in a number: addresses that have the same one share their turns, and no more. */
uint64_t peer_number(const struct peer *peer);

#endif
