/* SPDX-License-Identifier: GPL-2.0-or-later */
/* identify: who asks, and is that one within its quotas. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "http/exchange.h"
#include "opener/opener.h"

static bool refuse_peer(struct exchange *exchange, int code)
{
	if (code == -EXDEV)
		exchange_refuse(exchange, PROBLEM_FOREIGN_NAMESPACE,
				"its root is not this host's root, and its pids are not this host's pids",
				"ask from the host's own user and pid namespaces");
	else if (code == -EPERM)
		exchange_refuse(exchange, PROBLEM_NOT_ALLOWED,
				"this vmad runs as another user, and answers only that one", "ask root's vmad");
	else if (code == -ENOTCONN || code == -ETIMEDOUT || code == -EMFILE)
		exchange_refuse(exchange, PROBLEM_BUSY, "who asks cannot be told just now", NULL);
	else if (code == -E2BIG)
		exchange_refuse(exchange, PROBLEM_NOT_ALLOWED, "the caller has too many groups", NULL);
	else
		exchange_refuse(exchange, PROBLEM_FAILED, "the kernel does not say who the caller is", NULL);
	if (exchange->reply.problem.id == PROBLEM_BUSY)
		exchange->reply.problem.retry_after_seconds = 1;
	exchange->close_after = true;
	return false;
}

/* Who is at the other end of a Unix socket: asked once a connection, and again where another opener has come. */
static bool identify_peer(struct exchange *exchange)
{
	struct opener *opener = exchange->server->config.opener;
	struct vmad_caller *caller = (struct vmad_caller *)connection_caller(exchange->connection);
	int r;

	if (caller && opener_knows(opener, caller))
		return true;
	opener_forget(opener, connection_take_caller(exchange->connection));
	r = opener_identify(opener, connection_fd(exchange->connection), &caller, NULL);
	if (r < 0)
		return refuse_peer(exchange, r);
	connection_set_caller(exchange->connection, caller);
	return true;
}

/* Above a quota: told so, and sent away. */
static bool is_within(struct exchange *exchange)
{
	bool tcp = connection_is_tcp(exchange->connection);

	switch (connection_over(exchange->connection)) {
	case CONNECTION_WITHIN:
		return true;
	case CONNECTION_OVER_PEER:
		exchange_refuse(exchange, PROBLEM_TOO_MANY,
				tcp ? "this address has too many connections open" : "this user has too many connections open",
				"use fewer, or one after the other");
		break;
	case CONNECTION_OVER_LISTENER:
		exchange_refuse(exchange, PROBLEM_BUSY, "too many connections are open", NULL);
		break;
	}
	exchange->reply.problem.retry_after_seconds = 1;
	exchange->close_after = true;
	return false;
}

static const struct vmad_caller anonymous = { .class = VMAD_CALLER_ANONYMOUS, .uid = (uid_t)-1, .gid = (gid_t)-1 };

static bool identify_token(struct exchange *exchange)
{
	static const char scheme[] = "Bearer ";
	const char *authorization = exchange->head.authorization;
	int r = -EACCES;

	exchange->request.caller = &anonymous;
	if (!authorization)
		return true;
	if (!strncasecmp(authorization, scheme, sizeof(scheme) - 1))
		r = opener_identify_token(exchange->server->config.opener, connection_fd(exchange->connection),
					  authorization + sizeof(scheme) - 1, &exchange->caller);
	if (r == 0) {
		exchange->request.caller = exchange->caller;
		return true;
	}
	if (r != -EACCES)
		return refuse_peer(exchange, r);
	exchange_refuse(exchange, PROBLEM_TOKEN_UNKNOWN, "the Authorization field holds no token that vmad knows",
			"vmactl web makes one that is good for eight hours; vmad --token-file names those that last");
	return false;
}

bool exchange_identify(struct exchange *exchange)
{
	const struct listener *listener = connection_listener(exchange->connection);

	exchange->request.listener = listener_kind_name(listener->kind);
	if (!is_within(exchange))
		return false;
	if (listener->kind == LISTENER_TCP)
		return identify_token(exchange);
	if (!identify_peer(exchange))
		return false;
	exchange->request.caller = connection_caller(exchange->connection);
	if (listener->kind != LISTENER_UNIX_ROOT || exchange->request.caller->class == VMAD_CALLER_ROOT)
		return true;
	exchange_refuse(exchange, PROBLEM_NOT_ALLOWED, "this socket is root's", "ask over the other socket");
	return false;
}
