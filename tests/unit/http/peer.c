/* SPDX-License-Identifier: GPL-2.0-or-later */
/* peer: who is the same, and who is of this host. */
#include "unit.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/peer.h"

static const struct listener tcp = { .kind = LISTENER_TCP }, local = { .kind = LISTENER_UNIX };

static struct peer at(const char *text)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} address = { 0 };

	address.any.sa_family = inet_pton(AF_INET, text, &address.in.sin_addr) == 1 ? AF_INET : AF_INET6;
	if (address.any.sa_family == AF_INET6)
		assert_int_equal(inet_pton(AF_INET6, text, &address.in6.sin6_addr), 1);
	return peer_of(&tcp, -1, &address.any);
}

static void of_a_unix_socket(void **state)
{
	int pair[2];
	struct peer peer, root;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	peer = peer_of(&local, pair[0], NULL);
	root = (struct peer){ .uid = peer.uid + 1 };
	assert_false(peer.tcp);
	assert_int_equal(peer.uid, geteuid());
	assert_true(peer_is_local(&peer));
	assert_true(peer_is_same(&peer, &peer));
	assert_false(peer_is_same(&peer, &root));
	close(pair[0]);
	close(pair[1]);
	/* Whom the kernel does not tell is nobody else. */
	assert_int_equal(peer_of(&local, -1, NULL).uid, (uid_t)-1);
}

static void of_tcp(void **state)
{
	struct peer one = at("192.0.2.1"), mapped = at("::ffff:192.0.2.1"), other = at("192.0.2.2"), any = at("::"), root = { 0 };

	(void)state;
	assert_true(peer_is_same(&one, &mapped));
	assert_false(peer_is_same(&one, &other));
	assert_false(peer_is_same(&any, &root));
	assert_int_equal(peer_number(&one), peer_number(&mapped));
	assert_int_not_equal(peer_number(&one), peer_number(&other));
	assert_int_not_equal(peer_number(&any), peer_number(&root));
}

static void this_host(void **state)
{
	static const char *const own[] = { "127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1" };
	static const char *const others[] = { "192.0.2.1", "::", "2001:db8::1", "::ffff:192.0.2.127", "::127.0.0.1", "0.0.0.127" };

	(void)state;
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		assert_true(peer_is_local(&(struct peer){ at(own[i]).address, 0, true }));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(peer_is_local(&(struct peer){ at(others[i]).address, 0, true }));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("over a Unix socket a uid, as the kernel tells it", of_a_unix_socket),
		CASE("over TCP an address, IPv4 as mapped", of_tcp),
		CASE("loopback is this host", this_host),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
