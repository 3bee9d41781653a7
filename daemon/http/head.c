/* SPDX-License-Identifier: GPL-2.0-or-later */
/* head: is the head of a request well-formed, and was it meant for this host. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "http/authority.h"
#include "http/exchange.h"

/* Fields that libmicrohttpd lets pass in numbers or mixtures that no two servers read alike. */
static enum MHD_Result collect(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct request_head *head = arg;
	const struct { const char *name; const char **value; unsigned *count; } fields[] = {
		{ "Host", &head->host, &head->host_count },
		{ "Origin", &head->origin, &head->origin_count },
		{ "Authorization", &head->authorization, &head->authorization_count },
		{ "Accept", &head->accept, NULL },
		{ "Accept-Encoding", &head->accept_encoding, NULL },
		{ "If-None-Match", &head->if_none_match, NULL },
		{ "Content-Length", NULL, &head->length_count },
		{ "Transfer-Encoding", NULL, &head->transfer_count },
	};

	(void)kind;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (strcasecmp(fields[i].name, name))
			continue;
		if (fields[i].value)
			*fields[i].value = value;
		if (fields[i].count)
			++*fields[i].count;
		if (fields[i].count == &head->length_count && value && strcmp(value, "0"))
			head->has_body = true;
	}
	return MHD_YES;
}

static bool is_well_formed(struct exchange *exchange)
{
	const struct request_head *head = &exchange->head;
	const char *what;
	int r;

	exchange->close_after = true;
	if (head->length_count + head->transfer_count > 1)
		exchange_refuse(exchange, PROBLEM_BAD_REQUEST,
				"more than one of Content-Length and Transfer-Encoding", NULL);
	else if (head->host_count != 1)
		exchange_refuse(exchange, PROBLEM_BAD_REQUEST,
				head->host_count ? "more than one Host field" : "no Host field", NULL);
	else if (head->authorization_count > 1 || head->origin_count > 1)
		exchange_refuse(exchange, PROBLEM_BAD_REQUEST, "more than one Authorization or Origin field", NULL);
	else if (exchange->cut)
		exchange_refuse(exchange, PROBLEM_BAD_REQUEST, "a NUL byte in the address", NULL);
	else if (exchange->target_len > URI_MAX)
		exchange_refuse(exchange, PROBLEM_URI_TOO_LONG, "at most 8000 bytes", NULL);
	else if ((r = uri_parse(exchange->target, exchange->target_len, &exchange->uri, &what)) < 0)
		exchange_refuse(exchange, r == -ENOMEM ? PROBLEM_FAILED : PROBLEM_BAD_REQUEST, what, NULL);
	else
		exchange->close_after = head->has_body || head->transfer_count;
	return exchange->reply.kind == REPLY_NONE;
}

/* The address that was connected to: nobody can point a name at it and have the browser say the address. */
static bool host_is_address(int fd, const char *host)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} at = { 0 };
	socklen_t len = sizeof(at);
	char name[INET6_ADDRSTRLEN + 2];

	if (getsockname(fd, &at.any, &len) < 0)
		return false;
	if (at.any.sa_family == AF_INET)
		return inet_ntop(AF_INET, &at.in.sin_addr, name, sizeof(name)) && authority_names(host, name);
	name[0] = '[';
	if (at.any.sa_family != AF_INET6 || !inet_ntop(AF_INET6, &at.in6.sin6_addr, name + 1, INET6_ADDRSTRLEN))
		return false;
	return authority_names(host, strcat(name, "]"));
}

/* A page that rebinds a name of its own to 127.0.0.1 comes with that name. */
static bool host_is_served(const struct exchange *exchange, const char *host)
{
	static const char *const always[] = { "localhost", "127.0.0.1", "[::1]" };
	const char *const *more = exchange->server->config.hosts;

	if (!connection_is_tcp(exchange->connection))
		return true;
	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++) {
		if (authority_names(host, always[i]))
			return true;
	}
	for (; *more; more++) {
		if (authority_names(host, *more))
			return true;
	}
	return host_is_address(connection_fd(exchange->connection), host);
}

/* A browser says which site a request comes from; only vmad's own page may ask. */
static bool comes_from_here(struct exchange *exchange)
{
	const struct request_head *head = &exchange->head;

	if (!host_is_served(exchange, head->host))
		exchange_refuse(exchange, PROBLEM_FOREIGN_HOST, "the Host field names another host",
				"start vmad with --allow-host NAME");
	else if (head->origin && !authority_is_origin(head->host, head->origin))
		exchange_refuse(exchange, PROBLEM_FOREIGN_ORIGIN, "the Origin field names another site", NULL);
	return exchange->reply.kind == REPLY_NONE;
}

bool head_is_accepted(struct exchange *exchange)
{
	MHD_get_connection_values(exchange->mhd, MHD_HEADER_KIND, collect, &exchange->head);
	return is_well_formed(exchange) && comes_from_here(exchange);
}
