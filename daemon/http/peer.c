/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/peer.h"

#include <string.h>

static struct in6_addr address_of(const struct sockaddr *address)
{
	struct in6_addr all = IN6ADDR_ANY_INIT;

	if (address && address->sa_family == AF_INET6)
		return ((const struct sockaddr_in6 *)address)->sin6_addr;
	if (address && address->sa_family == AF_INET) {
		all.s6_addr[10] = all.s6_addr[11] = 0xff;
		memcpy(&all.s6_addr[12], &((const struct sockaddr_in *)address)->sin_addr, 4);
	}
	return all;
}

struct peer peer_of(const struct listener *listener, int fd, const struct sockaddr *address)
{
	struct ucred cred = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(cred);

	if (listener->kind == LISTENER_TCP)
		return (struct peer){ .address = address_of(address), .tcp = true };
	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len);
	return (struct peer){ .address = IN6ADDR_ANY_INIT, .uid = cred.uid };
}

bool peer_is_same(const struct peer *one, const struct peer *other)
{
	return one->tcp == other->tcp && one->uid == other->uid && !memcmp(&one->address, &other->address, sizeof(one->address));
}

bool peer_is_local(const struct peer *peer)
{
	const struct in6_addr *address = &peer->address;

	return !peer->tcp || IN6_IS_ADDR_LOOPBACK(address) || (IN6_IS_ADDR_V4MAPPED(address) && address->s6_addr[12] == 127);
}

uint64_t peer_number(const struct peer *peer)
{
	uint64_t halves[2], mark = peer->tcp ? UINT64_C(1) << 63 : 0;

	memcpy(halves, &peer->address, sizeof(halves));
	return ((halves[0] * 31) ^ halves[1] ^ peer->uid) | mark;
}
