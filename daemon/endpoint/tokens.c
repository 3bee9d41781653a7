/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tokens: one for the page in a browser, which cannot come over the Unix socket, where the kernel says who a caller is. */
#include <errno.h>
#include <string.h>

#include "encode/record.h"
#include "endpoint/endpoint.h"

/* A token makes no other: its hours would have no end. */
static bool comes_from_the_kernel(struct request *request)
{
	struct problem problem;

	if (strcmp(request->listener, "tcp"))
		return true;
	problem_set(&problem, PROBLEM_NOT_ALLOWED, "a token is given to those that the kernel tells of");
	problem.mend = "ask over the Unix socket";
	reply_problem(request, &problem);
	return false;
}

static void refuse(struct request *request, int code)
{
	struct vmad_error err = { .code = -code, .operation = "make a token" };
	struct problem problem;

	if (code != -EDQUOT) {
		reply_error(request, &err);
		return;
	}
	problem_set(&problem, PROBLEM_TOO_MANY, "other users have all the tokens that there may be");
	problem.mend = "wait until some of them end, at most eight hours";
	reply_problem(request, &problem);
}

void endpoint_tokens(struct request *request)
{
	const struct endpoint_context *context = request->context;
	struct opener_grant grant;
	struct vmad_granted granted;
	struct buf members = { 0 };
	int r;

	if (!comes_from_the_kernel(request))
		return;
	r = opener_grant(context->opener, request->caller, &grant);
	if (r < 0) {
		refuse(request, r);
		return;
	}
	granted = (struct vmad_granted){
		.has = *context->page ? VMAD_HAS(granted, page) : 0,
		.token = grant.token,
		.expires_in_seconds = grant.seconds,
		.uid = request->caller->uid,
		.page = context->page,
	};
	record_put_granted(&members, &granted);
	explicit_bzero(&grant, sizeof(grant));
	reply_document(request, &members);
}
