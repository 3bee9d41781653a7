/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * request: what an endpoint is asked, with everything checked and typed; and what it answers with. An endpoint is a
 * function that looks at a request and calls one of the reply_ functions, once.
 */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <stdbool.h>

#include "encode/buf.h"
#include "http/list.h"
#include "http/params.h"
#include "http/problem.h"
#include "http/route.h"
#include "vmad/caller.h"
#include "vmad/error.h"

struct walk_permit;
struct text;

struct request {
	void *context;				/* the endpoints' own, as given to server_start */
	const struct route *route;
	const struct vmad_caller *caller;
	const char *listener;			/* "unix", "unix-root" or "tcp" */
	const char *path;			/* decoded; those that routes have need no escapes */
	struct param_value values[PARAMS];
	bool head;				/* only the head of the reply is wanted: do not walk */
	bool ndjson;
	struct walk_permit *permit;		/* held until the reply is sent */
	struct reply *reply;
};

/* A parameter's value; 0 or NULL where it was not given. */
static inline uint64_t request_number(const struct request *request, enum param_id id)
{
	return request->values[id].number;
}

static inline const char *request_text(const struct request *request, enum param_id id)
{
	return request->values[id].text;
}

/*
 * Waits for the right to walk the page tables of a process, as vmad(8) has it under QUOTAS: one walk an mm, few a caller
 * and a host. False: it was not to be had, and the request has been answered with 503.
 */
bool request_walk(struct request *request, pid_t pid);

/*
 * The same for a walk through all processes, of which there is one a host, in place of the permit that the request
 * holds. False: it was not to be had, and the request has not been answered.
 */
bool request_walk_host(struct request *request);

/* How long a walk may take, by deadline_ms or its default, in microseconds. */
uint64_t request_budget_us(const struct request *request);

/* Path and query that go on where this reply ends: the request's own with another cursor. */
void request_put_next(const struct request *request, struct buf *to, pid_t pid, uint64_t address);

/* One object; `members` are taken over (buf_free'd here). */
void reply_document(struct request *request, struct buf *members);

/* A list; it is taken over, and freed with ops->free when it was sent or the client is gone. */
void reply_list(struct request *request, const struct list_ops *ops, void *list);

/* Text that does not change while vmad runs (etag, cacheable); borrowed for ever. */
void reply_static(struct request *request, const char *content_type, const char *text, size_t len, const char *etag);

/* Text that other requests may get too (http/text.h); a reference to it is taken over. */
void reply_text(struct request *request, const char *content_type, struct text *text);

/* A head without a body: HEAD of something that would have to walk. */
void reply_empty(struct request *request);

void reply_problem(struct request *request, const struct problem *problem);
void reply_error(struct request *request, const struct vmad_error *err);

/* What there is to say where nothing was begun: the error, or, r not being below 0, as reply_empty(). */
void reply_bare(struct request *request, int r, const struct vmad_error *err);

#endif
