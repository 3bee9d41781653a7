/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dispatch: is a request allowed, what does it ask, and who answers it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "http/accepted.h"
#include "http/exchange.h"
#include "stall/giveway.h"
#include "stall/stall.h"
#include "opener/opener.h"

#define DEADLINE_MAX_MS 30000
#define DEADLINE_ROOT_MAX_MS 300000

void exchange_refuse(struct exchange *exchange, enum problem_id id, const char *detail, const char *mend)
{
	struct problem problem;

	problem_set(&problem, id, "%s", detail);
	problem.mend = mend;
	reply_problem(&exchange->request, &problem);
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
		exchange_refuse(exchange, PROBLEM_NO_SUCH_PATH, "/v1 lists those that there are", NULL);
	else if (r == -EOPNOTSUPP)
		exchange_refuse(exchange, PROBLEM_METHOD, "the Allow field lists those that are", NULL);
	else if (r < 0)
		refuse_param(exchange, bad, request->values[bad].text);
	return r == 0;
}

/* Requests take no body, whatever the method. */
static bool has_no_body(struct exchange *exchange)
{
	if (!exchange->head.has_body && !exchange->head.transfer_count)
		return true;
	exchange_refuse(exchange, PROBLEM_BODY, "everything is asked by the address alone", NULL);
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
		exchange->gzip = accepted_names(exchange->head.accept_encoding, "gzip");
	} else {
		exchange_refuse(exchange, PROBLEM_METHOD, "the Allow field lists those that are", NULL);
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
	problem.parameter = arg->name;
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
	exchange_refuse(exchange, PROBLEM_TOKEN_REQUIRED, "over TCP this is not answered without a token",
			"send Authorization: Bearer TOKEN, or ask over the Unix socket");
	return false;
}

static bool may_ask(struct exchange *exchange, const char *method)
{
	return head_is_accepted(exchange) && exchange_identify(exchange) &&
	       !find_site_file(exchange, method) && find_route(exchange, method) && is_allowed(exchange) &&
	       has_no_body(exchange) && parse_params(exchange);
}

static bool is_walk(const struct request *request)
{
	if (request->route->cost == COST_WALKS_IF_ASKED)
		return request->values[PARAM_detail_process].given || request->values[PARAM_detail_vmas].number == 1 ||
		       request->values[PARAM_detail_processes].number == 1;
	return request->route->cost != COST_CHEAP;
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
	if (exchange->class == METER_CHEAP)
		giveway_to_quick(exchange->read_us);
	giveway_set(false);
	meter_begin(exchange->class);
	if (may) {
		request->ndjson = accepted_names(exchange->head.accept, "application/x-ndjson");
		exchange->gzip = accepted_names(exchange->head.accept_encoding, "gzip");
		if (exchange_share(exchange, &result))
			return result;
		if (exchange->reply.kind == REPLY_NONE)
			exchange->server->config.handlers[request->route->id](request);
	}
	return deliver(exchange);
}

bool request_walk(struct request *request, pid_t pid)
{
	struct exchange *exchange = (struct exchange *)((char *)request - offsetof(struct exchange, request));
	int r;

	/* Walks have a queue of their own. */
	connection_ends_turn(exchange->connection);
	r = walk_begin(exchange->server->walks, request->caller, pid, &request->permit);
	stall_got_on();
	if (r == 0) {
		giveway_set(walk_is_one_of_many(request->permit));
		return true;
	}
	connection_takes_turn(exchange->connection);
	exchange_refuse(exchange, r == -ENOMEM ? PROBLEM_FAILED : PROBLEM_BUSY,
			r == -EBUSY ? "too many walks of page tables wait already" : "no walk of page tables came to its end in time",
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
