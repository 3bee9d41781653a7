/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/reply.h"

#include <errno.h>
#include <string.h>

#include "encode/json.h"
#include "http/text.h"
#include "http/walks.h"

void reply_free(struct reply *reply)
{
	buf_free(&reply->members);
	if (reply->list)
		reply->ops->free(reply->list);
	reply->list = NULL;
	text_release(reply->shared);
	reply->shared = NULL;
}

void reply_document(struct request *request, struct buf *members)
{
	request->reply->kind = REPLY_DOCUMENT;
	request->reply->members = *members;
	*members = (struct buf){ 0 };
}

void reply_list(struct request *request, const struct list_ops *ops, void *list)
{
	request->reply->kind = REPLY_LIST;
	request->reply->ops = ops;
	request->reply->list = list;
}

void reply_static(struct request *request, const char *content_type, const char *text, size_t len, const char *etag)
{
	*request->reply = (struct reply){
		.kind = REPLY_STATIC, .content_type = content_type, .text = text, .text_len = len, .etag = etag
	};
}

void reply_text(struct request *request, const char *content_type, struct text *text)
{
	*request->reply = (struct reply){ .kind = REPLY_TEXT, .content_type = content_type, .shared = text };
}

void reply_empty(struct request *request)
{
	request->reply->kind = REPLY_EMPTY;
}

void reply_problem(struct request *request, const struct problem *problem)
{
	request->reply->kind = REPLY_PROBLEM;
	request->reply->problem = *problem;
}

void reply_error(struct request *request, const struct vmad_error *err)
{
	struct problem problem;

	problem_from_error(&problem, err);
	if (problem.id == PROBLEM_NOT_ALLOWED && request->caller->class == VMAD_CALLER_ROOT)
		problem.mend = "nobody may: a security module, or a user namespace beyond vmad's, keeps root out too";
	reply_problem(request, &problem);
}

void reply_bare(struct request *request, int r, const struct vmad_error *err)
{
	if (r < 0)
		reply_error(request, err);
	else
		reply_empty(request);
}

/* The bytes that stand for themselves in a query: RFC 3986 unreserved, and what people write in patterns. */
static bool is_plain(char c)
{
	return strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/*:,", c) && c;
}

static void put_query_value(struct buf *to, const char *text)
{
	for (; *text; text++) {
		if (is_plain(*text))
			buf_put(to, text, 1);
		else
			buf_printf(to, "%%%02X", (unsigned char)*text);
	}
}

void request_put_next(const struct request *request, struct buf *to, pid_t pid, uint64_t address)
{
	const struct route *route = request->route;

	buf_puts(to, request->path);
	buf_printf(to, "?cursor=%d:%llx", (int)pid, (unsigned long long)address);
	for (int i = 0; i < ROUTE_PARAMS_MAX && route->params[i] != PARAM_none; i++) {
		const struct param_value *value = &request->values[route->params[i]];

		if (!value->given || route->params[i] == PARAM_cursor)
			continue;
		buf_printf(to, "&%s=", params[route->params[i]].name);
		put_query_value(to, value->text);
	}
}

uint64_t request_budget_us(const struct request *request)
{
	const struct param_value *deadline = &request->values[PARAM_deadline_ms];

	return (deadline->given ? deadline->number : WALK_DEADLINE_MS) * 1000;
}
