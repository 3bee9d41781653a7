/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dispatch: is a request well-formed and allowed, what does it ask, and who answers it. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "http/clock.h"
#include "http/exchange.h"
#include "http/gzip.h"
#include "stall/stall.h"
#include "opener/opener.h"

/*
 * While many connections are open, answers to the same question within this time share one reading of procfs, unless
 * max_age_ms=0. Only documents that take max_age_ms, never lists. With few connections each request asks the kernel: who
 * reaps a child and then asks must not be told of the moment before.
 */
#define COALESCE_US 2000
#define COALESCE_CONNECTIONS 8

#define DEADLINE_MAX_MS 30000
#define DEADLINE_ROOT_MAX_MS 300000

static void refuse(struct exchange *exchange, enum problem_id id, const char *detail, const char *mend)
{
	struct problem problem;

	problem_set(&problem, id, "%s", detail);
	problem.mend = mend;
	reply_problem(&exchange->request, &problem);
}

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
		refuse(exchange, PROBLEM_BAD_REQUEST, "more than one of Content-Length and Transfer-Encoding", NULL);
	else if (head->host_count != 1)
		refuse(exchange, PROBLEM_BAD_REQUEST, head->host_count ? "more than one Host field" : "no Host field",
		       NULL);
	else if (head->authorization_count > 1 || head->origin_count > 1)
		refuse(exchange, PROBLEM_BAD_REQUEST, "more than one Authorization or Origin field", NULL);
	else if (exchange->cut)
		refuse(exchange, PROBLEM_BAD_REQUEST, "a NUL byte in the address", NULL);
	else if (exchange->target_len > URI_MAX)
		refuse(exchange, PROBLEM_URI_TOO_LONG, "at most 8000 bytes", NULL);
	else if ((r = uri_parse(exchange->target, exchange->target_len, &exchange->uri, &what)) < 0)
		refuse(exchange, r == -ENOMEM ? PROBLEM_FAILED : PROBLEM_BAD_REQUEST, what, NULL);
	else
		exchange->close_after = head->has_body || head->transfer_count;
	return exchange->reply.kind == REPLY_NONE;
}

/* Host is a name with or without a port. A page that rebinds a name of its own to 127.0.0.1 comes with that name. */
static bool host_is(const char *host, const char *name)
{
	size_t len = strlen(name);

	return !strncasecmp(host, name, len) && (!host[len] || host[len] == ':');
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
		return inet_ntop(AF_INET, &at.in.sin_addr, name, sizeof(name)) && host_is(host, name);
	name[0] = '[';
	if (at.any.sa_family != AF_INET6 || !inet_ntop(AF_INET6, &at.in6.sin6_addr, name + 1, INET6_ADDRSTRLEN))
		return false;
	return host_is(host, strcat(name, "]"));
}

static bool host_is_served(const struct exchange *exchange, const char *host)
{
	static const char *const always[] = { "localhost", "127.0.0.1", "[::1]" };
	const char *const *more = exchange->server->config.hosts;

	if (connection_listener(exchange->connection)->kind != LISTENER_TCP)
		return true;
	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++) {
		if (host_is(host, always[i]))
			return true;
	}
	for (; *more; more++) {
		if (host_is(host, *more))
			return true;
	}
	return host_is_address(connection_fd(exchange->connection), host);
}

/* A browser says which site a request comes from; only vmad's own page may ask. */
static bool origin_is_own(const char *origin, const char *host)
{
	const char *after = strstr(origin, "://");

	return after && !strcasecmp(after + 3, host);
}

static bool comes_from_here(struct exchange *exchange)
{
	const struct request_head *head = &exchange->head;

	if (!host_is_served(exchange, head->host))
		refuse(exchange, PROBLEM_FOREIGN_HOST, "the Host field names another host",
		       "start vmad with --allow-host NAME");
	else if (head->origin && !origin_is_own(head->origin, head->host))
		refuse(exchange, PROBLEM_FOREIGN_ORIGIN, "the Origin field names another site", NULL);
	return exchange->reply.kind == REPLY_NONE;
}

static bool refuse_peer(struct exchange *exchange, int code)
{
	if (code == -EXDEV)
		refuse(exchange, PROBLEM_FOREIGN_NAMESPACE,
		       "its root is not this host's root, and its pids are not this host's pids",
		       "ask from the host's own user and pid namespaces");
	else if (code == -EPERM)
		refuse(exchange, PROBLEM_NOT_ALLOWED, "this vmad runs as another user, and answers only that one",
		       "ask root's vmad");
	else if (code == -ENOTCONN || code == -ETIMEDOUT || code == -EMFILE)
		refuse(exchange, PROBLEM_BUSY, "who asks cannot be told just now", NULL);
	else if (code == -E2BIG)
		refuse(exchange, PROBLEM_NOT_ALLOWED, "the caller has too many groups", NULL);
	else
		refuse(exchange, PROBLEM_FAILED, "the kernel does not say who the caller is", NULL);
	if (exchange->reply.problem.id == PROBLEM_BUSY)
		exchange->reply.problem.retry_after_seconds = 1;
	exchange->close_after = true;
	return false;
}

/* Who is at the other end of a Unix socket: asked once a connection. */
static bool identify_peer(struct exchange *exchange)
{
	struct vmad_caller *caller;
	int r;

	if (connection_caller(exchange->connection))
		return true;
	r = opener_identify(exchange->server->config.opener, connection_fd(exchange->connection), &caller, NULL);
	if (r < 0)
		return refuse_peer(exchange, r);
	connection_set_caller(exchange->connection, caller);
	return true;
}

/* Above a quota: told so, and sent away. */
static bool is_within(struct exchange *exchange)
{
	bool tcp = connection_listener(exchange->connection)->kind == LISTENER_TCP;

	switch (connection_over(exchange->connection)) {
	case CONNECTION_WITHIN:
		return true;
	case CONNECTION_OVER_PEER:
		refuse(exchange, PROBLEM_TOO_MANY,
		       tcp ? "this address has too many connections open" : "this user has too many connections open",
		       "use fewer, or one after the other");
		break;
	case CONNECTION_OVER_LISTENER:
		refuse(exchange, PROBLEM_BUSY, "too many connections are open", NULL);
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
	refuse(exchange, PROBLEM_TOKEN_UNKNOWN, "the Authorization field holds no token that vmad knows",
	       "vmactl web makes one that is good for eight hours; vmad --token-file names those that last");
	return false;
}

static bool identify(struct exchange *exchange)
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
	refuse(exchange, PROBLEM_NOT_ALLOWED, "this socket is root's", "ask over the other socket");
	return false;
}

static void refuse_param(struct exchange *exchange, enum param_id id, const char *text)
{
	const struct param *param = &params[id];
	struct problem problem;

	problem_set(&problem, PROBLEM_BAD_PARAMETER, "%s is \"%.60s\", but wants %s%s%s", param->name, text,
		    param_type_words(param->type), *param->choices ? ": " : "", param->choices);
	problem.parameter = param->name;
	reply_problem(&exchange->request, &problem);
}

static bool find_route(struct exchange *exchange, const char *method)
{
	struct request *request = &exchange->request;
	size_t len = strlen(exchange->uri.path);
	enum param_id bad = PARAM_none;
	int r;

	if (len > 1 && exchange->uri.path[len - 1] == '/')
		exchange->uri.path[len - 1] = '\0';
	request->path = exchange->uri.path;
	r = route_find(method, exchange->uri.path, request->values, &request->route, &bad);
	request->head = !strcmp(method, "HEAD");
	if (r == -ENOENT)
		refuse(exchange, PROBLEM_NO_SUCH_PATH, "/v1 lists those that there are", NULL);
	else if (r == -EOPNOTSUPP)
		refuse(exchange, PROBLEM_METHOD, "the Allow field lists those that are", NULL);
	else if (r < 0)
		refuse_param(exchange, bad, request->values[bad].text);
	return r == 0;
}

/* Requests take no body, whatever the method. */
static bool has_no_body(struct exchange *exchange)
{
	if (!exchange->head.has_body && !exchange->head.transfer_count)
		return true;
	refuse(exchange, PROBLEM_BODY, "everything is asked by the address alone", NULL);
	return false;
}

/* A file of the page: anybody may have it, as it holds nothing of anybody. True: it was one, and the reply is chosen. */
static bool find_site_file(struct exchange *exchange, const char *method)
{
	const struct site_file *file = site_find(exchange->server->config.site, exchange->uri.path);

	if (!file)
		return false;
	if (!has_no_body(exchange))
		return true;
	if (!strcmp(method, "GET") || !strcmp(method, "HEAD")) {
		exchange->reply.kind = REPLY_SITE;
		exchange->reply.file = file;
		exchange->gzip = gzip_is_accepted(exchange->head.accept_encoding);
	} else {
		refuse(exchange, PROBLEM_METHOD, "the Allow field lists those that are", NULL);
	}
	return true;
}

static bool parse_param(struct exchange *exchange, const struct uri_arg *arg)
{
	struct request *request = &exchange->request;
	enum param_id id = route_param(request->route, arg->name);
	struct problem problem;

	if (id != PARAM_none && !request->values[id].given) {
		if (param_parse(id, arg->value, &request->values[id]) == 0)
			return true;
		refuse_param(exchange, id, arg->value);
		return false;
	}
	if (id != PARAM_none)
		problem_set(&problem, PROBLEM_BAD_PARAMETER, "%s is given more than once", params[id].name);
	else
		problem_set(&problem, PROBLEM_BAD_PARAMETER,
			    "there is no parameter \"%.60s\" here; /v1/openapi.json lists those that there are",
			    arg->name);
	problem.parameter = id != PARAM_none ? params[id].name : NULL;
	reply_problem(&exchange->request, &problem);
	return false;
}

/* What two parameters say together. */
static bool check_together(struct exchange *exchange)
{
	const struct param_value *values = exchange->request.values;
	uint64_t most = exchange->request.caller->class == VMAD_CALLER_ROOT ? DEADLINE_ROOT_MAX_MS : DEADLINE_MAX_MS;
	struct problem problem;

	if (values[PARAM_start].given && values[PARAM_end].given &&
	    values[PARAM_start].number >= values[PARAM_end].number) {
		problem_set(&problem, PROBLEM_BAD_PARAMETER, "start is not below end");
		problem.parameter = "start";
	} else if (values[PARAM_deadline_ms].number > most) {
		problem_set(&problem, PROBLEM_BAD_PARAMETER, "deadline_ms is at most %u for this caller",
			    (unsigned)most);
		problem.parameter = "deadline_ms";
	} else {
		return true;
	}
	reply_problem(&exchange->request, &problem);
	return false;
}

static bool parse_params(struct exchange *exchange)
{
	for (size_t i = 0; i < exchange->uri.arg_count; i++) {
		if (!parse_param(exchange, &exchange->uri.args[i]))
			return false;
	}
	return check_together(exchange);
}

static bool is_allowed(struct exchange *exchange)
{
	const struct server_config *config = &exchange->server->config;

	bool local = connection_is_local(exchange->connection);

	if (exchange->request.caller->class != VMAD_CALLER_ANONYMOUS ||
	    config->is_open(config->context, exchange->request.route, local))
		return true;
	refuse(exchange, PROBLEM_TOKEN_REQUIRED, "over TCP this is not answered without a token",
	       "send Authorization: Bearer TOKEN, or ask over the Unix socket");
	return false;
}

static bool accepts_ndjson(const char *accept)
{
	return accept && strcasestr(accept, "application/x-ndjson");
}

static bool is_walk(const struct request *request)
{
	if (request->route->cost == COST_WALKS_IF_ASKED)
		return request->values[PARAM_detail_process].given || request->values[PARAM_detail_vmas].number == 1 ||
		       request->values[PARAM_detail_processes].number == 1;
	return request->route->cost != COST_CHEAP;
}

/* A parameter in a key. How old an answer may be does not change what is asked. */
static void put_key_param(struct buf *key, enum param_id id, const struct param_value *value)
{
	uint64_t numbers[] = { id, value->number, value->address };

	if (!value->given || id == PARAM_max_age_ms)
		return;
	buf_put(key, (const char *)numbers, sizeof(numbers));
	if (param_is_text(id))
		buf_put(key, value->text, strlen(value->text) + 1);
}

/* Identity, form, question: what makes two requests equal. */
static void put_key(const struct exchange *exchange, struct buf *key)
{
	const struct request *request = &exchange->request;
	const struct vmad_caller *caller = request->caller;
	uint64_t numbers[] = {
		caller->class, caller->uid, caller->gid, caller->group_count,
		request->ndjson, exchange->gzip, request->route->id,
	};

	buf_put(key, (const char *)numbers, sizeof(numbers));
	buf_put(key, (const char *)caller->groups, caller->group_count * sizeof(gid_t));
	for (int id = PARAM_none + 1; id < PARAMS; id++)
		put_key_param(key, (enum param_id)id, &request->values[id]);
}

static bool takes_max_age(const struct route *route)
{
	return route_param(route, "max_age_ms") != PARAM_none;
}

/*
 * True: another request's answer was sent, with *ret_result; false: this one is to be answered, and may lead a flight.
 * /
 */
static bool share(struct exchange *exchange, enum MHD_Result *ret_result)
{
	struct request *request = &exchange->request;
	const struct param_value *max_age = &request->values[PARAM_max_age_ms];
	bool walks = is_walk(request);
	bool crowded = connections_count(exchange->server->connections) >= COALESCE_CONNECTIONS;
	uint64_t age_us = walks ? 0 : COALESCE_US;
	struct flight *flight = NULL;
	enum flight_role role = FLIGHT_LEADS;
	struct buf key = { 0 };

	if (request->head || !takes_max_age(request->route) || (!walks && (request->route->list || (!crowded && !max_age->given))))
		return false;
	if (max_age->given)
		age_us = max_age->number < FLIGHT_CACHE_MS ? max_age->number * 1000 : FLIGHT_CACHE_MS * 1000;
	put_key(exchange, &key);
	if (!key.failed)
		role = flight_enter(exchange->server->flights, key.p, key.len, age_us,
				    max_age->given && !max_age->number, &flight);
	buf_free(&key);
	if (role == FLIGHT_LEADS) {
		exchange->flight = flight;
		return false;
	}
	if (role == FLIGHT_STALLED) {
		refuse(exchange, PROBLEM_TARGET_BLOCKED, "the same question has waited for the kernel for too long", NULL);
		exchange->reply.problem.retry_after_seconds = STALL_QUARANTINE_MS / 1000;
	} else if (role == FLIGHT_HAS_ANSWER) {
		*ret_result = deliver_answer(exchange, flight_answer(flight));
	} else {
		refuse(exchange, PROBLEM_TOO_MANY, "the same list is being sent to this caller already",
		       "wait for it, or use another filter");
		exchange->reply.problem.retry_after_seconds = 1;
	}
	flight_leave(flight);
	return role == FLIGHT_HAS_ANSWER;
}

static bool may_ask(struct exchange *exchange, const char *method)
{
	MHD_get_connection_values(exchange->mhd, MHD_HEADER_KIND, collect, &exchange->head);
	return is_well_formed(exchange) && comes_from_here(exchange) && identify(exchange) &&
	       !find_site_file(exchange, method) && find_route(exchange, method) && is_allowed(exchange) &&
	       has_no_body(exchange) && parse_params(exchange);
}

static enum meter_class class_of(const struct request *request)
{
	if (!request->route || !is_walk(request))
		return METER_CHEAP;
	return request->route->cost == COST_GLOBAL ? METER_GLOBAL : METER_WALK;
}

enum MHD_Result dispatch(struct exchange *exchange, const char *method)
{
	struct request *request = &exchange->request;
	enum MHD_Result result;
	bool may;

	request->context = exchange->server->config.context;
	request->reply = &exchange->reply;
	may = may_ask(exchange, method);
	exchange->class = class_of(request);
	exchange->metered = true;
	meter_begin(exchange->class);
	if (may) {
		request->ndjson = accepts_ndjson(exchange->head.accept);
		exchange->gzip = gzip_is_accepted(exchange->head.accept_encoding);
		if (share(exchange, &result))
			return result;
		if (exchange->reply.kind == REPLY_NONE)
			exchange->server->config.handlers[request->route->id](request);
	}
	return deliver(exchange);
}

bool request_walk(struct request *request, pid_t pid)
{
	struct exchange *exchange = (struct exchange *)((char *)request - offsetof(struct exchange, request));
	int r = walk_begin(exchange->server->walks, request->caller, pid, &request->permit);

	stall_got_on();
	if (r == 0)
		return true;
	refuse(exchange, r == -ENOMEM ? PROBLEM_FAILED : PROBLEM_BUSY,
	       r == -EBUSY ? "too many walks of page tables wait already"
			   : "no walk of page tables came to its end in time",
	       NULL);
	exchange->reply.problem.retry_after_seconds = 1;
	return false;
}

/* No process has pid 0: walks through all of them are kept apart from each other, and from nothing else. */
bool request_walk_host(struct request *request)
{
	struct exchange *exchange = (struct exchange *)((char *)request - offsetof(struct exchange, request));

	walk_end(request->permit);
	request->permit = NULL;
	return walk_begin(exchange->server->walks, request->caller, 0, &request->permit) == 0;
}
